//! The control registers: addresses, bits and reset values (DS39662E section 3.1).

/// A control register, or the low half of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reg {
    pub(crate) bank: usize,
    pub(crate) addr: usize,
}

const fn reg(bank: usize, addr: usize) -> Reg {
    Reg { bank, addr }
}

/// From this address on, a register is the same in every bank.
pub(crate) const COMMON: usize = 0x1b;

pub(crate) const ERDPT: Reg = reg(0, 0x00);
pub(crate) const EWRPT: Reg = reg(0, 0x02);
pub(crate) const ETXST: Reg = reg(0, 0x04);
pub(crate) const ETXND: Reg = reg(0, 0x06);
pub(crate) const ERXST: Reg = reg(0, 0x08);
pub(crate) const ERXND: Reg = reg(0, 0x0a);
pub(crate) const ERXRDPT: Reg = reg(0, 0x0c);
pub(crate) const ERXWRPT: Reg = reg(0, 0x0e);
pub(crate) const EDMAST: Reg = reg(0, 0x10);
pub(crate) const EDMAND: Reg = reg(0, 0x12);
pub(crate) const EDMADST: Reg = reg(0, 0x14);
pub(crate) const EDMACS: Reg = reg(0, 0x16);
pub(crate) const EIE: Reg = reg(0, 0x1b);
pub(crate) const EIR: Reg = reg(0, 0x1c);
pub(crate) const ESTAT: Reg = reg(0, 0x1d);
pub(crate) const ECON2: Reg = reg(0, 0x1e);
pub(crate) const ECON1: Reg = reg(0, 0x1f);
pub(crate) const EHT0: Reg = reg(1, 0x00);
pub(crate) const EPMM0: Reg = reg(1, 0x08);
pub(crate) const EPMCS: Reg = reg(1, 0x10);
pub(crate) const EPMO: Reg = reg(1, 0x14);
pub(crate) const ERXFCON: Reg = reg(1, 0x18);
pub(crate) const EPKTCNT: Reg = reg(1, 0x19);
pub(crate) const MACON1: Reg = reg(2, 0x00);
pub(crate) const MACON3: Reg = reg(2, 0x02);
pub(crate) const MACON4: Reg = reg(2, 0x03);
pub(crate) const MACLCON1: Reg = reg(2, 0x08);
pub(crate) const MAMXFL: Reg = reg(2, 0x0a);
pub(crate) const MICMD: Reg = reg(2, 0x12);
pub(crate) const MIREGADR: Reg = reg(2, 0x14);
pub(crate) const MIWRL: Reg = reg(2, 0x16);
pub(crate) const MIWRH: Reg = reg(2, 0x17);
pub(crate) const MIRD: Reg = reg(2, 0x18);
/// Fifth octet of the MAC address. In wire order the six are at 4, 5, 2, 3, 0 and 1 of this bank.
pub(crate) const MAADR5: Reg = reg(3, 0x00);
pub(crate) const MISTAT: Reg = reg(3, 0x0a);
pub(crate) const EREVID: Reg = reg(3, 0x12);
pub(crate) const ECOCON: Reg = reg(3, 0x15);
pub(crate) const EFLOCON: Reg = reg(3, 0x17);

/// Bits of ECON1.
pub(crate) mod econ1 {
    pub(crate) const TXRST: u8 = 0x80;
    pub(crate) const RXRST: u8 = 0x40;
    pub(crate) const DMAST: u8 = 0x20;
    pub(crate) const CSUMEN: u8 = 0x10;
    pub(crate) const TXRTS: u8 = 0x08;
    pub(crate) const RXEN: u8 = 0x04;
    pub(crate) const BSEL: u8 = 0x03;
}

/// Bits of ECON2.
pub(crate) mod econ2 {
    pub(crate) const AUTOINC: u8 = 0x80;
    pub(crate) const PKTDEC: u8 = 0x40;
    pub(crate) const PWRSV: u8 = 0x20;
}

/// Bits of EIR, and of EIE at the same places.
pub(crate) mod eir {
    /// EIE only.
    pub(crate) const INTIE: u8 = 0x80;
    pub(crate) const PKTIF: u8 = 0x40;
    pub(crate) const DMAIF: u8 = 0x20;
    pub(crate) const LINKIF: u8 = 0x10;
    pub(crate) const TXIF: u8 = 0x08;
    pub(crate) const TXERIF: u8 = 0x02;
    pub(crate) const RXERIF: u8 = 0x01;
}

