//! Defects of lending devices.

use ethdev::{
    Capabilities, ErrorKind, ErrorType, EthernetDevice, Events, LendingDevice, Link, MacAddress, RxFrame, RxHalf,
    RxMeta, Stats, TxHalf,
};
use ethdev_conformance::Fixture;
use ethdev_util::{Buffered, BufferedRx, BufferedTx};

use crate::mem::{Mem, MemPeer, mem};

type Inner = Buffered<'static, Mem>;
type Error = ErrorKind;

/// A lending device with one defect.
pub(crate) struct Lending<const DEFECT: u8> {
    inner: Inner,
    leaked: usize,
    /// Length of the reservation that was not committed.
    kept: usize,
}

pub(crate) const CORRECT: u8 = 0;
/// Dropping the half releases the lent frame.
pub(crate) const RELEASES_ON_DROP: u8 = 1;
/// The pull API ignores the lent frame.
pub(crate) const PULLS_BESIDE_THE_HALVES: u8 = 2;
/// A slot that was reserved and not committed is never free again.
pub(crate) const LEAKS_RESERVATIONS: u8 = 3;
/// More is sent than was reserved.
pub(crate) const COMMITS_ANYTHING: u8 = 4;

/// `pending` does not see the frame that is lent.
pub(crate) const PENDING_IGNORES_LENT_FRAME: u8 = 5;
/// `ready` does not check the queue.
pub(crate) const ALWAYS_READY: u8 = 6;
/// What was reserved in a half that was dropped can be committed later.
pub(crate) const KEEPS_RESERVATIONS: u8 = 7;
/// Lengths are rounded up to words.
pub(crate) const COMMITS_WORDS: u8 = 8;
/// The lent frame is released when the link changes.
pub(crate) const RELEASES_ON_LINK_CHANGE: u8 = 9;
/// Nothing is reserved in halves that begin with a pending frame.
pub(crate) const SHARES_ONE_BUFFER: u8 = 10;
/// `commit` drops the frame if the link is down.
pub(crate) const COMMITS_WITH_LINK_DOWN: u8 = 11;

/// Slots of the device that leaks them.
const SLOTS: usize = 20;

pub(crate) struct LendFixture<const DEFECT: u8>;

impl<const DEFECT: u8> Fixture for LendFixture<DEFECT> {
    type Device = Lending<DEFECT>;
    type LinkPeer = MemPeer;

    fn new() -> (Lending<DEFECT>, MemPeer) {
        let (nic, peer) = mem();
        let [rx, tx] = [0; 2].map(|_| Box::leak(Box::new([0; 1514])));
        let inner = Buffered::new(nic, rx, tx);
        let device = Lending {
            inner,
            leaked: 0,
            kept: 0,
        };
        (device, peer)
    }
}

pub(crate) struct Rx<'a, const DEFECT: u8> {
    rx: BufferedRx<'a, 'static, Mem>,
    lent: bool,
}

impl<const DEFECT: u8> RxHalf for Rx<'_, DEFECT> {
    type Error = Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Error> {
        self.lent = true;
        self.rx.peek()
    }

    fn pending(&mut self) -> Result<bool, Error> {
        if DEFECT == PENDING_IGNORES_LENT_FRAME && self.lent {
            return Ok(false);
        }
        self.rx.pending()
    }

    fn release(&mut self) -> Result<(), Error> {
        self.rx.release()
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.rx.discard()
    }
}

impl<const DEFECT: u8> Drop for Rx<'_, DEFECT> {
    fn drop(&mut self) {
        if DEFECT == RELEASES_ON_DROP {
            self.rx.release().ok();
        }
    }
}

pub(crate) struct Tx<'a, const DEFECT: u8> {
    tx: BufferedTx<'a, 'static, Mem>,
    leaked: &'a mut usize,
    kept: &'a mut usize,
    /// Length of the reservation.
    reserved: usize,
    open: bool,
    blocked: bool,
}

impl<const DEFECT: u8> TxHalf for Tx<'_, DEFECT> {
    type Error = Error;

    fn ready(&mut self) -> Result<bool, Error> {
        Ok(self.tx.ready()? || DEFECT == ALWAYS_READY)
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Error> {
        if self.blocked || (DEFECT == LEAKS_RESERVATIONS && *self.leaked == SLOTS) {
            return Ok(None);
        }
        let loose = DEFECT == COMMITS_ANYTHING && (14..1514).contains(&len);
        let memory = self.tx.reserve(if loose { 1514 } else { len })?;
        self.open |= memory.is_some();
        self.reserved = len;
        Ok(memory)
    }

    fn commit(&mut self, len: usize) -> Result<(), Error> {
        let open = std::mem::take(&mut self.open);
        if DEFECT == KEEPS_RESERVATIONS && !open && *self.kept >= len {
            self.tx.reserve(len)?;
        }
        *self.kept = 0;
        if DEFECT == COMMITS_WORDS && open && len >= 60 {
            return self.tx.commit(len.next_multiple_of(4).min(self.reserved));
        }
        match self.tx.commit(len) {
            Err(ErrorKind::LinkDown) if DEFECT == COMMITS_WITH_LINK_DOWN => Ok(()),
            result => result,
        }
    }
}

impl<const DEFECT: u8> Drop for Tx<'_, DEFECT> {
    fn drop(&mut self) {
        if DEFECT == LEAKS_RESERVATIONS && self.open {
            *self.leaked += 1;
        }
        if self.open {
            *self.kept = self.reserved;
        }
    }
}

impl<const DEFECT: u8> ErrorType for Lending<DEFECT> {
    type Error = Error;
}

impl<const DEFECT: u8> LendingDevice for Lending<DEFECT> {
    type Rx<'a> = Rx<'a, DEFECT>;
    type Tx<'a> = Tx<'a, DEFECT>;

    fn split(&mut self) -> (Rx<'_, DEFECT>, Tx<'_, DEFECT>) {
        let (mut rx, tx) = self.inner.split();
        let blocked = DEFECT == SHARES_ONE_BUFFER && rx.pending() == Ok(true);
        (
            Rx { rx, lent: false },
            Tx {
                tx,
                leaked: &mut self.leaked,
                kept: &mut self.kept,
                reserved: 0,
                open: false,
                blocked,
            },
        )
    }
}

impl<const DEFECT: u8> EthernetDevice for Lending<DEFECT> {
    fn mac_address(&self) -> MacAddress {
        self.inner.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn link(&self) -> Link {
        self.inner.link()
    }

    fn stats(&self) -> Stats {
        self.inner.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error> {
        if DEFECT == PULLS_BESIDE_THE_HALVES {
            return self.inner.inner_mut().recv_frame(buf);
        }
        self.inner.recv_frame(buf)
    }

    fn discard_frame(&mut self) -> Result<bool, Error> {
        self.inner.discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, Error> {
        self.inner.tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.inner.send_vectored(parts)
    }

    fn service(&mut self) -> Result<Events, Error> {
        let events = self.inner.service()?;
        if DEFECT == RELEASES_ON_LINK_CHANGE && events.link_changed {
            self.inner.split().0.release()?;
        }
        Ok(events)
    }
}
