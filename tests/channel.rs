//! The pump's stack side against the contracts of a lending device, with a real device behind it.
//!
//! The runner's task runs whenever it was woken: after each event on the wire, and whenever the stack called.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MacAddress, Rearm,
    RearmOutcome, RxFrame, RxHalf, RxMeta, Stats, TxHalf,
};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer, Power, WirePeer};
use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::{Channel, Endpoint, EndpointRx, EndpointTx};

const RX: usize = 3;
const TX: usize = 2;
/// Turns after which a runner that still wakes itself is one that spins.
const SPINNING: usize = 10_000;

/// The runner's task, and the interrupt line from the pump to the stack.
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

    /// Runs until it waits.
    fn turn(&self) {
        let waker = Waker::from(self.woken.clone());
        let mut turns = 0;
        while self.woken.0.swap(false, Ordering::SeqCst) {
            let poll = self.run.borrow_mut().as_mut().poll(&mut Context::from_waker(&waker));
            assert_eq!(poll, Poll::Pending, "the device failed");
            turns += 1;
            assert!(turns < SPINNING, "the runner spins");
        }
        if self.from.try_take() {
            self.to.signal();
        }
    }
}

/// The stack side, with its runner running at each call.
struct Pumped {
    side: Endpoint<'static, 'static, RX, TX>,
    task: Task,
}

impl Pumped {
    /// The call of a stack, with the runner's turn before and after it.
    fn call<R>(&mut self, f: impl FnOnce(&mut Endpoint<'static, 'static, RX, TX>) -> R) -> R {
        self.task.turn();
        let r = f(&mut self.side);
        self.task.turn();
        r
    }
}

impl ErrorType for Pumped {
    type Error = ErrorKind;
}

impl EthernetDevice for Pumped {
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

impl Rearm for Pumped {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        self.call(Endpoint::disarm)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        self.call(|side| side.rearm(interest))
    }
}

impl LendingDevice for Pumped {
    type Rx<'a> = Half<EndpointRx<'a, 'static, 'static, RX, TX>>;
    type Tx<'a> = Half<EndpointTx<'a, 'static, 'static, RX, TX>>;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let (rx, tx) = self.side.split();
        (Half(rx, self.task.clone()), Half(tx, self.task.clone()))
    }
}

/// One half, with the runner running at each call.
struct Half<H>(H, Task);

impl<R: RxHalf> RxHalf for Half<R> {
    type Error = R::Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, R::Error> {
        self.1.turn();
        self.0.peek()
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
        self.1.turn();
        self.0.ready()
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, T::Error> {
        self.1.turn();
        self.0.reserve(len)
    }

    fn commit(&mut self, len: usize) -> Result<(), T::Error> {
        self.0.commit(len)
    }
}

/// The wire, on which the runner runs whenever something happens.
struct Wired {
    end: WirePeer,
    clock: Clock,
    task: Task,
}

impl LinkPeer for Wired {
    fn peer_send(&mut self, frame: &[u8]) {
        self.end.peer_send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.end.peer_recv()
    }

    fn advance(&mut self, by: Duration) {
        let until = self.clock.now() + by;
        self.task.turn();
        while self.clock.next_event().is_some_and(|at| at <= until) {
            self.clock.step();
            self.task.turn();
        }
        self.clock.advance_to(until);
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.end.set_link(up)
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.end.stall_tx(stalled)
    }

    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        Ok(self.task.to.clone())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.end.peer_send_raw(bytes)
    }
}

/// A ring NIC, by interrupt, behind a pump.
struct PumpedRing;

impl Fixture for PumpedRing {
    type Device = Pumped;
    type LinkPeer = Wired;

    fn new() -> (Pumped, Wired) {
        let clock = Clock::new();
        let bell: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
        let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]))
            .with_slots(4, 2)
            .with_irq_signal(bell);
        let (wire, nic, station) = RingNic::with_station(&clock, WireConfig::default(), config);
        let stall = nic.hardware();
        let end = WirePeer::new(clock.clone(), wire, station).with_stall_tx(move |stalled| stall.stall_tx(stalled));

        let frames = (
            Box::leak(Box::new([[0; 1514]; RX])),
            Box::leak(Box::new([[0; 1514]; TX])),
        );
        let pump: &'static mut Channel<'static, RX, TX> = Box::leak(Box::new(Channel::new()));
        let (mut runner, side) = pump.split(BlockingAsync::with_interrupt(nic, bell), frames.0, frames.1);
        let line = side.irq_signal();
        let task = Task::new(Box::pin(async move { runner.run().await }), line);
        (
            Pumped {
                side,
                task: task.clone(),
            },
            Wired { end, clock, task },
        )
    }
}

conformance!(pumped, PumpedRing; lending, rearm);
