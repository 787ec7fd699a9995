//! Sending: frames are written where the uDMA reads them.

use ethdev::frame::{HEADER_LEN, gather_into, gather_len};
use ethdev::{Stats, TxHalf};

use super::counters::TxCounters;
use super::layout::Legacy;
use super::regs::{self, bd};
use super::{Error, State};
use crate::mac::mmio::Registers;
use crate::mac::ring::InFlight;
use crate::mac::sys_dma::{Dma, Ring};

/// A descriptor that is free: the processor's.
pub(super) const FREE: u32 = 0;
/// A frame to send, all in one buffer. The MAC pads it and appends the FCS.
const SEND: u32 = bd::DEVICE | bd::LAST | bd::TC;

/// The sending side.
#[derive(Debug)]
pub(super) struct TxSide {
    pub(super) ring: Ring<Legacy>,
    in_flight: InFlight,
    max: usize,
    /// How much of the next buffer is reserved; 0 = nothing.
    reserved: usize,
    /// Started, with the link up and no fault.
    pub(super) carrier: bool,
    /// The link is half duplex.
    pub(super) half_duplex: bool,
    pub(super) counters: TxCounters,
    pub(super) stats: Stats,
    /// Frames that were sent, and given up, since the host was last told.
    pub(super) completed: u16,
    pub(super) failed: u16,
}

impl TxSide {
    pub(super) fn new(ring: Ring<Legacy>, max: usize) -> Self {
        Self {
            in_flight: InFlight::new(ring.len()),
            ring,
            max,
            reserved: 0,
            carrier: false,
            half_duplex: false,
            counters: TxCounters::default(),
            stats: Stats::ZERO,
            completed: 0,
            failed: 0,
        }
    }

    /// Whether frames wait to be sent, as far as is known.
    pub(super) const fn is_sending(&self) -> bool {
        self.in_flight.count() > 0
    }

    #[inline]
    const fn check_len(&self, len: usize) -> Result<(), Error> {
        if len > self.max {
            return Err(Error::FrameTooLong { max: self.max });
        }
        if len < HEADER_LEN {
            return Err(Error::FrameTooShort);
        }
        Ok(())
    }

    /// Books the frames that the uDMA is done with.
    pub(super) fn reap<R: Registers>(&mut self, registers: &R) {
        let (mut closed, mut bytes) = (0_u16, 0_u32);
        while let Some(control) = self.in_flight.oldest().and_then(|oldest| self.ring.look(oldest)) {
            self.in_flight.pop();
            closed += 1;
            bytes = bytes.wrapping_add(control & bd::LENGTH);
        }
        if closed == 0 {
            return;
        }
        // Without collisions nothing is given up: the FIFO cannot run empty (`TFWR`). The counters are read after the descriptors, so that every frame which
        // was given up is known when its descriptor is closed.
        let given_up = if self.half_duplex {
            self.counters.given_up(registers, closed)
        } else {
            0
        };
        let sent = closed - given_up;
        self.stats.tx_frames = self.stats.tx_frames.wrapping_add(sent.into());
        self.stats.tx_bytes = self.stats.tx_bytes.wrapping_add(bytes);
        self.stats.tx_aborted = self.stats.tx_aborted.wrapping_add(given_up.into());
        self.completed = self.completed.saturating_add(sent);
        self.failed = self.failed.saturating_add(given_up);
    }

    /// Whether there is a buffer to write to.
    #[inline]
    pub(super) fn has_room<R: Registers, C: Dma>(&mut self, registers: &R, dma: &C) -> bool {
        if self.ring.is_held() {
            return true;
        }
        if self.in_flight.is_full() {
            self.reap(registers);
            if self.in_flight.is_full() {
                return false;
            }
        }
        self.ring.take(dma).is_some()
    }

    /// Sends the first `len` bytes of the buffer that is held.
    #[inline]
    fn send<R: Registers, C: Dma>(&mut self, registers: &R, dma: &C, len: usize) {
        dma.before_device_reads(&self.ring.part(len));
        // A length that passed `check_len` fits.
        self.ring.hand_over(dma, SEND | len as u32);
        self.in_flight.push();
        dma.barrier_before_doorbell();
        registers.write(regs::TDAR, regs::ACTIVE);
    }

    /// Begins anew with an empty ring; what was not sent is counted as lost in a reset. The uDMA stands still.
    pub(super) fn reset<R: Registers>(&mut self, registers: &R) {
        self.reap(registers);
        self.stats.tx_reset = self.stats.tx_reset.wrapping_add(self.in_flight.count().into());
        self.in_flight = InFlight::new(self.ring.len());
        self.reserved = 0;
        self.ring.reset(FREE);
    }
}

/// The sending half of an [`Enet`](super::Enet).
#[derive(Debug)]
pub struct EnetTx<'a, R, C> {
    registers: &'a R,
    dma: &'a C,
    side: &'a mut TxSide,
    state: State,
}

impl<'a, R: Registers, C: Dma> EnetTx<'a, R, C> {
    #[inline]
    pub(super) const fn new(registers: &'a R, dma: &'a C, side: &'a mut TxSide, state: State) -> Self {
        side.reserved = 0;
        Self {
            registers,
            dma,
            side,
            state,
        }
    }

    #[inline]
    const fn check(&self) -> Result<(), Error> {
        match self.state {
            State::Fault(fault) => Err(Error::Fault(fault)),
            State::Running | State::Stopped => Ok(()),
        }
    }

    /// Why a frame does not go out although it was reserved.
    #[cold]
    const fn why_not(&self, len: usize, max: usize) -> Error {
        match self.state {
            State::Fault(fault) => Error::Fault(fault),
            _ if len > max => Error::FrameTooLong { max },
            _ if len < HEADER_LEN => Error::FrameTooShort,
            State::Stopped => Error::Stopped,
            State::Running if self.side.carrier => Error::Busy,
            State::Running => Error::LinkDown,
        }
    }
}

impl<R: Registers, C: Dma> TxHalf for EnetTx<'_, R, C> {
    type Error = Error;

    #[inline]
    fn ready(&mut self) -> Result<bool, Error> {
        self.check()?;
        Ok(self.side.has_room(self.registers, self.dma))
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Error> {
        self.side.reserved = 0;
        self.check()?;
        self.side.check_len(len)?;
        if !self.side.has_room(self.registers, self.dma) {
            return Ok(None);
        }
        self.side.reserved = len;
        Ok(self.side.ring.lend(len))
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), Error> {
        let max = core::mem::take(&mut self.side.reserved);
        if self.side.carrier && len >= HEADER_LEN && len <= max {
            self.side.send(self.registers, self.dma, len);
            return Ok(());
        }
        Err(self.why_not(len, max))
    }

    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<bool, Error> {
        self.side.reserved = 0;
        self.check()?;
        // A sum that overflows is longer than any frame.
        let len = gather_len(parts).unwrap_or(usize::MAX);
        self.side.check_len(len)?;
        if !self.side.carrier {
            return Err(self.why_not(len, len));
        }
        if !self.side.has_room(self.registers, self.dma) {
            return Ok(false);
        }
        let written = self.side.ring.lend(len).and_then(|memory| gather_into(parts, memory));
        if written != Some(len) {
            return Ok(false);
        }
        self.side.send(self.registers, self.dma, len);
        Ok(true)
    }
}
