//! Full queues, device errors and false readiness: frames keep moving, without busy loops.

use std::pin::pin;
use std::task::Poll;

use crate::chip::{Chip, Task, Waits, frame, number};
use ethdev::*;
use ethdev_util::channel::{Channel, Endpoint};

const WAITS: Waits = Waits { before: 1, after: 1 };

/// Receives all pending frames.
fn recv_all<const RX: usize, const TX: usize>(stack: &mut Endpoint<'_, '_, RX, TX>) -> Vec<usize> {
    let (mut buf, mut numbers) = ([0; 100], Vec::new());
    while let Some(meta) = stack.recv_frame(&mut buf).unwrap() {
        numbers.push(number(&buf[..meta.len]));
    }
    numbers
}

/// Sends until the queue is full.
fn fill<const RX: usize, const TX: usize>(stack: &mut Endpoint<'_, '_, RX, TX>, mut next: usize) -> usize {
    for _ in 0..100 {
        match stack.send_frame(&frame(next, 60)) {
            Ok(()) => next += 1,
            Err(e) => {
                assert_eq!(e, ErrorKind::Busy);
                return next;
            }
        }
    }
    panic!("the queue is never full");
}

#[test]
fn run_both_queues_full_no_deadlock() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 3]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    chip.with(|state| state.tx_capacity = 0);
    for n in 0..10 {
        chip.receive_frame(frame(n, 60));
    }
    assert_eq!(fill(&mut stack, 100), 103);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(
        chip.read(|state| state.incoming.len()),
        8,
        "frames beyond the queue stay in the chip"
    );

    // With full queues, nothing is polled, and a received frame wakes no task.
    let accesses = chip.read(|state| state.accesses);
    chip.receive_frame(frame(10, 60));
    assert!(task.settle(run.as_mut()).is_pending());
    assert!(chip.read(|state| state.accesses) <= accesses + 1);

    // With transmit capacity, sending continues with the receive queue full.
    chip.with(|state| state.tx_capacity = 2);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(chip.read(|state| state.sent.len()), 2);
    assert_eq!(fill(&mut stack, 103), 105);
    assert!(task.settle(run.as_mut()).is_pending());

    // With free receive buffers, receiving continues with the transmit queue full.
    let mut received = Vec::new();
    for _ in 0..10 {
        received.extend(recv_all(&mut stack));
        assert!(task.settle(run.as_mut()).is_pending());
    }
    assert_eq!(received, (0..11).collect::<Vec<_>>());
    assert_eq!(stack.send_frame(&frame(0, 60)), Err(ErrorKind::Busy));

    chip.with(|state| state.tx_capacity = 100);
    assert!(task.settle(run.as_mut()).is_pending());
    let sent: Vec<_> = chip.read(|state| state.sent.iter().map(|frame| number(frame)).collect());
    assert_eq!(sent, (100..105).collect::<Vec<_>>());
    assert_eq!((stack.stats().rx_frames, stack.stats().tx_frames), (11, 5));
}

#[test]
fn run_device_never_waits_yields() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut channel = Channel::new();
    let (mut runner, stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    // Frames that are too long are dropped without a buffer, so only the yield ends a poll.
    for n in 0..1_000 {
        chip.receive_frame(frame(n, 61));
    }
    let mut run = pin!(runner.run());
    assert!(task.poll(run.as_mut()).is_pending());
    assert!(task.is_woken());
    assert!(chip.read(|state| state.incoming.len()) > 900);
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(stack.stats().rx_discarded, 1_000);
    assert_eq!(stack.stats().rx_frames, 0);
}

#[test]
fn run_receive_flood_still_sends() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    for n in 0..1_000 {
        chip.receive_frame(frame(n, 61));
    }
    chip.with(|state| state.tx_capacity = 0);
    stack.send_frame(&frame(1, 60)).unwrap();
    let mut run = pin!(runner.run());
    assert!(task.poll(run.as_mut()).is_pending());
    chip.with(|state| state.tx_capacity = 1);
    for _ in 0..2 {
        assert!(task.poll(run.as_mut()).is_pending());
    }
    assert_eq!(chip.read(|state| state.sent.len()), 1);
    assert!(chip.read(|state| state.incoming.len()) > 900, "the flood has ended");
}

#[test]
fn run_bus_accesses_per_frame_bounded() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    let mut accesses_for = |act: &mut dyn FnMut()| {
        assert!(task.settle(run.as_mut()).is_pending());
        let before = chip.read(|state| state.accesses);
        act();
        assert!(task.settle(run.as_mut()).is_pending());
        chip.read(|state| state.accesses) - before
    };
    // It reads the frame, finds no other one, and checks again before it waits.
    assert_eq!(accesses_for(&mut || chip.receive_frame(frame(1, 60))), 3);
    assert_eq!(
        accesses_for(&mut || assert_eq!(recv_all(&mut stack), [1])),
        0,
        "a freed buffer wakes the runner"
    );
    // It sends, and checks again before it waits.
    assert_eq!(accesses_for(&mut || stack.send_frame(&frame(1, 60)).unwrap()), 2);
}

