//! Register definitions: bank, address and kind (DS39662E section 3, tables 3-1 to 3-3).
//!
//! The kind is the type: what can be done to a register follows from it, so that a MAC or MII
//! register cannot be read without its dummy byte, and ECON1 cannot be written as a whole, which
//! would cancel or repeat a transmission.

/// One of the five registers that every bank has. Only single bits of them are ever changed (BFS,
/// BFC).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Common(pub(crate) u8);

/// An ETH register of one bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Eth {
    pub(crate) bank: u8,
    pub(crate) address: u8,
}

/// Two ETH registers that hold one value, low byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) low: Eth,
    pub(crate) high: Eth,
}

/// A MAC or MII register: a dummy byte comes before its value, and CS has to be held after the last
/// bit of it (table 16-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mac {
    pub(crate) bank: u8,
    pub(crate) address: u8,
}

/// A register of the PHY, reached through the MII registers (table 3-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Phy(pub(crate) u8);

const fn pair(bank: u8, low: u8) -> Pair {
    Pair {
        low: Eth { bank, address: low },
        high: Eth { bank, address: low + 1 },
    }
}

const fn eth(bank: u8, address: u8) -> Eth {
    Eth { bank, address }
}

const fn mac(bank: u8, address: u8) -> Mac {
    Mac { bank, address }
}

pub(crate) const EIE: Common = Common(0x1b);
pub(crate) const EIR: Common = Common(0x1c);
pub(crate) const ESTAT: Common = Common(0x1d);
pub(crate) const ECON2: Common = Common(0x1e);
pub(crate) const ECON1: Common = Common(0x1f);

pub(crate) const ERDPT: Pair = pair(0, 0x00);
pub(crate) const EWRPT: Pair = pair(0, 0x02);
pub(crate) const ETXST: Pair = pair(0, 0x04);
pub(crate) const ETXND: Pair = pair(0, 0x06);
pub(crate) const ERXST: Pair = pair(0, 0x08);
pub(crate) const ERXND: Pair = pair(0, 0x0a);
pub(crate) const ERXRDPT: Pair = pair(0, 0x0c);
pub(crate) const ERXWRPT: Pair = pair(0, 0x0e);

/// EHT0; the other seven follow.
pub(crate) const EHT0: Eth = eth(1, 0x00);
pub(crate) const ERXFCON: Eth = eth(1, 0x18);
pub(crate) const EPKTCNT: Eth = eth(1, 0x19);

pub(crate) const MACON1: Mac = mac(2, 0x00);
pub(crate) const MACON3: Mac = mac(2, 0x02);
pub(crate) const MACON4: Mac = mac(2, 0x03);
pub(crate) const MABBIPG: Mac = mac(2, 0x04);
pub(crate) const MAIPGL: Mac = mac(2, 0x06);
pub(crate) const MAIPGH: Mac = mac(2, 0x07);
pub(crate) const MACLCON2: Mac = mac(2, 0x09);
pub(crate) const MAMXFLL: Mac = mac(2, 0x0a);
pub(crate) const MAMXFLH: Mac = mac(2, 0x0b);
pub(crate) const MICMD: Mac = mac(2, 0x12);
pub(crate) const MIREGADR: Mac = mac(2, 0x14);
pub(crate) const MIWRL: Mac = mac(2, 0x16);
pub(crate) const MIWRH: Mac = mac(2, 0x17);
pub(crate) const MIRDL: Mac = mac(2, 0x18);
pub(crate) const MIRDH: Mac = mac(2, 0x19);

/// The MAC address, first octet on the wire first. The data sheet's numbers and their addresses are
/// not in the same order.
pub(crate) const MAADR: [Mac; 6] = [
    mac(3, 0x04),
    mac(3, 0x05),
    mac(3, 0x02),
    mac(3, 0x03),
    mac(3, 0x00),
    mac(3, 0x01),
];
pub(crate) const MISTAT: Mac = mac(3, 0x0a);
pub(crate) const EREVID: Eth = eth(3, 0x12);
pub(crate) const ECOCON: Eth = eth(3, 0x15);

pub(crate) const PHCON1: Phy = Phy(0x00);
pub(crate) const PHID1: Phy = Phy(0x02);
pub(crate) const PHID2: Phy = Phy(0x03);
pub(crate) const PHCON2: Phy = Phy(0x10);
pub(crate) const PHSTAT2: Phy = Phy(0x11);
pub(crate) const PHIE: Phy = Phy(0x12);
pub(crate) const PHIR: Phy = Phy(0x13);
pub(crate) const PHLCON: Phy = Phy(0x14);

/// EIE (register 12-2).
pub(crate) mod eie {
    pub(crate) const INTIE: u8 = 1 << 7;
    pub(crate) const PKTIE: u8 = 1 << 6;
    pub(crate) const LINKIE: u8 = 1 << 4;
    pub(crate) const TXIE: u8 = 1 << 3;
    pub(crate) const TXERIE: u8 = 1 << 1;
}

