//! The MAC's own registers (section 5.4), and the MDIO bus behind them.

use core::time::Duration;

use crate::context::{Context, Event, MdioFrame};
use crate::power::Power;
use crate::registers::{CSR_BUSY, CSR_READ, FLOW_FCEN, MII_BUSY, MII_WRITE, mac_cr};
use crate::system::System;
use crate::violations::ViolationKind;

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

/// A write to `MAC_CR`, which the rest of the chip follows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ControlWrite {
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// The MAC's registers, and the window to them.
#[derive(Debug, Default)]
pub(crate) struct Mac {
    registers: [u32; 13],
    command: u32,
    data: u32,
    busy: bool,
    /// Accesses never end: an injected fault.
    hung: bool,
    mii_busy: bool,
}

impl Mac {
    /// The MAC after a reset.
    pub(crate) fn reset() -> Self {
        let mut mac = Self::default();
        mac.registers[MAC_CR] = mac_cr::PRMS;
        mac.registers[ADDRH] = 0xffff;
        mac.registers[ADDRL] = u32::MAX;
        mac.registers[VLAN1] = 0xffff;
        mac
    }

    pub(crate) const fn command_register(&self) -> u32 {
        self.command | if self.busy { CSR_BUSY } else { 0 }
    }

    fn read(&self, index: usize) -> u32 {
        let value = self.registers.get(index).copied().unwrap_or(0);
        match index {
            MII_ACC if self.mii_busy => value | MII_BUSY,
            MII_ACC => value & !MII_BUSY,
            _ => value,
        }
    }

    pub(crate) const fn control(&self) -> u32 {
        self.registers[MAC_CR]
    }

    const fn has(&self, bit: u32) -> bool {
        self.control() & bit != 0
    }

    pub(crate) const fn receives(&self) -> bool {
        self.has(mac_cr::RXEN)
    }

    pub(crate) const fn transmits(&self) -> bool {
        self.has(mac_cr::TXEN)
    }

    pub(crate) const fn is_full_duplex(&self) -> bool {
        self.has(mac_cr::FDPX)
    }

    pub(crate) const fn passes_bad(&self) -> bool {
        self.has(mac_cr::PASSBAD)
    }

    pub(crate) const fn address(&self) -> [u8; 6] {
        let [a, b, c, d] = self.registers[ADDRL].to_le_bytes();
        let [e, f, ..] = self.registers[ADDRH].to_le_bytes();
        [a, b, c, d, e, f]
    }

    pub(crate) fn load_address(&mut self, address: [u8; 6]) {
        let [a, b, c, d, e, f] = address;
        self.registers[ADDRL] = u32::from_le_bytes([a, b, c, d]);
        self.registers[ADDRH] = u32::from_le_bytes([e, f, 0, 0]);
    }

    pub(crate) fn hash(&self) -> u64 {
        u64::from(self.registers[HASHH]) << 32 | u64::from(self.registers[HASHL])
    }

    /// Whether received PAUSE frames take effect.
    pub(crate) const fn obeys_pause(&self) -> bool {
        self.registers[FLOW] & FLOW_FCEN != 0 && self.is_full_duplex()
    }

    /// The time in PAUSE frames that are sent.
    pub(crate) const fn pause_time(&self) -> u16 {
        (self.registers[FLOW] >> 16) as u16
    }

    /// Length of the longest valid frame, with FCS.
    pub(crate) fn max_len(&self, frame: &[u8]) -> usize {
        let tag = frame.get(12..14).map(|tag| u32::from(tag[0]) << 8 | u32::from(tag[1]));
        if tag == Some(self.registers[VLAN1]) { 1522 } else { 1518 }
    }

    /// Accesses never end from now on, or do again.
    pub(crate) const fn hang(&mut self, hung: bool) {
        self.hung = hung;
        self.busy &= hung;
    }

