//! The chip without its bus interface: its parts, start and stop of the firmware, frames.

use ethdev_sim::{Clock, Port};

use crate::access_point::ApId;
use crate::backplane::{Backplane, Effect, RAM_SIZE};
use crate::bus_registers::{self, BusRegisters, F2Status, irq};
use crate::chip::{Chip, RunTimer};
use crate::command::{Command, Function};
use crate::config::{ChipConfig, Images};
use crate::data;
use crate::events::Event;
use crate::faults::Fault;
use crate::fifo::Fifo;
use crate::firmware::Firmware;
use crate::framing::Parcel;
use crate::runtime::Runtime;
use crate::soft_ap::ClientKey;
use crate::station::Station;
use crate::timer::{DataFrame, HostFrame, Timer};
use crate::violations::ViolationKind;

/// Address of the pointer to the crash data: below the area for save and restore, at the end of the
/// RAM.
const SHARED_POINTER: usize = RAM_SIZE - 4 - 0x1_0000;
/// Address of the crash data of this firmware.
const SHARED: usize = SHARED_POINTER - 0x40;
const SHARED_ASSERT_BUILT: u32 = 0x100;
const SHARED_TRAP: u32 = 0x400;
/// Mailbox data to the host: "ready" or "halted", with the version of the protocol.
const MAILBOX_READY: u32 = 4 << 16 | 0x08;
const MAILBOX_HALTED: u32 = 4 << 16 | 0x10;
/// Duration of a spurious interrupt.
const SPURIOUS_IRQ: core::time::Duration = core::time::Duration::from_micros(10);

/// State of the chip since power-on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Boot {
    /// Without power.
    Off,
    /// With power. The bus does not respond yet, or never does where the chip started with SDIO.
    PoweringUp,
    /// The bus responds. No firmware runs.
    BusReady,
    /// The firmware starts.
    Starting,
    /// The firmware takes frames.
    Running,
    /// The firmware has stopped for good.
    Halted,
}

/// The parts of the chip behind the bus.
pub(crate) struct Model {
    pub(crate) chip: Chip,
    pub(crate) backplane: Backplane,
    /// Between the firmware and the bus.
    pub(crate) fifo: Fifo,
    /// `None` until the ARM core has started with valid images.
    pub(crate) firmware: Option<Box<Firmware>>,
}

impl Model {
    /// A chip without power.
    pub(crate) fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        Self {
            backplane: Backplane::new(config.arm_runs_at_power_up),
            chip: Chip::new(clock, port, config),
            fifo: Fifo::default(),
            firmware: None,
        }
    }

    /// A timer of one of the parts expires.
    pub(crate) fn expire(&mut self, timer: RunTimer) {
        let Some(timer) = self.chip.current(timer) else { return };
        match timer {
            Timer::PowerReady => self.chip.power.ready(),
            Timer::AlpReady => self.backplane.alp_ready(),
            Timer::HtReady => {
                if self.firmware.is_some() {
                    self.backplane.ht_ready();
                }
            }
            Timer::F2Ready => self.f2_ready(),
            Timer::SpuriousIrqOver => self.chip.spurious_irq = false,
            Timer::Processed(frame) => self.processed(frame),
            Timer::LateReply(reply) => self.fifo.push(&mut self.chip, Parcel::Reply(reply)),
            Timer::Ioctl(_)
            | Timer::FrameFromAir
            | Timer::Station { .. }
            | Timer::Scan { .. }
            | Timer::SoftApReady { .. } => self.expire_in_firmware(timer),
        }
    }

    fn expire_in_firmware(&mut self, timer: Timer) {
        let Self {
            chip, fifo, firmware, ..
        } = self;
        let Some(firmware) = firmware else { return };
        match timer {
            Timer::Ioctl(request) => firmware.ioctl(chip, fifo, request),
            Timer::FrameFromAir => firmware.receive(chip, fifo),
            Timer::Station { attempt, step } => firmware.station_step(chip, fifo, attempt, step),
            Timer::Scan { scan, step } => firmware.scan_step(chip, fifo, scan, step),
            Timer::SoftApReady { start } => {
                let (mut rt, parts) = firmware.split(chip, fifo);
                parts.soft_ap.ready(&mut rt, start);
            }
            _ => {}
        }
    }
}

