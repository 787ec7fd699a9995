//! Callback + poll: exclusive, quiescent, budgeted.

use std::cell::RefCell;
use std::rc::Rc;

use ethdev::{ErrorKind, FrameHandler, MacAddress, Polled, RxFrame, Transmit};

use super::bench::{Bench, Stop, Verdict, blame, ensure};
use super::line::{self, Line};
use super::subject::Callbacks;

/// What a handler saw.
#[derive(Default)]
struct Log {
    frames: Vec<Vec<u8>>,
    /// Answers to give, one a frame, and what came of it.
    answers: Vec<Vec<u8>>,
    results: Vec<Result<(), ErrorKind>>,
    address: Option<MacAddress>,
}

struct Recorder(Rc<RefCell<Log>>);

impl FrameHandler for Recorder {
    fn on_frame(&mut self, frame: RxFrame<'_>, tx: &mut dyn Transmit) {
        let mut log = self.0.borrow_mut();
        log.frames.push(frame.to_vec());
        log.address = Some(tx.mac_address());
        if let Some(answer) = log.answers.pop() {
            let result = tx.send_frame(&answer);
            log.results.push(result);
        }
    }
}

type Handler = &'static mut dyn FrameHandler;

/// A handler, leaked: it has to outlive every device that it may be given to.
fn recorder() -> (Handler, Rc<RefCell<Log>>) {
    let log = Rc::default();
    (Box::leak(Box::new(Recorder(Rc::clone(&log)))), log)
}

fn address(handler: &Handler) -> *const () {
    std::ptr::from_ref::<dyn FrameHandler>(&**handler).cast()
}

fn callbacks<'b>(bench: &'b mut Bench<'_>) -> Verdict<&'b mut Callbacks> {
    bench
        .dev
        .callbacks()
        .ok_or_else(|| Stop::Skip("not a callback surface".into()))
}

fn poll(bench: &mut Bench<'_>, budget: usize) -> Verdict<Polled> {
    let result = callbacks(bench)?.poll(budget);
    bench.ok("poll", result)
}

/// Enters what the handler saw into the books.
fn collect(bench: &mut Bench<'_>, log: &Rc<RefCell<Log>>) -> Verdict<usize> {
    let frames = std::mem::take(&mut log.borrow_mut().frames);
    for frame in &frames {
        bench.received(frame)?;
    }
    Ok(frames.len())
}

/// The peer sends `frames` frames that all arrive.
fn deliver(bench: &mut Bench<'_>, frames: usize) {
    for n in 0..frames {
        bench.peer_delivers(100 + n);
    }
}

fn set(bench: &mut Bench<'_>, handler: Handler) -> Verdict<Option<Handler>> {
    Ok(callbacks(bench)?.set_handler(handler))
}

fn clear(bench: &mut Bench<'_>, line: Line) -> Verdict<Handler> {
    callbacks(bench)?.clear_handler().ok_or_else(|| Stop::Fail {
        line,
        reason: "clear_handler does not return the handler".into(),
    })
}

pub(super) fn each_frame_once(bench: &mut Bench<'_>) -> Verdict {
    let (handler, log) = recorder();
    set(bench, handler)?;
    let burst = bench.rx_burst().min(8);
    for _ in 0..5 {
        deliver(bench, burst);
        let mut polled = 0;
        for _ in 0..3 {
            polled += poll(bench, 64)?.frames;
        }
        let seen = blame(bench.line, collect(bench, &log))?;
        ensure!(
            seen == burst && polled == burst,
            bench.line,
            "{burst} frames were pending, poll says {polled}, the handler saw {seen}"
        );
    }
    clear(bench, line::CALLBACK_2)?;
    bench.audit()
}

pub(super) fn former_handlers_are_quiet(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let line = bench.line;
    let ((first, first_log), (second, second_log)) = (recorder(), recorder());
    let first_address = address(&first);
    ensure!(
        set(bench, first)?.is_none(),
        line,
        "a handler comes back that was not set"
    );
    deliver(bench, 1);
    poll(bench, 8)?;
    ensure!(
        collect(bench, &first_log)? == 1,
        line,
        "the handler does not get the frame"
    );

    deliver(bench, 1);
    let former = set(bench, second)?;
    ensure!(
        former.as_ref().is_some_and(|h| address(h) == first_address),
        line,
        "set_handler does not return the handler before"
    );
    poll(bench, 8)?;
    ensure!(
        first_log.borrow().frames.is_empty(),
        line,
        "the former handler runs after set_handler"
    );
    ensure!(
        collect(bench, &second_log)? == 1,
        line,
        "the new handler does not get the frame"
    );

    deliver(bench, 1);
    clear(bench, line)?;
    for _ in 0..3 {
        poll(bench, 8)?;
    }
    ensure!(
        first_log.borrow().frames.is_empty() && second_log.borrow().frames.is_empty(),
        line,
        "a former handler runs after clear_handler"
    );
    ensure!(
        callbacks(bench)?.clear_handler().is_none(),
        line,
        "clear_handler returns a handler twice"
    );
    blame(line::CALLBACK_4, bench.receive_all())?;
    bench.audit()
}

