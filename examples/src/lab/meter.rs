//! How many copies a frame costs: measured where it crosses a surface.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{
    Capabilities, ErrorType, EthernetDevice, Events, Interest, LendingDevice, Link, MacAddress, Rearm, RearmOutcome,
    RxFrame, RxHalf, RxMeta, Stats, TxHalf,
};

/// What was counted. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lent: Cell<u64>,
    copied: Cell<u64>,
}

impl Tally {
    /// Frames that crossed, either way, where they lie.
    #[must_use]
    pub fn lent(&self) -> u64 {
        self.0.lent.get()
    }

    /// Frames that crossed, either way, by being copied from one memory to another (or over a bus).
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.0.copied.get()
    }

    fn count_lent(&self) {
        self.0.lent.set(self.lent() + 1);
    }

    fn count_copied(&self) {
        self.0.copied.set(self.copied() + 1);
    }
}

/// A device as it is, with every frame counted that is lent or copied.
#[derive(Debug)]
pub struct Meter<D> {
    device: D,
    tally: Tally,
}

impl<D> Meter<D> {
    /// Counts what crosses the surface of `device`.
    pub fn new(device: D, tally: &Tally) -> Self {
        Self {
            device,
            tally: tally.clone(),
        }
    }
}

impl<D: ErrorType> ErrorType for Meter<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for Meter<D> {
    fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn link(&self) -> Link {
        self.device.link()
    }

    fn stats(&self) -> Stats {
        self.device.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        let received = self.device.recv_frame(buf)?;
        if received.is_some() {
            self.tally.count_copied();
        }
        Ok(received)
    }

    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.device.discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.device.tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.device.send_vectored(parts)?;
        self.tally.count_copied();
        Ok(())
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.device.send_frame(frame)?;
        self.tally.count_copied();
        Ok(())
    }

    fn service(&mut self) -> Result<Events, Self::Error> {
        self.device.service()
    }
}

impl<D: LendingDevice> LendingDevice for Meter<D> {
    type Rx<'a>
        = MeteredRx<'a, D::Rx<'a>>
    where
        Self: 'a;
    type Tx<'a>
        = MeteredTx<'a, D::Tx<'a>>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let (rx, tx) = self.device.split();
        let tally = &self.tally;
        (
            MeteredRx {
                half: rx,
                tally,
                lent: false,
            },
            MeteredTx { half: tx, tally },
        )
    }
}

/// The receiving half of a [`Meter`].
#[derive(Debug)]
pub struct MeteredRx<'a, R> {
    half: R,
    tally: &'a Tally,
    /// There is a frame to release.
    lent: bool,
}

impl<R: RxHalf> RxHalf for MeteredRx<'_, R> {
    type Error = R::Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        let frame = self.half.peek()?;
        self.lent = frame.is_some();
        Ok(frame)
    }

    fn pending(&mut self) -> Result<bool, Self::Error> {
        self.half.pending()
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        if std::mem::take(&mut self.lent) {
            self.tally.count_lent();
        }
        self.half.release()
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.lent = false;
        self.half.discard()
    }
}

/// The sending half of a [`Meter`].
#[derive(Debug)]
pub struct MeteredTx<'a, T> {
    half: T,
    tally: &'a Tally,
}

impl<T: TxHalf> TxHalf for MeteredTx<'_, T> {
    type Error = T::Error;

    fn ready(&mut self) -> Result<bool, Self::Error> {
        self.half.ready()
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.half.reserve(len)
    }

    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        self.half.commit(len)?;
        self.tally.count_lent();
        Ok(())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, Self::Error> {
        let sent = self.half.send_vectored(parts)?;
        if sent {
            self.tally.count_copied();
        }
        Ok(sent)
    }
}

impl<D: Rearm> Rearm for Meter<D> {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.device.disarm()
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.device.rearm(interest)
    }
}
