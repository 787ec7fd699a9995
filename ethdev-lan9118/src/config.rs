//! The configuration.

use ethdev::{Capabilities, Counted, Coverage, LossReason, MacAddress, MaxFrameLen};

use crate::regs::{fifo, irq_cfg};

/// The configuration of the chip. The [`Default`] suits a board with an EEPROM and a pull-up at the
/// interrupt output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// MAC address; `None` = the one in the EEPROM. Required on boards without EEPROM.
    pub mac_address: Option<MacAddress>,
    /// Driver of the interrupt output.
    pub irq: IrqOutput,
    /// Whether frames may have a VLAN tag: at most 1518 instead of 1514 bytes.
    pub vlan: bool,
    /// Whether runts and collision fragments are received and counted in
    /// [`rx_bad_length`](ethdev::Stats::rx_bad_length). Otherwise the chip drops them without
    /// counting. On a busy half-duplex segment they take time and FIFO memory.
    pub count_runts: bool,
    tx_fifo_kib: u8,
}

impl Config {
    /// Default share of transmission in the FIFO memory of 16 KiB, in KiB: the reset value of the
    /// chip.
    pub const TX_FIFO_KIB: u8 = 5;

    /// Creates the default configuration: address from the EEPROM, open-drain interrupt output, no
    /// VLAN, runts not counted, 5 KiB for transmission.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mac_address: None,
            irq: IrqOutput::OpenDrain,
            vlan: false,
            count_runts: false,
            tx_fifo_kib: Self::TX_FIFO_KIB,
        }
    }

    /// Sets the MAC address.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// Sets the driver of the interrupt output.
    #[must_use]
    pub const fn with_irq(mut self, irq: IrqOutput) -> Self {
        self.irq = irq;
        self
    }

    /// Sets whether frames may have a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// Sets whether runts are counted.
    #[must_use]
    pub const fn with_count_runts(mut self, count_runts: bool) -> Self {
        self.count_runts = count_runts;
        self
    }

    /// Sets the share of transmission in the FIFO memory of 16 KiB, in KiB: 2 to 14 (clamped). The
    /// rest is for reception.
    ///
    /// A frame of the longest length takes 1.5 KiB in either direction.
    #[must_use]
    pub const fn with_tx_fifo_kib(mut self, kib: u8) -> Self {
        self.tx_fifo_kib = match kib {
            0..=1 => 2,
            2..=14 => kib,
            15.. => 14,
        };
        self
    }

    /// Returns the share of transmission in the FIFO memory, in KiB.
    #[must_use]
    pub const fn tx_fifo_kib(&self) -> u8 {
        self.tx_fifo_kib
    }

    /// Returns the longest frame without FCS.
    pub(crate) const fn max_frame_len(&self) -> MaxFrameLen {
        if self.vlan {
            MaxFrameLen::VLAN
        } else {
            MaxFrameLen::ETHERNET
        }
    }

    /// Returns the space that the longest frame takes in the transmit data FIFO, in bytes: two
    /// commands, and its bytes in whole words.
    pub(crate) const fn longest_in_tx_fifo(&self) -> u32 {
        8 + self.max_frame_len().bytes().next_multiple_of(4) as u32
    }

    /// Returns the number of frames of the longest length that the FIFOs hold.
    const fn queue_frames(&self) -> (u16, u16) {
        let received = (self.max_frame_len().bytes() + ethdev::frame::FCS_LEN).next_multiple_of(4);
        let rx = (fifo::rx_data(self.tx_fifo_kib) - fifo::RX_RESERVE) / received;
        let tx = fifo::tx_data(self.tx_fifo_kib) / self.longest_in_tx_fifo() as usize;
        (rx as u16, tx as u16)
    }

    pub(crate) const fn capabilities(&self) -> Capabilities {
        let (rx, tx) = self.queue_frames();
        Capabilities::ETHERNET
            .with_max_frame_len(self.max_frame_len())
            .with_queue_frames(Some(rx), Some(tx))
            .with_coverage(self.coverage())
    }

    const fn coverage(&self) -> Coverage {
        let coverage = Coverage::EXACT
            .with(LossReason::RxFiltered, Counted::NotReported)
            // After a fault the number of frames in the FIFO is unknown.
            .with(LossReason::RxReset, Counted::NotReported);
        if self.count_runts {
            coverage
        } else {
            // Giants are counted, runts are not.
            coverage.with(LossReason::RxBadLength, Counted::NotReported)
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How the chip drives its interrupt output (section 5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum IrqOutput {
    /// Open drain, active low, with an external pull-up. Several chips can share the line.
    OpenDrain,
    /// Push-pull, active low.
    ActiveLow,
    /// Push-pull, active high.
    ActiveHigh,
}

impl IrqOutput {
    pub(crate) const fn irq_cfg(self) -> u32 {
        match self {
            Self::OpenDrain => 0,
            Self::ActiveLow => irq_cfg::PUSH_PULL,
            Self::ActiveHigh => irq_cfg::PUSH_PULL | irq_cfg::ACTIVE_HIGH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_frames_by_fifo_split() {
        assert_eq!(Config::new().queue_frames(), (6, 3));
        assert_eq!(Config::new().with_tx_fifo_kib(0).queue_frames(), (8, 1));
        assert_eq!(Config::new().with_tx_fifo_kib(255).queue_frames(), (1, 9));
        // A tagged frame of the longest length fits the smallest transmit FIFO.
        assert_eq!(Config::new().with_vlan(true).with_tx_fifo_kib(2).queue_frames(), (8, 1));
    }
}
