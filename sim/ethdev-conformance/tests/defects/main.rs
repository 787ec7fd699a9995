//! The suite catches what it is there to catch: one device for every mistake, each caught by the checks that name the line which it breaks, and no others.
mod asynch;
mod broken;
mod callback;
mod lend;
mod mem;
mod pull;

use std::collections::BTreeSet;
use std::time::Duration;

use broken::{Correct, Defect, Rig};
use ethdev_conformance::{Fixture, Report, Suite, line};

fn suite<F: Fixture>() -> Suite<F> {
    Suite::new()
}

fn pull<X: Defect>() -> Report {
    suite::<Rig<X>>().pull().run()
}

/// Only what sees the device hang is run: nobody is to wait for the watchdog twice.
fn hanging<X: Defect>() -> Report {
    let watchdog = Duration::from_secs(5);
    suite::<Rig<X>>().pull().only("device.8").with_watchdog(watchdog).run()
}

fn rearm<X: Defect>() -> Report {
    suite::<Rig<X>>().rearm().run()
}

/// An executor that sleeps on the interrupt.
fn sleeping<X: Defect>() -> Report {
    suite::<Rig<X>>().rearm_layers().only("async").run()
}

fn control<X: Defect>() -> Report {
    suite::<Rig<X>>().control().run()
}

/// A device that breaks lending breaks all that is built on it: these look at the halves alone.
fn lending<const DEFECT: u8>(lines: &'static str) -> Report {
    suite::<lend::LendRig<DEFECT>>().lending().only(lines).run()
}

fn calling<const DEFECT: u8>() -> Report {
    suite::<callback::CallRig<DEFECT>>().callback_own().run()
}

fn awaiting<const DEFECT: u8>() -> Report {
    suite::<asynch::AsyncRig<DEFECT>>().awaited_own().run()
}

/// One test for each defect: its name, how it is run, the lines that it breaks.
macro_rules! defects {
    ($($name:ident: $run:expr, [$($line:literal),+];)*) => {
        $(
            #[test]
            fn $name() {
                let report: Report = $run;
                let expected = BTreeSet::from([$($line),+]);
                assert_eq!(report.broken_lines(), expected, "{report}");
            }
        )*

        const BROKEN: &[&str] = &[$($($line),+),*];
    };
}

