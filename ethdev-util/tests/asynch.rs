//! `BlockingAsync`: waits by interrupt and by polling, and cancellation.
#![cfg(feature = "critical-section")]

mod support;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ethdev::asynch::EthernetDevice as _;
use ethdev::*;
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::{IrqDevice, IrqSignal};
use support::{Cause, Scripted, found_events, frame};

/// A device that the test shares with the driver, and its interrupt signal.
#[derive(Clone)]
struct SharedDevice {
    device: Rc<RefCell<Scripted>>,
    irq: Rc<IrqSignal>,
    /// The events that `service` returns instead of the real ones.
    false_events: Rc<RefCell<Option<Events>>>,
}

impl SharedDevice {
    fn new() -> Self {
        Self {
            device: Rc::new(RefCell::new(Scripted::new())),
            irq: Rc::new(IrqSignal::new()),
            false_events: Rc::default(),
        }
    }

    fn receive_frame(&self, frame: Vec<u8>) {
        self.device.borrow_mut().incoming.push_back(frame);
        self.irq.signal();
    }

    fn calls(&self, name: &str) -> usize {
        let device = self.device.borrow();
        assert!(device.bus_accesses < 10_000, "polled without a wait");
        device.calls.iter().filter(|call| **call == name).count()
    }
}

impl ErrorType for SharedDevice {
    type Error = Cause;
}

impl EthernetDevice for SharedDevice {
    fn mac_address(&self) -> MacAddress {
        self.device.borrow().mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.device.borrow().capabilities()
    }

    fn link(&self) -> Link {
        self.device.borrow().link()
    }

    fn stats(&self) -> Stats {
        self.device.borrow().stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Cause> {
        self.calls("");
        self.device.borrow_mut().recv_frame(buf)
    }

    fn discard_frame(&mut self) -> Result<bool, Cause> {
        self.device.borrow_mut().discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, Cause> {
        self.device.borrow_mut().tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Cause> {
        self.calls("");
        self.device.borrow_mut().send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, Cause> {
        self.calls("");
        let events = self.device.borrow_mut().service()?;
        Ok(self.false_events.borrow().unwrap_or(events))
    }
}

impl Rearm for SharedDevice {
    fn disarm(&mut self) -> Result<(), Cause> {
        self.device.borrow_mut().disarm()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Cause> {
        self.device.borrow_mut().rearm(interest)
    }
}

/// Counts wake-ups.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that the test polls.
struct Task {
    wakes: Arc<Wakes>,
    waker: Waker,
}

impl Task {
    fn new() -> Self {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        Self { wakes, waker }
    }

    fn poll<F: Future>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Returns the number of wake-ups since the last call.
    fn take_wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn ready_interrupt_completes() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut ready = pin!(device.ready(Interest::RX));
    assert!(task.poll(ready.as_mut()).is_pending());
    assert_eq!(shared.calls("rearm"), 1, "not armed before the wait");
    assert_eq!(task.take_wakes(), 0);
    shared.receive_frame(frame(1, 60));
    assert_eq!(task.take_wakes(), 1);
    assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::RX)));
    assert_eq!(shared.device.borrow().incoming.len(), 1, "a frame was taken");
}

#[test]
fn ready_kept_waker_completes() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let irq = shared.irq.clone();
    let mut device = BlockingAsync::with_poll_ready(IrqDevice::new(shared.clone(), &irq));
    let mut ready = pin!(device.ready(Interest::RX));
    assert!(task.poll(ready.as_mut()).is_pending());
    assert_eq!((shared.calls("rearm"), task.take_wakes()), (1, 0));
    shared.receive_frame(frame(1, 60));
    assert_eq!(task.take_wakes(), 1);
    assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::RX)));
    assert_eq!(shared.device.borrow().incoming.len(), 1, "a frame was taken");
}

/// A device that keeps a waker, and whose `poll_ready` and `service` disagree.
struct AlwaysReady(SharedDevice);

impl ErrorType for AlwaysReady {
    type Error = Cause;
}

