//! Defects of async devices, most of them with dropped futures.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use ethdev::{
    Capabilities, Control as _, ErrorKind, ErrorType, EthernetDevice as _, Events, FilterOutcome, Interest, Link,
    MacAddress, RxFilter, RxMeta, Stats,
    asynch::{Control, EthernetDevice},
};
use ethdev_conformance::Fixture;

use crate::mem::{Mem, MemPeer, State, mem};

pub(crate) const CORRECT: u8 = 0;
/// `ready` takes the frame out of the chip.
pub(crate) const READY_TAKES_THE_FRAME: u8 = 1;
/// `recv_frame` does its work before it is polled.
pub(crate) const RECEIVES_EAGERLY: u8 = 2;
/// `recv_frame` takes the frame out of the chip, then waits for the bus.
pub(crate) const RECV_LOSES_WHEN_DROPPED: u8 = 3;
/// `send_vectored` queues the frame in two halves.
pub(crate) const SENDS_HALVES: u8 = 4;
/// `ready` does not arrange to be woken.
pub(crate) const NEVER_WOKEN: u8 = 5;
/// `ready` completes for no reason.
pub(crate) const READY_FOR_NOTHING: u8 = 6;

/// `ready` wakes the waker of its first poll.
pub(crate) const WAKES_FIRST_WAKER: u8 = 7;
/// `ready` returns everything that holds, not only what was asked for.
pub(crate) const READY_RETURNS_MORE: u8 = 8;
/// `ready` notes a change of the link as reported, then waits for the bus.
pub(crate) const READY_TAKES_LINK_CHANGE: u8 = 9;
/// `ready` does not check the link for transmit capacity.
pub(crate) const READY_TX_WITHOUT_LINK: u8 = 10;
/// `ready` waits after a fault.
pub(crate) const WAITS_IN_FAULT: u8 = 11;
/// `start` stores the new state before the chip has it.
pub(crate) const STORES_THE_STATE_FIRST: u8 = 12;

/// An async device with one defect.
pub(crate) struct Awaiting<const DEFECT: u8> {
    nic: Mem,
    reported_link: Link,
    taken: Option<Vec<u8>>,
}

pub(crate) struct AsyncFixture<const DEFECT: u8>;

impl<const DEFECT: u8> Fixture for AsyncFixture<DEFECT> {
    type Device = Awaiting<DEFECT>;
    type LinkPeer = MemPeer;

    fn new() -> (Awaiting<DEFECT>, MemPeer) {
        let (nic, peer) = mem();
        let device = Awaiting {
            reported_link: nic.link(),
            nic,
            taken: None,
        };
        (device, peer)
    }
}

