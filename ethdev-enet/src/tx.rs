//! Sending: frames are written where the uDMA reads them.

use ethdev::frame::{HEADER_LEN, copy_vectored, vectored_len};
use ethdev::{Stats, TxHalf};

use super::counters::TxCounters;
use super::layout::Legacy;
use super::regs::{self, bd};
use super::{Error, Fault, Io};
use ethdev_phy::dma::ring::{back, forward};
use ethdev_phy::dma::{Dma, Ring};
use ethdev_phy::mmio::Registers;

/// A descriptor that is free: the processor's.
pub(super) const FREE: u32 = 0;
/// A frame to send, all in one buffer. The MAC pads it and appends the FCS.
const SEND: u32 = bd::DEVICE | bd::LAST | bd::TC;

/// The sending side.
#[derive(Debug)]
pub(super) struct TxSide {
    pub(super) ring: Ring<Legacy>,
    /// The longest frame.
    max: usize,
    /// Started, with the link up and no fault.
    pub(super) carrier: bool,
    /// Half duplex or a fault: each frame takes a closer look.
    careful: bool,
    half_duplex: bool,
    fault: Option<Fault>,
    pub(super) stopped: bool,
    pub(super) counters: TxCounters,
    /// Everything that was handed over.
    accepted: Tally,
    /// How many frames of that are closed or lost. It lags behind where nobody looked: no more than there are descriptors can be open.
    closed: u32,
    /// What was lost in a reset.
    reset: Tally,
    /// How many frames the MAC gave up on.
    aborted: u32,
    /// How many frames the host was told of: sent, and given up.
    told: (u32, u32),
}

/// Frames, and their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    frames: u32,
    bytes: u32,
}

impl TxSide {
    pub(super) fn new(ring: Ring<Legacy>, max: usize) -> Self {
        Self {
            ring,
            max,
            carrier: false,
            careful: false,
            half_duplex: false,
            fault: None,
            stopped: true,
            counters: TxCounters::default(),
            accepted: Tally::default(),
            closed: 0,
            reset: Tally::default(),
            aborted: 0,
            told: (0, 0),
        }
    }

    pub(super) const fn set_half_duplex(&mut self, half_duplex: bool) {
        self.half_duplex = half_duplex;
        self.careful = half_duplex || self.fault.is_some();
    }