impl EthernetDevice for AlwaysReady {
    ethdev::forward_ethernet_device!(|this| this.0);
}

impl PollReady for AlwaysReady {
    fn poll_ready(&mut self, interest: Interest, _: &mut Context<'_>) -> Poll<Result<Interest, Cause>> {
        Poll::Ready(Ok(interest))
    }
}

#[test]
fn ready_kept_waker_inconsistent_device_yields() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_poll_ready(AlwaysReady(shared));
    let mut ready = pin!(device.ready(Interest::RX));
    for _ in 0..3 {
        assert!(task.poll(ready.as_mut()).is_pending());
        assert_eq!(task.take_wakes(), 1);
    }
}

#[test]
fn ready_work_pending_completes_without_interrupt() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    shared.device.borrow_mut().incoming.push_back(frame(1, 60));
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    assert_eq!(
        task.poll(pin!(device.ready(Interest::ALL))),
        Poll::Ready(Ok(Interest::RX | Interest::TX))
    );
    assert_eq!(
        task.poll(pin!(device.ready(Interest::TX))),
        Poll::Ready(Ok(Interest::TX))
    );
}

#[test]
fn ready_other_interest_stays_pending() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    shared.device.borrow_mut().tx_capacity = 0;
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut ready = pin!(device.ready(Interest::TX));
    assert!(task.poll(ready.as_mut()).is_pending());
    shared.receive_frame(frame(1, 60));
    assert!(task.poll(ready.as_mut()).is_pending(), "completed by a frame");
    shared.device.borrow_mut().tx_capacity = 1;
    shared.irq.signal();
    assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::TX)));
}

/// What a `service` inside `ready` finds is for the caller of `service`.
#[test]
fn service_after_ready_reports_what_ready_found() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let found = found_events();
    for link in [Link::Down, Link::UP] {
        shared.device.borrow_mut().link = link;
        shared.device.borrow_mut().events = found;
        assert_eq!(
            task.poll(pin!(device.ready(Interest::LINK))),
            Poll::Ready(Ok(Interest::LINK))
        );
        let mut expected = found;
        expected.link_changed = true;
        expected.tx_ready = link.is_up();
        assert_eq!(task.poll(pin!(device.service())), Poll::Ready(Ok(expected)), "{link:?}");
        let mut expected = Events::NONE;
        expected.tx_ready = link.is_up();
        assert_eq!(task.poll(pin!(device.service())), Poll::Ready(Ok(expected)), "{link:?}");
    }
    // Down and up again: no difference to the last report.
    for link in [Link::Down, Link::UP] {
        shared.device.borrow_mut().link = link;
        assert!(task.poll(pin!(device.ready(Interest::LINK))).is_ready());
    }
    let Poll::Ready(Ok(events)) = task.poll(pin!(device.service())) else {
        panic!("service failed")
    };
    assert!(!events.link_changed);
}

#[test]
fn ready_none_never_completes() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut ready = pin!(device.ready(Interest::NONE));
    for seed in 0..3 {
        assert!(task.poll(ready.as_mut()).is_pending());
        shared.receive_frame(frame(seed, 60));
    }
}

#[test]
fn ready_link_change_reported_once() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    shared.device.borrow_mut().link = Link::Down;
    assert_eq!(
        task.poll(pin!(device.ready(Interest::LINK))),
        Poll::Ready(Ok(Interest::LINK))
    );
    assert!(task.poll(pin!(device.ready(Interest::LINK))).is_pending());
    shared.device.borrow_mut().link = Link::UP;
    assert!(
        task.poll(pin!(device.ready(Interest::RX))).is_pending(),
        "reported without interest"
    );
    assert_eq!(
        task.poll(pin!(device.ready(Interest::LINK))),
        Poll::Ready(Ok(Interest::LINK))
    );
}

