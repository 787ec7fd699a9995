//! What a stack sees: a memory device.

use std::pin::pin;
use std::task::Poll;

use crate::chip::{Chip, MAX, Task, Waits, frame, number};
use ethdev::asynch::EthernetDevice as _;
use ethdev::*;
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::{Channel, Endpoint, Runner};

const WAITS: Waits = Waits { before: 1, after: 0 };

/// A pump with two buffers each way, longer than the chip's frames and shorter.
fn with_pump(chip: &Chip, test: impl FnOnce(Runner<'_, '_, Chip, 2, 2>, Endpoint<'_, '_, 2, 2>)) {
    let (mut rx, mut tx) = ([[0; MAX + 50]; 2], [[0; 80]; 2]);
    let mut pump = Channel::new();
    let (runner, stack) = pump.split(chip.clone(), &mut rx, &mut tx);
    test(runner, stack);
}

#[test]
fn it_tells_what_the_device_is_and_what_the_buffers_take() {
    with_pump(&Chip::new(WAITS), |_, stack| {
        let capabilities = stack.capabilities();
        assert_eq!(capabilities.rx_max_frame_len.bytes(), MAX, "the device's limit");
        assert_eq!(capabilities.tx_max_frame_len.bytes(), 80, "the buffers' limit");
        assert_eq!(capabilities.rx_queue_frames, 3 + 2, "the device's and the pump's");
        assert_eq!(capabilities.tx_queue_frames, 0, "unknown stays unknown");
        assert_eq!(stack.mac_address(), MacAddress::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(stack.link(), Link::UP);
    });
}

#[test]
fn illegal_frames_are_the_callers_mistake() {
    with_pump(&Chip::new(WAITS), |_, mut stack| {
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
fn a_short_buffer_loses_nothing() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    chip.arrives(frame(1, 70));
    with_pump(&chip, |mut runner, mut stack| {
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
fn frames_are_lent_until_they_are_released() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    for n in 0..3 {
        chip.arrives(frame(n, 60));
    }
    with_pump(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        for _ in 0..2 {
            let (mut rx, _) = stack.split();
            assert_eq!(number(&rx.peek().unwrap().unwrap()), 0, "lent again");
        }
        // While it is lent it is answered, from the same memory.
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
        assert_eq!(stack.discard_frame(), Ok(false), "the third is still in the chip");
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack.discard_frame(), Ok(true));
        assert_eq!(chip.look(|state| state.sent.clone()), [frame(0, 60)]);
        let stats = stack.stats();
        assert_eq!((stats.rx_frames, stats.rx_discarded, stats.tx_frames), (1, 2, 1));
    });
}

#[test]
fn a_reservation_that_is_dropped_costs_nothing() {
    with_pump(&Chip::new(WAITS), |_, mut stack| {
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
fn a_commit_with_the_link_down_is_refused() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_pump(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        chip.with(|state| state.link = Link::Down);
        assert!(task.settle(run.as_mut()).is_pending());
        let (_, mut tx) = stack.split();
        assert_eq!(tx.ready(), Ok(true), "memory is lent all the same");
        tx.reserve(60).unwrap().unwrap();
        assert_eq!(tx.commit(60), Err(ErrorKind::LinkDown));
    });
}

#[test]
fn ready_tells_what_is_so_and_wakes_for_what_is_asked() {
    let (chip, task, stack_task) = (Chip::new(WAITS), Task::new(), Task::new());
    with_pump(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(
            stack_task.poll(pin!(stack.ready(Interest::ALL))),
            Poll::Ready(Interest::TX)
        );

        let mut ready = Box::pin(stack.ready(Interest::RX));
        stack_task.wake();
        assert!(stack_task.settle(ready.as_mut()).is_pending());
        chip.arrives(frame(0, 60));
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack_task.poll(ready.as_mut()), Poll::Ready(Interest::RX));
        drop(ready);

        // A link that changes is told once; and room is there with the link only.
        chip.with(|state| (state.link, state.room) = (Link::Down, 0));
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

        // The queue full: room comes when the chip takes a frame.
        for n in 0..2 {
            stack.send_frame(&frame(n, 60)).unwrap();
        }
        let mut ready = Box::pin(stack.ready(Interest::TX));
        stack_task.wake();
        assert!(stack_task.settle(ready.as_mut()).is_pending());
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!stack_task.is_woken());
        chip.with(|state| state.room = 1);
        assert!(task.settle(run.as_mut()).is_pending());
        assert_eq!(stack_task.poll(ready.as_mut()), Poll::Ready(Interest::TX));
    });
}

#[test]
fn service_reaches_the_device_and_tells_the_news() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_pump(&chip, |mut runner, mut stack| {
        let mut run = pin!(runner.run());
        assert!(task.settle(run.as_mut()).is_pending());
        let mut expected = Events::NONE;
        expected.tx_ready = true;
        assert_eq!(stack.service(), Ok(expected));
        assert!(task.is_woken(), "the runner is asked for housekeeping");
        assert!(task.settle(run.as_mut()).is_pending());
        assert!(!task.is_woken());

        stack.send_frame(&frame(0, 60)).unwrap();
        chip.arrives(frame(1, 60));
        chip.with(|state| state.stats.rx_overrun += 1);
        assert!(task.settle(run.as_mut()).is_pending());
        (expected.tx_completed, expected.rx_pending, expected.rx_dropped) = (1, true, true);
        assert_eq!(stack.service(), Ok(expected));
        (expected.tx_completed, expected.rx_dropped) = (0, false);
        assert_eq!(stack.service(), Ok(expected), "told once");
    });
}

