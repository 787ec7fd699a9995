//! Management: start and stop, address and filter, sleep, recovery.

use ethdev::{Control, ControlError, ErrorKind, FilterOutcome, MacAddress, Multicast, RxFilter};

use super::bench::{Bench, Stop, Verdict, ensure};
use super::checks_tx::illegal_lengths;
use super::line::{self, Line};

const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0, 0, 0x42]);
const OTHER_GROUP: MacAddress = MacAddress::new([0x33, 0x33, 0, 0x11, 0x22, 0x33]);
const OTHER_STATION: MacAddress = MacAddress::new([0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]);
const NEW_ADDRESS: MacAddress = MacAddress::new([0x02, 0x12, 0x34, 0x56, 0x78, 0x9a]);

type Answer<T> = Result<T, ControlError<ErrorKind>>;

/// Calls a method of [`Control`]. One that the device lacks skips the check.
fn call<T>(
    bench: &mut Bench<'_>,
    what: &str,
    f: impl FnOnce(&mut (dyn Control<Error = ErrorKind> + '_)) -> Answer<T>,
) -> Verdict<T> {
    match ask(bench, f)? {
        Ok(value) => Ok(value),
        Err(ControlError::Unsupported) => Err(Stop::Skip(format!("the device has no `{what}`"))),
        Err(e) => bench.fail(format!("{what}: {e:?}")),
    }
}

fn ask<T>(
    bench: &mut Bench<'_>,
    f: impl FnOnce(&mut (dyn Control<Error = ErrorKind> + '_)) -> Answer<T>,
) -> Verdict<Answer<T>> {
    match bench.dev.control() {
        Some(mut control) => Ok(f(&mut *control)),
        None => Err(Stop::Skip("the surface has no management".into())),
    }
}

/// The row "stopped, asleep" of the table of edges.
fn silent(bench: &mut Bench<'_>, state: &str) -> Verdict {
    ensure!(!bench.dev.link().is_up(), bench.line, "{state}, and the link is up");
    // Nobody listens: this is not in the books.
    let unheard = bench.peer_frame(200);
    bench.far().peer_send(&unheard);
    bench.pass(1);
    for len in [2048, 0] {
        let result = bench.dev.recv_frame(&mut vec![0; len]);
        ensure!(
            result == Ok(None),
            bench.line,
            "{state}, recv_frame into {len} bytes is {result:?} instead of Ok(None)"
        );
    }
    let result = bench.dev.discard_frame();
    ensure!(result == Ok(false), bench.line, "{state}, discard_frame is {result:?}");
    let result = bench.try_send(100);
    ensure!(
        result == Err(ErrorKind::Stopped),
        bench.line,
        "{state}, send is {result:?} instead of Stopped"
    );
    let result = bench.dev.tx_ready();
    ensure!(result == Ok(false), bench.line, "{state}, tx_ready is {result:?}");
    let events = bench.service()?;
    ensure!(
        !events.rx_pending && !events.tx_ready,
        bench.line,
        "{state}, and service says {events:?}"
    );
    illegal_lengths(bench, state)
}

pub(super) fn stopped_is_silent(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for _ in 0..2 {
        call(bench, "stop", |c| c.stop())?;
        silent(bench, "stopped")?;
        call(bench, "stop", |c| c.stop())?;
        silent(bench, "stopped twice")?;
        call(bench, "start", |c| c.start())?;
        call(bench, "start", |c| c.start())?;
        bench.wait_link(true)?;
        bench.receive_nothing()?;
        bench.warm_up()?;
    }
    bench.audit()
}

pub(super) fn asleep_is_silent(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for _ in 0..2 {
        call(bench, "sleep", |c| c.sleep())?;
        silent(bench, "asleep")?;
        call(bench, "wake", |c| c.wake())?;
        bench.wait_link(true)?;
        bench.receive_nothing()?;
        bench.warm_up()?;
    }
    bench.audit()
}

pub(super) fn a_stop_counts_what_it_loses(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.allow_tx_gaps();
    let burst = bench.rx_burst().min(4);
    for sleep in [false, true] {
        let before = bench.stats();
        for _ in 0..burst {
            bench.peer_delivers(200);
        }
        bench.lend_next()?;
        let stalled = bench.far().stall_tx(true).is_ok();
        let mut queued = 0;
        while stalled && queued < 3 && bench.try_send(300).is_ok() {
            queued += 1;
        }
        let result = ask(bench, |c| if sleep { c.sleep() } else { c.stop() })?;
        if sleep && result == Err(ControlError::Unsupported) {
            if stalled {
                bench.far().stall_tx(false)?;
            }
            break;
        }
        call(bench, if sleep { "sleep" } else { "stop" }, |_| result)?;
        bench.receive_nothing()?;
        let result = ask(bench, |c| if sleep { c.wake() } else { c.start() })?;
        bench.ok("start after stop", result.map_err(|e| ethdev::Error::kind(&e)))?;
        if stalled {
            bench.far().stall_tx(false)?;
        }
        bench.wait_link(true)?;
        bench.receive_nothing()?;
        bench.peer_receives_all()?;
        let lost = bench.stats().delta_since(&before);
        ensure!(
            lost.rx_reset as usize == burst,
            bench.line,
            "{burst} frames were pending at the stop, rx_reset grew by {}",
            lost.rx_reset
        );
        ensure!(
            (lost.tx_frames + lost.tx_lost()) as usize == queued,
            bench.line,
            "{queued} frames were queued at the stop: {} sent, {} counted as lost",
            lost.tx_frames,
            lost.tx_lost()
        );
        for _ in 0..burst {
            bench.give_up_next();
        }
        bench.warm_up()?;
    }
    bench.audit()
}

/// Sends a frame to this address and looks whether it is delivered.
fn passes(bench: &mut Bench<'_>, to: MacAddress) -> Verdict<bool> {
    let mut frame = bench.peer_frame(120);
    frame[..6].copy_from_slice(&to.octets());
    bench.far().peer_send(&frame);
    bench.peer_sent(frame);
    bench.pass(1);
    bench.service()?;
    let delivered = bench.receive_if_any()?;
    if !delivered {
        bench.give_up_next();
    }
    Ok(delivered)
}

/// Compares what is received with what a perfect filter of this setting passes.
fn filters(bench: &mut Bench<'_>, line: Line, filter: RxFilter<'_>, outcome: FilterOutcome, when: &str) -> Verdict {
    let own = bench.dev.mac_address();
    for to in [
        own,
        MacAddress::BROADCAST,
        GROUP,
        OTHER_GROUP,
        OTHER_STATION,
        own,
        MacAddress::new([0x01, 0x80, 0xc2, 0, 0, 0x0e]),
    ] {
        let wanted = filter.passes(to, own);
        let delivered = passes(bench, to)?;
        ensure!(
            delivered || !wanted,
            line,
            "{when}, a frame to {to} is not received with {filter:?}"
        );
        ensure!(
            wanted || !delivered || outcome == FilterOutcome::Superset,
            line,
            "{when}, a frame to {to} is received with {filter:?}, which was said to be exact"
        );
    }
    Ok(())
}

pub(super) fn the_filter_filters(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let groups = [GROUP];
    let both = [GROUP, OTHER_GROUP];
    for filter in [
        RxFilter::DEFAULT,
        RxFilter::DEFAULT.with_broadcast(false),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&groups)),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&both)),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&[])),
        RxFilter::DEFAULT.with_multicast(Multicast::All),
        RxFilter::DEFAULT.with_broadcast(false).with_multicast(Multicast::All),
        RxFilter::PROMISCUOUS,
        RxFilter::DEFAULT,
    ] {
        let outcome = call(bench, "set_rx_filter", |c| c.set_rx_filter(filter))?;
        filters(bench, line::CONTROL_3, filter, outcome, "filter set")?;
    }
    bench.audit()
}

