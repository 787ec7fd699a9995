//! Receiving: frames are lent where the uDMA put them.

use ethdev::frame::{FCS_LEN, HEADER_LEN};
use ethdev::lending::count_release;
use ethdev::{RxFrame, RxHalf, RxMeta, Stats};

use super::layout::Legacy;
use super::regs::{self, bd};
use super::{Error, Fault, Io};
use ethdev_phy::dma::{BUFFER_LEN, Dma, Ring};
use ethdev_phy::mmio::Registers;

/// A descriptor that is empty: the uDMA's.
pub(super) const EMPTY: u32 = bd::DEVICE;

/// The receiving side.
#[derive(Debug)]
pub(super) struct RxSide {
    /// Where it holds a descriptor between two calls, there is a good frame in it: as long as what it may lend, without FCS.
    pub(super) ring: Ring<Legacy>,
    /// The longest frame.
    max: usize,
    /// A fault, or in the middle of a frame that takes more than one descriptor: each takes a closer look.
    careful: bool,
    in_pieces: bool,
    fault: Option<Fault>,
    pub(super) stats: Stats,
    /// Descriptors with the mark of an overrun; see [`RxCounters`](super::counters::RxCounters).
    pub(super) overruns_marked: u32,
}

impl RxSide {
    pub(super) const fn new(ring: Ring<Legacy>, max: usize) -> Self {
        Self {
            ring,
            max,
            careful: false,
            in_pieces: false,
            fault: None,
            stats: Stats::ZERO,
            overruns_marked: 0,
        }
    }

    pub(super) const fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.careful = self.in_pieces || fault.is_some();
    }

    /// In the middle of a frame, or not any more; whether it was.
    const fn set_in_pieces(&mut self, in_pieces: bool) -> bool {
        let before = core::mem::replace(&mut self.in_pieces, in_pieces);
        self.careful = in_pieces || self.fault.is_some();
        before
    }

    /// Whether there is a frame to lend. Broken ones are given back and counted.
    #[inline]
    pub(super) fn find<R: Registers, C: Dma>(&mut self, io: &Io<R, C>) -> Result<bool, Error> {
        if self.ring.held() != 0 {
            return Ok(true);
        }
        if self.careful {
            return self.find_carefully(io);
        }
        let max = self.max;
        match self.ring.take(&io.dma, |control| length(control, max)) {
            None => Ok(false),
            Some((0, control)) => Ok(self.find_behind(io, control)),
            Some((len, _)) => {
                io.dma.invalidate(&self.ring.part(len));
                Ok(true)
            }
        }
    }

    #[cold]
    fn find_carefully<R: Registers, C: Dma>(&mut self, io: &Io<R, C>) -> Result<bool, Error> {
        if let Some(fault) = self.fault {
            return Err(Error::Fault(fault));
        }
        Ok(self.find_here(io))
    }

    /// Looks, in whatever state the MAC is.
    fn find_here<R: Registers, C: Dma>(&mut self, io: &Io<R, C>) -> bool {
        if self.ring.held() != 0 {
            return true;
        }
        match self.take(&io.dma) {
            None => false,
            Some(Ok(())) => true,
            Some(Err(broken)) => self.find_behind(io, broken),
        }
    }

    /// Takes the next descriptor; the control word of a broken frame, or of a piece of one.
    fn take<C: Dma>(&mut self, dma: &C) -> Option<Result<(), u32>> {
        let max = if self.in_pieces { 0 } else { self.max };
        let (len, control) = self.ring.take(dma, |control| length(control, max))?;
        if len == 0 {
            return Some(Err(control));
        }
        dma.invalidate(&self.ring.part(len));
        Some(Ok(()))
    }

    /// Counts the broken frame in the held descriptor, gives it back, and looks at the next one: at each descriptor once, at most.
    #[cold]
    fn find_behind<R: Registers, C: Dma>(&mut self, io: &Io<R, C>, control: u32) -> bool {
        let mut broken = control;
        let mut found = false;
        for _ in 0..self.ring.len() {
            self.count_broken(broken);
            self.give_back(&io.dma);
            match self.take(&io.dma) {
                Some(Err(next)) => broken = next,
                other => {
                    found = other.is_some();
                    break;
                }
            }
        }
        if !found {
            // A broken one that is left is the next call's.
            self.ring.forget();
        }
        kick(io);
        found
    }

    /// Whether there is something to be done: a frame, or a broken one that was left for the next call.
    pub(super) fn has_work<R: Registers, C: Dma>(&mut self, io: &Io<R, C>) -> bool {
        self.find(io) == Ok(true) || !self.ring.is_next_device()
    }

    fn count_broken(&mut self, control: u32) {
        if control & bd::LAST == 0 {
            // A piece: the frame is counted with its last one.
            self.set_in_pieces(true);
            return;
        }
        let was_in_pieces = self.set_in_pieces(false);
        let stats = &mut self.stats;
        let counter = if control & bd::OV != 0 {
            &mut self.overruns_marked
        } else if was_in_pieces || control & (bd::TR | bd::LG) != 0 {
            &mut stats.rx_bad_length
        } else if control & bd::NO != 0 {
            &mut stats.rx_error
        } else if control & bd::CR != 0 {
            &mut stats.rx_bad_fcs
        } else {
            &mut stats.rx_bad_length
        };
        *counter = counter.wrapping_add(1);
    }

    #[inline]
    fn give_back<C: Dma>(&mut self, dma: &C) {
        dma.invalidate_before_write(&self.ring.part(BUFFER_LEN));
        self.ring.give_to_dma(dma, EMPTY);
    }

    /// Gives the frame that is lent back.
    #[inline]
    fn release<R: Registers, C: Dma>(&mut self, io: &Io<R, C>, delivered: bool) {
        let len = self.ring.held();
        if len == 0 {
            return;
        }
        count_release(&mut self.stats, len, delivered);
        self.give_back(&io.dma);
        kick(io);
    }

    /// Throws away everything that is pending, counted as lost in a reset. The uDMA may be running.
    pub(super) fn flush<R: Registers, C: Dma>(&mut self, io: &Io<R, C>) {
        // Once round: what comes in meanwhile is the next call's.
        for _ in 0..self.ring.len() {
            if !self.find_here(io) {
                break;
            }
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
            self.give_back(&io.dma);
        }
        kick(io);
    }

    /// Begins anew with an empty ring. The uDMA stands still.
    pub(super) fn reset<C: Dma>(&mut self, dma: &C) {
        self.set_in_pieces(false);
        dma.invalidate_before_write(&self.ring.all());
        self.ring.reset(EMPTY);
    }

    /// Lets the uDMA begin at the first descriptor and keeps the frames that wait. The uDMA stands still.
    pub(super) fn turn<C: Dma>(&mut self, dma: &C) {
        if self.set_in_pieces(false) {
            // Its last piece does not come any more.
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        }
        let pending = self.ring.pending();
        self.ring.turn(dma, pending, EMPTY);
    }
}

