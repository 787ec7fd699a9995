//! The host's accesses to the registers.

use core::time::Duration;

use crate::config::DeviceState;
use crate::model::Model;
use crate::registers::{
    self, Access, BYTE_TEST, Entry, HW_SF, HW_SRST, PMT_CTRL, PMT_PHY_RST, PMT_READY, RX_FIFO_INF, TX_FIFO_INF,
};
use crate::violations::ViolationKind;

/// Period of the free-running counter.
const FREE_RUN_TICK: Duration = Duration::from_nanos(40);

const HW_CFG: usize = 0x74;

/// Reads a register in a cycle that began at `began`. `phy`: the PHY's bit of `INT_STS`.
pub(crate) fn read(chip: &mut Model, offset: usize, began: Duration, phy: u32) -> u32 {
    chip.system.bus.reads += 1;
    match chip.state {
        DeviceState::Connected => {}
        DeviceState::AllOnes => return u32::MAX,
        DeviceState::AllZeros => return 0,
    }
    let Some(entry) = registers::find(offset) else {
        chip.context
            .violation(ViolationKind::UndefinedRegister, format!("read of {offset:#x}"));
        return 0;
    };
    if entry.access == Access::Write {
        chip.context
            .violation(ViolationKind::WrongDirection, format!("read of {}", entry.name));
        return 0;
    }
    let in_reset = chip.power.is_resetting() && matches!(offset, BYTE_TEST | HW_CFG);
    if !chip.power.is_awake() && offset != PMT_CTRL && !in_reset {
        chip.context
            .violation(ViolationKind::NotReady, format!("read of {}", entry.name));
    }
    chip.timing.check_read(&mut chip.context, entry, began);
    if chip.power.is_awake() {
        chip.power.needs_read = false;
    }
    value(chip, entry, began, phy)
}

/// The value of a register, with the side effects of its read.
fn value(chip: &mut Model, entry: &Entry, began: Duration, phy: u32) -> u32 {
    let (context, system) = (&mut chip.context, &mut chip.system);
    match entry.offset {
        0x00 => {
            system.bus.rx_words += 1;
            chip.timing.pop_rx(context);
            chip.rx.pop_data(context, system, &chip.mac)
        }
        0x40 => {
            chip.timing.pop_rx(context);
            chip.rx.pop_status(context, system)
        }
        0x44 => chip.rx.peek_status(),
        0x48 => {
            chip.timing.pop_tx(context);
            chip.pop_tx_status()
        }
        0x4c => chip.tx.peek_status(),
        0x50 => u32::from(context.config.part.id()) << 16 | 1,
        0x54 => system.irq_cfg,
        0x58 => system.int_sts | phy,
        0x5c => system.int_en,
        BYTE_TEST => {
            system.bus.byte_tests += 1;
            0x8765_4321
        }
        0x68 => system.fifo_int,
        0x6c => chip.rx.config(),
        0x70 => chip.tx.config(),
        HW_CFG => system.hw_cfg & !HW_SRST | u32::from(chip.power.is_resetting()) | 0x4,
        RX_FIFO_INF => chip.rx.fifo_inf(system),
        TX_FIFO_INF => chip.tx.fifo_inf(system),
        PMT_CTRL => chip.power.pmt | if chip.power.is_awake() { PMT_READY } else { 0 },
        0x9c => (context.now().as_nanos() / FREE_RUN_TICK.as_nanos()) as u32,
        0xa0 => {
            chip.timing.read_drop(context, began);
            chip.rx.take_drop_counter()
        }
        0xa4 => chip.mac.command_register(),
        0xa8 => chip.mac.read_data(context),
        0xac => system.afc_cfg,
        0xb0 => chip.power.eeprom_command(),
        _ => {
            context.violation(ViolationKind::NotModelled, format!("read of {}", entry.name));
            0
        }
    }
}

