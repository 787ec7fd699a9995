//! Faults in front of a device that lends.

use ethdev::lending::{LendingDevice, RxHalf, TxHalf};
use ethdev::{ErrorKind, LayerError, RxFrame, RxMeta};

use super::Faulty;
use super::state::{RxState, Shared, TxState};

/// The receiving half of a [`Faulty`] device.
#[derive(Debug)]
pub struct FaultyRx<'a, R> {
    rx: R,
    state: &'a mut RxState,
    shared: &'a Shared,
}

impl<R: RxHalf> FaultyRx<'_, R> {
    /// Goes on to a frame that is to be lent: its length as the reader sees it. It then lies in `held`, or is next at the device.
    fn advance(&mut self) -> Result<Option<usize>, LayerError<R::Error>> {
        loop {
            if let Some(held) = self.state.held.front() {
                return Ok(Some(held.meta.len));
            }
            let Some(mut frame) = self.rx.peek().map_err(LayerError::Device)? else {
                return Ok(None);
            };
            let verdict = match self.state.verdict {
                Some(verdict) => verdict,
                None => self.state.decide(),
            };
            self.state.verdict = Some(verdict);
            if verdict.lost {
                self.state.verdict = None;
                self.rx.discard().map_err(LayerError::Device)?;
                self.state.less.rx_discarded = self.state.less.rx_discarded.wrapping_add(1);
                self.state.count_lost(self.shared);
                continue;
            }
            let len = match self.state.cut_to {
                Some(len) => len,
                None => self.state.spoil(verdict, &mut frame, self.shared),
            };
            self.state.cut_to = Some(len);
            if verdict.withheld {
                self.state.verdict = Some(super::state::Verdict {
                    withheld: false,
                    ..verdict
                });
                self.shared.count(|injected| injected.spurious_none += 1);
                return Ok(None);
            }
            return Ok(Some(len));
        }
    }

    fn give_back(&mut self, delivered: bool) -> Result<(), LayerError<R::Error>> {
        if !self.state.held.is_empty() {
            self.state.let_go(delivered);
            return Ok(());
        }
        let verdict = self.state.verdict.take().unwrap_or_default();
        let cut_to = self.state.cut_to.take();
        if let (true, Some(len)) = (delivered, cut_to) {
            // Where the device has failed meanwhile, the frame is given back all the same.
            if let Ok(Some(frame)) = self.rx.peek() {
                self.state.less.count_rx(frame.len());
                self.state.more.count_rx(len);
                if verdict.duplicated {
                    let meta = cut(frame.meta(), len);
                    self.state.hold_copy(&frame[..len], meta, self.shared);
                }
            }
        }
        let given = if delivered {
            self.rx.release()
        } else {
            self.rx.discard()
        };
        given.map_err(LayerError::Device)
    }
}

fn cut(mut meta: RxMeta, len: usize) -> RxMeta {
    meta.len = len;
    meta
}

impl<R: RxHalf> RxHalf for FaultyRx<'_, R> {
    type Error = LayerError<R::Error>;

    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Self::Error> {
        self.shared.enter(&mut self.state.bus)?;
        let Some(len) = self.advance()? else { return Ok(None) };
        if let Some(held) = self.state.held.front_mut() {
            return Ok(RxFrame::new(&mut held.data, held.meta));
        }
        let frame = self.rx.peek().map_err(LayerError::Device)?;
        Ok(frame.and_then(|frame| {
            let meta = cut(frame.meta(), len);
            RxFrame::new(frame.into_data(), meta)
        }))
    }

    fn release(&mut self) -> Result<(), Self::Error> {
        self.give_back(true)
    }

    fn discard(&mut self) -> Result<(), Self::Error> {
        self.give_back(false)
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
    type Error = LayerError<T::Error>;

    fn ready(&mut self) -> Result<bool, Self::Error> {
        self.shared.enter(&mut self.state.bus)?;
        let room = self.tx.ready().map_err(LayerError::Device)?;
        let refused = room && self.state.refuses(self.shared);
        Ok(self.state.promise(room && !refused))
    }

    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Self::Error> {
        self.reserved = None;
        self.shared.enter(&mut self.state.bus)?;
        if self.tx.reserve(len).map_err(LayerError::Device)?.is_none() {
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
            return Err(LayerError::Layer(ErrorKind::FrameTooLong { max }));
        };
        if len < ethdev::frame::HEADER_LEN {
            return Err(LayerError::Layer(ErrorKind::FrameTooShort));
        }
        if self.shared.link_forced_down.get() {
            return Err(LayerError::Layer(ErrorKind::LinkDown));
        }
        // What the device itself would refuse is not ours to lose.
        if self.link_up && self.state.loss.strikes() {
            self.state.count_lost(self.shared);
            return Ok(());
        }
        let flipped = self.state.corruption.strikes() && self.state.corruption.flip(frame);
        if !self.tx.send_vectored(&[frame]).map_err(LayerError::Device)? {
            return Err(LayerError::Layer(ErrorKind::Busy));
        }
        if flipped {
            self.shared.count(|injected| injected.tx_corrupted += 1);
        }
        if self.state.duplication.strikes() && matches!(self.tx.send_vectored(&[frame]), Ok(true)) {
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
