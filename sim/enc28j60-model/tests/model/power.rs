//! Resets, the oscillator, power-save, and the link of the PHY.

use core::time::Duration;

use embedded_hal::digital::{InputPin, OutputPin};
use enc28j60_model::{Errata, Revision, ViolationKind};

use crate::host::*;

#[test]
fn power_on_sets_clkrdy_after_300_us() {
    let host = Host::cold(ideal());
    host.clock.advance(Duration::from_nanos(299_999));
    assert_eq!(host.chip.peek(0, 0x1d), 0);
    host.clock.advance(Duration::from_nanos(1));
    assert_eq!(host.chip.peek(0, 0x1d), 1);
}

#[test]
fn system_reset_keeps_memory_clkrdy_and_ecocon() {
    let mut host = Host::started(ideal());
    host.set(ECOCON, 0x01);
    host.set16(EWRPT, 0x1b00);
    host.write(&[0xde, 0xad]);
    host.peer.send(&frame(60));
    host.us(100);
    host.reset();
    assert_eq!(host.get(ESTAT) & 1, 1);
    assert_eq!((host.get(ECOCON), host.get(EPKTCNT), host.get(ECON1) & 4), (0x01, 0, 0));
    assert_eq!([host.chip.peek_ram(0x1b00), host.chip.peek_ram(0x1b01)], [0xde, 0xad]);
    assert_eq!(host.chip.stats().lost_in_reset, 1);
    host.assert_clean();
}

#[test]
fn brownout_randomises_memory() {
    let mut host = Host::started(ideal());
    host.set(ECOCON, 0x01);
    let before: Vec<u8> = (0..64).map(|at| host.chip.peek_ram(at)).collect();
    host.chip.inject_brownout();
    let after: Vec<u8> = (0..64).map(|at| host.chip.peek_ram(at)).collect();
    assert_ne!(before, after);
    assert_eq!((host.get(ECOCON), host.get(ESTAT) & 1), (0x04, 0));
}

#[test]
fn reset_pin_short_pulse_is_filtered() {
    let mut host = Host::started(ideal());
    let mut pin = host.chip.reset_pin();
    pin.set_low().unwrap();
    host.clock.advance(Duration::from_nanos(399));
    pin.set_high().unwrap();
    assert_eq!(host.get(ECON1) & 4, 4);
    assert_eq!(host.kinds(), [ViolationKind::ShortReset]);
    pin.set_low().unwrap();
    host.clock.advance(Duration::from_nanos(400));
    pin.set_high().unwrap();
    assert_eq!(host.get(ECON1) & 4, 0);
    pin.set_low().unwrap();
    assert_eq!(host.get(ESTAT), 0, "held in reset");
}

#[test]
fn mac_access_in_power_save_is_violation() {
    let mut host = Host::started(ideal());
    host.set(MACON4, 0x40);
    host.clear_bits(ECON1, 0x04);
    host.set_bits(ECON2, 0x20);
    assert_eq!(host.get(ESTAT) & 1, 0);
    assert_eq!(host.get16(ERXND), RX_END);
    host.peer.send(&frame(60));
    host.us(100);
    host.assert_clean();
    assert_eq!(host.get(MACON4), 0);
    assert_eq!(host.kinds(), [ViolationKind::NotReady]);
    host.clear_bits(ECON2, 0x20);
    host.us(290);
    assert_eq!(host.get(ESTAT) & 1, 0);
    host.us(10);
    assert_eq!((host.get(ESTAT) & 1, host.get(MACON4)), (1, 0x40));
    assert_eq!(host.chip.stats().rx_disabled, 1);
}

#[test]
fn power_save_during_start_stops_oscillator() {
    let mut host = Host::started(ideal());
    host.clear_bits(ECON1, 0x04);
    host.set_bits(ECON2, 0x20);
    host.clear_bits(ECON2, 0x20);
    host.us(200);
    host.set_bits(ECON2, 0x20);
    host.clear_bits(ECON2, 0x20);
    host.us(250);
    assert_eq!(host.get(ESTAT) & 1, 0);
    host.us(50);
    assert_eq!(host.get(ESTAT) & 1, 1);
}

#[test]
fn link_interrupt_needs_both_enables() {
    for (enables, flags, pending) in [(0x0010, 0x0014, 0), (0x0002, 0x0010, 0), (0x0012, 0x0014, 0x10)] {
        let mut host = Host::started(ideal());
        host.phy_read(0x13);
        host.phy_write(0x12, enables);
        host.wire.set_link(false);
        assert_eq!(
            (host.get(EIR), host.chip.peek_phy(0x13)),
            (pending, flags),
            "PHIE {enables:#06x}"
        );
    }
}

#[test]
fn cable_unplugged_again_restarts_link() {
    let host = Host::started(ideal());
    let linked = || host.chip.peek_phy(0x11) & 0x0400 != 0;
    for ms in [0, 10] {
        host.us(ms * 1000);
        host.wire.set_link(false);
        host.wire.set_link(true);
    }
    host.us(19_999);
    assert!(!linked());
    host.us(1);
    assert!(linked());
}