#[test]
fn run_inconsistent_device_yields() {
    let (chip, task) = (Chip::new(Waits::default()), Task::new());
    let (mut rx, mut tx) = ([[0; 60]; 2], [[0; 60]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    chip.with(|state| (state.reports_false_work, state.tx_capacity) = (true, 0));
    stack.send_frame(&frame(1, 60)).unwrap();
    let mut run = pin!(runner.run());
    for _ in 0..10 {
        assert!(task.poll(run.as_mut()).is_pending());
    }
    assert!(chip.read(|state| state.accesses) < 2_000);
}

#[test]
fn run_link_lost_queued_frames_dropped_and_counted() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 3]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    chip.with(|state| state.tx_capacity = 0);
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

    chip.with(|state| (state.link, state.tx_capacity) = (Link::UP, 9));
    assert!(task.settle(run.as_mut()).is_pending());
    stack.send_frame(&frame(4, 60)).unwrap();
    assert!(task.settle(run.as_mut()).is_pending());
    let sent: Vec<_> = chip.read(|state| state.sent.iter().map(|frame| number(frame)).collect());
    assert_eq!(sent, [4], "an old frame was sent");
    assert_eq!(stack.stats().tx_frames, 1);
}

#[test]
fn run_device_error_returned_no_frame_lost() {
    // An error at each bus access in turn: of recv, send, service and ready.
    for access in 0..40 {
        let (chip, task) = (Chip::new(WAITS), Task::new());
        let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
        let mut channel = Channel::new();
        let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
        let (mut received, mut errors, mut next) = (Vec::new(), 0, 0);
        for n in 0..6 {
            chip.receive_frame(frame(n, 60));
        }
        for _ in 0..20 {
            let mut run = pin!(runner.run());
            task.wake();
            loop {
                if chip.read(|state| state.accesses) == access && errors == 0 {
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
            received.extend(recv_all(&mut stack));
            // The pending `run` is dropped here, and the next one continues.
        }
        assert_eq!(received, (0..6).collect::<Vec<_>>(), "error at access {access}");
        let sent: Vec<_> = chip.read(|state| state.sent.iter().map(|frame| number(frame)).collect());
        assert_eq!(sent, (0..6).collect::<Vec<_>>(), "error at access {access}");
        assert_eq!(errors, 2, "access {access} not reached");
    }
}

#[test]
fn run_frame_rejected_by_device_dropped_and_counted() {
    for (kind, aborted, reset) in [
        (ErrorKind::FrameTooLong { max: 20 }, 1, 0),
        (ErrorKind::InvalidInput, 1, 0),
        (ErrorKind::Stopped, 0, 1),
        (ErrorKind::LinkDown, 1, 0),
    ] {
        let (chip, task) = (Chip::new(WAITS), Task::new());
        let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
        let mut channel = Channel::new();
        let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
        stack.send_frame(&frame(1, 60)).unwrap();
        stack.send_frame(&frame(2, 60)).unwrap();
        // A run sends first.
        chip.with(|state| state.fail_next = Some(kind));
        assert!(task.settle(pin!(runner.run())).is_pending());
        assert_eq!(chip.read(|state| state.sent.clone()), [frame(2, 60)]);
        assert_eq!(
            (stack.stats().tx_aborted, stack.stats().tx_reset),
            (aborted, reset),
            "{kind}"
        );
    }
}

#[test]
fn run_malformed_frames_continues() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 80]; 2], [[0; 100]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    // Without frames to send, a run receives first.
    chip.with(|state| state.fail_next = Some(ErrorKind::BadFrame));
    chip.receive_frame(frame(0, 60));
    chip.receive_frame(frame(1, 81)); // longer than the buffers
    chip.receive_frame(frame(2, 80));
    let mut run = pin!(runner.run());
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(recv_all(&mut stack), [0, 2]);
    assert_eq!(stack.stats().rx_discarded, 1);

    // A driver that reports a length beyond the buffer.
    chip.with(|state| state.wrong_len = Some(81));
    chip.receive_frame(frame(3, 60));
    chip.receive_frame(frame(4, 60));
    assert!(task.settle(run.as_mut()).is_pending());
    assert_eq!(recv_all(&mut stack), [4]);
    let stats = stack.stats();
    assert_eq!((stats.rx_frames, stats.rx_bad_length, stats.rx_discarded), (3, 1, 1));
    assert_eq!(stats.rx_bytes, 60 + 80 + 60);
}

#[test]
fn endpoint_runner_dropped_link_down() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    let mut channel = Channel::new();
    let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    chip.with(|state| state.tx_capacity = 0);
    chip.receive_frame(frame(7, 60));
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
    assert_eq!(recv_all(&mut stack), [7], "a received frame was lost");
    assert_eq!(stack.stats().rx_frames, 1);
}

#[test]
fn split_buffers_reused_by_next_channel() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    let (mut rx, mut tx) = ([[0; 100]; 2], [[0; 100]; 2]);
    for round in 0..3 {
        let mut channel = Channel::new();
        let (mut runner, mut stack) = channel.split(chip.clone(), &mut rx, &mut tx);
        let before = stack.stats();
        chip.receive_frame(frame(round, 60));
        stack.send_frame(&frame(round, 60)).unwrap();
        task.wake();
        assert!(task.settle(pin!(runner.run())).is_pending());
        assert_eq!(recv_all(&mut stack), [round]);
        let new = stack.stats().delta_since(&before);
        assert_eq!((new.rx_frames, new.tx_frames, new.tx_reset), (1, 1, 0));
    }
    assert_eq!(chip.read(|state| state.sent.len()), 3);
}
