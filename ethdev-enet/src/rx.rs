//! Receiving: lends frames in the buffers that the DMA engine filled.

use ethdev::frame::{FCS_LEN, HEADER_LEN};
use ethdev::lending::count_release;
use ethdev::{RxFrame, RxHalf, RxMeta, Stats};
use ethdev_phy::dma::{BUFFER_LEN, Dma, Ring};
use ethdev_phy::mmio::Registers;

use crate::bus::Bus;
use crate::descriptor::Legacy;
use crate::error::{Error, Fault};
use crate::regs::{self, bd};

/// Control word of an empty descriptor, owned by the DMA engine.
const EMPTY: u32 = bd::DMA;

/// The receiver: its ring, and its counters.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// A descriptor that is held between two calls has a good frame. The held length is that of the
    /// frame, without FCS.
    pub(crate) ring: Ring<Legacy>,
    /// Longest frame without FCS, in bytes.
    max: usize,
    /// Takes the slow path: a fault, or within a frame of several descriptors.
    slow: bool,
    in_fragments: bool,
    fault: Option<Fault>,
    pub(crate) stats: Stats,
    /// Number of descriptors with the overrun bit; see [`RxCounters`](crate::stats::RxCounters).
    pub(crate) marked_overruns: u32,
}

impl Receiver {
    pub(crate) const fn new(ring: Ring<Legacy>, max: usize) -> Self {
        Self {
            ring,
            max,
            slow: false,
            in_fragments: false,
            fault: None,
            stats: Stats::ZERO,
            marked_overruns: 0,
        }
    }

    pub(crate) const fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.slow = self.in_fragments || fault.is_some();
    }

    /// Sets whether the receiver is within a frame of several descriptors. Returns the previous
    /// value.
    const fn set_in_fragments(&mut self, in_fragments: bool) -> bool {
        let before = core::mem::replace(&mut self.in_fragments, in_fragments);
        self.slow = in_fragments || self.fault.is_some();
        before
    }

    /// Returns whether a good frame is held. Bad frames before it are dropped and counted.
    #[inline]
    pub(crate) fn find<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>) -> Result<bool, Error> {
        if self.ring.held() != 0 {
            return Ok(true);
        }
        if self.slow {
            return self.find_slow(bus);
        }
        let max = self.max;
        match self.ring.next_owned(&bus.dma, |control| good_len(control, max)) {
            None => Ok(false),
            Some((0, control)) => Ok(self.drop_bad(bus, control)),
            Some((len, _)) => {
                bus.dma.invalidate(&self.ring.part(len));
                Ok(true)
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn find_slow<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>) -> Result<bool, Error> {
        match self.fault {
            Some(fault) => Err(Error::Fault(fault)),
            None => Ok(self.find_in_any_state(bus)),
        }
    }

    fn find_in_any_state<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>) -> bool {
        if self.ring.held() != 0 {
            return true;
        }
        match self.take_next(&bus.dma) {
            None => false,
            Some(Ok(())) => true,
            Some(Err(control)) => self.drop_bad(bus, control),
        }
    }

    /// Holds the next descriptor if the DMA engine has closed it. `Err` has the control word of a
    /// bad frame or a fragment.
    fn take_next<DMA: Dma>(&mut self, dma: &DMA) -> Option<Result<(), u32>> {
        let max = if self.in_fragments { 0 } else { self.max };
        let (len, control) = self.ring.next_owned(dma, |control| good_len(control, max))?;
        if len == 0 {
            return Some(Err(control));
        }
        dma.invalidate(&self.ring.part(len));
        Some(Ok(()))
    }

    /// Counts the bad frame in the held descriptor, returns the descriptor to the DMA engine, and
    /// continues with the next one. Visits each descriptor once at most. Returns whether a good
    /// frame was found.
    #[cold]
    #[inline(never)]
    fn drop_bad<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>, control: u32) -> bool {
        let mut bad = control;
        let mut found = false;
        for _ in 0..self.ring.len() {
            self.count_bad(bad);
            self.return_buffer(&bus.dma);
            match self.take_next(&bus.dma) {
                Some(Err(next)) => bad = next,
                other => {
                    found = other.is_some();
                    break;
                }
            }
        }
        if !found {
            // A bad frame may be left. The next call drops it.
            self.ring.forget();
        }
        start_dma(bus);
        found
    }

    /// Returns whether a good frame, or a bad frame that was left to the next call, is in the ring.
    pub(crate) fn has_work<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>) -> bool {
        matches!(self.find(bus), Ok(true)) || !self.ring.dma_owns_next()
    }

    fn count_bad(&mut self, control: u32) {
        if control & bd::LAST == 0 {
            // The frame is counted with its last descriptor.
            self.set_in_fragments(true);
            return;
        }
        let was_in_fragments = self.set_in_fragments(false);
        let stats = &mut self.stats;
        let counter = if control & bd::OV != 0 {
            &mut self.marked_overruns
        } else if was_in_fragments || control & (bd::TR | bd::LG) != 0 {
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
    fn return_buffer<DMA: Dma>(&mut self, dma: &DMA) {
        dma.clean_invalidate(&self.ring.part(BUFFER_LEN));
        self.ring.give_to_dma(dma, EMPTY);
    }

    /// Releases the lent frame.
    #[inline]
    fn release<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>, delivered: bool) {
        let len = self.ring.held();
        if len == 0 {
            return;
        }
        count_release(&mut self.stats, len, delivered);
        self.return_buffer(&bus.dma);
        start_dma(bus);
    }

    /// Drops all pending frames, counted in `rx_reset`. The DMA engine may be running.
    pub(crate) fn flush<BUS: Registers, DMA: Dma>(&mut self, bus: &Bus<BUS, DMA>) {
        // One pass over the ring. Frames that arrive meanwhile stay pending.
        for _ in 0..self.ring.len() {
            if !self.find_in_any_state(bus) {
                break;
            }
            self.stats.rx_reset = self.stats.rx_reset.wrapping_add(1);
            self.return_buffer(&bus.dma);
        }
        start_dma(bus);
    }

    /// Makes the ring empty. The DMA engine must be stopped.
    pub(crate) fn reset<DMA: Dma>(&mut self, dma: &DMA) {
        self.set_in_fragments(false);
        dma.clean_invalidate(&self.ring.all());
        self.ring.reset(EMPTY);
    }

    /// Prepares the ring for a DMA engine that restarts at the first descriptor. Pending frames
    /// stay pending. The DMA engine must be stopped.
    pub(crate) fn rotate<DMA: Dma>(&mut self, dma: &DMA) {
        if self.set_in_fragments(false) {
            // The last descriptor of the frame does not follow.
            self.stats.rx_bad_length = self.stats.rx_bad_length.wrapping_add(1);
        }
        let pending = self.ring.pending();
        self.ring.rotate(dma, pending, EMPTY);
    }
}

