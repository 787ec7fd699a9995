//! The MAC's own counters (MIB), 16 bits wide: frames for which there is no descriptor.

use ethdev::Stats;
use ethdev_phy::mmio::Registers;

use crate::regs;

/// A counter and its last value.
#[derive(Debug, Clone, Copy, Default)]
struct Counter<const REGISTER: usize> {
    last: u16,
    total: u32,
}

impl<const REGISTER: usize> Counter<REGISTER> {
    fn read<BUS: Registers>(&mut self, registers: &BUS) {
        let now = registers.read(REGISTER) as u16;
        self.total = self.total.wrapping_add(now.wrapping_sub(self.last).into());
        self.last = now;
    }

    fn skip<BUS: Registers>(&mut self, registers: &BUS) {
        self.last = registers.read(REGISTER) as u16;
    }
}

/// Clears all counters that can be cleared.
pub(crate) fn clear<BUS: Registers>(registers: &BUS) {
    registers.write(regs::MIBC, regs::mibc::DISABLE);
    registers.write(regs::MIBC, regs::mibc::DISABLE | regs::mibc::CLEAR);
    registers.write(regs::MIBC, regs::mibc::DISABLE);
    registers.write(regs::MIBC, 0);
}

/// Counters of received frames that never got a descriptor.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RxCounters {
    fifo_full: Counter<{ regs::IEEE_R_MACERR }>,
    undersize: Counter<{ regs::RMON_R_UNDERSIZE }>,
    fragments: Counter<{ regs::RMON_R_FRAG }>,
}

impl RxCounters {
    /// Adds the increments since the last call.
    pub(crate) fn read<BUS: Registers>(&mut self, registers: &BUS) {
        self.fifo_full.read(registers);
        self.undersize.read(registers);
        self.fragments.read(registers);
    }

    /// Ignores the increments since the last call.
    pub(crate) fn skip<BUS: Registers>(&mut self, registers: &BUS) {
        self.fifo_full.skip(registers);
        self.undersize.skip(registers);
        self.fragments.skip(registers);
    }

    /// Returns `stats` with these counters added. `marked_overruns` is the number of descriptors
    /// with the overrun bit.
    pub(crate) fn add_to(&self, mut stats: Stats, marked_overruns: u32) -> Stats {
        // A frame that an overrun cuts off has a descriptor with the overrun bit, and is in the counter
        // too. Where the counter is not implemented, as in QEMU, the descriptors are a lower bound.
        stats.rx_overrun = stats.rx_overrun.wrapping_add(self.fifo_full.total.max(marked_overruns));
        stats.rx_bad_length = stats
            .rx_bad_length
            .wrapping_add(self.undersize.total)
            .wrapping_add(self.fragments.total);
        stats
    }
}

/// Counters of frames that the MAC aborted. Their descriptors look like those of frames that were
/// sent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TxCounters {
    late_collisions: Counter<{ regs::IEEE_T_LCOL }>,
    excessive_collisions: Counter<{ regs::IEEE_T_EXCOL }>,
    /// Aborted frames that `take_aborted` has returned.
    taken: u32,
}

impl TxCounters {
    /// Returns how many of the last `closed` frames were aborted.
    pub(crate) fn take_aborted<BUS: Registers>(&mut self, registers: &BUS, closed: u16) -> u16 {
        self.late_collisions.read(registers);
        self.excessive_collisions.read(registers);
        // A frame that is counted but not closed yet is left to the next call.
        let aborted = self.total().wrapping_sub(self.taken);
        let aborted = u16::try_from(aborted).map_or(closed, |aborted| aborted.min(closed));
        self.taken = self.taken.wrapping_add(aborted.into());
        aborted
    }

    /// Ignores the increments since the last call.
    pub(crate) fn skip<BUS: Registers>(&mut self, registers: &BUS) {
        self.late_collisions.skip(registers);
        self.excessive_collisions.skip(registers);
        self.taken = self.total();
    }

    const fn total(&self) -> u32 {
        self.late_collisions.total.wrapping_add(self.excessive_collisions.total)
    }
}