/// Power and firmware.
impl Model {
    pub(crate) fn boot(&self) -> Boot {
        let firmware = self.chip.firmware;
        if !self.chip.power.is_on() {
            Boot::Off
        } else if !self.chip.power.is_ready() {
            Boot::PoweringUp
        } else if !firmware.started {
            Boot::BusReady
        } else if firmware.halted {
            Boot::Halted
        } else if firmware.f2_ready {
            Boot::Running
        } else {
            Boot::Starting
        }
    }

    /// `WL_REG_ON` rises. `strap`: whether the data line is low, where it is known.
    pub(crate) fn switch_on(&mut self, strap: Option<bool>) {
        let chip = &mut self.chip;
        if let Some(off) = chip.power.short_cycle(chip.cx.now()) {
            chip.violation(ViolationKind::ShortPowerCycle, format!("WL_REG_ON was low for {off:?}"));
        }
        if strap == Some(false) {
            chip.violation(ViolationKind::StrapNotLow, "the data line was not driven low");
            chip.power.switch_on_sdio();
            return;
        }
        chip.power.switch_on(chip.cx.config.garbage_reads);
        chip.timer_in(chip.cx.config.power_up, Timer::PowerReady);
    }

    /// `WL_REG_ON` falls: all state is lost.
    pub(crate) fn switch_off(&mut self) {
        self.stop_firmware();
        let chip = &mut self.chip;
        chip.power.switch_off(chip.cx.now());
        chip.registers = BusRegisters::reset();
        chip.spurious_irq = false;
        chip.cx.violations.resume();
        self.backplane = Backplane::new(chip.cx.config.arm_runs_at_power_up);
    }

    /// The ARM core starts on the contents of the RAM.
    fn start_firmware(&mut self) {
        let chip = &mut self.chip;
        if let Err(why) = check_images(&self.backplane, &chip.cx.config.images) {
            chip.violation(ViolationKind::BadImage, why);
            return;
        }
        if self.backplane.is_remapped() {
            chip.violation(ViolationKind::CoreSequence, "bank 3 of the RAM is still remapped");
        }
        self.firmware = Some(Box::new(Firmware::new(&chip.cx.config)));
        chip.firmware.started = true;
        self.backplane.set_ram_word(SHARED_POINTER, SHARED as u32);
        self.backplane.set_ram_word(SHARED, SHARED_ASSERT_BUILT);
        chip.timer_in(chip.cx.config.ht_time, Timer::HtReady);
        chip.timer_in(chip.cx.config.f2_time, Timer::F2Ready);
    }

    /// The firmware takes frames.
    fn f2_ready(&mut self) {
        if self.firmware.is_some() {
            let chip = &mut self.chip;
            chip.firmware.f2_ready = true;
            // As on every real chip, for an unknown reason.
            chip.registers.latch(irq::DATA_UNAVAILABLE);
            self.backplane.post_mailbox(chip, MAILBOX_READY);
        }
    }

    /// The firmware stops, where it was started, and all that is queued in it is lost.
    fn stop_firmware(&mut self) {
        self.fifo.drop_all(&mut self.chip);
        self.firmware = None;
        self.fifo = Fifo::default();
        self.backplane.ht_off();
        self.chip.end_run();
    }

    pub(crate) fn halt_firmware(&mut self) {
        if self.firmware.is_some() {
            self.chip.firmware.halted = true;
            self.backplane.set_ram_word(SHARED, SHARED_ASSERT_BUILT | SHARED_TRAP);
            self.backplane.post_mailbox(&mut self.chip, MAILBOX_HALTED);
        }
    }

