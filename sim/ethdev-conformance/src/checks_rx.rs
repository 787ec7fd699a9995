//! Receiving: lines 1, 2, 3, 5, 6, 8 and 9 of the device's contract.

use ethdev::{ErrorClass, ErrorKind, MacAddress};

use super::bench::{Bench, Random, Verdict, blame, ensure, fail};
use super::fixture::Loss;
use super::line;
use ethdev_sim::fcs;

pub(super) fn rx_idle_is_none(bench: &mut Bench<'_>) -> Verdict {
    let limit = bench.far().frame_time();
    for len in [1514, 60, 1, 0] {
        for _ in 0..3 {
            let before = bench.far().now();
            let result = bench.dev.recv_frame(&mut vec![0; len]);
            match result {
                Ok(None) => {}
                Ok(Some(meta)) => return bench.fail(format!("a frame of {} bytes out of nothing", meta.len)),
                Err(e) => return bench.fail(format!("nothing pending, buffer of {len} bytes: {e:?}")),
            }
            if let (Ok(before), Ok(after)) = (before, bench.far().now()) {
                ensure!(
                    after.saturating_sub(before) <= limit,
                    bench.line,
                    "recv_frame took {:?} with nothing pending: it waits",
                    after.saturating_sub(before)
                );
            }
        }
    }
    if bench.dev.features().caller {
        let discarded = bench.dev.discard_frame();
        ensure!(
            !bench.ok("discard_frame", discarded)?,
            line::DEVICE_3,
            "discard_frame threw something away with nothing pending"
        );
    }
    bench.audit()
}

pub(super) fn rx_every_length(bench: &mut Bench<'_>) -> Verdict {
    let (min, max) = (bench.rx_min(), bench.rx_max());
    for len in Bench::lengths(min, max) {
        bench.peer_delivers(len);
        bench.receive()?;
    }
    bench.receive_nothing()?;
    bench.audit()
}

pub(super) fn rx_bursts_in_order(bench: &mut Bench<'_>) -> Verdict {
    let (burst, min, max) = (bench.rx_burst(), bench.rx_min(), bench.rx_max());
    let mut random = Random::new(2);
    for _ in 0..20 {
        for _ in 0..burst {
            bench.peer_sends(random.between(min, max));
        }
        bench.pass(burst);
        bench.receive_all()?;
    }
    bench.audit()
}

/// Whatever else the device receives, these it must.
pub(super) fn rx_own_address_and_broadcast(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let mut frame = bench.peer_frame(100);
    frame[..6].copy_from_slice(&MacAddress::BROADCAST.octets());
    bench.far().peer_send(&frame);
    bench.peer_sent(frame);
    bench.pass(1);
    bench.receive()?;
    bench.peer_delivers(100);
    bench.receive()?;
    bench.audit()
}

/// An 802.3 length field that says less than the frame has: what is behind it is passed on.
pub(super) fn rx_padding_as_it_came(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    for (length, len) in [(3, 60), (0, 60), (45, 60), (100, 1514), (0, 61)] {
        let len = bench.rx_max().min(len).max(bench.rx_min());
        let mut frame = bench.peer_frame(len);
        frame[12..14].copy_from_slice(&u16::to_be_bytes(length));
        bench.far().peer_send(&frame);
        bench.pass(1);
        let mut buf = vec![0; len + 64];
        let result = bench.dev.recv_frame(&mut buf);
        let Some(meta) = bench.ok("recv_frame", result)? else {
            return bench.fail(format!("a frame with length field {length} is not delivered"));
        };
        ensure!(
            buf[..meta.len] == frame[..],
            bench.line,
            "a frame of {len} bytes with length field {length} came as {} bytes",
            meta.len
        );
        bench.peer_sent(frame);
        bench.received(&buf[..meta.len])?;
    }
    bench.audit()
}

