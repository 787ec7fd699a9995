//! Lending: the contract of the halves.

use ethdev::{ErrorKind, LossReason};

use super::dut::{Rx, Tx};
use super::outcome::{CheckError, CheckResult, attribute, ensure};
use super::requirement;
use super::testbed::{MAX_TX_QUEUE, Testbed};

/// Both halves for as long as `f` runs.
fn split<T>(
    testbed: &mut Testbed<'_>,
    mut f: impl FnMut(&mut Rx<'_>, &mut Tx<'_>) -> CheckResult<T>,
) -> CheckResult<T> {
    let mut out = Err(CheckError::Skip("the API has no halves".into()));
    testbed.dev.halves(&mut |rx, tx| out = f(rx, tx));
    out
}

/// The bytes of the frame that is lent now.
fn peek(rx: &mut Rx<'_>) -> CheckResult<Option<Vec<u8>>> {
    match rx.peek() {
        Ok(frame) => Ok(frame.map(|frame| frame.to_vec())),
        Err(e) => Err(CheckError::Fail {
            requirement: requirement::LENDING_1,
            reason: format!("peek: {e:?}"),
        }),
    }
}

pub(super) fn peek_not_released_lends_same_frame(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    let burst = testbed.rx_burst().min(2);
    for discard in [false, true] {
        for _ in 0..burst {
            testbed.peer_sends(300);
        }
        testbed.advance_frames(burst);
        let mut last = None;
        for _ in 0..burst {
            let expected = testbed.next_expected().cloned();
            for round in 0..3 {
                split(testbed, |rx, _| {
                    for _ in 0..2 {
                        let got = peek(rx)?;
                        ensure!(
                            got == expected,
                            requirement,
                            "round {round}: {} instead of the frame that was lent and not released",
                            if got == last {
                                "the frame before"
                            } else if got.is_none() {
                                "nothing"
                            } else {
                                "another frame"
                            }
                        );
                    }
                    Ok(())
                })?;
            }
            split(testbed, |rx, _| {
                let released = if discard { rx.discard() } else { rx.release() };
                ensure!(
                    released.is_ok(),
                    requirement,
                    "release of a lent frame failed: {released:?}"
                );
                // No frame is lent now.
                let again = if discard { rx.discard() } else { rx.release() };
                ensure!(
                    again.is_ok(),
                    requirement,
                    "no frame lent: expected release to do nothing, found {again:?}"
                );
                Ok(())
            })?;
            match &expected {
                Some(frame) if !discard => testbed.received(frame)?,
                _ => testbed.discard_expected(),
            }
            last = expected;
        }
        split(testbed, |rx, _| {
            ensure!(
                peek(rx)?.is_none(),
                requirement,
                "all frames are released: expected none lent, found one"
            );
            Ok(())
        })?;
    }
    let discarded = testbed.stats().rx_discarded;
    ensure!(
        discarded as usize == burst,
        requirement::DEVICE_9,
        "{burst} frames were discarded, rx_discarded is {discarded}"
    );
    testbed.check_accounting()
}

pub(super) fn peek_flood_lent_memory_unchanged(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.allow_rx_gaps(LossReason::RxOverrun);
    let requirement = testbed.requirement;
    testbed.peer_delivers(400);
    let expected = testbed.next_expected().cloned().unwrap_or_default();
    let flood: Vec<_> = (0..2 * testbed.rx_queue() + 20)
        .map(|_| testbed.peer_frame(1000))
        .collect();
    let (peer, time) = (testbed.peer_cell(), testbed.peer().frame_time());
    split(testbed, |rx, _| {
        match rx.peek() {
            Ok(Some(frame)) => {
                for frame in &flood {
                    peer.borrow_mut().peer_send(frame);
                    peer.borrow_mut().advance(time);
                }
                ensure!(
                    frame[..] == expected[..],
                    requirement,
                    "later frames were written over the one that is lent"
                );
            }
            other => ensure!(false, requirement, "no frame is lent: {other:?}"),
        }
        ensure!(
            peek(rx)?.as_ref() == Some(&expected),
            requirement,
            "after a flood, another frame is lent than before"
        );
        Ok(())
    })?;
    still_lent(testbed, &expected)?;
    for frame in flood {
        testbed.peer_sent(frame);
    }
    testbed.drain_with_gaps()?;
    testbed.check_accounting()
}

/// Dropping the halves released nothing.
fn still_lent(testbed: &mut Testbed<'_>, expected: &Vec<u8>) -> CheckResult {
    split(testbed, |rx, _| {
        ensure!(
            peek(rx)?.as_ref() == Some(expected),
            requirement::LENDING_1,
            "the halves were dropped, and the frame is not lent again"
        );
        Ok(())
    })
}

