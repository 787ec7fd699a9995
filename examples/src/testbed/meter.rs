//! Counts the copies of frames at the API of a device.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{ErrorType, EthernetDevice, LendingDevice, Rearm, RxFrame, RxHalf, RxMeta, TxHalf};

/// Counts lent and copied frames. Clones share the counters.
#[derive(Debug, Clone, Default)]
pub struct CopyCounter(Rc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lent: Cell<u64>,
    copied: Cell<u64>,
}

impl CopyCounter {
    /// Returns the number of frames that were lent in place, in both directions.
    #[must_use]
    pub fn lent(&self) -> u64 {
        self.0.lent.get()
    }

    /// Returns the number of frames that were copied from one memory to another or over a bus, in
    /// both directions.
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

/// A device whose lent and copied frames are counted.
#[derive(Debug)]
pub struct Meter<D> {
    device: D,
    copies: CopyCounter,
}

impl<D> Meter<D> {
    /// Wraps `device` and counts in `copies`.
    pub fn new(device: D, copies: &CopyCounter) -> Self {
        Self {
            device,
            copies: copies.clone(),
        }
    }
}

impl<D: ErrorType> ErrorType for Meter<D> {
    type Error = D::Error;
}

impl<D: EthernetDevice> EthernetDevice for Meter<D> {
    ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats,
        discard_frame, tx_ready, service);

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        let received = self.device.recv_frame(buf)?;
        if received.is_some() {
            self.copies.count_copied();
        }
        Ok(received)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.device.send_vectored(parts)?;
        self.copies.count_copied();
        Ok(())
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.device.send_frame(frame)?;
        self.copies.count_copied();
        Ok(())
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
        let copies = &self.copies;
        (
            MeteredRx {
                half: rx,
                copies,
                lent: false,
            },
            MeteredTx { half: tx, copies },
        )
    }
}

/// The receiving half of a [`Meter`].
#[derive(Debug)]
pub struct MeteredRx<'a, R> {
    half: R,
    copies: &'a CopyCounter,
    /// A frame is lent and not released.
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
            self.copies.count_lent();
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
    copies: &'a CopyCounter,
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
        self.copies.count_lent();
        Ok(())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.half.send_vectored(parts)?;
        self.copies.count_copied();
        Ok(())
    }
}

impl<D: Rearm> Rearm for Meter<D> {
    ethdev::forward_rearm!(|this| this.device);
}
