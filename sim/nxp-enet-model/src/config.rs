//! What the chip is like.

/// What the chip is like. The default: an i.MX 6UL without its errata.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChipConfig {
    /// Frequency of the module's clock in hertz. Default 66 MHz.
    pub module_clock_hz: u32,
    /// Room in the receive FIFO, in bytes. Default 4096.
    pub rx_fifo_bytes: usize,
    /// Misuse that is not reported.
    pub allowed: Vec<super::ViolationKind>,
}

impl Default for ChipConfig {
    fn default() -> Self {
        Self {
            module_clock_hz: 66_000_000,
            rx_fifo_bytes: 4096,
            allowed: Vec::new(),
        }
    }
}

impl ChipConfig {
    /// The same with this clock.
    #[must_use]
    pub const fn with_module_clock_hz(mut self, hz: u32) -> Self {
        self.module_clock_hz = hz;
        self
    }

    /// The same with this room in the receive FIFO, in bytes.
    #[must_use]
    pub const fn with_rx_fifo_bytes(mut self, bytes: usize) -> Self {
        self.rx_fifo_bytes = bytes;
        self
    }

    /// The same without reports of this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: super::ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }
}