    /// What the parts of the firmware share, and the station.
    pub(crate) fn station(&mut self) -> Option<(Runtime<'_>, &mut Station)> {
        let (rt, parts) = self.firmware.as_mut()?.split(&mut self.chip, &mut self.fifo);
        Some((rt, &mut parts.station))
    }

    /// An access point stops transmitting.
    pub(crate) fn remove_ap(&mut self, ap: ApId) {
        self.chip.air.set_present(ap, false);
        if let Some((mut rt, station)) = self.station() {
            station.ap_removed(&mut rt, ap);
        }
    }

    /// A station joins the chip's own access point. Returns whether it was accepted.
    pub(crate) fn connect_client(&mut self, mac: [u8; 6], secret: ClientKey<'_>) -> bool {
        let Some(firmware) = &mut self.firmware else {
            return false;
        };
        let (mut rt, parts) = firmware.split(&mut self.chip, &mut self.fifo);
        parts.soft_ap.connect(&mut rt, mac, secret)
    }

    /// A station leaves the chip's own access point.
    pub(crate) fn disconnect_client(&mut self, mac: [u8; 6]) {
        if let Some(firmware) = &mut self.firmware {
            let (mut rt, parts) = firmware.split(&mut self.chip, &mut self.fifo);
            parts.soft_ap.disconnect(&mut rt, mac);
        }
    }

    /// Injects a fault: at once, or at the next opportunity.
    pub(crate) fn inject(&mut self, fault: Fault) {
        let running = self.chip.firmware.f2_ready;
        let Self {
            chip, fifo, firmware, ..
        } = self;
        match (fault, firmware) {
            (Fault::StrayEvent { kind, status, reason }, Some(firmware)) if running => {
                firmware.report(chip, fifo, &Event::new(kind, status).with_reason(reason));
            }
            (Fault::EventFromAir { kind, status }, Some(firmware)) if running => {
                chip.cx.stats.arrived += 1;
                let frame = Event::new(kind, status).to_frame(firmware.settings.mac);
                fifo.push(chip, Parcel::Data(0, frame));
            }
            (Fault::JunkFrame, _) if running => fifo.push(chip, Parcel::Junk),
            (Fault::CreditUpdate, _) if running => fifo.push(chip, Parcel::Credit),
            (Fault::SpuriousInterrupt, _) => {
                chip.spurious_irq = true;
                chip.timer_in(SPURIOUS_IRQ, Timer::SpuriousIrqOver);
            }
            (Fault::StrayEvent { .. } | Fault::EventFromAir { .. } | Fault::JunkFrame | Fault::CreditUpdate, _) => {}
            (pending, _) => chip.faults.push_back(pending),
        }
    }
}

/// The functions of the bus.
impl Model {
    fn f2_status(&self) -> F2Status {
        F2Status {
            ready: self.chip.firmware.f2_ready,
            announced: self.fifo.announced(),
        }
    }

    /// The interrupts that are pending, enabled or not.
    pub(crate) fn interrupts(&self) -> u16 {
        self.chip.registers.interrupts(self.f2_status())
    }

    /// The status word.
    pub(crate) fn status(&self) -> u32 {
        self.chip.registers.status(self.f2_status())
    }

    fn check_bus_register(&mut self, command: Command) {
        if !bus_registers::exists(command) {
            self.chip.violation(ViolationKind::BadBusRegister, "no such register");
        }
    }

    /// The bytes that the host reads, in the order of addresses.
    pub(crate) fn read(&mut self, command: Command) -> Vec<u8> {
        match command.function {
            Function::Bus => {
                self.check_bus_register(command);
                let f2 = self.f2_status();
                if matches!(command.address, 0x04 | 0x08) && f2.ready && f2.announced.is_none() {
                    self.chip.bus.idle_polls += 1;
                }
                self.chip.registers.read(command, f2)
            }
            Function::Backplane => self.backplane.read(&mut self.chip, command),
            Function::Wlan => self.fifo.read_frame(&mut self.chip, command),
            Function::Bluetooth => vec![0; command.len],
        }
    }