pub(super) fn rx_short_buffer(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (min, max) = (bench.rx_min(), bench.rx_max());
    let burst = bench.rx_burst().min(2);
    for len in [min, min + 1, max.min(300), max] {
        for short in [0, 1, 13, 14, len / 2, len - 1]
            .into_iter()
            .filter(|&short| short < len)
        {
            for _ in 0..burst {
                bench.peer_sends(len);
            }
            bench.pass(burst);
            for attempt in 0..2 {
                let result = bench.dev.recv_frame(&mut vec![0; short]);
                match result {
                    Err(ErrorKind::BufferTooSmall { needed }) if needed == len => {}
                    other => {
                        return bench.fail(format!(
                            "try {attempt}, {len} bytes pending, buffer of {short}: {other:?} instead of BufferTooSmall {{ needed: {len} }}"
                        ));
                    }
                }
            }
            // Exactly the length that was asked for has to do.
            let mut buf = vec![0; len];
            let result = bench.dev.recv_frame(&mut buf);
            let expected = bench.next_expected().cloned().unwrap_or_default();
            match result {
                Ok(Some(meta)) if meta.len == len && buf == expected => bench.received(&buf)?,
                Ok(Some(_)) => return bench.fail(format!("after a buffer of {short} bytes, not the same frame came")),
                other => return bench.fail(format!("after a buffer of {short} bytes, the frame is gone: {other:?}")),
            }
            bench.receive_all()?;
        }
    }
    bench.audit()
}

pub(super) fn discard_skips_one(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let burst = bench.rx_burst().min(3);
    for after_short in [false, true] {
        let before = bench.stats().rx_discarded;
        for _ in 0..burst {
            bench.peer_sends(200);
        }
        bench.pass(burst);
        if after_short {
            let result = bench.dev.recv_frame(&mut [0; 20]);
            ensure!(
                matches!(result, Err(ErrorKind::BufferTooSmall { .. })),
                bench.line,
                "short buffer: {result:?}"
            );
        }
        let result = bench.dev.discard_frame();
        if !bench.ok("discard_frame", result)? {
            return bench.fail("discard_frame found nothing, a frame is pending");
        }
        bench.give_up_next();
        let discarded = bench.stats().rx_discarded.wrapping_sub(before);
        ensure!(
            discarded == 1,
            line::DEVICE_9,
            "one frame was discarded, rx_discarded grew by {discarded}"
        );
        blame(bench.line, bench.receive_all())?;
    }
    bench.audit()
}

pub(super) fn rx_while_tx_full(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    bench.fill_tx(1000)?;
    for _ in 0..20 {
        bench.peer_delivers(500);
        match bench.receive_if_any() {
            Ok(true) => {}
            Ok(false) => return bench.fail("with the transmit queue full, nothing is received"),
            Err(stop) => return Err(stop),
        }
    }
    bench.far().stall_tx(false)?;
    bench.audit()
}

/// More than the device can hold, for long.
pub(super) fn rx_flood(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.allow_rx_gaps();
    let frames = 4 * usize::from(bench.caps.rx_queue_frames) + 300;
    let mut random = Random::new(8);
    let (min, max) = (bench.rx_min(), bench.rx_max().min(1514));
    for n in 0..frames {
        bench.peer_sends(random.between(min, max));
        bench.pass(1);
        if n % 50 == 49 {
            bench.service()?;
        }
    }
    bench.service()?;
    bench.drain_with_gaps()?;
    let overrun = bench.stats().rx_overrun;
    ensure!(
        overrun == 0 || bench.loss_told,
        line::EVENTS,
        "{overrun} frames were overrun, and service never said rx_dropped"
    );
    bench.service()?;
    ensure!(
        !bench.service()?.rx_dropped,
        line::EVENTS,
        "service says rx_dropped again and again for the same frames"
    );
    for _ in 0..10 {
        bench.peer_delivers(700.min(max));
        if !bench.receive_if_any()? {
            return bench.fail("after a flood, nothing is received any more");
        }
    }
    bench.audit()
}

