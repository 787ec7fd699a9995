//! Interleavings of signal, take, wait and rearm, with the model checker loom.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p ethdev-util --features channel --test loom`
//!
//! loom reports a lost wake-up as a deadlock. The models of incorrect drivers and hosts show that.
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

/// Runs a future to completion. Parks the thread while the future is pending.
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
    fn try_take_concurrent_signal_taken_once() {
        loom::model(|| {
            let irq = Arc::new(IrqSignal::new());
            let signaler = thread::spawn({
                let irq = irq.clone();
                move || irq.signal()
            });
            let before = irq.try_take();
            signaler.join().unwrap();
            assert_ne!(before, irq.try_take());
            assert!(!irq.is_signaled());
        });
    }

    #[test]
    fn wait_two_signals_all_prior_writes_visible() {
        loom::model(|| {
            let (irq, work) = (Arc::new(IrqSignal::new()), Arc::new(AtomicUsize::new(0)));
            let signalers: Vec<_> = (0..2)
                .map(|_| {
                    let (irq, work) = (irq.clone(), work.clone());
                    thread::spawn(move || {
                        work.fetch_add(1, Ordering::Relaxed);
                        irq.signal();
                    })
                })
                .collect();
            let mut seen = 0;
            while seen < 2 {
                // Two signals may be merged, and are never lost.
                block_on(irq.wait());
                seen += work.swap(0, Ordering::Relaxed);
            }
            for signaler in signalers {
                signaler.join().unwrap();
            }
        });
    }

    #[test]
    fn wait_signal_at_any_time_woken() {
        loom::model(|| {
            let irq = Arc::new(IrqSignal::new());
            let signaler = thread::spawn({
                let irq = irq.clone();
                move || irq.signal()
            });
            block_on(irq.wait());
            signaler.join().unwrap();
            assert!(!irq.is_signaled());
        });
    }

    #[test]
    fn wait_dropped_signal_kept() {
        loom::model(|| {
            let irq = Arc::new(IrqSignal::new());
            let signaler = thread::spawn({
                let irq = irq.clone();
                move || irq.signal()
            });
            let first = pin!(irq.wait()).poll(&mut Context::from_waker(Waker::noop()));
            if first.is_pending() {
                // The next waiter has another waker.
                block_on(irq.wait());
            }
            signaler.join().unwrap();
            assert!(!irq.is_signaled());
        });
    }

    #[test]
    fn wait_two_waiters_both_complete() {
        // The contract allows one waiter. With two, both still complete while the signal is set.
        loom::model(|| {
            let irq = Arc::new(IrqSignal::new());
            let other = thread::spawn({
                let irq = irq.clone();
                move || {
                    block_on(irq.wait());
                    irq.signal();
                }
            });
            irq.signal();
            block_on(irq.wait());
            irq.signal();
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
        /// One pulse per frame that arrives while unmasked, and none for unmasking pending work.
        Pulse,
        /// High while unmasked work is pending; the rising edge interrupts.
        Edge,
        /// High while unmasked work is pending; the handler runs after each access with the line
        /// high.
        Level,
        /// Not connected.
        None,
    }

    /// The registers of the chip.
    struct Chip {
        pending: usize,
        unmasked: bool,
        high: bool,
    }

    struct Nic {
        chip: Mutex<Chip>,
        line: Line,
        irq: IrqSignal,
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
                irq: IrqSignal::new(),
            })
        }

        /// Accesses the chip, and interrupts.
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
            // The handler runs later, when the state of the chip may have changed.
            if interrupt {
                self.irq.signal();
            }
            r
        }

        fn frame_arrives(&self) {
            self.access(true, |chip| chip.pending += 1);
        }
    }

    /// The driver of the chip, with an optional defect.
    struct Driver {
        nic: Arc<Nic>,
        checks_before_unmasking: bool,
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
            let check = || self.nic.access(false, |chip| chip.pending > 0);
            let pending = if self.checks_before_unmasking {
                let pending = check();
                unmask();
                pending
            } else {
                unmask();
                check()
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
                let pending = chip.pending > 0;
                chip.pending -= usize::from(pending);
                pending
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
            nic.irq.try_take();
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
            block_on(nic.irq.wait());
        }
    }

    /// Checks `host` while two frames arrive.
    fn check_two_frames(line: Line, checks_before_unmasking: bool, host: fn(&mut Driver)) {
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
                checks_before_unmasking,
            });
            wire.join().unwrap();
        });
    }

    fn rearm_loop(driver: &mut Driver) {
        drain(driver, 2);
    }

    fn blocking_async(driver: &mut Driver) {
        let nic = driver.nic.clone();
        let mut device = BlockingAsync::with_interrupt(driver, &nic.irq);
        for _ in 0..2 {
            block_on(device.recv(&mut [0; 60])).unwrap();
        }
    }

    #[test]
    fn rearm_loop_pulse_no_frame_missed() {
        check_two_frames(Line::Pulse, false, rearm_loop);
    }

    #[test]
    fn rearm_loop_edge_no_frame_missed() {
        check_two_frames(Line::Edge, false, rearm_loop);
    }

    #[test]
    fn rearm_loop_level_no_frame_missed() {
        check_two_frames(Line::Level, false, rearm_loop);
    }

    #[test]
    fn blocking_async_pulse_no_frame_missed() {
        check_two_frames(Line::Pulse, false, blocking_async);
    }

    #[test]
    fn blocking_async_edge_no_frame_missed() {
        check_two_frames(Line::Edge, false, blocking_async);
    }

    #[test]
    fn blocking_async_level_no_frame_missed() {
        check_two_frames(Line::Level, false, blocking_async);
    }

    #[test]
    fn rearm_loop_timer_instead_of_line_no_frame_missed() {
        loom::model(|| {
            let nic = Nic::new(Line::None);
            let timer = thread::spawn({
                let nic = nic.clone();
                move || {
                    nic.frame_arrives();
                    nic.frame_arrives();
                    // The first timer tick after the arrival.
                    nic.irq.signal();
                }
            });
            drain(
                &mut Driver {
                    nic,
                    checks_before_unmasking: false,
                },
                2,
            );
            timer.join().unwrap();
        });
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn rearm_loop_check_before_unmask_deadlocks() {
        check_two_frames(Line::Pulse, true, rearm_loop);
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn blocking_async_check_before_unmask_deadlocks() {
        check_two_frames(Line::Pulse, true, blocking_async);
    }

    #[test]
    #[should_panic(expected = "deadlock")]
    fn rearm_loop_take_after_drain_deadlocks() {
        check_two_frames(Line::Pulse, false, |driver| {
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
                nic.irq.try_take();
                block_on(nic.irq.wait());
            }
        });
    }
}

