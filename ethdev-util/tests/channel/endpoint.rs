//! The endpoint of a channel as a device.

use std::pin::pin;
use std::task::Poll;

use crate::chip::{Chip, MAX, Task, Waits, frame, number};
use ethdev::asynch::EthernetDevice as _;
use ethdev::*;
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::{Channel, Endpoint, Runner};

const WAITS: Waits = Waits { before: 1, after: 0 };

/// A channel with two buffers in each direction: longer than the frames of the chip, and shorter.
fn with_channel(chip: &Chip, test: impl FnOnce(Runner<'_, '_, Chip, 2, 2>, Endpoint<'_, '_, 2, 2>)) {
    let (mut rx, mut tx) = ([[0; MAX + 50]; 2], [[0; 80]; 2]);
    let mut channel = Channel::new();
    let (runner, stack) = channel.split(chip.clone(), &mut rx, &mut tx);
    test(runner, stack);
}

#[test]
fn capabilities_limits_of_device_and_buffers() {
    with_channel(&Chip::new(WAITS), |_, stack| {
        let capabilities = stack.capabilities();
        assert_eq!(capabilities.rx_max_frame_len.bytes(), MAX, "limit of the device");
        assert_eq!(capabilities.tx_max_frame_len.bytes(), 80, "limit of the buffers");
        assert_eq!(capabilities.rx_queue_frames, Some(3 + 2), "sum of device and channel");
        assert_eq!(capabilities.tx_queue_frames, None, "unknown in the device");
        assert_eq!(stack.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(stack.link(), Link::UP);
    });
}

#[test]
fn send_illegal_length_rejected() {
    with_channel(&Chip::new(WAITS), |_, mut stack| {
        assert_eq!(stack.send_frame(&[0; 13]), Err(ErrorKind::FrameTooShort));
        assert_eq!(stack.send_frame(&[0; 81]), Err(ErrorKind::FrameTooLong { max: 80 }));
        let (_, mut tx) = stack.split();
        assert_eq!(tx.reserve(13), Err(ErrorKind::FrameTooShort));
        assert_eq!(tx.reserve(81), Err(ErrorKind::FrameTooLong { max: 80 }));
        assert_eq!(
            tx.commit(14),
            Err(ErrorKind::FrameTooLong { max: 0 }),
            "nothing was reserved"
        );
        tx.reserve(20).unwrap().unwrap();
        assert_eq!(tx.commit(21), Err(ErrorKind::FrameTooLong { max: 20 }));
        assert_eq!(
            tx.commit(20),
            Err(ErrorKind::FrameTooLong { max: 0 }),
            "the reservation is used up"
        );
    });
}

#[test]
fn recv_frame_short_buffer_frame_kept() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    chip.receive_frame(frame(1, 70));
    with_channel(&chip, |mut runner, mut stack| {
        assert!(task.settle(pin!(runner.run())).is_pending());
        for short in [0, 69] {
            assert_eq!(
                stack.recv_frame(&mut [0; 70][..short]),
                Err(ErrorKind::BufferTooSmall { needed: 70 })
            );
        }
        assert_eq!(stack.stats().rx_frames, 0, "not delivered yet");
        let mut buf = [0; 70];
        assert_eq!(stack.recv_frame(&mut buf), Ok(Some(RxMeta::new(70))));
        assert_eq!(number(&buf), 1);
        assert_eq!(stack.recv_frame(&mut []), Ok(None));
        assert_eq!(stack.stats().rx_frames, 1);
    });
}

#[test]
fn peek_frame_lent_until_released() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    for n in 0..3 {
        chip.receive_frame(frame(n, 60));
    }
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        for _ in 0..2 {
            let (mut rx, _) = stack.split();
            assert_eq!(number(&rx.peek().unwrap().unwrap()), 0, "lent again");
        }
        // A reply is built from the lent memory.
        {
            let (mut rx, mut tx) = stack.split();
            let lent = rx.peek().unwrap().unwrap();
            tx.reserve(60).unwrap().unwrap().copy_from_slice(&lent);
            tx.commit(60).unwrap();
            rx.release().unwrap();
            rx.release().unwrap();
            assert_eq!(number(&rx.peek().unwrap().unwrap()), 1, "released once");
            rx.discard().unwrap();
        }
        assert_eq!(stack.discard_frame(), Ok(false), "the third frame is in the chip");
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack.discard_frame(), Ok(true));
        assert_eq!(chip.read(|state| state.sent.clone()), [frame(0, 60)]);
        let stats = stack.stats();
        assert_eq!((stats.rx_frames, stats.rx_discarded, stats.tx_frames), (1, 2, 1));
    });
}