/// What is no good frame is not delivered, is counted, and does not hold up the next good one.
pub(super) fn rx_bad_frames(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let min = bench.rx_min();
    let giant = bench.rx_max().max(bench.far().medium_max_frame_len()) + 1;
    let mut bad = vec![];
    for (len, at) in [(min, 0), (200, 0), (200, 100), (200, 203), (1000, 1001)] {
        let mut bytes = fcs::append(&bench.peer_frame(len));
        bytes[at] ^= 0x10;
        bad.push((format!("{len} bytes with byte {at} corrupted"), bytes));
    }
    for len in [1, 6, 13, 14, 30, min - 1].into_iter().filter(|&len| len < min) {
        let bytes = fcs::append(&bench.peer_frame(len));
        bad.push((format!("a runt of {len} bytes"), bytes));
    }
    bad.push(("three bytes of noise".into(), vec![0x55, 0x55, 0xd5]));
    for len in [giant, giant + 3, giant + 4, 2 * giant, 9018.max(giant)] {
        let bytes = fcs::append(&bench.peer_frame(len));
        bad.push((format!("a giant of {len} bytes"), bytes));
    }
    for (what, bytes) in bad {
        bench.far().peer_send_raw(&bytes)?;
        bench.peer_sent_in_vain();
        bench.pass(1 + bytes.len() / 1514);
        swallow(bench, &what)?;
        bench.peer_delivers(300.max(min));
        if let Err(stop) = bench.receive() {
            let super::bench::Stop::Fail { reason, .. } = stop else {
                return Err(stop);
            };
            return bench.fail(format!("after {what}, a good frame: {reason}"));
        }
    }
    bench.audit()
}

/// Asks until nothing is pending. Bad frames may show as errors of the wire, never as frames.
fn swallow(bench: &mut Bench<'_>, what: &str) -> Verdict {
    let mut buf = vec![0; bench.rx_max() + 64];
    for _ in 0..4 {
        let result = bench.dev.recv_frame(&mut buf);
        match result {
            Ok(None) => return Ok(()),
            Ok(Some(meta)) => {
                bench.not_again(&buf[..meta.len])?;
                return bench.fail(format!("{what}: delivered as a frame of {} bytes", meta.len));
            }
            Err(e) if e.class() == ErrorClass::Wire => {}
            Err(e) => return bench.fail(format!("{what}: {e:?}")),
        }
    }
    bench.fail(format!("{what}: an error for ever"))
}

/// Lengths that the chip cannot mean.
pub(super) fn rx_forged_lengths(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let over = bench.rx_max().max(bench.far().medium_max_frame_len()) + 1;
    for len in [0, 1, 3, 4, 13, over, over + 4, 2047, 4095, 0x7fff, 0xffff] {
        if (14..over).contains(&len) {
            continue;
        }
        bench.far().override_rx_len(len)?;
        let frame = bench.peer_frame(400);
        bench.far().peer_send(&frame);
        bench.peer_sent_in_vain();
        bench.pass(1);
        let mut buf = vec![0; bench.rx_max() + 64];
        for _ in 0..8 {
            let result = bench.dev.recv_frame(&mut buf);
            match result {
                Ok(None) => break,
                Ok(Some(meta)) => {
                    bench.not_again(&buf[..meta.len])?;
                    fail!(
                        bench.line,
                        "the chip says {len} bytes, the driver delivers {}",
                        meta.len
                    )
                }
                Err(ErrorKind::Fault) => recover(bench)?,
                Err(_) => {}
            }
            // A driver may have to find its place in the chip's memory again.
            let _ = bench.dev.service();
            bench.pass(1);
        }
        bench.wait_link(true)?;
        bench.peer_delivers(300);
        if !bench.receive_if_any()? {
            return bench.fail(format!(
                "after the chip said {len} bytes, a good frame is not delivered"
            ));
        }
    }
    bench.audit()
}

