//! Callback + poll: exclusive, quiescent, budgeted.

use std::cell::RefCell;
use std::rc::Rc;

use ethdev::{ErrorKind, FrameHandler, LossReason, MacAddress, Polled, RxFrame, Transmit};

use super::dut::{Callbacks, Handler};
use super::outcome::{CheckError, CheckResult, attribute, ensure};
use super::requirement::{self, Requirement};
use super::testbed::Testbed;

/// The calls of a handler.
#[derive(Default)]
struct Log {
    frames: Vec<Vec<u8>>,
    /// Replies to the next frame, and their results.
    answers: Vec<Vec<u8>>,
    results: Vec<Result<(), ErrorKind>>,
    address: Option<MacAddress>,
    /// Whether the handler writes over each frame.
    overwrites: bool,
}

struct Recorder(Rc<RefCell<Log>>);

impl FrameHandler<ErrorKind> for Recorder {
    fn on_frame(&mut self, mut frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = ErrorKind>) {
        let mut log = self.0.borrow_mut();
        log.frames.push(frame.to_vec());
        log.address = Some(tx.mac_address());
        if log.overwrites {
            frame.fill(0xee);
        }
        for answer in std::mem::take(&mut log.answers) {
            let result = tx.send_frame(&answer);
            log.results.push(result);
        }
    }
}

/// A handler. It is leaked: it must outlive every device that has it.
fn recorder() -> (Handler, Rc<RefCell<Log>>) {
    let log = Rc::default();
    (Box::leak(Box::new(Recorder(Rc::clone(&log)))), log)
}

fn address(handler: &Handler) -> *const () {
    std::ptr::from_ref::<dyn FrameHandler<ErrorKind>>(&**handler).cast()
}

fn callbacks<'b>(testbed: &'b mut Testbed<'_>) -> CheckResult<&'b mut dyn Callbacks> {
    testbed
        .dev
        .callbacks()
        .ok_or_else(|| CheckError::Skip("not a callback API".into()))
}

fn poll(testbed: &mut Testbed<'_>, budget: usize) -> CheckResult<Polled> {
    let result = callbacks(testbed)?.poll(budget);
    testbed.ok("poll", result)
}

/// Accounts for the frames that the handler received.
fn collect(testbed: &mut Testbed<'_>, log: &Rc<RefCell<Log>>) -> CheckResult<usize> {
    let frames = std::mem::take(&mut log.borrow_mut().frames);
    for frame in &frames {
        testbed.received(frame)?;
    }
    Ok(frames.len())
}

/// The peer sends `frames` frames that all arrive.
fn deliver(testbed: &mut Testbed<'_>, frames: usize) {
    for n in 0..frames {
        testbed.peer_delivers(100 + n);
    }
}

fn set(testbed: &mut Testbed<'_>, handler: Handler) -> CheckResult<Option<Handler>> {
    Ok(callbacks(testbed)?.set_handler(handler))
}

fn clear(testbed: &mut Testbed<'_>, requirement: Requirement) -> CheckResult<Handler> {
    callbacks(testbed)?.clear_handler().ok_or_else(|| CheckError::Fail {
        requirement,
        reason: "clear_handler does not return the handler".into(),
    })
}

