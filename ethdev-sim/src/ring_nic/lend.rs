//! The halves: the chip's own buffers, lent.

use core::cell::RefCell;

use ethdev::frame::{HEADER_LEN, gather_into, gather_len};
use ethdev::lend::count_release;
use ethdev::{RxFrame, RxHalf, RxMeta, Stats, TxHalf};

use super::RingError;
use super::device::LinkCache;
use super::hardware::{ChipState, RingHw};

/// The receiving half of a [`RingNic`](super::RingNic).
#[derive(Debug)]
pub struct RingRx<'a> {
    pub(super) hw: &'a RefCell<RingHw>,
    pub(super) lent: &'a mut Option<(Box<[u8]>, RxMeta)>,
    pub(super) stats: &'a mut Stats,
}

impl RingRx<'_> {
    /// Takes the next frame from the ring, if there is one.
    fn fetch(&mut self) -> Result<(), RingError> {
        let mut chip = self.hw.borrow_mut();
        if chip.state == ChipState::Running {
            *self.lent = chip.rx.take();
            return Ok(());
        }
        chip.check()
    }

    #[inline]
    fn give_back(&mut self, delivered: bool) {
        if let Some((buffer, meta)) = self.lent.take() {
            count_release(self.stats, meta.len, delivered);
            // Every buffer taken has its place in the ring.
            let _ = self.hw.borrow_mut().rx.give(buffer);
        }
    }
}

impl RxHalf for RingRx<'_> {
    type Error = RingError;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, RingError> {
        // A frame that is lent is the host's: no need to ask the chip.
        if self.lent.is_none() {
            self.fetch()?;
        }
        Ok(self
            .lent
            .as_mut()
            .and_then(|(buffer, meta)| RxFrame::new(buffer, *meta)))
    }

    #[inline]
    fn release(&mut self) -> Result<(), RingError> {
        self.give_back(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), RingError> {
        self.give_back(false);
        Ok(())
    }
}

/// The sending half of a [`RingNic`](super::RingNic).
#[derive(Debug)]
pub struct RingTx<'a> {
    pub(super) hw: &'a RefCell<RingHw>,
    pub(super) spare: &'a mut Option<Box<[u8]>>,
    pub(super) link: &'a mut LinkCache,
    pub(super) reserved: Option<usize>,
    pub(super) max: usize,
}

impl RingTx<'_> {
    #[inline]
    const fn check_len(&self, len: usize) -> Result<(), RingError> {
        if len > self.max {
            return Err(RingError::FrameTooLong { max: self.max });
        }
        if len < HEADER_LEN {
            return Err(RingError::FrameTooShort);
        }
        Ok(())
    }
}

impl TxHalf for RingTx<'_> {
    type Error = RingError;

    fn ready(&mut self) -> Result<bool, RingError> {
        let mut chip = self.hw.borrow_mut();
        chip.check()?;
        Ok(self.spare.is_some() || chip.tx.has_room())
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, RingError> {
        self.reserved = None;
        {
            let mut chip = self.hw.borrow_mut();
            chip.check()?;
            self.check_len(len)?;
            if self.spare.is_none() {
                *self.spare = chip.tx.take();
            }
        }
        let memory = self.spare.as_mut().and_then(|buffer| buffer.get_mut(..len));
        if memory.is_some() {
            self.reserved = Some(len);
        }
        Ok(memory)
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), RingError> {
        let max = self.reserved.take().unwrap_or(0);
        let mut chip = self.hw.borrow_mut();
        chip.check()?;
        if len > max {
            return Err(RingError::FrameTooLong { max });
        }
        if len < HEADER_LEN {
            return Err(RingError::FrameTooShort);
        }
        self.link.refresh(&chip);
        chip.may_send()?;
        let Some(buffer) = self.spare.take() else {
            return Err(RingError::FrameTooLong { max: 0 });
        };
        chip.submit(buffer, len).map_err(|buffer| {
            *self.spare = Some(buffer);
            RingError::Busy
        })
    }

    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<bool, RingError> {
        self.reserved = None;
        let mut chip = self.hw.borrow_mut();
        chip.check()?;
        // A sum that overflows is longer than any frame.
        self.check_len(gather_len(parts).unwrap_or(usize::MAX))?;
        self.link.refresh(&chip);
        chip.may_send()?;
        let Some(mut buffer) = self.spare.take().or_else(|| chip.tx.take()) else {
            return Ok(false);
        };
        let Some(len) = gather_into(parts, &mut buffer) else {
            *self.spare = Some(buffer);
            return Err(RingError::FrameTooLong { max: self.max });
        };
        match chip.submit(buffer, len) {
            Ok(()) => Ok(true),
            Err(buffer) => {
                *self.spare = Some(buffer);
                Ok(false)
            }
        }
    }
}
