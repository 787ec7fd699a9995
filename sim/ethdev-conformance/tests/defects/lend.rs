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
        (Lending { inner, leaked: 0 }, peer)
    }
}

pub(crate) struct Rx<'a, const DEFECT: u8>(BufferedRx<'a, 'static, Mem>);

impl<const DEFECT: u8> RxHalf for Rx<'_, DEFECT> {
    type Error = Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Error> {
        self.0.peek()
    }

    fn release(&mut self) -> Result<(), Error> {
        self.0.release()
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.0.discard()
    }
}

impl<const DEFECT: u8> Drop for Rx<'_, DEFECT> {
    fn drop(&mut self) {
        if DEFECT == RELEASES_ON_DROP {
            self.0.release().ok();
        }
    }
}

pub(crate) struct Tx<'a, const DEFECT: u8> {
    tx: BufferedTx<'a, 'static, Mem>,
    leaked: &'a mut usize,
    open: bool,
}

impl<const DEFECT: u8> TxHalf for Tx<'_, DEFECT> {
    type Error = Error;

    fn ready(&mut self) -> Result<bool, Error> {
        self.tx.ready()
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Error> {
        if DEFECT == LEAKS_RESERVATIONS && *self.leaked == SLOTS {
            return Ok(None);
        }
        let loose = DEFECT == COMMITS_ANYTHING && (14..1514).contains(&len);
        let memory = self.tx.reserve(if loose { 1514 } else { len })?;
        self.open |= memory.is_some();
        Ok(memory)
    }

    fn commit(&mut self, len: usize) -> Result<(), Error> {
        self.open = false;
        self.tx.commit(len)
    }
}

impl<const DEFECT: u8> Drop for Tx<'_, DEFECT> {
    fn drop(&mut self) {
        if DEFECT == LEAKS_RESERVATIONS && self.open {
            *self.leaked += 1;
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
        let (rx, tx) = self.inner.split();
        let leaked = &mut self.leaked;
        (
            Rx(rx),
            Tx {
                tx,
                leaked,
                open: false,
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
        self.inner.service()
    }
}
