//! The async API: waiting, waking, and dropped futures.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ethdev::{ErrorKind, Interest, LossReason};

use super::checks_rearm::INTERESTS;
use super::dut::Futures;
use super::executor::{Executor, run_to_completion};
use super::fixture::{LinkPeer, Unsupported};
use super::outcome::{CheckError, CheckResult, ensure};
use super::requirement;
use super::testbed::Testbed;

/// Simulated time for which a future must not complete.
const OBSERVE_TIME: Duration = Duration::from_millis(50);
/// Simulated time within which a future must complete.
const FUTURE_TIMEOUT: Duration = Duration::from_secs(10);
/// Simulated time between two polls of a future that is dropped: shorter than any operation of a
/// chip.
const POLL_STEP: Duration = Duration::from_micros(1);

fn futures<'b>(testbed: &'b mut Testbed<'_>) -> CheckResult<&'b mut dyn Futures> {
    testbed
        .dev
        .futures()
        .ok_or_else(|| CheckError::Skip("not an async API".into()))
}

/// Polls at most `polls` times, with a short time in between.
fn poll_some<T>(
    peer: &RefCell<dyn LinkPeer>,
    polls: usize,
    mut future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
) -> Option<T> {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        peer.borrow_mut().advance(POLL_STEP);
    }
    None
}

/// Numbers of polls before the future is dropped.
fn poll_counts() -> impl Iterator<Item = usize> {
    (1..12).chain([16, 24, 48, 100, 300])
}

pub(super) fn ready_dropped_frame_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (peer, time, requirement) = (testbed.peer_cell(), testbed.peer().frame_time(), testbed.requirement);
    for polls in poll_counts() {
        for before in [true, false] {
            let frame = testbed.peer_frame(200);
            let arrive = || {
                peer.borrow_mut().peer_send(&frame);
                peer.borrow_mut().advance(time);
            };
            {
                let mut ready = futures(testbed)?.ready(Interest::ALL & Interest::RX);
                if before {
                    arrive();
                    let _ = poll_some(peer, polls, ready.as_mut());
                } else {
                    let early = poll_some(peer, polls.min(3), ready.as_mut());
                    ensure!(
                        early.is_none(),
                        requirement::ASYNC_5,
                        "no frame pending: expected ready(RX) to wait, found {early:?}"
                    );
                    arrive();
                    let _ = poll_some(peer, polls, ready.as_mut());
                }
            }
            testbed.peer_sent(frame);
            let reported = run_to_completion(peer, FUTURE_TIMEOUT, futures(testbed)?.ready(Interest::RX));
            ensure!(
                reported == Some(Ok(Interest::RX)),
                requirement,
                "a frame came, a ready was dropped after {polls} polls, and the next one is {reported:?}"
            );
            if !testbed.receive_if_any()? {
                return testbed.fail(format!(
                    "a ready that was dropped after {polls} polls took a frame with it"
                ));
            }
        }
    }
    testbed.check_accounting()
}

pub(super) fn ready_dropped_link_change_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    by_link(testbed)?;
    testbed.warm_up()?;
    let (peer, time) = (testbed.peer_cell(), testbed.peer().frame_time());
    let mut up = true;
    for dropped in [Interest::RX, Interest::RX | Interest::TX, Interest::LINK, Interest::ALL] {
        for polls in [0, 1, 2, 3, 5, 30] {
            // Changes that were reported are not reported again.
            let _ = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::LINK));
            up = !up;
            testbed.peer().set_link(up)?;
            let mut reported = None;
            for round in 0..2 {
                let mut other = futures(testbed)?.ready(dropped);
                reported = poll_some(peer, polls, other.as_mut());
                drop(other);
                if round == 0 && matches!(reported, Some(Ok(holds)) if holds.link) {
                    break;
                }
                peer.borrow_mut().advance(time * 100);
            }
            if !matches!(reported, Some(Ok(holds)) if holds.link) {
                let reported = run_to_completion(peer, FUTURE_TIMEOUT, futures(testbed)?.ready(Interest::LINK));
                ensure!(
                    reported == Some(Ok(Interest::LINK)),
                    testbed.requirement,
                    "the link changed, a ready({dropped:?}) was dropped after {polls} polls: expected ready(LINK) = LINK, found {reported:?}"
                );
            }
            testbed.wait_link(up)?;
        }
    }
    testbed.peer().set_link(true)?;
    testbed.wait_link(true)?;
    // Without an accounting: a driver that was fetching a message of the chip, which is no frame, may
    // count it as lost.
    testbed.receive_nothing()?;
    testbed.warm_up()
}

