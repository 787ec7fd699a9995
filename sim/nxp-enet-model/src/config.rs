//! Configuration of the chip.

use crate::violations::ViolationKind;

/// Configuration of the chip. The default is an i.MX 6UL without its errata.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChipConfig {
    /// Frequency of the module's clock in hertz. 66 MHz by default.
    pub module_clock_hz: u32,
    /// Capacity of the receive FIFO in bytes. 4096 by default.
    pub rx_fifo_bytes: usize,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
}

impl Default for ChipConfig {
    fn default() -> Self {
        Self {
            module_clock_hz: 66_000_000,
            rx_fifo_bytes: 4096,
            allowed_violations: Vec::new(),
        }
    }
}

impl ChipConfig {
    /// Sets the frequency of the module's clock in hertz.
    #[must_use]
    pub const fn with_module_clock_hz(mut self, hz: u32) -> Self {
        self.module_clock_hz = hz;
        self
    }

    /// Sets the capacity of the receive FIFO in bytes.
    #[must_use]
    pub const fn with_rx_fifo_bytes(mut self, bytes: usize) -> Self {
        self.rx_fifo_bytes = bytes;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }
}
