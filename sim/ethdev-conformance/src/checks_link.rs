//! The link, cached values, events and faults: lines 7 and 10 of the device's contract, and its edges.

use ethdev::{Error, ErrorClass, ErrorKind};

use super::bench::{Bench, Stop, Verdict, ensure};
use super::line;

pub(super) fn cached_values_cost_nothing(bench: &mut Bench<'_>) -> Verdict {
    let before = bench.far().accesses()?;
    for _ in 0..100 {
        let dev = &*bench.dev;
        let _ = (dev.mac_address(), dev.capabilities(), dev.link(), dev.stats());
    }
    let accesses = bench.far().accesses()? - before;
    ensure!(
        accesses == 0,
        bench.line,
        "100 rounds of cached values made {accesses} accesses to the chip"
    );
    Ok(())
}

pub(super) fn link_is_cached(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(false)?;
    for _ in 0..5 {
        bench.pass(100);
        ensure!(
            bench.dev.link().is_up(),
            bench.line,
            "link() changed without service, recv_frame or send"
        );
    }
    Ok(())
}

pub(super) fn link_down_refuses(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.warm_up()?;
    for _ in 0..3 {
        bench.far().set_link(false)?;
        bench.wait_link(false)?;
        for len in [14, 60, 1000] {
            let result = bench.try_send(len);
            ensure!(
                result == Err(ErrorKind::LinkDown),
                bench.line,
                "link down, a send is {result:?} instead of LinkDown"
            );
        }
        if bench.dev.features().ready_knows_link {
            let ready = bench.dev.tx_ready();
            ensure!(
                ready == Ok(false),
                bench.line,
                "link down, tx_ready is {ready:?} instead of Ok(false)"
            );
        }
        let events = bench.service()?;
        ensure!(!events.tx_ready, line::EVENTS, "link down, and service says tx_ready");
        bench.far().set_link(true)?;
        bench.wait_link(true)?;
        // What was refused must not come now.
        bench.pass(10);
        bench.peer_receives()?;
        bench.send(300)?;
        bench.peer_receives_all()?;
        bench.peer_delivers(300);
        bench.receive()?;
    }
    bench.audit()
}

/// What had arrived before the link went down is there still; then there is nothing.
pub(super) fn link_down_keeps_what_arrived(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.warm_up()?;
    let burst = bench.rx_burst().min(4);
    for _ in 0..burst {
        bench.peer_delivers(200);
    }
    bench.far().set_link(false)?;
    bench.wait_link(false)?;
    for n in 0..burst {
        if !bench.receive_if_any()? {
            return bench.fail(format!(
                "{burst} frames had arrived when the link went down, {n} are delivered"
            ));
        }
    }
    bench.receive_nothing()?;
    bench.far().set_link(true)?;
    bench.wait_link(true)?;
    bench.audit()
}

/// A cable cut with frames in the transmit queue: they go out, or are counted.
pub(super) fn link_cut_while_sending(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    bench.allow_tx_gaps();
    for _ in 0..3 {
        bench.fill_tx(600)?;
        bench.far().set_link(false)?;
        bench.wait_link(false)?;
        bench.far().stall_tx(false)?;
        for _ in 0..4 {
            bench.pass(4);
            bench.service()?;
        }
        bench.far().set_link(true)?;
        bench.wait_link(true)?;
        bench.peer_receives_all()?;
    }
    bench.send(500)?;
    bench.audit()
}

pub(super) fn link_changes_are_told(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.warm_up()?;
    let before = bench.stats().link_changes;
    let mut up = true;
    for change in 1..=10 {
        up = !up;
        bench.far().set_link(up)?;
        let mut told = false;
        for _ in 0..1000 {
            let was = bench.dev.link();
            let events = bench.service()?;
            let changed = bench.dev.link() != was;
            ensure!(
                events.link_changed == changed,
                bench.line,
                "service says link_changed {}, link() changed: {changed}",
                events.link_changed
            );
            told |= changed;
            if bench.dev.link().is_up() == up {
                break;
            }
            bench.pass(5);
        }
        ensure!(told, bench.line, "change {change} of the link is not told");
    }
    let counted = bench.stats().link_changes.wrapping_sub(before);
    ensure!(
        counted >= 10,
        line::DEVICE_9,
        "10 changes of the link, counted {counted}"
    );
    bench.audit()
}

