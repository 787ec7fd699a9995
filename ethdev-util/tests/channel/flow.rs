//! Full queues, errors, lies: nothing clogs, nothing spins.

use std::pin::pin;
use std::task::Poll;

use crate::chip::{Chip, Task, Waits, frame, number};
use ethdev::*;
use ethdev_util::channel::{Channel, Endpoint};

const WAITS: Waits = Waits { before: 1, after: 1 };

/// Fetches what is there.
fn fetch<const RX: usize, const TX: usize>(stack: &mut Endpoint<'_, '_, RX, TX>) -> Vec<usize> {
    let (mut buf, mut numbers) = ([0; 100], Vec::new());
    while let Some(meta) = stack.recv_frame(&mut buf).unwrap() {
        numbers.push(number(&buf[..meta.len]));
    }
    numbers
}

/// Sends until the queue is full.
fn fill<const RX: usize, const TX: usize>(stack: &mut Endpoint<'_, '_, RX, TX>, mut next: usize) -> usize {
    loop {
        match stack.send_frame(&frame(next, 60)) {
            Ok(()) => next += 1,
            Err(e) => {
                assert_eq!(e, ErrorKind::Busy);
                return next;
            }
        }
    }
}

#[test]
fn full_both_ways_is_no_deadlock() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 3]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    chip.with(|state| state.room = 0);
    for n in 0..10 {
        chip.arrives(frame(n, 60));
    }
    assert_eq!(fill(&mut stack, 100), 103);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(
        chip.look(|state| state.incoming.len()),
        8,
        "backpressure: what does not fit stays in the chip"
    );

    // Full and quiet: nothing is polled, and frames that arrive wake nobody.
    let accesses = chip.look(|state| state.accesses);
    chip.arrives(frame(10, 60));
    assert!(task.settle(run.as_mut()).is_pending());
    assert!(chip.look(|state| state.accesses) <= accesses + 1);

    // Room to transmit, and only that: sending goes on with the receive queue full.
    chip.with(|state| state.room = 2);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(chip.look(|state| state.sent.len()), 2);
    assert_eq!(fill(&mut stack, 103), 105);
    assert!(task.settle(run.as_mut()).is_pending());

    // The stack fetches, and only that: receiving goes on with the transmit queue full.
    let mut received = Vec::new();
    for _ in 0..10 {
        received.extend(fetch(&mut stack));
        assert!(task.settle(run.as_mut()).is_pending());
    }
    assert_eq!(received, (0..11).collect::<Vec<_>>());
    assert_eq!(stack.send_frame(&frame(0, 60)), Err(ErrorKind::Busy));

    chip.with(|state| state.room = 100);
    assert!(task.settle(run.as_mut()).is_pending());
    let sent: Vec<_> = chip.look(|state| state.sent.iter().map(|frame| number(frame)).collect());
    assert_eq!(sent, (100..105).collect::<Vec<_>>());
    assert_eq!((stack.stats().rx_frames, stack.stats().tx_frames), (11, 5));
}

#[test]
fn a_device_that_never_waits_does_not_keep_the_executor() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut pump = Channel::new();
    let (mut runner, stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    // Frames that fit no buffer are thrown away without taking one, so nothing but fairness ends this.
    for n in 0..1_000 {
        chip.arrives(frame(n, 61));
    }
    let mut run = pin!(runner.run());
    assert!(task.poll(run.as_mut()).is_pending());
    assert!(task.is_woken());
    assert!(chip.look(|state| state.incoming.len()) > 900);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(stack.stats().rx_discarded, 1_000);
    assert_eq!(stack.stats().rx_frames, 0);
}

#[test]
fn a_flood_does_not_keep_frames_from_going_out() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    for n in 0..1_000 {
        chip.arrives(frame(n, 61));
    }
    chip.with(|state| state.room = 0);
    stack.send_frame(&frame(1, 60)).unwrap();
    let mut run = pin!(runner.run());
    assert!(task.poll(run.as_mut()).is_pending());
    chip.with(|state| state.room = 1);
    for _ in 0..2 {
        assert!(task.poll(run.as_mut()).is_pending());
    }
    assert_eq!(chip.look(|state| state.sent.len()), 1);
    assert!(chip.look(|state| state.incoming.len()) > 900, "the flood is not over");
}