/// EIR (register 12-3).
pub(crate) mod eir {
    pub(crate) const DMAIF: u8 = 1 << 5;
    pub(crate) const LINKIF: u8 = 1 << 4;
    pub(crate) const TXIF: u8 = 1 << 3;
    pub(crate) const TXERIF: u8 = 1 << 1;
    pub(crate) const RXERIF: u8 = 1 << 0;
}

/// ESTAT (register 12-1).
pub(crate) mod estat {
    pub(crate) const BUFER: u8 = 1 << 6;
    pub(crate) const LATECOL: u8 = 1 << 4;
    /// Unimplemented, reads 0: a 1 is a chip in reset or a bus without one.
    pub(crate) const ZERO: u8 = 1 << 3;
    pub(crate) const RXBUSY: u8 = 1 << 2;
    pub(crate) const TXABRT: u8 = 1 << 1;
    pub(crate) const CLKRDY: u8 = 1 << 0;
}

/// ECON2 (register 3-2).
pub(crate) mod econ2 {
    pub(crate) const AUTOINC: u8 = 1 << 7;
    pub(crate) const PKTDEC: u8 = 1 << 6;
    pub(crate) const PWRSV: u8 = 1 << 5;
    pub(crate) const VRPS: u8 = 1 << 3;
}

/// ECON1 (register 3-1).
pub(crate) mod econ1 {
    pub(crate) const TXRST: u8 = 1 << 7;
    pub(crate) const RXRST: u8 = 1 << 6;
    pub(crate) const TXRTS: u8 = 1 << 3;
    pub(crate) const RXEN: u8 = 1 << 2;
    pub(crate) const BSEL: u8 = 0b11;
}

/// ERXFCON (register 8-1).
pub(crate) mod erxfcon {
    pub(crate) const UCEN: u8 = 1 << 7;
    pub(crate) const CRCEN: u8 = 1 << 5;
    pub(crate) const HTEN: u8 = 1 << 2;
    pub(crate) const MCEN: u8 = 1 << 1;
    pub(crate) const BCEN: u8 = 1 << 0;
}

/// MACON1 (register 6-1).
pub(crate) mod macon1 {
    pub(crate) const TXPAUS: u8 = 1 << 3;
    pub(crate) const RXPAUS: u8 = 1 << 2;
    pub(crate) const MARXEN: u8 = 1 << 0;
}

/// MACON3 (register 6-2).
pub(crate) mod macon3 {
    /// PADCFG = 001: pad to 60 bytes and append an FCS.
    pub(crate) const PAD_60: u8 = 0b001 << 5;
    pub(crate) const TXCRCEN: u8 = 1 << 4;
    pub(crate) const FRMLNEN: u8 = 1 << 1;
    pub(crate) const FULDPX: u8 = 1 << 0;
}

/// MACON4 (register 6-3).
pub(crate) mod macon4 {
    pub(crate) const DEFER: u8 = 1 << 6;
}

/// MICMD (register 3-3) and MISTAT (register 3-4).
pub(crate) mod mii {
    pub(crate) const MIIRD: u8 = 1 << 0;
    pub(crate) const BUSY: u8 = 1 << 0;
}

/// The PHY's bits (registers 11-1 to 11-4, 12-4, 12-5).
pub(crate) mod phy {
    pub(crate) const PHCON1_PDPXMD: u16 = 1 << 8;
    /// PRST, PLOOPBK, PPWRSV, PDPXMD: the others are reserved.
    pub(crate) const PHCON1_NAMED: u16 = 0xc900;
    pub(crate) const PHCON2_HDLDIS: u16 = 1 << 8;
    /// FRCLNK, TXDIS, JABBER, HDLDIS.
    pub(crate) const PHCON2_NAMED: u16 = 0x6500;
    pub(crate) const PHSTAT2_LSTAT: u16 = 1 << 10;
    pub(crate) const PHIE_PLNKIE: u16 = 1 << 4;
    pub(crate) const PHIE_PGEIE: u16 = 1 << 1;
    pub(crate) const PHLCON_RESERVED_ONES: u16 = 0b11 << 12;
    pub(crate) const PHLCON_STRCH: u16 = 1 << 1;
    pub(crate) const ID1: u16 = 0x0083;
    pub(crate) const ID2: u16 = 0x1400;
}

/// The control byte in front of each frame to send (figure 7-1).
pub(crate) mod txcontrol {
    /// MACON3 decides.
    pub(crate) const BY_MACON3: u8 = 0x00;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maadr_addresses_match_table_3_1() {
        // Table 3-1: MAADR5, 6, 3, 4, 1, 2 at 00h to 05h of bank 3.
        assert_eq!(
            MAADR.map(|r| (r.bank, r.address)),
            [(3, 4), (3, 5), (3, 2), (3, 3), (3, 0), (3, 1)]
        );
    }

    #[test]
    fn addresses_below_reserved_1ah() {
        for reg in [ERXFCON, EPKTCNT, EREVID, ECOCON, EHT0] {
            assert!(reg.address < 0x1a);
        }
        for pair in [ERDPT, EWRPT, ETXST, ETXND, ERXST, ERXND, ERXRDPT, ERXWRPT] {
            assert_eq!((pair.low.address % 2, pair.high.address), (0, pair.low.address + 1));
        }
    }
}