#[test]
fn ready_dropped_keeps_signal_and_link_change() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    for seed in 0..3 {
        let mut ready = Box::pin(device.ready(Interest::RX | Interest::LINK));
        assert!(task.poll(ready.as_mut()).is_pending());
        shared.receive_frame(frame(seed, 60));
        shared.device.borrow_mut().link = if seed % 2 == 0 { Link::Down } else { Link::UP };
        // Woken, and dropped before it was polled again.
        drop(ready);
        assert_eq!(
            task.poll(pin!(device.ready(Interest::RX | Interest::LINK))),
            Poll::Ready(Ok(Interest::RX | Interest::LINK))
        );
        let mut buf = [0; 1514];
        assert!(matches!(
            task.poll(pin!(device.recv_frame(&mut buf))),
            Poll::Ready(Ok(Some(_)))
        ));
        assert_eq!(&buf[..60], frame(seed, 60));
    }
}

#[test]
fn recv_and_send_not_possible_wait() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    shared.device.borrow_mut().tx_capacity = 0;
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut buf = [0; 1514];
    {
        let mut recv = pin!(device.recv(&mut buf));
        assert!(task.poll(recv.as_mut()).is_pending());
        shared.receive_frame(frame(7, 77));
        assert!(matches!(task.poll(recv.as_mut()), Poll::Ready(Ok(meta)) if meta.len == 77));
    }
    let mut send = pin!(device.send(&buf[..77]));
    assert!(task.poll(send.as_mut()).is_pending());
    shared.device.borrow_mut().tx_capacity = 1;
    shared.irq.signal();
    assert_eq!(task.poll(send.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(shared.device.borrow().sent, [frame(7, 77)]);
}

#[test]
fn send_queue_full_link_lost_returns_link_down() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    shared.device.borrow_mut().tx_capacity = 0;
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let frame = frame(1, 60);
    let mut send = pin!(device.send(&frame));
    assert!(task.poll(send.as_mut()).is_pending());
    shared.device.borrow_mut().link = Link::Down;
    shared.irq.signal();
    assert!(matches!(task.poll(send.as_mut()), Poll::Ready(Err(e)) if e.kind() == ErrorKind::LinkDown));
}

#[test]
fn ready_device_error_returned_with_cause() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut ready = pin!(device.ready(Interest::RX));
    assert!(task.poll(ready.as_mut()).is_pending());
    shared.device.borrow_mut().fail_next = Some(Cause(ErrorKind::Bus, "wire broken"));
    shared.irq.signal();
    assert_eq!(
        task.poll(ready.as_mut()),
        Poll::Ready(Err(Cause(ErrorKind::Bus, "wire broken")))
    );
}

/// A device that reports a frame and transmit capacity, and has neither.
fn inconsistent_device() -> (SharedDevice, Task) {
    let shared = SharedDevice::new();
    shared.device.borrow_mut().tx_capacity = 0;
    *shared.false_events.borrow_mut() = Some({
        let mut events = Events::NONE;
        (events.rx_pending, events.tx_ready) = (true, true);
        events
    });
    (shared, Task::new())
}

#[test]
fn recv_and_send_inconsistent_device_yield() {
    let (shared, task) = inconsistent_device();
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut buf = [0; 1514];
    {
        let mut recv = pin!(device.recv(&mut buf));
        for _ in 0..10 {
            assert!(task.poll(recv.as_mut()).is_pending());
            assert_eq!(task.take_wakes(), 1, "not woken once");
        }
    }
    let mut send = pin!(device.send(&buf[..60]));
    for _ in 0..10 {
        assert!(task.poll(send.as_mut()).is_pending());
        assert_eq!(task.take_wakes(), 1, "not woken once");
    }
}

#[test]
fn ready_work_always_pending_yields() {
    let (shared, task) = (SharedDevice::new(), Task::new());
    // `rearm` sees the frame, `service` does not.
    *shared.false_events.borrow_mut() = Some(Events::NONE);
    shared.receive_frame(frame(1, 60));
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    let mut ready = pin!(device.ready(Interest::RX));
    for _ in 0..10 {
        assert!(task.poll(ready.as_mut()).is_pending());
        assert_eq!(task.take_wakes(), 1, "not woken once");
    }
}

#[cfg(feature = "embedded-hal-async")]
mod polling {
    use super::*;
    use embedded_hal_async::delay::DelayNs;

