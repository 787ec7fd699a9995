//! The endpoint of a frame channel against the contracts of a lending device, with a `RingNic`
//! behind the channel.
//!
//! The runner's task runs whenever it was woken: after each event on the wire, and after each call
//! of the stack.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MacAddress, Rearm,
    RearmOutcome, RxFrame, RxHalf, RxMeta, Stats, TxHalf,
};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, WirePeer};
use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::{Channel, Endpoint, EndpointRx, EndpointTx};

const RX: usize = 3;
const TX: usize = 2;
/// Polls after which a runner that still wakes itself fails the test.
const MAX_POLLS: usize = 10_000;

/// The runner's task, and the interrupt signal from the channel to the stack.
#[derive(Clone)]
struct Task {
    run: Rc<RefCell<Run>>,
    woken: Arc<Woken>,
    from: &'static IrqSignal,
    to: Arc<IrqSignal>,
}

type Run = Pin<Box<dyn Future<Output = Result<Infallible, RingError>>>>;

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Task {
    fn new(run: Run, line: &'static IrqSignal) -> Self {
        Self {
            run: Rc::new(RefCell::new(run)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            from: line,
            to: Arc::default(),
        }
    }

    /// Polls the runner until it waits.
    fn run_until_waiting(&self) {
        let waker = Waker::from(self.woken.clone());
        let mut turns = 0;
        while self.woken.0.swap(false, Ordering::SeqCst) {
            let poll = self.run.borrow_mut().as_mut().poll(&mut Context::from_waker(&waker));
            assert_eq!(poll, Poll::Pending, "the device failed");
            turns += 1;
            assert!(turns < MAX_POLLS, "the runner keeps waking itself");
        }
        if self.from.try_take() {
            self.to.signal();
        }
    }
}

/// The endpoint. The runner runs at each call.
struct ChannelNic {
    side: Endpoint<'static, 'static, RX, TX>,
    task: Task,
}

impl ChannelNic {
    /// Calls the endpoint. The runner runs before and after.
    fn call<R>(&mut self, f: impl FnOnce(&mut Endpoint<'static, 'static, RX, TX>) -> R) -> R {
        self.task.run_until_waiting();
        let r = f(&mut self.side);
        self.task.run_until_waiting();
        r
    }
}

impl ErrorType for ChannelNic {
    type Error = ErrorKind;
}

impl EthernetDevice for ChannelNic {
    fn mac_address(&self) -> MacAddress {
        self.side.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.side.capabilities()
    }

    fn link(&self) -> Link {
        self.side.link()
    }

    fn stats(&self) -> Stats {
        self.side.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.call(|side| side.recv_frame(buf))
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        self.call(Endpoint::discard_frame)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.call(Endpoint::tx_ready)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        self.call(|side| side.send_vectored(parts))
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        self.call(Endpoint::service)
    }
}

impl Rearm for ChannelNic {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.call(Endpoint::disarm)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.call(|side| side.rearm(interest))
    }
}

impl LendingDevice for ChannelNic {
    type Rx<'a> = Half<EndpointRx<'a, 'static, 'static, RX, TX>>;
    type Tx<'a> = Half<EndpointTx<'a, 'static, 'static, RX, TX>>;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let (rx, tx) = self.side.split();
        (Half(rx, self.task.clone()), Half(tx, self.task.clone()))
    }
}

/// One half of the endpoint. The runner runs at each call.
struct Half<H>(H, Task);

impl<R: RxHalf> RxHalf for Half<R> {
    type Error = R::Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, R::Error> {
        self.1.run_until_waiting();
        self.0.peek()
    }

    fn pending(&mut self) -> Result<bool, R::Error> {
        self.1.run_until_waiting();
        self.0.pending()
    }

    fn release(&mut self) -> Result<(), R::Error> {
        self.0.release()
    }

    fn discard(&mut self) -> Result<(), R::Error> {
        self.0.discard()
    }
}

impl<T: TxHalf> TxHalf for Half<T> {
    type Error = T::Error;

    fn ready(&mut self) -> Result<bool, T::Error> {
        self.1.run_until_waiting();
        self.0.ready()
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, T::Error> {
        self.1.run_until_waiting();
        self.0.reserve(len)
    }

    fn commit(&mut self, len: usize) -> Result<(), T::Error> {
        self.0.commit(len)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), T::Error> {
        self.1.run_until_waiting();
        self.0.send_vectored(parts)
    }
}

/// A `RingNic` with an interrupt, behind a channel.
struct ChannelNicFixture;

impl Fixture for ChannelNicFixture {
    type Device = ChannelNic;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "accesses",
        "fail_bus",
        "fail_bus_at",
        "set_link_before_access",
        "inject_fault",
        "override_rx_len",
        "peer_send_before_access",
    ]);

    fn new() -> (ChannelNic, WirePeer) {
        let clock = Clock::new();
        let irq_signal: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
        let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]))
            .with_slots(4, 2)
            .with_irq_signal(irq_signal);
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        let stall = nic.hardware();

        let frames = (
            Box::leak(Box::new([[0; 1514]; RX])),
            Box::leak(Box::new([[0; 1514]; TX])),
        );
        let channel: &'static mut Channel<'static, RX, TX> = Box::leak(Box::new(Channel::new()));
        let (mut runner, side) = channel.split(BlockingAsync::with_interrupt(nic, irq_signal), frames.0, frames.1);
        let line = side.irq_signal();
        let task = Task::new(Box::pin(async move { runner.run().await }), line);
        let (runner, time) = (task.clone(), clock.clone());
        let peer = WirePeer::new(clock, wire, peer)
            .with_stall_tx(move |stalled| stall.stall_tx(stalled))
            .with_irq_signal(task.to.clone())
            .with_advance(move |by| {
                let until = time.now() + by;
                runner.run_until_waiting();
                while time.next_event().is_some_and(|at| at <= until) {
                    time.step();
                    runner.run_until_waiting();
                }
                time.advance_to(until);
            });
        (ChannelNic { side, task }, peer)
    }
}

conformance!(channel, ChannelNicFixture; lending, rearm);