/// Returns the length of a good frame, without FCS, from its control word; 0 for a fragment or a
/// bad frame.
#[inline]
const fn good_len(control: u32, max: usize) -> usize {
    // The FCS is in the buffer: leaving it there is the setting that silicon and QEMU implement alike.
    // A difference that wraps exceeds any maximum. None exceeds the buffer; the compiler does not know
    // that, and needs the comparison to leave out that of the ring.
    let len = ((control & bd::LENGTH) as usize).wrapping_sub(FCS_LEN);
    if control & (bd::LAST | bd::ERRORS) == bd::LAST && len >= HEADER_LEN && len <= max && len <= BUFFER_LEN {
        len
    } else {
        0
    }
}

/// Tells the DMA engine that there are empty descriptors: it stops when it finds none.
#[inline]
fn start_dma<BUS: Registers, DMA: Dma>(bus: &Bus<BUS, DMA>) {
    bus.dma.barrier_before_doorbell();
    bus.registers.write(regs::RDAR, regs::ACTIVE);
}

/// The receive half of an [`Enet`](crate::Enet).
#[derive(Debug)]
pub struct EnetRx<'a, BUS, DMA> {
    bus: &'a Bus<BUS, DMA>,
    rx: &'a mut Receiver,
}

impl<'a, BUS, DMA> EnetRx<'a, BUS, DMA> {
    #[inline]
    pub(crate) const fn new(bus: &'a Bus<BUS, DMA>, rx: &'a mut Receiver) -> Self {
        Self { bus, rx }
    }
}

impl<BUS: Registers, DMA: Dma> RxHalf for EnetRx<'_, BUS, DMA> {
    type Error = Error;

    #[inline]
    fn peek(&mut self) -> Result<Option<RxFrame<'_>>, Error> {
        if !self.rx.find(self.bus)? {
            return Ok(None);
        }
        let len = self.rx.ring.held();
        let memory = self.rx.ring.lend(len);
        Ok(memory.and_then(|memory| RxFrame::new(memory, RxMeta::new(len))))
    }

    #[inline]
    fn pending(&mut self) -> Result<bool, Error> {
        self.rx.find(self.bus)
    }

    #[inline]
    fn release(&mut self) -> Result<(), Error> {
        self.rx.release(self.bus, true);
        Ok(())
    }

    #[inline]
    fn discard(&mut self) -> Result<(), Error> {
        self.rx.release(self.bus, false);
        Ok(())
    }
}