pub(super) fn split_both_halves_independent(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    for order in 0..4 {
        testbed.peer_delivers(200);
        let expected = testbed.next_expected().cloned().unwrap_or_default();
        let answer = testbed.own_frame(200);
        split(testbed, |rx, tx| {
            // Reserved before or after the peek, committed before or after the release.
            if order & 1 == 0 {
                ensure!(
                    matches!(tx.reserve(200), Ok(Some(_))),
                    requirement,
                    "no memory is lent to send from"
                );
                ensure!(
                    peek(rx)?.as_ref() == Some(&expected),
                    requirement,
                    "no frame while memory is reserved"
                );
            } else {
                ensure!(peek(rx)?.as_ref() == Some(&expected), requirement, "no frame");
            }
            match (rx.peek(), tx.reserve(200)) {
                (Ok(Some(frame)), Ok(Some(memory))) => {
                    ensure!(
                        memory.len() >= 200,
                        requirement,
                        "{} bytes reserved instead of 200",
                        memory.len()
                    );
                    memory[..200].copy_from_slice(&answer);
                    ensure!(
                        frame[..] == expected[..],
                        requirement,
                        "writing an answer changed the frame that is lent"
                    );
                }
                (frame, memory) => ensure!(
                    false,
                    requirement,
                    "both at once: frame {:?}, memory {:?}",
                    frame.map(|f| f.is_some()),
                    memory.map(|m| m.is_some())
                ),
            }
            if order & 2 == 0 {
                ensure!(rx.release().is_ok(), requirement, "release failed with memory reserved");
                ensure!(tx.commit(200).is_ok(), requirement, "commit failed after a release");
            } else {
                ensure!(tx.commit(200).is_ok(), requirement, "commit failed with a frame lent");
                ensure!(
                    peek(rx)?.as_ref() == Some(&expected),
                    requirement,
                    "commit took the lent frame away"
                );
                ensure!(rx.release().is_ok(), requirement, "release failed after a commit");
            }
            Ok(())
        })?;
        testbed.received(&expected)?;
        testbed.accepted(answer);
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn recv_frame_frame_lent_returns_same_frame(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    for _ in 0..3 {
        testbed.peer_delivers(300);
        let expected = testbed.next_expected().cloned().unwrap_or_default();
        split(testbed, |rx, _| {
            ensure!(
                peek(rx)?.as_ref() == Some(&expected),
                requirement,
                "not the frame that is next"
            );
            Ok(())
        })?;
        still_lent(testbed, &expected)?;
        let mut buf = vec![0; 300];
        let Some(mut pull) = testbed.dev.pull() else {
            return Err(CheckError::Skip("the API has no halves".into()));
        };
        let results = [
            pull.recv_frame(&mut [0; 20]),
            pull.recv_frame(&mut buf),
            pull.recv_frame(&mut [0; 1514]),
        ];
        drop(pull);
        ensure!(
            results[0] == Err(ErrorKind::BufferTooSmall { needed: 300 }),
            requirement,
            "a frame of 300 bytes is lent; pulled into 20: {:?}",
            results[0]
        );
        ensure!(
            results[1].is_ok_and(|meta| meta.is_some()) && buf == expected,
            requirement,
            "pulling does not deliver the frame that was lent: {:?}",
            results[1]
        );
        ensure!(
            results[2] == Ok(None),
            requirement,
            "the frame is delivered again: {:?}",
            results[2]
        );
        testbed.received(&buf)?;
    }
    testbed.check_accounting()
}

pub(super) fn reserve_dropped_buffer_freed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    let (len, room) = (testbed.tx_max(), testbed.fill_tx(testbed.tx_max())?);
    testbed.peer().stall_tx(false)?;
    testbed.peer_receives_all()?;
    for n in 0..4 * room.max(16) {
        split(testbed, |_, tx| {
            for _ in 0..2 {
                match tx.reserve(len) {
                    Ok(Some(memory)) => memory.fill(0xee),
                    other => ensure!(
                        false,
                        requirement,
                        "after {n} reservations that were dropped, reserve is {:?}",
                        other.map(|m| m.is_some())
                    ),
                }
            }
            Ok(())
        })?;
    }
    // The accounting finds it too; this names the requirement.
    testbed.advance_frames(4);
    testbed.service()?;
    ensure!(
        testbed.peer().peer_recv().is_none(),
        requirement,
        "memory that was not committed went out"
    );
    let now = testbed.fill_tx(len)?;
    ensure!(
        now == room,
        requirement,
        "expected {room} free buffers after dropped reservations, found {now}"
    );
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

pub(super) fn pending_and_ready_match_next_call(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    let burst = testbed.rx_burst().min(3);
    for frames in 0..=burst {
        for _ in 0..frames {
            testbed.peer_delivers(200);
        }
        for left in (0..=frames).rev() {
            let mut next = None;
            split(testbed, |rx, _| {
                for lent in [false, true] {
                    let pending = rx.pending();
                    ensure!(
                        pending == Ok(left > 0),
                        requirement,
                        "{left} frames pending, the first {}lent: expected pending = {}, found {pending:?}",
                        if lent { "" } else { "not " },
                        left > 0
                    );
                    next = peek(rx)?;
                    ensure!(
                        next.is_some() == (left > 0),
                        requirement,
                        "pending returned {}, peek {}",
                        left > 0,
                        if next.is_some() { "a frame" } else { "no frame" }
                    );
                }
                rx.release().map_err(|e| CheckError::Fail {
                    requirement,
                    reason: format!("release: {e:?}"),
                })
            })?;
            if let Some(frame) = next {
                testbed.received(&frame)?;
            }
        }
    }
    testbed.peer().stall_tx(true)?;
    for sent in 0..MAX_TX_QUEUE {
        let frame = testbed.own_frame(600);
        let free = split(testbed, |_, tx| {
            let ready = tx.ready();
            let memory = tx
                .reserve(frame.len())
                .map(|memory| memory.map(|memory| memory[..frame.len()].copy_from_slice(&frame)));
            let free = memory == Ok(Some(()));
            ensure!(
                ready == Ok(free) && (free || memory == Ok(None)),
                requirement,
                "{sent} frames queued: ready returned {ready:?}, reserve {memory:?}"
            );
            if free {
                let result = tx.commit(frame.len());
                ensure!(result == Ok(()), requirement, "commit after reserve: {result:?}");
            }
            Ok(free)
        })?;
        if !free {
            break;
        }
        testbed.accepted(frame);
        testbed.advance_frames(1);
    }
    testbed.peer().stall_tx(false)?;
    testbed.peer_receives_all()?;
    testbed.check_accounting()
}

/// A frame is lent and memory reserved while the link is lost.
pub(super) fn split_link_lost_frame_lent_again(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    for committed in [false, true] {
        testbed.peer_delivers(300);
        let expected = testbed.next_expected().cloned().unwrap_or_default();
        let frame = testbed.own_frame(100);
        let peer = testbed.peer_cell();
        let time = testbed.peer().frame_time();
        let accepted = split(testbed, |rx, tx| {
            ensure!(peek(rx)?.as_ref() == Some(&expected), requirement, "no frame is lent");
            match tx.reserve(100) {
                Ok(Some(memory)) => memory[..100].copy_from_slice(&frame),
                other => ensure!(false, requirement, "reserve(100): {:?}", other.map(|m| m.is_some())),
            }
            peer.borrow_mut().set_link(false)?;
            peer.borrow_mut().advance(time * 100);
            ensure!(
                peek(rx)?.as_ref() == Some(&expected),
                requirement,
                "the link was lost: expected the lent frame to be lent again"
            );
            Ok(committed && tx.commit(100).is_ok())
        })?;
        if accepted {
            testbed.allow_tx_into_lost_link();
            testbed.accepted(frame);
        }
        testbed.wait_link(false)?;
        still_lent(testbed, &expected)?;
        split(testbed, |rx, tx| {
            ensure!(rx.release().is_ok(), requirement, "link down: release failed");
            let again = tx.commit(100);
            ensure!(
                again.is_err(),
                requirement,
                "link down, no reservation: commit is {again:?}"
            );
            Ok(())
        })?;
        testbed.received(&expected)?;
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
        testbed.peer_receives_all()?;
        testbed.warm_up()?;
    }
    testbed.check_accounting()
}

/// A reservation ends with the half; a lent frame does not.
pub(super) fn split_again_reservation_ended(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    for len in [60, 301, 1000] {
        testbed.peer_delivers(300);
        let expected = testbed.next_expected().cloned().unwrap_or_default();
        split(testbed, |rx, tx| {
            ensure!(peek(rx)?.as_ref() == Some(&expected), requirement, "no frame is lent");
            match tx.reserve(len) {
                Ok(Some(memory)) => memory.fill(0xee),
                other => ensure!(false, requirement, "reserve({len}): {:?}", other.map(|m| m.is_some())),
            }
            Ok(())
        })?;
        still_lent(testbed, &expected)?;
        split(testbed, |rx, tx| {
            let result = tx.commit(len);
            ensure!(
                result.is_err(),
                requirement,
                "reserved in a half that was dropped: expected commit({len}) to fail, found {result:?}"
            );
            ensure!(rx.release().is_ok(), requirement, "release in another split failed");
            Ok(())
        })?;
        testbed.received(&expected)?;
        testbed.peer_receives_all()?;
        testbed.send(len)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

/// The first bytes of a longer reservation.
pub(super) fn commit_less_than_reserved_sends_first_bytes(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    let max = testbed.tx_max().min(1514);
    for len in (14..=80).chain((81..max).step_by(61)) {
        for reserved in [len + 1, len + 2, len + 3, max] {
            let reserved = reserved.min(max);
            let frame = testbed.own_frame(len);
            split(testbed, |_, tx| {
                match tx.reserve(reserved) {
                    Ok(Some(memory)) => {
                        memory.fill(0xee);
                        memory[..len].copy_from_slice(&frame);
                    }
                    other => ensure!(
                        false,
                        requirement,
                        "reserve({reserved}): {:?}",
                        other.map(|m| m.is_some())
                    ),
                }
                let result = tx.commit(len);
                ensure!(
                    result == Ok(()),
                    requirement,
                    "{reserved} bytes reserved: expected commit({len}) = Ok, found {result:?}"
                );
                Ok(())
            })?;
            testbed.accepted(frame);
            attribute(requirement, testbed.peer_receives_all())?;
        }
    }
    testbed.check_accounting()
}

pub(super) fn commit_illegal_length_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (requirement, max) = (testbed.requirement, testbed.tx_max());
    let frame = testbed.own_frame(100);
    let gathered = testbed.own_frame(80);
    split(testbed, |_, tx| {
        let reserve = |tx: &mut Tx<'_>, len: usize| match tx.reserve(len) {
            Ok(Some(memory)) if memory.len() >= len => {
                let part = &frame[..len.min(100)];
                memory[..part.len()].copy_from_slice(part);
                Ok(())
            }
            other => Err(CheckError::Fail {
                requirement,
                reason: format!("reserve({len}): {:?}", other.map(|m| m.map(|m| m.len()))),
            }),
        };
        let refused = |tx: &mut Tx<'_>, what: &str, len: usize, right: fn(ErrorKind) -> bool| {
            let result = tx.commit(len);
            ensure!(
                result.is_err_and(right),
                requirement,
                "{what}, commit({len}) is {result:?}"
            );
            let again = tx.commit(60);
            ensure!(
                again.is_err(),
                requirement,
                "{what}, and the reservation was not used up"
            );
            Ok(())
        };
        let long = |e| matches!(e, ErrorKind::FrameTooLong { .. });
        let short = |e| e == ErrorKind::FrameTooShort;
        for len in (0..14).chain([max + 1, max + 4, 4 * max]) {
            let result = tx.reserve(len).map(|_| ());
            ensure!(
                result.is_err_and(if len < 14 { short } else { long }),
                requirement,
                "reserve({len}) is {result:?}"
            );
            refused(tx, "after a reservation that was refused", 60, long)?;
        }
        reserve(tx, 60)?;
        refused(tx, "60 bytes are reserved", 61, long)?;
        reserve(tx, 60)?;
        refused(tx, "60 bytes are reserved", max, long)?;
        reserve(tx, 60)?;
        refused(tx, "60 bytes are reserved", 13, short)?;
        reserve(tx, 60)?;
        refused(tx, "60 bytes are reserved", 0, short)?;
        // send_vectored ends the reservation.
        reserve(tx, 100)?;
        let sent = tx.send_vectored(&[&gathered[..20], &[], &gathered[20..]]);
        ensure!(sent == Ok(()), requirement, "send_vectored of a half: {sent:?}");
        refused(tx, "after send_vectored", 100, long)
    })?;
    testbed.accepted(gathered);
    testbed.peer_receives_all()?;
    // Less than was reserved is fine: the first bytes go out.
    for len in [100, 60, 14] {
        let frame = testbed.own_frame(len);
        split(testbed, |_, tx| {
            match tx.reserve(max) {
                Ok(Some(memory)) => memory[..len].copy_from_slice(&frame),
                other => ensure!(false, requirement, "reserve({max}): {:?}", other.map(|m| m.is_some())),
            }
            let result = tx.commit(len);
            ensure!(
                result == Ok(()),
                requirement,
                "{max} bytes are reserved, commit({len}) is {result:?}"
            );
            Ok(())
        })?;
        testbed.accepted(frame);
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn commit_link_down_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    testbed.peer().set_link(false)?;
    testbed.wait_link(false)?;
    split(testbed, |_, tx| {
        for _ in 0..40 {
            match tx.reserve(60) {
                Ok(Some(memory)) => memory.fill(0xee),
                other => ensure!(
                    false,
                    requirement,
                    "link down, reserve is {:?}",
                    other.map(|m| m.is_some())
                ),
            }
            let result = tx.commit(60);
            ensure!(
                result == Err(ErrorKind::LinkDown),
                requirement,
                "link down, commit is {result:?} instead of LinkDown"
            );
        }
        Ok(())
    })?;
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    testbed.send(100)?;
    testbed.check_accounting()
}
