//! Sending: lines 2, 4, 5 and 6 of the device's contract.

use ethdev::ErrorKind;

use super::bench::{Bench, ENDLESS, Stop, Verdict, ensure};
use super::line;

pub(super) fn tx_every_length(bench: &mut Bench<'_>) -> Verdict {
    for len in Bench::lengths(14, bench.tx_max()) {
        bench.send(len)?;
        bench.pass(1);
        bench.peer_receives()?;
    }
    bench.peer_receives_all()?;
    bench.audit()
}

pub(super) fn tx_bursts_in_order(bench: &mut Bench<'_>) -> Verdict {
    let max = bench.tx_max().min(1514);
    for round in 0..20 {
        for n in 0..32 {
            bench.send(14 + (round * 397 + n * 131) % (max - 13))?;
        }
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn tx_gathers_parts(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let max = bench.tx_max().min(1514);
    for size in [1, 2, 3, 7, 14, 64, 500] {
        for len in [14, 60, 61, 333, max] {
            let frame = bench.own_frame(len);
            // Empty parts at both ends and between.
            let parts: Vec<&[u8]> = std::iter::once(&[][..])
                .chain(frame.chunks(size).flat_map(|part| [part, &[]]))
                .collect();
            let result = bench.dev.send_vectored(&parts);
            match result {
                Ok(()) => {}
                other => {
                    return bench.fail(format!(
                        "{len} bytes in parts of {size}, with empty ones between: {other:?}"
                    ));
                }
            }
            bench.accepted(frame);
            bench.peer_receives_all()?;
        }
    }
    for parts in [&[][..], &[&[][..]], &[&[][..], &[]]] {
        let result = bench.dev.send_vectored(parts);
        ensure!(
            result == Err(ErrorKind::FrameTooShort),
            line::DEVICE_6,
            "{} empty parts: {result:?} instead of FrameTooShort",
            parts.len()
        );
    }
    bench.audit()
}

/// After long frames, so that what is left of them in the chip's memory shows.
pub(super) fn tx_pads_with_zeros(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let min = bench.far().medium_min_frame_len();
    ensure!(
        bench.caps.tx_min_frame_len >= min || min == 14,
        line::CAPABILITIES,
        "tx_min_frame_len is {}, the medium has a minimum of {min}",
        bench.caps.tx_min_frame_len
    );
    for len in (14..=61).chain([14; 32]) {
        bench.send(bench.tx_max().min(1000))?;
        bench.send(len)?;
        bench.pass(2);
        bench.peer_receives()?;
    }
    bench.audit()
}

pub(super) fn tx_illegal_lengths(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    illegal_lengths(bench, "idle")?;
    bench.audit()
}

pub(super) fn tx_illegal_lengths_when_full(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    bench.fill_tx(200)?;
    illegal_lengths(bench, "full")?;
    bench.far().stall_tx(false)?;
    bench.audit()
}

pub(super) fn tx_illegal_lengths_link_down(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.warm_up()?;
    bench.far().set_link(false)?;
    bench.wait_link(false)?;
    illegal_lengths(bench, "link down")?;
    bench.far().set_link(true)?;
    bench.wait_link(true)?;
    bench.audit()
}

/// Each is refused for what it is, and nothing goes out, which closing the books finds.
pub(super) fn illegal_lengths(bench: &mut Bench<'_>, state: &str) -> Verdict {
    let (said, medium) = (bench.tx_max(), bench.far().medium_max_frame_len());
    let max = said.max(medium);
    for len in (0..14).chain([max + 1, max + 2, max + 4, max + 100, 2 * max, 0x1_0000 + max]) {
        let frame = bench.own_frame(len);
        let halves = frame.split_at(len / 2);
        for result in [
            bench.dev.send_frame(&frame),
            bench.dev.send_vectored(&[halves.0, halves.1]),
        ] {
            match result {
                Err(ErrorKind::FrameTooShort) if len < 14 => {}
                Err(ErrorKind::FrameTooLong { max }) if len > 14 => ensure!(
                    max == said,
                    line::CAPABILITIES,
                    "FrameTooLong says {max}, tx_max_frame_len is {said}"
                ),
                other => {
                    return bench.fail(format!("{state}, a frame of {len} bytes: {other:?}"));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn tx_busy_loses_nothing(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    for len in [14, 600, bench.tx_max()] {
        let room = bench.fill_tx(len)?;
        ensure!(
            room > 0,
            bench.line,
            "an empty transmit queue takes no frame of {len} bytes"
        );
        for _ in 0..3 {
            let result = bench.try_send(len);
            ensure!(
                result == Err(ErrorKind::Busy),
                bench.line,
                "with no room, send is {result:?} instead of Busy"
            );
            if bench.dev.features().caller {
                let ready = bench.dev.tx_ready();
                ensure!(
                    ready == Ok(false),
                    bench.line,
                    "tx_ready is {ready:?}, and send is Busy"
                );
            }
            bench.pass(1);
            let events = bench.service()?;
            ensure!(
                !events.tx_ready,
                line::EVENTS,
                "service says tx_ready, and send is Busy"
            );
        }
        bench.far().stall_tx(false)?;
        bench.peer_receives_all()?;
        // What was refused can be sent now.
        bench.send(len)?;
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn tx_ready_keeps_its_word(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    let max = bench.tx_max();
    for lengths in [[max, max], [14, max], [60, 1000.min(max)]] {
        bench.far().stall_tx(true)?;
        let mut sent = 0;
        loop {
            let ready = bench.dev.tx_ready();
            if !bench.ok("tx_ready", ready)? {
                break;
            }
            let len = lengths[sent % 2];
            if let Err(e) = bench.try_send(len) {
                return bench.fail(format!(
                    "tx_ready was true, then the send of {len} bytes is {e:?} ({sent} frames are queued)"
                ));
            }
            sent += 1;
            ensure!(sent < ENDLESS, bench.line, "tx_ready for ever, while nothing goes out");
            bench.pass(1);
        }
        ensure!(
            sent > 0,
            bench.line,
            "tx_ready is false with an empty queue and the link up"
        );
        bench.far().stall_tx(false)?;
        bench.peer_receives_all()?;
        let ready = bench.dev.tx_ready();
        ensure!(
            ready == Ok(true),
            bench.line,
            "tx_ready is {ready:?} with an empty queue and the link up"
        );
    }
    bench.audit()
}

pub(super) fn tx_owns_the_bytes(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    bench.far().stall_tx(true)?;
    let frame = bench.own_frame(500);
    let mut memory = frame.clone();
    let result = bench.dev.send_frame(&memory);
    bench.ok("send_frame", result)?;
    ensure!(memory == frame, bench.line, "send_frame changed the caller's bytes");
    memory.fill(0);
    drop(memory);
    bench.accepted(frame);
    bench.far().stall_tx(false)?;
    bench.audit()
}

pub(super) fn tx_while_rx_full(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.allow_rx_gaps();
    let frames = 2 * usize::from(bench.caps.rx_queue_frames) + 100;
    for _ in 0..frames {
        bench.peer_delivers(1000);
    }
    for n in 0..20 {
        let mut result = Err(ErrorKind::Busy);
        for _ in 0..16 {
            result = bench.try_send(400);
            if result != Err(ErrorKind::Busy) {
                break;
            }
            bench.pass(1);
            bench.service()?;
        }
        ensure!(
            result.is_ok(),
            bench.line,
            "with the receive queue full, send number {n} is {result:?}"
        );
        bench.pass(1);
    }
    bench.peer_receives_all()?;
    bench.drain_with_gaps()?;
    bench.audit()
}

pub(super) fn tx_capacity(bench: &mut Bench<'_>) -> Verdict {
    let frames = usize::from(bench.caps.tx_queue_frames);
    if frames == 0 {
        return Err(Stop::Skip("the device does not know its tx_queue_frames".into()));
    }
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    for round in 0..3 {
        let room = bench.fill_tx(bench.tx_max())?;
        ensure!(
            room >= frames,
            bench.line,
            "round {round}: tx_queue_frames is {frames}, after {room} frames it is Busy"
        );
        bench.far().stall_tx(false)?;
        bench.peer_receives_all()?;
    }
    bench.audit()
}
