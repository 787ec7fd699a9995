//! The PHY and the MII that leads to it (DS39662E sections 3.3 and 9).

use core::time::Duration;

use super::ViolationKind;
use super::hardware::Model;
use super::registers::{MICMD, MIRD, MIREGADR, MIWRL};

/// What one MII operation takes.
const MII_TIME: Duration = Duration::from_nanos(10_240);
/// What a reset of the PHY takes at most; it clears its bit then.
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
pub(super) struct Phy {
    control_1: u16,
    control_2: u16,
    enabled: u16,
    flags: u16,
    leds: u16,
    /// PHSTAT1.LLSTAT: the link was never down since it was read.
    linked_since_read: bool,
    /// The link as the PHY has it.
    pub(super) link: bool,
    /// Counts changes of what the link depends on.
    link_turn: u64,
    busy: bool,
    scanning: bool,
    not_valid: bool,
    /// Counts MII operations, so that one that a reset cut off does not end.
    turn: u64,
}

impl Phy {
    pub(super) const fn is_full_duplex(&self) -> bool {
        self.control_1 & PDPXMD != 0
    }

    pub(super) const fn is_loopback(&self) -> bool {
        self.control_1 & PLOOPBK != 0
    }

    pub(super) const fn is_half_duplex_loopback_off(&self) -> bool {
        self.control_2 & HDLDIS != 0
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.busy
    }

    /// EIR.LINKIF.
    pub(super) const fn link_interrupt(&self) -> bool {
        self.flags & PGIF != 0 && self.enabled & PGEIE != 0
    }

    /// MISTAT.
    pub(super) const fn status(&self) -> u8 {
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

    fn get(&self, address: u8) -> u16 {
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

    /// As read over the MII, which clears what latches.
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

/// Bits that a host may set in a PHY register, and those that it has to.
const fn writable(address: u8) -> (u16, u16) {
    match address {
        PHCON1 => (PRST | PLOOPBK | PPWRSV | PDPXMD, 0),
        PHCON2 => (0x6500, 0),
        PHIE => (PLNKIE | PGEIE, 0),
        PHLCON => (0x3ffe, 0x3000),
        _ => (0, 0),
    }
}

impl Model {
    pub(super) fn peek_phy(&self, address: u8) -> u16 {
        self.phy.get(address)
    }

    /// MICMD was written.
    pub(super) fn mii_command(&mut self, old: u8, new: u8) {
        let rises = new & !old;
        if rises != 0 && self.phy.busy {
            self.violation(ViolationKind::MiiBusy, "a command during an operation");
            return;
        }
        if new & MIISCAN == 0 {
            self.phy.scanning = false;
        }
        if rises & (MIIRD | MIISCAN) != 0 {
            self.phy.scanning = new & MIISCAN != 0;
            self.phy.not_valid = self.phy.scanning;
            self.start_mii_read();
        }
    }

    fn start_mii_read(&mut self) {
        let address = self.registers.get(MIREGADR);
        self.occupy_mii(move |chip| {
            let value = chip.phy.read(address);
            chip.registers.set_word(MIRD, value);
            chip.phy.not_valid = false;
            if chip.phy.scanning && chip.registers.has(MICMD, MIISCAN) {
                chip.start_mii_read();
            }
        });
    }

    /// MIWRH was written.
    pub(super) fn mii_write(&mut self) {
        if self.phy.busy {
            self.violation(ViolationKind::MiiBusy, "MIWRH during an operation");
            return;
        }
        let address = self.registers.get(MIREGADR);
        let value = self.registers.word(MIWRL);
        let (may, must) = writable(address);
        if value & !may != 0 || value & must != must {
            self.violation(
                ViolationKind::ReservedBits,
                format!("{value:#06x} to PHY register {address:#04x}: it takes {may:#06x}, and needs {must:#06x}"),
            );
        }
        self.occupy_mii(move |chip| chip.write_phy(address, value & may));
    }

    fn occupy_mii(&mut self, then: impl FnOnce(&mut Self) + 'static) {
        self.phy.busy = true;
        self.phy.turn += 1;
        let turn = self.phy.turn;
        self.later(self.clock.now() + MII_TIME, move |chip| {
            if chip.phy.turn == turn {
                chip.phy.busy = false;
                then(chip);
            }
        });
    }

    fn write_phy(&mut self, address: u8, value: u16) {
        match address {
            PHCON1 if value & PRST != 0 => {
                self.reset_phy();
                self.phy.control_1 |= PRST;
                let turn = self.phy.turn;
                self.later(self.clock.now() + PHY_RESET_TIME, move |chip| {
                    if chip.phy.turn >= turn {
                        chip.phy.control_1 &= !PRST;
                    }
                });
            }
            PHCON1 => {
                let slept = self.phy.control_1 & PPWRSV != 0;
                self.phy.control_1 = value;
                if slept != (value & PPWRSV != 0) {
                    self.restart_link();
                }
            }
            PHCON2 => {
                self.phy.control_2 = value;
                if value & FRCLNK != 0 {
                    self.phy.set_link(true);
                } else {
                    self.cable_changed();
                }
            }
            PHIE => self.phy.enabled = value,
            PHLCON => self.phy.leds = value,
            _ => {}
        }
    }

    /// All of the PHY as after a reset.
    pub(super) fn reset_phy(&mut self) {
        let errata = self.config.errata;
        let strap = if errata.e16_duplex_strap {
            self.rng.strap.chance(0.5)
        } else {
            self.config.full_duplex_strap
        };
        let (link_turn, turn) = (self.phy.link_turn, self.phy.turn + 1);
        self.phy = Phy {
            control_1: if strap { PDPXMD } else { 0 },
            leds: 0x3422,
            link_turn,
            turn,
            ..Phy::default()
        };
        self.restart_link();
    }

    /// The PHY looks for a partner anew.
    pub(super) fn restart_link(&mut self) {
        self.phy.link_turn += 1;
        self.phy.set_link(false);
        let turn = self.phy.link_turn;
        if self.phy.control_1 & PPWRSV == 0 && !self.power.asleep {
            self.later(self.clock.now() + self.config.link_time, move |chip| {
                if chip.phy.link_turn == turn && chip.port.link().is_up() {
                    chip.phy.set_link(true);
                }
            });
        }
    }

    /// The cable was plugged in or pulled out.
    pub(super) fn cable_changed(&mut self) {
        let up = self.port.link().is_up();
        if self.phy.control_2 & FRCLNK != 0 || up == self.phy.link {
            return;
        }
        self.restart_link();
    }
}
