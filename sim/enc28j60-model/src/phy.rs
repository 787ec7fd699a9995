//! The PHY and the MII that leads to it (DS39662E sections 3.3 and 9).

use core::time::Duration;

use crate::chip::Chip;
use crate::registers::{MICMD, MIRD, MIREGADR, MIWRL};
use crate::timer::{MiiAccess, Timer};
use crate::violations::ViolationKind;

/// Duration of one MII operation.
const MII_TIME: Duration = Duration::from_nanos(10_240);
/// Duration of a reset of the PHY. It clears its bit then.
const PHY_RESET_TIME: Duration = Duration::from_micros(20);

const PHCON1: u8 = 0x00;
const PHSTAT1: u8 = 0x01;
const PHID1: u8 = 0x02;
const PHID2: u8 = 0x03;
const PHCON2: u8 = 0x10;
const PHSTAT2: u8 = 0x11;
const PHIE: u8 = 0x12;
const PHIR: u8 = 0x13;
const PHLCON: u8 = 0x14;

/// Bits of PHCON1.
const PRST: u16 = 1 << 15;
const PLOOPBK: u16 = 1 << 14;
const PPWRSV: u16 = 1 << 11;
const PDPXMD: u16 = 1 << 8;
/// Bits of PHCON2.
const FRCLNK: u16 = 1 << 14;
const HDLDIS: u16 = 1 << 8;
/// Bits of PHSTAT1.
const LLSTAT: u16 = 1 << 2;
/// Bits of PHSTAT2.
const LSTAT: u16 = 1 << 10;
const DPXSTAT: u16 = 1 << 9;
/// Bits of PHIE.
const PLNKIE: u16 = 1 << 4;
const PGEIE: u16 = 1 << 1;
/// Bits of PHIR.
const PLNKIF: u16 = 1 << 4;
const PGIF: u16 = 1 << 2;

/// Bits of MICMD.
const MIIRD: u8 = 0x01;
const MIISCAN: u8 = 0x02;
/// Bits of MISTAT.
const BUSY: u8 = 0x01;
const SCAN: u8 = 0x02;
const NVALID: u8 = 0x04;

/// The PHY's registers, and the MII.
#[derive(Debug, Default)]
pub(crate) struct Phy {
    control_1: u16,
    control_2: u16,
    enabled: u16,
    flags: u16,
    leds: u16,
    /// PHSTAT1.LLSTAT: the link was not down since the register was read.
    linked_since_read: bool,
    /// Whether the PHY has a link.
    pub(crate) link: bool,
    /// Counts searches for a link partner.
    search: u64,
    busy: bool,
    scanning: bool,
    not_valid: bool,
    /// Counts MII operations, so that one that a reset cancelled does not end.
    operation: u64,
}

impl Phy {
    pub(crate) const fn is_full_duplex(&self) -> bool {
        self.control_1 & PDPXMD != 0
    }

    pub(crate) const fn is_loopback(&self) -> bool {
        self.control_1 & PLOOPBK != 0
    }

    pub(crate) const fn is_half_duplex_loopback_off(&self) -> bool {
        self.control_2 & HDLDIS != 0
    }

    pub(crate) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// EIR.LINKIF.
    pub(crate) const fn link_interrupt(&self) -> bool {
        self.flags & PGIF != 0 && self.enabled & PGEIE != 0
    }

    /// MISTAT.
    pub(crate) const fn status(&self) -> u8 {
        (if self.busy { BUSY } else { 0 })
            | (if self.scanning { SCAN } else { 0 })
            | (if self.not_valid { NVALID } else { 0 })
    }

    fn set_link(&mut self, up: bool) {
        if self.link == up {
            return;
        }
        self.link = up;
        self.linked_since_read &= up;
        self.flags |= PLNKIF;
        if self.enabled & PLNKIE != 0 {
            self.flags |= PGIF;
        }
    }

    /// The value of a register, without the side effects of a read.
    pub(crate) fn get(&self, address: u8) -> u16 {
        let flag = |bit: u16, set: bool| if set { bit } else { 0 };
        match address {
            PHCON1 => self.control_1,
            PHSTAT1 => 0x1800 | flag(LLSTAT, self.linked_since_read),
            PHID1 => 0x0083,
            PHID2 => 0x1400,
            PHCON2 => self.control_2,
            PHSTAT2 => flag(LSTAT, self.link) | flag(DPXSTAT, self.is_full_duplex()),
            PHIE => self.enabled,
            PHIR => self.flags,
            PHLCON => self.leds,
            _ => 0,
        }
    }

    /// A read over the MII, which clears latched bits.
    fn read(&mut self, address: u8) -> u16 {
        let value = self.get(address);
        match address {
            PHSTAT1 => self.linked_since_read = self.link,
            PHIR => self.flags = 0,
            _ => {}
        }
        value
    }
}

/// The bits that a host may set in a PHY register, and those that it must set.
const fn writable(address: u8) -> (u16, u16) {
    match address {
        PHCON1 => (PRST | PLOOPBK | PPWRSV | PDPXMD, 0),
        PHCON2 => (0x6500, 0),
        PHIE => (PLNKIE | PGEIE, 0),
        PHLCON => (0x3ffe, 0x3000),
        _ => (0, 0),
    }
}