    /// A delay that is pending once, and elapses at its next poll.
    #[derive(Default)]
    struct Ticks(Rc<RefCell<Vec<u32>>>);

    impl DelayNs for Ticks {
        async fn delay_ns(&mut self, ns: u32) {
            let mut waited = false;
            std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
            .await;
            self.0.borrow_mut().push(ns);
        }
    }

    #[test]
    fn ready_polling_one_access_per_interval() {
        let (shared, task, ticks) = (SharedDevice::new(), Task::new(), Ticks::default());
        let elapsed = ticks.0.clone();
        let mut device = BlockingAsync::with_polling(shared.clone(), ticks, Duration::from_micros(500));
        let mut ready = pin!(device.ready(Interest::RX));
        for polls in 1..=3 {
            assert!(task.poll(ready.as_mut()).is_pending());
            assert_eq!(
                shared.device.borrow().bus_accesses,
                polls,
                "not one access per interval"
            );
        }
        assert_eq!(*elapsed.borrow(), [500_000, 500_000], "nanoseconds");
        shared.device.borrow_mut().incoming.push_back(frame(1, 60));
        assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::RX)));
        assert_eq!(
            shared.calls("rearm") + shared.calls("disarm"),
            0,
            "interrupt masked or unmasked"
        );
    }

    #[test]
    fn recv_polling_frame_pending_no_delay() {
        let (shared, task, ticks) = (SharedDevice::new(), Task::new(), Ticks::default());
        let elapsed = ticks.0.clone();
        shared.device.borrow_mut().incoming.push_back(frame(1, 60));
        let mut device = BlockingAsync::with_polling(shared, ticks, Duration::from_micros(500));
        assert!(task.poll(pin!(device.recv(&mut [0; 1514]))).is_ready());
        assert!(elapsed.borrow().is_empty());
    }

    #[test]
    fn with_polling_zero_interval_is_one_microsecond() {
        let (shared, task, ticks) = (SharedDevice::new(), Task::new(), Ticks::default());
        let elapsed = ticks.0.clone();
        let mut device = BlockingAsync::with_polling(shared, ticks, Duration::from_micros(0));
        let mut ready = pin!(device.ready(Interest::RX));
        for _ in 0..2 {
            assert!(task.poll(ready.as_mut()).is_pending());
        }
        assert_eq!(*elapsed.borrow(), [1_000]);
    }
}

#[test]
fn methods_are_those_of_the_device() {
    let shared = SharedDevice::new();
    let mut device = BlockingAsync::with_interrupt(shared.clone(), &shared.irq);
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("waits"),
        }
    }
    let capabilities = Capabilities::ETHERNET.with_tx_min_frame_len(0);
    shared.device.borrow_mut().capabilities = capabilities;
    shared.device.borrow_mut().stats.rx_overrun = 5;
    assert_eq!((device.capabilities(), device.stats().rx_overrun), (capabilities, 5));
    assert_eq!((device.mac_address().octets()[5], device.link()), (1, Link::UP));
    assert_eq!(now(device.tx_ready()), Ok(true));
    shared.device.borrow_mut().tx_capacity = 1;
    assert_eq!(now(device.send_frame(&frame(1, 60))), Ok(()));
    assert_eq!(now(device.tx_ready()), Ok(false));
    assert_eq!(
        now(device.send_vectored(&[&frame(2, 60)])),
        Err(Cause(ErrorKind::Busy, "full"))
    );
    assert_eq!(shared.device.borrow().sent, [frame(1, 60)]);
    shared.receive_frame(frame(3, 60));
    shared.receive_frame(frame(4, 60));
    assert_eq!(now(device.discard_frame()), Ok(true));
    let mut buf = [0; 60];
    assert_eq!(now(device.recv_frame(&mut buf)), Ok(Some(RxMeta::new(60))));
    assert_eq!(buf[..], frame(4, 60));
    assert_eq!(now(device.recv_frame(&mut buf)), Ok(None));
    assert_eq!(now(device.discard_frame()), Ok(false));
}
