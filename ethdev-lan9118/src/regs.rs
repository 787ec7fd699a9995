//! Registers of the LAN9118 family (data sheet of the LAN9118, revision 1.5: section 5.3, MAC
//! registers section 5.4).

/// A register of the host bus, 32 bits wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Register {
    /// Offset from the base of the chip in bytes.
    pub(crate) offset: usize,
    /// Minimum number of bus cycles (of at least 45 ns) between a write to any register and a read
    /// of this one (table 6.1).
    pub(crate) gap: u8,
}

const fn register(offset: usize, gap: u8) -> Register {
    Register { offset, gap }
}

pub(crate) const RX_DATA: Register = register(0x00, 0);
pub(crate) const TX_DATA: Register = register(0x20, 0);
/// Status word of the next frame; reading removes it.
pub(crate) const RX_STATUS: Register = register(0x40, 0);
/// The same; reading does not remove it.
pub(crate) const RX_STATUS_PEEK: Register = register(0x44, 0);
/// Status word of a sent frame; reading removes it.
pub(crate) const TX_STATUS: Register = register(0x48, 0);
pub(crate) const ID_REV: Register = register(0x50, 0);
pub(crate) const IRQ_CFG: Register = register(0x54, 3);
/// Write one to clear.
pub(crate) const INT_STS: Register = register(0x58, 2);
pub(crate) const INT_EN: Register = register(0x5c, 1);
pub(crate) const BYTE_TEST: Register = register(0x64, 0);
pub(crate) const FIFO_INT: Register = register(0x68, 1);
pub(crate) const RX_CFG: Register = register(0x6c, 1);
pub(crate) const TX_CFG: Register = register(0x70, 1);
pub(crate) const HW_CFG: Register = register(0x74, 1);
/// Must not be read within three cycles after a port of the receive FIFOs (table 6.2).
pub(crate) const RX_FIFO_INF: Register = register(0x7c, 0);
/// Must not be read within three cycles after a port of the transmit FIFOs.
pub(crate) const TX_FIFO_INF: Register = register(0x80, 3);
pub(crate) const PMT_CTRL: Register = register(0x84, 7);
/// Number of frames dropped because the FIFO was full. Reading clears it; two reads must be four
/// cycles apart.
pub(crate) const RX_DROP: Register = register(0xa0, 0);
pub(crate) const MAC_CSR_CMD: Register = register(0xa4, 1);
pub(crate) const MAC_CSR_DATA: Register = register(0xa8, 1);
pub(crate) const AFC_CFG: Register = register(0xac, 1);
pub(crate) const E2P_CMD: Register = register(0xb0, 1);

/// Content of [`BYTE_TEST`] if width and byte order of the bus are correct.
pub(crate) const BYTE_ORDER: u32 = 0x8765_4321;

/// Bits of [`IRQ_CFG`].
pub(crate) mod irq_cfg {
    pub(crate) const ENABLE: u32 = 1 << 8;
    pub(crate) const ACTIVE_HIGH: u32 = 1 << 4;
    pub(crate) const PUSH_PULL: u32 = 1;
}

/// Bits of [`INT_STS`] and [`INT_EN`].
pub(crate) mod int {
    /// The transmitter has stopped.
    pub(crate) const TX_STOPPED: u32 = 1 << 25;
    /// The receiver has stopped.
    pub(crate) const RX_STOPPED: u32 = 1 << 24;
    /// Interrupt of the PHY; a level, ended by reading the source register of the PHY.
    pub(crate) const PHY: u32 = 1 << 18;
    /// The receive FIFOs were read beyond their end, or the status FIFO overflowed.
    pub(crate) const RX_ERROR: u32 = 1 << 14;
    /// The transmit FIFO was written incorrectly, or the status FIFO overflowed.
    pub(crate) const TX_ERROR: u32 = 1 << 13;
    /// A frame was sent (transmit status level above the threshold, 0).
    pub(crate) const TX_STATUS_LEVEL: u32 = 1 << 7;
    /// A frame was received (receive status level above the threshold, 0).
    pub(crate) const RX_STATUS_LEVEL: u32 = 1 << 3;
}

/// Bits of [`HW_CFG`].
pub(crate) mod hw_cfg {
    /// Store and forward; must be one.
    pub(crate) const STORE_AND_FORWARD: u32 = 1 << 20;
    pub(crate) const SOFT_RESET: u32 = 1;