fn by_link(testbed: &Testbed<'_>) -> CheckResult {
    if testbed.peer().irq_signal().is_ok() && !testbed.peer().link_interrupts() {
        return Err(Unsupported("link changes cause no interrupt (`link_interrupts`)").into());
    }
    Ok(())
}

pub(super) fn any_future_not_polled_no_effect(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.peer_delivers(200);
    let frame = testbed.own_frame(100);
    let mut buf = vec![0; 2048];
    for _ in 0..3 {
        let device = futures(testbed)?;
        drop(device.recv_frame(&mut buf));
        drop(device.recv(&mut buf));
        drop(device.ready(Interest::ALL));
        drop(device.send_frame(&frame));
        drop(device.send(&frame));
    }
    testbed.advance_frames(2);
    testbed.service()?;
    ensure!(
        testbed.peer().peer_recv().is_none(),
        testbed.requirement,
        "send never polled: expected no frame, the peer received one"
    );
    if !testbed.receive_if_any()? {
        return testbed.fail("recv_frame never polled: expected the frame to stay pending, it is gone");
    }
    testbed.check_accounting()
}

pub(super) fn recv_frame_dropped_frame_delivered_or_counted(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.provoke_rx(&[LossReason::RxReset, LossReason::RxError]);
    let peer = testbed.peer_cell();
    let burst = testbed.rx_burst().min(2);
    for polls in poll_counts() {
        for wait in [false, true] {
            for _ in 0..burst {
                testbed.peer_sends(200);
            }
            testbed.advance_frames(burst);
            let mut buf = vec![0; 2048];
            let done = {
                let device = futures(testbed)?;
                if wait {
                    let mut future = device.recv(&mut buf);
                    poll_some(peer, polls, future.as_mut()).map(|result| result.map(Some))
                } else {
                    let mut future = device.recv_frame(&mut buf);
                    poll_some(peer, polls, future.as_mut())
                }
            };
            match done {
                Some(Ok(Some(meta))) => testbed.received(&buf[..meta.len])?,
                Some(other) => return testbed.fail(format!("a frame is pending, and receiving it is {other:?}")),
                None => {}
            }
            testbed.drain_with_gaps()?;
            let stats = testbed.stats();
            ensure!(
                stats.rx_frames == testbed.rx_delivered(),
                testbed.requirement,
                "a receive that was dropped after {polls} polls delivered nothing, and is counted in rx_frames"
            );
            ensure!(
                stats.rx_frames + stats.rx_lost() == testbed.rx_offered(),
                testbed.requirement,
                "a receive that was dropped after {polls} polls lost a frame that is not counted"
            );
        }
    }
    testbed.warm_up()?;
    testbed.check_accounting()
}

pub(super) fn send_frame_dropped_whole_or_nothing(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let peer = testbed.peer_cell();
    for polls in poll_counts() {
        let frame = testbed.own_frame(300);
        let done = {
            let mut future = futures(testbed)?.send_frame(&frame);
            poll_some(peer, polls, future.as_mut())
        };
        ensure!(
            matches!(done, None | Some(Ok(()))),
            testbed.requirement,
            "an empty transmit queue, and send is {done:?}"
        );
        let mut out = vec![];
        for _ in 0..4 {
            testbed.advance_frames(1);
            testbed.service()?;
            while let Some(frame) = { testbed.peer().peer_recv() } {
                out.push(frame);
            }
        }
        ensure!(
            out.is_empty() || out == [frame.clone()],
            testbed.requirement,
            "a send was dropped after {polls} polls, and {} frames of {:?} bytes went out",
            out.len(),
            out.iter().map(Vec::len).collect::<Vec<_>>()
        );
        ensure!(
            done.is_none() || out.len() == 1,
            requirement::DEVICE_2,
            "a frame was accepted and did not reach the peer"
        );
        // The next frame is sent, with any outcome of the dropped send.
        let next = testbed.own_frame(200);
        let result = testbed.dev.send_frame(&next);
        testbed.ok("the send after one that was dropped", result)?;
        testbed.advance_frames(2);
        testbed.service()?;
        let got = testbed.peer().peer_recv();
        ensure!(
            got.as_ref() == Some(&next),
            testbed.requirement,
            "after a send that was dropped after {polls} polls, the next frame is not sent right"
        );
    }
    Ok(())
}

