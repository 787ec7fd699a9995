//! The MAC's own registers (section 5.4), and the MDIO bus behind them.

use core::time::Duration;

use ethdev::Duplex;

use super::ViolationKind;
use super::hardware::{Effect, Model};
use super::registers::{CSR_BUSY, FLOW_FCEN, MII_BUSY, MII_WRITE, int, mac_cr};

/// 64 bits at 2.5 MHz.
const MDIO_FRAME: Duration = Duration::from_nanos(25_600);

const MAC_CR: usize = 1;
const ADDRH: usize = 2;
const ADDRL: usize = 3;
const HASHH: usize = 4;
const HASHL: usize = 5;
const MII_ACC: usize = 6;
const MII_DATA: usize = 7;
const FLOW: usize = 8;
const VLAN1: usize = 9;

/// The MAC's registers, and the window to them.
#[derive(Debug, Default)]
pub(super) struct Mac {
    registers: [u32; 13],
    pub(super) command: u32,
    pub(super) data: u32,
    pub(super) busy: bool,
    /// Busy for ever: a fault.
    pub(super) stuck: bool,
    mii_busy: bool,
}

impl Mac {
    /// As after a reset.
    pub(super) fn reset() -> Self {
        let mut mac = Self::default();
        mac.registers[MAC_CR] = mac_cr::PRMS;
        mac.registers[ADDRH] = 0xffff;
        mac.registers[ADDRL] = u32::MAX;
        mac.registers[VLAN1] = 0xffff;
        mac
    }

    pub(super) const fn command_register(&self) -> u32 {
        self.command | if self.busy { CSR_BUSY } else { 0 }
    }

    pub(super) fn read(&self, index: usize) -> u32 {
        let value = self.registers.get(index).copied().unwrap_or(0);
        match index {
            MII_ACC if self.mii_busy => value | MII_BUSY,
            MII_ACC => value & !MII_BUSY,
            _ => value,
        }
    }

    pub(super) const fn control(&self) -> u32 {
        self.registers[MAC_CR]
    }

    const fn has(&self, bit: u32) -> bool {
        self.control() & bit != 0
    }

    pub(super) const fn receives(&self) -> bool {
        self.has(mac_cr::RXEN)
    }

    pub(super) const fn transmits(&self) -> bool {
        self.has(mac_cr::TXEN)
    }

    pub(super) const fn is_full_duplex(&self) -> bool {
        self.has(mac_cr::FDPX)
    }

    pub(super) const fn passes_bad(&self) -> bool {
        self.has(mac_cr::PASSBAD)
    }

    pub(super) const fn address(&self) -> [u8; 6] {
        let [a, b, c, d] = self.registers[ADDRL].to_le_bytes();
        let [e, f, ..] = self.registers[ADDRH].to_le_bytes();
        [a, b, c, d, e, f]
    }

    pub(super) fn load_address(&mut self, address: [u8; 6]) {
        let [a, b, c, d, e, f] = address;
        self.registers[ADDRL] = u32::from_le_bytes([a, b, c, d]);
        self.registers[ADDRH] = u32::from_le_bytes([e, f, 0, 0]);
    }

    pub(super) fn hash(&self) -> u64 {
        u64::from(self.registers[HASHH]) << 32 | u64::from(self.registers[HASHL])
    }

    /// Whether PAUSE frames are obeyed.
    pub(super) const fn is_paused_by_others(&self) -> bool {
        self.registers[FLOW] & FLOW_FCEN != 0 && self.is_full_duplex()
    }

    /// The time that sent PAUSE frames ask for.
    pub(super) const fn pause_time(&self) -> u16 {
        (self.registers[FLOW] >> 16) as u16
    }

    /// The longest frame with FCS that is not too long.
    pub(super) fn longest(&self, frame: &[u8]) -> usize {
        let tag = frame.get(12..14).map(|tag| u32::from(tag[0]) << 8 | u32::from(tag[1]));
        if tag == Some(self.registers[VLAN1]) { 1522 } else { 1518 }
    }
}

impl Model {
    pub(super) fn write_mac_register(&mut self, index: usize, value: u32) {
        match index {
            MAC_CR => self.write_mac_cr(value),
            ADDRH | ADDRL => {
                if self.power.eeprom_busy {
                    self.violation(ViolationKind::AddressRace, format!("{value:#010x} to register {index}"));
                }
                self.mac.registers[index] = value;
            }
            MII_ACC => self.begin_mdio(value),
            _ => {
                if let Some(register) = self.mac.registers.get_mut(index) {
                    *register = value;
                }
            }
        }
    }

    fn write_mac_cr(&mut self, value: u32) {
        use mac_cr::{DEFINED, FDPX, LOOPBK, PADSTR, RCVOWN, RXALL, RXEN, TXEN};

        if value & !DEFINED != 0 {
            self.violation(ViolationKind::ReservedBits, format!("{value:#010x} to MAC_CR"));
        }
        if value & (RXALL | LOOPBK | PADSTR) != 0 {
            self.violation(ViolationKind::NotModelled, format!("{value:#010x} to MAC_CR"));
        }
        let full = value & FDPX != 0;
        if value & (TXEN | RXEN) != 0 && full == (value & RCVOWN != 0) {
            self.violation(ViolationKind::DuplexMismatch, format!("{value:#010x} to MAC_CR"));
        }
        let before = core::mem::replace(&mut self.mac.registers[MAC_CR], value);
        self.effect(Effect::MacMode(if full { Duplex::Full } else { Duplex::Half }));
        match (before & RXEN != 0, value & RXEN != 0) {
            (false, true) => self.rx.turn_on(),
            (true, false) => self.stop_receiver(),
            _ => {}
        }
        self.transmit();
    }

    fn begin_mdio(&mut self, value: u32) {
        if self.mac.mii_busy {
            self.violation(ViolationKind::MiiBusy, format!("{value:#010x} to MII_ACC"));
            return;
        }
        self.mac.registers[MII_ACC] = value & !MII_BUSY;
        if value & MII_BUSY == 0 {
            return;
        }
        self.bus.mdio += 1;
        self.mac.mii_busy = true;
        let (phy, register) = ((value >> 11 & 0x1f) as u8, (value >> 6 & 0x1f) as u8);
        let effect = if value & MII_WRITE == 0 {
            Effect::MdioRead { phy, register }
        } else {
            let value = self.mac.registers[MII_DATA] as u16;
            Effect::MdioWrite { phy, register, value }
        };
        let turn = self.power.turn;
        self.later(MDIO_FRAME, move |chip| {
            if chip.power.turn == turn {
                chip.effect(effect);
            }
        });
    }

    /// The frame on the MDIO bus ended, with what was read; `None`: it never does.
    pub(super) fn mdio_ended(&mut self, ended: Option<Option<u16>>) {
        if let Some(value) = ended {
            self.mac.mii_busy = false;
            if let Some(value) = value {
                self.mac.registers[MII_DATA] = value.into();
            }
        }
    }

    /// The receiver stops after the frame that is coming in.
    fn stop_receiver(&mut self) {
        let turn = self.power.turn;
        self.rx.stopping = true;
        let after = self.rx.in_at.max(self.clock.now()) + Duration::from_micros(1);
        self.at(after, move |chip| {
            if chip.power.turn == turn && chip.rx.stopping {
                chip.rx.turn_off();
                chip.raise(int::RXSTOP);
            }
        });
    }
}
