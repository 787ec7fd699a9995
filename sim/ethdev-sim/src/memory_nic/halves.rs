//! The halves: the chip's own buffers, lent.

use core::cell::RefCell;
use std::rc::Rc;

use ethdev::frame::{HEADER_LEN, copy_vectored, vectored_len};
use ethdev::lending::count_release;
use ethdev::{ErrorKind, RxFrame, RxHalf, RxMeta, Stats, TxHalf};

use super::chip::{Chip, ChipState};
use super::chip_state::LinkCache;
use super::error::RingError;

/// What the receiving half works with.
#[derive(Debug)]
pub(super) struct RxSide {
    pub(super) hw: Rc<RefCell<Chip>>,
    /// The frame that is lent, in its buffer.
    pub(super) lent: Option<(Box<[u8]>, RxMeta)>,
    /// What the chip cannot count: what the host did with the frames.
    pub(super) stats: Stats,
}

/// What the sending half works with.
#[derive(Debug)]
pub(super) struct TxSide {
    pub(super) hw: Rc<RefCell<Chip>>,
    /// A transmit buffer that was not committed.
    pub(super) spare: Option<Box<[u8]>>,
    pub(super) link: LinkCache,
    /// How much of it is reserved; 0 = nothing.
    reserved: usize,
    max: usize,
}

impl TxSide {
    pub(super) const fn new(hw: Rc<RefCell<Chip>>, link: LinkCache, max: usize) -> Self {
        Self {
            hw,
            spare: None,
            link,
            reserved: 0,
            max,
        }
    }

    #[inline]
    const fn check_len(&self, len: usize) -> Result<(), RingError> {
        if len > self.max {
            return Err(RingError::Kind(ErrorKind::FrameTooLong { max: self.max }));
        }
        if len < HEADER_LEN {
            return Err(RingError::Kind(ErrorKind::FrameTooShort));
        }
        Ok(())
    }

    /// Takes a buffer from the ring, unless there is one already. Whether there is one then.
    #[inline]
    fn fetch(&mut self) -> Result<bool, RingError> {
        let mut chip = self.hw.borrow_mut();
        chip.check()?;
        if self.spare.is_none() {
            self.spare = chip.tx.take();
        }
        Ok(self.spare.is_some())
    }
}

/// The receiving half of a [`RingNic`](super::RingNic).
#[derive(Debug)]
pub struct RingRx<'a>(pub(super) &'a mut RxSide);

impl RingRx<'_> {
    /// Returns whether a frame is lent while the chip has no other.
    #[cold]
    fn pending_lent(&self) -> Result<bool, RingError> {
        if self.0.lent.is_some() {
            return Ok(true);
        }
        self.0.hw.borrow_mut().check().map(|()| false)
    }

    #[inline]
    fn release_held(&mut self, delivered: bool) {
        let side = &mut *self.0;
        if let Some((buffer, meta)) = side.lent.take() {
            count_release(&mut side.stats, meta.len, delivered);
            // Every buffer taken has its place in the ring.
            let _ = side.hw.borrow_mut().rx.give(buffer);
        }
    }
}

impl RxHalf for RingRx<'_> {
    type Error = RingError;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, RingError> {
        let side = &mut *self.0;
        let (buffer, meta) = match &mut side.lent {
            // A frame that is lent is the host's: no need to ask the chip.
            Some(lent) => lent,
            none => {
                let mut chip = side.hw.borrow_mut();
                if chip.state != ChipState::Running {
                    chip.check()?;
                    return Ok(None);
                }
                match chip.rx.take() {
                    Some(taken) => none.insert(taken),
                    None => return Ok(None),
                }
            }
        };
        Ok(RxFrame::new(buffer, *meta))
    }

    #[inline]
    fn pending(&mut self) -> Result<bool, RingError> {
        {
            let chip = self.0.hw.borrow();
            if chip.state == ChipState::Running && chip.rx.pending() > 0 {
                return Ok(true);
            }
        }
        self.pending_lent()
    }

    #[inline]
    fn release(&mut self) -> Result<(), RingError> {
        self.release_held(true);
        Ok(())
    }

    fn discard(&mut self) -> Result<(), RingError> {
        self.release_held(false);
        Ok(())
    }
}

/// The sending half of a [`RingNic`](super::RingNic).
#[derive(Debug)]
pub struct RingTx<'a>(&'a mut TxSide);

impl<'a> RingTx<'a> {
    #[inline]
    pub(super) const fn new(side: &'a mut TxSide) -> Self {
        side.reserved = 0;
        Self(side)
    }
}

#[cold]
fn why_not_commit(chip: &mut Chip, len: usize, max: usize) -> RingError {
    if let Err(fault) = chip.check() {
        fault
    } else if len > max {
        RingError::Kind(ErrorKind::FrameTooLong { max })
    } else if len < HEADER_LEN {
        RingError::Kind(ErrorKind::FrameTooShort)
    } else {
        chip.may_send().err().unwrap_or(RingError::Kind(ErrorKind::Busy))
    }
}

impl TxHalf for RingTx<'_> {
    type Error = RingError;

    #[inline]
    fn ready(&mut self) -> Result<bool, RingError> {
        self.0.fetch()
    }

    #[inline(always)]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, RingError> {
        let side = &mut *self.0;
        side.reserved = 0;
        side.check_len(len)?;
        // A buffer that was taken is the host's: no need to ask the chip.
        if side.spare.is_none() && !side.fetch()? {
            return Ok(None);
        }
        let memory = side.spare.as_mut().and_then(|buffer| buffer.get_mut(..len));
        if memory.is_some() {
            side.reserved = len;
        }
        Ok(memory)
    }

    #[inline(always)]
    fn commit(&mut self, len: usize) -> Result<(), RingError> {
        let side = &mut *self.0;
        let max = core::mem::take(&mut side.reserved);
        let mut chip = side.hw.borrow_mut();
        if chip.carrier && (HEADER_LEN..=max).contains(&len) {
            if let Some(buffer) = side.spare.take() {
                return chip.submit(buffer, len).map_err(|buffer| {
                    side.spare = Some(buffer);
                    RingError::Kind(ErrorKind::Busy)
                });
            }
        }
        side.link.refresh(&chip);
        Err(why_not_commit(&mut chip, len, max))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), RingError> {
        let side = &mut *self.0;
        side.reserved = 0;
        let mut chip = side.hw.borrow_mut();
        chip.check()?;
        // A sum that overflows is longer than any frame.
        side.check_len(vectored_len(parts).unwrap_or(usize::MAX))?;
        side.link.refresh(&chip);
        chip.may_send()?;
        let Some(mut buffer) = side.spare.take().or_else(|| chip.tx.take()) else {
            return Err(ErrorKind::Busy.into());
        };
        let Some(len) = copy_vectored(parts, &mut buffer) else {
            side.spare = Some(buffer);
            return Err(RingError::Kind(ErrorKind::FrameTooLong { max: side.max }));
        };
        match chip.submit(buffer, len) {
            Ok(()) => Ok(()),
            Err(buffer) => {
                side.spare = Some(buffer);
                Err(ErrorKind::Busy.into())
            }
        }
    }
}
