//! Reception: requirements device.1, 2, 3, 5, 6, 8 and 9.

use ethdev::{Counted, ErrorKind, LossReason, MacAddress};

use super::frames::Random;
use super::outcome::{CheckResult, attribute, ensure, fail};
use super::requirement;
use super::testbed::Testbed;
use ethdev_sim::fcs;

pub(super) fn recv_frame_nothing_pending_returns_none(testbed: &mut Testbed<'_>) -> CheckResult {
    let limit = testbed.peer().frame_time();
    for len in [1514, 60, 1, 0] {
        for _ in 0..3 {
            let before = testbed.peer().now();
            let result = testbed.dev.recv_frame(&mut vec![0; len]);
            match result {
                Ok(None) => {}
                Ok(Some(meta)) => {
                    return testbed.fail(format!(
                        "no frame pending: expected Ok(None), found a frame of {} bytes",
                        meta.len
                    ));
                }
                Err(e) => {
                    return testbed.fail(format!(
                        "no frame pending, buffer of {len} bytes: expected Ok(None), found {e:?}"
                    ));
                }
            }
            if let (Ok(before), Ok(after)) = (before, testbed.peer().now()) {
                ensure!(
                    after.saturating_sub(before) <= limit,
                    testbed.requirement,
                    "no frame pending: expected recv_frame to return immediately, it took {:?}",
                    after.saturating_sub(before)
                );
            }
        }
    }
    if testbed.dev.features().caller {
        let discarded = testbed.dev.discard_frame();
        ensure!(
            !testbed.ok("discard_frame", discarded)?,
            requirement::DEVICE_3,
            "no frame pending: expected discard_frame = false, found true"
        );
    }
    testbed.check_accounting()
}

pub(super) fn recv_frame_any_length_byte_exact(testbed: &mut Testbed<'_>) -> CheckResult {
    let (min, max) = (testbed.rx_min(), testbed.rx_max());
    for len in Testbed::lengths(min, max) {
        testbed.peer_delivers(len);
        testbed.receive()?;
    }
    testbed.receive_nothing()?;
    testbed.check_accounting()
}

pub(super) fn recv_frame_bursts_in_order(testbed: &mut Testbed<'_>) -> CheckResult {
    let (burst, min, max) = (testbed.rx_burst(), testbed.rx_min(), testbed.rx_max());
    let mut random = Random::new(2);
    for _ in 0..20 {
        for _ in 0..burst {
            testbed.peer_sends(random.between(min, max));
        }
        testbed.advance_frames(burst);
        testbed.receive_all()?;
    }
    testbed.check_accounting()
}

/// Frames to these addresses must be received.
pub(super) fn recv_frame_own_address_and_broadcast_delivered(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let mut frame = testbed.peer_frame(100);
    frame[..6].copy_from_slice(&MacAddress::BROADCAST.octets());
    testbed.peer().peer_send(&frame);
    testbed.peer_sent(frame);
    testbed.advance_frames(1);
    testbed.receive()?;
    testbed.peer_delivers(100);
    testbed.receive()?;
    testbed.check_accounting()
}

/// The 802.3 length field is smaller than the frame: the padding behind it is passed on.
pub(super) fn recv_frame_padded_padding_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    for (length, len) in [(3, 60), (0, 60), (45, 60), (100, 1514), (0, 61)] {
        let len = testbed.rx_max().min(len).max(testbed.rx_min());
        let mut frame = testbed.peer_frame(len);
        frame[12..14].copy_from_slice(&u16::to_be_bytes(length));
        testbed.peer().peer_send(&frame);
        testbed.advance_frames(1);
        let mut buf = vec![0; len + 64];
        let result = testbed.dev.recv_frame(&mut buf);
        let Some(meta) = testbed.ok("recv_frame", result)? else {
            return testbed.fail(format!("a frame with length field {length} is not delivered"));
        };
        ensure!(
            buf[..meta.len] == frame[..],
            testbed.requirement,
            "a frame of {len} bytes with length field {length} came as {} bytes",
            meta.len
        );
        testbed.peer_sent(frame);
        testbed.received(&buf[..meta.len])?;
    }
    testbed.check_accounting()
}