pub(super) fn poll_frames_pending_handler_called_once_each(testbed: &mut Testbed<'_>) -> CheckResult {
    let (handler, log) = recorder();
    set(testbed, handler)?;
    let burst = testbed.rx_burst().min(8);
    for _ in 0..5 {
        deliver(testbed, burst);
        let mut polled = 0;
        for _ in 0..3 {
            polled += poll(testbed, 64)?.frames;
        }
        let seen = attribute(testbed.requirement, collect(testbed, &log))?;
        ensure!(
            seen == burst && polled == burst,
            testbed.requirement,
            "{burst} frames pending: expected all delivered, poll reports {polled}, the handler received {seen}"
        );
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

pub(super) fn set_handler_former_never_called_again(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let requirement = testbed.requirement;
    let ((first, first_log), (second, second_log)) = (recorder(), recorder());
    let first_address = address(&first);
    ensure!(
        set(testbed, first)?.is_none(),
        requirement,
        "a handler comes back that was not set"
    );
    deliver(testbed, 1);
    poll(testbed, 8)?;
    ensure!(
        collect(testbed, &first_log)? == 1,
        requirement,
        "the handler does not get the frame"
    );

    deliver(testbed, 1);
    let former = set(testbed, second)?;
    ensure!(
        former.as_ref().is_some_and(|h| address(h) == first_address),
        requirement,
        "set_handler does not return the handler before"
    );
    poll(testbed, 8)?;
    ensure!(
        first_log.borrow().frames.is_empty(),
        requirement,
        "the former handler runs after set_handler"
    );
    ensure!(
        collect(testbed, &second_log)? == 1,
        requirement,
        "the new handler does not get the frame"
    );

    deliver(testbed, 1);
    clear(testbed, requirement)?;
    for _ in 0..3 {
        poll(testbed, 8)?;
    }
    ensure!(
        first_log.borrow().frames.is_empty() && second_log.borrow().frames.is_empty(),
        requirement,
        "a former handler runs after clear_handler"
    );
    ensure!(
        callbacks(testbed)?.clear_handler().is_none(),
        requirement,
        "clear_handler returns a handler twice"
    );
    attribute(requirement::CALLBACK_4, testbed.receive_all())?;
    testbed.check_accounting()
}

pub(super) fn poll_budget_not_exceeded(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    let burst = testbed.rx_burst().min(6);
    for budget in [0, 1, 2, burst - 1, burst, burst + 1, 64, usize::MAX] {
        deliver(testbed, burst);
        let mut delivered = burst;
        for _ in 0..=burst {
            let polled = poll(testbed, budget)?;
            let seen = collect(testbed, &log)?;
            let due = delivered.min(budget);
            ensure!(
                seen <= budget,
                testbed.requirement,
                "budget {budget}, and {seen} frames are delivered"
            );
            ensure!(
                seen == due && polled.frames == seen,
                testbed.requirement,
                "budget {budget}, {delivered} frames pending: {seen} delivered, poll reports {}",
                polled.frames
            );
            delivered -= seen;
            ensure!(
                polled.more == (delivered > 0),
                testbed.requirement,
                "more is {} with {delivered} frames pending",
                polled.more
            );
        }
        poll(testbed, delivered)?;
        collect(testbed, &log)?;
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

pub(super) fn poll_no_handler_frames_kept(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let burst = testbed.rx_burst().min(4);
    let mut more = true;
    for _ in 0..3 {
        deliver(testbed, burst);
        for _ in 0..3 {
            let polled = poll(testbed, 16)?;
            ensure!(
                polled.frames == 0,
                testbed.requirement,
                "no handler: expected no frame delivered, poll reports {}",
                polled.frames
            );
            more &= polled.more;
        }
        let (handler, log) = recorder();
        set(testbed, handler)?;
        poll(testbed, 16)?;
        let seen = collect(testbed, &log)?;
        ensure!(
            seen == burst,
            testbed.requirement,
            "{burst} frames came without a handler, {seen} are delivered to the next one"
        );
        clear(testbed, requirement::CALLBACK_2)?;
    }
    ensure!(
        more,
        requirement::CALLBACK_3,
        "no handler, frames pending, and more is false"
    );
    testbed.check_accounting()
}

pub(super) fn handler_outside_poll_never_called(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    let burst = testbed.rx_burst().min(4);
    // Half of the frames are pending when the handler is set, half come afterwards.
    deliver(testbed, burst / 2);
    set(testbed, handler)?;
    deliver(testbed, burst - burst / 2);
    ensure!(
        log.borrow().frames.is_empty(),
        testbed.requirement,
        "the handler ran outside poll"
    );
    poll(testbed, 16)?;
    collect(testbed, &log)?;
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

pub(super) fn transmit_in_handler_reply_sent(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    for len in [14, 60, 500, testbed.tx_max()] {
        let answer = testbed.own_frame(len);
        log.borrow_mut().answers = vec![answer.clone()];
        deliver(testbed, 1);
        poll(testbed, 4)?;
        collect(testbed, &log)?;
        let results = std::mem::take(&mut log.borrow_mut().results);
        ensure!(
            results == [Ok(())],
            testbed.requirement,
            "an answer of {len} bytes from inside the handler: {results:?}"
        );
        testbed.accepted(answer);
        testbed.peer_receives_all()?;
    }
    let reported = log.borrow().address;
    ensure!(
        reported.is_some_and(|address| {
            address.is_unicast() && (address == testbed.dev.mac_address() || !testbed.dev.features().cached)
        }),
        testbed.requirement,
        "expected the address of the device in the handler, found {reported:?}"
    );
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

pub(super) fn transmit_in_handler_queue_full_busy(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().stall_tx(false)?;
    testbed.warm_up()?;
    ensure_cached(testbed)?;
    testbed.fill_tx(300)?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    for _ in 0..10 {
        let answer = testbed.own_frame(300);
        log.borrow_mut().answers = vec![answer];
        deliver(testbed, 1);
        poll(testbed, 4)?;
        let seen = collect(testbed, &log)?;
        ensure!(
            seen == 1,
            requirement::DEVICE_5,
            "with the transmit queue full, the handler gets no frame"
        );
        let results = std::mem::take(&mut log.borrow_mut().results);
        ensure!(
            results == [Err(ErrorKind::Busy)],
            testbed.requirement,
            "transmit queue full, reply from the handler: expected Busy, found {results:?}"
        );
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.peer().stall_tx(false)?;
    testbed.check_accounting()
}

/// Delivers one frame to the handler, which answers it with `answers`. Returns the results.
fn answer(
    testbed: &mut Testbed<'_>,
    log: &Rc<RefCell<Log>>,
    answers: &[&[u8]],
) -> CheckResult<Vec<Result<(), ErrorKind>>> {
    log.borrow_mut().answers = answers.iter().map(|answer| answer.to_vec()).collect();
    poll(testbed, 4)?;
    let seen = collect(testbed, log)?;
    ensure!(
        seen == 1,
        testbed.requirement,
        "one frame pending: expected it to be delivered, {seen} were"
    );
    Ok(std::mem::take(&mut log.borrow_mut().results))
}

/// Several replies to one frame, as many as the queue takes.
pub(super) fn transmit_in_handler_second_reply_sent(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    for len in [14, 60, 500] {
        let replies = [
            testbed.own_frame(len),
            testbed.own_frame(len + 1),
            testbed.own_frame(len),
        ];
        deliver(testbed, 1);
        let results = answer(testbed, &log, &[&replies[0], &replies[1], &replies[2]])?;
        let accepted = results.iter().take_while(|result| result.is_ok()).count();
        ensure!(
            accepted >= 1 && results[accepted..].iter().all(|result| *result == Err(ErrorKind::Busy)),
            testbed.requirement,
            "three replies to one frame: expected Ok, then Busy if the queue is full, found {results:?}"
        );
        let room = testbed.caps.tx_queue_frames.map_or(1, usize::from).min(3);
        ensure!(
            accepted >= room,
            testbed.requirement,
            "tx_queue_frames is {room} or more: expected that many replies to be accepted, found {accepted}"
        );
        for reply in replies.into_iter().take(accepted) {
            testbed.accepted(reply);
        }
        attribute(testbed.requirement, testbed.peer_receives_all())?;
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

pub(super) fn transmit_in_handler_illegal_length_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    let max = testbed.tx_max().max(testbed.peer().medium_max_frame_len());
    for len in [0, 1, 13, max + 1, max + 4, 2 * max] {
        let frame = testbed.own_frame(len);
        deliver(testbed, 1);
        let results = answer(testbed, &log, &[&frame])?;
        let right = match results[..] {
            [Err(ErrorKind::FrameTooShort)] => len < 14,
            [Err(ErrorKind::FrameTooLong { .. })] => len > 14,
            _ => false,
        };
        ensure!(
            right,
            testbed.requirement,
            "a reply of {len} bytes: expected FrameTooShort or FrameTooLong, found {results:?}"
        );
        // Nothing was sent.
        testbed.peer_receives_all()?;
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

/// The frame arrived before the link was lost.
pub(super) fn transmit_in_handler_link_down_rejected(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    for len in [60, 500] {
        let reply = testbed.own_frame(len);
        deliver(testbed, 1);
        testbed.peer().set_link(false)?;
        // Longer than the detection of a lost link takes.
        for _ in 0..200 {
            testbed.advance_frames(5);
            if poll(testbed, 0)?.events.link_changed {
                break;
            }
        }
        let results = answer(testbed, &log, &[&reply])?;
        ensure!(
            results == [Err(ErrorKind::LinkDown)],
            testbed.requirement,
            "link down, reply from the handler: expected LinkDown, found {results:?}"
        );
        testbed.peer().set_link(true)?;
        testbed.wait_link(true)?;
        if !testbed.dev.features().cached {
            testbed.advance_frames(500);
            poll(testbed, 0)?;
        }
        testbed.peer_receives_all()?;
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

/// The handler owns the frame while it runs: what it writes is not delivered.
pub(super) fn handler_writes_frame_next_frame_intact(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.warm_up()?;
    let (handler, log) = recorder();
    log.borrow_mut().overwrites = true;
    set(testbed, handler)?;
    let burst = testbed.rx_burst().min(4);
    for budget in [1, 2, 64] {
        for _ in 0..3 {
            deliver(testbed, burst);
            for _ in 0..=burst {
                poll(testbed, budget)?;
            }
            let seen = attribute(testbed.requirement, collect(testbed, &log))?;
            ensure!(
                seen == burst,
                testbed.requirement,
                "{burst} frames, written over by the handler: expected each to be delivered once, found {seen}"
            );
        }
    }
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

/// What fails inside `poll` is its result, with and without a handler.
pub(super) fn poll_bus_failure_returns_error(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().fail_bus(false)?;
    testbed.warm_up()?;
    testbed.provoke_rx(&[LossReason::RxError, LossReason::RxReset]);
    let (handler, log) = recorder();
    for with_handler in [false, true] {
        if with_handler {
            set(testbed, handler)?;
            deliver(testbed, 1);
            testbed.peer().fail_bus(true)?;
            for budget in [0, 1, 64] {
                let result = callbacks(testbed)?.poll(budget);
                ensure!(
                    result.is_err_and(|e| !e.is_transient() && !e.is_rejection()),
                    testbed.requirement,
                    "bus failing, budget {budget}: expected an error from poll, found {result:?}"
                );
            }
            break;
        }
        testbed.peer().fail_bus(true)?;
        let result = callbacks(testbed)?.poll(8);
        ensure!(
            result.is_err(),
            testbed.requirement,
            "bus failing, no handler: expected an error from poll, found {result:?}"
        );
        testbed.peer().fail_bus(false)?;
        let _ = callbacks(testbed)?.poll(0);
    }
    ensure!(
        log.borrow().frames.is_empty(),
        testbed.requirement,
        "bus failing: expected no frame in the handler, found one"
    );
    Ok(())
}

/// The events that housekeeping finds are those that `poll` returns.
pub(super) fn poll_link_and_replies_events_returned(testbed: &mut Testbed<'_>) -> CheckResult {
    testbed.peer().set_link(true)?;
    testbed.warm_up()?;
    let (handler, log) = recorder();
    set(testbed, handler)?;
    let mut completed = 0;
    for _ in 0..4 {
        let reply = testbed.own_frame(100);
        deliver(testbed, 1);
        log.borrow_mut().answers = vec![reply.clone()];
        completed += u32::from(poll(testbed, 4)?.events.tx_completed);
        collect(testbed, &log)?;
        ensure!(
            std::mem::take(&mut log.borrow_mut().results) == [Ok(())],
            requirement::CALLBACK_5,
            "empty transmit queue: expected a reply to be accepted"
        );
        testbed.accepted(reply);
        for _ in 0..3 {
            testbed.advance_frames(1);
            completed += u32::from(poll(testbed, 4)?.events.tx_completed);
        }
        testbed.peer_receives()?;
    }
    ensure!(
        completed == 4 || completed == 0,
        testbed.requirement,
        "4 replies were sent: expected tx_completed = 4 in all, found {completed}"
    );
    for up in [false, true] {
        testbed.peer().set_link(up)?;
        let mut changes = 0;
        for _ in 0..2000 {
            testbed.advance_frames(5);
            let events = poll(testbed, 4)?.events;
            changes += u32::from(events.link_changed);
            if changes > 0 {
                break;
            }
        }
        ensure!(
            changes == 1,
            testbed.requirement,
            "the link is {}: expected link_changed from a poll, found none within 10,000 frame times",
            if up { "up" } else { "down" }
        );
    }
    // A link that comes up may change its speed.
    testbed.wait_link(true)?;
    clear(testbed, requirement::CALLBACK_2)?;
    testbed.check_accounting()
}

fn ensure_cached(testbed: &Testbed<'_>) -> CheckResult {
    if testbed.dev.features().cached {
        Ok(())
    } else {
        Err(CheckError::Skip("the API sends from inside the handler only".into()))
    }
}
