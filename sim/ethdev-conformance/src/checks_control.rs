//! Management: start and stop, address and filter, sleep, recovery.

use ethdev::{Control, Counted, ErrorKind, FilterOutcome, LossReason, MacAddress, Multicast, RxFilter};

use super::checks_tx::illegal_lengths;
use super::control_call::NEW_ADDRESS;
use super::outcome::{CheckError, CheckResult, ensure};
use super::requirement::{self, Requirement};
use super::testbed::Testbed;

const GROUP: MacAddress = MacAddress::new([0x01, 0x00, 0x5e, 0, 0, 0x42]);
const OTHER_GROUP: MacAddress = MacAddress::new([0x33, 0x33, 0, 0x11, 0x22, 0x33]);
const OTHER_STATION: MacAddress = MacAddress::new([0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee]);

type Answer<T> = Result<T, ErrorKind>;

/// Calls a method of [`Control`]. One that the device lacks skips the check.
fn call<T>(
    testbed: &mut Testbed<'_>,
    what: &str,
    f: impl FnOnce(&mut (dyn Control<Error = ErrorKind> + '_)) -> Answer<T>,
) -> CheckResult<T> {
    match ask(testbed, f)? {
        Ok(value) => Ok(value),
        Err(ErrorKind::Unsupported) => Err(CheckError::Skip(format!("the device has no `{what}`"))),
        Err(e) => testbed.fail(format!("{what}: {e:?}")),
    }
}

pub(super) fn ask<T>(
    testbed: &mut Testbed<'_>,
    f: impl FnOnce(&mut (dyn Control<Error = ErrorKind> + '_)) -> Answer<T>,
) -> CheckResult<Answer<T>> {
    match testbed.dev.control() {
        Some(mut control) => Ok(f(&mut *control)),
        None => Err(CheckError::Skip("the API has no management".into())),
    }
}

/// The row "stopped, asleep" of the edge cases.
pub(super) fn check_no_traffic(testbed: &mut Testbed<'_>, state: &str) -> CheckResult {
    ensure!(
        !testbed.dev.link().is_up(),
        testbed.requirement,
        "{state}: expected link down, found up"
    );
    // The device does not receive: this frame is not accounted for.
    let unheard = testbed.peer_frame(200);
    testbed.peer().peer_send(&unheard);
    testbed.advance_frames(1);
    for len in [2048, 0] {
        let result = testbed.dev.recv_frame(&mut vec![0; len]);
        ensure!(
            result == Ok(None),
            testbed.requirement,
            "{state}, recv_frame into {len} bytes is {result:?} instead of Ok(None)"
        );
    }
    let result = testbed.dev.discard_frame();
    ensure!(
        result == Ok(false),
        testbed.requirement,
        "{state}, discard_frame is {result:?}"
    );
    let result = testbed.try_send(100);
    ensure!(
        result == Err(ErrorKind::Stopped),
        testbed.requirement,
        "{state}, send is {result:?} instead of Stopped"
    );
    let result = testbed.dev.tx_ready();
    ensure!(
        result == Ok(false),
        testbed.requirement,
        "{state}, tx_ready is {result:?}"
    );
    let events = testbed.service()?;
    ensure!(
        !events.rx_pending && !events.tx_ready,
        testbed.requirement,
        "{state}: expected neither rx_pending nor tx_ready, service reports {events:?}"
    );
    illegal_lengths(testbed, state)
}

pub(super) fn stop_running_no_traffic(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for _ in 0..2 {
        call(testbed, "stop", |c| c.stop())?;
        check_no_traffic(testbed, "stopped")?;
        call(testbed, "stop", |c| c.stop())?;
        check_no_traffic(testbed, "stopped twice")?;
        call(testbed, "start", |c| c.start())?;
        call(testbed, "start", |c| c.start())?;
        testbed.wait_link(true)?;
        testbed.receive_nothing()?;
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}

pub(super) fn sleep_running_no_traffic(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for _ in 0..2 {
        call(testbed, "sleep", |c| c.sleep())?;
        check_no_traffic(testbed, "asleep")?;
        call(testbed, "wake", |c| c.wake())?;
        testbed.wait_link(true)?;
        testbed.receive_nothing()?;
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}

pub(super) fn stop_frames_pending_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.allow_tx_gaps();
    testbed.provoke_rx(&[LossReason::RxReset]);
    let coverage = testbed.caps.coverage;
    let exact = |reason| coverage.of(reason) == Counted::Exactly;
    let burst = testbed.rx_burst().min(4);
    for sleep in [false, true] {
        let before = testbed.stats();
        for _ in 0..burst {
            testbed.peer_delivers(200);
        }
        testbed.lend_next()?;
        let stalled = testbed.peer().stall_tx(true).is_ok();
        let mut queued = 0;
        while stalled && queued < 3 && testbed.try_send(300).is_ok() {
            queued += 1;
        }
        let result = ask(testbed, |c| if sleep { c.sleep() } else { c.stop() })?;
        if sleep && result == Err(ErrorKind::Unsupported) {
            if stalled {
                testbed.peer().stall_tx(false)?;
            }
            break;
        }
        call(testbed, if sleep { "sleep" } else { "stop" }, |_| result)?;
        testbed.receive_nothing()?;
        let result = ask(testbed, |c| if sleep { c.wake() } else { c.start() })?;
        testbed.ok("start after stop", result)?;
        if stalled {
            testbed.peer().stall_tx(false)?;
        }
        testbed.wait_link(true)?;
        testbed.receive_nothing()?;
        testbed.peer_receives_all()?;
        let lost = testbed.stats().delta_since(&before);
        ensure!(
            lost.rx_reset as usize == burst || !exact(LossReason::RxReset),
            testbed.requirement,
            "{burst} frames were pending at the stop, rx_reset grew by {}",
            lost.rx_reset
        );
        ensure!(
            (lost.tx_frames + lost.tx_lost()) as usize == queued
                || !exact(LossReason::TxReset)
                || !exact(LossReason::TxAborted),
            testbed.requirement,
            "{queued} frames were queued at the stop: {} sent, {} counted as lost",
            lost.tx_frames,
            lost.tx_lost()
        );
        for _ in 0..burst {
            testbed.drop_expected();
        }
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}

/// Sends a frame to this address. Returns whether it is delivered.
fn passes(testbed: &mut Testbed<'_>, to: MacAddress) -> CheckResult<bool> {
    let mut frame = testbed.peer_frame(120);
    frame[..6].copy_from_slice(&to.octets());
    testbed.peer().peer_send(&frame);
    testbed.peer_sent(frame);
    testbed.advance_frames(1);
    testbed.service()?;
    let delivered = testbed.receive_if_any()?;
    if !delivered {
        testbed.provoke_rx(&[LossReason::RxFiltered]);
        testbed.drop_expected();
    }
    Ok(delivered)
}

/// Compares the received frames with those that an exact filter of this setting passes.
pub(super) fn filters(
    testbed: &mut Testbed<'_>,
    requirement: Requirement,
    filter: RxFilter<'_>,
    outcome: FilterOutcome,
    when: &str,
) -> CheckResult {
    let own = testbed.dev.mac_address();
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
        let delivered = passes(testbed, to)?;
        ensure!(
            delivered || !wanted,
            requirement,
            "{when}, {filter:?}: expected a frame to {to} to be delivered, it was not"
        );
        ensure!(
            wanted || !delivered || outcome == FilterOutcome::Superset,
            requirement,
            "{when}, {filter:?} is exact: expected a frame to {to} to be dropped, it was delivered"
        );
    }
    Ok(())
}

pub(super) fn set_rx_filter_any_filter_applied(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let groups = [GROUP];
    let both = [GROUP, OTHER_GROUP];
    let mut former = (RxFilter::DEFAULT, FilterOutcome::Superset);
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
        let outcome = if filter == RxFilter::DEFAULT {
            call(testbed, "set_rx_filter", |c| c.set_rx_filter(filter))?
        } else {
            match ask(testbed, |c| c.set_rx_filter(filter))? {
                Ok(outcome) => outcome,
                // The device has no such mode: the filter before it stays.
                Err(ErrorKind::Unsupported) => {
                    filters(testbed, requirement::CONTROL_3, former.0, former.1, "filter refused")?;
                    continue;
                }
                Err(e) => return testbed.fail(format!("set_rx_filter({filter:?}): {e:?}")),
            }
        };
        filters(testbed, requirement::CONTROL_3, filter, outcome, "filter set")?;
        former = (filter, outcome);
    }
    testbed.check_accounting()
}

pub(super) fn set_mac_address_new_address_received(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let old = testbed.dev.mac_address();
    for bad in [MacAddress::UNSPECIFIED, MacAddress::BROADCAST, GROUP] {
        let result = ask(testbed, |c| c.set_mac_address(bad))?;
        match result {
            Err(ErrorKind::InvalidInput) => {}
            Err(ErrorKind::Unsupported) => return Err(CheckError::Skip("the device has no `set_mac_address`".into())),
            other => return testbed.fail(format!("{bad} as own address: {other:?} instead of InvalidInput")),
        }
        ensure!(
            testbed.dev.mac_address() == old,
            testbed.requirement,
            "an address that was refused is taken"
        );
    }
    let outcome = match ask(testbed, |c| c.set_rx_filter(RxFilter::DEFAULT))? {
        Ok(outcome) => outcome,
        Err(_) => FilterOutcome::Superset,
    };
    for address in [NEW_ADDRESS, old] {
        call(testbed, "set_mac_address", |c| c.set_mac_address(address))?;
        ensure!(
            testbed.dev.mac_address() == address,
            testbed.requirement,
            "mac_address() is {} after {address} was set",
            testbed.dev.mac_address()
        );
        filters(
            testbed,
            requirement::CONTROL_3,
            RxFilter::DEFAULT,
            outcome,
            "address set",
        )?;
        let former = if address == old { NEW_ADDRESS } else { old };
        ensure!(
            !passes(testbed, former)? || outcome == FilterOutcome::Superset,
            testbed.requirement,
            "a frame to the former address is received"
        );
    }
    testbed.check_accounting()
}

pub(super) fn settings_after_restart_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let groups = [GROUP];
    let listed = RxFilter::DEFAULT
        .with_broadcast(false)
        .with_multicast(Multicast::List(&groups));
    let outcome = call(testbed, "set_rx_filter", |c| c.set_rx_filter(listed))?;
    let address = match ask(testbed, |c| c.set_mac_address(NEW_ADDRESS))? {
        Ok(()) => NEW_ADDRESS,
        Err(_) => testbed.dev.mac_address(),
    };
    filters(testbed, requirement::CONTROL_3, listed, outcome, "filter set")?;
    let mut survived = 0;
    for what in ["stop and start", "sleep and wake", "recover"] {
        let result = ask(testbed, |c| match what {
            "stop and start" => c.stop().and_then(|()| c.start()),
            "sleep and wake" => c.sleep().and_then(|()| c.wake()),
            _ => c.recover(),
        })?;
        match result {
            Ok(()) => {}
            Err(ErrorKind::Unsupported) => continue,
            Err(e) => return testbed.fail(format!("{what}: {e:?}")),
        }
        testbed.wait_link(true)?;
        ensure!(
            testbed.dev.mac_address() == address,
            testbed.requirement,
            "the address is {} after {what}",
            testbed.dev.mac_address()
        );
        filters(testbed, testbed.requirement, listed, outcome, &format!("after {what}"))?;
        survived += 1;
    }
    if survived == 0 {
        return Err(CheckError::Skip(
            "the device has neither stop, sleep nor recover".into(),
        ));
    }
    testbed.check_accounting()
}

pub(super) fn recover_frames_pending_resumes(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let before = testbed.stats();
    let burst = testbed.rx_burst().min(3);
    for _ in 0..burst {
        testbed.peer_delivers(200);
    }
    testbed.provoke_rx(&[LossReason::RxReset]);
    call(testbed, "recover", |c| c.recover())?;
    testbed.wait_link(true)?;
    testbed.drain_with_gaps()?;
    let after = testbed.stats();
    ensure!(
        after.rx_frames >= before.rx_frames && after.tx_frames >= before.tx_frames,
        requirement::DEVICE_9,
        "the counters did not survive recover"
    );
    ensure!(
        after.recoveries > before.recoveries,
        testbed.requirement,
        "a recovery is not counted in recoveries"
    );
    testbed.warm_up()?;
    testbed.check_accounting()
}

pub(super) fn recover_after_fault_resumes(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for _ in 0..3 {
        testbed.peer_delivers(200);
        testbed.allow_rx_gaps(LossReason::RxReset);
        testbed.provoke_rx(&[LossReason::RxError]);
        let before = testbed.stats();
        testbed.peer().inject_fault()?;
        notice_fault(testbed)?;
        let noticed = testbed.stats().delta_since(&before);
        ensure!(
            noticed.faults > 0 || noticed.recoveries > 0,
            requirement::DEVICE_10,
            "chip fault: expected faults or recoveries to grow, neither did"
        );
        call(testbed, "recover", |c| c.recover())?;
        ensure!(
            testbed.stats().delta_since(&before).recoveries > noticed.recoveries,
            testbed.requirement,
            "recover returned Ok: expected recoveries to grow by 1, it did not"
        );
        testbed.wait_link(true)?;
        testbed.drain_with_gaps()?;
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}

/// Calls the device until it returns an error or has recovered by itself.
pub(super) fn notice_fault(testbed: &mut Testbed<'_>) -> CheckResult {
    let before = testbed.stats().recoveries;
    for _ in 0..8 {
        let received = testbed.try_receive()?.map(|_| ());
        for result in [received, testbed.dev.service().map(|_| ())] {
            match result {
                Err(e) if e.is_transient() || e.is_rejection() => {
                    return testbed.fail(format!("chip fault: expected a device error, found {e:?}"));
                }
                Err(_) => return Ok(()),
                Ok(()) if testbed.stats().recoveries > before => return Ok(()),
                Ok(()) => {}
            }
        }
        testbed.advance_frames(1);
    }
    testbed.fail("chip fault: expected an error or a recovery, found neither")
}
