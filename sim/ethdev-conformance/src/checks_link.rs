//! Link, cached values, events and faults: requirements device.7 and 10, and the edge cases.

use ethdev::{ErrorKind, LossReason};

use super::outcome::{CheckResult, ensure};
use super::requirement;
use super::testbed::Testbed;

pub(super) fn cached_values_read_no_access(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    read_cached_values(testbed, "new device")?;
    testbed.warm_up()?;
    read_cached_values(testbed, "after traffic")?;
    let result = testbed.try_send(300);
    testbed.ok("send_frame", result)?;
    for _ in 0..testbed.rx_burst().min(4) {
        testbed.peer_delivers(200);
    }
    read_cached_values(testbed, "frames pending")?;
    testbed.receive_all()?;
    testbed.peer_receives_all()?;
    if testbed.peer().set_link(false).is_ok() {
        read_cached_values(testbed, "link changed")?;
        testbed.wait_link(false)?;
        read_cached_values(testbed, "link down")?;
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
        read_cached_values(testbed, "link up again")?;
    }
    testbed.check_accounting()
}

fn read_cached_values(testbed: &Testbed<'_>, when: &str) -> CheckResult {
    let before = testbed.peer().accesses()?;
    for _ in 0..100 {
        let dev = &*testbed.dev;
        let _ = (
            dev.mac_address(),
            dev.capabilities(),
            dev.tx_max_frame_len(),
            dev.link(),
            dev.stats(),
        );
    }
    let accesses = testbed.peer().accesses()? - before;
    ensure!(
        accesses == 0,
        testbed.requirement,
        "{when}: 100 rounds of cached values made {accesses} accesses to the chip"
    );
    Ok(())
}

pub(super) fn link_no_service_unchanged(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(false)?;
    for _ in 0..5 {
        testbed.advance_frames(100);
        ensure!(
            testbed.dev.link().is_up(),
            testbed.requirement,
            "link() changed without service, recv_frame or send"
        );
    }
    Ok(())
}

pub(super) fn send_frame_link_down_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    for _ in 0..3 {
        testbed.peer().set_link(false)?;
        testbed.wait_link(false)?;
        for len in [14, 60, 1000] {
            let result = testbed.try_send(len);
            ensure!(
                result == Err(ErrorKind::LinkDown),
                testbed.requirement,
                "link down, a send is {result:?} instead of LinkDown"
            );
        }
        if testbed.dev.features().ready_knows_link {
            let ready = testbed.dev.tx_ready();
            ensure!(
                ready == Ok(false),
                testbed.requirement,
                "link down, tx_ready is {ready:?} instead of Ok(false)"
            );
        }
        let events = testbed.service()?;
        ensure!(
            !events.tx_ready,
            requirement::EVENTS,
            "link down: expected no tx_ready, service reports it"
        );
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
        // The rejected frames must not be sent now.
        testbed.advance_frames(10);
        testbed.peer_receives()?;
        testbed.send(300)?;
        testbed.peer_receives_all()?;
        testbed.peer_delivers(300);
        testbed.receive()?;
    }
    testbed.check_accounting()
}

/// Frames that arrived before the link went down are delivered; then none.
pub(super) fn recv_frame_link_down_pending_frames_delivered(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let burst = testbed.rx_burst().min(4);
    for _ in 0..burst {
        testbed.peer_delivers(200);
    }
    testbed.peer().set_link(false)?;
    testbed.wait_link(false)?;
    for n in 0..burst {
        if !testbed.receive_if_any()? {
            return testbed.fail(format!(
                "{burst} frames had arrived when the link went down, {n} are delivered"
            ));
        }
    }
    testbed.receive_nothing()?;
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    testbed.check_accounting()
}

/// The link is lost with frames in the transmit queue: they are sent or counted.
pub(super) fn stats_link_lost_while_sending_every_frame_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.allow_tx_gaps();
    for _ in 0..3 {
        testbed.fill_tx(600)?;
        testbed.peer().set_link(false)?;
        testbed.wait_link(false)?;
        testbed.peer().stall_tx(false)?;
        for _ in 0..4 {
            testbed.advance_frames(4);
            testbed.service()?;
        }
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
        testbed.peer_receives_all()?;
    }
    testbed.send(500)?;
    testbed.check_accounting()
}

