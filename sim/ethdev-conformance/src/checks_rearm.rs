//! Interrupts: no frame may come between "drained" and "unmasked" and not be told.

use std::sync::Arc;
use std::time::Duration;

use ethdev::{Interest, RearmOutcome};
use ethdev_util::IrqSignal;

use super::bench::{Bench, ENDLESS, Random, Stop, Verdict, ensure};
use super::fixture::Unsupported;
use super::line;

fn disarm(bench: &mut Bench<'_>) -> Verdict {
    let result = match bench.dev.rearm() {
        Some(mut device) => device.disarm(),
        None => return Err(Stop::Skip("the surface has no interrupts".into())),
    };
    bench.ok("disarm", result)
}

fn rearm(bench: &mut Bench<'_>, interest: Interest) -> Verdict<RearmOutcome> {
    let result = match bench.dev.rearm() {
        Some(mut device) => device.rearm(interest),
        None => return Err(Stop::Skip("the surface has no interrupts".into())),
    };
    bench.ok("rearm", result)
}

/// Masks, settles what is going on, quiets the bell.
fn quiet(bench: &mut Bench<'_>) -> Verdict<Arc<IrqSignal>> {
    let bell = bench.far().irq_signal()?;
    disarm(bench)?;
    bench.peer_receives_all()?;
    bench.receive_all()?;
    bell.try_take();
    Ok(bell)
}

/// Re-arms an idle device, which must be armed by that.
fn arm(bench: &mut Bench<'_>, interest: Interest) -> Verdict {
    let outcome = rearm(bench, interest)?;
    ensure!(
        outcome == RearmOutcome::Armed,
        line::REARM_2,
        "nothing of {interest:?} is so, and rearm says WorkPending"
    );
    Ok(())
}

pub(super) fn a_frame_after_armed_rings(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for round in 0..5 {
        let bell = quiet(bench)?;
        arm(bench, Interest::RX)?;
        if round % 2 == 1 {
            // Both calls are idempotent.
            arm(bench, Interest::RX)?;
        }
        bell.try_take();
        bench.peer_delivers(200);
        ensure!(
            bell.try_take(),
            bench.line,
            "armed, a frame arrived, and no interrupt came"
        );
        bench.receive()?;
    }
    bench.audit()
}

pub(super) fn room_after_armed_rings(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    for _ in 0..3 {
        let bell = quiet(bench)?;
        bench.fill_tx(300)?;
        disarm(bench)?;
        bell.try_take();
        arm(bench, Interest::TX)?;
        bell.try_take();
        bench.far().stall_tx(false)?;
        bench.pass(2);
        ensure!(
            bell.try_take(),
            bench.line,
            "armed for room to transmit, room came, and no interrupt"
        );
        disarm(bench)?;
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn a_link_change_after_armed_rings(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    if !bench.far().link_interrupts() {
        return Err(Unsupported("link changes cause no interrupt (`link_interrupts`)").into());
    }
    bench.warm_up()?;
    for up in [false, true, false, true] {
        let bell = quiet(bench)?;
        arm(bench, Interest::LINK)?;
        bell.try_take();
        bench.far().set_link(up)?;
        for _ in 0..2000 {
            if bell.is_signaled() {
                break;
            }
            bench.pass(5);
        }
        ensure!(
            bell.try_take(),
            bench.line,
            "armed for the link, it changed, and no interrupt came"
        );
        bench.wait_link(up)?;
    }
    bench.audit()
}

pub(super) fn rearm_sees_what_is_there(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for _ in 0..3 {
        let bell = quiet(bench)?;
        bench.peer_delivers(200);
        let outcome = rearm(bench, Interest::RX)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            bench.line,
            "a frame came while the interrupt was masked, and rearm says Armed"
        );
        bench.receive_all()?;
        // Unmasked all the same: the next frame is told.
        bell.try_take();
        bench.peer_delivers(200);
        ensure!(
            bell.try_take(),
            line::REARM_1,
            "after WorkPending the interrupt is not unmasked"
        );
        bench.receive_all()?;
        // What is of interest beside what is not.
        disarm(bench)?;
        bench.peer_delivers(200);
        let outcome = rearm(bench, Interest::RX | Interest::LINK)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            bench.line,
            "a frame is pending, and rearm for frames and the link says Armed"
        );
        bench.receive_all()?;
        // What is lent is pending still.
        disarm(bench)?;
        bench.peer_delivers(200);
        bench.lend_next()?;
        let outcome = rearm(bench, Interest::RX)?;
        ensure!(
            outcome == RearmOutcome::WorkPending,
            bench.line,
            "a frame is lent, and rearm says Armed"
        );
        bench.receive_all()?;
    }
    bench.audit()
}