/// One transaction on the bus takes a few turns.
async fn bus() {
    let mut turns = 3;
    poll_fn(|cx| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Until the next poll.
async fn once(wake: bool) {
    let mut polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        if wake {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await;
}

/// Until the next poll, which the first waker is asked for.
async fn once_by_first(first: &mut Option<Waker>) {
    let mut polled = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        first.get_or_insert_with(|| cx.waker().clone()).wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl<const DEFECT: u8> ErrorType for Awaiting<DEFECT> {
    type Error = ErrorKind;
}

impl<const DEFECT: u8> EthernetDevice for Awaiting<DEFECT> {
    fn mac_address(&self) -> MacAddress {
        self.nic.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.nic.capabilities()
    }

    fn link(&self) -> Link {
        self.nic.link()
    }

    fn stats(&self) -> Stats {
        self.nic.stats()
    }

    #[allow(
        clippy::manual_async_fn,
        reason = "one of the mistakes is made before the future is polled"
    )]
    fn recv_frame(&mut self, buf: &mut [u8]) -> impl Future<Output = Result<Option<RxMeta>, ErrorKind>> {
        let eager = if DEFECT == RECEIVES_EAGERLY {
            Some(self.nic.recv_frame(buf))
        } else {
            None
        };
        async move {
            bus().await;
            if let Some(result) = eager {
                return result;
            }
            if let Some(frame) = self.taken.take() {
                buf[..frame.len()].copy_from_slice(&frame);
                self.nic.stats.count_rx(frame.len());
                return Ok(Some(RxMeta::new(frame.len())));
            }
            let next = self.nic.next_len()?;
            if DEFECT == RECV_LOSES_WHEN_DROPPED && next.is_some_and(|len| (60..=1514.min(buf.len())).contains(&len)) {
                let frame = self.nic.take()?;
                bus().await;
                buf[..frame.len()].copy_from_slice(&frame);
                self.nic.stats.count_rx(frame.len());
                return Ok(Some(RxMeta::new(frame.len())));
            }
            self.nic.recv_frame(buf)
        }
    }

    async fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        bus().await;
        self.nic.discard_frame()
    }

    async fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        bus().await;
        self.nic.tx_ready()
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        bus().await;
        let frame = parts.concat();
        if DEFECT == SENDS_HALVES && frame.len() == 300 && self.nic.tx_ready()? {
            self.nic.queue(frame[..150].to_vec())?;
            bus().await;
            self.nic
                .access(|chip| chip.tx.back_mut().map(|queued| queued.extend(&frame[150..])))?;
            return Ok(());
        }
        self.nic.send_frame(&frame)
    }

    async fn service(&mut self) -> Result<Events, ErrorKind> {
        bus().await;
        self.nic.service()
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, ErrorKind> {
        let mut first = None;
        loop {
            let result = self.nic.service();
            if DEFECT == WAITS_IN_FAULT && result == Err(ErrorKind::Fault) {
                std::future::pending::<()>().await;
            }
            let events = result?;
            let so = Interest {
                rx: events.rx_pending,
                tx: events.tx_ready || (DEFECT == READY_TX_WITHOUT_LINK && self.nic.room()?),
                link: self.nic.link() != self.reported_link,
            };
            if DEFECT == READY_TAKES_LINK_CHANGE && so.link && interest.link {
                self.reported_link = self.nic.link();
                bus().await;
            }
            let ready = so & interest;
            if DEFECT == READY_RETURNS_MORE && !ready.is_none() {
                return Ok(so);
            }
            if ready.rx && DEFECT == READY_TAKES_THE_FRAME {
                let frame = self.nic.take()?;
                bus().await;
                self.taken = Some(frame);
            }
            if ready.link {
                self.reported_link = self.nic.link();
            }
            if !ready.is_none() || (DEFECT == READY_FOR_NOTHING && interest.is_none()) {
                return Ok(ready);
            }
            if DEFECT == WAKES_FIRST_WAKER {
                once_by_first(&mut first).await;
            } else {
                once(DEFECT != NEVER_WOKEN).await;
            }
        }
    }
}

impl<const DEFECT: u8> Control for Awaiting<DEFECT> {
    async fn start(&mut self) -> Result<(), ErrorKind> {
        if DEFECT == STORES_THE_STATE_FIRST {
            let running = State {
                running: true,
                asleep: false,
            };
            let before = std::mem::replace(&mut self.nic.state, running);
            bus().await;
            self.nic.state = before;
            return self.nic.start();
        }
        bus().await;
        self.nic.start()
    }

    async fn stop(&mut self) -> Result<(), ErrorKind> {
        bus().await;
        self.nic.stop()
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ErrorKind> {
        bus().await;
        self.nic.set_mac_address(address)
    }

    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ErrorKind> {
        bus().await;
        self.nic.set_rx_filter(filter)
    }

    async fn recover(&mut self) -> Result<(), ErrorKind> {
        bus().await;
        self.nic.recover()
    }

    async fn sleep(&mut self) -> Result<(), ErrorKind> {
        bus().await;
        self.nic.sleep()
    }

    async fn wake(&mut self) -> Result<(), ErrorKind> {
        bus().await;
        self.nic.wake()
    }
}