#[test]
fn reserve_dropped_buffer_freed() {
    with_channel(&Chip::new(WAITS), |_, mut stack| {
        for _ in 0..10 {
            let (_, mut tx) = stack.split();
            tx.reserve(60).unwrap().unwrap();
        }
        for n in 0..2 {
            assert_eq!(stack.tx_ready(), Ok(true));
            stack.send_frame(&frame(n, 60)).unwrap();
        }
        assert_eq!(stack.tx_ready(), Ok(false));
        assert_eq!(stack.split().1.reserve(60), Ok(None));
    });
}

#[test]
fn commit_link_down_rejected() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        chip.with(|state| state.link = Link::Down);
        assert!(task.settle(run.as_mut()).is_pending());
        let (_, mut tx) = stack.split();
        assert_eq!(tx.ready(), Ok(true), "a buffer is free");
        tx.reserve(60).unwrap().unwrap();
        assert_eq!(tx.commit(60), Err(ErrorKind::LinkDown));
    });
}

#[test]
fn ready_completes_for_interest_only() {
    let (chip, task, stack_task) = (Chip::new(WAITS), Task::new(), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(
            stack_task.poll(pin!(stack.ready(Interest::ALL))),
            Poll::Ready(Interest::TX)
        );

        let mut ready = Box::pin(stack.ready(Interest::RX));
        stack_task.wake();
        assert!(stack_task.settle(ready.as_mut()).is_pending());
        chip.receive_frame(frame(0, 60));
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack_task.poll(ready.as_mut()), Poll::Ready(Interest::RX));
        drop(ready);

        // A link change is reported once; TX is ready with the link up only.
        chip.with(|state| (state.link, state.tx_capacity) = (Link::Down, 0));
        assert!(task.settle(run.as_mut()).is_pending());
        for expected in [Interest::LINK | Interest::RX, Interest::RX] {
            stack_task.wake();
            assert_eq!(stack_task.poll(pin!(stack.ready(Interest::ALL))), Poll::Ready(expected));
        }
        let mut ready = Box::pin(stack.ready(Interest::TX));
        stack_task.wake();
        assert!(stack_task.settle(ready.as_mut()).is_pending());
        chip.with(|state| state.link = Link::UP);
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack_task.poll(ready.as_mut()), Poll::Ready(Interest::TX));
        drop(ready);

        // The queue is full until the chip accepts a frame.
        for n in 0..2 {
            stack.send_frame(&frame(n, 60)).unwrap();
        }
        let mut ready = Box::pin(stack.ready(Interest::TX));
        stack_task.wake();
        assert!(stack_task.settle(ready.as_mut()).is_pending());
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!stack_task.is_woken());
        chip.with(|state| state.tx_capacity = 1);
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack_task.poll(ready.as_mut()), Poll::Ready(Interest::TX));
    });
}

#[test]
fn service_wakes_runner_and_reports_events_once() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        let mut expected = Events::NONE;
        expected.tx_ready = true;
        assert_eq!(stack.service(), Ok(expected));
        assert!(task.is_woken(), "the runner is not woken");
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!task.is_woken());

        stack.send_frame(&frame(0, 60)).unwrap();
        chip.receive_frame(frame(1, 60));
        chip.with(|state| state.stats.rx_overrun += 1);
        assert!(task.settle(run.as_mut()).is_pending());
        (expected.tx_completed, expected.rx_pending, expected.rx_dropped) = (1, true, true);
        assert_eq!(stack.service(), Ok(expected));
        (expected.tx_completed, expected.rx_dropped) = (0, false);
        assert_eq!(stack.service(), Ok(expected), "reported again");
    });
}

#[test]
fn endpoint_behind_second_channel_all_frames_moved() {
    let (chip, inner_task, outer_task) = (Chip::new(WAITS), Task::new(), Task::new());
    for n in 0..6 {
        chip.receive_frame(frame(n, 60));
    }
    with_channel(&chip, |mut runner, inner| {
        let irq = inner.irq_signal();
        let (mut rx, mut tx) = ([[0; MAX]; 1], [[0; MAX]; 1]);
        let mut channel = Channel::new();
        let (mut outer, mut stack) = channel.split(BlockingAsync::with_interrupt(inner, irq), &mut rx, &mut tx);
        let (mut received, mut next, mut buf) = (Vec::new(), 0, [0; MAX]);
        let (mut run_inner, mut run_outer) = (pin!(runner.run()), pin!(outer.run()));
        for _ in 0..20 {
            assert!(inner_task.settle(run_inner.as_mut()).is_pending());
            assert!(outer_task.settle(run_outer.as_mut()).is_pending());
            if let Some(meta) = stack.recv_frame(&mut buf).unwrap() {
                received.push(number(&buf[..meta.len]));
            }
            if next < 6 && stack.send_frame(&frame(next, 60)).is_ok() {
                next += 1;
            }
        }
        assert_eq!(received, (0..6).collect::<Vec<_>>());
        let sent: Vec<_> = chip.read(|state| state.sent.iter().map(|frame| number(frame)).collect());
        assert_eq!(sent, (0..6).collect::<Vec<_>>());
    });
}