/// Bits of ESTAT.
pub(crate) mod estat {
    pub(crate) const INT: u8 = 0x80;
    pub(crate) const BUFER: u8 = 0x40;
    pub(crate) const LATECOL: u8 = 0x10;
    pub(crate) const RXBUSY: u8 = 0x04;
    pub(crate) const TXABRT: u8 = 0x02;
    pub(crate) const CLKRDY: u8 = 0x01;
}

/// Bits of MACON3.
pub(crate) mod macon3 {
    pub(crate) const FRMLNEN: u8 = 0x02;
    pub(crate) const HFRMEN: u8 = 0x04;
}

/// Which part of the chip a register belongs to, which decides how it is accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ethernet: no dummy byte, bit fields work.
    Eth,
    /// MAC: a dummy byte, 210 ns of hold time.
    Mac,
    /// MII: as MAC.
    Mii,
    /// Reserved; accessed as MAC.
    ReservedMac,
    /// Reserved.
    Reserved,
    /// Unimplemented: reads 0, ignores writes.
    Absent,
}

impl Kind {
    pub(crate) const fn is_slow(self) -> bool {
        matches!(self, Self::Mac | Self::Mii | Self::ReservedMac)
    }

    pub(crate) const fn is_register(self) -> bool {
        matches!(self, Self::Eth | Self::Mac | Self::Mii)
    }
}

/// What is at one address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Bits that a host may set to 1.
    pub(crate) writable: u8,
    /// Implemented bits that a host cannot change.
    pub(crate) read_only: u8,
    pub(crate) reset: u8,
}

const ABSENT: Spec = Spec {
    name: "nothing",
    kind: Kind::Absent,
    writable: 0,
    read_only: 0,
    reset: 0,
};

type Table = [[Spec; 32]; 4];

struct Builder {
    table: Table,
    bank: usize,
}

impl Builder {
    const fn row(
        mut self,
        addr: usize,
        name: &'static str,
        kind: Kind,
        writable: u8,
        read_only: u8,
        reset: u8,
    ) -> Self {
        self.table[self.bank][addr] = Spec {
            name,
            kind,
            writable,
            read_only,
            reset,
        };
        self
    }

    const fn eth(self, addr: usize, name: &'static str, writable: u8, reset: u8) -> Self {
        self.row(addr, name, Kind::Eth, writable, 0, reset)
    }

    const fn read_only(self, addr: usize, name: &'static str, bits: u8, reset: u8) -> Self {
        self.row(addr, name, Kind::Eth, 0, bits, reset)
    }

    const fn mac(self, addr: usize, name: &'static str, writable: u8, reset: u8) -> Self {
        self.row(addr, name, Kind::Mac, writable, 0, reset)
    }

    const fn mii(self, addr: usize, name: &'static str, writable: u8, read_only: u8) -> Self {
        self.row(addr, name, Kind::Mii, writable, read_only, 0)
    }

    const fn reserved(self, addr: usize, kind: Kind) -> Self {
        self.row(addr, "a reserved register", kind, 0, 0, 0)
    }

    /// A pointer into the buffer memory: 13 bits.
    const fn pointer(self, addr: usize, low: &'static str, high: &'static str, reset: u16) -> Self {
        self.eth(addr, low, 0xff, reset as u8)
            .eth(addr + 1, high, 0x1f, (reset >> 8) as u8)
    }

    const fn bank(mut self, bank: usize) -> Self {
        self.bank = bank;
        self.reserved(0x1a, Kind::Reserved)
            .eth(0x1b, "EIE", 0xfb, 0x00)
            .row(0x1c, "EIR", Kind::Eth, 0x2b, 0x50, 0x00)
            .row(0x1d, "ESTAT", Kind::Eth, 0x52, 0x85, 0x00)
            .eth(0x1e, "ECON2", 0xe8, 0x80)
            .eth(0x1f, "ECON1", 0xff, 0x00)
    }
}