    /// Share of transmission in the FIFO memory of 16 KiB, in KiB: 2 to 14.
    pub(crate) const fn tx_fifo_size(kib: u8) -> u32 {
        (kib as u32) << 16
    }
}

/// Bits of [`RX_CFG`].
pub(crate) mod rx_cfg {
    /// Empties both receive FIFOs; the receiver must be stopped. Clears itself.
    pub(crate) const DUMP: u32 = 1 << 15;
}

/// Bits of [`TX_CFG`].
pub(crate) mod tx_cfg {
    /// Empties the transmit status FIFO; the transmitter must be stopped. Clears itself.
    pub(crate) const DUMP_STATUS: u32 = 1 << 15;
    /// Empties the transmit data FIFO; the transmitter must be stopped. Clears itself.
    pub(crate) const DUMP_DATA: u32 = 1 << 14;
    pub(crate) const ON: u32 = 1 << 1;
    /// Stops after the frame in transfer.
    pub(crate) const STOP: u32 = 1;
}

/// Bits of [`PMT_CTRL`].
pub(crate) mod pmt_ctrl {
    /// Enters power state D2; cleared by waking up.
    pub(crate) const SLEEP_D2: u32 = 2 << 12;
    pub(crate) const READY: u32 = 1;
}

/// Bits of [`E2P_CMD`].
pub(crate) mod e2p_cmd {
    pub(crate) const BUSY: u32 = 1 << 31;
    /// The MAC address was loaded from the EEPROM.
    pub(crate) const ADDRESS_LOADED: u32 = 1 << 8;
}

/// Bits of [`AFC_CFG`] (section 5.3.22).
pub(crate) mod afc_cfg {
    /// Sends PAUSE when a frame arrives while the receive FIFO is above the high level.
    pub(crate) const ON_ANY_FRAME: u32 = 1;

    /// High and low level of PAUSE in a receive data FIFO of this size: two thirds and one third,
    /// in units of 64 bytes. For the default size these are the values that the data sheet
    /// recommends, 110 and 55.
    pub(crate) const fn levels(rx_data_bytes: usize) -> u32 {
        let units = (rx_data_bytes / 64) as u32;
        ((units * 2 / 3) << 16) | ((units / 3) << 8)
    }
}

/// Bits of [`RX_FIFO_INF`] and [`TX_FIFO_INF`].
pub(crate) mod fifo_inf {
    /// Number of status words. The upper byte is reserved and zero; if it is not, the number is out
    /// of range.
    #[inline]
    pub(crate) const fn statuses(info: u32) -> u32 {
        info >> 16
    }

    /// Bytes of received data, or free space for data to send in bytes.
    #[inline]
    pub(crate) const fn data(info: u32) -> u32 {
        info & 0xffff
    }
}

/// Bits of a receive status word (section 3.13.3).
pub(crate) mod rx_status {
    pub(crate) const FILTER_FAILED: u32 = 1 << 30;
    pub(crate) const RUNT: u32 = 1 << 11;
    pub(crate) const LATE_COLLISION: u32 = 1 << 6;
    pub(crate) const BAD_FCS: u32 = 1 << 1;

    /// Errors that drop the frame.
    pub(crate) const BAD: u32 = FILTER_FAILED | RUNT | LATE_COLLISION | BAD_FCS;

    /// Length of the frame in bytes, with FCS.
    #[inline]
    pub(crate) const fn len(status: u32) -> u32 {
        (status >> 16) & 0x3fff
    }
}

/// Bits of a transmit status word (section 3.12.4).
pub(crate) mod tx_status {
    /// Carrier lost or missing, late or too many collisions, deferred for too long, underrun.
    pub(crate) const ERROR: u32 = 1 << 15;

    /// The tag that was passed with the frame.
    #[inline]
    pub(crate) const fn tag(status: u32) -> u16 {
        (status >> 16) as u16
    }
}

/// The two command words in front of a segment in the transmit FIFO (section 3.12.2).
pub(crate) mod tx_command {
    pub(crate) const FIRST: u32 = 1 << 13;
    pub(crate) const LAST: u32 = 1 << 12;

    /// Command A of a segment of `len` bytes that begins at the first byte of a word.
    #[inline]
    pub(crate) const fn a(position: u32, len: usize) -> u32 {
        position | (len as u32 & 0x7ff)
    }

    /// Command B: the tag for the status word, and the length of the frame. The same in each
    /// segment.
    #[inline]
    pub(crate) const fn b(tag: usize, len: usize) -> u32 {
        ((tag as u32) << 16) | (len as u32 & 0x7ff)
    }
}