/// Writes a register in a cycle that ends now.
pub(crate) fn write(chip: &mut Model, offset: usize, value: u32) {
    chip.system.bus.writes += 1;
    if chip.state != DeviceState::Connected {
        return;
    }
    let Some(entry) = registers::find(offset) else {
        chip.context
            .violation(ViolationKind::UndefinedRegister, format!("write to {offset:#x}"));
        return;
    };
    chip.timing.write(&chip.context);
    let refused = if entry.access == Access::Read {
        Some(ViolationKind::WrongDirection)
    } else if offset == BYTE_TEST {
        chip.power.wake_up(&mut chip.context, &chip.system);
        return;
    } else if !chip.power.is_awake() {
        Some(ViolationKind::NotReady)
    } else if chip.power.needs_read {
        Some(ViolationKind::WriteBeforeRead)
    } else {
        None
    };
    if let Some(kind) = refused {
        chip.context.violation(kind, format!("write to {}", entry.name));
        return;
    }
    if value & !entry.writable != 0 {
        let detail = format!("{value:#010x} to {}", entry.name);
        chip.context.violation(ViolationKind::ReservedBits, detail);
    }
    store(chip, entry, value);
}

/// Stores a value in a register, with the side effects of the write.
fn store(chip: &mut Model, entry: &Entry, value: u32) {
    let (context, system) = (&mut chip.context, &mut chip.system);
    match entry.offset {
        0x20 => {
            system.bus.tx_words += 1;
            chip.push_tx(value);
        }
        0x54 => system.irq_cfg = value & 0xff00_0111,
        0x58 => clear_interrupts(chip, value),
        0x5c => system.int_en = value,
        0x68 => system.fifo_int = value,
        0x6c => chip.rx.configure(context, system, value),
        0x70 => chip.configure_tx(value),
        HW_CFG => configure_hardware(chip, value),
        PMT_CTRL => configure_power(chip, value),
        0xa4 => chip.mac.start_access(context, system, value),
        0xa8 => chip.mac.write_data(context, value),
        0xac => system.afc_cfg = value,
        _ => context.violation(ViolationKind::NotModelled, format!("{value:#010x} to {}", entry.name)),
    }
}

/// Writes 1 to clear. The interrupt of a FIFO level may be raised again.
fn clear_interrupts(chip: &mut Model, value: u32) {
    chip.system.int_sts &= !value;
    if chip.context.config.persistent_levels {
        chip.rx.check_level(&mut chip.system);
        chip.tx.check_level(&mut chip.system);
    }
}

fn configure_hardware(chip: &mut Model, value: u32) {
    if value & HW_SRST != 0 {
        chip.soft_reset();
        return;
    }
    let (context, system) = (&mut chip.context, &mut chip.system);
    let kib = value >> 16 & 0xf;
    if !(2..=14).contains(&kib) {
        context.violation(ViolationKind::BadFifoSize, format!("TX_FIF_SZ of {kib}"));
        return;
    }
    if value & HW_SF == 0 {
        context.violation(ViolationKind::ReservedBits, "HW_CFG bit 20 must be written as 1");
    }
    let in_use = chip.tx.is_on() || chip.mac.receives() || chip.rx.used() > 0;
    if kib as usize != system.tx_fifo_kib() && in_use {
        context.violation(ViolationKind::FifoInUse, "TX_FIF_SZ changed");
    }
    system.hw_cfg = value & 0x001f_0000;
}

fn configure_power(chip: &mut Model, value: u32) {
    if value & PMT_PHY_RST != 0 {
        chip.context
            .violation(ViolationKind::NotModelled, "PHY reset by PMT_CTRL");
    }
    chip.power.pmt = value & 0x0000_3346;
    match value >> 12 & 3 {
        0 => {}
        1 | 2 => chip.sleep(),
        _ => chip.context.violation(ViolationKind::ReservedBits, "PM_MODE of 3"),
    }
}
