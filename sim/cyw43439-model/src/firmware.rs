//! The firmware: its start, and what it keeps while it runs.

use super::backplane::{INT_STATUS, RAM_SIZE, SDIO_CORE};
use super::bus_registers::irq;
use super::data::Traffic;
use super::hardware::Model;
use super::ioctl::Ioctls;
use super::iovar::Settings;
use super::join::Peer;
use super::scan::Scanner;
use super::soft_ap::SoftAp;
use super::{ChipConfig, ViolationKind};

/// Where the word is that tells of the firmware's crash data: below the area for save and restore, at the end of the RAM.
const SHARED_POINTER: usize = RAM_SIZE - 4 - 0x1_0000;
/// Where this firmware keeps them.
const SHARED: usize = SHARED_POINTER - 0x40;
const SHARED_ASSERT_BUILT: u32 = 0x100;
const SHARED_TRAP: u32 = 0x400;
/// The mailbox of the SDIO core: a host interrupt, and data to the host with "halted" and the version of the protocol.
const MAILBOX_INTERRUPT: u32 = 0x80;
const MAILBOX_DATA: u32 = SDIO_CORE + 0x4c;
const MAILBOX_READY: u32 = 4 << 16 | 0x08;
const MAILBOX_HALTED: u32 = 4 << 16 | 0x10;

/// How far the chip has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Boot {
    /// Without power.
    Off,
    /// With power, and deaf to the bus yet, or for good where it came up with SDIO.
    PoweringUp,
    /// The bus answers. No firmware runs.
    BusReady,
    /// The firmware starts.
    Starting,
    /// The firmware takes frames.
    Running,
    /// The firmware has stopped for good.
    Halted,
}

/// The firmware's state.
#[derive(Debug)]
pub(super) struct Firmware {
    f2_ready: bool,
    halted: bool,
    pub(super) ioctls: Ioctls,
    pub(super) settings: Settings,
    pub(super) station: Peer,
    pub(super) scanner: Scanner,
    pub(super) soft_ap: SoftAp,
    pub(super) traffic: Traffic,
}

impl Firmware {
    fn new(config: &ChipConfig) -> Self {
        Self {
            f2_ready: false,
            halted: false,
            ioctls: Ioctls::default(),
            settings: Settings::new(config.mac),
            station: Peer::default(),
            scanner: Scanner::default(),
            soft_ap: SoftAp::default(),
            traffic: Traffic::default(),
        }
    }
}

impl Model {
    pub(super) fn boot(&self) -> Boot {
        match &self.firmware {
            _ if !self.power.is_on() => Boot::Off,
            _ if !self.power.is_ready() => Boot::PoweringUp,
            None => Boot::BusReady,
            Some(firmware) if firmware.halted => Boot::Halted,
            Some(firmware) if firmware.f2_ready => Boot::Running,
            Some(_) => Boot::Starting,
        }
    }

    pub(super) fn is_f2_ready(&self) -> bool {
        self.firmware.as_ref().is_some_and(|firmware| firmware.f2_ready)
    }

    /// Whether there is no firmware that does anything.
    pub(super) fn firmware_halted(&self) -> bool {
        self.firmware.as_ref().is_none_or(|firmware| firmware.halted)
    }

    /// The ARM core starts on what is in the RAM.
    pub(super) fn start_firmware(&mut self) {
        if let Err(why) = self.check_images() {
            self.violation(ViolationKind::BadImage, why);
            return;
        }
        if self.backplane.is_remapped() {
            self.violation(ViolationKind::CoreSequence, "bank 3 of the RAM is still remapped");
        }
        self.firmware = Some(Box::new(Firmware::new(&self.config)));
        self.backplane.set_ram_word(SHARED_POINTER, SHARED as u32);
        self.backplane.set_ram_word(SHARED, SHARED_ASSERT_BUILT);
        self.ht_comes(self.config.ht_time);
        self.later(self.config.f2_time, |chip| {
            if let Some(firmware) = &mut chip.firmware {
                firmware.f2_ready = true;
                // As seen on every real chip, for no reason that is known.
                chip.registers.latch(irq::DATA_UNAVAILABLE);
                chip.tell_by_mailbox(MAILBOX_READY);
            }
        });
    }

    /// Whether the RAM holds what is expected.
    fn check_images(&self) -> Result<(), String> {
        let footer = self.backplane.ram_word(RAM_SIZE - 4);
        let words = footer & 0xffff;
        if footer >> 16 != !words & 0xffff {
            return Err(format!(
                "the footer is {footer:#010x}: no count of words and its complement"
            ));
        }
        let nvram_len = words as usize * 4;
        let images = &self.config.images;
        if let Some(firmware) = &images.firmware {
            compare("firmware", firmware, self.backplane.ram.get(..firmware.len()))?;
        }
        if let Some(nvram) = &images.nvram {
            if nvram_len != nvram.len().next_multiple_of(4) {
                return Err(format!(
                    "the footer tells of {nvram_len} bytes of NVRAM, not {}",
                    nvram.len()
                ));
            }
            let start = RAM_SIZE - 4 - nvram_len;
            compare("NVRAM", nvram, self.backplane.ram.get(start..start + nvram.len()))?;
        }
        Ok(())
    }

    /// The firmware is gone, where there was any, and all that waited in it; and nothing happens any more of what was to come.
    pub(super) fn stop_firmware(&mut self) {
        self.lose_all();
        self.firmware = None;
        self.fifo = super::fifo::Fifo::default();
        self.backplane.ht = false;
        self.power.life += 1;
    }

    pub(super) fn halt_firmware(&mut self) {
        if let Some(firmware) = &mut self.firmware {
            firmware.halted = true;
            self.backplane.set_ram_word(SHARED, SHARED_ASSERT_BUILT | SHARED_TRAP);
            self.tell_by_mailbox(MAILBOX_HALTED);
        }
    }

    fn tell_by_mailbox(&mut self, data: u32) {
        self.backplane.set_register(MAILBOX_DATA, data);
        let status = self.backplane.register(SDIO_CORE + INT_STATUS) | MAILBOX_INTERRUPT;
        self.backplane.set_register(SDIO_CORE + INT_STATUS, status);
        self.update_mailbox();
    }
}

fn compare(what: &str, expected: &[u8], found: Option<&[u8]>) -> Result<(), String> {
    let found = found.ok_or_else(|| format!("the {what} does not fit"))?;
    match expected.iter().zip(found).position(|(a, b)| a != b) {
        None => Ok(()),
        Some(at) => Err(format!(
            "byte {at} of the {what} is {:#04x}, not {:#04x}",
            found[at], expected[at]
        )),
    }
}