#[test]
fn a_frame_costs_few_bus_accesses() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    let mut accesses_for = |act: &mut dyn FnMut()| {
        assert!(task.settle(run.as_mut()).is_pending());
        let before = chip.look(|state| state.accesses);
        act();
        assert!(task.settle(run.as_mut()).is_pending());
        chip.look(|state| state.accesses) - before
    };
    // Woken, it reads the frame, reads that there is no other, and looks before it sleeps.
    assert_eq!(accesses_for(&mut || chip.arrives(frame(1, 60))), 3);
    assert_eq!(
        accesses_for(&mut || assert_eq!(fetch(&mut stack), [1])),
        0,
        "a buffer that comes back wakes nobody"
    );
    // It sends, and looks before it sleeps.
    assert_eq!(accesses_for(&mut || stack.send_frame(&frame(1, 60)).unwrap()), 2);
}

#[test]
fn a_device_that_contradicts_itself_does_not_keep_the_executor() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    chip.with(|state| (state.lies, state.room) = (true, 0));
    stack.send_frame(&frame(1, 60)).unwrap();
    let mut run = pin!(runner.run());
    for _ in 0..10 {
        assert!(task.poll(run.as_mut()).is_pending());
    }
    assert!(chip.look(|state| state.accesses) < 2_000);
}

#[test]
fn a_link_that_goes_drops_what_waits() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 3]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    chip.with(|state| state.room = 0);
    assert_eq!(fill(&mut stack, 0), 3);
    assert!(task.settle(run.as_mut()).is_pending());
    chip.with(|state| state.link = Link::Down);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(stack.stats().tx_aborted, 3);
    assert_eq!(stack.link(), Link::UP, "cached");
    assert_eq!(stack.send_frame(&frame(3, 60)), Err(ErrorKind::LinkDown));
    assert_eq!(stack.link(), Link::Down);
    assert_eq!(stack.tx_ready(), Ok(false));
    let events = stack.service().unwrap();
    assert!(events.link_changed && !events.tx_ready);
    assert_eq!(events.tx_failed, 3);

    chip.with(|state| (state.link, state.room) = (Link::UP, 9));
    assert!(task.settle(run.as_mut()).is_pending());
    stack.send_frame(&frame(4, 60)).unwrap();
    assert!(task.settle(run.as_mut()).is_pending());
    let sent: Vec<_> = chip.look(|state| state.sent.iter().map(|frame| number(frame)).collect());
    assert_eq!(sent, [4], "nothing stale");
    assert_eq!(stack.stats().tx_frames, 1);
}

#[test]
fn a_failing_device_ends_the_run_and_loses_nothing() {
    // An error at each bus access in turn: of recv, send, service and ready.
    for access in 0..40 {
        let (chip, task) = (Chip::new(WAITS), Task::new());
        let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
        let mut pump = Channel::new();
        let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
        let (mut received, mut errors, mut next) = (Vec::new(), 0, 0);
        for n in 0..6 {
            chip.arrives(frame(n, 60));
        }
        for _ in 0..20 {
            let mut run = pin!(runner.run());
            task.wake();
            loop {
                if chip.look(|state| state.accesses) == access && errors == 0 {
                    chip.with(|state| state.fail_next = Some(ErrorKind::Bus));
                    errors = 1;
                }
                if next < 6 && stack.send_frame(&frame(next, 60)).is_ok() {
                    next += 1;
                }
                match task.poll(run.as_mut()) {
                    Poll::Ready(Err(e)) => {
                        assert_eq!(e, ErrorKind::Bus);
                        assert_eq!(errors, 1);
                        errors = 2;
                        break;
                    }
                    Poll::Ready(Ok(never)) => match never {},
                    Poll::Pending => {}
                }
                if !task.is_woken() {
                    break;
                }
            }
            received.extend(fetch(&mut stack));
            // The `run()` that waits is dropped here, and the next one goes on.
        }
        assert_eq!(received, (0..6).collect::<Vec<_>>(), "error at access {access}");
        let sent: Vec<_> = chip.look(|state| state.sent.iter().map(|frame| number(frame)).collect());
        assert_eq!(sent, (0..6).collect::<Vec<_>>(), "error at access {access}");
        assert_eq!(errors, 2, "access {access} never came");
    }
}

