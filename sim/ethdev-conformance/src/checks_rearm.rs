//! Interrupts: no event between "drained" and "unmasked" may be missed.

use std::sync::Arc;
use std::time::Duration;

use ethdev::{ErrorKind, Interest, RearmOutcome};
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

/// Every set of conditions but the empty one.
pub(super) const INTERESTS: [Interest; 7] = [
    Interest::RX,
    Interest::TX,
    Interest::LINK,
    Interest {
        rx: true,
        tx: true,
        link: false,
    },
    Interest {
        rx: true,
        tx: false,
        link: true,
    },
    Interest {
        rx: false,
        tx: true,
        link: true,
    },
    Interest::ALL,
];

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

fn link_interrupts(testbed: &Testbed<'_>) -> CheckResult {
    testbed.peer().irq_signal()?;
    if testbed.peer().link_interrupts() {
        Ok(())
    } else {
        Err(Unsupported("link changes cause no interrupt (`link_interrupts`)").into())
    }
}

/// A host that sleeps until the interrupt, services the device and arms it again, until `done`.
/// `outcome` is that of the last `rearm`. Time passes only while it sleeps.
fn sleep_until(
    testbed: &mut Testbed<'_>,
    irq: &IrqSignal,
    (interest, mut outcome): (Interest, RearmOutcome),
    what: &str,
    mut done: impl FnMut(&mut Testbed<'_>) -> CheckResult<bool>,
) -> CheckResult {
    const SLEEPS: usize = 4000;
    for _ in 0..SLEEPS {
        if outcome == RearmOutcome::WorkPending || irq.try_take() {
            disarm(testbed)?;
            testbed.service()?;
            if done(testbed)? {
                return Ok(());
            }
            irq.try_take();
            outcome = rearm(testbed, interest)?;
        }
        testbed.advance_frames(5);
    }
    testbed.fail(format!("{what}: expected an interrupt that wakes the host, none came"))
}

/// Each set of conditions, each event of it, with the transmit queue full where the set has TX.
pub(super) fn rearm_any_interest_each_event_interrupts(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().irq_signal()?;
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.allow_tx_into_lost_link();
    let changes = testbed.peer().link_interrupts() && testbed.peer().set_link(true).is_ok();
    for interest in INTERESTS {
        for event in [Interest::RX, Interest::TX, Interest::LINK] {
            // Where the link causes no interrupt, a device that is armed for it asks to be serviced.
            if !interest.contains(event) || (interest.link && !changes) {
                continue;
            }
            let irq = quiet(testbed)?;
            if interest.tx {
                testbed.fill_tx(300)?;
                disarm(testbed)?;
            }
            arm(testbed, interest)?;
            irq.try_take();
            if event.rx {
                testbed.peer_delivers(200);
            } else if event.tx {
                testbed.peer().stall_tx(false)?;
                testbed.advance_frames(2);
            } else {
                testbed.peer().set_link(false)?;
                for _ in 0..2000 {
                    if irq.is_signaled() {
                        break;
                    }
                    testbed.advance_frames(5);
                }
            }
            ensure!(
                irq.try_take(),
                testbed.requirement,
                "armed for {interest:?}, then an event of {event:?}: expected an interrupt, found none"
            );
            disarm(testbed)?;
            testbed.peer().stall_tx(false)?;
            if event.link {
                testbed.wait_link(false)?;
                testbed.peer().set_link(true)?;
                testbed.wait_link(true)?;
            }
            testbed.receive_all()?;
            testbed.peer_receives_all()?;
        }
    }
    testbed.check_accounting()
}

/// A host that waits for transmit capacity while the link is down.
pub(super) fn rearm_tx_link_down_interrupts_when_up(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    link_interrupts(testbed)?;
    testbed.warm_up()?;
    for interest in INTERESTS.into_iter().filter(|interest| interest.tx) {
        let irq = quiet(testbed)?;
        testbed.peer().set_link(false)?;
        testbed.wait_link(false)?;
        let outcome = rearm(testbed, interest)?;
        ensure!(
            outcome == RearmOutcome::Armed,
            requirement::REARM_2,
            "link down, nothing of {interest:?} pending: expected Armed, found WorkPending"
        );
        testbed.peer().set_link(true)?;
        let what = format!("armed for {interest:?} while the link was down, and it came up");
        sleep_until(testbed, &irq, (interest, outcome), &what, |testbed| {
            let ready = testbed.dev.tx_ready();
            testbed.ok("tx_ready", ready)
        })?;
        disarm(testbed)?;
        testbed.wait_link(true)?;
    }
    testbed.check_accounting()
}

/// The link changes while the interrupt is masked.
pub(super) fn rearm_link_change_while_masked_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    link_interrupts(testbed)?;
    testbed.warm_up()?;
    let mut up = true;
    for interest in INTERESTS.into_iter().filter(|interest| interest.link && !interest.tx) {
        for frames in [0, 1, 100] {
            up = !up;
            let irq = quiet(testbed)?;
            testbed.peer().set_link(up)?;
            testbed.advance_frames(frames);
            irq.try_take();
            let what = format!("the link changed {frames} frame times before it was armed for {interest:?}");
            let outcome = rearm(testbed, interest)?;
            sleep_until(testbed, &irq, (interest, outcome), &what, |testbed| {
                Ok(testbed.dev.link().is_up() == up)
            })?;
            disarm(testbed)?;
        }
    }
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    testbed.check_accounting()
}