pub(super) fn ready_rx_completes_on_frame(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    for _ in 0..5 {
        let frame = testbed.peer_frame(200);
        {
            let mut ready = futures(testbed)?.ready(Interest::RX);
            let executor = Executor::new(peer);
            let early = executor.run(OBSERVE_TIME, ready.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "no frame pending: expected ready(RX) to wait, found {early:?}"
            );
            peer.borrow_mut().peer_send(&frame);
            let reported = executor.run(FUTURE_TIMEOUT, ready.as_mut());
            ensure!(
                reported == Some(Ok(Interest::RX)),
                requirement,
                "a frame came, and ready(RX) is {reported:?}"
            );
        }
        testbed.peer_sent(frame);
        testbed.receive()?;
    }
    testbed.check_accounting()
}

/// A frame that arrives before each of the accesses that a `ready` makes before it sleeps.
pub(super) fn ready_rx_frame_at_any_access_not_missed(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let peer = testbed.peer_cell();
    for nth in 0..100 {
        let before = testbed.peer().accesses()?;
        let frame = testbed.peer_frame(200);
        testbed.peer().peer_send_before_access(nth, &frame)?;
        testbed.peer_sent(frame);
        let (reported, accesses) = {
            let mut ready = futures(testbed)?.ready(Interest::RX);
            let executor = Executor::new(peer);
            let mut reported = executor.run(OBSERVE_TIME, ready.as_mut());
            let accesses = peer.borrow_mut().accesses()? - before;
            if reported.is_none() && accesses > u64::from(nth) {
                // A device that polls at intervals may have received the frame at the end of the
                // interval, after it polled.
                reported = executor.run(OBSERVE_TIME, ready.as_mut());
            }
            (reported, accesses)
        };
        if accesses <= u64::from(nth) {
            // The device sleeps, and the frame has not arrived: it arrives with the next access.
            for _ in 0..=nth {
                testbed.service()?;
            }
            testbed.receive_all()?;
            return testbed.check_accounting();
        }
        ensure!(
            reported == Some(Ok(Interest::RX)),
            testbed.requirement,
            "a frame arrived before access {nth} of {accesses}, and ready(RX) is {reported:?}: missed wake-up"
        );
        testbed.receive_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn ready_tx_completes_on_free_capacity(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    for _ in 0..3 {
        let reported = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::TX));
        ensure!(
            reported == Some(Ok(Interest::TX)),
            requirement,
            "transmit queue not full: expected ready(TX) = TX, found {reported:?}"
        );
        testbed.fill_tx(300)?;
        {
            let mut ready = futures(testbed)?.ready(Interest::TX);
            let executor = Executor::new(peer);
            let early = executor.run(OBSERVE_TIME, ready.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "transmit queue full: expected ready(TX) to wait, found {early:?}"
            );
            peer.borrow_mut().stall_tx(false)?;
            let reported = executor.run(FUTURE_TIMEOUT, ready.as_mut());
            ensure!(
                reported == Some(Ok(Interest::TX)),
                requirement,
                "transmit queue no longer full: expected ready(TX) = TX, found {reported:?}"
            );
        }
        let result = testbed.try_send(300);
        ensure!(
            result.is_ok(),
            requirement,
            "ready(TX) completed, and send is {result:?}"
        );
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn ready_link_completes_on_change(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    by_link(testbed)?;
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    // The link may have come up since construction: that is reported once.
    let _ = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::LINK));
    for up in [false, true, false, true] {
        {
            let mut ready = futures(testbed)?.ready(Interest::LINK);
            let executor = Executor::new(peer);
            let early = executor.run(OBSERVE_TIME, ready.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "the link did not change, and ready(LINK) completed: {early:?}"
            );
            peer.borrow_mut().set_link(up)?;
            let reported = executor.run(FUTURE_TIMEOUT, ready.as_mut());
            ensure!(
                reported == Some(Ok(Interest::LINK)),
                requirement,
                "the link changed, and ready(LINK) is {reported:?}"
            );
        }
        ensure!(
            testbed.dev.link().is_up() == up,
            requirement,
            "ready(LINK) completed, and link() is {}",
            testbed.dev.link()
        );
    }
    testbed.check_accounting()
}