pub(super) fn service_link_changes_reported_once(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let before = testbed.stats().link_changes;
    let mut changes = 0;
    let mut up = true;
    for change in 1..=10 {
        up = !up;
        testbed.peer().set_link(up)?;
        let mut reported = false;
        for _ in 0..1000 {
            let was = testbed.dev.link();
            let events = testbed.service()?;
            let changed = testbed.dev.link() != was;
            ensure!(
                events.link_changed == changed,
                testbed.requirement,
                "expected link_changed = {changed}, service reports {}",
                events.link_changed
            );
            reported |= changed;
            changes += u32::from(changed);
            if testbed.dev.link().is_up() == up {
                break;
            }
            testbed.advance_frames(5);
        }
        ensure!(
            reported,
            testbed.requirement,
            "change {change} of the link is not reported"
        );
    }
    let counted = testbed.stats().link_changes.wrapping_sub(before);
    ensure!(
        counted == changes,
        requirement::DEVICE_9,
        "{changes} changes of the link: expected link_changes to grow by as many, it grew by {counted}"
    );
    testbed.check_accounting()
}

pub(super) fn service_link_change_seen_by_traffic_reported(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    testbed.allow_tx_into_lost_link();
    for up in [false, true, false, true] {
        testbed.peer().set_link(up)?;
        for _ in 0..20 {
            match testbed.try_send(100) {
                Ok(()) | Err(ErrorKind::LinkDown | ErrorKind::Busy) => {}
                Err(e) => return testbed.fail(format!("the link changes: send is {e:?}")),
            }
            testbed.receive_if_any()?;
            if testbed.dev.link().is_up() == up {
                break;
            }
            testbed.advance_frames(5);
            testbed.peer_receives()?;
        }
        let seen = testbed.dev.link().is_up() == up;
        let events = testbed.service()?;
        ensure!(
            events.link_changed || !seen,
            testbed.requirement,
            "send or recv_frame saw that the link is {}: expected link_changed from the next service, found none",
            if up { "up" } else { "down" }
        );
        testbed.wait_link(up)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn service_traffic_events_match_state(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let burst = testbed.rx_burst().min(4);
    let mut completed = 0;
    let start = testbed.stats();
    for _ in 0..10 {
        let events = testbed.service()?;
        completed += usize::from(events.tx_completed);
        ensure!(
            !events.rx_pending,
            testbed.requirement,
            "no frame pending: expected no rx_pending, service reports it"
        );
        ensure!(
            !events.link_changed,
            testbed.requirement,
            "link unchanged: expected no link_changed, service reports it"
        );
        ensure!(
            events.tx_ready,
            testbed.requirement,
            "transmit queue empty: expected tx_ready, service does not report it"
        );
        let result = testbed.try_send(100);
        ensure!(
            result.is_ok(),
            testbed.requirement,
            "after tx_ready: expected send to succeed, found {result:?}"
        );
        for _ in 0..burst {
            testbed.peer_delivers(200);
        }
        for delivered in (1..=burst).rev() {
            for _ in 0..2 {
                let events = testbed.service()?;
                completed += usize::from(events.tx_completed);
                ensure!(
                    events.rx_pending,
                    testbed.requirement,
                    "{delivered} frames pending: expected rx_pending, service does not report it"
                );
            }
            testbed.receive()?;
        }
        testbed.peer_receives_all_counting(&mut completed)?;
    }
    let sent = testbed.stats().delta_since(&start).tx_frames as usize;
    ensure!(
        completed == sent || completed == 0,
        testbed.requirement,
        "{sent} frames were sent, service confirmed {completed}"
    );
    testbed.check_accounting()
}

/// Whether the error reports a failure of the device, not of the caller.
fn is_fault(kind: ErrorKind) -> bool {
    !kind.is_transient() && !kind.is_rejection()
}

pub(super) fn any_call_chip_fault_returns_error(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let start = testbed.stats();
    testbed.peer().inject_fault()?;
    let frame = testbed.own_frame(100);
    for _ in 0..8 {
        testbed.peer_sends(200);
        testbed.advance_frames(1);
        let recv = testbed.dev.recv_frame(&mut vec![0; 2048]).map(|_| ());
        let send = testbed.dev.send_frame(&frame);
        let service = testbed.dev.service();
        let counted = testbed.stats().delta_since(&start);
        if service.is_ok_and(|events| events.recovered) || counted.recoveries > 0 {
            ensure!(
                counted.faults == 1 && counted.recoveries == 1,
                requirement::DEVICE_9,
                "the device recovered from one fault: expected faults and recoveries to grow by 1, found {} and {}",
                counted.faults,
                counted.recoveries
            );
            return Ok(());
        }
        for result in [recv, send, service.map(|_| ())] {
            match result {
                Err(ErrorKind::Fault) => {
                    fault_stays(testbed, &frame)?;
                    let faults = testbed.stats().faults;
                    fault_stays(testbed, &frame)?;
                    let later = testbed.stats().faults;
                    ensure!(
                        faults > 0 && faults == later,
                        requirement::DEVICE_9,
                        "a fault, and further calls that return it: expected faults to grow once, it is {faults}, then {later}"
                    );
                    return Ok(());
                }
                Err(e) if is_fault(e) => return Ok(()),
                Err(e) if e != ErrorKind::Busy => {
                    return testbed.fail(format!("chip fault: expected a device error, found {e:?}"));
                }
                _ => {}
            }
        }
    }
    testbed.fail("chip fault: expected an error or a recovery, found neither")
}

/// The row "fault" of the edge cases.
fn fault_stays(testbed: &mut Testbed<'_>, frame: &[u8]) -> CheckResult {
    let mut results = vec![
        ("recv_frame", testbed.dev.recv_frame(&mut vec![0; 2048]).map(|_| ())),
        ("send_frame", testbed.dev.send_frame(frame)),
    ];
    if testbed.dev.features().ready_knows_link {
        results.push(("tx_ready", testbed.dev.tx_ready().map(|_| ())));
    }
    for (what, result) in results {
        if result != Err(ErrorKind::Fault) {
            return testbed.fail(format!("after Fault, {what} is {result:?} instead of Fault"));
        }
    }
    Ok(())
}

pub(super) fn any_call_bus_failure_returns_error(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().fail_bus(false)?;
    testbed.warm_up()?;
    testbed.allow_tx_gaps();
    testbed.provoke_rx(&[LossReason::RxError, LossReason::RxReset]);
    testbed.peer_delivers(200);
    let frame = testbed.own_frame(100);
    testbed.peer().fail_bus(true)?;
    for _ in 0..3 {
        let results = [
            ("recv_frame", testbed.dev.recv_frame(&mut vec![0; 2048]).map(|_| ())),
            ("send_frame", testbed.dev.send_frame(&frame)),
            ("service", testbed.dev.service().map(|_| ())),
        ];
        for (what, result) in results {
            match result {
                Err(e) if is_fault(e) => {}
                other => return testbed.fail(format!("bus failing: expected an error from {what}, found {other:?}")),
            }
        }
    }
    testbed.peer().fail_bus(false)?;
    if testbed.dev.service() == Err(ErrorKind::Fault) {
        // It has to be recovered: see the checks of `Control`.
        return fault_stays(testbed, &frame);
    }
    testbed.drain_with_gaps()?;
    testbed.wait_link(true)?;
    testbed.peer_delivers(200);
    if !testbed.receive_if_any()? {
        return testbed.fail("bus works again: expected the pending frame, found none");
    }
    testbed.check_accounting()
}

pub(super) fn error_from_any_kind_keeps_kind(testbed: &mut Testbed<'_>) -> CheckResult {
    for kind in [
        ErrorKind::BufferTooSmall { needed: 60 },
        ErrorKind::FrameTooLong { max: 1514 },
        ErrorKind::FrameTooShort,
        ErrorKind::InvalidInput,
        ErrorKind::Stopped,
        ErrorKind::Unsupported,
        ErrorKind::Busy,
        ErrorKind::LinkDown,
        ErrorKind::Bus,
        ErrorKind::Timeout,
        ErrorKind::Fault,
        ErrorKind::NotPresent,
        ErrorKind::PermissionDenied,
        ErrorKind::BadFrame,
        ErrorKind::Other,
    ] {
        let found = testbed.dev.kind_of_error_from(kind);
        ensure!(
            found == kind,
            testbed.requirement,
            "the kind of the error made from {kind:?} is {found:?}"
        );
    }
    Ok(())
}