defects! {
    waits_for_a_frame: pull::<pull::WaitsForAFrame>(), ["device.1"];
    duplicates: pull::<pull::Duplicates>(), ["device.2"];
    reorders: pull::<pull::Reorders>(), ["device.2"];
    keeps_the_fcs: pull::<pull::KeepsTheFcs>(), ["device.2"];
    corrupts_a_byte: pull::<pull::CorruptsAByte>(), ["device.2"];
    sends_twice: pull::<pull::SendsTwice>(), ["device.2"];
    loses_on_a_short_buffer: pull::<pull::LosesOnAShortBuffer>(), ["device.3"];
    // What was dropped was accepted, and never comes: both lines are broken.
    drops_instead_of_busy: pull::<pull::DropsInsteadOfBusy>(), ["device.2", "device.4"];
    always_ready: pull::<pull::AlwaysReady>(), ["device.4"];
    needs_tx_room_to_receive: pull::<pull::NeedsTxRoomToReceive>(), ["device.5"];
    needs_rx_room_to_send: pull::<pull::NeedsRxRoomToSend>(), ["device.5"];
    accepts_less_than_a_header: pull::<pull::AcceptsLessThanAHeader>(), ["device.6"];
    pads_with_garbage: pull::<pull::PadsWithGarbage>(), ["device.6"];
    truncates_overlong: pull::<pull::TruncatesOverlong>(), ["device.6"];
    reads_the_bus_for_the_link: pull::<pull::ReadsTheBusForTheLink>(), ["device.7"];
    // Who asks sees the change before service tells it.
    caches_no_link: pull::<pull::CachesNoLink>(), ["device.7", "events"];
    sends_with_the_link_down: pull::<pull::SendsWithTheLinkDown>(), ["device.7"];
    panics_on_a_bad_length: pull::<pull::PanicsOnABadLength>(), ["device.8"];
    hangs_on_a_bad_length: hanging::<pull::HangsOnABadLength>(), ["device.8"];
    deaf_after_an_overrun: pull::<pull::DeafAfterAnOverrun>(), ["device.8"];
    forgets_overruns: pull::<pull::ForgetsOverruns>(), ["device.9"];
    counts_twice: pull::<pull::CountsTwice>(), ["device.9"];
    swallows_errors: pull::<pull::SwallowsErrors>(), ["device.10"];
    says_ip_mtu: pull::<pull::SaysIpMtu>(), ["capabilities"];
    says_more_queue: pull::<pull::SaysMoreQueue>(), ["capabilities"];
    says_nothing_pending: pull::<pull::SaysNothingPending>(), ["events"];
    says_lost_for_ever: pull::<pull::SaysLostForEver>(), ["events"];
    releases_on_drop: lending::<{ lend::RELEASES_ON_DROP }>("lend"), ["lend.1"];
    pulls_beside_the_halves: lending::<{ lend::PULLS_BESIDE_THE_HALVES }>("lend"), ["lend.2"];
    leaks_reservations: lending::<{ lend::LEAKS_RESERVATIONS }>("lend"), ["lend.3"];
    commits_anything: lending::<{ lend::COMMITS_ANYTHING }>("lend"), ["lend.4"];
    calls_twice: calling::<{ callback::CALLS_TWICE }>(), ["callback.1", "device.2"];
    clears_late: calling::<{ callback::CLEARS_LATE }>(), ["callback.2"];
    ignores_the_budget: calling::<{ callback::IGNORES_THE_BUDGET }>(), ["callback.3"];
    never_more: calling::<{ callback::NEVER_MORE }>(), ["callback.3"];
    drops_without_handler: calling::<{ callback::DROPS_WITHOUT_HANDLER }>(), ["callback.4"];
    calls_outside_poll: calling::<{ callback::CALLS_OUTSIDE_POLL }>(), ["callback.5"];
    looks_before_unmasking: rearm::<pull::LooksBeforeUnmasking>(), ["rearm.1"];
    sleeps_after_a_look: sleeping::<pull::LooksBeforeUnmasking>(), ["async.5"];
    looks_not_at_all: rearm::<pull::LooksNotAtAll>(), ["rearm.1", "rearm.2"];
    disarms_nothing: rearm::<pull::DisarmsNothing>(), ["rearm.3"];
    rings_for_everything: rearm::<pull::RingsForEverything>(), ["rearm.4"];
    keeps_the_link_up_when_stopped: control::<pull::KeepsTheLinkUpWhenStopped>(), ["control.1"];
    stops_without_counting: control::<pull::StopsWithoutCounting>(), ["control.2"];
    filters_nothing: control::<pull::FiltersNothing>(), ["control.3"];
    forgets_the_filter: control::<pull::ForgetsTheFilter>(), ["control.4"];
    recovers_nothing: control::<pull::RecoversNothing>(), ["control.5"];
    ready_takes_the_frame: awaiting::<{ asynch::READY_TAKES_THE_FRAME }>(), ["async.1"];
    // A frame that was received for a future which was dropped is lost.
    receives_eagerly: awaiting::<{ asynch::RECEIVES_EAGERLY }>(), ["async.2", "async.3"];
    recv_loses_when_dropped: awaiting::<{ asynch::RECV_LOSES_WHEN_DROPPED }>(), ["async.3"];
    sends_halves: awaiting::<{ asynch::SENDS_HALVES }>(), ["async.4"];
    never_woken: awaiting::<{ asynch::NEVER_WOKEN }>(), ["async.5"];
    ready_for_nothing: awaiting::<{ asynch::READY_FOR_NOTHING }>(), ["async.5"];
}

/// A check that nothing fails is no check.
#[test]
fn every_line_is_broken_by_a_defect() {
    let broken = BTreeSet::from_iter(BROKEN.iter().copied());
    let lines = line::ALL.iter().map(|line| line.id).collect();
    assert_eq!(broken, lines);
}

/// What the defects are built on has none, and lacks nothing that a check asks for but a way to sleep.
#[test]
fn the_correct_devices_pass_everything() {
    let reports = [
        suite::<Rig<Correct>>()
            .pull()
            .layers()
            .control()
            .control_layers()
            .rearm()
            .rearm_layers()
            .run(),
        lending::<{ lend::CORRECT }>(""),
        calling::<{ callback::CORRECT }>(),
        suite::<asynch::AsyncRig<{ asynch::CORRECT }>>()
            .awaited_own()
            .control_awaited()
            .run(),
    ];
    for report in reports {
        assert!(report.passed(), "{report}");
        for skip in report.skips() {
            assert!(
                skip.check == "asleep_is_silent"
                    || skip.check == "answers_without_room" && skip.surface == "callback_own",
                "{skip}"
            );
        }
    }
}
