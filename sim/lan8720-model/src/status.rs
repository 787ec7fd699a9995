//! What the registers hold, and what reading and writing them does (DS00002165B section 4.2).

use super::config::Mode;
use super::hardware::Model;
use super::registers::{
    ANAR, ANER, ANLPAR, BMCR, BMSR, EDPD_NLP, IMR, ISR, LAST_STANDARD, MCSR, PHYID1, PHYID2, PSCSR, SCSIR, SECR, SMR,
    ability, aner, bmcr, bmsr, int, mcsr, pscsr, scsir, smr,
};
use super::{Part, ViolationKind};

/// The registers, as far as they hold something.
#[derive(Debug, Default)]
pub(super) struct Registers {
    pub(super) bmcr: u16,
    pub(super) anar: u16,
    pub(super) anlpar: u16,
    pub(super) aner: u16,
    pub(super) mcsr: u16,
    pub(super) smr: u16,
    pub(super) secr: u16,
    pub(super) scsir: u16,
    pub(super) isr: u16,
    pub(super) imr: u16,
    pub(super) an_complete: bool,
    pub(super) autodone: bool,
    /// BMSR bit 2: the link was down at some time since the latest read.
    pub(super) was_down: bool,
    /// BMSR bit 4.
    pub(super) remote_fault: bool,
    /// What the model has no meaning for.
    plain: [u16; 32],
}

impl Registers {
    pub(super) const fn is_alternate_interrupt(&self) -> bool {
        self.mcsr & mcsr::ALTINT != 0
    }

    /// An interrupt source goes away by itself: that ends the interrupt in the primary system (section 3.6.1), not in the alternate one.
    pub(super) fn fall(&mut self, source: u16) {
        if !self.is_alternate_interrupt() {
            self.isr &= !source;
        }
    }
}

/// What a write to a register may and must be.
struct Writable {
    /// The bits that take a value.
    bits: u16,
    /// The bits that have to be 0 and those that have to be 1. The rest is read-only, and ignored.
    zeros: u16,
    ones: u16,
}

fn writable(part: Part, register: u8) -> Option<Writable> {
    let rule = |bits, zeros, ones| Some(Writable { bits, zeros, ones });
    let vendor = part.has_vendor_registers();
    match register {
        BMCR => rule(0xff80, 0x007f, 0),
        ANAR => {
            let modes = ability::TX_FULL | ability::TX_HALF | ability::T_FULL | ability::T_HALF;
            let bits = ability::REMOTE_FAULT | ability::ASYM_PAUSE | ability::PAUSE | modes | ability::SELECTOR;
            rule(bits, !bits & !ability::SELECTOR, ability::IEEE_802_3)
        }
        EDPD_NLP if part.has_mmd() => rule(0xffff, 0, 0),
        MCSR if vendor => {
            let extra = if part == Part::Lan8700 { mcsr::LAN8700 } else { 0 };
            let bits = mcsr::EDPWRDOWN | mcsr::FARLOOPBACK | mcsr::ALTINT | extra;
            rule(bits, !(bits | mcsr::ENERGYON), 0)
        }
        SMR if vendor => match part {
            // There bit 14 is MIIMODE, and takes either value.
            Part::Lan8710a | Part::Lan8700 => rule(smr::RESERVED_ONE | smr::MODE | smr::PHYAD, 0xbf00, 0),
            _ => rule(
                smr::RESERVED_ONE | smr::MODE | smr::PHYAD,
                !(smr::RESERVED_ONE | smr::MODE | smr::PHYAD),
                smr::RESERVED_ONE,
            ),
        },
        SCSIR if vendor => {
            let bits = scsir::AMDIXCTRL | scsir::CH_SELECT | scsir::SQEOFF;
            rule(bits, !(bits | scsir::XPOL), 0)
        }
        IMR if part.has_interrupts() => {
            let bits = if part.has_mmd() { int::ALL | int::WOL } else { int::ALL };
            rule(bits, !bits, 0)
        }
        PSCSR if vendor => {
            let read_only = pscsr::AUTODONE | pscsr::SPEED;
            rule(
                0,
                !(pscsr::WRITE_AS | read_only),
                pscsr::WRITE_AS & pscsr::WRITE_AS_MASK,
            )
        }
        _ => None,
    }
}