pub(super) fn the_address_is_received_on(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let old = bench.dev.mac_address();
    for bad in [MacAddress::UNSPECIFIED, MacAddress::BROADCAST, GROUP] {
        let result = ask(bench, |c| c.set_mac_address(bad))?;
        match result {
            Err(ControlError::InvalidInput) => {}
            Err(ControlError::Unsupported) => return Err(Stop::Skip("the device has no `set_mac_address`".into())),
            other => return bench.fail(format!("{bad} as own address: {other:?} instead of InvalidInput")),
        }
        ensure!(
            bench.dev.mac_address() == old,
            bench.line,
            "an address that was refused is taken"
        );
    }
    let outcome = match ask(bench, |c| c.set_rx_filter(RxFilter::DEFAULT))? {
        Ok(outcome) => outcome,
        Err(_) => FilterOutcome::Superset,
    };
    for address in [NEW_ADDRESS, old] {
        call(bench, "set_mac_address", |c| c.set_mac_address(address))?;
        ensure!(
            bench.dev.mac_address() == address,
            bench.line,
            "mac_address() is {} after {address} was set",
            bench.dev.mac_address()
        );
        filters(bench, line::CONTROL_3, RxFilter::DEFAULT, outcome, "address set")?;
        let former = if address == old { NEW_ADDRESS } else { old };
        ensure!(
            !passes(bench, former)? || outcome == FilterOutcome::Superset,
            bench.line,
            "a frame to the former address is received"
        );
    }
    bench.audit()
}

