//! Every interleaving of ring / take / wait / rearm, by the model checker loom.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p ethdev --features pump --test loom --release`
//!
//! A lost wake-up shows as a deadlock, which loom reports. The models with a mistake built in show that it does.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ethdev_util::IrqSignal;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread::{self, Thread};

/// Wakes a thread of the model.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Sleeps whenever the future waits: for ever, where nobody wakes it.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

mod irq_signal {
    use super::*;

    #[test]
    fn a_ring_is_taken_exactly_once() {
        loom::model(|| {
            let bell = Arc::new(IrqSignal::new());
            let ringer = thread::spawn({
                let bell = bell.clone();
                move || bell.ring()
            });
            let before = bell.take();
            ringer.join().unwrap();
            assert_ne!(before, bell.take());
            assert!(!bell.is_signaled());
        });
    }

    #[test]
    fn what_is_done_before_a_ring_is_seen_after_the_take() {
        loom::model(|| {
            let (bell, work) = (Arc::new(IrqSignal::new()), Arc::new(AtomicUsize::new(0)));
            let ringers: Vec<_> = (0..2)
                .map(|_| {
                    let (bell, work) = (bell.clone(), work.clone());
                    thread::spawn(move || {
                        work.fetch_add(1, Ordering::Relaxed);
                        bell.ring();
                    })
                })
                .collect();
            let mut seen = 0;
            while seen < 2 {
                // Both rings may add up to one, never to none.
                block_on(bell.wait());
                seen += work.swap(0, Ordering::Relaxed);
            }
            for ringer in ringers {
                ringer.join().unwrap();
            }
        });
    }

    #[test]
    fn a_waiter_is_woken_whenever_the_ring_comes() {
        loom::model(|| {
            let bell = Arc::new(IrqSignal::new());
            let ringer = thread::spawn({
                let bell = bell.clone();
                move || bell.ring()
            });
            block_on(bell.wait());
            ringer.join().unwrap();
            assert!(!bell.is_signaled());
        });
    }

    #[test]
    fn a_wait_that_is_dropped_takes_no_ring() {
        loom::model(|| {
            let bell = Arc::new(IrqSignal::new());
            let ringer = thread::spawn({
                let bell = bell.clone();
                move || bell.ring()
            });
            let first = pin!(bell.wait()).poll(&mut Context::from_waker(Waker::noop()));
            if first.is_pending() {
                // Somebody else takes over, with another waker.
                block_on(bell.wait());
            }
            ringer.join().unwrap();
            assert!(!bell.is_signaled());
        });
    }

    #[test]
    fn two_waiters_both_get_on() {
        // The contract is one waiter at a time; two are slow, but neither sleeps for ever while rings come.
        loom::model(|| {
            let bell = Arc::new(IrqSignal::new());
            let other = thread::spawn({
                let bell = bell.clone();
                move || {
                    block_on(bell.wait());
                    bell.ring();
                }
            });
            bell.ring();
            block_on(bell.wait());
            bell.ring();
            other.join().unwrap();
        });
    }
}

mod rearm {
    use super::*;
    use ethdev::asynch::EthernetDevice as _;
    use ethdev::*;
    use ethdev_util::asynch::BlockingAsync;
    use loom::sync::Mutex;

    /// How the line from the chip reaches the host.
    #[derive(Clone, Copy, PartialEq)]
    enum Line {
        /// One pulse per frame that arrives while unmasked, none for unmasking: the harshest of chips.
        Pulse,
        /// High while unmasked work is pending; the host sees the rising edge.
        Edge,
        /// High while unmasked work is pending; the handler runs as often as it finds the line high.
        Level,
        /// Not connected.
        None,
    }

    /// What the registers of the chip hold. Each access to the chip is one access to this.
    struct Chip {
        pending: usize,
        unmasked: bool,
        high: bool,
    }

    struct Nic {
        chip: Mutex<Chip>,
        line: Line,
        bell: IrqSignal,
    }

    impl Nic {
        fn new(line: Line) -> Arc<Self> {
            Arc::new(Self {
                chip: Mutex::new(Chip {
                    pending: 0,
                    unmasked: false,
                    high: false,
                }),
                line,
                bell: IrqSignal::new(),
            })
        }

        /// One access to the chip, and the interrupt that it causes.
        fn access<R>(&self, arrival: bool, f: impl FnOnce(&mut Chip) -> R) -> R {
            let (interrupt, r) = {
                let mut chip = self.chip.lock().unwrap();
                let r = f(&mut chip);
                let was = chip.high;
                chip.high = chip.pending > 0 && chip.unmasked;
                let interrupt = match self.line {
                    Line::Pulse => arrival && chip.unmasked,
                    Line::Edge => chip.high && !was,
                    Line::Level => chip.high,
                    Line::None => false,
                };
                (interrupt, r)
            };
            // The handler runs a moment later, when the chip may look different already.
            if interrupt {
                self.bell.ring();
            }
            r
        }

