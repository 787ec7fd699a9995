//! Sending: lends the buffers that the DMA engine reads.

use ethdev::frame::{HEADER_LEN, copy_vectored, vectored_len};
use ethdev::{ErrorKind, Stats, TxHalf};
use ethdev_phy::dma::ring::{back, forward};
use ethdev_phy::dma::{Dma, Ring};
use ethdev_phy::mmio::Registers;

use crate::bus::Bus;
use crate::descriptor::Legacy;
use crate::error::{Error, Fault};
use crate::regs::{self, bd};
use crate::stats::TxCounters;

/// Control word of a free descriptor, owned by the processor.
const FREE: u32 = 0;
/// Control word of a frame in one buffer. The MAC pads it and appends the FCS.
const SEND: u32 = bd::DMA | bd::LAST | bd::TC;

/// The transmitter: its ring, and its counters.
#[derive(Debug)]
pub(crate) struct Transmitter {
    pub(crate) ring: Ring<Legacy>,
    /// Longest frame without FCS, in bytes.
    max: usize,
    /// Running, with the link up and no fault.
    pub(crate) can_send: bool,
    /// Takes the slow path: half duplex, or a fault.
    slow: bool,
    half_duplex: bool,
    fault: Option<Fault>,
    pub(crate) stopped: bool,
    pub(crate) counters: TxCounters,
    /// All accepted frames.
    accepted: Total,
    /// Number of accepted frames that are closed or lost. It is a lower bound between two reaps,
    /// because no more frames than there are descriptors can be open.
    closed: u32,
    /// Frames lost by a reset.
    reset: Total,
    /// Number of frames that the MAC aborted.
    aborted: u32,
    /// Numbers of sent and aborted frames that the last `service` reported.
    reported: (u32, u32),
}

/// Numbers of frames and of their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Total {
    frames: u32,
    bytes: u32,
}

impl Transmitter {
    pub(crate) fn new(ring: Ring<Legacy>, max: usize) -> Self {
        Self {
            ring,
            max,
            can_send: false,
            slow: false,
            half_duplex: false,
            fault: None,
            stopped: true,
            counters: TxCounters::default(),
            accepted: Total::default(),
            closed: 0,
            reset: Total::default(),
            aborted: 0,
            reported: (0, 0),
        }
    }

    pub(crate) const fn set_half_duplex(&mut self, half_duplex: bool) {
        self.half_duplex = half_duplex;
        self.slow = half_duplex || self.fault.is_some();
    }

    pub(crate) const fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        if fault.is_some() {
            // Writing to a held buffer checks no state.
            self.closed = self.accepted.frames.wrapping_sub(self.queued() as u32);
            self.ring.forget();
        }
        self.slow = self.half_duplex || fault.is_some();
    }

    /// Returns the longest frame without FCS, in bytes.
    #[inline]
    pub(crate) const fn max_len(&self) -> usize {
        self.max
    }

    /// Returns an upper bound of the number of queued frames: exact after a reap.
    pub(crate) const fn queued(&self) -> u16 {
        // The held descriptor is closed.
        let most = self.ring.len() - (self.ring.held() != 0) as u16;
        let open = self.accepted.frames.wrapping_sub(self.closed);
        if open < most as u32 { open as u16 } else { most }
    }

    /// Returns the positions of queued frames, the oldest first.
    fn positions(&self) -> impl Iterator<Item = u16> + use<> {
        let (len, queued) = (self.ring.len(), self.queued());
        let oldest = back(self.ring.at(), queued, len);
        (0..queued).map(move |n| forward(oldest, n, len))
    }

    /// Reclaims the descriptors that the DMA engine has closed.
    pub(crate) fn reclaim<BUS: Registers>(&mut self, registers: &BUS) {
        let closed = self.positions().take_while(|at| !self.ring.dma_owns(*at)).count() as u16;
        let open = self.queued() - closed;
        self.closed = self.accepted.frames.wrapping_sub(open.into());
        // Without collisions no frame is aborted: the FIFO cannot underrun (`TFWR`).
        if self.half_duplex && closed > 0 {
            // Read after the descriptors, so that each aborted frame is in the counters when its descriptor is
            // closed.
            let aborted = self.counters.take_aborted(registers, closed);
            self.aborted = self.aborted.wrapping_add(aborted.into());
        }
    }

    /// Returns whether a buffer is free, and holds it.
    #[inline]
    pub(crate) fn has_buffer<BUS: Registers, DMA>(&mut self, bus: &Bus<BUS, DMA>) -> Result<bool, Error> {
        if self.ring.held() != 0 || (!self.slow && self.ring.next_free()) {
            return Ok(true);
        }
        self.has_buffer_slow(bus)
    }

    #[cold]
    #[inline(never)]
    fn has_buffer_slow<BUS: Registers, DMA>(&mut self, bus: &Bus<BUS, DMA>) -> Result<bool, Error> {
        if let Some(fault) = self.fault {
            return Err(Error::Fault(fault));
        }
        if self.slow {
            self.reclaim(&bus.registers);
        }
        Ok(self.ring.next_free())
    }

    /// Sends the first `len` bytes of the held buffer.
    #[inline]
    fn send<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>, len: usize) {
        bus.dma.clean(&self.ring.part(len));
        // No frame is longer than 16 bits.
        let bytes = len as u32;
        self.ring.give_to_dma(&bus.dma, SEND | bytes);
        self.accepted.frames = self.accepted.frames.wrapping_add(1);
        self.accepted.bytes = self.accepted.bytes.wrapping_add(bytes);
        bus.dma.barrier_before_doorbell();
        bus.registers.write(regs::TDAR, regs::ACTIVE);
    }

    // The slow path takes `self`, not the half, so that the half is kept in registers.

    /// Returns why a frame of `len` bytes is not accepted.
    #[cold]
    const fn reject(&self, len: usize, max: usize) -> Error {
        let kind = match self.fault {
            Some(fault) => return Error::Fault(fault),
            None if len > max => ErrorKind::FrameTooLong { max },
            None if len < HEADER_LEN => ErrorKind::FrameTooShort,
            None if self.can_send => ErrorKind::Busy,
            None if self.stopped => ErrorKind::Stopped,
            None => ErrorKind::LinkDown,
        };
        Error::Kind(kind)
    }

    /// Returns the frames in open descriptors.
    fn open(&self) -> Total {
        let bytes = |sum: u32, at| sum.wrapping_add(self.ring.read(at) & bd::LENGTH);
        Total {
            frames: self.queued().into(),
            bytes: self.positions().fold(0, bytes),
        }
    }

    /// Makes the ring empty. Queued frames are counted as lost. The DMA engine must be stopped.
    pub(crate) fn reset<BUS: Registers>(&mut self, registers: &BUS) {
        self.reclaim(registers);
        let lost = self.open();
        self.reset.frames = self.reset.frames.wrapping_add(lost.frames);
        self.reset.bytes = self.reset.bytes.wrapping_add(lost.bytes);
        self.closed = self.accepted.frames;
        self.ring.reset(FREE);
    }

    fn sent(&self) -> u32 {
        let closed = self.accepted.frames.wrapping_sub(self.queued().into());
        closed.wrapping_sub(self.reset.frames).wrapping_sub(self.aborted)
    }

    /// Returns the counters of this direction.
    pub(crate) fn stats(&self) -> Stats {
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

    /// Returns the numbers of sent and aborted frames since the last call.
    pub(crate) fn take_completed(&mut self) -> (u16, u16) {
        let now = (self.sent(), self.aborted);
        let before = core::mem::replace(&mut self.reported, now);
        let since = |now: u32, before: u32| u16::try_from(now.wrapping_sub(before)).unwrap_or(u16::MAX);
        (since(now.0, before.0), since(now.1, before.1))
    }
}