/// DS39662E tables 3-1 and 3-2.
pub(crate) static TABLE: Table = Builder {
    table: [[ABSENT; 32]; 4],
    bank: 0,
}
.bank(0)
.pointer(0x00, "ERDPTL", "ERDPTH", 0x05fa)
.pointer(0x02, "EWRPTL", "EWRPTH", 0)
.pointer(0x04, "ETXSTL", "ETXSTH", 0)
.pointer(0x06, "ETXNDL", "ETXNDH", 0)
.pointer(0x08, "ERXSTL", "ERXSTH", 0x05fa)
.pointer(0x0a, "ERXNDL", "ERXNDH", 0x1fff)
.pointer(0x0c, "ERXRDPTL", "ERXRDPTH", 0x05fa)
.read_only(0x0e, "ERXWRPTL", 0xff, 0)
.read_only(0x0f, "ERXWRPTH", 0x1f, 0)
.pointer(0x10, "EDMASTL", "EDMASTH", 0)
.pointer(0x12, "EDMANDL", "EDMANDH", 0)
.pointer(0x14, "EDMADSTL", "EDMADSTH", 0)
.read_only(0x16, "EDMACSL", 0xff, 0)
.read_only(0x17, "EDMACSH", 0xff, 0)
.bank(1)
.eth(0x00, "EHT0", 0xff, 0)
.eth(0x01, "EHT1", 0xff, 0)
.eth(0x02, "EHT2", 0xff, 0)
.eth(0x03, "EHT3", 0xff, 0)
.eth(0x04, "EHT4", 0xff, 0)
.eth(0x05, "EHT5", 0xff, 0)
.eth(0x06, "EHT6", 0xff, 0)
.eth(0x07, "EHT7", 0xff, 0)
.eth(0x08, "EPMM0", 0xff, 0)
.eth(0x09, "EPMM1", 0xff, 0)
.eth(0x0a, "EPMM2", 0xff, 0)
.eth(0x0b, "EPMM3", 0xff, 0)
.eth(0x0c, "EPMM4", 0xff, 0)
.eth(0x0d, "EPMM5", 0xff, 0)
.eth(0x0e, "EPMM6", 0xff, 0)
.eth(0x0f, "EPMM7", 0xff, 0)
.eth(0x10, "EPMCSL", 0xff, 0)
.eth(0x11, "EPMCSH", 0xff, 0)
.pointer(0x14, "EPMOL", "EPMOH", 0)
.reserved(0x16, Kind::Reserved)
.reserved(0x17, Kind::Reserved)
.eth(0x18, "ERXFCON", 0xff, 0xa1)
.read_only(0x19, "EPKTCNT", 0xff, 0)
.bank(2)
.mac(0x00, "MACON1", 0x0f, 0)
.reserved(0x01, Kind::ReservedMac)
.mac(0x02, "MACON3", 0xff, 0)
.mac(0x03, "MACON4", 0x70, 0)
.mac(0x04, "MABBIPG", 0x7f, 0)
.mac(0x06, "MAIPGL", 0x7f, 0)
.mac(0x07, "MAIPGH", 0x7f, 0)
.mac(0x08, "MACLCON1", 0x0f, 0x0f)
.mac(0x09, "MACLCON2", 0x3f, 0x37)
.mac(0x0a, "MAMXFLL", 0xff, 0x00)
.mac(0x0b, "MAMXFLH", 0xff, 0x06)
.reserved(0x0c, Kind::ReservedMac)
.reserved(0x0d, Kind::ReservedMac)
.reserved(0x0e, Kind::ReservedMac)
.reserved(0x10, Kind::ReservedMac)
.reserved(0x11, Kind::ReservedMac)
.mii(0x12, "MICMD", 0x03, 0)
.mii(0x14, "MIREGADR", 0x1f, 0)
.reserved(0x15, Kind::ReservedMac)
.mii(0x16, "MIWRL", 0xff, 0)
.mii(0x17, "MIWRH", 0xff, 0)
.mii(0x18, "MIRDL", 0, 0xff)
.mii(0x19, "MIRDH", 0, 0xff)
.bank(3)
.mac(0x00, "MAADR5", 0xff, 0)
.mac(0x01, "MAADR6", 0xff, 0)
.mac(0x02, "MAADR3", 0xff, 0)
.mac(0x03, "MAADR4", 0xff, 0)
.mac(0x04, "MAADR1", 0xff, 0)
.mac(0x05, "MAADR2", 0xff, 0)
.eth(0x06, "EBSTSD", 0xff, 0)
.eth(0x07, "EBSTCON", 0xff, 0)
.read_only(0x08, "EBSTCSL", 0xff, 0)
.read_only(0x09, "EBSTCSH", 0xff, 0)
.mii(0x0a, "MISTAT", 0, 0x07)
.read_only(0x12, "EREVID", 0x1f, 0)
.eth(0x15, "ECOCON", 0x07, 0x04)
.row(0x17, "EFLOCON", Kind::Eth, 0x03, 0x04, 0)
.eth(0x18, "EPAUSL", 0xff, 0x00)
.eth(0x19, "EPAUSH", 0xff, 0x10)
.table;