pub(super) fn recv_frame_short_buffer_frame_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (min, max) = (testbed.rx_min(), testbed.rx_max());
    let burst = testbed.rx_burst().min(2);
    for len in [min, min + 1, max.min(300), max] {
        for short in [0, 1, 13, 14, len / 2, len - 1]
            .into_iter()
            .filter(|&short| short < len)
        {
            for _ in 0..burst {
                testbed.peer_sends(len);
            }
            testbed.advance_frames(burst);
            for attempt in 0..2 {
                let result = testbed.dev.recv_frame(&mut vec![0; short]);
                match result {
                    Err(ErrorKind::BufferTooSmall { needed }) if needed == len => {}
                    other => {
                        return testbed.fail(format!(
                            "try {attempt}, {len} bytes pending, buffer of {short}: {other:?} instead of BufferTooSmall {{ needed: {len} }}"
                        ));
                    }
                }
            }
            // A buffer of exactly the required length suffices.
            let mut buf = vec![0; len];
            let result = testbed.dev.recv_frame(&mut buf);
            let expected = testbed.next_expected().cloned().unwrap_or_default();
            match result {
                Ok(Some(meta)) if meta.len == len && buf == expected => testbed.received(&buf)?,
                Ok(Some(_)) => {
                    return testbed.fail(format!("after a buffer of {short} bytes, not the same frame came"));
                }
                other => return testbed.fail(format!("after a buffer of {short} bytes, the frame is gone: {other:?}")),
            }
            testbed.receive_all()?;
        }
    }
    testbed.check_accounting()
}

pub(super) fn discard_frame_pending_drops_one(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let burst = testbed.rx_burst().min(3);
    for after_short in [false, true] {
        let before = testbed.stats().rx_discarded;
        for _ in 0..burst {
            testbed.peer_sends(200);
        }
        testbed.advance_frames(burst);
        if after_short {
            let result = testbed.dev.recv_frame(&mut [0; 20]);
            ensure!(
                matches!(result, Err(ErrorKind::BufferTooSmall { .. })),
                testbed.requirement,
                "short buffer: {result:?}"
            );
        }
        let result = testbed.dev.discard_frame();
        if !testbed.ok("discard_frame", result)? {
            return testbed.fail("a frame is pending: expected discard_frame = true, found false");
        }
        testbed.discard_expected();
        let discarded = testbed.stats().rx_discarded.wrapping_sub(before);
        ensure!(
            discarded == 1,
            requirement::DEVICE_9,
            "one frame was discarded, rx_discarded grew by {discarded}"
        );
        attribute(testbed.requirement, testbed.receive_all())?;
    }
    testbed.check_accounting()
}

