//! Interrupts: no event between "drained" and "unmasked" may be missed.

use std::sync::Arc;
use std::time::Duration;

use ethdev::{Interest, RearmOutcome};
use ethdev_util::IrqSignal;

use super::fixture::Unsupported;
use super::frames::Random;
use super::outcome::{CheckError, CheckResult, ensure};
use super::requirement;
use super::testbed::{MAX_TX_QUEUE, Testbed};

fn disarm(testbed: &mut Testbed<'_>) -> CheckResult {
    let result = match testbed.dev.rearm() {
        Some(mut device) => device.disarm(),
        None => return Err(CheckError::Skip("the API has no interrupts".into())),
    };
    testbed.ok("disarm", result)
}

fn rearm(testbed: &mut Testbed<'_>, interest: Interest) -> CheckResult<RearmOutcome> {
    let result = match testbed.dev.rearm() {
        Some(mut device) => device.rearm(interest),
        None => return Err(CheckError::Skip("the API has no interrupts".into())),
    };
    testbed.ok("rearm", result)
}

/// Masks the interrupt, waits for running transfers and clears the signal.
fn quiet(testbed: &mut Testbed<'_>) -> CheckResult<Arc<IrqSignal>> {
    let irq = testbed.peer().irq_signal()?;
    disarm(testbed)?;
    testbed.peer_receives_all()?;
    testbed.receive_all()?;
    irq.try_take();
    Ok(irq)
}

/// Re-arms an idle device, which must be armed by that.
fn arm(testbed: &mut Testbed<'_>, interest: Interest) -> CheckResult {
    let outcome = rearm(testbed, interest)?;
    ensure!(
        outcome == RearmOutcome::Armed,
        requirement::REARM_2,
        "nothing of {interest:?} pending: expected Armed, found WorkPending"
    );
    Ok(())
}

pub(super) fn rearm_frame_after_armed_interrupts(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for round in 0..5 {
        let irq = quiet(testbed)?;
        arm(testbed, Interest::RX)?;
        if round % 2 == 1 {
            // Both calls are idempotent.
            arm(testbed, Interest::RX)?;
        }
        irq.try_take();
        testbed.peer_delivers(200);
        ensure!(
            irq.try_take(),
            testbed.requirement,
            "armed, a frame arrived, and no interrupt came"
        );
        testbed.receive()?;
    }
    testbed.check_accounting()
}

