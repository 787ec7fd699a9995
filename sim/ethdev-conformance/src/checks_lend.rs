//! Lending: the contract of the halves.

use ethdev::ErrorKind;

use super::bench::{Bench, Stop, Verdict, ensure};
use super::line;
use super::subject::{Rx, Tx};

/// Both halves for as long as `f` runs.
fn split<T>(bench: &mut Bench<'_>, mut f: impl FnMut(&mut Rx<'_>, &mut Tx<'_>) -> Verdict<T>) -> Verdict<T> {
    let mut out = Err(Stop::Skip("the surface has no halves".into()));
    bench.dev.halves(&mut |rx, tx| out = f(rx, tx));
    out
}

/// The bytes of the frame that is lent now.
fn peek(rx: &mut Rx<'_>) -> Verdict<Option<Vec<u8>>> {
    match rx.peek() {
        Ok(frame) => Ok(frame.map(|frame| frame.to_vec())),
        Err(e) => Err(Stop::Fail {
            line: line::LEND_1,
            reason: format!("peek: {e:?}"),
        }),
    }
}

pub(super) fn lent_again_until_released(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let line = bench.line;
    let burst = bench.rx_burst().min(2);
    for discard in [false, true] {
        for _ in 0..burst {
            bench.peer_sends(300);
        }
        bench.pass(burst);
        let mut last = None;
        for _ in 0..burst {
            let expected = bench.next_expected().cloned();
            for round in 0..3 {
                split(bench, |rx, _| {
                    for _ in 0..2 {
                        let got = peek(rx)?;
                        ensure!(
                            got == expected,
                            line,
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
            split(bench, |rx, _| {
                let given_back = if discard { rx.discard() } else { rx.release() };
                ensure!(given_back.is_ok(), line, "giving a frame back: {given_back:?}");
                // Nothing is lent now.
                let again = if discard { rx.discard() } else { rx.release() };
                ensure!(again.is_ok(), line, "giving nothing back: {again:?}");
                Ok(())
            })?;
            match &expected {
                Some(frame) if !discard => bench.received(frame)?,
                _ => bench.give_up_next(),
            }
            last = expected;
        }
        split(bench, |rx, _| {
            ensure!(peek(rx)?.is_none(), line, "all frames are given back, and one is lent");
            Ok(())
        })?;
    }
    let discarded = bench.stats().rx_discarded;
    ensure!(
        discarded as usize == burst,
        line::DEVICE_9,
        "{burst} frames were discarded, rx_discarded is {discarded}"
    );
    bench.audit()
}

pub(super) fn lent_memory_is_not_overwritten(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    bench.allow_rx_gaps();
    let line = bench.line;
    bench.peer_delivers(400);
    let expected = bench.next_expected().cloned().unwrap_or_default();
    let flood: Vec<_> = (0..2 * usize::from(bench.caps.rx_queue_frames) + 20)
        .map(|_| bench.peer_frame(1000))
        .collect();
    let (far, time) = (bench.far_cell(), bench.far().frame_time());
    split(bench, |rx, _| {
        match rx.peek() {
            Ok(Some(frame)) => {
                for frame in &flood {
                    far.borrow_mut().peer_send(frame);
                    far.borrow_mut().advance(time);
                }
                ensure!(
                    frame[..] == expected[..],
                    line,
                    "later frames were written over the one that is lent"
                );
            }
            other => ensure!(false, line, "no frame is lent: {other:?}"),
        }
        ensure!(
            peek(rx)?.as_ref() == Some(&expected),
            line,
            "after a flood, another frame is lent than before"
        );
        Ok(())
    })?;
    still_lent(bench, &expected)?;
    for frame in flood {
        bench.peer_sent(frame);
    }
    bench.drain_with_gaps()?;
    bench.audit()
}

/// Dropping the halves gave nothing back.
fn still_lent(bench: &mut Bench<'_>, expected: &Vec<u8>) -> Verdict {
    split(bench, |rx, _| {
        ensure!(
            peek(rx)?.as_ref() == Some(expected),
            line::LEND_1,
            "the halves were dropped, and the frame is not lent again"
        );
        Ok(())
    })
}

pub(super) fn halves_are_independent(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let line = bench.line;
    for order in 0..4 {
        bench.peer_delivers(200);
        let expected = bench.next_expected().cloned().unwrap_or_default();
        let answer = bench.own_frame(200);
        split(bench, |rx, tx| {
            // Reserved before the frame is looked at, or after; committed before it is released, or after.
            if order & 1 == 0 {
                ensure!(
                    matches!(tx.reserve(200), Ok(Some(_))),
                    line,
                    "no memory is lent to send from"
                );
                ensure!(
                    peek(rx)?.as_ref() == Some(&expected),
                    line,
                    "no frame while memory is reserved"
                );
            } else {
                ensure!(peek(rx)?.as_ref() == Some(&expected), line, "no frame");
            }
            match (rx.peek(), tx.reserve(200)) {
                (Ok(Some(frame)), Ok(Some(memory))) => {
                    ensure!(
                        memory.len() >= 200,
                        line,
                        "{} bytes reserved instead of 200",
                        memory.len()
                    );
                    memory[..200].copy_from_slice(&answer);
                    ensure!(
                        frame[..] == expected[..],
                        line,
                        "writing an answer changed the frame that is lent"
                    );
                }
                (frame, memory) => ensure!(
                    false,
                    line,
                    "both at once: frame {:?}, memory {:?}",
                    frame.map(|f| f.is_some()),
                    memory.map(|m| m.is_some())
                ),
            }
            if order & 2 == 0 {
                ensure!(rx.release().is_ok(), line, "release failed with memory reserved");
                ensure!(tx.commit(200).is_ok(), line, "commit failed after a release");
            } else {
                ensure!(tx.commit(200).is_ok(), line, "commit failed with a frame lent");
                ensure!(
                    peek(rx)?.as_ref() == Some(&expected),
                    line,
                    "commit took the lent frame away"
                );
                ensure!(rx.release().is_ok(), line, "release failed after a commit");
            }
            Ok(())
        })?;
        bench.received(&expected)?;
        bench.accepted(answer);
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn pull_sees_what_is_lent(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let line = bench.line;
    for _ in 0..3 {
        bench.peer_delivers(300);
        let expected = bench.next_expected().cloned().unwrap_or_default();
        split(bench, |rx, _| {
            ensure!(
                peek(rx)?.as_ref() == Some(&expected),
                line,
                "not the frame that is next"
            );
            Ok(())
        })?;
        still_lent(bench, &expected)?;
        let mut buf = vec![0; 300];
        let Some(mut pull) = bench.dev.pull() else {
            return Err(Stop::Skip("the surface has no halves".into()));
        };
        let results = [
            pull.recv_frame(&mut [0; 20]),
            pull.recv_frame(&mut buf),
            pull.recv_frame(&mut [0; 1514]),
        ];
        drop(pull);
        ensure!(
            results[0] == Err(ErrorKind::BufferTooSmall { needed: 300 }),
            line,
            "a frame of 300 bytes is lent; pulled into 20: {:?}",
            results[0]
        );
        ensure!(
            results[1].is_ok_and(|meta| meta.is_some()) && buf == expected,
            line,
            "pulling does not deliver the frame that was lent: {:?}",
            results[1]
        );
        ensure!(
            results[2] == Ok(None),
            line,
            "the frame is delivered again: {:?}",
            results[2]
        );
        bench.received(&buf)?;
    }
    bench.audit()
}

pub(super) fn reservations_cost_nothing(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    let line = bench.line;
    let (len, room) = (bench.tx_max(), bench.fill_tx(bench.tx_max())?);
    bench.far().stall_tx(false)?;
    bench.peer_receives_all()?;
    for n in 0..4 * room.max(16) {
        split(bench, |_, tx| {
            for _ in 0..2 {
                match tx.reserve(len) {
                    Ok(Some(memory)) => memory.fill(0xee),
                    other => ensure!(
                        false,
                        line,
                        "after {n} reservations that were dropped, reserve is {:?}",
                        other.map(|m| m.is_some())
                    ),
                }
            }
            Ok(())
        })?;
    }
    // Closing the books would find it too; this names the line.
    bench.pass(4);
    bench.service()?;
    ensure!(
        bench.far().peer_recv().is_none(),
        line,
        "memory that was not committed went out"
    );
    let now = bench.fill_tx(len)?;
    ensure!(
        now == room,
        line,
        "{room} frames found room before, {now} after reservations that were dropped"
    );
    bench.far().stall_tx(false)?;
    bench.audit()
}

pub(super) fn commit_is_checked(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (line, max) = (bench.line, bench.tx_max());
    let frame = bench.own_frame(100);
    let gathered = bench.own_frame(80);
    split(bench, |_, tx| {
        let reserve = |tx: &mut Tx<'_>, len: usize| match tx.reserve(len) {
            Ok(Some(memory)) if memory.len() >= len => {
                let part = &frame[..len.min(100)];
                memory[..part.len()].copy_from_slice(part);
                Ok(())
            }
            other => Err(Stop::Fail {
                line,
                reason: format!("reserve({len}): {:?}", other.map(|m| m.map(|m| m.len()))),
            }),
        };
        let refused = |tx: &mut Tx<'_>, what: &str, len: usize, right: fn(ErrorKind) -> bool| {
            let result = tx.commit(len);
            ensure!(result.is_err_and(right), line, "{what}, commit({len}) is {result:?}");
            let again = tx.commit(60);
            ensure!(again.is_err(), line, "{what}, and the reservation was not used up");
            Ok(())
        };
        let long = |e| matches!(e, ErrorKind::FrameTooLong { .. });
        let short = |e| e == ErrorKind::FrameTooShort;
        for len in (0..14).chain([max + 1, max + 4, 4 * max]) {
            let result = tx.reserve(len).map(|_| ());
            ensure!(
                result.is_err_and(if len < 14 { short } else { long }),
                line,
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
        // Gathering is another way to send: it takes the place of the reservation.
        reserve(tx, 100)?;
        let sent = tx.send_vectored(&[&gathered[..20], &[], &gathered[20..]]);
        ensure!(sent == Ok(true), line, "send_vectored of a half: {sent:?}");
        refused(tx, "after send_vectored", 100, long)
    })?;
    bench.accepted(gathered);
    bench.peer_receives_all()?;
    // Less than was reserved is fine: the first bytes go out.
    for len in [100, 60, 14] {
        let frame = bench.own_frame(len);
        split(bench, |_, tx| {
            match tx.reserve(max) {
                Ok(Some(memory)) => memory[..len].copy_from_slice(&frame),
                other => ensure!(false, line, "reserve({max}): {:?}", other.map(|m| m.is_some())),
            }
            let result = tx.commit(len);
            ensure!(
                result == Ok(()),
                line,
                "{max} bytes are reserved, commit({len}) is {result:?}"
            );
            Ok(())
        })?;
        bench.accepted(frame);
        bench.peer_receives_all()?;
    }
    bench.audit()
}

pub(super) fn commit_refuses_link_down(bench: &mut Bench<'_>) -> Verdict {
    bench.far().set_link(true)?;
    bench.warm_up()?;
    let line = bench.line;
    bench.far().set_link(false)?;
    bench.wait_link(false)?;
    split(bench, |_, tx| {
        for _ in 0..40 {
            match tx.reserve(60) {
                Ok(Some(memory)) => memory.fill(0xee),
                other => ensure!(false, line, "link down, reserve is {:?}", other.map(|m| m.is_some())),
            }
            let result = tx.commit(60);
            ensure!(
                result == Err(ErrorKind::LinkDown),
                line,
                "link down, commit is {result:?} instead of LinkDown"
            );
        }
        Ok(())
    })?;
    bench.far().set_link(true)?;
    bench.wait_link(true)?;
    bench.send(100)?;
    bench.audit()
}
