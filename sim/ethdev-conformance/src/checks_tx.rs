//! Transmission: requirements device.2, 4, 5 and 6.

use ethdev::{ErrorKind, LossReason};

use super::frames::Random;
use super::outcome::{CheckError, CheckResult, ensure};
use super::requirement;
use super::testbed::{MAX_TX_QUEUE, Testbed};

pub(super) fn send_frame_any_length_byte_exact(testbed: &mut Testbed<'_>) -> CheckResult {
    for len in Testbed::lengths(14, testbed.tx_max()) {
        testbed.send(len)?;
        testbed.advance_frames(1);
        testbed.peer_receives()?;
    }
    testbed.peer_receives_all()?;
    testbed.check_accounting()
}

pub(super) fn send_frame_bursts_in_order(testbed: &mut Testbed<'_>) -> CheckResult {
    let max = testbed.tx_max().min(1514);
    for round in 0..20 {
        for n in 0..32 {
            testbed.send(14 + (round * 397 + n * 131) % (max - 13))?;
        }
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn send_vectored_any_parts_concatenated(testbed: &mut Testbed<'_>) -> CheckResult {
    const SEED: u64 = 0x6a;
    testbed.warm_up()?;
    let max = testbed.tx_max().min(1514);
    for size in [1, 2, 3, 7, 14, 64, 500] {
        for len in [14, 60, 61, 333, max] {
            let frame = testbed.own_frame(len);
            // Empty parts at both ends and between.
            let parts: Vec<&[u8]> = std::iter::once(&[][..])
                .chain(frame.chunks(size).flat_map(|part| [part, &[]]))
                .collect();
            send_parts(testbed, &frame, &parts)?;
        }
    }
    // As stacks compose frames: the header, or each field of the headers, then the body.
    for len in [42, 60, 61, 62, 63, 64, 590, max] {
        for fields in [
            &[14][..],
            &[6, 6, 2],
            &[6, 6, 2, 1, 1, 2, 2, 2, 1, 1, 2, 4, 4],
            &[12, 2, 20, 8],
        ] {
            let frame = testbed.own_frame(len);
            let mut rest = &frame[..];
            let mut parts = vec![];
            for &field in fields {
                let (part, tail) = rest.split_at(field.min(rest.len()));
                parts.push(part);
                rest = tail;
            }
            parts.push(rest);
            send_parts(testbed, &frame, &parts)?;
        }
    }
    let mut random = Random::new(SEED);
    for _ in 0..60 {
        let frame = testbed.own_frame(random.between(14, max));
        let mut rest = &frame[..];
        let mut parts = vec![];
        while !rest.is_empty() {
            let most = [0, 1, 3, 9, 70, 1514][random.between(0, 5)];
            let (part, tail) = rest.split_at(random.between(0, most).min(rest.len()));
            parts.push(part);
            rest = tail;
        }
        send_parts(testbed, &frame, &parts)?;
    }
    for parts in [&[][..], &[&[][..]], &[&[][..], &[]]] {
        let result = testbed.dev.send_vectored(parts);
        ensure!(
            result == Err(ErrorKind::FrameTooShort),
            requirement::DEVICE_6,
            "{} empty parts: {result:?} instead of FrameTooShort",
            parts.len()
        );
    }
    testbed.check_accounting()
}

/// Sends `frame` in these parts, and the peer receives it.
fn send_parts(testbed: &mut Testbed<'_>, frame: &[u8], parts: &[&[u8]]) -> CheckResult {
    let result = testbed.dev.send_vectored(parts);
    if let Err(e) = result {
        let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
        return testbed.fail(format!("send_vectored of parts of {lengths:?} bytes: {e:?}"));
    }
    testbed.accepted(frame.to_vec());
    testbed.peer_receives_all()
}

/// Thousands of frames that the peer takes meanwhile.
pub(super) fn tx_ready_long_run_send_not_busy(testbed: &mut Testbed<'_>) -> CheckResult {
    const FRAMES: usize = 3000;
    testbed.warm_up()?;
    let mut random = Random::new(0x6b);
    let (mut sent, mut waits) = (0, 0);
    while sent < FRAMES {
        let ready = testbed.dev.tx_ready();
        let ready = testbed.ok("tx_ready", ready)?;
        if ready {
            let len = random.between(14, 300);
            let result = testbed.try_send(len);
            ensure!(
                result.is_ok(),
                testbed.requirement,
                "frame {sent} of {FRAMES}, after tx_ready: expected send to succeed, found {result:?}"
            );
            (sent, waits) = (sent + 1, 0);
        }
        if !ready || random.between(0, 9) == 0 {
            waits += 1;
            ensure!(
                waits < 256,
                testbed.requirement,
                "the peer receives every frame: expected tx_ready to become true, it stays false"
            );
            testbed.advance_frames(1);
            testbed.service()?;
            testbed.peer_receives()?;
        }
    }
    testbed.peer_receives_all()?;
    testbed.check_accounting()
}

/// After long frames, so that remains of them in the chip's memory are found.
pub(super) fn send_frame_short_padded_with_zeros(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let min = testbed.peer().medium_min_frame_len();
    ensure!(
        testbed.caps.tx_min_frame_len >= min || min == 14,
        requirement::CAPABILITIES,
        "tx_min_frame_len is {}, the medium has a minimum of {min}",
        testbed.caps.tx_min_frame_len
    );
    for len in (14..=61).chain([14; 32]) {
        testbed.send(testbed.tx_max().min(1000))?;
        testbed.send(len)?;
        testbed.advance_frames(2);
        testbed.peer_receives()?;
    }
    testbed.check_accounting()
}

pub(super) fn send_frame_illegal_length_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    illegal_lengths(testbed, "idle")?;
    testbed.check_accounting()
}

pub(super) fn send_frame_illegal_length_queue_full_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.fill_tx(200)?;
    illegal_lengths(testbed, "full")?;
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

pub(super) fn send_frame_illegal_length_link_down_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    testbed.peer().set_link(false)?;
    testbed.wait_link(false)?;
    illegal_lengths(testbed, "link down")?;
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    testbed.check_accounting()
}

