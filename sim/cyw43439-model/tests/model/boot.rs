//! Power, clocks, cores, images.

use cyw43439_model::{Boot, ChipConfig, Images, ViolationKind};
use embedded_hal::digital::OutputPin;

use crate::host::{ARM, Lab, SOCSRAM, ms};

#[test]
fn boots() {
    let mut lab = Lab::off(ChipConfig::default());
    assert_eq!(lab.chip.boot(), Boot::Off);
    lab.chip.power_pin().set_high().unwrap();
    assert_eq!(lab.chip.boot(), Boot::PoweringUp);
    lab.clock.advance(ms(50));
    assert_eq!(lab.chip.boot(), Boot::BusReady);
    lab.power_on();
    lab.load();
    assert_eq!(lab.chip.peek_ram(0, lab.firmware.len()), lab.firmware);
    assert_eq!(lab.chip.peek_ram(0x8_0000 - 4 - 92, lab.nvram.len()), lab.nvram);
    lab.reset(ARM);
    assert_eq!(lab.chip.boot(), Boot::Starting);
    let started = lab.clock.now();
    while lab.read(1, 0x1_000e, 1) & 0x80 == 0 {
        lab.clock.advance(ms(1));
    }
    let ht = lab.clock.now() - started;
    assert!((ms(18)..=ms(21)).contains(&ht), "{ht:?}");
    while lab.status() & 0x20 == 0 {
        lab.clock.advance(ms(1));
    }
    let ready = lab.clock.now() - started;
    assert!((ms(82)..=ms(86)).contains(&ready), "{ready:?}");
    assert_eq!(lab.chip.boot(), Boot::Running);
    lab.write(1, 0x1_000e, 1, 0x10);
    assert_eq!(lab.read(1, 0x1_000e, 1), 0xd0);
    lab.clean();
}

#[test]
fn images_are_compared_to_the_last_byte() {
    type Spoil = fn(&mut Lab);
    let cases: [(&str, Spoil); 6] = [
        ("first byte", |lab| lab.firmware[0] ^= 1),
        ("last byte", |lab| *lab.firmware.last_mut().unwrap() ^= 0x80),
        ("shorter", |lab| lab.firmware.truncate(3000)),
        ("NVRAM", |lab| lab.nvram[45] ^= 4),
        ("NVRAM's length", |lab| lab.nvram.extend([0; 4])),
        ("order", |lab| lab.firmware.swap(64, 65)),
    ];
    for (what, spoil) in cases {
        let mut lab = Lab::on(ChipConfig::default());
        spoil(&mut lab);
        lab.load();
        lab.reset(ARM);
        lab.clock.advance(ms(200));
        assert_eq!(lab.chip.boot(), Boot::BusReady, "{what}");
        assert_eq!(lab.chip.violations()[0].kind, ViolationKind::BadImage, "{what}");
        assert_eq!(lab.read(1, 0x1_000e, 1) & 0x80, 0, "{what}");
        assert_eq!(lab.status() & 0x20, 0, "{what}");
    }
}

#[test]
fn the_footer_counts_words() {
    let mut lab = Lab::on(ChipConfig::default());
    lab.load();
    // The footer of 186 words, as hosts of the Pico W write it: not what was uploaded here.
    lab.backplane_write(0x7_fffc, 4, 0xff45_00ba);
    lab.reset(ARM);
    assert_eq!(lab.chip.boot(), Boot::BusReady);
    // Without anything to compare with, the complement decides.
    lab.chip.expect_images(Images::default());
    lab.disable(ARM);
    lab.reset(ARM);
    assert_eq!(lab.chip.boot(), Boot::Starting);
}

#[test]
fn a_core_that_runs_is_stopped_first() {
    let mut lab = Lab::on(ChipConfig::default().with_arm_running());
    lab.request_alp();
    assert_eq!(lab.backplane_read(ARM + 0x800, 1) & 1, 0);
    lab.disable(ARM);
    assert_eq!(lab.backplane_read(ARM + 0x800, 1) & 1, 1);
    assert_eq!(lab.backplane_read(SOCSRAM + 0x800, 1) & 1, 0);
    lab.clean();
}

#[test]
fn the_last_bank_is_mapped_first() {
    let mut lab = Lab::on(ChipConfig::default());
    lab.load();
    lab.backplane_write(0x1800_4044, 4, 0xff);
    lab.reset(ARM);
    assert_eq!(lab.chip.violations()[0].kind, ViolationKind::CoreSequence);
}

#[test]
fn power_takes_everything_away() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(5));
    lab.chip.power_pin().set_low().unwrap();
    lab.clock.advance(ms(20));
    assert_eq!(lab.chip.boot(), Boot::Off);
    assert!(!lab.bus.event_pending());
    lab.power_on();
    assert_eq!(lab.chip.peek_ram(0, 16), [0; 16]);
    lab.start();
    assert_eq!(lab.status() & 0x100, 0, "what waited is gone");
    assert_eq!(lab.chip.stats().control_lost, 1);
    lab.clean();
}

#[test]
fn firmware_that_ran_needs_a_power_cycle() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.disable(ARM);
    assert_eq!(lab.chip.boot(), Boot::BusReady);
    assert_eq!(lab.chip.violations()[0].kind, ViolationKind::CoreSequence);
}

#[test]
fn firmware_that_halts_tells_so() {
    let mut lab = Lab::running(ChipConfig::default());
    let data = lab.backplane_read(0x1800_204c, 4);
    assert_eq!(data & 0x1f, 0x08, "ready");
    // The mailbox's interrupt, which function 1 passes on.
    lab.backplane_write(0x1800_2024, 4, 0xf0);
    lab.backplane_write(0x1800_2020, 4, 0xffff_ffff);
    lab.write(0, 0x04, 2, 0xffff);
    assert_eq!(lab.read(0, 0x04, 2) & 0x2000, 0);
    lab.chip.halt_firmware();
    assert_eq!(lab.chip.boot(), Boot::Halted);
    assert_eq!(lab.read(0, 0x04, 2) & 0x2000, 0x2000);
    assert_eq!(lab.backplane_read(0x1800_204c, 4) & 0x10, 0x10);
    let shared = lab.backplane_read(0x6_fffc, 4);
    assert_eq!(lab.backplane_read(shared, 4) & 0x400, 0x400);
    lab.send_request(true, 2, &[]);
    lab.clock.advance(ms(1000));
    assert_eq!(lab.status() & 0x100, 0, "no answer");
    lab.clean();
}

#[test]
fn a_brown_out_comes_up_anew() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.chip.inject_brownout();
    assert_eq!(lab.chip.boot(), Boot::PoweringUp);
    lab.clock.advance(ms(60));
    assert_eq!(lab.chip.boot(), Boot::BusReady);
    lab.swapped_read(0x14);
    assert_eq!(lab.swapped_read(0x14), 0xfeed_bead);
}