pub(super) fn recv_frame_tx_queue_full_delivered(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.fill_tx(1000)?;
    for _ in 0..20 {
        testbed.peer_delivers(500);
        match testbed.receive_if_any() {
            Ok(true) => {}
            Ok(false) => return testbed.fail("transmit queue full: expected a received frame, found none"),
            Err(stop) => return Err(stop),
        }
    }
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

/// More frames than the device queues, for a long time.
pub(super) fn recv_frame_after_flood_resumes(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.allow_rx_gaps(LossReason::RxOverrun);
    let frames = 4 * testbed.rx_queue() + 300;
    let mut random = Random::new(8);
    let (min, max) = (testbed.rx_min(), testbed.rx_max().min(1514));
    for n in 0..frames {
        testbed.peer_sends(random.between(min, max));
        testbed.advance_frames(1);
        if n % 50 == 49 {
            testbed.service()?;
        }
    }
    testbed.service()?;
    testbed.drain_with_gaps()?;
    let overrun = testbed.stats().rx_overrun;
    ensure!(
        overrun == 0 || testbed.drop_reported,
        requirement::EVENTS,
        "{overrun} frames overrun: expected rx_dropped, service never reported it"
    );
    testbed.service()?;
    ensure!(
        !testbed.service()?.rx_dropped,
        requirement::EVENTS,
        "no further loss: expected no rx_dropped, service reports it again"
    );
    for _ in 0..10 {
        testbed.peer_delivers(700.min(max));
        if !testbed.receive_if_any()? {
            return testbed.fail("after a flood: expected reception to resume, no frame received");
        }
    }
    testbed.check_accounting()
}

/// Bad frames are counted, not delivered, and do not block the next good frame.
pub(super) fn recv_frame_bad_frames_dropped_and_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let min = testbed.rx_min();
    let giant = testbed.rx_max().max(testbed.peer().medium_max_frame_len()) + 1;
    let mut bad: Vec<(String, Vec<u8>, &[LossReason])> = vec![];
    for (len, at) in [(min, 0), (200, 0), (200, 100), (200, 203), (1000, 1001)] {
        let mut bytes = fcs::append(&testbed.peer_frame(len));
        bytes[at] ^= 0x10;
        // Without an intact destination address, the filter may reject a frame before its FCS is
        // checked.
        let reasons: &[_] = match at {
            0 => &[LossReason::RxBadFcs, LossReason::RxFiltered],
            _ => &[LossReason::RxBadFcs],
        };
        bad.push((format!("{len} bytes with byte {at} corrupted"), bytes, reasons));
    }
    for len in [1, 6, 13, 14, 30, min - 1].into_iter().filter(|&len| len < min) {
        let bytes = fcs::append(&testbed.peer_frame(len));
        // Without a whole destination address, the filter may reject it.
        let reasons: &[_] = match len + 4 {
            0..6 => &[LossReason::RxBadLength, LossReason::RxFiltered],
            _ => &[LossReason::RxBadLength],
        };
        bad.push((format!("a runt of {len} bytes"), bytes, reasons));
    }
    let noise = vec![0x55, 0x55, 0xd5];
    let reasons = &[
        LossReason::RxBadFcs,
        LossReason::RxBadLength,
        LossReason::RxError,
        LossReason::RxFiltered,
    ];
    bad.push(("three bytes of noise".into(), noise, reasons));
    for len in [giant, giant + 3, giant + 4, 2 * giant, 9018.max(giant)] {
        let bytes = fcs::append(&testbed.peer_frame(len));
        bad.push((format!("a giant of {len} bytes"), bytes, &[LossReason::RxBadLength]));
    }
    for (what, bytes, reasons) in bad {
        testbed.peer().peer_send_raw(&bytes)?;
        testbed.peer_sent_bad(reasons);
        testbed.advance_frames(1 + bytes.len() / 1514);
        swallow(testbed, &what)?;
        testbed.peer_delivers(300.max(min));
        if let Err(stop) = testbed.receive() {
            let super::outcome::CheckError::Fail { reason, .. } = stop else {
                return Err(stop);
            };
            return testbed.fail(format!("after {what}, a good frame: {reason}"));
        }
    }
    testbed.check_accounting()
}

/// Receives until no frame is pending. Bad frames may be reported as `BadFrame`, never as frames.
fn swallow(testbed: &mut Testbed<'_>, what: &str) -> CheckResult {
    let mut buf = vec![0; testbed.rx_max() + 64];
    for _ in 0..4 {
        let result = testbed.dev.recv_frame(&mut buf);
        match result {
            Ok(None) => return Ok(()),
            Ok(Some(meta)) => {
                testbed.check_not_duplicate(&buf[..meta.len])?;
                return testbed.fail(format!("{what}: delivered as a frame of {} bytes", meta.len));
            }
            Err(ErrorKind::BadFrame) => {}
            Err(e) => return testbed.fail(format!("{what}: {e:?}")),
        }
    }
    testbed.fail(format!("{what}: expected Ok(None), found one error after another"))
}

/// Lengths that are out of range.
pub(super) fn recv_frame_invalid_chip_length_no_frame(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    // A driver that resets the chip may lose other frames.
    testbed.provoke_rx(&[LossReason::RxReset]);
    let over = testbed.rx_max().max(testbed.peer().medium_max_frame_len()) + 1;
    for len in [0, 1, 3, 4, 13, over, over + 4, 2047, 4095, 0x7fff, 0xffff] {
        if (14..over).contains(&len) {
            continue;
        }
        testbed.peer().override_rx_len(len)?;
        let frame = testbed.peer_frame(400);
        testbed.peer().peer_send(&frame);
        // The bytes of another length have another FCS.
        testbed.peer_sent_bad(&[
            LossReason::RxBadFcs,
            LossReason::RxBadLength,
            LossReason::RxError,
            LossReason::RxReset,
        ]);
        testbed.advance_frames(1);
        let mut buf = vec![0; testbed.rx_max() + 64];
        for _ in 0..8 {
            let result = testbed.dev.recv_frame(&mut buf);
            match result {
                Ok(None) => break,
                Ok(Some(meta)) => {
                    testbed.check_not_duplicate(&buf[..meta.len])?;
                    fail!(
                        testbed.requirement,
                        "the chip reports {len} bytes: expected no frame, found one of {} bytes",
                        meta.len
                    )
                }
                // It has to be recovered: see the checks of `Control`.
                Err(ErrorKind::Fault) => return Ok(()),
                Err(_) => {}
            }
            // A driver may have to find its place in the chip's memory again.
            let _ = testbed.dev.service();
            testbed.advance_frames(1);
        }
        testbed.wait_link(true)?;
        testbed.peer_delivers(300);
        if !testbed.receive_if_any()? {
            return testbed.fail(format!(
                "after the chip reported {len} bytes: expected the next good frame, found none"
            ));
        }
    }
    testbed.check_accounting()
}