#[test]
fn frames_that_the_device_calls_illegal_do_not_clog() {
    for (kind, aborted, reset) in [
        (ErrorKind::FrameTooLong { max: 20 }, 1, 0),
        (ErrorKind::InvalidInput, 1, 0),
        (ErrorKind::Stopped, 0, 1),
        (ErrorKind::LinkDown, 1, 0),
    ] {
        let (chip, task) = (Chip::new(WAITS), Task::new());
        let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
        let mut pump = Channel::new();
        let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
        stack.send_frame(&frame(1, 60)).unwrap();
        stack.send_frame(&frame(2, 60)).unwrap();
        // The first thing a run does is to send.
        chip.with(|state| state.fail_next = Some(kind));
        assert!(task.settle(pin!(runner.run())).is_pending());
        assert_eq!(chip.look(|state| state.sent.clone()), [frame(2, 60)]);
        assert_eq!(
            (stack.stats().tx_aborted, stack.stats().tx_reset),
            (aborted, reset),
            "{kind}"
        );
    }
}

#[test]
fn garbage_from_the_wire_does_not_end_the_run() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 80]; 2], [[0; 100]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    // The first access of a run with nothing to send is to receive.
    chip.with(|state| state.fail_next = Some(ErrorKind::BadFrame));
    chip.arrives(frame(0, 60));
    chip.arrives(frame(1, 81)); // longer than the buffers
    chip.arrives(frame(2, 80));
    let mut run = pin!(runner.run());
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(fetch(&mut stack), [0, 2]);
    assert_eq!(stack.stats().rx_discarded, 1);

    // A driver that claims to have written more than there is room for.
    chip.with(|state| state.claims_len = Some(81));
    chip.arrives(frame(3, 60));
    chip.arrives(frame(4, 60));
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(fetch(&mut stack), [4]);
    let stats = stack.stats();
    assert_eq!((stats.rx_frames, stats.rx_bad_length, stats.rx_discarded), (3, 1, 1));
    assert_eq!(stats.rx_bytes, 60 + 80 + 60);
}

#[test]
fn without_its_runner_the_stack_side_sees_the_link_go() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    let mut pump = Channel::new();
    let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    chip.with(|state| state.room = 0);
    chip.arrives(frame(7, 60));
    fill(&mut stack, 0);
    assert!(task.settle(pin!(runner.run())).is_pending());

    let watcher = Task::new();
    let mut ready = Box::pin(stack.ready(Interest::LINK));
    assert!(watcher.settle(ready.as_mut()).is_pending());
    drop(runner.into_inner());
    assert_eq!(watcher.settle(ready.as_mut()), Poll::Ready(Interest::LINK));
    drop(ready);
    assert_eq!(stack.send_frame(&frame(1, 60)), Err(ErrorKind::LinkDown));
    assert_eq!(stack.stats().tx_reset, 2);
    assert_eq!(fetch(&mut stack), [7], "what was received is still there");
    assert_eq!(stack.stats().rx_frames, 1);
}

#[test]
fn the_same_buffers_serve_one_pump_after_another() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    for life in 0..3 {
        let mut pump = Channel::new();
        let (mut runner, mut stack) = pump.split(chip.clone(), &mut rx, &mut tx);
        let before = stack.stats();
        chip.arrives(frame(life, 60));
        stack.send_frame(&frame(life, 60)).unwrap();
        task.wake();
        assert!(task.settle(pin!(runner.run())).is_pending());
        assert_eq!(fetch(&mut stack), [life]);
        let news = stack.stats().delta_since(&before);
        assert_eq!((news.rx_frames, news.tx_frames, news.tx_reset), (1, 1, 0));
    }
    assert_eq!(chip.look(|state| state.sent.len()), 3);
}
