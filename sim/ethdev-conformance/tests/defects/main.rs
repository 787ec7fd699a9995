//! Tests of the suite: each defective device fails the checks of the requirement that it violates,
//! and no others.

mod accounting;
mod asynch;
mod broken;
mod by_name;
mod callback;
mod error;
mod filters;
mod frames;
mod lend;
mod lifecycle;
mod mem;
mod poll_ready;
mod pull;
mod wakeups;

use std::collections::BTreeSet;
use std::time::Duration;

use broken::{Correct, Defect, DefectFixture};
use ethdev_conformance::{Fixture, Report, Suite, requirement};

fn suite<F: Fixture>() -> Suite<F> {
    Suite::new()
}

fn pull<X: Defect>() -> Report {
    suite::<DefectFixture<X>>().pull().run()
}

/// Runs the checks of device.8 only: each hanging check takes as long as the watchdog.
fn hanging<X: Defect>() -> Report {
    let watchdog = Duration::from_secs(5);
    suite::<DefectFixture<X>>()
        .pull()
        .only("device.8")
        .with_watchdog(watchdog)
        .run()
}

fn rearm<X: Defect>() -> Report {
    suite::<DefectFixture<X>>().rearm().run()
}

/// An executor that sleeps on the interrupt.
fn sleeping<X: Defect>() -> Report {
    suite::<DefectFixture<X>>().rearm_layers().only("async").run()
}

fn control<X: Defect>() -> Report {
    suite::<DefectFixture<X>>().control().run()
}

/// A device with defective halves fails most checks: only those of the requirement run.
fn lending<const DEFECT: u8>(lines: &'static str) -> Report {
    suite::<lend::LendFixture<DEFECT>>().lending().only(lines).run()
}

fn calling<const DEFECT: u8>() -> Report {
    suite::<callback::CallFixture<DEFECT>>().callback_own().run()
}

fn awaiting<const DEFECT: u8>() -> Report {
    suite::<asynch::AsyncFixture<DEFECT>>().asynch().run()
}

fn waking<const DEFECT: u8>() -> Report {
    suite::<poll_ready::WakingFixture<DEFECT>>().poll_ready().run()
}

/// One test for each defect: name, run, violated requirements.
macro_rules! defects {
    ($($name:ident: $run:expr, [$($line:literal),+];)*) => {
        $(
            #[test]
            fn $name() {
                let report: Report = $run;
                let expected = BTreeSet::from([$($line),+]);
                assert_eq!(report.failed_requirements(), expected, "{report}");
            }
        )*

        const BROKEN: &[&str] = &[$($($line),+),*];
    };
}