pub(super) fn events_are_true(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let burst = bench.rx_burst().min(4);
    let mut completed = 0;
    let start = bench.stats();
    for _ in 0..10 {
        let events = bench.service()?;
        completed += usize::from(events.tx_completed);
        ensure!(!events.rx_pending, bench.line, "rx_pending with nothing pending");
        ensure!(!events.link_changed, bench.line, "link_changed, and it did not");
        ensure!(
            events.tx_ready,
            bench.line,
            "the transmit queue is empty, and service does not say tx_ready"
        );
        let result = bench.try_send(100);
        ensure!(result.is_ok(), bench.line, "after tx_ready, send is {result:?}");
        for _ in 0..burst {
            bench.peer_delivers(200);
        }
        for left in (1..=burst).rev() {
            for _ in 0..2 {
                let events = bench.service()?;
                completed += usize::from(events.tx_completed);
                ensure!(
                    events.rx_pending,
                    bench.line,
                    "{left} frames are pending, and service does not say rx_pending"
                );
            }
            bench.receive()?;
        }
        bench.peer_receives_all_counting(&mut completed)?;
    }
    let sent = bench.stats().delta_since(&start).tx_frames as usize;
    ensure!(
        completed == sent || completed == 0,
        bench.line,
        "{sent} frames were sent, service confirmed {completed}"
    );
    bench.audit()
}

/// Something that says what is wrong with the device, not with the caller.
fn is_fault(kind: ErrorKind) -> bool {
    matches!(kind.class(), ErrorClass::Device | ErrorClass::Bus | ErrorClass::Wire)
}

pub(super) fn fault_is_an_error(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.far().inject_fault()?;
    let frame = bench.own_frame(100);
    for _ in 0..8 {
        bench.peer_sends(200);
        bench.pass(1);
        let recv = bench.dev.recv_frame(&mut vec![0; 2048]).map(|_| ());
        let send = bench.dev.send_frame(&frame);
        let service = bench.dev.service();
        if service.is_ok_and(|events| events.recovered) || bench.stats().recoveries > 0 {
            return Ok(());
        }
        for result in [recv, send, service.map(|_| ())] {
            match result {
                Err(ErrorKind::Fault) => return fault_stays(bench, &frame),
                Err(e) if is_fault(e) => return Ok(()),
                Err(e) if !e.is_busy() => return bench.fail(format!("a fault shows as {e:?}")),
                _ => {}
            }
        }
    }
    bench.fail("a fault of the chip is neither reported as an error nor recovered from")
}

/// The last row of the table of edges.
fn fault_stays(bench: &mut Bench<'_>, frame: &[u8]) -> Verdict {
    let mut results = vec![
        ("recv_frame", bench.dev.recv_frame(&mut vec![0; 2048]).map(|_| ())),
        ("send_frame", bench.dev.send_frame(frame)),
    ];
    if bench.dev.features().ready_knows_link {
        results.push(("tx_ready", bench.dev.tx_ready().map(|_| ())));
    }
    for (what, result) in results {
        if result != Err(ErrorKind::Fault) {
            return bench.fail(format!("after Fault, {what} is {result:?} instead of Fault"));
        }
    }
    Ok(())
}

pub(super) fn bus_error_is_an_error(bench: &mut Bench<'_>) -> Verdict {
    bench.far().fail_bus(false)?;
    bench.warm_up()?;
    bench.allow_tx_gaps();
    bench.peer_delivers(200);
    let frame = bench.own_frame(100);
    bench.far().fail_bus(true)?;
    for _ in 0..3 {
        let results = [
            ("recv_frame", bench.dev.recv_frame(&mut vec![0; 2048]).map(|_| ())),
            ("send_frame", bench.dev.send_frame(&frame)),
            ("service", bench.dev.service().map(|_| ())),
        ];
        for (what, result) in results {
            match result {
                Err(e) if is_fault(e.kind()) => {}
                other => return bench.fail(format!("the bus is broken, {what} is {other:?}")),
            }
        }
    }
    bench.far().fail_bus(false)?;
    // Either may need a recovery, which is another check's matter.
    if bench.dev.service() == Err(ErrorKind::Fault) {
        return Err(Stop::Skip("the device asks to be recovered: see `control`".into()));
    }
    bench.drain_with_gaps()?;
    bench.wait_link(true)?;
    bench.peer_delivers(200);
    if !bench.receive_if_any()? {
        return bench.fail("the bus works again, and nothing is received");
    }
    bench.audit()
}
