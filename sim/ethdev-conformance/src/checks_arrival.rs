//! Arrivals inside calls: a frame, an overrun, a link change just before each access.

use ethdev::{Counted, ErrorKind, LossReason};

use super::control_call::ControlCall;
use super::lifecycle::{Life, require_calls};
use super::outcome::{CheckResult, attribute, during, ensure};
use super::strike::{DataCall, Strike, points};
use super::testbed::Testbed;

/// The calls in which something arrives.
const CALLS: [DataCall; 4] = [
    DataCall::RecvFrame,
    DataCall::TxReady,
    DataCall::SendFrame,
    DataCall::Service,
];
/// Accesses of a call before which a frame or a link change arrives.
const MOST_ACCESSES: u64 = 400;
/// Accesses of a call before which a flood arrives.
const MOST_FLOODS: u64 = 60;

/// Calls the device while something that was scheduled arrives. Returns the points of the call.
/// What the call returns is accounted for; `late` is the frame that arrives before point `nth`.
fn call(
    testbed: &mut Testbed<'_>,
    call: DataCall,
    (nth, late): (u64, Option<Vec<u8>>),
    when: &str,
) -> CheckResult<u64> {
    let frame = testbed.own_frame(250);
    let struck = Strike::Access.data(testbed, call, &frame, None)?;
    if let Some(late) = late.filter(|_| struck.points > nth) {
        testbed.peer_sent(late);
    }
    match (call, struck.result) {
        (DataCall::RecvFrame, Some(Ok(Some(frame)))) => during(when, testbed.received(&frame))?,
        (DataCall::SendFrame, Some(Ok(_))) => testbed.accepted(frame),
        (_, Some(Ok(_))) => {}
        (_, result) => return testbed.fail(format!("{when}: expected Ok, found {result:?}")),
    }
    Ok(struck.points)
}

fn when(call: DataCall, what: &str, nth: u64) -> String {
    format!("{what} before access {nth} of {}", call.name())
}

pub(super) fn any_call_frame_arrives_inside_delivered(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    let pending = testbed.rx_burst() > 1;
    for method in CALLS {
        for pending in [false, true].into_iter().take(1 + usize::from(pending)) {
            for nth in 0..MOST_ACCESSES {
                let when = when(method, "a frame arrives", nth);
                if pending {
                    testbed.peer_delivers(200);
                }
                let late = testbed.peer_frame(300);
                testbed.peer().peer_send_before_access(nth as u32, &late)?;
                let points = call(testbed, method, (nth, Some(late)), &when)?;
                let result = testbed.receive_all().and_then(|()| testbed.peer_receives_all());
                during(&when, result)?;
                if points <= nth {
                    break;
                }
            }
        }
    }
    testbed.check_accounting()
}

/// The receive queue is full, and as soon as the driver frees a buffer the next frame is in it.
pub(super) fn recv_frame_queue_full_frame_arrives_inside_exact(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    testbed.allow_rx_gaps(LossReason::RxOverrun);
    let len = testbed.rx_max();
    for nth in 0..MOST_ACCESSES {
        let when = when(DataCall::RecvFrame, "queue full, a frame arrives", nth);
        testbed.rx.gaps = true;
        for _ in 0..testbed.rx_burst() + 2 {
            testbed.peer_delivers(len);
        }
        let late = [(); 2].map(|()| testbed.peer_frame(len));
        for late in &late {
            testbed.peer().peer_send_before_access(nth as u32, late)?;
        }
        let frame = [0; 14];
        let struck = Strike::Access.data(testbed, DataCall::RecvFrame, &frame, None)?;
        if struck.points > nth {
            for late in late {
                testbed.peer_sent(late);
            }
        }
        match struck.result {
            Some(Ok(Some(frame))) => during(&when, testbed.received(&frame))?,
            Some(Ok(None)) => {}
            result => return testbed.fail(format!("{when}: expected Ok, found {result:?}")),
        }
        during(&when, testbed.drain_with_gaps())?;
        during(&when, attribute(testbed.requirement, testbed.warm_up()))?;
        if struck.points <= nth {
            break;
        }
    }
    testbed.check_accounting()
}

pub(super) fn any_call_overrun_inside_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    testbed.allow_rx_gaps(LossReason::RxOverrun);
    testbed.allow_tx_gaps();
    let len = testbed.rx_max();
    for method in CALLS {
        for nth in 0..MOST_FLOODS {
            let when = when(method, "an overrun", nth);
            testbed.rx.gaps = true;
            let flood: Vec<_> = (0..testbed.rx_burst() + 3).map(|_| testbed.peer_frame(len)).collect();
            for frame in &flood {
                testbed.peer().peer_send_before_access(nth as u32, frame)?;
            }
            let frame = testbed.own_frame(250);
            let struck = Strike::Access.data(testbed, method, &frame, None)?;
            if struck.points > nth {
                for frame in flood {
                    testbed.peer_sent(frame);
                }
            }
            match (method, struck.result) {
                (DataCall::RecvFrame, Some(Ok(Some(frame)))) => during(&when, testbed.received(&frame))?,
                (DataCall::SendFrame, Some(Ok(_))) => testbed.accepted(frame),
                (_, Some(Ok(_))) => {}
                (_, result) => return testbed.fail(format!("{when}: expected Ok, found {result:?}")),
            }
            during(&when, testbed.drain_with_gaps())?;
            let requirement = testbed.requirement;
            let result = testbed.peer_receives_all().and_then(|()| testbed.warm_up());
            during(&when, attribute(requirement, result))?;
            if struck.points <= nth {
                break;
            }
        }
    }
    testbed.check_accounting()
}