pub(super) fn rearm_sees_room(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    quiet(bench)?;
    bench.far().stall_tx(true)?;
    for sent in 0..ENDLESS {
        disarm(bench)?;
        let ready = bench.dev.tx_ready();
        let ready = bench.ok("tx_ready", ready)?;
        let outcome = rearm(bench, Interest::TX)?;
        ensure!(
            (outcome == RearmOutcome::WorkPending) == ready,
            bench.line,
            "{sent} frames are queued, tx_ready is {ready}, and rearm says {outcome:?}"
        );
        if !ready {
            break;
        }
        let result = bench.try_send(300);
        ensure!(result.is_ok(), line::DEVICE_4, "after tx_ready, send is {result:?}");
    }
    disarm(bench)?;
    bench.far().stall_tx(false)?;
    bench.audit()
}

/// A frame that arrives before each of the accesses that draining and re-arming make.
pub(super) fn no_frame_falls_between(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for nth in 0..200 {
        let bell = quiet(bench)?;
        let before = bench.far().accesses()?;
        let frame = bench.peer_frame(200);
        bench.far().peer_send_before_access(nth, &frame)?;
        bench.peer_sent(frame);
        while bench.receive_if_any()? {}
        let outcome = rearm(bench, Interest::RX)?;
        let accesses = bench.far().accesses()? - before;
        let arrived = accesses > u64::from(nth);
        bench.pass(1);
        if arrived && bench.pending() > 0 {
            ensure!(
                outcome == RearmOutcome::WorkPending || bell.is_signaled(),
                bench.line,
                "a frame arrived before access {nth} of {accesses}, rearm says Armed, and no interrupt comes: deaf"
            );
        }
        if !arrived {
            // Whatever is accessed next lets it in.
            disarm(bench)?;
            for _ in 0..=nth {
                bench.receive_if_any()?;
                bench.service()?;
            }
            bench.receive_all()?;
            return bench.audit();
        }
    }
    bench.audit()
}

/// A host that does nothing but what the interrupt tells it to.
pub(super) fn a_host_by_interrupt_misses_nothing(bench: &mut Bench<'_>) -> Verdict {
    const SEED: u64 = 0x11;
    bench.warm_up()?;
    let bell = quiet(bench)?;
    let mut random = Random::new(SEED);
    let time = bench.far().frame_time();
    let burst = bench.rx_burst();
    host(bench)?;
    for step in 0..600 {
        if bench.pending() < burst {
            bench.peer_sends(random.between(60, 200));
        }
        let part = u32::try_from(random.between(1, 64)).unwrap_or(1);
        bench
            .far()
            .advance(time / part + Duration::from_nanos(random.between(0, 999) as u64));
        if bell.try_take() {
            host(bench)?;
        } else {
            // Time for all that was sent to arrive: pending and not told means deaf.
            let pending = bench.pending();
            if pending >= burst {
                bench.pass(pending);
                ensure!(
                    bell.try_take(),
                    bench.line,
                    "{pending} frames are pending and no interrupt came: deaf (seed {SEED}, step {step})"
                );
                host(bench)?;
            }
        }
    }
    bench.pass(burst);
    if bell.try_take() {
        host(bench)?;
    }
    ensure!(
        bench.pending() == 0,
        bench.line,
        "{} frames are pending and no interrupt came: deaf (seed {SEED})",
        bench.pending()
    );
    disarm(bench)?;
    bench.audit()
}

