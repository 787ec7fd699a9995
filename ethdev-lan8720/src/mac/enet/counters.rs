//! The MAC's own counters (MIB): what became of frames that never came to a descriptor.

use ethdev::Stats;

use super::regs;
use crate::mac::mmio::Registers;

/// The counters, and what they showed when they were read last. They are 16 bits wide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counters {
    rx_fifo_full: Counter<{ regs::IEEE_R_MACERR }>,
    rx_undersize: Counter<{ regs::RMON_R_UNDERSIZE }>,
    rx_fragments: Counter<{ regs::RMON_R_FRAG }>,
    tx_late_collisions: Counter<{ regs::IEEE_T_LCOL }>,
    tx_too_many_collisions: Counter<{ regs::IEEE_T_EXCOL }>,
    tx_fifo_empty: Counter<{ regs::IEEE_T_MACERR }>,
}

/// One counter.
#[derive(Debug, Clone, Copy, Default)]
struct Counter<const REGISTER: usize> {
    last: u16,
    total: u32,
}

impl<const REGISTER: usize> Counter<REGISTER> {
    fn read<R: Registers>(&mut self, registers: &R) {
        let now = registers.read(REGISTER) as u16;
        self.total = self.total.wrapping_add(now.wrapping_sub(self.last).into());
        self.last = now;
    }

    fn forget<R: Registers>(&mut self, registers: &R) {
        self.last = registers.read(REGISTER) as u16;
    }
}

impl Counters {
    /// Adds what happened since.
    pub(super) fn read<R: Registers>(&mut self, registers: &R) {
        self.rx_fifo_full.read(registers);
        self.rx_undersize.read(registers);
        self.rx_fragments.read(registers);
        self.tx_late_collisions.read(registers);
        self.tx_too_many_collisions.read(registers);
        self.tx_fifo_empty.read(registers);
    }

    /// Zeroes the registers, as far as they can be.
    pub(super) fn clear<R: Registers>(&mut self, registers: &R) {
        registers.write(regs::MIBC, regs::mibc::DISABLE);
        registers.write(regs::MIBC, regs::mibc::DISABLE | regs::mibc::CLEAR);
        registers.write(regs::MIBC, regs::mibc::DISABLE);
        registers.write(regs::MIBC, 0);
        self.rx_fifo_full.forget(registers);
        self.rx_undersize.forget(registers);
        self.rx_fragments.forget(registers);
        self.tx_late_collisions.forget(registers);
        self.tx_too_many_collisions.forget(registers);
        self.tx_fifo_empty.forget(registers);
    }

    /// How many frames the MAC gave up on, of those whose descriptors it has closed.
    pub(super) const fn tx_aborted(&self) -> u32 {
        self.tx_late_collisions
            .total
            .wrapping_add(self.tx_too_many_collisions.total)
            .wrapping_add(self.tx_fifo_empty.total)
    }

    /// The books with these counters in them. `overruns_marked` descriptors had the mark of an overrun.
    pub(super) fn enter(&self, mut stats: Stats, overruns_marked: u32) -> Stats {
        // A frame that was cut off by an overrun comes to a descriptor with its mark, and is counted. Whichever tells more: without the counter, as in a model,
        // a mark says "at least one".
        stats.rx_overrun = stats
            .rx_overrun
            .wrapping_add(self.rx_fifo_full.total.max(overruns_marked));
        stats.rx_bad_length = stats
            .rx_bad_length
            .wrapping_add(self.rx_undersize.total)
            .wrapping_add(self.rx_fragments.total);
        let aborted = self.tx_aborted();
        stats.tx_frames = stats.tx_frames.wrapping_sub(aborted);
        stats.tx_aborted = stats.tx_aborted.wrapping_add(aborted);
        stats
    }
}