impl Model {
    /// The registers after a reset. `hard`: those too that a soft reset leaves alone (NASR).
    pub(super) fn load_defaults(&mut self, hard: bool) {
        if hard {
            let one = if self.config.part == Part::Lan8700 {
                0
            } else {
                smr::RESERVED_ONE
            };
            let mode = (self.config.straps.mode as u16) << smr::MODE_SHIFT;
            self.registers.smr = one | mode | u16::from(self.config.straps.address);
            self.registers.scsir = 0;
        }
        let (control, abilities) = match self.strap_mode() {
            Mode::T10Half => (0, 0b1111),
            Mode::T10Full => (bmcr::DUPLEX, 0b1111),
            Mode::Tx100Half => (bmcr::SPEED, 0b1111),
            Mode::Tx100Full => (bmcr::SPEED | bmcr::DUPLEX, 0b1111),
            Mode::AdvertiseTx100Half | Mode::Repeater => (bmcr::SPEED | bmcr::AN_ENABLE, 0b0100),
            Mode::PowerDown => (bmcr::POWER_DOWN, 0b1111),
            Mode::AllCapable => (bmcr::SPEED | bmcr::AN_ENABLE, 0b1111),
        };
        let flawed = self.config.flaws.anar_after_reset;
        self.registers = Registers {
            bmcr: control,
            anar: flawed.unwrap_or(abilities << 5 | ability::IEEE_802_3),
            anlpar: ability::IEEE_802_3,
            was_down: true,
            smr: self.registers.smr,
            scsir: self.registers.scsir,
            ..Registers::default()
        };
    }

    /// SMR's mode.
    pub(super) fn strap_mode(&self) -> Mode {
        if !self.config.part.has_vendor_registers() {
            return self.config.straps.mode;
        }
        match (self.registers.smr & smr::MODE) >> smr::MODE_SHIFT {
            0 => Mode::T10Half,
            1 => Mode::T10Full,
            2 => Mode::Tx100Half,
            3 => Mode::Tx100Full,
            4 => Mode::AdvertiseTx100Half,
            5 => Mode::Repeater,
            6 => Mode::PowerDown,
            _ => Mode::AllCapable,
        }
    }

    /// Whether the PHY answers at this MDIO address.
    pub(super) fn answers_at(&self, address: u8) -> bool {
        let own = if self.config.part.has_vendor_registers() {
            (self.registers.smr & smr::PHYAD) as u8
        } else {
            self.config.straps.address
        };
        let everywhere = self.config.answers_everywhere || self.registers.mcsr & mcsr::PHYADBP != 0;
        self.is_alive() && (own == address || everywhere)
    }

    /// What a register holds.
    pub(super) fn peek(&self, register: u8) -> u16 {
        let r = &self.registers;
        let part = self.config.part;
        let flag = |bit: u16, set: bool| if set { bit } else { 0 };
        match register {
            BMCR => r.bmcr,
            BMSR if r.bmcr & bmcr::POWER_DOWN != 0 && self.config.flaws.power_down_lie => bmsr::ALWAYS | bmsr::LINK,
            BMSR => {
                bmsr::ALWAYS
                    | flag(bmsr::AN_COMPLETE, r.an_complete)
                    | flag(bmsr::REMOTE_FAULT, r.remote_fault)
                    | flag(bmsr::LINK, !r.was_down)
            }
            PHYID1 => (part.id() >> 16) as u16,
            PHYID2 => (part.id() & 0xffff) as u16,
            ANAR => r.anar,
            ANLPAR => r.anlpar,
            ANER => r.aner,
            7..=LAST_STANDARD if part.has_mmd() => r.plain[usize::from(register)],
            7..=LAST_STANDARD if part.has_vendor_registers() => 0xffff,
            ISR if part.has_interrupts() => r.isr,
            IMR if part.has_interrupts() => r.imr,
            _ if !part.has_vendor_registers() => 0,
            MCSR => r.mcsr | flag(mcsr::ENERGYON, self.energy.on),
            SMR => r.smr,
            SECR => r.secr,
            SCSIR => r.scsir | flag(scsir::XPOL, self.is_reversed()),
            PSCSR => {
                pscsr::WRITE_AS | flag(pscsr::AUTODONE, r.autodone) | self.speed_indication() << pscsr::SPEED_SHIFT
            }
            _ => r.plain[usize::from(register & 0x1f)],
        }
    }

    /// The host reads a register.
    pub(super) fn read(&mut self, register: u8) -> u16 {
        let value = self.peek(register);
        let primary = !self.registers.is_alternate_interrupt();
        match register {
            BMSR => {
                self.registers.was_down = !self.link.is_up();
                self.registers.remote_fault = false;
                self.registers.fall(int::REMOTE_FAULT | int::LINK_DOWN);
            }
            ANER => {
                self.registers.aner &= !(aner::PARALLEL_FAULT | aner::PAGE_RECEIVED);
                self.registers.fall(int::PARALLEL_FAULT | int::PAGE_RECEIVED);
            }
            ISR if primary => self.registers.isr = 0,
            _ => {}
        }
        value
    }

