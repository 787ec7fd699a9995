//! A chip behind an async bus whose accesses wait a configurable number of polls.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ethdev::{
    Capabilities, ErrorKind, ErrorType, Events, Interest, Link, MacAddress, MaxFrameLen, RxMeta, Stats, asynch,
    validate_tx_len,
};

/// Longest frame of the chip.
pub(crate) const MAX: usize = 100;

/// The number of polls that each bus access waits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waits {
    /// Before the access takes effect.
    pub(crate) before: usize,
    /// After it took effect, before the driver returns.
    pub(crate) after: usize,
}

pub(crate) struct State {
    pub(crate) incoming: VecDeque<Vec<u8>>,
    pub(crate) sent: Vec<Vec<u8>>,
    /// The number of frames that are accepted before the chip is busy.
    pub(crate) tx_capacity: usize,
    pub(crate) link: Link,
    reported_link: Link,
    pub(crate) stats: Stats,
    /// The error of the next bus access.
    pub(crate) fail_next: Option<ErrorKind>,
    /// Whether work is always reported.
    pub(crate) reports_false_work: bool,
    /// The wrong length of the next frame.
    pub(crate) wrong_len: Option<usize>,
    /// Number of bus accesses.
    pub(crate) accesses: usize,
    waker: Option<Waker>,
}

/// The chip, shared by the test and the driver.
#[derive(Clone)]
pub(crate) struct Chip {
    state: Rc<RefCell<State>>,
    waits: Rc<Cell<Waits>>,
}

impl Chip {
    pub(crate) fn new(waits: Waits) -> Self {
        Self {
            state: Rc::new(RefCell::new(State {
                incoming: VecDeque::new(),
                sent: Vec::new(),
                tx_capacity: usize::MAX,
                link: Link::UP,
                reported_link: Link::UP,
                stats: Stats::ZERO,
                fail_next: None,
                reports_false_work: false,
                wrong_len: None,
                accesses: 0,
                waker: None,
            })),
            waits: Rc::new(Cell::new(waits)),
        }
    }

    /// Changes the state of the chip, and interrupts.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.borrow_mut();
        let r = f(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        r
    }

    pub(crate) fn receive_frame(&self, frame: Vec<u8>) {
        self.with(|state| state.incoming.push_back(frame));
    }

    pub(crate) fn read<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.state.borrow())
    }

    /// Begins a bus access: waits, and returns the injected error.
    async fn bus(&self) -> Result<(), ErrorKind> {
        pause(self.waits.get().before).await;
        let mut state = self.state.borrow_mut();
        state.accesses += 1;
        assert!(state.accesses < 100_000, "unbounded bus accesses");
        state.fail_next.take().map_or(Ok(()), Err)
    }

    /// Ends a bus access: waits.
    async fn cleanup(&self) {
        pause(self.waits.get().after).await;
    }
}

async fn pause(mut polls: usize) {
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(());
        }
        polls -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl State {
    fn ready_interest(&self, interest: Interest) -> Interest {
        Interest {
            rx: self.reports_false_work || !self.incoming.is_empty(),
            tx: self.reports_false_work || (self.tx_capacity > 0 && self.link.is_up()),
            link: self.link != self.reported_link,
        } & interest
    }
}

/// A frame that the driver has read from the chip. It is counted as lost unless it is delivered.
struct Taken<'a>(&'a RefCell<State>, Option<usize>);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let stats = &mut self.0.borrow_mut().stats;
        match self.1 {
            Some(len) => stats.count_rx(len),
            None => stats.rx_reset += 1,
        }
    }
}

impl ErrorType for Chip {
    type Error = ErrorKind;
}

impl asynch::EthernetDevice for Chip {
    fn mac_address(&self) -> MacAddress {
        MacAddress::new([2, 0, 0, 0, 0, 1])
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::ETHERNET
            .with_max_frame_len(MaxFrameLen::new(MAX))
            .with_queue_frames(Some(3), None)
    }