#[test]
fn mii_operation_takes_10_us() {
    let mut host = Host::started(ideal());
    host.set(MIREGADR, 0x02);
    host.set(MICMD, 0x01);
    assert_eq!(host.get(MISTAT), 0x01);
    host.us(11);
    assert_eq!(host.get(MISTAT), 0x00);
    host.set(MICMD, 0x00);
    assert_eq!(host.get16(MIRD), 0x0083);
    assert_eq!(host.phy_read(0x03), 0x1400);
    assert_eq!(host.phy_read(0x14), 0x3422);
    host.phy_write(0x14, 0x3472);
    assert_eq!(host.phy_read(0x14), 0x3472);
    assert_eq!(host.phy_read(0x1f), 0);
    host.assert_clean();
    host.set(MICMD, 0x02);
    assert_eq!(host.get(MISTAT) & 0x06, 0x06, "scanning, nothing valid yet");
    host.us(11);
    assert_eq!(host.get(MISTAT) & 0x06, 0x02);
}

#[test]
fn link_loss_latches_and_interrupts() {
    let mut host = Host::started(ideal());
    assert_eq!(host.phy_read(0x11), 0x0400);
    host.phy_read(0x01);
    assert_eq!(host.phy_read(0x01), 0x1804);
    host.phy_read(0x13);
    host.phy_write(0x12, 0x0012);
    host.set(EIE, 0x90);
    let mut int = host.chip.int_pin();
    assert!(int.is_high().unwrap());
    host.wire.set_link(false);
    assert!(int.is_low().unwrap());
    assert_eq!((host.get(EIR), host.get(ESTAT) & 0x80), (0x10, 0x80));
    host.clear_bits(EIR, 0x10);
    assert!(
        int.is_low().unwrap(),
        "LINKIF is cleared by reading PHIR, and by nothing else"
    );
    assert_eq!(host.phy_read(0x13), 0x0014);
    assert!(int.is_high().unwrap());
    host.wire.set_link(true);
    host.clock.advance(Duration::from_millis(20));
    assert!(int.is_low().unwrap());
    assert_eq!(host.phy_read(0x13), 0x0014);
    assert_eq!(host.phy_read(0x11), 0x0400);
    assert_eq!(host.phy_read(0x01), 0x1800, "it was down since the last read");
    assert_eq!(host.phy_read(0x01), 0x1804);
    host.assert_clean();
}

#[test]
fn int_pin_follows_flags_and_masks() {
    let mut host = Host::started(ideal());
    let mut int = host.chip.int_pin();
    host.peer.send(&frame(60));
    host.us(100);
    assert!(int.is_high().unwrap());
    host.set(EIE, 0x40);
    assert!(int.is_high().unwrap(), "INTIE is off");
    assert_eq!(host.get(ESTAT) & 0x80, 0x80);
    host.set_bits(EIE, 0x80);
    assert!(int.is_low().unwrap());
    host.clear_bits(EIE, 0x80);
    assert!(int.is_high().unwrap());
    host.set_bits(EIE, 0x80);
    host.receive().unwrap();
    assert!(int.is_high().unwrap());
    host.assert_clean();
}

#[test]
fn erratum_2_after_reset_blocks_mac_for_1_ms() {
    let mut errata = Errata::of(Revision::B7);
    errata.e16_duplex_strap = false;
    let mut host = Host::started(ideal().with_errata(errata));
    host.reset();
    host.us(300);
    assert_eq!(host.get(ESTAT) & 1, 1);
    host.set(MACON3, 0x32);
    assert_eq!(host.get(MACON3), 0);
    assert_eq!(host.kinds(), [ViolationKind::NotReady; 2]);
    host.us(700);
    host.set(MACON3, 0x32);
    assert_eq!(host.get(MACON3), 0x32);
}

/// Erratum 2 names the system reset instruction. After the RESET pin, section 11.2 asks for 50 µs
/// before the PHY is used.
#[test]
fn reset_pin_blocks_phy_for_50_us_and_mac_not_at_all() {
    let pulse = |host: &Host| {
        let mut pin = host.chip.reset_pin();
        pin.set_low().unwrap();
        host.us(1);
        pin.set_high().unwrap();
    };
    let mut host = Host::started(ideal().with_errata(Errata::of(Revision::B7)));
    pulse(&host);
    host.set(MACON3, 0x32);
    assert_eq!(host.get(MACON3), 0x32);
    host.assert_clean();
    host.set(MIREGADR, 0x02);
    assert_eq!(host.chip.take_violations().remove(0).kind, ViolationKind::NotReady);
    host.us(50);
    assert_eq!(host.phy_read(0x02), 0x0083);
    host.assert_clean();
    // Out of power-save the oscillator has to start.
    host.set_bits(ECON2, 0x20);
    pulse(&host);
    host.us(50);
    host.set(MACON3, 0x32);
    assert_eq!((host.get(MACON3), host.kinds()), (0, vec![ViolationKind::NotReady; 2]));
    host.us(300);
    host.set(MACON3, 0x32);
    assert_eq!(host.get(MACON3), 0x32);
}

#[test]
fn erratum_19_in_power_save_ignores_reset() {
    for ignored in [true, false] {
        let mut errata = Errata::none();
        errata.e19_reset_asleep = ignored;
        let mut host = Host::started(ideal().with_errata(errata));
        host.set_bits(ECON2, 0x20);
        host.reset();
        assert_eq!(host.get(ECON2) & 0x20 != 0, ignored);
        assert_eq!(host.kinds(), [ViolationKind::ResetAsleep]);
    }
}