/// The states of a device for `ready`: frames, a full or free transmit queue, a lost link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TxState {
    Free,
    Full,
    LinkLost,
}

/// Each set of conditions in each state: what is returned holds and was asked for; nothing is
/// returned where nothing holds.
pub(super) fn ready_any_interest_returns_what_holds(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    testbed.allow_tx_into_lost_link();
    let peer = testbed.peer_cell();
    let changes = testbed.peer().set_link(true).is_ok() && by_link(testbed).is_ok();
    for interest in INTERESTS {
        for state in [TxState::Free, TxState::Full, TxState::LinkLost] {
            if state == TxState::LinkLost && !changes {
                continue;
            }
            for pending in [false, true] {
                // Earlier changes of the link are reported first.
                let _ = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::LINK));
                if pending {
                    testbed.peer_delivers(200);
                }
                match state {
                    TxState::Free => {}
                    TxState::Full => {
                        testbed.fill_tx(300)?;
                    }
                    TxState::LinkLost => {
                        testbed.peer().set_link(false)?;
                        testbed.wait_link(false)?;
                    }
                }
                let holds = Interest {
                    rx: pending,
                    tx: state == TxState::Free,
                    link: state == TxState::LinkLost,
                } & interest;
                let reported = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(interest));
                let right = match reported {
                    None => holds.is_none(),
                    Some(Ok(reported)) => !reported.is_none() && holds.contains(reported),
                    Some(Err(_)) => false,
                };
                ensure!(
                    right,
                    testbed.requirement,
                    "frame pending: {pending}, transmission {state:?}: expected ready({interest:?}) = {holds:?}, found {reported:?}"
                );
                testbed.peer().stall_tx(false)?;
                if state == TxState::LinkLost {
                    testbed.peer().set_link(true)?;
                    testbed.wait_link(true)?;
                }
                testbed.receive_all()?;
                testbed.peer_receives_all()?;
            }
        }
    }
    testbed.check_accounting()
}

/// A task that waits for transmit capacity while the link is down, alone and with other conditions.
pub(super) fn ready_tx_link_down_completes_when_up(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    by_link(testbed)?;
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    for interest in [Interest::TX, Interest::RX | Interest::TX] {
        testbed.peer().set_link(false)?;
        testbed.wait_link(false)?;
        {
            let mut ready = futures(testbed)?.ready(interest);
            let executor = Executor::new(peer);
            let early = executor.run(OBSERVE_TIME, ready.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "link down: expected ready({interest:?}) to wait, found {early:?}"
            );
            peer.borrow_mut().set_link(true)?;
            let reported = executor.run(FUTURE_TIMEOUT, ready.as_mut());
            // A message of the chip about the link may look like a frame until it is fetched.
            ensure!(
                matches!(reported, Some(Ok(holds)) if holds.tx || (holds.rx && interest.rx)),
                requirement,
                "the link came up: expected ready({interest:?}) = TX, found {reported:?}"
            );
        }
        testbed.receive_nothing()?;
        let reported = run_to_completion(peer, FUTURE_TIMEOUT, futures(testbed)?.ready(Interest::TX));
        ensure!(
            reported == Some(Ok(Interest::TX)),
            requirement,
            "the link came up: expected ready(TX) = TX, found {reported:?}"
        );
        testbed.wait_link(true)?;
        testbed.send(200)?;
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

/// A device that has returned `Fault`, and waits for `recover`.
pub(super) fn ready_in_fault_returns_error(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    testbed.peer().inject_fault()?;
    let peer = testbed.peer_cell();
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
            let result = run_to_completion(peer, FUTURE_TIMEOUT, futures(testbed)?.ready(interest));
            ensure!(
                matches!(result, Some(Err(_))),
                testbed.requirement,
                "service returned Fault: expected ready({interest:?}) to return an error, found {result:?}"
            );
        }
        break;
    }
    Ok(())
}