/// The link changes before each of the accesses that servicing and re-arming make.
pub(super) fn rearm_link_change_at_any_access_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    link_interrupts(testbed)?;
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    let mut up = true;
    for nth in 0..200 {
        up = !up;
        let irq = quiet(testbed)?;
        let before = testbed.peer().accesses()?;
        testbed.peer().set_link_before_access(nth, up)?;
        testbed.service()?;
        let outcome = rearm(testbed, Interest::LINK)?;
        let accesses = testbed.peer().accesses()? - before;
        if accesses <= u64::from(nth) {
            testbed.peer().cancel_access_events();
            break;
        }
        // Unless service saw it already.
        if testbed.dev.link().is_up() != up {
            let what = format!("the link changed before access {nth} of {accesses} of service and rearm(LINK)");
            sleep_until(testbed, &irq, (Interest::LINK, outcome), &what, |testbed| {
                Ok(testbed.dev.link().is_up() == up)
            })?;
        }
        disarm(testbed)?;
    }
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    testbed.check_accounting()
}

/// The transmit queue becomes free at any time around the call.
pub(super) fn rearm_tx_completion_at_any_time_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().irq_signal()?;
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let time = testbed.peer().frame_time();
    for part in 0..100 {
        let irq = quiet(testbed)?;
        testbed.fill_tx(300)?;
        disarm(testbed)?;
        irq.try_take();
        testbed.peer().stall_tx(false)?;
        testbed.peer().advance(time * part / 100);
        let what = format!("a frame was sent, armed {part} % of a frame time later");
        let outcome = rearm(testbed, Interest::TX)?;
        sleep_until(testbed, &irq, (Interest::TX, outcome), &what, |testbed| {
            let ready = testbed.dev.tx_ready();
            testbed.ok("tx_ready", ready)
        })?;
        disarm(testbed)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

/// A device that has returned `Fault`, and waits for `recover`.
pub(super) fn rearm_in_fault_not_armed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().irq_signal()?;
    testbed.warm_up()?;
    testbed.peer().inject_fault()?;
    for _ in 0..8 {
        match testbed.dev.service() {
            Err(ErrorKind::Fault) => {}
            Err(_) => return Ok(()),
            Ok(_) => {
                testbed.peer_sends(200);
                testbed.advance_frames(1);
                continue;
            }
        }
        for interest in INTERESTS {
            let result = testbed.dev.rearm().map(|mut device| device.rearm(interest));
            ensure!(
                result != Some(Ok(RearmOutcome::Armed)),
                testbed.requirement,
                "service returned Fault, then armed for {interest:?}: expected an error or WorkPending, found Armed"
            );
        }
        break;
    }
    Ok(())
}

/// A frame that arrives before each of the accesses that draining and re-arming make.
pub(super) fn rearm_frame_at_any_access_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().accesses()?;
    testbed.warm_up()?;
    for interest in [Interest::RX, Interest::RX | Interest::LINK] {
        frame_at_any_access(testbed, interest)?;
    }
    if testbed.peer().stall_tx(false).is_ok() {
        for interest in [Interest::RX | Interest::TX, Interest::ALL] {
            testbed.fill_tx(300)?;
            frame_at_any_access(testbed, interest)?;
            testbed.peer().stall_tx(false)?;
            testbed.peer_receives_all()?;
        }
    }
    testbed.check_accounting()
}

fn frame_at_any_access(testbed: &mut Testbed<'_>, interest: Interest) -> CheckResult {
    let irq = testbed.peer().irq_signal()?;
    for nth in 0..200 {
        disarm(testbed)?;
        irq.try_take();
        let before = testbed.peer().accesses()?;
        let frame = testbed.peer_frame(200);
        testbed.peer().peer_send_before_access(nth, &frame)?;
        testbed.peer_sent(frame);
        while testbed.receive_if_any()? {}
        let outcome = rearm(testbed, interest)?;
        let accesses = testbed.peer().accesses()? - before;
        let arrived = accesses > u64::from(nth);
        testbed.advance_frames(1);
        if arrived && testbed.pending() > 0 {
            ensure!(
                outcome == RearmOutcome::WorkPending || irq.is_signaled(),
                testbed.requirement,
                "a frame arrived before access {nth} of {accesses}, rearm({interest:?}) returned Armed: expected an interrupt, found none"
            );
        }
        if !arrived {
            // The frame arrives with the next access.
            disarm(testbed)?;
            for _ in 0..=nth {
                testbed.receive_if_any()?;
                testbed.service()?;
            }
            return testbed.receive_all();
        }
        testbed.receive_all()?;
    }
    Ok(())
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