pub(super) fn rearm_tx_ready_after_armed_interrupts(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    for _ in 0..3 {
        let irq = quiet(testbed)?;
        testbed.fill_tx(300)?;
        disarm(testbed)?;
        irq.try_take();
        arm(testbed, Interest::TX)?;
        irq.try_take();
        testbed.peer().stall_tx(false)?;
        testbed.advance_frames(2);
        ensure!(
            irq.try_take(),
            testbed.requirement,
            "armed for TX, transmit queue no longer full: expected an interrupt, found none"
        );
        disarm(testbed)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn rearm_link_change_after_armed_interrupts(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    if !testbed.peer().link_interrupts() {
        return Err(Unsupported("link changes cause no interrupt (`link_interrupts`)").into());
    }
    testbed.warm_up()?;
    for up in [false, true, false, true] {
        let irq = quiet(testbed)?;
        arm(testbed, Interest::LINK)?;
        irq.try_take();
        testbed.peer().set_link(up)?;
        for _ in 0..2000 {
            if irq.is_signaled() {
                break;
            }
            testbed.advance_frames(5);
        }
        ensure!(
            irq.try_take(),
            testbed.requirement,
            "armed for the link, it changed, and no interrupt came"
        );
        testbed.wait_link(up)?;
    }
    testbed.check_accounting()
}

pub(super) fn rearm_frame_pending_returns_work_pending(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for _ in 0..3 {
        let irq = quiet(testbed)?;
        testbed.peer_delivers(200);
        let outcome = rearm(testbed, Interest::RX)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            testbed.requirement,
            "a frame arrived while masked: expected WorkPending, found Armed"
        );
        testbed.receive_all()?;
        // The interrupt is unmasked nevertheless: the next frame causes one.
        irq.try_take();
        testbed.peer_delivers(200);
        ensure!(
            irq.try_take(),
            requirement::REARM_1,
            "after WorkPending the interrupt is not unmasked"
        );
        testbed.receive_all()?;
        // Events of the interest, beside others.
        disarm(testbed)?;
        testbed.peer_delivers(200);
        let outcome = rearm(testbed, Interest::RX | Interest::LINK)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            testbed.requirement,
            "a frame is pending: expected WorkPending for RX and LINK, found Armed"
        );
        testbed.receive_all()?;
        // A lent frame is still pending.
        disarm(testbed)?;
        testbed.peer_delivers(200);
        testbed.lend_next()?;
        let outcome = rearm(testbed, Interest::RX)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            testbed.requirement,
            "a frame is lent: expected WorkPending, found Armed"
        );
        testbed.receive_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn rearm_tx_queue_free_returns_work_pending(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    quiet(testbed)?;
    testbed.peer().stall_tx(true)?;
    for sent in 0..MAX_TX_QUEUE {
        disarm(testbed)?;
        let ready = testbed.dev.tx_ready();
        let ready = testbed.ok("tx_ready", ready)?;
        let outcome = rearm(testbed, Interest::TX)?;
        ensure!(
            (outcome == RearmOutcome::WorkPending) == ready,
            testbed.requirement,
            "{sent} frames queued, tx_ready is {ready}: rearm returned {outcome:?}"
        );
        if !ready {
            break;
        }
        let result = testbed.try_send(300);
        ensure!(
            result.is_ok(),
            requirement::DEVICE_4,
            "after tx_ready: expected send to succeed, found {result:?}"
        );
    }
    disarm(testbed)?;
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

/// A frame that arrives before each of the accesses that draining and re-arming make.
pub(super) fn rearm_frame_at_any_access_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for nth in 0..200 {
        let irq = quiet(testbed)?;
        let before = testbed.peer().accesses()?;
        let frame = testbed.peer_frame(200);
        testbed.peer().peer_send_before_access(nth, &frame)?;
        testbed.peer_sent(frame);
        while testbed.receive_if_any()? {}
        let outcome = rearm(testbed, Interest::RX)?;
        let accesses = testbed.peer().accesses()? - before;
        let arrived = accesses > u64::from(nth);
        testbed.advance_frames(1);
        if arrived && testbed.pending() > 0 {
            ensure!(
                outcome == RearmOutcome::WorkPending || irq.is_signaled(),
                testbed.requirement,
                "a frame arrived before access {nth} of {accesses}, rearm returned Armed: expected an interrupt, found none"
            );
        }
        if !arrived {
            // The frame arrives with the next access.
            disarm(testbed)?;
            for _ in 0..=nth {
                testbed.receive_if_any()?;
                testbed.service()?;
            }
            testbed.receive_all()?;
            return testbed.check_accounting();
        }
    }
    testbed.check_accounting()
}

/// A host that works only when an interrupt requests it.
pub(super) fn rearm_interrupt_driven_host_no_frame_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    const SEED: u64 = 0x11;
    testbed.warm_up()?;
    let irq = quiet(testbed)?;
    let mut random = Random::new(SEED);
    let time = testbed.peer().frame_time();
    let burst = testbed.rx_burst();
    host(testbed)?;
    for step in 0..600 {
        if testbed.pending() < burst {
            testbed.peer_sends(random.between(60, 200));
        }
        let part = u32::try_from(random.between(1, 64)).unwrap_or(1);
        testbed
            .peer()
            .advance(time / part + Duration::from_nanos(random.between(0, 999) as u64));
        if irq.try_take() {
            host(testbed)?;
        } else {
            // All frames have time to arrive: a frame that is pending without an interrupt was
            // missed.
            let pending = testbed.pending();
            if pending >= burst {
                testbed.advance_frames(pending);
                ensure!(
                    irq.try_take(),
                    testbed.requirement,
                    "{pending} frames are pending and no interrupt came: missed interrupt (seed {SEED}, step {step})"
                );
                host(testbed)?;
            }
        }
    }
    testbed.advance_frames(burst);
    if irq.try_take() {
        host(testbed)?;
    }
    ensure!(
        testbed.pending() == 0,
        testbed.requirement,
        "{} frames are pending and no interrupt came: missed interrupt (seed {SEED})",
        testbed.pending()
    );
    disarm(testbed)?;
    testbed.check_accounting()
}