    fn link(&self) -> Link {
        self.read(|state| state.link)
    }

    fn stats(&self) -> Stats {
        self.read(|state| state.stats)
    }

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        self.bus().await?;
        let (len, mut taken) = {
            let mut state = self.state.borrow_mut();
            let Some(frame) = state.incoming.front() else {
                return Ok(None);
            };
            let needed = frame.len();
            let Some(buf) = buf.get_mut(..needed) else {
                return Err(ErrorKind::BufferTooSmall { needed });
            };
            buf.copy_from_slice(frame);
            state.incoming.pop_front();
            (state.wrong_len.take().unwrap_or(needed), Taken(&self.state, None))
        };
        self.cleanup().await;
        taken.1 = Some(len);
        Ok(Some(RxMeta::new(len)))
    }

    async fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        self.bus().await?;
        let discarded = self.with(|state| {
            let discarded = state.incoming.pop_front().is_some();
            state.stats.rx_discarded += u32::from(discarded);
            discarded
        });
        self.cleanup().await;
        Ok(discarded)
    }

    async fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        self.bus().await?;
        Ok(self.read(|state| state.tx_capacity > 0 && state.link.is_up()))
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let len = validate_tx_len(parts, asynch::EthernetDevice::capabilities(self).tx_max_frame_len)?;
        self.bus().await?;
        {
            let mut state = self.state.borrow_mut();
            if !state.link.is_up() {
                return Err(ErrorKind::LinkDown);
            }
            state.tx_capacity = state.tx_capacity.checked_sub(1).ok_or(ErrorKind::Busy)?;
            state.sent.push(parts.concat());
            state.stats.count_tx(len);
        }
        self.cleanup().await;
        Ok(())
    }

    async fn service(&mut self) -> Result<Events, ErrorKind> {
        self.bus().await?;
        let found = self.read(|state| state.ready_interest(Interest::ALL));
        let mut events = Events::NONE;
        (events.rx_pending, events.tx_ready) = (found.rx, found.tx);
        Ok(events)
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, ErrorKind> {
        loop {
            self.bus().await?;
            let mut waited = false;
            let found = poll_fn(|cx| {
                let mut state = self.state.borrow_mut();
                let found = state.ready_interest(interest);
                if !found.is_none() || waited {
                    if found.link {
                        state.reported_link = state.link;
                    }
                    return Poll::Ready(found);
                }
                waited = true;
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
            if !found.is_none() {
                return Ok(found);
            }
        }
    }
}

/// Builds a frame with a number.
pub(crate) fn frame(number: usize, len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|i| (number * 31 + i) as u8).collect();
    frame[..4].copy_from_slice(&(number as u32).to_be_bytes());
    frame
}

/// Checks the bytes of a frame. Returns its number.
pub(crate) fn number(bytes: &[u8]) -> usize {
    let number = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    assert_eq!(bytes, frame(number, bytes.len()));
    number
}

/// A task that is polled only after a wake-up.
pub(crate) struct Task {
    woken: Arc<Woken>,
    waker: Waker,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new() -> Self {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        Self {
            waker: Waker::from(woken.clone()),
            woken,
        }
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst)
    }

    /// Wakes the task, for the first poll of a new future.
    pub(crate) fn wake(&self) {
        self.waker.wake_by_ref();
    }

    /// Polls the future if the task was woken.
    pub(crate) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        if !self.woken.0.swap(false, Ordering::SeqCst) {
            return Poll::Pending;
        }
        future.poll(&mut Context::from_waker(&self.waker))
    }

    /// Polls until the future is no longer woken.
    pub(crate) fn settle<F: Future + ?Sized>(&self, mut future: Pin<&mut F>) -> Poll<F::Output> {
        for _ in 0..10_000 {
            if !self.is_woken() {
                return Poll::Pending;
            }
            let poll = self.poll(future.as_mut());
            if poll.is_ready() {
                return poll;
            }
        }
        panic!("the task always wakes itself");
    }
}
