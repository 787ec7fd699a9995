//! Failures inside calls: an access that fails, and a future that is dropped, at every point.

use ethdev::{Counted, ErrorKind, LossReason, RxFilter};

use super::checks_control::{ask, filters};
use super::control_call::{ALL_MULTICAST, ControlCall, NEW_ADDRESS};
use super::lifecycle::{Life, State, require_calls};
use super::outcome::{CheckResult, attribute, during, ensure};
use super::requirement;
use super::strike::{DataCall, Strike, points};
use super::testbed::Testbed;

pub(super) fn control_access_fails_retry_has_whole_effect(testbed: &mut Testbed<'_>) -> CheckResult {
    strike_control(testbed, Strike::Access)
}

pub(super) fn control_future_dropped_retry_has_whole_effect(testbed: &mut Testbed<'_>) -> CheckResult {
    strike_control(testbed, Strike::Poll)
}

pub(super) fn any_call_access_fails_nothing_lost_or_repeated(testbed: &mut Testbed<'_>) -> CheckResult {
    strike_data(testbed, Strike::Access)
}

pub(super) fn any_call_future_dropped_nothing_lost_or_repeated(testbed: &mut Testbed<'_>) -> CheckResult {
    strike_data(testbed, Strike::Poll)
}

/// Whether the error reports a failure of the device, not of the caller.
fn is_fault(kind: ErrorKind) -> bool {
    !kind.is_transient() && !kind.is_rejection()
}

/// The states before a call, as calls on a running device.
const fn befores(call: ControlCall) -> &'static [&'static [ControlCall]] {
    match call {
        ControlCall::Start => &[&[ControlCall::Stop], &[ControlCall::Sleep]],
        ControlCall::Wake => &[&[ControlCall::Sleep], &[ControlCall::Stop, ControlCall::Sleep]],
        ControlCall::Recover => &[&[], &[ControlCall::Stop]],
        _ => &[&[]],
    }
}

fn strike_control(testbed: &mut Testbed<'_>, strike: Strike) -> CheckResult {
    strike.require(testbed)?;
    testbed.warm_up()?;
    let calls = require_calls(testbed, &["start", "recover"])?;
    testbed.wait_link(true)?;
    let mut life = Life::new(testbed);
    for &call in &calls {
        for before in befores(call) {
            if before.iter().any(|call| !calls.contains(call)) {
                continue;
            }
            let total = trial_control(testbed, strike, &mut life, (before, call), None)?;
            for nth in points(total) {
                trial_control(testbed, strike, &mut life, (before, call), Some(nth))?;
            }
        }
    }
    Ok(())
}

/// One call, of which the `nth` point is struck. Returns the points that it has. The device is
/// running before and after.
fn trial_control(
    testbed: &mut Testbed<'_>,
    strike: Strike,
    life: &mut Life,
    (before, call): (&[ControlCall], ControlCall),
    nth: Option<u64>,
) -> CheckResult<u64> {
    testbed.restart_accounting();
    testbed.allow_tx_gaps();
    testbed.rx.gaps = true;
    let when = strike.when(call.name(), nth.unwrap_or_default());
    for &call in before {
        life.call(testbed, call, "before")?;
    }
    // A setter sets another value than that which is set.
    let call = match call {
        ControlCall::SetMacAddress(_) if life.address == NEW_ADDRESS => {
            let mut other = NEW_ADDRESS.octets();
            other[5] ^= 1;
            ControlCall::SetMacAddress(other.into())
        }
        ControlCall::SetRxFilter(_) if life.filter == ALL_MULTICAST => ControlCall::SetRxFilter(RxFilter::DEFAULT),
        call => call,
    };
    let struck = strike.control(testbed, call, nth)?;
    match struck.result {
        Some(Ok(outcome)) => *life = life.after(call, outcome),
        result => {
            if let Some(Err(e)) = result {
                ensure!(
                    nth.is_some() && is_fault(e),
                    testbed.requirement,
                    "{when}: expected a device error, found {e:?}"
                );
            }
            // Half of the time the failure is ended by `recover`.
            let mut recovered = nth.is_some_and(|nth| nth % 2 == 1);
            if recovered {
                recover(testbed, &when)?;
            }
            let mut again = ask(testbed, |c| call.run(c))?;
            if again.is_err() && !recovered {
                recover(testbed, &when)?;
                recovered = true;
                again = ask(testbed, |c| call.run(c))?;
            }
            let how = if recovered { "after recover" } else { "repeated" };
            match again {
                Ok(outcome) => *life = life.after(call, outcome),
                Err(e) => {
                    return testbed.fail(format!(
                        "{when}, {how}: expected {} to succeed, found {e:?}",
                        call.name()
                    ));
                }
            }
        }
    }
    if nth.is_none() {
        life.start(testbed, &when)?;
        testbed.wait_link(true)?;
        return Ok(struck.points);
    }
    life.check_state(testbed, &when)?;
    if let State::Asleep { running: true } = life.state {
        life.call(testbed, ControlCall::Wake, &when)?;
        ensure!(
            life.state == State::Running,
            testbed.requirement,
            "{when}: expected wake to lead to running"
        );
        life.check_state(testbed, &when)?;
    }
    life.start(testbed, &when)?;
    testbed.wait_link(true)?;
    life.check_state(testbed, &when)?;
    // Frames that were accepted in these states are sent or lost: the checks of traffic compare
    // them.
    testbed.peer_delivers(200);
    during(&when, attribute(testbed.requirement, testbed.receive()))?;
    let result = filters(testbed, requirement::CONTROL_6, life.filter, life.outcome, "traffic");
    during(&when, result)?;
    for _ in 0..4 {
        testbed.advance_frames(1);
        testbed.service()?;
    }
    while { testbed.peer().peer_recv() }.is_some() {}
    Ok(struck.points)
}