/// The task of the host: runs when the signal is signaled.
fn host(testbed: &mut Testbed<'_>) -> CheckResult {
    for _ in 0..MAX_TX_QUEUE {
        disarm(testbed)?;
        while testbed.receive_if_any()? {}
        if rearm(testbed, Interest::RX)? == RearmOutcome::Armed {
            return Ok(());
        }
    }
    testbed.fail("no work pending: expected Armed, rearm keeps returning WorkPending")
}

pub(super) fn disarm_frame_arrives_no_interrupt(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for _ in 0..3 {
        let irq = quiet(testbed)?;
        disarm(testbed)?;
        testbed.peer_delivers(200);
        ensure!(
            !irq.is_signaled(),
            testbed.requirement,
            "disarmed, a frame arrived, and an interrupt came"
        );
        testbed.send(100)?;
        testbed.peer_receives_all()?;
        ensure!(
            !irq.is_signaled(),
            testbed.requirement,
            "disarmed, a frame was sent, and an interrupt came"
        );
        testbed.receive_all()?;
        // Armed in between, so that disarm has an effect.
        arm(testbed, Interest::RX)?;
    }
    disarm(testbed)?;
    testbed.check_accounting()
}

fn by_source(testbed: &Testbed<'_>) -> CheckResult {
    if testbed.peer().masks_by_source() {
        Ok(())
    } else {
        Err(Unsupported("the chip cannot mask interrupts one by one (`masks_by_source`)").into())
    }
}

pub(super) fn rearm_other_source_no_interrupt(testbed: &mut Testbed<'_>) -> CheckResult {
    by_source(testbed)?;
    testbed.warm_up()?;
    let irq = quiet(testbed)?;
    arm(testbed, Interest::RX)?;
    irq.try_take();
    testbed.send(200)?;
    testbed.peer_receives_all()?;
    ensure!(
        !irq.is_signaled(),
        testbed.requirement,
        "armed for frames, one was sent, and an interrupt came"
    );
    testbed.peer_delivers(200);
    ensure!(
        irq.try_take(),
        requirement::REARM_1,
        "armed for frames, one came, and no interrupt"
    );
    let irq = quiet(testbed)?;
    arm(testbed, Interest::NONE)?;
    testbed.peer_delivers(200);
    testbed.send(200)?;
    testbed.peer_receives_all()?;
    ensure!(
        !irq.is_signaled(),
        testbed.requirement,
        "armed for no condition: expected no interrupt, found one"
    );
    testbed.receive_all()?;
    disarm(testbed)?;
    testbed.check_accounting()
}

/// A host that waits for transmit capacity with its receive queue full must not be woken by frames.
pub(super) fn rearm_tx_only_frame_arrives_no_interrupt(testbed: &mut Testbed<'_>) -> CheckResult {
    by_source(testbed)?;
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let irq = quiet(testbed)?;
    testbed.fill_tx(300)?;
    testbed.peer_delivers(200);
    disarm(testbed)?;
    irq.try_take();
    let outcome = rearm(testbed, Interest::TX)?;
    ensure!(
        outcome == RearmOutcome::Armed && !irq.is_signaled(),
        testbed.requirement,
        "armed for TX, transmit queue full, a frame pending: expected Armed and no interrupt, found {outcome:?}, interrupt {}",
        irq.is_signaled()
    );
    if testbed.rx_burst() > 1 {
        testbed.peer_delivers(200);
        ensure!(
            !irq.is_signaled(),
            testbed.requirement,
            "armed for TX, a frame arrived: expected no interrupt, found one"
        );
    }
    testbed.peer().stall_tx(false)?;
    testbed.advance_frames(2);
    ensure!(
        irq.try_take(),
        requirement::REARM_1,
        "armed for TX, transmit queue no longer full: expected an interrupt, found none"
    );
    disarm(testbed)?;
    testbed.receive_all()?;
    testbed.check_accounting()
}