    pub(super) const fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        if fault.is_some() {
            // Whoever holds a buffer asks nothing any more.
            self.closed = self.accepted.frames.wrapping_sub(self.waiting() as u32);
            self.ring.forget();
        }
        self.careful = self.half_duplex || fault.is_some();
    }

    /// The longest frame.
    #[inline]
    pub(super) const fn max(&self) -> usize {
        self.max
    }

    /// How many frames wait to be sent, as far as is known.
    pub(super) const fn waiting(&self) -> u16 {
        // The one that is held is closed.
        let most = self.ring.len() - (self.ring.held() != 0) as u16;
        let open = self.accepted.frames.wrapping_sub(self.closed);
        if open < most as u32 { open as u16 } else { most }
    }

    /// The positions of frames that wait to be sent, the oldest first.
    fn positions(&self) -> impl Iterator<Item = u16> + use<> {
        let (len, waiting) = (self.ring.len(), self.waiting());
        let oldest = back(self.ring.at(), waiting, len);
        (0..waiting).map(move |n| forward(oldest, n, len))
    }

    /// Closes the frames that the uDMA is done with.
    pub(super) fn reap<R: Registers>(&mut self, registers: &R) {
        let closed = self.positions().take_while(|at| !self.ring.is_device(*at)).count() as u16;
        let open = self.waiting() - closed;
        self.closed = self.accepted.frames.wrapping_sub(open.into());
        self.judge(registers, closed);
    }

    /// Frames were closed: sent, or given up. Without collisions nothing is given up: the FIFO cannot run empty (`TFWR`).
    fn judge<R: Registers>(&mut self, registers: &R, closed: u16) {
        if self.half_duplex && closed > 0 {
            // Read after the descriptors, so that every frame which was given up is known when its descriptor is closed.
            let given_up = self.counters.given_up(registers, closed);
            self.aborted = self.aborted.wrapping_add(given_up.into());
        }
    }

    /// Whether there is a buffer to write to.
    #[inline]
    pub(super) fn has_room<R: Registers, C>(&mut self, io: &Io<R, C>) -> Result<bool, Error> {
        if self.ring.held() != 0 {
            return Ok(true);
        }
        if self.careful {
            return self.has_room_carefully(io);
        }
        Ok(self.ring.take_to_write())
    }

    #[cold]
    fn has_room_carefully<R: Registers, C>(&mut self, io: &Io<R, C>) -> Result<bool, Error> {
        if let Some(fault) = self.fault {
            return Err(Error::Fault(fault));
        }
        self.reap(&io.registers);
        Ok(self.ring.take_to_write())
    }

    /// Sends the first `len` bytes of the buffer that is held.
    #[inline]
    fn send<R: Registers, C: Dma>(&mut self, io: &Io<R, C>, len: usize) {
        io.dma.clean(&self.ring.part(len));
        // No frame is longer than 16 bits can tell.
        let bytes = len as u32;
        self.ring.give_to_dma(&io.dma, SEND | bytes);
        self.accepted.frames = self.accepted.frames.wrapping_add(1);
        self.accepted.bytes = self.accepted.bytes.wrapping_add(bytes);
        io.dma.barrier_before_doorbell();
        io.registers.write(regs::TDAR, regs::ACTIVE);
    }

    // What is rare takes the side, not the half: the half then is never in memory, only in registers.

    /// Why a frame does not go out.
    #[cold]
    const fn why_not(&self, len: usize, max: usize) -> Error {
        match self.fault {
            Some(fault) => Error::Fault(fault),
            None if len > max => Error::FrameTooLong { max },
            None if len < HEADER_LEN => Error::FrameTooShort,
            None if self.carrier => Error::Busy,
            None if self.stopped => Error::Stopped,
            None => Error::LinkDown,
        }
    }

    /// What is in descriptors that are not closed.
    fn open(&self) -> Tally {
        let bytes = |sum: u32, at| sum.wrapping_add(self.ring.read(at) & bd::LENGTH);
        Tally {
            frames: self.waiting().into(),
            bytes: self.positions().fold(0, bytes),
        }
    }

    /// Begins anew with an empty ring; what was not sent is counted as lost in a reset. The uDMA stands still.
    pub(super) fn reset<R: Registers>(&mut self, registers: &R) {
        self.reap(registers);
        let lost = self.open();
        self.reset.frames = self.reset.frames.wrapping_add(lost.frames);
        self.reset.bytes = self.reset.bytes.wrapping_add(lost.bytes);
        self.closed = self.accepted.frames;
        self.ring.reset(FREE);
    }

    /// How many frames were sent.
    fn sent(&self) -> u32 {
        let closed = self.accepted.frames.wrapping_sub(self.waiting().into());
        closed.wrapping_sub(self.reset.frames).wrapping_sub(self.aborted)
    }

    /// The books.
    pub(super) fn stats(&self) -> Stats {
        let mut stats = Stats::ZERO;
        stats.tx_frames = self.sent();
        stats.tx_bytes = self
            .accepted
            .bytes
            .wrapping_sub(self.open().bytes)
            .wrapping_sub(self.reset.bytes);
        stats.tx_aborted = self.aborted;
        stats.tx_reset = self.reset.frames;
        stats
    }

    /// How many frames were sent, and given up, since this was asked last.
    pub(super) fn take_news(&mut self) -> (u16, u16) {
        let now = (self.sent(), self.aborted);
        let before = core::mem::replace(&mut self.told, now);
        let since = |now: u32, before: u32| u16::try_from(now.wrapping_sub(before)).unwrap_or(u16::MAX);
        (since(now.0, before.0), since(now.1, before.1))
    }
}

/// The sending half of an [`Enet`](super::Enet).
#[derive(Debug)]
pub struct EnetTx<'a, R, C> {
    io: &'a Io<R, C>,
    side: &'a mut TxSide,
    /// How much of the next buffer is reserved; 0 = nothing.
    reserved: usize,
}

impl<'a, R: Registers, C: Dma> EnetTx<'a, R, C> {
    #[inline]
    pub(super) const fn new(io: &'a Io<R, C>, side: &'a mut TxSide) -> Self {
        Self { io, side, reserved: 0 }
    }

    #[inline]
    const fn check(&self, len: usize) -> Result<(), Error> {
        if len >= HEADER_LEN && len <= self.side.max() {
            return Ok(());
        }
        Err(self.side.why_not(len, self.side.max()))
    }
}

impl<R: Registers, C: Dma> TxHalf for EnetTx<'_, R, C> {
    type Error = Error;

    #[inline]
    fn ready(&mut self) -> Result<bool, Error> {
        self.side.has_room(self.io)
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Error> {
        self.reserved = 0;
        self.check(len)?;
        // Mostly it is held already, by `ready`.
        if len > self.side.ring.held() && !self.side.has_room(self.io)? {
            return Ok(None);
        }
        self.reserved = len;
        Ok(self.side.ring.lend(len))
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), Error> {
        let max = core::mem::take(&mut self.reserved);
        if self.side.carrier && len >= HEADER_LEN && len <= max {
            self.side.send(self.io, len);
            return Ok(());
        }
        Err(self.side.why_not(len, max))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<bool, Error> {
        self.reserved = 0;
        // A sum that overflows is longer than any frame.
        let len = vectored_len(parts).unwrap_or(usize::MAX);
        self.check(len)?;
        if !self.side.carrier {
            return Err(self.side.why_not(len, len));
        }
        if !self.side.has_room(self.io)? {
            return Ok(false);
        }
        let written = self.side.ring.lend(len).and_then(|memory| copy_vectored(parts, memory));
        if written != Some(len) {
            return Ok(false);
        }
        self.side.send(self.io, len);
        Ok(true)
    }
}