/// Each is rejected with its kind. The accounting finds frames that were sent.
pub(super) fn illegal_lengths(testbed: &mut Testbed<'_>, state: &str) -> CheckResult {
    // As of now: a device on an interface of the operating system adopts its lengths at a start.
    let declared = testbed.dev.tx_max_frame_len().bytes();
    let max = declared.max(testbed.peer().medium_max_frame_len());
    for len in (0..14).chain([max + 1, max + 2, max + 4, max + 100, 2 * max, 0x1_0000 + max]) {
        let frame = testbed.own_frame(len);
        let halves = frame.split_at(len / 2);
        for result in [
            testbed.dev.send_frame(&frame),
            testbed.dev.send_vectored(&[halves.0, halves.1]),
        ] {
            match result {
                Err(ErrorKind::FrameTooShort) if len < 14 => {}
                Err(ErrorKind::FrameTooLong { max }) if len > 14 => ensure!(
                    max == declared,
                    requirement::CAPABILITIES,
                    "FrameTooLong: expected max = {declared} as in tx_max_frame_len, found {max}"
                ),
                other => {
                    return testbed.fail(format!("{state}, a frame of {len} bytes: {other:?}"));
                }
            }
        }
    }
    Ok(())
}

pub(super) fn send_frame_queue_full_busy_nothing_lost(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    for len in [14, 600, testbed.tx_max()] {
        let room = testbed.fill_tx(len)?;
        ensure!(
            room > 0,
            testbed.requirement,
            "an empty transmit queue takes no frame of {len} bytes"
        );
        for _ in 0..3 {
            let result = testbed.try_send(len);
            ensure!(
                result == Err(ErrorKind::Busy),
                testbed.requirement,
                "transmit queue full: expected Busy, found {result:?}"
            );
            if testbed.dev.features().caller {
                let ready = testbed.dev.tx_ready();
                ensure!(
                    ready == Ok(false),
                    testbed.requirement,
                    "send returns Busy: expected tx_ready = false, found {ready:?}"
                );
            }
            testbed.advance_frames(1);
            let events = testbed.service()?;
            ensure!(
                !events.tx_ready,
                requirement::EVENTS,
                "send returns Busy: expected no tx_ready, service reports it"
            );
        }
        testbed.peer().stall_tx(false)?;
        testbed.peer_receives_all()?;
        // The rejected frame can be sent now.
        testbed.send(len)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn tx_ready_true_send_not_busy(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let max = testbed.tx_max();
    for lengths in [[max, max], [14, max], [60, 1000.min(max)]] {
        testbed.peer().stall_tx(true)?;
        let mut sent = 0;
        loop {
            let ready = testbed.dev.tx_ready();
            if !testbed.ok("tx_ready", ready)? {
                break;
            }
            let len = lengths[sent % 2];
            if let Err(e) = testbed.try_send(len) {
                return testbed.fail(format!(
                    "tx_ready was true, then the send of {len} bytes is {e:?} ({sent} frames are queued)"
                ));
            }
            sent += 1;
            ensure!(
                sent < MAX_TX_QUEUE,
                testbed.requirement,
                "transmitter stalled: expected tx_ready to become false, it never did"
            );
            testbed.advance_frames(1);
        }
        ensure!(
            sent > 0,
            testbed.requirement,
            "tx_ready is false with an empty queue and the link up"
        );
        testbed.peer().stall_tx(false)?;
        testbed.peer_receives_all()?;
        let ready = testbed.dev.tx_ready();
        ensure!(
            ready == Ok(true),
            testbed.requirement,
            "tx_ready is {ready:?} with an empty queue and the link up"
        );
    }
    testbed.check_accounting()
}

pub(super) fn send_frame_buffer_reused_frame_unchanged(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.peer().stall_tx(true)?;
    let frame = testbed.own_frame(500);
    let mut memory = frame.clone();
    let result = testbed.dev.send_frame(&memory);
    testbed.ok("send_frame", result)?;
    ensure!(
        memory == frame,
        testbed.requirement,
        "send_frame changed the caller's bytes"
    );
    memory.fill(0);
    drop(memory);
    testbed.accepted(frame);
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

pub(super) fn send_frame_rx_queue_full_accepted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.allow_rx_gaps(LossReason::RxOverrun);
    let frames = 2 * testbed.rx_queue() + 100;
    for _ in 0..frames {
        testbed.peer_delivers(1000);
    }
    for n in 0..20 {
        let mut result = Err(ErrorKind::Busy);
        for _ in 0..16 {
            result = testbed.try_send(400);
            if result != Err(ErrorKind::Busy) {
                break;
            }
            testbed.advance_frames(1);
            testbed.service()?;
        }
        ensure!(
            result.is_ok(),
            testbed.requirement,
            "with the receive queue full, send number {n} is {result:?}"
        );
        testbed.advance_frames(1);
    }
    testbed.peer_receives_all()?;
    testbed.drain_with_gaps()?;
    testbed.check_accounting()
}

pub(super) fn capabilities_tx_queue_frames_accepted(testbed: &mut Testbed<'_>) -> CheckResult {
    let Some(frames) = testbed.caps.tx_queue_frames.map(usize::from) else {
        return Err(CheckError::Skip("the device does not know its tx_queue_frames".into()));
    };
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    for round in 0..3 {
        let room = testbed.fill_tx(testbed.tx_max())?;
        ensure!(
            room >= frames,
            testbed.requirement,
            "round {round}: expected {frames} queued frames as in tx_queue_frames, Busy after {room}"
        );
        testbed.peer().stall_tx(false)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}