/// Registers of the MAC, reached through [`MAC_CSR_CMD`] (section 5.4).
pub(crate) mod mac {
    pub(crate) const CR: u32 = 1;
    pub(crate) const ADDRH: u32 = 2;
    pub(crate) const ADDRL: u32 = 3;
    pub(crate) const HASHH: u32 = 4;
    pub(crate) const HASHL: u32 = 5;
    pub(crate) const MII_ACC: u32 = 6;
    pub(crate) const MII_DATA: u32 = 7;
    pub(crate) const FLOW: u32 = 8;
    pub(crate) const VLAN1: u32 = 9;

    /// Bits of `MAC_CSR_CMD`.
    pub(crate) const CMD_BUSY: u32 = 1 << 31;
    pub(crate) const CMD_READ: u32 = 1 << 30;
}

/// Bits of the MAC's control register (section 5.4.1, table 3.1).
pub(crate) mod cr {
    /// Own frames are not received: for half duplex.
    pub(crate) const DISABLE_RX_OWN: u32 = 1 << 23;
    pub(crate) const FULL_DUPLEX: u32 = 1 << 20;
    pub(crate) const PASS_ALL_MULTICAST: u32 = 1 << 19;
    pub(crate) const PROMISCUOUS: u32 = 1 << 18;
    /// Runts and collision fragments are received.
    pub(crate) const PASS_BAD: u32 = 1 << 16;
    /// Groups are filtered by the hash table, the own address exactly.
    pub(crate) const HASH_GROUPS: u32 = 1 << 13;
    /// Broadcast is rejected.
    pub(crate) const NO_BROADCAST: u32 = 1 << 11;
    pub(crate) const TX_ENABLE: u32 = 1 << 3;
    pub(crate) const RX_ENABLE: u32 = 1 << 2;
    /// The bits that the driver writes, and compares when they are read back.
    pub(crate) const VERIFIED: u32 = DISABLE_RX_OWN
        | FULL_DUPLEX
        | PASS_ALL_MULTICAST
        | PROMISCUOUS
        | PASS_BAD
        | HASH_GROUPS
        | NO_BROADCAST
        | TX_ENABLE
        | RX_ENABLE;
}

/// Bits of the MAC's flow control register (section 5.4.8).
pub(crate) mod flow {
    /// PAUSE frames are sent with the longest time. One with time zero follows at the low level.
    pub(crate) const LONGEST_PAUSE: u32 = 0xffff_0000;
    /// Received PAUSE frames are honoured.
    pub(crate) const ENABLE: u32 = 1 << 1;
}

/// Bits of `MII_ACC` (section 5.4.6).
pub(crate) mod mii_acc {
    pub(crate) const WRITE: u32 = 1 << 1;
    pub(crate) const BUSY: u32 = 1;

    pub(crate) const fn address(phy: u8, register: u8) -> u32 {
        ((phy as u32) << 11) | ((register as u32) << 6)
    }
}

/// Sizes in the FIFO memory, in bytes (table 5.3).
pub(crate) mod fifo {
    const MEMORY: usize = 16 * 1024;
    const TX_STATUSES: usize = 512;
    /// Number of bytes at the end of the receive data FIFO that the chip does not use.
    pub(crate) const RX_RESERVE: usize = 16;

    pub(crate) const fn tx_data(kib: u8) -> usize {
        kib as usize * 1024 - TX_STATUSES
    }

    pub(crate) const fn rx_data(kib: u8) -> usize {
        let rx = MEMORY - kib as usize * 1024;
        rx - rx / 16
    }

    /// Capacity of the receive status FIFO, in status words.
    pub(crate) const fn rx_statuses(kib: u8) -> usize {
        (MEMORY - kib as usize * 1024) / 16 / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifo_sizes_equal_table_5_3() {
        for (kib, tx, rx, rx_statuses) in [
            (2, 1536, 13440, 896 / 4),
            (5, 4608, 10560, 704 / 4),
            (6, 5632, 9600, 640 / 4),
            (14, 13824, 1920, 128 / 4),
        ] {
            assert_eq!(
                (fifo::tx_data(kib), fifo::rx_data(kib), fifo::rx_statuses(kib)),
                (tx, rx, rx_statuses)
            );
        }
    }

    #[test]
    fn levels_default_fifo_split_equal_data_sheet() {
        assert_eq!(afc_cfg::levels(fifo::rx_data(5)), 110 << 16 | 55 << 8);
    }
}