#[test]
fn made_async_again_it_goes_through_a_second_pump() {
    let (chip, inner_task, outer_task) = (Chip::new(WAITS), Task::new(), Task::new());
    for n in 0..6 {
        chip.arrives(frame(n, 60));
    }
    with_pump(&chip, |mut runner, inner| {
        let bell = inner.irq_signal();
        let (mut rx, mut tx) = ([[0; MAX]; 1], [[0; MAX]; 1]);
        let mut pump = Channel::new();
        let (mut outer, mut stack) = pump.split(BlockingAsync::with_interrupt(inner, bell), &mut rx, &mut tx);
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
        let sent: Vec<_> = chip.look(|state| state.sent.iter().map(|frame| number(frame)).collect());
        assert_eq!(sent, (0..6).collect::<Vec<_>>());
    });
}

#[test]
fn a_filter_is_changed_in_the_middle_and_costs_no_frame() {
    let (chip, task) = (Chip::new(WAITS), Task::new());
    with_pump(&chip, |mut runner, mut stack| {
        chip.arrives(frame(0, 60));
        assert!(task.settle(pin!(runner.run())).is_pending());
        let mut buf = [0; MAX];
        chip.arrives(frame(1, 60));
        // The device is the caller's while `run()` does not run.
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
fn both_ends_go_to_other_threads_where_the_device_does() {
    fn is_send<T: Send>(_: &T) {}
    struct Nothing;
    impl ErrorType for Nothing {
        type Error = ErrorKind;
    }
    impl EthernetDevice for Nothing {
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
    impl Rearm for Nothing {
        fn disarm(&mut self) -> Result<(), ErrorKind> {
            Ok(())
        }
        fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
            Ok(RearmOutcome::Armed)
        }
    }
    static BELL: IrqSignal = IrqSignal::new();
    let (mut rx, mut tx) = ([[0; 100]; 1], [[0; 100]; 1]);
    let mut pump = Channel::new();
    let (mut runner, stack) = pump.split(BlockingAsync::with_interrupt(Nothing, &BELL), &mut rx, &mut tx);
    is_send(&stack);
    is_send(&runner);
    is_send(&runner.run());
}

#[test]
fn pumps_are_made_in_constants() {
    static EMPTY: Channel<'static, 4, 4> = Channel::new();
    assert_eq!(format!("{EMPTY:?}"), "Channel { received: 0, to_send: 0, .. }");
}
