//! Power, clocks, cores, images.

use cyw43439_model::{Boot, ChipConfig, Images, ViolationKind};
use embedded_hal::digital::OutputPin;

use crate::host::{ARM, SOCSRAM, Testbed, ms};

#[test]
fn boot_sequence_reaches_running() {
    let mut bed = Testbed::off(ChipConfig::default());
    assert_eq!(bed.chip.boot(), Boot::Off);
    bed.chip.power_pin().set_high().unwrap();
    assert_eq!(bed.chip.boot(), Boot::PoweringUp);
    bed.clock.advance(ms(50));
    assert_eq!(bed.chip.boot(), Boot::BusReady);
    bed.power_on();
    bed.load();
    assert_eq!(bed.chip.peek_ram(0, bed.firmware.len()), bed.firmware);
    assert_eq!(bed.chip.peek_ram(0x8_0000 - 4 - 92, bed.nvram.len()), bed.nvram);
    bed.reset(ARM);
    assert_eq!(bed.chip.boot(), Boot::Starting);
    let started = bed.clock.now();
    while bed.read(1, 0x1_000e, 1) & 0x80 == 0 {
        bed.clock.advance(ms(1));
    }
    let ht = bed.clock.now() - started;
    assert!((ms(18)..=ms(21)).contains(&ht), "{ht:?}");
    while bed.status() & 0x20 == 0 {
        bed.clock.advance(ms(1));
    }
    let ready = bed.clock.now() - started;
    assert!((ms(82)..=ms(86)).contains(&ready), "{ready:?}");
    assert_eq!(bed.chip.boot(), Boot::Running);
    bed.write(1, 0x1_000e, 1, 0x10);
    assert_eq!(bed.read(1, 0x1_000e, 1), 0xd0);
    bed.clean();
}

#[test]
fn boot_with_wrong_image_is_violation() {
    type Corruption = fn(&mut Testbed);
    let cases: [(&str, Corruption); 6] = [
        ("first byte", |bed| bed.firmware[0] ^= 1),
        ("last byte", |bed| *bed.firmware.last_mut().unwrap() ^= 0x80),
        ("shorter", |bed| bed.firmware.truncate(3000)),
        ("NVRAM", |bed| bed.nvram[45] ^= 4),
        ("NVRAM's length", |bed| bed.nvram.extend([0; 4])),
        ("order", |bed| bed.firmware.swap(64, 65)),
    ];
    for (what, corrupt) in cases {
        let mut bed = Testbed::on(ChipConfig::default());
        corrupt(&mut bed);
        bed.load();
        bed.reset(ARM);
        bed.clock.advance(ms(200));
        assert_eq!(bed.chip.boot(), Boot::BusReady, "{what}");
        assert_eq!(bed.chip.violations()[0].kind, ViolationKind::BadImage, "{what}");
        assert_eq!(bed.read(1, 0x1_000e, 1) & 0x80, 0, "{what}");
        assert_eq!(bed.status() & 0x20, 0, "{what}");
    }
}

#[test]
fn boot_with_wrong_footer_is_violation() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.load();
    // A footer of 186 words, as hosts of the Pico W write it, and other contents.
    bed.backplane_write(0x7_fffc, 4, 0xff45_00ba);
    bed.reset(ARM);
    assert_eq!(bed.chip.boot(), Boot::BusReady);
    // Without expected images only the complement is checked.
    bed.chip.expect_images(Images::default());
    bed.disable(ARM);
    bed.reset(ARM);
    assert_eq!(bed.chip.boot(), Boot::Starting);
}

#[test]
fn boot_with_arm_running_needs_reset() {
    let mut bed = Testbed::on(ChipConfig::default().with_arm_running());
    bed.request_alp();
    assert_eq!(bed.backplane_read(ARM + 0x800, 1) & 1, 0);
    bed.disable(ARM);
    assert_eq!(bed.backplane_read(ARM + 0x800, 1) & 1, 1);
    assert_eq!(bed.backplane_read(SOCSRAM + 0x800, 1) & 1, 0);
    bed.clean();
}

/// Drivers in wide use report a core that is not in reset after power-up, and report none on a
/// Pico W.
#[test]
fn boot_from_power_up_holds_both_cores_in_reset() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.request_alp();
    for core in [ARM, SOCSRAM] {
        assert_eq!(bed.backplane_read(core + 0x800, 1) & 1, 1, "{core:#x}");
    }
    bed.clean();
}

#[test]
fn sleep_csr_keep_on_reports_device_on() {
    let mut bed = Testbed::on(ChipConfig::default());
    for (written, read) in [(1, 3), (0, 0), (3, 3), (2, 0)] {
        bed.write(1, 0x1_001f, 1, written);
        assert_eq!(bed.read(1, 0x1_001f, 1), read, "after {written}");
    }
    bed.clean();
}

#[test]
fn boot_with_remapped_bank_is_violation() {
    let mut bed = Testbed::on(ChipConfig::default());
    bed.load();
    bed.backplane_write(0x1800_4044, 4, 0xff);
    bed.reset(ARM);
    assert_eq!(bed.chip.violations()[0].kind, ViolationKind::CoreSequence);
}

#[test]
fn power_off_clears_state() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(5));
    bed.chip.power_pin().set_low().unwrap();
    bed.clock.advance(ms(20));
    assert_eq!(bed.chip.boot(), Boot::Off);
    assert!(!bed.bus.event_pending());
    bed.power_on();
    assert_eq!(bed.chip.peek_ram(0, 16), [0; 16]);
    bed.start();
    assert_eq!(bed.status() & 0x100, 0, "queued frames are lost");
    assert_eq!(bed.chip.stats().control_lost, 1);
    bed.clean();
}

#[test]
fn firmware_restart_without_power_cycle_is_violation() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.disable(ARM);
    assert_eq!(bed.chip.boot(), Boot::BusReady);
    assert_eq!(bed.chip.violations()[0].kind, ViolationKind::CoreSequence);
}

#[test]
fn firmware_halt_is_reported_by_mailbox() {
    let mut bed = Testbed::running(ChipConfig::default());
    let data = bed.backplane_read(0x1800_204c, 4);
    assert_eq!(data & 0x1f, 0x08, "ready");
    // The interrupt of the mailbox, through function 1.
    bed.backplane_write(0x1800_2024, 4, 0xf0);
    bed.backplane_write(0x1800_2020, 4, 0xffff_ffff);
    bed.write(0, 0x04, 2, 0xffff);
    assert_eq!(bed.read(0, 0x04, 2) & 0x2000, 0);
    bed.chip.halt_firmware();
    assert_eq!(bed.chip.boot(), Boot::Halted);
    assert_eq!(bed.read(0, 0x04, 2) & 0x2000, 0x2000);
    assert_eq!(bed.backplane_read(0x1800_204c, 4) & 0x10, 0x10);
    let shared = bed.backplane_read(0x6_fffc, 4);
    assert_eq!(bed.backplane_read(shared, 4) & 0x400, 0x400);
    bed.send_request(true, 2, &[]);
    bed.clock.advance(ms(1000));
    assert_eq!(bed.status() & 0x100, 0, "no answer");
    bed.clean();
}

#[test]
fn brownout_restarts_chip() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.chip.inject_brownout();
    assert_eq!(bed.chip.boot(), Boot::PoweringUp);
    bed.clock.advance(ms(60));
    assert_eq!(bed.chip.boot(), Boot::BusReady);
    bed.swapped_read(0x14);
    assert_eq!(bed.swapped_read(0x14), 0xfeed_bead);
}