impl Phy {
    /// MICMD was written.
    pub(crate) fn command(&mut self, chip: &mut Chip, old: u8, new: u8) {
        let rises = new & !old;
        if rises != 0 && self.busy {
            chip.violation(ViolationKind::MiiBusy, "a command during an operation");
            return;
        }
        if new & MIISCAN == 0 {
            self.scanning = false;
        }
        if rises & (MIIRD | MIISCAN) != 0 {
            self.scanning = new & MIISCAN != 0;
            self.not_valid = self.scanning;
            self.start_read(chip);
        }
    }

    fn start_read(&mut self, chip: &mut Chip) {
        let address = chip.registers.get(MIREGADR);
        self.start(chip, MiiAccess::Read(address));
    }

    /// MIWRH was written.
    pub(crate) fn start_write(&mut self, chip: &mut Chip) {
        if self.busy {
            chip.violation(ViolationKind::MiiBusy, "MIWRH during an operation");
            return;
        }
        let address = chip.registers.get(MIREGADR);
        let value = chip.registers.word(MIWRL);
        let (may, must) = writable(address);
        if value & !may != 0 || value & must != must {
            chip.violation(
                ViolationKind::ReservedBits,
                format!("{value:#06x} to PHY register {address:#04x}: writable {may:#06x}, required {must:#06x}"),
            );
        }
        self.start(chip, MiiAccess::Write(address, value & may));
    }

    fn start(&mut self, chip: &mut Chip, access: MiiAccess) {
        self.busy = true;
        self.operation += 1;
        let operation = self.operation;
        chip.cx.timer_in(MII_TIME, Timer::MiiDone { operation, access });
    }

    /// An MII operation ends, unless a reset cancelled it.
    pub(crate) fn mii_done(&mut self, chip: &mut Chip, operation: u64, access: MiiAccess) {
        if self.operation != operation {
            return;
        }
        self.busy = false;
        match access {
            MiiAccess::Read(address) => {
                let value = self.read(address);
                chip.registers.set_word(MIRD, value);
                self.not_valid = false;
                if self.scanning && chip.registers.has(MICMD, MIISCAN) {
                    self.start_read(chip);
                }
            }
            MiiAccess::Write(address, value) => self.write(chip, address, value),
        }
    }

    fn write(&mut self, chip: &mut Chip, address: u8, value: u16) {
        match address {
            PHCON1 if value & PRST != 0 => {
                self.reset(chip);
                self.control_1 |= PRST;
                let operation = self.operation;
                chip.cx.timer_in(PHY_RESET_TIME, Timer::PhyResetDone { operation });
            }
            PHCON1 => {
                let slept = self.control_1 & PPWRSV != 0;
                self.control_1 = value;
                if slept != (value & PPWRSV != 0) {
                    self.restart_link(chip);
                }
            }
            PHCON2 => {
                self.control_2 = value;
                if value & FRCLNK != 0 {
                    self.set_link(true);
                } else {
                    self.cable_changed(chip);
                }
            }
            PHIE => self.enabled = value,
            PHLCON => self.leds = value,
            _ => {}
        }
    }

    /// PHCON1.PRST reads 0 again.
    pub(crate) const fn reset_done(&mut self, operation: u64) {
        if self.operation >= operation {
            self.control_1 &= !PRST;
        }
    }

    /// Resets all registers of the PHY.
    pub(crate) fn reset(&mut self, chip: &mut Chip) {
        let strap = if chip.cx.config.errata.e16_duplex_strap {
            chip.rng.strap.chance(0.5)
        } else {
            chip.cx.config.full_duplex_strap
        };
        *self = Self {
            control_1: if strap { PDPXMD } else { 0 },
            leds: 0x3422,
            search: self.search,
            operation: self.operation + 1,
            ..Self::default()
        };
        self.restart_link(chip);
    }

    /// Drops the link and searches for a link partner.
    pub(crate) fn restart_link(&mut self, chip: &mut Chip) {
        self.search += 1;
        self.set_link(false);
        if self.control_1 & PPWRSV == 0 && !chip.power.asleep {
            let search = self.search;
            let time = chip.cx.config.link_time;
            chip.cx.timer_in(time, Timer::LinkReady { search });
        }
    }

    /// The search ends, unless a later one was started.
    pub(crate) fn link_ready(&mut self, chip: &Chip, search: u64) {
        if self.search == search && chip.port.link().is_up() {
            self.set_link(true);
        }
    }

    /// The cable was plugged in or unplugged.
    pub(crate) fn cable_changed(&mut self, chip: &mut Chip) {
        let up = chip.port.link().is_up();
        if self.control_2 & FRCLNK != 0 || up == self.link {
            return;
        }
        self.restart_link(chip);
    }

    /// Records a violation where the duplex modes of MAC and PHY differ.
    pub(crate) fn check_duplex(&self, chip: &mut Chip) {
        let mac = chip.is_full_duplex();
        if mac != self.is_full_duplex() {
            chip.violation(
                ViolationKind::DuplexMismatch,
                format!("MACON3.FULDPX is {}, PHCON1.PDPXMD is not", u8::from(mac)),
            );
        }
    }
}