/// The length of the frame that this control word tells of, without its FCS; 0 where it is none, or a broken one.
#[inline]
const fn length(control: u32, max: usize) -> usize {
    // The FCS is in the buffer, and counts: not stripping it is the one setting that silicon and models agree on.
    let len = ((control & bd::LENGTH) as usize).wrapping_sub(FCS_LEN);
    // A length that wrapped is more than any maximum.
    if control & (bd::LAST | bd::ERRORS) == bd::LAST && len >= HEADER_LEN && len <= max {
        len
    } else {
        0
    }
}

/// Tells the uDMA that there are empty descriptors: it stops when it finds none.
#[inline]
fn kick<R: Registers, C: Dma>(io: &Io<R, C>) {
    io.dma.barrier_before_doorbell();
    io.registers.write(regs::RDAR, regs::ACTIVE);
}

/// The receiving half of an [`Enet`](super::Enet).
#[derive(Debug)]
pub struct EnetRx<'a, R, C> {
    pub(super) io: &'a Io<R, C>,
    pub(super) side: &'a mut RxSide,
}

impl<R: Registers, C: Dma> RxHalf for EnetRx<'_, R, C> {
    type Error = Error;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Error> {
        if !self.side.find(self.io)? {
            return Ok(None);
        }
        let len = self.side.ring.held();
        let memory = self.side.ring.lend(len);
        Ok(memory.and_then(|memory| RxFrame::new(memory, RxMeta::new(len))))
    }

    #[inline]
    fn pending(&mut self) -> Result<bool, Error> {
        self.side.find(self.io)
    }

    #[inline]
    fn release(&mut self) -> Result<(), Error> {
        self.side.release(self.io, true);
        Ok(())
    }

    #[inline]
    fn discard(&mut self) -> Result<(), Error> {
        self.side.release(self.io, false);
        Ok(())
    }
}
