//! Waiting: by interrupt, by polling, and what a dropped wait leaves behind.
#![cfg(feature = "critical-section")]

mod support;

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ethdev::asynch::EthernetDevice as _;
use ethdev::*;
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;
use support::{Cause, Scripted, frame};

/// A device that the test keeps a hand on, and the interrupt line that it rings.
#[derive(Clone)]
struct Desk {
    device: Rc<RefCell<Scripted>>,
    bell: Rc<IrqSignal>,
    /// What `service` and `rearm` claim, whatever is so.
    lies: Rc<RefCell<Option<Events>>>,
}

impl Desk {
    fn new() -> Self {
        Self {
            device: Rc::new(RefCell::new(Scripted::new())),
            bell: Rc::new(IrqSignal::new()),
            lies: Rc::default(),
        }
    }

    fn arrives(&self, frame: Vec<u8>) {
        self.device.borrow_mut().incoming.push_back(frame);
        self.bell.signal();
    }

    fn calls(&self, name: &str) -> usize {
        let device = self.device.borrow();
        assert!(
            device.bus_accesses < 10_000,
            "the device is asked again and again without a wait"
        );
        device.calls.iter().filter(|call| **call == name).count()
    }
}

impl ErrorType for Desk {
    type Error = Cause;
}

impl EthernetDevice for Desk {
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
        Ok(self.lies.borrow().unwrap_or(events))
    }
}

impl Rearm for Desk {
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

/// A task that is polled by hand.
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

    /// Wake-ups since the last call.
    fn woken(&self) -> usize {
        self.wakes.0.swap(0, Ordering::SeqCst)
    }
}

#[test]
fn a_wait_ends_with_the_interrupt() {
    let (desk, task) = (Desk::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut ready = pin!(device.ready(Interest::RX));
    assert!(task.poll(ready.as_mut()).is_pending());
    assert_eq!(desk.calls("rearm"), 1, "armed before it sleeps");
    assert_eq!(task.woken(), 0);
    desk.arrives(frame(1, 60));
    assert_eq!(task.woken(), 1);
    assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::RX)));
    assert_eq!(desk.device.borrow().incoming.len(), 1, "nothing is taken");
}

#[test]
fn what_is_there_already_needs_no_interrupt() {
    let (desk, task) = (Desk::new(), Task::new());
    desk.device.borrow_mut().incoming.push_back(frame(1, 60));
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
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
fn only_what_is_of_interest_ends_a_wait() {
    let (desk, task) = (Desk::new(), Task::new());
    desk.device.borrow_mut().tx_ready = 0;
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut ready = pin!(device.ready(Interest::TX));
    assert!(task.poll(ready.as_mut()).is_pending());
    desk.arrives(frame(1, 60));
    assert!(task.poll(ready.as_mut()).is_pending(), "a frame is no room");
    desk.device.borrow_mut().tx_ready = 1;
    desk.bell.signal();
    assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::TX)));
}

