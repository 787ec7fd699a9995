//! Registers and descriptors (i.MX RT1060 Reference Manual, chapter "10/100-Mbps Ethernet MAC
//! (ENET)": memory map, and "Buffer descriptors"; the same block is in i.MX 6, RT1050, RT1064 and
//! Kinetis K). Offsets in bytes, all registers 32 bits wide.

/// Length of the register block in bytes.
pub(crate) const BLOCK_LEN: usize = 0x800;

/// Interrupt event; a bit is cleared by writing 1 to it.
pub(crate) const EIR: usize = 0x004;
/// Interrupt mask, same bits: 1 = enabled.
pub(crate) const EIMR: usize = 0x008;
/// Receive descriptor active: any write starts the DMA engine. Reads [`ACTIVE`] until it finds a
/// descriptor that is not empty.
pub(crate) const RDAR: usize = 0x010;
/// Transmit descriptor active: any write starts the DMA engine. Reads [`ACTIVE`] until it finds a
/// descriptor that is not ready.
pub(crate) const TDAR: usize = 0x014;
/// Ethernet control.
pub(crate) const ECR: usize = 0x024;
/// MII management frame: a write starts one.
pub(crate) const MMFR: usize = 0x040;
/// MII speed control.
pub(crate) const MSCR: usize = 0x044;
/// MIB control.
pub(crate) const MIBC: usize = 0x064;
/// Receive control.
pub(crate) const RCR: usize = 0x084;
/// Transmit control.
pub(crate) const TCR: usize = 0x0c4;
/// Own address, first four octets, the first in the highest byte.
pub(crate) const PALR: usize = 0x0e4;
/// Own address, last two octets, in the upper half.
pub(crate) const PAUR: usize = 0x0e8;
/// Opcode (read-only) and duration of PAUSE frames.
pub(crate) const OPD: usize = 0x0ec;
/// Hash table of unicast addresses, hashes 32 to 63.
pub(crate) const IAUR: usize = 0x118;
/// Hash table of unicast addresses, hashes 0 to 31.
pub(crate) const IALR: usize = 0x11c;
/// Hash table of group addresses, hashes 32 to 63.
pub(crate) const GAUR: usize = 0x120;
/// Hash table of group addresses, hashes 0 to 31.
pub(crate) const GALR: usize = 0x124;
/// Transmit FIFO watermark.
pub(crate) const TFWR: usize = 0x144;
/// Address of the receive descriptors; a multiple of 64.
pub(crate) const RDSR: usize = 0x180;
/// Address of the transmit descriptors; a multiple of 64.
pub(crate) const TDSR: usize = 0x184;
/// Length of the receive buffers in bytes; a multiple of 64.
pub(crate) const MRBR: usize = 0x188;
/// Level of the receive FIFO, in words of eight bytes, at which a PAUSE frame is sent; 0 = never.
pub(crate) const RSEM: usize = 0x194;
/// Length at which received frames are truncated.
pub(crate) const FTRL: usize = 0x1b0;
/// Transmit accelerator.
pub(crate) const TACC: usize = 0x1c0;
/// Receive accelerator.
pub(crate) const RACC: usize = 0x1c4;
/// Frames aborted after a late collision.
pub(crate) const IEEE_T_LCOL: usize = 0x25c;
/// Frames aborted after too many collisions.
pub(crate) const IEEE_T_EXCOL: usize = 0x260;
/// Frames of less than 64 bytes with a correct FCS.
pub(crate) const RMON_R_UNDERSIZE: usize = 0x294;
/// Frames of less than 64 bytes with a wrong FCS.
pub(crate) const RMON_R_FRAG: usize = 0x29c;
/// Frames lost because the receive FIFO was full.
pub(crate) const IEEE_R_MACERR: usize = 0x2d8;

/// The bit of [`RDAR`] and [`TDAR`].
pub(crate) const ACTIVE: u32 = 1 << 24;

/// Bits of [`EIR`] and [`EIMR`].
pub(crate) mod event {
    /// Graceful stop complete.
    pub(crate) const GRA: u32 = 1 << 28;
    /// Frame sent, and its last descriptor written.
    pub(crate) const TXF: u32 = 1 << 27;
    /// Frame received, and its last descriptor written.
    pub(crate) const RXF: u32 = 1 << 25;
    /// MII management frame complete.
    pub(crate) const MII: u32 = 1 << 23;
    /// A bus error stopped the DMA engine; ETHEREN is cleared.
    pub(crate) const EBERR: u32 = 1 << 22;
}

