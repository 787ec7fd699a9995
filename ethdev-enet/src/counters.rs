//! The MAC's own counters (MIB): what became of frames that no descriptor tells of. They are 16 bits wide.

use ethdev::Stats;

use super::regs;
use ethdev_phy::mmio::Registers;

/// One counter, and what it showed when it was read last.
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

/// Zeroes all of them, as far as they can be.
pub(super) fn clear<R: Registers>(registers: &R) {
    registers.write(regs::MIBC, regs::mibc::DISABLE);
    registers.write(regs::MIBC, regs::mibc::DISABLE | regs::mibc::CLEAR);
    registers.write(regs::MIBC, regs::mibc::DISABLE);
    registers.write(regs::MIBC, 0);
}

/// Frames that were received and never came to a descriptor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RxCounters {
    fifo_full: Counter<{ regs::IEEE_R_MACERR }>,
    undersize: Counter<{ regs::RMON_R_UNDERSIZE }>,
    fragments: Counter<{ regs::RMON_R_FRAG }>,
}

impl RxCounters {
    /// Adds what happened since.
    pub(super) fn read<R: Registers>(&mut self, registers: &R) {
        self.fifo_full.read(registers);
        self.undersize.read(registers);
        self.fragments.read(registers);
    }

    /// Begins anew with what they show now.
    pub(super) fn forget<R: Registers>(&mut self, registers: &R) {
        self.fifo_full.forget(registers);
        self.undersize.forget(registers);
        self.fragments.forget(registers);
    }

    /// The books with these counters in them. `overruns_marked` descriptors had the mark of an overrun.
    pub(super) fn enter(&self, mut stats: Stats, overruns_marked: u32) -> Stats {
        // A frame that was cut off by an overrun comes to a descriptor with its mark, and is counted. Whichever tells more: without the counter, as in a model,
        // a mark says "at least one".
        stats.rx_overrun = stats.rx_overrun.wrapping_add(self.fifo_full.total.max(overruns_marked));
        stats.rx_bad_length = stats
            .rx_bad_length
            .wrapping_add(self.undersize.total)
            .wrapping_add(self.fragments.total);
        stats
    }
}

/// Frames that the MAC gave up on: their descriptors are closed like those of frames that went out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TxCounters {
    late_collisions: Counter<{ regs::IEEE_T_LCOL }>,
    too_many_collisions: Counter<{ regs::IEEE_T_EXCOL }>,
    /// How many are in the books.
    booked: u32,
}

impl TxCounters {
    /// How many of the latest `closed` frames were given up.
    pub(super) fn given_up<R: Registers>(&mut self, registers: &R, closed: u16) -> u16 {
        self.late_collisions.read(registers);
        self.too_many_collisions.read(registers);
        let total = self.late_collisions.total.wrapping_add(self.too_many_collisions.total);
        // One that the MAC has counted and not closed yet is booked next time.
        let given_up = u16::try_from(total.wrapping_sub(self.booked)).map_or(closed, |given_up| given_up.min(closed));
        self.booked = self.booked.wrapping_add(given_up.into());
        given_up
    }

    /// Begins anew with what they show now.
    pub(super) fn forget<R: Registers>(&mut self, registers: &R) {
        self.late_collisions.forget(registers);
        self.too_many_collisions.forget(registers);
        self.booked = self.late_collisions.total.wrapping_add(self.too_many_collisions.total);
    }
}