/// Each waiting future is polled with one waker, then with another one: only the last one counts.
pub(super) fn any_wait_new_waker_replaces_former(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    // The link may have come up since construction: that is reported once.
    let _ = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::LINK));
    let both = |what: &str, future: &mut dyn FnMut(&Executor<'_>, Duration) -> bool| {
        let (former, last) = (Executor::new(peer), Executor::new(peer));
        for executor in [&former, &last] {
            ensure!(
                // Shorter than a transmit timeout.
                !future(executor, OBSERVE_TIME / 4),
                requirement,
                "nothing of it holds: expected {what} to wait, it completed"
            );
        }
        Ok(last)
    };
    for interest in [Interest::RX, Interest::RX | Interest::LINK] {
        let frame = testbed.peer_frame(200);
        {
            let mut ready = futures(testbed)?.ready(interest);
            let last = both("ready", &mut |executor, limit| {
                executor.run(limit, ready.as_mut()).is_some()
            })?;
            peer.borrow_mut().peer_send(&frame);
            let reported = last.run(FUTURE_TIMEOUT, ready.as_mut());
            ensure!(
                reported == Some(Ok(Interest::RX)),
                requirement,
                "polled with two wakers, a frame came: expected the last one to be woken for ready({interest:?}), found {reported:?}"
            );
        }
        testbed.peer_sent(frame);
        testbed.receive_all()?;
    }
    let frame = testbed.peer_frame(200);
    let mut buf = vec![0; 2048];
    let meta = {
        let mut recv = futures(testbed)?.recv(&mut buf);
        let last = both("recv", &mut |executor, limit| {
            executor.run(limit, recv.as_mut()).is_some()
        })?;
        peer.borrow_mut().peer_send(&frame);
        last.run(FUTURE_TIMEOUT, recv.as_mut())
    };
    testbed.peer_sent(frame);
    match meta {
        Some(Ok(meta)) => testbed.received(&buf[..meta.len])?,
        other => {
            return testbed.fail(format!(
                "recv polled with two wakers, a frame came: expected the last one to be woken, found {other:?}"
            ));
        }
    }
    if testbed.peer().stall_tx(false).is_ok() {
        testbed.fill_tx(300)?;
        let frame = testbed.own_frame(300);
        {
            let mut send = futures(testbed)?.send(&frame);
            let last = both("send", &mut |executor, limit| {
                executor.run(limit, send.as_mut()).is_some()
            })?;
            peer.borrow_mut().stall_tx(false)?;
            let sent = last.run(FUTURE_TIMEOUT, send.as_mut());
            ensure!(
                sent == Some(Ok(())),
                requirement,
                "send polled with two wakers, the queue became free: expected the last one to be woken, found {sent:?}"
            );
        }
        testbed.accepted(frame);
        testbed.peer_receives_all()?;
    }
    testbed.check_accounting()
}

pub(super) fn ready_none_never_completes(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let peer = testbed.peer_cell();
    testbed.peer_delivers(200);
    let reported = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.ready(Interest::NONE));
    ensure!(
        reported.is_none(),
        testbed.requirement,
        "ready(NONE) completed: {reported:?}"
    );
    testbed.receive_all()?;
    testbed.check_accounting()
}