/// Bits of [`ECR`].
pub(crate) mod ecr {
    /// Reset of the MAC; clears itself.
    pub(crate) const RESET: u32 = 1 << 0;
    /// Enables the MAC. While it is 0, DMA engine and FIFOs are reset, and the DMA engine restarts
    /// at the first descriptors.
    pub(crate) const ETHEREN: u32 = 1 << 1;
    /// Little-endian descriptors.
    pub(crate) const DBSWP: u32 = 1 << 8;
}

/// Bits of [`MMFR`].
pub(crate) mod mmfr {
    /// Start of frame, clause 22, and turnaround.
    pub(crate) const FRAME: u32 = (0b01 << 30) | (0b10 << 16);
    /// Read.
    pub(crate) const READ: u32 = 0b10 << 28;
    /// Write.
    pub(crate) const WRITE: u32 = 0b01 << 28;
    /// Shift of the PHY's address.
    pub(crate) const PA: u32 = 23;
    /// Shift of the register's address.
    pub(crate) const RA: u32 = 18;
}

/// Bits of [`MIBC`].
pub(crate) mod mibc {
    /// Stops the counters.
    pub(crate) const DISABLE: u32 = 1 << 31;
    /// Clears the counters. Does not clear itself.
    pub(crate) const CLEAR: u32 = 1 << 29;
}

/// Bits of [`RCR`].
pub(crate) mod rcr {
    /// Shift of the longest frame, with FCS.
    pub(crate) const MAX_FL: u32 = 16;
    /// 10 Mbit/s on RMII.
    pub(crate) const RMII_10T: u32 = 1 << 9;
    /// RMII instead of MII.
    pub(crate) const RMII_MODE: u32 = 1 << 8;
    /// PAUSE frames are obeyed.
    pub(crate) const FCE: u32 = 1 << 5;
    /// Broadcast is rejected.
    pub(crate) const BC_REJ: u32 = 1 << 4;
    /// Promiscuous.
    pub(crate) const PROM: u32 = 1 << 3;
    /// MII or RMII; always set.
    pub(crate) const MII_MODE: u32 = 1 << 2;
    /// Own frames are not received: for half duplex.
    pub(crate) const DRT: u32 = 1 << 1;
    /// The bits that the driver compares when they are read back. QEMU's model has no RMII bits.
    pub(crate) const VERIFIED: u32 = 0x07ff << MAX_FL | FCE | BC_REJ | PROM | MII_MODE | DRT;
}

/// Bits of [`TCR`].
pub(crate) mod tcr {
    /// Full duplex. Changed only while ETHEREN is 0.
    pub(crate) const FDEN: u32 = 1 << 2;
    /// Graceful stop after the frame in transfer.
    pub(crate) const GTS: u32 = 1 << 0;
}

/// [`TFWR`]: store and forward. A frame is sent when it is completely in the FIFO, which therefore
/// cannot underrun.
pub(crate) const TFWR_STRFWD: u32 = 1 << 8;
/// [`RSEM`] for PAUSE frames: 1056 bytes.
pub(crate) const RSEM_PAUSE: u32 = 132;
/// [`OPD`]: duration of PAUSE in units of 512 bit times. A PAUSE frame with duration zero follows
/// when the FIFO has space.
pub(crate) const OPD_PAUSE: u32 = 0xfff0;

/// Descriptors in the legacy layout: one word of flags and length, one of the buffer's address.
pub(crate) mod bd {
    /// Owned by the DMA engine. Receive: empty. Transmit: ready.
    pub(crate) const DMA: u32 = 1 << 31;
    /// Last descriptor of the ring.
    pub(crate) const WRAP: u32 = 1 << 29;
    /// Last descriptor of its frame.
    pub(crate) const LAST: u32 = 1 << 27;
    /// Transmit: append the FCS.
    pub(crate) const TC: u32 = 1 << 26;
    /// Receive: frame longer than `MAX_FL`.
    pub(crate) const LG: u32 = 1 << 21;
    /// Receive: not a whole number of octets.
    pub(crate) const NO: u32 = 1 << 20;
    /// Receive: wrong FCS.
    pub(crate) const CR: u32 = 1 << 18;
    /// Receive: overrun. The other error bits are not valid then.
    pub(crate) const OV: u32 = 1 << 17;
    /// Receive: truncated.
    pub(crate) const TR: u32 = 1 << 16;
    /// Length of the buffer in bytes, or, in the last descriptor of a received frame, of the frame.
    pub(crate) const LENGTH: u32 = 0xffff;
    /// Any of the errors.
    pub(crate) const ERRORS: u32 = LG | NO | CR | OV | TR;
}
