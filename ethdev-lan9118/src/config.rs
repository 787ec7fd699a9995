//! What a user may choose.

use ethdev::{MacAddress, MaxFrameLen};

use super::regs::{fifo, irq_cfg};

/// How the chip is set up. The [`Default`] is right for a board with an EEPROM and the chip's interrupt pin pulled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The station address; `None` = the one that the chip has loaded from its EEPROM. Boards without EEPROM need one here.
    pub mac_address: Option<MacAddress>,
    /// How the interrupt pin is driven.
    pub irq: IrqPin,
    /// Whether frames may have a VLAN tag: 1518 instead of 1514 bytes.
    pub vlan: bool,
    /// Whether runts and fragments of collisions are received, to be counted in [`rx_bad_length`](ethdev::Stats::rx_bad_length). Otherwise the chip drops
    /// them without a word. On a busy half-duplex segment they cost time and FIFO memory.
    pub count_runts: bool,
    tx_fifo_kib: u8,
}

impl Config {
    /// How many of the chip's 16 KiB of FIFO memory are for transmission, unless told otherwise: as the chip has it after a reset.
    pub const TX_FIFO_KIB: u8 = 5;

    /// Address from the EEPROM, interrupt pin open-drain, no VLAN, runts not counted, 5 KiB for transmission.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            mac_address: None,
            irq: IrqPin::OpenDrain,
            vlan: false,
            count_runts: false,
            tx_fifo_kib: Self::TX_FIFO_KIB,
        }
    }

    /// The same with this address.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// The same with the interrupt pin driven like this.
    #[must_use]
    pub const fn with_irq(mut self, irq: IrqPin) -> Self {
        self.irq = irq;
        self
    }

    /// The same with or without room for a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// The same with runts counted or not.
    #[must_use]
    pub const fn with_count_runts(mut self, count_runts: bool) -> Self {
        self.count_runts = count_runts;
        self
    }

    /// The same with so many of the 16 KiB of FIFO memory for transmission: 2 to 14, the rest is for reception. What is outside counts as the nearest.
    ///
    /// Each KiB less is two thirds of a long frame more that may wait to be fetched. A long frame takes 1.5 KiB in either direction.
    #[must_use]
    pub const fn with_tx_fifo_kib(mut self, kib: u8) -> Self {
        self.tx_fifo_kib = match kib {
            0..=1 => 2,
            2..=14 => kib,
            15.. => 14,
        };
        self
    }

    /// How many of the 16 KiB of FIFO memory are for transmission.
    #[must_use]
    pub const fn tx_fifo_kib(&self) -> u8 {
        self.tx_fifo_kib
    }

    /// Longest frame without FCS.
    pub(super) const fn max_frame_len(&self) -> MaxFrameLen {
        if self.vlan {
            MaxFrameLen::VLAN
        } else {
            MaxFrameLen::ETHERNET
        }
    }

    /// What the longest frame takes of the transmit data FIFO: two commands, and its bytes in whole words.
    pub(super) const fn longest_in_tx_fifo(&self) -> u32 {
        8 + self.max_frame_len().bytes().next_multiple_of(4) as u32
    }

    /// How many of the longest frames the FIFOs hold.
    pub(super) const fn queue_frames(&self) -> (u16, u16) {
        let received = (self.max_frame_len().bytes() + ethdev::frame::FCS_LEN).next_multiple_of(4);
        let rx = (fifo::rx_data(self.tx_fifo_kib) - fifo::RX_RESERVE) / received;
        let tx = fifo::tx_data(self.tx_fifo_kib) / self.longest_in_tx_fifo() as usize;
        (rx as u16, tx as u16)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How the chip drives its interrupt pin (section 5.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum IrqPin {
    /// Active low, and needs a pull-up. Several chips may share the line.
    OpenDrain,
    /// Driven both ways, active low.
    ActiveLow,
    /// Driven both ways, active high.
    ActiveHigh,
}

impl IrqPin {
    pub(super) const fn irq_cfg(self) -> u32 {
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
    fn queues_by_the_split() {
        assert_eq!(Config::new().queue_frames(), (6, 3));
        assert_eq!(Config::new().with_tx_fifo_kib(0).queue_frames(), (8, 1));
        assert_eq!(Config::new().with_tx_fifo_kib(255).queue_frames(), (1, 9));
        // A long frame with its tag still fits the smallest transmit FIFO.
        assert_eq!(Config::new().with_vlan(true).with_tx_fifo_kib(2).queue_frames(), (8, 1));
    }
}
