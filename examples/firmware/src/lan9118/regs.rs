//! Registers of the LAN9118, data only (data sheet SMSC LAN9118, section 5.3; MAC registers section 5.4).

/// A register: its byte offset from the chip's base. All are 32 bits wide and accessed as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Register(u8);

impl Register {
    /// From the base of the chip, in bytes. A multiple of four.
    #[must_use]
    pub const fn offset(self) -> usize {
        self.0 as usize
    }

    /// From the base of the chip, in words.
    #[must_use]
    pub const fn word(self) -> usize {
        self.offset() / 4
    }
}

pub const RX_DATA: Register = Register(0x00);
pub const TX_DATA: Register = Register(0x20);
/// Takes the status of the next frame away.
pub const RX_STATUS: Register = Register(0x40);
/// Leaves it where it is.
pub const RX_STATUS_PEEK: Register = Register(0x44);
pub const TX_STATUS: Register = Register(0x48);
pub const IRQ_CFG: Register = Register(0x54);
/// Write one to clear.
pub const INT_STS: Register = Register(0x58);
pub const INT_EN: Register = Register(0x5c);
pub const BYTE_TEST: Register = Register(0x64);
pub const RX_CFG: Register = Register(0x6c);
pub const TX_CFG: Register = Register(0x70);
pub const HW_CFG: Register = Register(0x74);
pub const RX_FIFO_INF: Register = Register(0x7c);
pub const TX_FIFO_INF: Register = Register(0x80);
pub const PMT_CTRL: Register = Register(0x84);
/// Counts up at 25 MHz and wraps.
pub const FREE_RUN: Register = Register(0x9c);
/// Frames dropped for want of room; reading clears it.
pub const RX_DROP: Register = Register(0xa0);
pub const MAC_CSR_CMD: Register = Register(0xa4);
pub const MAC_CSR_DATA: Register = Register(0xa8);
pub const AFC_CFG: Register = Register(0xac);

/// Content of [`BYTE_TEST`]: tells that the bus has the right width and byte order.
pub const BYTE_ORDER: u32 = 0x8765_4321;
/// Ticks of [`FREE_RUN`] in a microsecond.
pub const TICKS_PER_US: u32 = 25;

/// Bits of [`IRQ_CFG`].
pub mod irq_cfg {
    pub const ENABLE: u32 = 1 << 8;
    pub const ACTIVE_HIGH: u32 = 1 << 4;
    pub const PUSH_PULL: u32 = 1;
}

/// Bits of [`INT_STS`] and [`INT_EN`].
pub mod int {
    /// The PHY has something to say; a level, ended by reading its source register.
    pub const PHY: u32 = 1 << 18;
    /// The receiver has stopped.
    pub const RX_STOPPED: u32 = 1 << 24;
    /// The receive FIFOs were read beyond their end or overflowed.
    pub const RX_ERROR: u32 = 1 << 14;
    /// The transmit FIFO was written against the rules.
    pub const TX_ERROR: u32 = 1 << 13;
    /// A frame has been sent (transmit status level above the one set, 0).
    pub const TX_STATUS_LEVEL: u32 = 1 << 7;
    /// A frame has come (receive status level above the one set, 0).
    pub const RX_STATUS_LEVEL: u32 = 1 << 3;
}

/// Bits of [`HW_CFG`].
pub mod hw_cfg {
    pub const SOFT_RESET: u32 = 1;
    /// Whole frames are gathered before they are sent. Must be one.
    pub const STORE_AND_FORWARD: u32 = 1 << 20;
    /// 5 KiB of the FIFO memory for transmission, 11 KiB for reception, each with 512 bytes of statuses.
    pub const TX_FIFO_5K: u32 = 5 << 16;
}

/// Bits of [`RX_CFG`].
pub mod rx_cfg {
    /// Empties both receive FIFOs; the receiver has to be off. Clears itself.
    pub const DUMP: u32 = 1 << 15;
}

/// Bits of [`TX_CFG`].
pub mod tx_cfg {
    pub const ON: u32 = 1 << 1;
}

/// Bits of [`PMT_CTRL`].
pub mod pmt_ctrl {
    pub const READY: u32 = 1;
}

/// Thresholds of automatic flow control: high and low water mark of the receive FIFO, back-pressure time. As the data sheet's example.
pub const AFC_THRESHOLDS: u32 = 0x006e_3740;

/// Bits of a receive status word (section 3.13.3).
pub mod rx_status {
    pub const FILTER_FAILED: u32 = 1 << 30;
    pub const ERROR: u32 = 1 << 15;
    pub const LENGTH_ERROR: u32 = 1 << 12;
    pub const RUNT: u32 = 1 << 11;
    pub const TOO_LONG: u32 = 1 << 7;
    pub const BAD_FCS: u32 = 1 << 1;

    /// Length of the frame in bytes, with FCS.
    #[must_use]
    pub const fn len(status: u32) -> usize {
        ((status >> 16) & 0x3fff) as usize
    }
}

/// Bits of a transmit status word (section 3.12.4).
pub mod tx_status {
    pub const ERROR: u32 = 1 << 15;

    /// The tag that was sent with the frame.
    #[must_use]
    pub const fn tag(status: u32) -> u16 {
        (status >> 16) as u16
    }
}

/// The two command words in front of a frame in the transmit FIFO (section 3.12.2).
pub mod tx_command {
    const FIRST_SEGMENT: u32 = 1 << 13;
    const LAST_SEGMENT: u32 = 1 << 12;

    /// Command A of a frame of `len` bytes in one segment.
    #[must_use]
    pub const fn a(len: u16) -> u32 {
        FIRST_SEGMENT | LAST_SEGMENT | len as u32
    }

    /// Command B: the tag, and the length again.
    #[must_use]
    pub const fn b(tag: u16, len: u16) -> u32 {
        ((tag as u32) << 16) | len as u32
    }
}

/// Registers of the MAC, reached through [`MAC_CSR_CMD`].
pub mod mac {
    pub const MAC_CR: u32 = 1;
    pub const ADDRH: u32 = 2;
    pub const ADDRL: u32 = 3;
    pub const MII_ACC: u32 = 6;
    pub const MII_DATA: u32 = 7;

    /// Bits of `MAC_CSR_CMD`.
    pub const CMD_BUSY: u32 = 1 << 31;
    pub const CMD_READ: u32 = 1 << 30;
}

/// Bits of `MAC_CR`.
pub mod mac_cr {
    pub const DISABLE_RX_OWN: u32 = 1 << 23;
    pub const FULL_DUPLEX: u32 = 1 << 20;
    pub const PASS_ALL_MULTICAST: u32 = 1 << 19;
    pub const PROMISCUOUS: u32 = 1 << 18;
    /// One *refuses* broadcast.
    pub const NO_BROADCAST: u32 = 1 << 11;
    pub const TX_ENABLE: u32 = 1 << 3;
    pub const RX_ENABLE: u32 = 1 << 2;
}

/// Bits of `MII_ACC`.
pub mod mii_acc {
    pub const BUSY: u32 = 1;
    pub const WRITE: u32 = 1 << 1;
}

/// What the built-in PHY has beyond clause 22 (section 5.5).
pub mod phy {
    /// Its address on the internal bus.
    pub const ADDRESS: u8 = 1;
    /// Interrupt sources; reading clears them.
    pub const INTERRUPT_SOURCE: u8 = 29;
    pub const INTERRUPT_MASK: u8 = 30;
    /// In both: the link went down.
    pub const LINK_DOWN: u16 = 1 << 4;
    /// In both: auto-negotiation is complete.
    pub const AUTONEG_COMPLETE: u16 = 1 << 6;
}
