//! Faults in front of a device that lends.

use ethdev::lending::{LendingDevice, RxHalf, TxHalf};
use ethdev::{ErrorKind, RxFrame, RxMeta};

use super::device::Faulty;
use super::state::{RxState, Shared, TxState};

/// The receiving half of a [`Faulty`] device.
#[derive(Debug)]
pub struct FaultyRx<'a, R> {
    rx: R,
    state: &'a mut RxState,
    shared: &'a Shared,
}

impl<R: RxHalf> FaultyRx<'_, R> {
    /// Advances to the next frame to lend and returns its length after truncation. The frame is
    /// then in `held`, or next at the device.
    fn advance(&mut self) -> Result<Option<usize>, R::Error> {
        loop {
            if let Some(held) = self.state.held.front() {
                return Ok(Some(held.meta.len));
            }
            let Some(mut frame) = self.rx.peek()? else {
                return Ok(None);
            };
            let faults = match self.state.faults {
                Some(faults) => faults,
                None => self.state.decide(),
            };
            self.state.faults = Some(faults);
            if faults.lost {
                self.state.faults = None;
                self.rx.discard()?;
                self.state.less.rx_discarded = self.state.less.rx_discarded.wrapping_add(1);
                self.state.count_lost(self.shared);
                continue;
            }
            let len = match self.state.cut_to {
                Some(len) => len,
                None => self.state.apply(faults, &mut frame, self.shared),
            };
            self.state.cut_to = Some(len);
            if faults.withheld {
                self.state.faults = Some(super::state::FrameFaults {
                    withheld: false,
                    ..faults
                });
                self.shared.count(|injected| injected.spurious_none += 1);
                return Ok(None);
            }
            return Ok(Some(len));
        }
    }

    fn release_held(&mut self, delivered: bool) -> Result<(), R::Error> {
        if !self.state.held.is_empty() {
            self.state.let_go(delivered);
            return Ok(());
        }
        let faults = self.state.faults.take().unwrap_or_default();
        let cut_to = self.state.cut_to.take();
        if let (true, Some(len)) = (delivered, cut_to) {
            // Where the device has failed meanwhile, the frame is released nevertheless.
            if let Ok(Some(frame)) = self.rx.peek() {
                self.state.less.count_rx(frame.len());
                self.state.more.count_rx(len);
                if faults.duplicated {
                    let meta = cut(frame.meta(), len);
                    self.state.hold_copy(&frame[..len], meta, self.shared);
                }
            }
        }
        if delivered {
            self.rx.release()
        } else {
            self.rx.discard()
        }
    }
}

fn cut(mut meta: RxMeta, len: usize) -> RxMeta {
    meta.len = len;
    meta
}

impl<R: RxHalf> RxHalf for FaultyRx<'_, R> {
    type Error = R::Error;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        self.shared.enter(&mut self.state.bus)?;
        let Some(len) = self.advance()? else { return Ok(None) };
        if let Some(held) = self.state.held.front_mut() {
            return Ok(RxFrame::new(&mut held.data, held.meta));
        }
        let frame = self.rx.peek()?;
        Ok(frame.and_then(|frame| {
            let meta = cut(frame.meta(), len);
            RxFrame::new(frame.into_data(), meta)
        }))
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        self.release_held(true)
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.release_held(false)
    }
}

/// The sending half of a [`Faulty`] device.
#[derive(Debug)]
pub struct FaultyTx<'a, T> {
    tx: T,
    state: &'a mut TxState,
    shared: &'a Shared,
    reserved: Option<usize>,
    link_up: bool,
}

impl<T: TxHalf> TxHalf for FaultyTx<'_, T> {
    type Error = T::Error;

    fn ready(&mut self) -> Result<bool, Self::Error> {
        self.shared.enter(&mut self.state.bus)?;
        let ready = self.tx.ready()?;
        let refused = ready && self.state.refuses(self.shared);
        Ok(self.state.promise(ready && !refused))
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = None;
        self.shared.enter(&mut self.state.bus)?;
        if self.tx.reserve(len)?.is_none() {
            return Ok(None);
        }
        if self.state.refuses_send(self.shared) {
            return Ok(None);
        }
        self.reserved = Some(len);
        self.state.staging.resize(len, 0);
        Ok(Some(&mut self.state.staging))
    }

    fn commit(&mut self, len: usize) -> Result<(), Self::Error> {
        let max = self.reserved.take().unwrap_or(0);
        self.shared.enter(&mut self.state.bus)?;
        let Some(frame) = self.state.staging.get_mut(..len).filter(|_| len <= max) else {
            return Err(ErrorKind::FrameTooLong { max }.into());
        };
        if len < ethdev::frame::HEADER_LEN {
            return Err(ErrorKind::FrameTooShort.into());
        }
        if self.shared.link_forced_down.get() {
            return Err(ErrorKind::LinkDown.into());
        }
        // A frame that the device itself would reject is not an opportunity for a loss.
        if self.link_up && self.state.loss.strikes() {
            self.state.count_lost(self.shared);
            return Ok(());
        }
        let flipped = self.state.corruption.strikes() && self.state.corruption.flip(frame);
        self.tx.send_vectored(&[frame])?;
        if flipped {
            self.shared.count(|injected| injected.tx_corrupted += 1);
        }
        if self.state.duplication.strikes() && self.tx.send_vectored(&[frame]).is_ok() {
            self.shared.count(|injected| injected.tx_duplicated += 1);
        }
        Ok(())
    }
}

impl<D: LendingDevice> LendingDevice for Faulty<D> {
    type Rx<'a>
        = FaultyRx<'a, D::Rx<'a>>
    where
        Self: 'a;
    type Tx<'a>
        = FaultyTx<'a, D::Tx<'a>>
    where
        Self: 'a;

    fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
        let link_up = self.device.link().is_up();
        let (rx, tx) = self.device.split();
        (
            FaultyRx {
                rx,
                state: &mut self.rx,
                shared: &self.shared,
            },
            FaultyTx {
                tx,
                state: &mut self.tx,
                shared: &self.shared,
                reserved: None,
                link_up,
            },
        )
    }
}