pub(super) fn any_call_link_change_inside_reported_once(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    for method in CALLS {
        'accesses: for nth in 0..MOST_ACCESSES {
            for up in [false, true] {
                let change = if up { "link up" } else { "link down" };
                let when = when(method, change, nth);
                // What the last `service` returned with.
                testbed.service()?;
                let was = testbed.dev.link();
                testbed.peer().set_link_before_access(nth as u32, up)?;
                let frame = testbed.own_frame(250);
                let struck = Strike::Access.data(testbed, method, &frame, None)?;
                match struck.result {
                    Some(Ok(_)) => {}
                    Some(Err(ErrorKind::LinkDown | ErrorKind::Busy)) if method == DataCall::SendFrame => {}
                    result => return testbed.fail(format!("{when}: expected Ok, found {result:?}")),
                }
                if struck.points <= nth {
                    testbed.peer().set_link(true)?;
                    testbed.wait_link(true)?;
                    break 'accesses;
                }
                // A `service` in which the link changed has reported it, or the next one does.
                let was = if method == DataCall::Service {
                    testbed.dev.link()
                } else {
                    was
                };
                during(&when, link_changes(testbed, up, was))?;
            }
        }
    }
    testbed.restart_accounting();
    while testbed.peer().peer_recv().is_some() {}
    testbed.warm_up()?;
    testbed.check_accounting()
}

/// Calls `service` until the link is `up`; each reports a change if `link()` differs from what the
/// one before returned with.
fn link_changes(testbed: &mut Testbed<'_>, up: bool, mut was: ethdev::Link) -> CheckResult {
    for _ in 0..2000 {
        let events = testbed.service()?;
        let link = testbed.dev.link();
        ensure!(
            events.link_changed == (link != was),
            testbed.requirement,
            "link() was {was} after the last service and is {link} now: expected link_changed = {}, found {}",
            link != was,
            events.link_changed
        );
        was = link;
        if link.is_up() == up {
            return Ok(());
        }
        testbed.advance_frames(5);
    }
    testbed.fail(format!(
        "expected the link to become {}",
        if up { "up" } else { "down" }
    ))
}

pub(super) fn control_frame_arrives_inside_delivered_or_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start"])?;
    testbed.wait_link(true)?;
    let own = testbed.dev.mac_address();
    for &method in &calls {
        let mut total = MOST_ACCESSES;
        for nth in points(MOST_ACCESSES) {
            if nth > total {
                break;
            }
            let when = format!("a frame arrives before access {nth} of {}", method.name());
            let mut life = Life::new(testbed);
            testbed.restart_accounting();
            testbed.rx.gaps = true;
            testbed.provoke_rx(&[LossReason::RxReset, LossReason::RxFiltered]);
            let late = testbed.peer_frame(300);
            testbed.peer().peer_send_before_access(nth as u32, &late)?;
            let struck = Strike::Access.control(testbed, method, None)?;
            match struck.result {
                Some(Ok(outcome)) => life = life.after(method, outcome),
                // A port that the frame overran says so: the call is repeated.
                _ => life.call(testbed, method, &when)?,
            }
            total = struck.points;
            let arrived = total > nth;
            if arrived {
                testbed.peer_sent(late);
            }
            life.start(testbed, &when)?;
            testbed.wait_link(true)?;
            during(&when, testbed.drain_with_gaps())?;
            let is_setter = matches!(
                method,
                ControlCall::SetMacAddress(_) | ControlCall::SetRxFilter(_) | ControlCall::Start | ControlCall::Wake
            );
            let stats = testbed.stats();
            let counted = testbed.rx_delivered() + stats.rx_lost();
            let exact = testbed.caps.coverage.of(LossReason::RxReset) == Counted::Exactly
                && testbed.caps.coverage.of(LossReason::RxFiltered) == Counted::Exactly;
            // A device that stops for a moment does not hear the frame.
            let least = u32::from(arrived && is_setter && exact);
            ensure!(
                (least..=u32::from(arrived)).contains(&counted),
                testbed.requirement,
                "{when}: expected it to be delivered or counted, found {} delivered and {} counted",
                testbed.rx_delivered(),
                stats.rx_lost()
            );
            if let ControlCall::SetMacAddress(_) = method {
                life.call(testbed, ControlCall::SetMacAddress(own), &when)?;
            }
            during(&when, attribute(testbed.requirement, testbed.warm_up()))?;
        }
    }
    testbed.check_accounting()
}