#[cfg(feature = "channel")]
mod channel {
    use super::*;
    use ethdev::*;
    use ethdev_util::channel::Channel;

    const FRAME: [u8; 14] = [0xa5; 14];

    /// Has a number of frames to receive, and always accepts frames; `ready` fails after all were
    /// moved.
    struct FiniteDevice {
        to_receive: usize,
        to_send: usize,
    }

    impl ErrorType for FiniteDevice {
        type Error = ErrorKind;
    }

    impl asynch::EthernetDevice for FiniteDevice {
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

    /// Runs a channel of length one with `endpoint` in another thread. Leaks its buffers: the
    /// threads of loom require static lifetimes.
    fn with_channel(
        device: FiniteDevice,
        run_stack: impl FnOnce(ethdev_util::channel::Endpoint<'static, 'static, 1, 1>) + Send + 'static,
    ) {
        let channel: &'static mut Channel<'static, 1, 1> = Box::leak(Box::new(Channel::new()));
        let (mut runner, endpoint) =
            channel.split(device, Box::leak(Box::new([[0; 14]])), Box::leak(Box::new([[0; 14]])));
        let stack = thread::spawn(move || run_stack(endpoint));
        assert_eq!(block_on(runner.run()), Err(ErrorKind::Other));
        stack.join().unwrap();
    }

    fn check(model: fn()) {
        let mut builder = loom::model::Builder::new();
        // Unbounded, these take hours; defects show with one or two preemptions.
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    #[test]
    fn ready_tx_queue_full_completes() {
        check(|| {
            with_channel(
                FiniteDevice {
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
    fn ready_rx_queue_empty_completes() {
        check(|| {
            with_channel(
                FiniteDevice {
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
