//! The memory map: offsets, reset values and writable bits of the registers, and what they hold
//! (i.MX 6ULL and i.MX RT1060 Reference Manuals, chapter ENET, "Memory map/register definition").

use std::collections::BTreeMap;

/// Registers, by their offset.
pub(crate) mod at {
    pub(crate) const EIR: usize = 4;
    pub(crate) const EIMR: usize = 8;
    pub(crate) const RDAR: usize = 16;
    pub(crate) const TDAR: usize = 20;
    pub(crate) const ECR: usize = 36;
    pub(crate) const MMFR: usize = 64;
    pub(crate) const MSCR: usize = 68;
    pub(crate) const MIBC: usize = 100;
    pub(crate) const RCR: usize = 132;
    pub(crate) const TCR: usize = 196;
    pub(crate) const PALR: usize = 228;
    pub(crate) const PAUR: usize = 232;
    pub(crate) const OPD: usize = 236;
    pub(crate) const IAUR: usize = 280;
    pub(crate) const IALR: usize = 284;
    pub(crate) const GAUR: usize = 288;
    pub(crate) const GALR: usize = 292;
    pub(crate) const RDSR: usize = 384;
    pub(crate) const TDSR: usize = 388;
    pub(crate) const MRBR: usize = 392;
    pub(crate) const FTRL: usize = 432;
}

/// Statistics counters, by their offset, one every four bytes.
pub(crate) mod mib {
    /// From `RMON_T_DROP` to `IEEE_R_OCTETS_OK`.
    pub(crate) const ALL: core::ops::RangeInclusive<usize> = 0x200..=0x2e0;
    pub(crate) const T_PACKETS: usize = 0x204;
    pub(crate) const T_FRAME_OK: usize = 0x24c;
    pub(crate) const T_LATE: usize = 0x25c;
    pub(crate) const T_EXCESSIVE: usize = 0x260;
    pub(crate) const R_PACKETS: usize = 0x284;
    pub(crate) const R_BROADCAST: usize = 0x288;
    pub(crate) const R_MULTICAST: usize = 0x28c;
    pub(crate) const R_CRC_ALIGN: usize = 0x290;
    pub(crate) const R_UNDERSIZE: usize = 0x294;
    pub(crate) const R_OVERSIZE: usize = 0x298;
    pub(crate) const R_FRAGMENT: usize = 0x29c;
    pub(crate) const R_JABBER: usize = 0x2a0;
    pub(crate) const R_FRAME_OK: usize = 0x2cc;
    pub(crate) const R_CRC: usize = 0x2d0;
    pub(crate) const R_FIFO_OVERFLOW: usize = 0x2d8;
    pub(crate) const R_PAUSE: usize = 0x2dc;
    pub(crate) const T_OCTETS: usize = 0x244;
    /// Counters of 32 bits: the octets. All others have 16.
    pub(crate) const WIDE: [usize; 4] = [T_OCTETS, 0x274, 0x2c4, 0x2e0];
}

/// A register of the map.
pub(crate) struct Register {
    pub(crate) at: usize,
    pub(crate) reset: u32,
    /// Bits that can be written.
    pub(crate) writable: u32,
}

const fn register(at: usize, reset: u32, writable: u32) -> Register {
    Register { at, reset, writable }
}

/// All registers. Of a register that is more than plain memory, only the plain bits are writable
/// here.
pub(crate) const REGISTERS: &[Register] = &[
    register(at::EIR, 0, 0),
    register(at::EIMR, 0, 0x7fff_8000),
    register(at::RDAR, 0, 0),
    register(at::TDAR, 0, 0),
    register(at::ECR, 0xf000_0000, 0x0000_0176),
    register(at::MMFR, 0, 0xffff_ffff),
    register(at::MSCR, 0, 0x0000_07fe),
    register(at::MIBC, 0xc000_0000, 0xa000_0000),
    register(at::RCR, 0x05ee_0001, 0x7fff_f33f),
    register(at::TCR, 0, 0x0000_03fd),
    register(at::PALR, 0, 0xffff_ffff),
    register(at::PAUR, 0x0000_8808, 0xffff_0000),
    register(at::OPD, 0x0001_0000, 0x0000_ffff),
    // Interrupt coalescing.
    register(0x0f0, 0, 0xdff0_ffff),
    register(0x100, 0, 0xdff0_ffff),
    register(at::IAUR, 0, 0xffff_ffff),
    register(at::IALR, 0, 0xffff_ffff),
    register(at::GAUR, 0, 0xffff_ffff),
    register(at::GALR, 0, 0xffff_ffff),
    // Transmit FIFO watermark.
    register(0x144, 0, 0x0000_013f),
    register(at::RDSR, 0, 0xffff_fff8),
    register(at::TDSR, 0, 0xffff_fff8),
    register(at::MRBR, 0, 0x0000_3ff0),
    // FIFO thresholds: RSFL, RSEM, RAEM, RAFL, TSEM, TAEM, TAFL; and the gap between frames.
    register(0x190, 0, 0x0000_00ff),
    register(0x194, 0, 0x001f_00ff),
    register(0x198, 4, 0x0000_00ff),
    register(0x19c, 4, 0x0000_00ff),
    register(0x1a0, 0, 0x0000_00ff),
    register(0x1a4, 4, 0x0000_00ff),
    register(0x1a8, 8, 0x0000_00ff),
    register(0x1ac, 12, 0x0000_001f),
    register(at::FTRL, 0x7ff, 0x0000_3fff),
    // Accelerators: TACC, RACC.
    register(0x1c0, 0, 0x0000_0019),
    register(0x1c4, 0, 0x0000_00c7),
];