/// Seeded random operations, with a final accounting.
pub(super) fn stats_random_traffic_every_frame_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    const SEED: u64 = 0x9;
    testbed.warm_up()?;
    let mut random = Random::new(SEED);
    let (min, max) = (testbed.rx_min(), testbed.rx_max().min(1514));
    let tx_max = testbed.tx_max().min(1514);
    let (burst, caller) = (testbed.rx_burst(), testbed.dev.features().caller);
    let mut last = testbed.stats();
    for step in 0..1500 {
        match random.between(0, 9) {
            0..=2 if testbed.pending() < burst => testbed.peer_delivers(random.between(min, max)),
            3 | 4 => {
                testbed.receive_if_any()?;
            }
            5 if caller && testbed.pending() > 0 => {
                let result = testbed.dev.recv_frame(&mut vec![0; random.between(0, min - 1)]);
                ensure!(
                    matches!(result, Err(ErrorKind::BufferTooSmall { .. })),
                    requirement::DEVICE_3,
                    "short buffer, a frame is pending: {result:?} (seed {SEED}, step {step})"
                );
            }
            6 if caller && testbed.pending() > 0 && random.between(0, 3) == 0 => {
                let result = testbed.dev.discard_frame();
                if testbed.ok("discard_frame", result)? {
                    testbed.discard_expected();
                }
            }
            7 => match testbed.try_send(random.between(14, tx_max)) {
                Ok(()) | Err(ErrorKind::Busy) => {}
                Err(e) => return testbed.fail(format!("send: {e:?} (seed {SEED}, step {step})")),
            },
            8 => {
                testbed.service()?;
            }
            _ => {
                testbed.advance_frames(1);
                testbed.peer_receives()?;
            }
        }
        let now = testbed.stats();
        for ((name, before), (_, after)) in last.iter().zip(now.iter()) {
            ensure!(
                after.wrapping_sub(before) < u32::MAX / 2,
                testbed.requirement,
                "the counter {name} went from {before} to {after} (seed {SEED}, step {step})"
            );
        }
        last = now;
    }
    testbed.check_accounting()?;
    let overrun = testbed.stats().rx_overrun;
    ensure!(
        overrun == 0 || testbed.caps.coverage.of(LossReason::RxOverrun) == Counted::NotReported,
        requirement::CAPABILITIES,
        "{overrun} frames were overrun, though never more than rx_queue_frames were pending"
    );
    Ok(())
}

pub(super) fn capabilities_rx_queue_frames_held(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (frames, max) = (testbed.rx_queue(), testbed.rx_max());
    if frames == 0 {
        return Err(super::outcome::CheckError::Skip(
            "the device does not know its rx_queue_frames".into(),
        ));
    }
    for round in 0..3 {
        testbed.allow_rx_gaps(LossReason::RxOverrun);
        for _ in 0..frames {
            testbed.peer_delivers(max);
        }
        for n in 0..frames {
            if !testbed.receive_if_any()? {
                return testbed.fail(format!(
                    "round {round}: rx_queue_frames is {frames}, of that many frames {n} were delivered"
                ));
            }
        }
    }
    testbed.check_accounting()
}

/// A device that takes the IP MTU for the frame length reports 14 bytes too few.
pub(super) fn capabilities_max_frame_len_covers_medium(testbed: &mut Testbed<'_>) -> CheckResult {
    let medium = testbed.peer().medium_max_frame_len();
    for (what, len) in [("rx", testbed.rx_max()), ("tx", testbed.tx_max())] {
        ensure!(
            len >= medium,
            testbed.requirement,
            "{what}_max_frame_len is {len}, the medium carries frames of {medium} bytes{}",
            if len + 14 == medium { ": that is the IP MTU" } else { "" }
        );
    }
    testbed.peer_delivers(medium);
    testbed.receive()?;
    testbed.send(medium)?;
    testbed.check_accounting()
}