fn recover(bench: &mut Bench<'_>) -> Verdict {
    let result = match bench.dev.control() {
        Some(mut control) => control.recover(),
        None => {
            return Err(super::bench::Stop::Skip(
                "the device asks to be recovered: see `control`".into(),
            ));
        }
    };
    result.or_else(|e| bench.fail(format!("recover failed: {e}")))
}

/// A seeded mixture of everything, with the books closed at the end.
pub(super) fn every_frame_is_counted(bench: &mut Bench<'_>) -> Verdict {
    const SEED: u64 = 0x9;
    bench.warm_up()?;
    let mut random = Random::new(SEED);
    let (min, max) = (bench.rx_min(), bench.rx_max().min(1514));
    let tx_max = bench.tx_max().min(1514);
    let (burst, caller) = (bench.rx_burst(), bench.dev.features().caller);
    let mut last = bench.stats();
    for step in 0..1500 {
        match random.between(0, 9) {
            0..=2 if bench.pending() < burst => bench.peer_delivers(random.between(min, max)),
            3 | 4 => {
                bench.receive_if_any()?;
            }
            5 if caller && bench.pending() > 0 => {
                let result = bench.dev.recv_frame(&mut vec![0; random.between(0, min - 1)]);
                ensure!(
                    matches!(result, Err(ErrorKind::BufferTooSmall { .. })),
                    line::DEVICE_3,
                    "short buffer, a frame is pending: {result:?} (seed {SEED}, step {step})"
                );
            }
            6 if caller && bench.pending() > 0 && random.between(0, 3) == 0 => {
                let result = bench.dev.discard_frame();
                if bench.ok("discard_frame", result)? {
                    bench.give_up_next();
                }
            }
            7 => match bench.try_send(random.between(14, tx_max)) {
                Ok(()) | Err(ErrorKind::Busy) => {}
                Err(e) => return bench.fail(format!("send: {e:?} (seed {SEED}, step {step})")),
            },
            8 => {
                bench.service()?;
            }
            _ => {
                bench.pass(1);
                bench.peer_receives()?;
            }
        }
        let now = bench.stats();
        for ((name, before), (_, after)) in last.iter().zip(now.iter()) {
            ensure!(
                after.wrapping_sub(before) < u32::MAX / 2,
                bench.line,
                "the counter {name} went from {before} to {after} (seed {SEED}, step {step})"
            );
        }
        last = now;
    }
    bench.audit()?;
    let overrun = bench.stats().rx_overrun;
    ensure!(
        overrun == 0 || bench.far().unreported().contains(&Loss::Overrun),
        line::CAPABILITIES,
        "{overrun} frames were overrun, though never more than rx_queue_frames were pending"
    );
    Ok(())
}

pub(super) fn rx_capacity(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (frames, max) = (usize::from(bench.caps.rx_queue_frames), bench.rx_max());
    if frames == 0 {
        return Err(super::bench::Stop::Skip(
            "the device does not know its rx_queue_frames".into(),
        ));
    }
    for round in 0..3 {
        bench.allow_rx_gaps();
        for _ in 0..frames {
            bench.peer_delivers(max);
        }
        for n in 0..frames {
            if !bench.receive_if_any()? {
                return bench.fail(format!(
                    "round {round}: rx_queue_frames is {frames}, of that many frames {n} were delivered"
                ));
            }
        }
    }
    bench.audit()
}

/// A device that takes the IP MTU for the frame length says too little.
pub(super) fn frame_lengths(bench: &mut Bench<'_>) -> Verdict {
    let medium = bench.far().medium_max_frame_len();
    for (what, len) in [("rx", bench.rx_max()), ("tx", bench.tx_max())] {
        ensure!(
            len >= medium,
            bench.line,
            "{what}_max_frame_len is {len}, the medium carries frames of {medium} bytes{}",
            if len + 14 == medium { ": that is the IP MTU" } else { "" }
        );
    }
    bench.peer_delivers(medium);
    bench.receive()?;
    bench.send(medium)?;
    bench.audit()
}