#[test]
fn an_empty_interest_never_completes() {
    let (desk, task) = (Desk::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut ready = pin!(device.ready(Interest::NONE));
    for seed in 0..3 {
        assert!(task.poll(ready.as_mut()).is_pending());
        desk.arrives(frame(seed, 60));
    }
}

#[test]
fn a_link_change_is_told_once() {
    let (desk, task) = (Desk::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    desk.device.borrow_mut().link = Link::Down;
    assert_eq!(
        task.poll(pin!(device.ready(Interest::LINK))),
        Poll::Ready(Ok(Interest::LINK))
    );
    assert!(task.poll(pin!(device.ready(Interest::LINK))).is_pending());
    desk.device.borrow_mut().link = Link::UP;
    assert!(
        task.poll(pin!(device.ready(Interest::RX))).is_pending(),
        "not asked for, so not told"
    );
    assert_eq!(
        task.poll(pin!(device.ready(Interest::LINK))),
        Poll::Ready(Ok(Interest::LINK))
    );
}

#[test]
fn a_dropped_wait_takes_no_ring_and_no_link_change() {
    let (desk, task) = (Desk::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    for seed in 0..3 {
        let mut ready = Box::pin(device.ready(Interest::RX | Interest::LINK));
        assert!(task.poll(ready.as_mut()).is_pending());
        desk.arrives(frame(seed, 60));
        desk.device.borrow_mut().link = if seed % 2 == 0 { Link::Down } else { Link::UP };
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
fn recv_and_send_wait() {
    let (desk, task) = (Desk::new(), Task::new());
    desk.device.borrow_mut().tx_ready = 0;
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut buf = [0; 1514];
    {
        let mut recv = pin!(device.recv(&mut buf));
        assert!(task.poll(recv.as_mut()).is_pending());
        desk.arrives(frame(7, 77));
        assert!(matches!(task.poll(recv.as_mut()), Poll::Ready(Ok(meta)) if meta.len == 77));
    }
    let mut send = pin!(device.send(&buf[..77]));
    assert!(task.poll(send.as_mut()).is_pending());
    desk.device.borrow_mut().tx_ready = 1;
    desk.bell.signal();
    assert_eq!(task.poll(send.as_mut()), Poll::Ready(Ok(())));
    assert_eq!(desk.device.borrow().sent, [frame(7, 77)]);
}

#[test]
fn a_send_that_waits_for_room_ends_when_the_link_does() {
    let (desk, task) = (Desk::new(), Task::new());
    desk.device.borrow_mut().tx_ready = 0;
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let frame = frame(1, 60);
    let mut send = pin!(device.send(&frame));
    assert!(task.poll(send.as_mut()).is_pending());
    desk.device.borrow_mut().link = Link::Down;
    desk.bell.signal();
    assert!(matches!(task.poll(send.as_mut()), Poll::Ready(Err(e)) if e.kind() == ErrorKind::LinkDown));
}

#[test]
fn an_error_ends_a_wait_with_its_cause() {
    let (desk, task) = (Desk::new(), Task::new());
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut ready = pin!(device.ready(Interest::RX));
    assert!(task.poll(ready.as_mut()).is_pending());
    desk.device.borrow_mut().fail_next = Some(Cause(ErrorKind::Bus, "loose wire"));
    desk.bell.signal();
    assert_eq!(
        task.poll(ready.as_mut()),
        Poll::Ready(Err(Cause(ErrorKind::Bus, "loose wire")))
    );
}

/// A device that says "there is a frame", "there is room", and has none of it.
fn liar() -> (Desk, Task) {
    let desk = Desk::new();
    desk.device.borrow_mut().tx_ready = 0;
    *desk.lies.borrow_mut() = Some({
        let mut events = Events::NONE;
        (events.rx_pending, events.tx_ready) = (true, true);
        events
    });
    (desk, Task::new())
}

#[test]
fn a_device_that_contradicts_itself_lets_others_run() {
    let (desk, task) = liar();
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut buf = [0; 1514];
    {
        let mut recv = pin!(device.recv(&mut buf));
        for _ in 0..10 {
            assert!(task.poll(recv.as_mut()).is_pending());
            assert_eq!(task.woken(), 1, "it goes on later");
        }
    }
    let mut send = pin!(device.send(&buf[..60]));
    for _ in 0..10 {
        assert!(task.poll(send.as_mut()).is_pending());
        assert_eq!(task.woken(), 1, "it goes on later");
    }
}

#[test]
fn work_that_is_pending_for_ever_lets_others_run() {
    let (desk, task) = (Desk::new(), Task::new());
    // `rearm` sees the frame, `service` does not.
    *desk.lies.borrow_mut() = Some(Events::NONE);
    desk.arrives(frame(1, 60));
    let mut device = BlockingAsync::with_interrupt(desk.clone(), &desk.bell);
    let mut ready = pin!(device.ready(Interest::RX));
    for _ in 0..10 {
        assert!(task.poll(ready.as_mut()).is_pending());
        assert_eq!(task.woken(), 1, "it goes on later");
    }
}

#[cfg(feature = "embedded-hal-async")]
mod polling {
    use super::*;
    use embedded_hal_async::delay::DelayNs;

    /// Virtual time: each delay waits once, and time passes when it is polled again.
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
    fn it_looks_once_per_interval() {
        let (desk, task, ticks) = (Desk::new(), Task::new(), Ticks::default());
        let passed = ticks.0.clone();
        let mut device = BlockingAsync::with_polling(desk.clone(), ticks, 500);
        let mut ready = pin!(device.ready(Interest::RX));
        for look in 1..=3 {
            assert!(task.poll(ready.as_mut()).is_pending());
            assert_eq!(desk.device.borrow().bus_accesses, look, "one look per interval");
        }
        assert_eq!(*passed.borrow(), [500_000, 500_000], "nanoseconds");
        desk.device.borrow_mut().incoming.push_back(frame(1, 60));
        assert_eq!(task.poll(ready.as_mut()), Poll::Ready(Ok(Interest::RX)));
        assert_eq!(
            desk.calls("rearm") + desk.calls("disarm"),
            0,
            "there is no interrupt to mask"
        );
    }

    #[test]
    fn what_is_there_already_costs_no_delay() {
        let (desk, task, ticks) = (Desk::new(), Task::new(), Ticks::default());
        let passed = ticks.0.clone();
        desk.device.borrow_mut().incoming.push_back(frame(1, 60));
        let mut device = BlockingAsync::with_polling(desk, ticks, 500);
        assert!(task.poll(pin!(device.recv(&mut [0; 1514]))).is_ready());
        assert!(passed.borrow().is_empty());
    }

    #[test]
    fn an_interval_of_nothing_is_a_microsecond() {
        let (desk, task, ticks) = (Desk::new(), Task::new(), Ticks::default());
        let passed = ticks.0.clone();
        let mut device = BlockingAsync::with_polling(desk, ticks, 0);
        let mut ready = pin!(device.ready(Interest::RX));
        for _ in 0..2 {
            assert!(task.poll(ready.as_mut()).is_pending());
        }
        assert_eq!(*passed.borrow(), [1_000]);
    }
}