defects! {
    waits_for_a_frame: pull::<pull::WaitsForAFrame>(), ["device.1"];
    duplicates: pull::<pull::Duplicates>(), ["device.2", "device.9"];
    reorders: pull::<pull::Reorders>(), ["device.2"];
    keeps_the_fcs: pull::<pull::KeepsTheFcs>(), ["device.2"];
    corrupts_a_byte: pull::<pull::CorruptsAByte>(), ["device.2"];
    sends_twice: pull::<pull::SendsTwice>(), ["device.2"];
    loses_on_a_short_buffer: pull::<pull::LosesOnAShortBuffer>(), ["device.3"];
    // An accepted frame that is dropped violates both.
    drops_instead_of_busy: pull::<pull::DropsInsteadOfBusy>(), ["device.2", "device.4"];
    always_ready: pull::<pull::AlwaysReady>(), ["device.4"];
    needs_tx_capacity_to_receive: pull::<pull::NeedsTxCapacityToReceive>(), ["device.5"];
    needs_rx_capacity_to_send: pull::<pull::NeedsRxCapacityToSend>(), ["device.5"];
    accepts_less_than_a_header: pull::<pull::AcceptsLessThanAHeader>(), ["device.6"];
    pads_with_garbage: pull::<pull::PadsWithGarbage>(), ["device.6"];
    truncates_overlong: pull::<pull::TruncatesOverlong>(), ["device.6"];
    reads_the_bus_for_the_link: pull::<pull::ReadsTheBusForTheLink>(), ["device.7"];
    // The caller sees the change before service reports it.
    caches_no_link: pull::<pull::CachesNoLink>(), ["device.7", "events"];
    // What was queued is sent late.
    sends_with_the_link_down: pull::<pull::SendsWithTheLinkDown>(), ["device.2", "device.7"];
    panics_on_a_bad_length: pull::<pull::PanicsOnABadLength>(), ["device.8"];
    hangs_on_a_bad_length: hanging::<pull::HangsOnABadLength>(), ["device.8"];
    stops_receiving_after_overrun: pull::<pull::StopsReceivingAfterOverrun>(), ["device.8"];
    forgets_overruns: pull::<pull::ForgetsOverruns>(), ["device.9"];
    forgets_overruns_declares_others: pull::<pull::ForgetsOverrunsDeclaresOthers>(), ["device.9"];
    counts_twice: pull::<pull::CountsTwice>(), ["device.9"];
    swallows_errors: pull::<pull::SwallowsErrors>(), ["device.10"];
    error_kind_is_lost: suite::<error::LossyErrorDevice>().pull().run(), ["error"];
    reports_ip_mtu: pull::<pull::ReportsIpMtu>(), ["capabilities"];
    reports_longer_queue: pull::<pull::ReportsLongerQueue>(), ["capabilities"];
    reports_nothing_pending: pull::<pull::ReportsNothingPending>(), ["events"];
    reports_loss_repeatedly: pull::<pull::ReportsLossRepeatedly>(), ["events"];
    releases_on_drop: lending::<{ lend::RELEASES_ON_DROP }>("lending"), ["lending.1"];
    pulls_beside_the_halves: lending::<{ lend::PULLS_BESIDE_THE_HALVES }>("lending"), ["lending.2"];
    leaks_reservations: lending::<{ lend::LEAKS_RESERVATIONS }>("lending"), ["lending.3"];
    commits_anything: lending::<{ lend::COMMITS_ANYTHING }>("lending"), ["lending.4"];
    calls_twice: calling::<{ callback::CALLS_TWICE }>(), ["callback.1", "device.2"];
    clears_late: calling::<{ callback::CLEARS_LATE }>(), ["callback.2"];
    // It also delivers where the checks poll for events only.
    ignores_the_budget: calling::<{ callback::IGNORES_THE_BUDGET }>(), ["callback.3", "callback.5"];
    never_more: calling::<{ callback::NEVER_MORE }>(), ["callback.3"];
    drops_without_handler: calling::<{ callback::DROPS_WITHOUT_HANDLER }>(), ["callback.4"];
    calls_outside_poll: calling::<{ callback::CALLS_OUTSIDE_POLL }>(), ["callback.5"];
    checks_before_unmasking: rearm::<pull::ChecksBeforeUnmasking>(), ["rearm.1"];
    ready_checks_before_unmasking: sleeping::<pull::ChecksBeforeUnmasking>(), ["async.5"];
    checks_nothing_in_rearm: rearm::<pull::ChecksNothingInRearm>(), ["rearm.1", "rearm.2"];
    disarms_nothing: rearm::<pull::DisarmsNothing>(), ["rearm.3"];
    unmasks_everything: rearm::<pull::UnmasksEverything>(), ["rearm.4"];
    keeps_the_link_up_when_stopped: control::<pull::KeepsTheLinkUpWhenStopped>(), ["control.1", "control.4", "control.6"];
    stops_without_counting: control::<pull::StopsWithoutCounting>(), ["control.2"];
    filters_nothing: control::<pull::FiltersNothing>(), ["control.3", "control.4", "control.6"];
    forgets_the_filter: control::<pull::ForgetsTheFilter>(), ["control.4"];
    recovers_nothing: control::<pull::RecoversNothing>(), ["control.4", "control.5", "device.10"];
    ready_takes_the_frame: awaiting::<{ asynch::READY_TAKES_THE_FRAME }>(), ["async.1"];
    // A frame that was received for a future which was dropped is lost.
    receives_eagerly: awaiting::<{ asynch::RECEIVES_EAGERLY }>(), ["async.2", "async.3"];
    recv_loses_when_dropped: awaiting::<{ asynch::RECV_LOSES_WHEN_DROPPED }>(), ["async.3"];
    sends_halves: awaiting::<{ asynch::SENDS_HALVES }>(), ["async.4"];
    never_woken: awaiting::<{ asynch::NEVER_WOKEN }>(), ["async.5"];
    checks_every_poll: waking::<{ poll_ready::CHECKS_EVERY_POLL }>(), ["poll_ready"];
    // A later wait for the link is not woken either.
    keeps_first_waker: waking::<{ poll_ready::KEEPS_FIRST_WAKER }>(), ["async.5", "poll_ready"];
    confirms_one_too_many: pull::<accounting::ConfirmsOneTooMany>(), ["events"];
    reports_no_failures: pull::<accounting::ReportsNoFailures>(), ["events"];
    reports_no_losses: pull::<accounting::ReportsNoLosses>(), ["events"];
    forgets_link_changes_of_traffic: pull::<accounting::ForgetsLinkChangesOfTraffic>(), ["events"];
    counts_overruns_as_errors: pull::<accounting::CountsOverrunsAsErrors>(), ["device.9"];
    forgets_runts_declares_bad_fcs: pull::<accounting::ForgetsRuntsDeclaresBadFcs>(), ["device.9"];
    counts_padding: pull::<accounting::CountsPadding>(), ["device.9"];
    counts_bytes_of_lost_frames: pull::<accounting::CountsBytesOfLostFrames>(), ["device.9"];
    counts_link_changes_twice: pull::<accounting::CountsLinkChangesTwice>(), ["device.9"];
    counts_faults_per_call: pull::<accounting::CountsFaultsPerCall>(), ["device.9"];
    capabilities_change: pull::<accounting::CapabilitiesChange>(), ["capabilities"];
    reads_the_bus_for_a_lost_link: pull::<accounting::ReadsTheBusForALostLink>(), ["device.7"];
    busy_once_in_a_while: pull::<accounting::BusyOnceInAWhile>(), ["device.4"];
    // The next frame in other checks is not the right one either.
    trims_trailing_zeros: pull::<frames::TrimsTrailingZeros>(), ["device.2", "device.3", "device.8"];
    trims_to_the_type_field: pull::<frames::TrimsToTheTypeField>(), ["device.6"];
    strips_vlan_tag: pull::<frames::StripsVlanTag>(), ["device.2"];
    sends_broadcasts_to_one_station: pull::<frames::SendsBroadcastsToOneStation>(), ["device.2", "device.9"];
    gathers_twelve_parts: pull::<frames::GathersTwelveParts>(), ["device.2"];
    hashes_groups: control::<filters::HashesGroups>(), ["control.3"];
    truncates_the_list: control::<filters::TruncatesTheList>(), ["control.3"];
    stays_promiscuous: control::<filters::StaysPromiscuous>(), ["control.3", "control.4"];
    drops_pending_frames_for_the_filter: control::<filters::DropsPendingFramesForTheFilter>(), ["control.2", "device.9"];
    masks_the_link_for_tx: rearm::<wakeups::MasksTheLinkForTx>(), ["rearm.1"];
    ready_masks_the_link_for_tx: sleeping::<wakeups::MasksTheLinkForTx>(), ["async.5"];
    unmasks_one_source: rearm::<wakeups::UnmasksOneSource>(), ["rearm.1"];
    reads_the_link_when_armed: rearm::<wakeups::ReadsTheLinkWhenArmed>(), ["rearm.1"];
    checks_the_link_before_unmasking: rearm::<wakeups::ChecksTheLinkBeforeUnmasking>(), ["rearm.1"];
    arms_in_fault: rearm::<wakeups::ArmsInFault>(), ["rearm.2"];
    wakes_first_waker: awaiting::<{ asynch::WAKES_FIRST_WAKER }>(), ["async.5"];
    ready_returns_more: awaiting::<{ asynch::READY_RETURNS_MORE }>(), ["async.1", "async.5"];
    ready_takes_link_change: awaiting::<{ asynch::READY_TAKES_LINK_CHANGE }>(), ["async.1"];
    ready_tx_without_link: awaiting::<{ asynch::READY_TX_WITHOUT_LINK }>(), ["async.5"];
    waits_in_fault: awaiting::<{ asynch::WAITS_IN_FAULT }>(), ["async.5"];
    replies_once: calling::<{ callback::REPLIES_ONCE }>(), ["callback.5"];
    replies_of_any_length: calling::<{ callback::REPLIES_OF_ANY_LENGTH }>(), ["callback.5"];
    replies_with_link_down: calling::<{ callback::REPLIES_WITH_LINK_DOWN }>(), ["callback.5"];
    replies_from_other_address: calling::<{ callback::REPLIES_FROM_OTHER_ADDRESS }>(), ["callback.5"];
    delivers_written_frames_again: calling::<{ callback::DELIVERS_WRITTEN_FRAMES_AGAIN }>(), ["callback.1"];
    poll_swallows_errors: calling::<{ callback::SWALLOWS_ERRORS }>(), ["callback.1"];
    poll_swallows_events: calling::<{ callback::SWALLOWS_EVENTS }>(), ["callback.1"];
    pending_ignores_lent_frame: lending::<{ lend::PENDING_IGNORES_LENT_FRAME }>("lending"), ["lending.1"];
    half_always_ready: lending::<{ lend::ALWAYS_READY }>("lending"), ["lending.1"];
    keeps_reservations: lending::<{ lend::KEEPS_RESERVATIONS }>("lending"), ["lending.3"];
    commits_words: lending::<{ lend::COMMITS_WORDS }>("lending"), ["lending.4"];
    releases_on_link_change: lending::<{ lend::RELEASES_ON_LINK_CHANGE }>("lending"), ["lending.1"];
    ready_for_nothing: awaiting::<{ asynch::READY_FOR_NOTHING }>(), ["async.5"];
}

/// Each requirement has a defective device.
#[test]
fn requirements_all_have_defect() {
    let broken = BTreeSet::from_iter(BROKEN.iter().copied());
    let lines = requirement::ALL.iter().map(|line| line.id).collect();
    assert_eq!(broken, lines);
}

/// The base of the defective devices has no defect, and supports every check except those of sleep.
#[test]
fn correct_devices_pass_every_check() {
    let reports = [
        suite::<DefectFixture<Correct>>()
            .pull()
            .layers()
            .control()
            .control_layers()
            .rearm()
            .rearm_layers()
            .run(),
        pull::<pull::ForgetsDeclaredOverruns>(),
        lending::<{ lend::CORRECT }>(""),
        calling::<{ callback::CORRECT }>(),
        waking::<{ poll_ready::CORRECT }>(),
        suite::<asynch::AsyncFixture<{ asynch::CORRECT }>>()
            .asynch()
            .asynch_control()
            .run(),
    ];
    for report in reports {
        assert!(report.passed(), "{report}");
        for skip in report.skips() {
            assert!(
                skip.check == "sleep_running_no_traffic"
                    || skip.check == "transmit_in_handler_queue_full_busy" && skip.api == "callback_own",
                "{skip}"
            );
        }
    }
}