    /// `MAC_CSR_CMD` was written: an access to a MAC register begins.
    pub(crate) fn start_access(&mut self, context: &mut Context, system: &System, value: u32) {
        if self.busy || value & CSR_BUSY == 0 {
            let detail = format!("command {value:#010x}, busy {}", self.busy);
            context.violation(ViolationKind::MacRegister, detail);
            return;
        }
        let index = value & 0xff;
        if !(1..=0x0c).contains(&index) {
            context.violation(ViolationKind::MacRegister, format!("register {index:#x}"));
        }
        self.command = value & !CSR_BUSY;
        self.busy = true;
        let event = Event::CsrEnd {
            index: index as usize,
            read: value & CSR_READ != 0,
        };
        system.after(context, context.config.mac_register, event);
    }

    /// An access to a MAC register ends.
    pub(crate) fn end_access(
        &mut self,
        context: &mut Context,
        system: &mut System,
        power: &Power,
        index: usize,
        read: bool,
    ) -> Option<ControlWrite> {
        if self.hung {
            return None;
        }
        self.busy = false;
        if read {
            self.data = self.read(index);
            return None;
        }
        self.write(context, system, power, index, self.data)
    }

    pub(crate) fn read_data(&self, context: &mut Context) -> u32 {
        if self.busy {
            context.violation(ViolationKind::MacRegister, "data read while busy");
        }
        self.data
    }

    pub(crate) fn write_data(&mut self, context: &mut Context, value: u32) {
        if self.busy {
            context.violation(ViolationKind::MacRegister, "data written while busy");
        }
        self.data = value;
    }

    fn write(
        &mut self,
        context: &mut Context,
        system: &mut System,
        power: &Power,
        index: usize,
        value: u32,
    ) -> Option<ControlWrite> {
        match index {
            MAC_CR => return Some(self.write_control(context, value)),
            ADDRH | ADDRL => {
                if power.is_eeprom_busy() {
                    context.violation(ViolationKind::AddressRace, format!("{value:#010x} to register {index}"));
                }
                self.registers[index] = value;
            }
            MII_ACC => self.start_mdio(context, system, value),
            _ => {
                if let Some(register) = self.registers.get_mut(index) {
                    *register = value;
                }
            }
        }
        None
    }

    fn write_control(&mut self, context: &mut Context, value: u32) -> ControlWrite {
        use mac_cr::{DEFINED, FDPX, LOOPBK, PADSTR, RCVOWN, RXALL, RXEN, TXEN};

        if value & !DEFINED != 0 {
            context.violation(ViolationKind::ReservedBits, format!("{value:#010x} to MAC_CR"));
        }
        if value & (RXALL | LOOPBK | PADSTR) != 0 {
            context.violation(ViolationKind::NotModelled, format!("{value:#010x} to MAC_CR"));
        }
        let full = value & FDPX != 0;
        if value & (TXEN | RXEN) != 0 && full == (value & RCVOWN != 0) {
            context.violation(ViolationKind::DuplexMismatch, format!("{value:#010x} to MAC_CR"));
        }
        let before = core::mem::replace(&mut self.registers[MAC_CR], value);
        ControlWrite { before, after: value }
    }

    fn start_mdio(&mut self, context: &mut Context, system: &mut System, value: u32) {
        if self.mii_busy {
            context.violation(ViolationKind::MiiBusy, format!("{value:#010x} to MII_ACC"));
            return;
        }
        self.registers[MII_ACC] = value & !MII_BUSY;
        if value & MII_BUSY == 0 {
            return;
        }
        system.bus.mdio += 1;
        self.mii_busy = true;
        let write = (value & MII_WRITE != 0).then_some(self.registers[MII_DATA] as u16);
        let frame = MdioFrame {
            phy: (value >> 11 & 0x1f) as u8,
            register: (value >> 6 & 0x1f) as u8,
            write,
        };
        system.after(context, MDIO_FRAME, Event::MdioEnd(frame));
    }

    /// An MDIO frame ends with this value read, if it is a read. Not called where it never ends.
    pub(crate) fn end_mdio(&mut self, read: Option<u16>) {
        self.mii_busy = false;
        if let Some(value) = read {
            self.registers[MII_DATA] = value.into();
        }
    }
}
