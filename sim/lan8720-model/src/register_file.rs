//! What the registers hold, and the effects of reading and writing them (DS00002165B section 4.2).

use ethdev::{Duplex, Speed};

use crate::config::{Mode, Part, PhyConfig};
use crate::context::Context;
use crate::registers::{
    ANAR, ANER, ANLPAR, BMCR, BMSR, EDPD_NLP, IMR, ISR, LAST_STANDARD, MCSR, PHYID1, PHYID2, PSCSR, SCSIR, SECR, SMR,
    ability, aner, bmcr, bmsr, int, mcsr, pscsr, scsir, smr,
};
use crate::violations::ViolationKind;

/// Bits that are not stored, but follow from the state of the PHY.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status {
    pub(crate) link_up: bool,
    pub(crate) energy_on: bool,
    /// PSCSR's speed field.
    pub(crate) speed: u16,
    /// 10BASE-T sees reversed polarity.
    pub(crate) reversed: bool,
}

/// What the PHY has to do after a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    None,
    SoftReset,
    RestartLink,
    SignalChanged,
    EnergyDetection,
}

/// The registers, as far as they store something.
#[derive(Debug, Default)]
pub(crate) struct RegisterFile {
    pub(crate) bmcr: u16,
    pub(crate) anar: u16,
    pub(crate) anlpar: u16,
    pub(crate) aner: u16,
    pub(crate) mcsr: u16,
    smr: u16,
    pub(crate) secr: u16,
    pub(crate) scsir: u16,
    pub(crate) isr: u16,
    pub(crate) imr: u16,
    pub(crate) an_complete: bool,
    pub(crate) autodone: bool,
    /// BMSR bit 2: the link was down at some time since the latest read.
    pub(crate) was_down: bool,
    /// BMSR bit 4.
    remote_fault: bool,
    /// Registers without a meaning in the model.
    plain: [u16; 32],
}

/// The values that may be written to a register.
struct Writable {
    /// The bits that store what is written.
    bits: u16,
    /// The bits that must be written as 0, and those that must be written as 1. All other bits are
    /// read-only.
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
            // Bit 14 is MIIMODE here, and takes either value.
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

impl RegisterFile {
    const fn is_alternate_interrupt(&self) -> bool {
        self.mcsr & mcsr::ALTINT != 0
    }

    /// An interrupt source ends: that ends the interrupt in the primary system (section 3.6.1), not
    /// in the alternate one.
    pub(crate) const fn clear_source(&mut self, source: u16) {
        if !self.is_alternate_interrupt() {
            self.isr &= !source;
        }
    }

    pub(crate) const fn is_negotiating(&self) -> bool {
        self.bmcr & bmcr::AN_ENABLE != 0
    }

    /// Near-end loopback; it needs a forced mode.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.bmcr & bmcr::LOOPBACK != 0 && !self.is_negotiating()
    }

    pub(crate) const fn is_far_loopback(&self) -> bool {
        self.mcsr & mcsr::FARLOOPBACK != 0
    }

    /// The mode of BMCR.
    pub(crate) const fn forced_mode(&self) -> (Speed, Duplex) {
        let speed = if self.bmcr & bmcr::SPEED != 0 {
            Speed::MBPS_100
        } else {
            Speed::MBPS_10
        };
        let duplex = if self.bmcr & bmcr::DUPLEX != 0 {
            Duplex::Full
        } else {
            Duplex::Half
        };
        (speed, duplex)
    }

    /// Loads the values after a reset. `hard`: also of the bits that a soft reset preserves (NASR).
    pub(crate) fn load_defaults(&mut self, config: &PhyConfig, hard: bool) {
        if hard {
            let one = if config.part == Part::Lan8700 {
                0
            } else {
                smr::RESERVED_ONE
            };
            let mode = (config.straps.mode as u16) << smr::MODE_SHIFT;
            self.smr = one | mode | u16::from(config.straps.address);
            self.scsir = 0;
        }
        let (control, abilities) = match self.strap_mode(config) {
            Mode::T10Half => (0, 0b1111),
            Mode::T10Full => (bmcr::DUPLEX, 0b1111),
            Mode::Tx100Half => (bmcr::SPEED, 0b1111),
            Mode::Tx100Full => (bmcr::SPEED | bmcr::DUPLEX, 0b1111),
            Mode::AdvertiseTx100Half | Mode::Repeater => (bmcr::SPEED | bmcr::AN_ENABLE, 0b0100),
            Mode::PowerDown => (bmcr::POWER_DOWN, 0b1111),
            Mode::AllCapable => (bmcr::SPEED | bmcr::AN_ENABLE, 0b1111),
        };
        let quirk = config.quirks.anar_after_reset;
        *self = Self {
            bmcr: control,
            anar: quirk.unwrap_or(abilities << 5 | ability::IEEE_802_3),
            anlpar: ability::IEEE_802_3,
            was_down: true,
            smr: self.smr,
            scsir: self.scsir,
            ..Self::default()
        };
    }