pub(super) fn budget_is_kept(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (handler, log) = recorder();
    set(bench, handler)?;
    let burst = bench.rx_burst().min(6);
    for budget in [0, 1, 2, burst - 1, burst, burst + 1, 64, usize::MAX] {
        deliver(bench, burst);
        let mut left = burst;
        for _ in 0..=burst {
            let polled = poll(bench, budget)?;
            let seen = collect(bench, &log)?;
            let due = left.min(budget);
            ensure!(
                seen <= budget,
                bench.line,
                "budget {budget}, and {seen} frames are delivered"
            );
            ensure!(
                seen == due && polled.frames == seen,
                bench.line,
                "budget {budget}, {left} frames pending: {seen} delivered, poll says {}",
                polled.frames
            );
            left -= seen;
            ensure!(
                polled.more == (left > 0),
                bench.line,
                "more is {} with {left} frames pending",
                polled.more
            );
        }
        poll(bench, left)?;
        collect(bench, &log)?;
    }
    clear(bench, line::CALLBACK_2)?;
    bench.audit()
}

pub(super) fn without_handler_frames_stay(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let burst = bench.rx_burst().min(4);
    let mut more = true;
    for _ in 0..3 {
        deliver(bench, burst);
        for _ in 0..3 {
            let polled = poll(bench, 16)?;
            ensure!(
                polled.frames == 0,
                bench.line,
                "no handler, and poll says {} frames delivered",
                polled.frames
            );
            more &= polled.more;
        }
        let (handler, log) = recorder();
        set(bench, handler)?;
        poll(bench, 16)?;
        let seen = collect(bench, &log)?;
        ensure!(
            seen == burst,
            bench.line,
            "{burst} frames came without a handler, {seen} are delivered to the next one"
        );
        clear(bench, line::CALLBACK_2)?;
    }
    ensure!(more, line::CALLBACK_3, "no handler, frames pending, and more is false");
    bench.audit()
}

pub(super) fn only_inside_poll(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (handler, log) = recorder();
    let burst = bench.rx_burst().min(4);
    // Half of the frames are pending when the handler is set, half come afterwards.
    deliver(bench, burst / 2);
    set(bench, handler)?;
    deliver(bench, burst - burst / 2);
    ensure!(
        log.borrow().frames.is_empty(),
        bench.line,
        "the handler ran outside poll"
    );
    poll(bench, 16)?;
    collect(bench, &log)?;
    clear(bench, line::CALLBACK_2)?;
    bench.audit()
}

pub(super) fn answers_from_the_handler(bench: &mut Bench<'_>) -> Verdict {
    bench.warm_up()?;
    let (handler, log) = recorder();
    set(bench, handler)?;
    for len in [14, 60, 500, bench.tx_max()] {
        let answer = bench.own_frame(len);
        log.borrow_mut().answers = vec![answer.clone()];
        deliver(bench, 1);
        poll(bench, 4)?;
        collect(bench, &log)?;
        let results = std::mem::take(&mut log.borrow_mut().results);
        ensure!(
            results == [Ok(())],
            bench.line,
            "an answer of {len} bytes from inside the handler: {results:?}"
        );
        bench.accepted(answer);
        bench.peer_receives_all()?;
    }
    let told = log.borrow().address;
    ensure!(
        !bench.dev.features().cached || told == Some(bench.dev.mac_address()),
        bench.line,
        "the handler is told the address {told:?}"
    );
    clear(bench, line::CALLBACK_2)?;
    bench.audit()
}

pub(super) fn answers_without_room(bench: &mut Bench<'_>) -> Verdict {
    bench.far().stall_tx(false)?;
    bench.warm_up()?;
    ensure_cached(bench)?;
    bench.fill_tx(300)?;
    let (handler, log) = recorder();
    set(bench, handler)?;
    for _ in 0..10 {
        let answer = bench.own_frame(300);
        log.borrow_mut().answers = vec![answer];
        deliver(bench, 1);
        poll(bench, 4)?;
        let seen = collect(bench, &log)?;
        ensure!(
            seen == 1,
            line::DEVICE_5,
            "with the transmit queue full, the handler gets no frame"
        );
        let results = std::mem::take(&mut log.borrow_mut().results);
        ensure!(
            results == [Err(ErrorKind::Busy)],
            bench.line,
            "no room, an answer from inside the handler: {results:?} instead of Busy"
        );
    }
    clear(bench, line::CALLBACK_2)?;
    bench.far().stall_tx(false)?;
    bench.audit()
}

fn ensure_cached(bench: &Bench<'_>) -> Verdict {
    if bench.dev.features().cached {
        Ok(())
    } else {
        Err(Stop::Skip("the surface sends from inside the handler only".into()))
    }
}