pub(super) fn settings_survive(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let groups = [GROUP];
    let listed = RxFilter::DEFAULT
        .with_broadcast(false)
        .with_multicast(Multicast::List(&groups));
    let outcome = call(bench, "set_rx_filter", |c| c.set_rx_filter(listed))?;
    let address = match ask(bench, |c| c.set_mac_address(NEW_ADDRESS))? {
        Ok(()) => NEW_ADDRESS,
        Err(_) => bench.dev.mac_address(),
    };
    filters(bench, line::CONTROL_3, listed, outcome, "filter set")?;
    let mut survived = 0;
    for what in ["stop and start", "sleep and wake", "recover"] {
        let result = ask(bench, |c| match what {
            "stop and start" => c.stop().and_then(|()| c.start()),
            "sleep and wake" => c.sleep().and_then(|()| c.wake()),
            _ => c.recover(),
        })?;
        match result {
            Ok(()) => {}
            Err(ControlError::Unsupported) => continue,
            Err(e) => return bench.fail(format!("{what}: {e:?}")),
        }
        bench.wait_link(true)?;
        ensure!(
            bench.dev.mac_address() == address,
            bench.line,
            "the address is {} after {what}",
            bench.dev.mac_address()
        );
        filters(bench, bench.line, listed, outcome, &format!("after {what}"))?;
        survived += 1;
    }
    if survived == 0 {
        return Err(Stop::Skip("the device has neither stop, sleep nor recover".into()));
    }
    bench.audit()
}

pub(super) fn recover_recovers(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let before = bench.stats();
    let burst = bench.rx_burst().min(3);
    for _ in 0..burst {
        bench.peer_delivers(200);
    }
    call(bench, "recover", |c| c.recover())?;
    bench.wait_link(true)?;
    bench.drain_with_gaps()?;
    let after = bench.stats();
    ensure!(
        after.rx_frames >= before.rx_frames && after.tx_frames >= before.tx_frames,
        line::DEVICE_9,
        "the counters did not survive recover"
    );
    ensure!(
        after.recoveries > before.recoveries,
        bench.line,
        "a recovery is not counted in recoveries"
    );
    bench.warm_up()?;
    bench.audit()
}

pub(super) fn recover_ends_a_fault(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let faults = bench.stats().faults;
    for _ in 0..3 {
        bench.peer_delivers(200);
        bench.far().inject_fault()?;
        let noticed = [
            bench.dev.recv_frame(&mut vec![0; 2048]).map(|_| ()),
            bench.dev.service().map(|_| ()),
        ];
        // A device that got over it by itself has counted that; whatever was delivered meanwhile is not looked at.
        if noticed.iter().any(Result::is_ok) {
            return Err(Stop::Skip("the device gets over the injected fault by itself".into()));
        }
        call(bench, "recover", |c| c.recover())?;
        bench.wait_link(true)?;
        bench.drain_with_gaps()?;
        bench.warm_up()?;
    }
    ensure!(
        bench.stats().faults > faults,
        line::DEVICE_10,
        "faults were reported and not counted"
    );
    bench.audit()
}
