//! The system registers that are plain values, the interrupts, and the counters of the bus.

use core::time::Duration;

use crate::context::{Context, Event, Timer};
use crate::registers::IRQ_EN;
use crate::stats::BusCounters;

/// System registers.
#[derive(Debug, Default)]
pub(crate) struct System {
    pub(crate) irq_cfg: u32,
    pub(crate) int_sts: u32,
    pub(crate) int_en: u32,
    pub(crate) fifo_int: u32,
    pub(crate) hw_cfg: u32,
    pub(crate) afc_cfg: u32,
    /// Neither direction works until a reset: an injected fault.
    pub(crate) failed: bool,
    /// Traffic on the host's bus, over all resets.
    pub(crate) bus: BusCounters,
    /// Counts resets.
    generation: u64,
}

impl System {
    /// Loads the values after a reset.
    pub(crate) fn reset(&mut self) {
        *self = Self {
            fifo_int: 0x4800_0000,
            hw_cfg: 0x0005_0000,
            bus: self.bus,
            generation: self.generation + 1,
            ..Self::default()
        };
    }

    /// Whether a timer's event still has an effect.
    pub(crate) fn is_due(&self, timer: &Timer) -> bool {
        timer.generation.is_none_or(|generation| generation == self.generation)
    }

    /// Queues an event after `delay`, which a reset before then cancels.
    pub(crate) fn after(&self, context: &mut Context, delay: Duration, event: Event) {
        self.at(context, context.now() + delay, event);
    }

    /// Queues an event at `at`, which a reset before then cancels.
    pub(crate) fn at(&self, context: &mut Context, at: Duration, event: Event) {
        let generation = Some(self.generation);
        context.timer_at(at, Timer { generation, event });
    }

    /// Raises interrupts.
    pub(crate) const fn raise(&mut self, sources: u32) {
        self.int_sts |= sources;
    }

    /// Whether an enabled interrupt is pending. `phy`: the PHY's bit of `INT_STS`.
    pub(crate) const fn is_asserted(&self, phy: u32) -> bool {
        self.irq_cfg & IRQ_EN != 0 && (self.int_sts | phy) & self.int_en != 0
    }

    /// Statuses in the receive FIFO above which its interrupt is raised.
    pub(crate) const fn rx_status_level(&self) -> usize {
        (self.fifo_int & 0xff) as usize
    }

    /// Statuses in the transmit FIFO above which its interrupt is raised.
    pub(crate) const fn tx_status_level(&self) -> usize {
        (self.fifo_int >> 16 & 0xff) as usize
    }

    /// Free bytes in the transmit data FIFO above which its interrupt is raised.
    pub(crate) const fn tx_data_level(&self) -> usize {
        (self.fifo_int >> 24) as usize * 64
    }

    /// Size of the transmit FIFOs in KiB (table 5.3).
    pub(crate) const fn tx_fifo_kib(&self) -> usize {
        (self.hw_cfg >> 16 & 0xf) as usize
    }

    /// Size of the receive data FIFO in bytes, and of the receive status FIFO in statuses (table
    /// 5.3).
    pub(crate) const fn rx_sizes(&self) -> (usize, usize) {
        let all = 16 * 1024 - self.tx_fifo_kib() * 1024;
        let statuses = all / 16;
        (all - statuses, statuses / 4)
    }
}