        fn frame_arrives(&self) {
            self.access(true, |chip| chip.pending += 1);
        }
    }

    /// The driver of that chip, and what it gets wrong.
    struct Driver {
        nic: Arc<Nic>,
        looks_before_unmasking: bool,
    }

    impl ErrorType for Driver {
        type Error = ErrorKind;
    }

    impl Rearm for Driver {
        fn disarm(&mut self) -> Result<(), ErrorKind> {
            self.nic.access(false, |chip| chip.unmasked = false);
            Ok(())
        }

        fn rearm(&mut self, _: Interest) -> Result<RearmOutcome, ErrorKind> {
            let unmask = || self.nic.access(false, |chip| chip.unmasked = true);
            let look = || self.nic.access(false, |chip| chip.pending > 0);
            let pending = if self.looks_before_unmasking {
                let pending = look();
                unmask();
                pending
            } else {
                unmask();
                look()
            };
            Ok(if pending {
                RearmOutcome::WorkPending
            } else {
                RearmOutcome::Armed
            })
        }
    }

    impl EthernetDevice for Driver {
        fn mac_address(&self) -> MacAddress {
            MacAddress::UNSPECIFIED
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::ETHERNET
        }

        fn link(&self) -> Link {
            Link::UP
        }

        fn stats(&self) -> Stats {
            Stats::ZERO
        }

        fn recv_frame(&mut self, _: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
            Ok(self.discard_frame()?.then(|| RxMeta::new(60)))
        }

        fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
            Ok(self.nic.access(false, |chip| {
                let there = chip.pending > 0;
                chip.pending -= usize::from(there);
                there
            }))
        }

        fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
            Ok(false)
        }

        fn send_vectored(&mut self, _: &[&[u8]]) -> Result<(), ErrorKind> {
            Err(ErrorKind::Busy)
        }

        fn service(&mut self) -> Result<Events, ErrorKind> {
            let mut events = Events::NONE;
            events.rx_pending = self.nic.access(false, |chip| chip.pending > 0);
            Ok(events)
        }
    }

    /// The loop from the documentation of `Rearm`, until `frames` were drained.
    fn drain(driver: &mut Driver, frames: usize) {
        let nic = driver.nic.clone();
        let mut drained = 0;
        loop {
            nic.bell.take();
            driver.disarm().unwrap();
            while driver.discard_frame().unwrap() {
                drained += 1;
            }
            if drained == frames {
                return;
            }
            if driver.rearm(Interest::RX).unwrap() == RearmOutcome::WorkPending {
                continue;
            }
            block_on(nic.bell.wait());
        }
    }

    /// Runs `host` while two frames arrive, in every interleaving.
    fn two_frames_arrive(line: Line, looks_before_unmasking: bool, host: fn(&mut Driver)) {
        loom::model(move || {
            let nic = Nic::new(line);
            let wire = thread::spawn({
                let nic = nic.clone();
                move || {
                    nic.frame_arrives();
                    nic.frame_arrives();
                }
            });
            host(&mut Driver {
                nic,
                looks_before_unmasking,
            });
            wire.join().unwrap();
        });
    }

    fn by_hand(driver: &mut Driver) {
        drain(driver, 2);
    }

    fn by_the_adapter(driver: &mut Driver) {
        let nic = driver.nic.clone();
        let mut device = BlockingAsync::with_interrupt(driver, &nic.bell);
        for _ in 0..2 {
            block_on(device.recv(&mut [0; 60])).unwrap();
        }
    }

    #[test]
    fn pulses_are_never_missed() {
        two_frames_arrive(Line::Pulse, false, by_hand);
    }

    #[test]
    fn edges_are_never_missed() {
        two_frames_arrive(Line::Edge, false, by_hand);
    }

    #[test]
    fn levels_are_never_missed() {
        two_frames_arrive(Line::Level, false, by_hand);
    }

    #[test]
    fn the_async_adapter_never_goes_deaf_on_pulses() {
        two_frames_arrive(Line::Pulse, false, by_the_adapter);
    }

    #[test]
    fn the_async_adapter_never_goes_deaf_on_edges() {
        two_frames_arrive(Line::Edge, false, by_the_adapter);
    }

    #[test]
    fn the_async_adapter_never_goes_deaf_on_levels() {
        two_frames_arrive(Line::Level, false, by_the_adapter);
    }

    #[test]
    fn without_a_line_a_timer_that_rings_is_enough() {
        loom::model(|| {
            let nic = Nic::new(Line::None);
            let timer = thread::spawn({
                let nic = nic.clone();
                move || {
                    nic.frame_arrives();
                    nic.frame_arrives();
                    // The first tick after the frames came.
                    nic.bell.ring();
                }
            });
            drain(
                &mut Driver {
                    nic,
                    looks_before_unmasking: false,
                },
                2,
            );
            timer.join().unwrap();
        });
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn looking_before_unmasking_goes_deaf_on_pulses() {
        two_frames_arrive(Line::Pulse, true, by_hand);
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn looking_before_unmasking_goes_deaf_in_the_adapter() {
        two_frames_arrive(Line::Pulse, true, by_the_adapter);
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn taking_the_ring_after_draining_goes_deaf() {
        two_frames_arrive(Line::Pulse, false, |driver| {
            let nic = driver.nic.clone();
            let mut drained = 0;
            let _ = driver.rearm(Interest::RX).unwrap();
            loop {
                while driver.discard_frame().unwrap() {
                    drained += 1;
                }
                if drained == 2 {
                    return;
                }
                nic.bell.take();
                block_on(nic.bell.wait());
            }
        });
    }
}

#[cfg(feature = "channel")]
mod pump {
    use super::*;
    use ethdev::*;
    use ethdev_util::channel::Channel;

    const FRAME: [u8; 14] = [0xa5; 14];

    /// Has frames from the start and room for ever; fails when it is asked to wait after all were moved.
    struct Finite {
        to_receive: usize,
        to_send: usize,
    }

    impl ErrorType for Finite {
        type Error = ErrorKind;
    }

    impl asynch::EthernetDevice for Finite {
        fn mac_address(&self) -> MacAddress {
            MacAddress::UNSPECIFIED
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::ETHERNET
        }

        fn link(&self) -> Link {
            Link::UP
        }

        fn stats(&self) -> Stats {
            Stats::ZERO
        }

        async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
            if self.to_receive == 0 {
                return Ok(None);
            }
            self.to_receive -= 1;
            buf[..FRAME.len()].copy_from_slice(&FRAME);
            Ok(Some(RxMeta::new(FRAME.len())))
        }

        async fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
            Ok(false)
        }

        async fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
            Ok(true)
        }

        async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
            assert_eq!(parts.concat(), FRAME);
            self.to_send -= 1;
            Ok(())
        }

        async fn service(&mut self) -> Result<Events, ErrorKind> {
            Ok(Events::NONE)
        }

        async fn ready(&mut self, _: Interest) -> Result<Interest, ErrorKind> {
            if self.to_receive == 0 && self.to_send == 0 {
                return Err(ErrorKind::Other);
            }
            std::future::pending().await
        }
    }

    /// Lends `size` buffers each way for ever: loom's threads want that.
    fn with_pump(
        device: Finite,
        stack: impl FnOnce(ethdev_util::channel::Endpoint<'static, 'static, 1, 1>) + Send + 'static,
    ) {
        let pump: &'static mut Channel<'static, 1, 1> = Box::leak(Box::new(Channel::new()));
        let (mut runner, stack_side) =
            pump.split(device, Box::leak(Box::new([[0; 14]])), Box::leak(Box::new([[0; 14]])));
        let stack = thread::spawn(move || stack(stack_side));
        assert_eq!(block_on(runner.run()), Err(ErrorKind::Other));
        stack.join().unwrap();
    }

    fn check(model: fn()) {
        let mut builder = loom::model::Builder::new();
        // Unbounded, these take hours; mistakes show with one or two preemptions.
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    #[test]
    fn a_stack_that_waits_for_room_gets_it() {
        check(|| {
            with_pump(
                Finite {
                    to_receive: 0,
                    to_send: 2,
                },
                |mut stack| {
                    for _ in 0..2 {
                        block_on(stack.ready(Interest::TX));
                        stack.send_frame(&FRAME).unwrap();
                    }
                },
            );
        });
    }

    #[test]
    fn a_stack_that_waits_for_frames_gets_them() {
        check(|| {
            with_pump(
                Finite {
                    to_receive: 2,
                    to_send: 0,
                },
                |mut stack| {
                    for _ in 0..2 {
                        block_on(stack.ready(Interest::RX));
                        assert_eq!(stack.recv_frame(&mut [0; 14]).unwrap().map(|meta| meta.len), Some(14));
                    }
                },
            );
        });
    }
}