fn recover(testbed: &mut Testbed<'_>, when: &str) -> CheckResult {
    match ask(testbed, |c| c.recover())? {
        Ok(()) => Ok(()),
        Err(e) => testbed.fail(format!("{when}: expected recover to succeed, found {e:?}")),
    }
}

fn strike_data(testbed: &mut Testbed<'_>, strike: Strike) -> CheckResult {
    strike.require(testbed)?;
    testbed.warm_up()?;
    require_calls(testbed, &["recover"])?;
    testbed.wait_link(true)?;
    for call in DataCall::ALL {
        let total = trial_data(testbed, strike, call, None)?;
        for nth in points(total) {
            trial_data(testbed, strike, call, Some(nth))?;
        }
    }
    Ok(())
}

/// One call with pending frames, of which the `nth` point is struck. Returns the points that it has.
fn trial_data(testbed: &mut Testbed<'_>, strike: Strike, call: DataCall, nth: Option<u64>) -> CheckResult<u64> {
    testbed.restart_accounting();
    testbed.allow_rx_gaps(LossReason::RxReset);
    testbed.provoke_rx(&[LossReason::RxError]);
    let when = strike.when(call.name(), nth.unwrap_or_default());
    let burst = testbed.rx_burst().min(2);
    for len in [200, 300].into_iter().take(burst) {
        testbed.peer_delivers(len);
    }
    let frame = testbed.own_frame(250);
    let recoveries = testbed.stats().recoveries;
    let struck = strike.data(testbed, call, &frame, nth)?;
    let failed = match struck.result {
        Some(Ok(ref value)) => {
            let recovered = testbed.stats().recoveries > recoveries;
            match (call, value) {
                (DataCall::RecvFrame, Some(frame)) => during(&when, testbed.received(frame))?,
                (DataCall::RecvFrame | DataCall::DiscardFrame, None) => ensure!(
                    recovered,
                    requirement::DEVICE_10,
                    "{when}, {burst} frames pending: expected a frame or an error, found none"
                ),
                _ => {}
            }
            false
        }
        Some(Err(e)) => {
            ensure!(
                nth.is_some() && is_fault(e),
                requirement::DEVICE_10,
                "{when}: expected a device error, found {e:?}"
            );
            true
        }
        None => true,
    };
    settle(testbed, &when)?;
    // Whatever the call did not deliver is delivered now, or counted.
    let result = testbed.drain_with_gaps();
    during(&when, result)?;
    let stats = testbed.stats();
    let (offered, delivered) = (testbed.rx_offered(), testbed.rx_delivered());
    let exact = [LossReason::RxReset, LossReason::RxError]
        .into_iter()
        .all(|reason| testbed.caps.coverage.of(reason) == Counted::Exactly);
    ensure!(
        stats.rx_frames == delivered,
        requirement::DEVICE_9,
        "{when}: expected rx_frames = {delivered} as delivered, found {}",
        stats.rx_frames
    );
    ensure!(
        delivered + stats.rx_lost() == offered || (!exact && delivered + stats.rx_lost() < offered),
        requirement::DEVICE_9,
        "{when}: {offered} frames were pending, {delivered} delivered: expected the others counted as lost, found {}",
        stats.rx_lost()
    );
    sent_frames(testbed, call, &frame, failed, &when)?;
    testbed.restart_accounting();
    during(&when, testbed.warm_up())?;
    Ok(struck.points)
}

/// The frame of a `send_frame` that failed is sent once or not at all; another one once.
fn sent_frames(testbed: &mut Testbed<'_>, call: DataCall, frame: &[u8], failed: bool, when: &str) -> CheckResult {
    let mut copies = 0;
    for _ in 0..3 {
        testbed.advance_frames(1);
        testbed.service()?;
        while let Some(got) = { testbed.peer().peer_recv() } {
            ensure!(
                got == frame,
                requirement::DEVICE_2,
                "{when}: expected the frame of {} bytes at the peer, found another one of {}",
                frame.len(),
                got.len()
            );
            copies += 1;
        }
    }
    let calls = u32::from(call == DataCall::SendFrame);
    ensure!(
        copies <= calls,
        requirement::DEVICE_2,
        "{when}: expected at most {calls} frame at the peer, found {copies}"
    );
    let stats = testbed.stats();
    let counted = stats.tx_frames + stats.tx_lost();
    let exact = [LossReason::TxReset, LossReason::TxAborted]
        .into_iter()
        .all(|reason| testbed.caps.coverage.of(reason) == Counted::Exactly);
    let least = if failed { copies } else { calls };
    ensure!(
        (least..=calls).contains(&counted) || (!exact && counted <= calls),
        requirement::DEVICE_9,
        "{when}: {copies} frames at the peer: expected tx_frames and lost frames to be {least} to {calls}, found {counted}"
    );
    Ok(())
}

/// Calls `service`, and `recover` where the device asks for it, until the device works.
fn settle(testbed: &mut Testbed<'_>, when: &str) -> CheckResult {
    let mut last = Ok(());
    for _ in 0..4 {
        match testbed.dev.service() {
            Ok(_) => return during(when, attribute(testbed.requirement, testbed.wait_link(true))),
            Err(ErrorKind::Fault) => {
                recover(testbed, when)?;
                last = Err(ErrorKind::Fault);
            }
            Err(e) => last = Err(e),
        }
        testbed.advance_frames(1);
    }
    testbed.fail(format!(
        "{when}: expected the device to work again, service is {last:?}"
    ))
}