    /// The host writes a register.
    pub(super) fn write(&mut self, register: u8, value: u16) {
        let part = self.config.part;
        if self.power.is_resetting() {
            self.violation(
                ViolationKind::WriteInReset,
                format!("{value:#06x} to register {register}"),
            );
            return;
        }
        let Some(rule) = writable(part, register) else {
            self.write_elsewhere(register, value);
            return;
        };
        let wrong = value & rule.zeros | !value & rule.ones;
        if wrong != 0 {
            self.violation(
                ViolationKind::ReservedBits,
                format!("{value:#06x} to register {register}: bits {wrong:#06x} are not as they have to be"),
            );
        }
        let value = value & rule.bits;
        match register {
            BMCR => self.write_control(value),
            ANAR => self.registers.anar = value,
            MCSR => self.write_mode_control(value),
            SMR => self.registers.smr = value,
            SCSIR => {
                self.registers.scsir = value;
                self.signal_changed();
            }
            IMR => self.registers.imr = value,
            PSCSR => {}
            _ => self.registers.plain[usize::from(register & 0x1f)] = value,
        }
    }

    /// To a register that takes nothing, or is not there.
    fn write_elsewhere(&mut self, register: u8, value: u16) {
        let part = self.config.part;
        match register {
            ISR if part.has_interrupts() && self.registers.is_alternate_interrupt() => {
                // The source is looked at again, and keeps its flag where it is still there (section 3.6.2).
                let still = self.interrupt_conditions();
                self.registers.isr &= !value | still;
            }
            BMSR | PHYID1 | PHYID2 | ANLPAR | ANER => self.read_only(register, value),
            ISR if part.has_interrupts() => self.read_only(register, value),
            SECR if part.has_vendor_registers() => self.read_only(register, value),
            7..=LAST_STANDARD if part.has_mmd() => self.registers.plain[usize::from(register)] = value,
            _ => {
                self.violation(
                    ViolationKind::UnknownRegister,
                    format!("{value:#06x} to register {register}"),
                );
                if part.has_vendor_registers() && register > LAST_STANDARD {
                    self.registers.plain[usize::from(register & 0x1f)] = value;
                }
            }
        }
    }

    fn read_only(&mut self, register: u8, value: u16) {
        self.violation(ViolationKind::ReadOnly, format!("{value:#06x} to register {register}"));
    }

    fn write_control(&mut self, value: u16) {
        if value & bmcr::SRESET != 0 {
            if value != bmcr::SRESET {
                self.violation(ViolationKind::ResetWithOthers, format!("{value:#06x} to register 0"));
            }
            self.soft_reset();
            return;
        }
        for (bit, kind) in [
            (bmcr::POWER_DOWN, ViolationKind::PowerDownNegotiating),
            (bmcr::LOOPBACK, ViolationKind::LoopbackNegotiating),
        ] {
            if value & bit != 0 && value & bmcr::AN_ENABLE != 0 {
                self.violation(kind, format!("{value:#06x} to register 0"));
            }
        }
        let before = self.registers.bmcr;
        self.registers.bmcr = value & !bmcr::AN_RESTART;
        let negotiating = value & bmcr::AN_ENABLE != 0;
        let changed = before ^ value;
        // With auto-negotiation on, speed and duplex of this register mean nothing.
        let matters = bmcr::POWER_DOWN
            | bmcr::AN_ENABLE
            | if negotiating {
                0
            } else {
                bmcr::SPEED | bmcr::DUPLEX | bmcr::LOOPBACK
            };
        if changed & matters != 0 || negotiating && value & bmcr::AN_RESTART != 0 {
            self.restart_link();
        }
    }

    fn write_mode_control(&mut self, value: u16) {
        self.registers.mcsr = value;
        self.detection_switched();
    }

    /// The sources of interrupts that are there now, by their bits.
    fn interrupt_conditions(&self) -> u16 {
        let r = &self.registers;
        [
            (int::ENERGYON, self.energy.on),
            (int::AN_COMPLETE, r.an_complete),
            (int::REMOTE_FAULT, r.remote_fault),
            (int::LINK_DOWN, !self.link.is_up()),
            (int::LP_ACK, r.anlpar & ability::ACK != 0),
            (int::PARALLEL_FAULT, r.aner & aner::PARALLEL_FAULT != 0),
            (int::PAGE_RECEIVED, r.aner & aner::PAGE_RECEIVED != 0),
        ]
        .into_iter()
        .filter(|(_, there)| *there)
        .fold(0, |all, (bit, _)| all | bit)
    }
}