    /// SMR's mode.
    pub(crate) fn strap_mode(&self, config: &PhyConfig) -> Mode {
        if !config.part.has_vendor_registers() {
            return config.straps.mode;
        }
        match (self.smr & smr::MODE) >> smr::MODE_SHIFT {
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

    /// Whether this MDIO address is the PHY's.
    pub(crate) fn answers_at(&self, config: &PhyConfig, address: u8) -> bool {
        let own = if config.part.has_vendor_registers() {
            (self.smr & smr::PHYAD) as u8
        } else {
            config.straps.address
        };
        let any = config.answers_any_address || self.mcsr & mcsr::PHYADBP != 0;
        own == address || any
    }

    /// What a register holds.
    pub(crate) fn peek(&self, config: &PhyConfig, register: u8, status: Status) -> u16 {
        let part = config.part;
        let flag = |bit: u16, set: bool| if set { bit } else { 0 };
        match register {
            BMCR => self.bmcr,
            BMSR if self.bmcr & bmcr::POWER_DOWN != 0 && config.quirks.power_down_link_up => bmsr::ALWAYS | bmsr::LINK,
            BMSR => {
                bmsr::ALWAYS
                    | flag(bmsr::AN_COMPLETE, self.an_complete)
                    | flag(bmsr::REMOTE_FAULT, self.remote_fault)
                    | flag(bmsr::LINK, !self.was_down)
            }
            PHYID1 => (part.id() >> 16) as u16,
            PHYID2 => (part.id() & 0xffff) as u16,
            ANAR => self.anar,
            ANLPAR => self.anlpar,
            ANER => self.aner,
            7..=LAST_STANDARD if part.has_mmd() => self.plain[usize::from(register)],
            7..=LAST_STANDARD if part.has_vendor_registers() => 0xffff,
            ISR if part.has_interrupts() => self.isr,
            IMR if part.has_interrupts() => self.imr,
            _ if !part.has_vendor_registers() => 0,
            MCSR => self.mcsr | flag(mcsr::ENERGYON, status.energy_on),
            SMR => self.smr,
            SECR => self.secr,
            SCSIR => self.scsir | flag(scsir::XPOL, status.reversed),
            PSCSR => pscsr::WRITE_AS | flag(pscsr::AUTODONE, self.autodone) | status.speed << pscsr::SPEED_SHIFT,
            _ => self.plain[usize::from(register & 0x1f)],
        }
    }

    /// The host reads a register.
    pub(crate) fn read(&mut self, config: &PhyConfig, register: u8, status: Status) -> u16 {
        let value = self.peek(config, register, status);
        let primary = !self.is_alternate_interrupt();
        match register {
            BMSR => {
                self.was_down = !status.link_up;
                self.remote_fault = false;
                self.clear_source(int::REMOTE_FAULT | int::LINK_DOWN);
            }
            ANER => {
                self.aner &= !(aner::PARALLEL_FAULT | aner::PAGE_RECEIVED);
                self.clear_source(int::PARALLEL_FAULT | int::PAGE_RECEIVED);
            }
            ISR if primary => self.isr = 0,
            _ => {}
        }
        value
    }

    /// The partner's base page was received and acknowledged.
    pub(crate) const fn receive_page(&mut self, page: u16) {
        self.anlpar = page;
        self.aner |= aner::PAGE_RECEIVED | aner::PARTNER_ABLE;
        self.isr |= int::PAGE_RECEIVED | int::LP_ACK;
        if page & ability::REMOTE_FAULT != 0 {
            self.remote_fault = true;
            self.isr |= int::REMOTE_FAULT;
        }
    }

    /// The host writes a register.
    pub(crate) fn write(&mut self, context: &mut Context, register: u8, value: u16, status: Status) -> Consequence {
        let part = context.config.part;
        let Some(rule) = writable(part, register) else {
            self.write_unwritable(context, register, value, status);
            return Consequence::None;
        };
        let wrong = value & rule.zeros | !value & rule.ones;
        if wrong != 0 {
            context.violation(
                ViolationKind::ReservedBits,
                format!("{value:#06x} to register {register}: wrong bits {wrong:#06x}"),
            );
        }
        let value = value & rule.bits;
        match register {
            BMCR => return self.write_control(context, value),
            ANAR => self.anar = value,
            MCSR => {
                self.mcsr = value;
                return Consequence::EnergyDetection;
            }
            SMR => self.smr = value,
            SCSIR => {
                self.scsir = value;
                return Consequence::SignalChanged;
            }
            IMR => self.imr = value,
            PSCSR => {}
            _ => self.plain[usize::from(register & 0x1f)] = value,
        }
        Consequence::None
    }

    /// Writes a register that stores nothing, or does not exist.
    fn write_unwritable(&mut self, context: &mut Context, register: u8, value: u16, status: Status) {
        let part = context.config.part;
        let violation = |context: &mut Context, kind| {
            context.violation(kind, format!("{value:#06x} to register {register}"));
        };
        match register {
            ISR if part.has_interrupts() && self.is_alternate_interrupt() => {
                // The source is checked again, and keeps its flag while it lasts (section 3.6.2).
                let lasting = self.interrupt_sources(status);
                self.isr &= !value | lasting;
            }
            BMSR | PHYID1 | PHYID2 | ANLPAR | ANER => violation(context, ViolationKind::ReadOnly),
            ISR if part.has_interrupts() => violation(context, ViolationKind::ReadOnly),
            SECR if part.has_vendor_registers() => violation(context, ViolationKind::ReadOnly),
            7..=LAST_STANDARD if part.has_mmd() => self.plain[usize::from(register)] = value,
            _ => {
                violation(context, ViolationKind::UnknownRegister);
                if part.has_vendor_registers() && register > LAST_STANDARD {
                    self.plain[usize::from(register & 0x1f)] = value;
                }
            }
        }
    }

    fn write_control(&mut self, context: &mut Context, value: u16) -> Consequence {
        if value & bmcr::SRESET != 0 {
            if value != bmcr::SRESET {
                context.violation(ViolationKind::ResetWithOthers, format!("{value:#06x} to register 0"));
            }
            return Consequence::SoftReset;
        }
        for (bit, kind) in [
            (bmcr::POWER_DOWN, ViolationKind::PowerDownNegotiating),
            (bmcr::LOOPBACK, ViolationKind::LoopbackNegotiating),
        ] {
            if value & bit != 0 && value & bmcr::AN_ENABLE != 0 {
                context.violation(kind, format!("{value:#06x} to register 0"));
            }
        }
        let changed = self.bmcr ^ value;
        self.bmcr = value & !bmcr::AN_RESTART;
        // With auto-negotiation, speed and duplex of this register mean nothing.
        let restarting = bmcr::POWER_DOWN
            | bmcr::AN_ENABLE
            | if self.is_negotiating() {
                0
            } else {
                bmcr::SPEED | bmcr::DUPLEX | bmcr::LOOPBACK
            };
        if changed & restarting != 0 || self.is_negotiating() && value & bmcr::AN_RESTART != 0 {
            return Consequence::RestartLink;
        }
        Consequence::None
    }

    /// The interrupt sources that are active now.
    fn interrupt_sources(&self, status: Status) -> u16 {
        [
            (int::ENERGYON, status.energy_on),
            (int::AN_COMPLETE, self.an_complete),
            (int::REMOTE_FAULT, self.remote_fault),
            (int::LINK_DOWN, !status.link_up),
            (int::LP_ACK, self.anlpar & ability::ACK != 0),
            (int::PARALLEL_FAULT, self.aner & aner::PARALLEL_FAULT != 0),
            (int::PAGE_RECEIVED, self.aner & aner::PAGE_RECEIVED != 0),
        ]
        .into_iter()
        .filter(|(_, active)| *active)
        .fold(0, |all, (bit, _)| all | bit)
    }
}