    /// A write of the host takes effect.
    pub(crate) fn write(&mut self, command: Command, data: &[u8]) {
        match command.function {
            Function::Bus => {
                self.check_bus_register(command);
                for at in self.chip.registers.write(command, data) {
                    self.chip
                        .violation(ViolationKind::ReadOnly, format!("register {at:#04x}"));
                }
            }
            Function::Backplane => match self.backplane.write(&mut self.chip, command, data) {
                Some(Effect::AbortRead) => self.fifo.abort_read(&mut self.chip),
                Some(Effect::ArmStarted) => self.start_firmware(),
                Some(Effect::ArmReset) => self.stop_firmware(),
                None => {}
            },
            Function::Wlan => {
                let watermark = self.backplane.watermark();
                self.fifo.frame_from_host(&mut self.chip, watermark, data);
            }
            Function::Bluetooth => {}
        }
    }

    /// The host has read all words.
    pub(crate) fn read_done(&mut self, command: Command) {
        if command.function == Function::Wlan {
            self.fifo.frame_read(&mut self.chip, command);
        }
    }

    /// The host has cut off a read.
    pub(crate) fn read_cut_off(&mut self, command: Command) {
        if command.function == Function::Wlan {
            self.fifo.abort_read(&mut self.chip);
        }
    }
}

/// Frames.
impl Model {
    /// The firmware has processed a frame from the host.
    fn processed(&mut self, frame: HostFrame) {
        if !self.chip.firmware.runs() {
            return;
        }
        let done = match frame {
            HostFrame::Data(frame) => match self.fifo.hold(frame) {
                Some(frame) => {
                    self.transmit(&frame);
                    true
                }
                None => false,
            },
            HostFrame::Ioctl(request) => {
                if let Some(firmware) = &mut self.firmware {
                    firmware.queue_ioctl(&mut self.chip, &mut self.fifo, request);
                }
                true
            }
        };
        if done {
            self.fifo.processed();
        }
        self.fifo.refresh_credit(&mut self.chip);
    }

    fn transmit(&mut self, frame: &DataFrame) {
        if let Some(firmware) = &mut self.firmware {
            firmware.transmit(&mut self.chip, frame);
        }
    }

    /// The firmware holds the data frames of the host, which uses up its credit; or transmits them.
    pub(crate) fn hold_frames(&mut self, hold: bool) {
        for frame in self.fifo.set_hold(hold) {
            self.transmit(&frame);
            self.fifo.processed();
        }
        if !hold && self.chip.firmware.f2_ready {
            self.fifo.refresh_credit(&mut self.chip);
        }
    }

    /// A frame arrives at the access points from the wire.
    pub(crate) fn frame_from_wire(&mut self, frame: &[u8]) {
        let chip = &mut self.chip;
        chip.cx.stats.arrived += 1;
        let Some(frame) = data::payload(frame) else {
            chip.cx.stats.bad += 1;
            return;
        };
        match &mut self.firmware {
            Some(firmware) => firmware.bridge(chip, frame),
            None => chip.cx.stats.not_joined += 1,
        }
    }
}

/// Whether the RAM holds the expected images.
fn check_images(backplane: &Backplane, images: &Images) -> Result<(), String> {
    let footer = backplane.ram_word(RAM_SIZE - 4);
    let words = footer & 0xffff;
    if footer >> 16 != !words & 0xffff {
        return Err(format!("the footer {footer:#010x} is not a length and its complement"));
    }
    let nvram_len = words as usize * 4;
    if let Some(firmware) = &images.firmware {
        compare("firmware", firmware, backplane.ram.get(..firmware.len()))?;
    }
    if let Some(nvram) = &images.nvram {
        if nvram_len != nvram.len().next_multiple_of(4) {
            return Err(format!(
                "the footer declares {nvram_len} bytes of NVRAM, not {}",
                nvram.len()
            ));
        }
        let start = RAM_SIZE - 4 - nvram_len;
        compare("NVRAM", nvram, backplane.ram.get(start..start + nvram.len()))?;
    }
    Ok(())
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
