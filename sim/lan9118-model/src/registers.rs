//! The register map (data sheet of the LAN9118, revision 1.5: section 5.3, timing from tables 6.1
//! and 6.2).

/// The accesses that a register allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    ReadWrite,
}

/// A register of the map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) offset: usize,
    pub(crate) name: &'static str,
    pub(crate) access: Access,
    /// Bits that may be written as 1.
    pub(crate) writable: u32,
    /// Nanoseconds between any write and a read of it, on chips with a cycle of 45 ns and with 165
    /// ns.
    pub(crate) gap: [u64; 2],
}

const fn entry(offset: usize, name: &'static str, access: Access, writable: u32, gap: [u64; 2]) -> Entry {
    Entry {
        offset,
        name,
        access,
        writable,
        gap,
    }
}

/// Offsets of registers with side effects or gaps of their own.
pub(crate) const RX_FIFO_INF: usize = 0x7c;
pub(crate) const TX_FIFO_INF: usize = 0x80;
pub(crate) const PMT_CTRL: usize = 0x84;
pub(crate) const BYTE_TEST: usize = 0x64;

pub(crate) const RX_DATA_END: usize = 0x20;
pub(crate) const TX_DATA_END: usize = 0x40;

/// Nanoseconds between a read of a FIFO and a read of its level.
pub(crate) const GAP_AFTER_POP: [u64; 2] = [135, 165];
/// Nanoseconds between two reads of `RX_DROP`.
pub(crate) const GAP_RX_DROP: [u64; 2] = [180, 330];

/// All registers but the data FIFOs.
pub(crate) const MAP: [Entry; 30] = [
    entry(0x40, "RX_STATUS", Access::Read, 0, [0, 0]),
    entry(0x44, "RX_STATUS_PEEK", Access::Read, 0, [0, 0]),
    entry(0x48, "TX_STATUS", Access::Read, 0, [0, 0]),
    entry(0x4c, "TX_STATUS_PEEK", Access::Read, 0, [0, 0]),
    entry(0x50, "ID_REV", Access::Read, 0, [0, 0]),
    entry(0x54, "IRQ_CFG", Access::ReadWrite, 0xff00_4111, [135, 165]),
    entry(0x58, "INT_STS", Access::ReadWrite, u32::MAX, [90, 165]),
    entry(0x5c, "INT_EN", Access::ReadWrite, 0x83bf_efdf, [45, 165]),
    entry(0x64, "BYTE_TEST", Access::ReadWrite, u32::MAX, [0, 0]),
    entry(0x68, "FIFO_INT", Access::ReadWrite, 0xffff_00ff, [45, 165]),
    entry(0x6c, "RX_CFG", Access::ReadWrite, 0xcfff_9f00, [45, 165]),
    entry(0x70, "TX_CFG", Access::ReadWrite, 0x0000_c007, [45, 165]),
    entry(0x74, "HW_CFG", Access::ReadWrite, 0x001f_0075, [45, 165]),
    entry(0x78, "RX_DP_CTRL", Access::ReadWrite, 0x8000_0000, [45, 165]),
    entry(0x7c, "RX_FIFO_INF", Access::Read, 0, [0, 0]),
    entry(0x80, "TX_FIFO_INF", Access::Read, 0, [135, 165]),
    entry(0x84, "PMT_CTRL", Access::ReadWrite, 0x0000_377e, [315, 330]),
    entry(0x88, "GPIO_CFG", Access::ReadWrite, u32::MAX, [45, 165]),
    entry(0x8c, "GPT_CFG", Access::ReadWrite, 0x2000_ffff, [45, 165]),
    entry(0x90, "GPT_CNT", Access::Read, 0, [135, 165]),
    entry(0x98, "WORD_SWAP", Access::ReadWrite, u32::MAX, [45, 165]),
    entry(0x9c, "FREE_RUN", Access::Read, 0, [180, 330]),
    entry(0xa0, "RX_DROP", Access::Read, 0, [0, 0]),
    entry(0xa4, "MAC_CSR_CMD", Access::ReadWrite, 0xc000_00ff, [45, 165]),
    entry(0xa8, "MAC_CSR_DATA", Access::ReadWrite, u32::MAX, [45, 165]),
    entry(0xac, "AFC_CFG", Access::ReadWrite, 0x00ff_ffff, [45, 165]),
    entry(0xb0, "E2P_CMD", Access::ReadWrite, 0xf000_03ff, [45, 165]),
    entry(0xb4, "E2P_DATA", Access::ReadWrite, 0x0000_00ff, [45, 165]),
    entry(0x00, "RX_DATA", Access::Read, 0, [0, 0]),
    entry(0x20, "TX_DATA", Access::Write, u32::MAX, [0, 0]),
];