/// Events.
pub(crate) mod eir {
    pub(crate) const BABR: u32 = 0x4000_0000;
    pub(crate) const BABT: u32 = 0x2000_0000;
    pub(crate) const GRA: u32 = 0x1000_0000;
    pub(crate) const TXF: u32 = 0x0800_0000;
    pub(crate) const TXB: u32 = 0x0400_0000;
    pub(crate) const RXF: u32 = 0x0200_0000;
    pub(crate) const RXB: u32 = 0x0100_0000;
    pub(crate) const MII: u32 = 0x0080_0000;
    pub(crate) const EBERR: u32 = 0x0040_0000;
    pub(crate) const LC: u32 = 0x0020_0000;
    pub(crate) const RL: u32 = 0x0010_0000;
}

/// Bits of `ECR`.
pub(crate) mod ecr {
    pub(crate) const RESET: u32 = 0x001;
    pub(crate) const ETHEREN: u32 = 0x002;
    pub(crate) const EN1588: u32 = 0x010;
    pub(crate) const DBSWP: u32 = 0x100;
}

/// Bits of `RCR`.
pub(crate) mod rcr {
    pub(crate) const PROM: u32 = 0x0008;
    pub(crate) const MII_MODE: u32 = 0x0004;
    pub(crate) const DRT: u32 = 0x0002;
    pub(crate) const LOOP: u32 = 0x0001;
    pub(crate) const BC_REJ: u32 = 0x0010;
    pub(crate) const FCE: u32 = 0x0020;
    pub(crate) const RMII_MODE: u32 = 0x0100;
    pub(crate) const RMII_10T: u32 = 0x0200;
    pub(crate) const PADEN: u32 = 0x1000;
    pub(crate) const CRCFWD: u32 = 0x4000;
    pub(crate) const MAX_FL: u32 = 0x3fff_0000;
    /// Bits that may be changed only while the MAC is disabled.
    pub(crate) const FROZEN: u32 = MAX_FL | MII_MODE | DRT | LOOP | FCE | RMII_MODE | RMII_10T | PADEN | CRCFWD;
}

/// Bits of `TCR`.
pub(crate) mod tcr {
    pub(crate) const GTS: u32 = 0x01;
    pub(crate) const FDEN: u32 = 0x04;
}

/// What `RDAR` and `TDAR` read while the uDMA is active.
pub(crate) const ACTIVE: u32 = 0x0100_0000;

/// What the registers hold, and the statistics counters.
#[derive(Debug, Default)]
pub(crate) struct Registers {
    values: BTreeMap<usize, u32>,
    statistics: BTreeMap<usize, u32>,
}

impl Registers {
    /// Loads the reset values. The statistics remain.
    pub(crate) fn reset(&mut self) {
        self.values = REGISTERS.iter().map(|r| (r.at, r.reset)).collect();
    }

    pub(crate) fn exists(&self, offset: usize) -> bool {
        self.values.contains_key(&offset)
    }

    pub(crate) fn get(&self, offset: usize) -> u32 {
        self.values.get(&offset).copied().unwrap_or(0)
    }

    pub(crate) fn set(&mut self, offset: usize, value: u32) {
        self.values.insert(offset, value);
    }

    /// Sets `RDAR` or `TDAR`.
    pub(crate) fn set_active(&mut self, offset: usize, active: bool) {
        self.set(offset, if active { ACTIVE } else { 0 });
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.get(at::ECR) & ecr::ETHEREN != 0
    }

    pub(crate) fn is_little_endian(&self) -> bool {
        self.get(at::ECR) & ecr::DBSWP != 0
    }

    pub(crate) fn max_frame_len(&self) -> usize {
        ((self.get(at::RCR) & rcr::MAX_FL) >> 16) as usize
    }

    /// Whether the interrupt line is asserted.
    pub(crate) fn interrupts(&self) -> bool {
        self.get(at::EIR) & self.get(at::EIMR) != 0
    }

    pub(crate) fn raise(&mut self, events: u32) {
        *self.values.entry(at::EIR).or_default() |= events;
    }

    pub(crate) fn statistic(&self, offset: usize) -> u32 {
        self.statistics.get(&offset).copied().unwrap_or(0)
    }

    pub(crate) fn clear_statistics(&mut self) {
        self.statistics.clear();
    }

    pub(crate) fn count(&mut self, statistic: usize) {
        self.count_by(statistic, 1);
    }

    pub(crate) fn count_by(&mut self, statistic: usize, by: u32) {
        // Bit 31 disables the counters.
        if self.get(at::MIBC) & 0x8000_0000 != 0 {
            return;
        }
        let counter = self.statistics.entry(statistic).or_default();
        *counter = counter.wrapping_add(by);
        if !mib::WIDE.contains(&statistic) {
            *counter &= 0xffff;
        }
    }
}

/// Flags of a descriptor, the upper half of its first word.
pub(crate) mod flag {
    pub(crate) const OWNED: u16 = 0x8000;
    pub(crate) const WRAP: u16 = 0x2000;
    pub(crate) const LAST: u16 = 0x0800;
    pub(crate) const APPEND_FCS: u16 = 0x0400;
    pub(crate) const MISS: u16 = 0x0100;
    pub(crate) const BROADCAST: u16 = 0x0080;
    pub(crate) const MULTICAST: u16 = 0x0040;
    pub(crate) const LONG: u16 = 0x0020;
    pub(crate) const BAD_FCS: u16 = 0x0004;
    pub(crate) const OVERRUN: u16 = 0x0002;
    pub(crate) const TRUNCATED: u16 = 0x0001;
    /// The bits that the receiver writes.
    pub(crate) const STATUS: u16 = 0x09ff;
}