/// The transmit half of an [`Enet`](crate::Enet).
#[derive(Debug)]
pub struct EnetTx<'a, BUS, DMA> {
    bus: &'a Bus<BUS, DMA>,
    tx: &'a mut Transmitter,
    /// Length of the reservation in bytes; 0 = none.
    reserved: usize,
}

impl<'a, BUS: Registers, DMA: Dma> EnetTx<'a, BUS, DMA> {
    #[inline]
    pub(crate) const fn new(bus: &'a Bus<BUS, DMA>, tx: &'a mut Transmitter) -> Self {
        Self { bus, tx, reserved: 0 }
    }

    #[inline]
    const fn check_len(&self, len: usize) -> Result<(), Error> {
        if len >= HEADER_LEN && len <= self.tx.max_len() {
            return Ok(());
        }
        Err(self.tx.reject(len, self.tx.max_len()))
    }
}

impl<BUS: Registers, DMA: Dma> TxHalf for EnetTx<'_, BUS, DMA> {
    type Error = Error;

    #[inline]
    fn ready(&mut self) -> Result<bool, Error> {
        self.tx.has_buffer(self.bus)
    }

    #[inline]
    fn reserve(&mut self, len: usize) -> Result<Option<&mut [u8]>, Error> {
        self.reserved = 0;
        self.check_len(len)?;
        // Usually `ready` has already held a buffer.
        if len > self.tx.ring.held() && !self.tx.has_buffer(self.bus)? {
            return Ok(None);
        }
        self.reserved = len;
        Ok(self.tx.ring.lend(len))
    }

    #[inline]
    fn commit(&mut self, len: usize) -> Result<(), Error> {
        let max = core::mem::take(&mut self.reserved);
        if self.tx.can_send && len >= HEADER_LEN && len <= max {
            self.tx.send(self.bus, len);
            return Ok(());
        }
        Err(self.tx.reject(len, max))
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.reserved = 0;
        // A sum that overflows is longer than any frame.
        let len = vectored_len(parts).unwrap_or(usize::MAX);
        self.check_len(len)?;
        if !self.tx.can_send {
            return Err(self.tx.reject(len, len));
        }
        if !self.tx.has_buffer(self.bus)? {
            return Err(ErrorKind::Busy.into());
        }
        let written = self.tx.ring.lend(len).and_then(|memory| copy_vectored(parts, memory));
        if written != Some(len) {
            return Err(ErrorKind::Busy.into());
        }
        self.tx.send(self.bus, len);
        Ok(())
    }
}