/// The contents of the control registers.
#[derive(Debug, Clone)]
pub(crate) struct Registers([[u8; 32]; 4]);

impl Registers {
    pub(crate) fn reset() -> Self {
        Self(core::array::from_fn(|bank| {
            core::array::from_fn(|addr| TABLE[bank][addr].reset)
        }))
    }

    pub(crate) fn get(&self, reg: Reg) -> u8 {
        self.at(reg.bank, reg.addr)
    }

    pub(crate) fn set(&mut self, reg: Reg, value: u8) {
        self.put(reg.bank, reg.addr, value);
    }

    pub(crate) fn at(&self, bank: usize, addr: usize) -> u8 {
        self.0[home(bank, addr)][addr]
    }

    pub(crate) fn put(&mut self, bank: usize, addr: usize, value: u8) {
        self.0[home(bank, addr)][addr] = value;
    }

    /// A pair of registers.
    pub(crate) fn word(&self, low: Reg) -> u16 {
        u16::from_le_bytes([self.get(low), self.at(low.bank, low.addr + 1)])
    }

    pub(crate) fn set_word(&mut self, low: Reg, value: u16) {
        let [l, h] = value.to_le_bytes();
        self.set(low, l);
        self.put(low.bank, low.addr + 1, h);
    }

    pub(crate) fn has(&self, reg: Reg, bits: u8) -> bool {
        self.get(reg) & bits != 0
    }

    pub(crate) fn raise(&mut self, reg: Reg, bits: u8) {
        self.set(reg, self.get(reg) | bits);
    }

    pub(crate) fn clear(&mut self, reg: Reg, bits: u8) {
        self.set(reg, self.get(reg) & !bits);
    }

    /// The MAC address in wire order.
    pub(crate) fn station(&self) -> [u8; 6] {
        [4, 5, 2, 3, 0, 1].map(|addr| self.at(MAADR5.bank, addr))
    }
}

/// The bank in which an address is stored.
const fn home(bank: usize, addr: usize) -> usize {
    if addr >= COMMON { 0 } else { bank }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_registers_match_table() {
        let named = [
            (ERDPT, "ERDPTL"),
            (ETXND, "ETXNDL"),
            (ERXRDPT, "ERXRDPTL"),
            (ERXWRPT, "ERXWRPTL"),
            (EDMACS, "EDMACSL"),
            (EIE, "EIE"),
            (ECON1, "ECON1"),
            (EPMM0, "EPMM0"),
            (EPMCS, "EPMCSL"),
            (EPMO, "EPMOL"),
            (ERXFCON, "ERXFCON"),
            (EPKTCNT, "EPKTCNT"),
            (MACON4, "MACON4"),
            (MACLCON1, "MACLCON1"),
            (MAMXFL, "MAMXFLL"),
            (MICMD, "MICMD"),
            (MIREGADR, "MIREGADR"),
            (MIWRH, "MIWRH"),
            (MIRD, "MIRDL"),
            (MAADR5, "MAADR5"),
            (MISTAT, "MISTAT"),
            (EREVID, "EREVID"),
            (ECOCON, "ECOCON"),
            (EFLOCON, "EFLOCON"),
        ];
        for (reg, name) in named {
            assert_eq!(TABLE[reg.bank][reg.addr].name, name);
        }
    }

    #[test]
    fn register_kind_matches_name_prefix() {
        for spec in TABLE.iter().flatten().filter(|spec| spec.kind.is_register()) {
            let by_name = match &spec.name[..2] {
                "MA" => Kind::Mac,
                "MI" => Kind::Mii,
                _ => Kind::Eth,
            };
            assert_eq!(spec.kind, by_name, "{}", spec.name);
        }
    }

    #[test]
    fn reset_values_fit_implemented_bits() {
        for spec in TABLE.iter().flatten() {
            assert_eq!(spec.reset & !(spec.writable | spec.read_only), 0, "{}", spec.name);
            assert_eq!(spec.writable & spec.read_only, 0, "{}", spec.name);
        }
    }
}