#[test]
fn device_used_between_runs_no_frame_lost() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        chip.receive_frame(frame(0, 60));
        assert!(task.settle(pin!(runner.run())).is_pending());
        let mut buf = [0; MAX];
        chip.receive_frame(frame(1, 60));
        // The device is available between two calls of `run`.
        assert_eq!(
            task.settle(pin!(runner.inner_mut().service()))
                .map(|events| events.is_ok()),
            Poll::Ready(true)
        );
        task.wake();
        assert!(task.settle(pin!(runner.run())).is_pending());
        for n in 0..2 {
            let meta = stack.recv_frame(&mut buf).unwrap().unwrap();
            assert_eq!(number(&buf[..meta.len]), n);
        }
    });
}

#[test]
fn runner_and_endpoint_send_device_are_send() {
    fn is_send<T: Send>(_: &T) {}
    struct IdleDevice;
    impl ErrorType for IdleDevice {
        type Error = ErrorKind;
    }
    impl EthernetDevice for IdleDevice {
        fn mac_address(&self) -> MacAddress {
            MacAddress::UNSPECIFIED
        }
        fn capabilities(&self) -> Capabilities {
            Capabilities::ETHERNET
        }
        fn link(&self) -> Link {
            Link::Down
        }
        fn stats(&self) -> Stats {
            Stats::ZERO
        }
        fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
            Ok(None)
        }
        fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
            Ok(false)
        }
        fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
            Ok(false)
        }
        fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
            Err(ErrorKind::LinkDown)
        }
        fn service(&mut self) -> Result<Events, ErrorKind> {
            Ok(Events::NONE)
        }
    }
    impl Rearm for IdleDevice {
        fn disarm(&mut self) -> Result<(), ErrorKind> {
            Ok(())
        }
        fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
            Ok(RearmOutcome::Armed)
        }
    }
    static IRQ: IrqSignal = IrqSignal::new();
    let (mut rx, mut tx) = ([[0; 100]; 1], [[0; 100]; 1]);
    let mut channel = Channel::new();
    let (mut runner, stack) = channel.split(BlockingAsync::with_interrupt(IdleDevice, &IRQ), &mut rx, &mut tx);
    is_send(&stack);
    is_send(&runner);
    is_send(&runner.run());
}

#[test]
fn channel_new_in_static() {
    static EMPTY: Channel<'static, 4, 4> = Channel::new();
    assert_eq!(format!("{EMPTY:?}"), "Channel { received: 0, to_send: 0, .. }");
}

#[test]
fn service_spare_buffer_link_down_not_tx_ready() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        // Both buffers: one in the queue of the chip, one reserved and not committed.
        chip.with(|state| state.tx_capacity = 0);
        stack.send_frame(&frame(0, 60)).unwrap();
        assert!(task.settle(run.as_mut()).is_pending());
        stack.split().1.reserve(60).unwrap().unwrap();
        assert!(stack.service().unwrap().tx_ready);
        chip.with(|state| state.link = Link::Down);
        assert!(task.settle(run.as_mut()).is_pending());
        let events = stack.service().unwrap();
        assert!(events.link_changed && !events.tx_ready, "{events:?}");
    });
}

#[test]
fn disarm_then_frame_causes_no_interrupt() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack.rearm(Interest::RX), Ok(RearmOutcome::Armed));
        stack.disarm().unwrap();
        chip.receive_frame(frame(0, 60));
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!stack.irq_signal().try_take());
        assert_eq!(stack.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    });
}

#[test]
fn rearm_other_interest_causes_no_interrupt() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_channel(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
        chip.receive_frame(frame(0, 60));
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!stack.irq_signal().try_take(), "woken by a frame");
        chip.with(|state| state.link = Link::Down);
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(stack.irq_signal().try_take(), "not woken by the link");
    });
}