/// What a task does when the bell rings.
fn host(bench: &mut Bench<'_>) -> Verdict {
    for _ in 0..ENDLESS {
        disarm(bench)?;
        while bench.receive_if_any()? {}
        if rearm(bench, Interest::RX)? == RearmOutcome::Armed {
            return Ok(());
        }
    }
    bench.fail("rearm says WorkPending for ever, and nothing is pending")
}

pub(super) fn disarmed_is_silent(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for _ in 0..3 {
        let bell = quiet(bench)?;
        disarm(bench)?;
        bench.peer_delivers(200);
        ensure!(
            !bell.is_signaled(),
            bench.line,
            "disarmed, a frame arrived, and an interrupt came"
        );
        bench.send(100)?;
        bench.peer_receives_all()?;
        ensure!(
            !bell.is_signaled(),
            bench.line,
            "disarmed, a frame was sent, and an interrupt came"
        );
        bench.receive_all()?;
        // Armed in between, so that there is something to mask.
        arm(bench, Interest::RX)?;
    }
    disarm(bench)?;
    bench.audit()
}

fn by_source(bench: &Bench<'_>) -> Verdict {
    if bench.far().masks_by_source() {
        Ok(())
    } else {
        Err(Unsupported("the chip cannot mask interrupts one by one (`masks_by_source`)").into())
    }
}

pub(super) fn only_what_is_of_interest_rings(bench: &mut Bench<'_>) -> Verdict {
    by_source(bench)?;
    bench.warm_up()?;
    let bell = quiet(bench)?;
    arm(bench, Interest::RX)?;
    bell.try_take();
    bench.send(200)?;
    bench.peer_receives_all()?;
    ensure!(
        !bell.is_signaled(),
        bench.line,
        "armed for frames, one was sent, and an interrupt came"
    );
    bench.peer_delivers(200);
    ensure!(
        bell.try_take(),
        line::REARM_1,
        "armed for frames, one came, and no interrupt"
    );
    let bell = quiet(bench)?;
    arm(bench, Interest::NONE)?;
    bench.peer_delivers(200);
    bench.send(200)?;
    bench.peer_receives_all()?;
    ensure!(
        !bell.is_signaled(),
        bench.line,
        "armed for nothing, and an interrupt came"
    );
    bench.receive_all()?;
    disarm(bench)?;
    bench.audit()
}

/// A host that waits for room with its own receive queue full must not be woken by frames that it cannot take.
pub(super) fn frames_do_not_ring_for_room(bench: &mut Bench<'_>) -> Verdict {
    by_source(bench)?;
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    let bell = quiet(bench)?;
    bench.fill_tx(300)?;
    bench.peer_delivers(200);
    disarm(bench)?;
    bell.try_take();
    let outcome = rearm(bench, Interest::TX)?;
    ensure!(
        outcome == RearmOutcome::Armed && !bell.is_signaled(),
        bench.line,
        "armed for room, there is none, a frame is pending: {outcome:?}, interrupt {}",
        bell.is_signaled()
    );
    if bench.rx_burst() > 1 {
        bench.peer_delivers(200);
        ensure!(
            !bell.is_signaled(),
            bench.line,
            "armed for room, a frame came, and an interrupt"
        );
    }
    bench.far().stall_tx(false)?;
    bench.pass(2);
    ensure!(
        bell.try_take(),
        line::REARM_1,
        "armed for room, room came, and no interrupt"
    );
    disarm(bench)?;
    bench.receive_all()?;
    bench.audit()
}