/// The register at this offset. The data FIFOs have eight addresses each.
pub(crate) fn find(offset: usize) -> Option<&'static Entry> {
    let first = match offset {
        _ if offset % 4 != 0 => return None,
        0..RX_DATA_END => 0,
        RX_DATA_END..TX_DATA_END => RX_DATA_END,
        other => other,
    };
    MAP.iter().find(|entry| entry.offset == first)
}

/// Bits of `IRQ_CFG`.
pub(crate) const IRQ_EN: u32 = 1 << 8;

/// Bits of `INT_STS` and `INT_EN`.
pub(crate) mod int {
    pub(crate) const TXSTOP: u32 = 1 << 25;
    pub(crate) const RXSTOP: u32 = 1 << 24;
    pub(crate) const RXDFH: u32 = 1 << 23;
    pub(crate) const PHY: u32 = 1 << 18;
    pub(crate) const RXE: u32 = 1 << 14;
    pub(crate) const TXE: u32 = 1 << 13;
    pub(crate) const TDFO: u32 = 1 << 10;
    pub(crate) const TDFA: u32 = 1 << 9;
    pub(crate) const TSFF: u32 = 1 << 8;
    pub(crate) const TSFL: u32 = 1 << 7;
    pub(crate) const RXDF: u32 = 1 << 6;
    pub(crate) const RSFF: u32 = 1 << 4;
    pub(crate) const RSFL: u32 = 1 << 3;
}

/// Bits of `TX_CFG`.
pub(crate) mod tx_cfg {
    pub(crate) const TXS_DUMP: u32 = 1 << 15;
    pub(crate) const TXD_DUMP: u32 = 1 << 14;
    pub(crate) const TXSAO: u32 = 1 << 2;
    pub(crate) const TX_ON: u32 = 1 << 1;
    pub(crate) const STOP_TX: u32 = 1 << 0;
}

/// Bits of `MAC_CR`.
pub(crate) mod mac_cr {
    pub(crate) const RXALL: u32 = 1 << 31;
    pub(crate) const RCVOWN: u32 = 1 << 23;
    pub(crate) const LOOPBK: u32 = 1 << 21;
    pub(crate) const FDPX: u32 = 1 << 20;
    pub(crate) const MCPAS: u32 = 1 << 19;
    pub(crate) const PRMS: u32 = 1 << 18;
    pub(crate) const INVFILT: u32 = 1 << 17;
    pub(crate) const PASSBAD: u32 = 1 << 16;
    pub(crate) const HO: u32 = 1 << 15;
    pub(crate) const HPFILT: u32 = 1 << 13;
    pub(crate) const BCAST: u32 = 1 << 11;
    pub(crate) const PADSTR: u32 = 1 << 8;
    pub(crate) const TXEN: u32 = 1 << 3;
    pub(crate) const RXEN: u32 = 1 << 2;
    pub(crate) const DEFINED: u32 = 0x80bf_bdec;
}

/// Bits of `RX_CFG`, `HW_CFG`, `PMT_CTRL`, `E2P_CMD`, `MAC_CSR_CMD`, `MII_ACC` and FLOW.
pub(crate) const RX_DUMP: u32 = 1 << 15;
pub(crate) const HW_SRST: u32 = 1;
pub(crate) const HW_SF: u32 = 1 << 20;
pub(crate) const PMT_READY: u32 = 1;
pub(crate) const PMT_PHY_RST: u32 = 1 << 10;
pub(crate) const E2P_BUSY: u32 = 1 << 31;
pub(crate) const E2P_LOADED: u32 = 1 << 8;
pub(crate) const CSR_BUSY: u32 = 1 << 31;
pub(crate) const CSR_READ: u32 = 1 << 30;
pub(crate) const MII_WRITE: u32 = 1 << 1;
pub(crate) const MII_BUSY: u32 = 1;
pub(crate) const FLOW_FCEN: u32 = 1 << 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_entries_have_unique_offsets() {
        for (n, entry) in MAP.iter().enumerate() {
            assert!(
                MAP[..n].iter().all(|other| other.offset != entry.offset),
                "{}",
                entry.name
            );
            assert_eq!(entry.offset % 4, 0);
        }
    }

    #[test]
    fn find_data_fifo_aliases_and_gaps_gives_fifo_or_none() {
        assert!(
            (0..0x20)
                .step_by(4)
                .all(|at| find(at).is_some_and(|e| e.name == "RX_DATA"))
        );
        assert!(
            (0x20..0x40)
                .step_by(4)
                .all(|at| find(at).is_some_and(|e| e.name == "TX_DATA"))
        );
        for gap in [0x60, 0x94, 0xb8, 0xfc, 0x100, 0x42, 0x55] {
            assert!(find(gap).is_none(), "{gap:#x}");
        }
    }
}