pub(super) fn recv_and_send_nothing_possible_wait(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    let mut buf = vec![0; 2048];
    for _ in 0..3 {
        let frame = testbed.peer_frame(200);
        let meta = {
            let mut recv = futures(testbed)?.recv(&mut buf);
            let executor = Executor::new(peer);
            let early = executor.run(OBSERVE_TIME, recv.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "no frame pending: expected recv to wait, found {early:?}"
            );
            peer.borrow_mut().peer_send(&frame);
            executor.run(FUTURE_TIMEOUT, recv.as_mut())
        };
        testbed.peer_sent(frame);
        match meta {
            Some(Ok(meta)) => testbed.received(&buf[..meta.len])?,
            other => return testbed.fail(format!("a frame came, and recv is {other:?}")),
        }
    }
    if testbed.peer().stall_tx(false).is_ok() {
        for _ in 0..3 {
            testbed.fill_tx(300)?;
            let frame = testbed.own_frame(300);
            {
                let mut send = futures(testbed)?.send(&frame);
                let executor = Executor::new(peer);
                let early = executor.run(OBSERVE_TIME, send.as_mut());
                ensure!(
                    early.is_none(),
                    requirement,
                    "transmit queue full: expected send to wait, found {early:?}"
                );
                peer.borrow_mut().stall_tx(false)?;
                let sent = executor.run(FUTURE_TIMEOUT, send.as_mut());
                ensure!(
                    sent == Some(Ok(())),
                    requirement,
                    "transmit queue no longer full: expected send to complete, found {sent:?}"
                );
            }
            testbed.accepted(frame);
            testbed.peer_receives_all()?;
        }
    }
    if testbed.peer().set_link(false).is_ok() {
        testbed.wait_link(false)?;
        let frame = testbed.own_frame(100);
        let sent = run_to_completion(peer, OBSERVE_TIME, futures(testbed)?.send(&frame));
        ensure!(
            sent == Some(Err(ErrorKind::LinkDown)),
            requirement,
            "link down, and send is {sent:?} instead of LinkDown at once"
        );
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
    }
    testbed.check_accounting()
}

/// The future is polled again and again without an interrupt.
pub(super) fn poll_ready_foreign_wake_no_access(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let peer = testbed.peer_cell();
    let requirement = testbed.requirement;
    testbed.peer().accesses()?;
    let mut cx = Context::from_waker(Waker::noop());
    let mut ready = futures(testbed)?.ready(Interest::RX);
    // Earlier interrupts are handled first.
    for _ in 0..8 {
        ensure!(
            ready.as_mut().poll(&mut cx).is_pending(),
            requirement,
            "no frame pending: expected ready(RX) to wait"
        );
    }
    let before = peer.borrow().accesses()?;
    for _ in 0..100 {
        let polled = ready.as_mut().poll(&mut cx);
        ensure!(
            polled.is_pending(),
            requirement,
            "no frame pending: expected ready(RX) to wait, found {polled:?}"
        );
    }
    let accesses = peer.borrow().accesses()? - before;
    ensure!(
        accesses == 0,
        requirement,
        "100 polls without an interrupt: expected no access to the chip, found {accesses}"
    );
    drop(ready);
    testbed.check_accounting()
}

/// The waker of the last call is woken.
pub(super) fn poll_ready_new_waker_replaces_former(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (peer, requirement) = (testbed.peer_cell(), testbed.requirement);
    let frame = testbed.peer_frame(200);
    {
        let mut ready = futures(testbed)?.ready(Interest::RX);
        let (former, last) = (Executor::new(peer), Executor::new(peer));
        for executor in [&former, &last] {
            let early = executor.run(OBSERVE_TIME, ready.as_mut());
            ensure!(
                early.is_none(),
                requirement,
                "no frame pending: expected ready(RX) to wait, found {early:?}"
            );
        }
        peer.borrow_mut().peer_send(&frame);
        let reported = last.run(FUTURE_TIMEOUT, ready.as_mut());
        ensure!(
            reported == Some(Ok(Interest::RX)),
            requirement,
            "a frame arrived: expected the last waker to be woken, found {reported:?}"
        );
    }
    testbed.peer_sent(frame);
    testbed.receive_all()?;
    testbed.check_accounting()
}
