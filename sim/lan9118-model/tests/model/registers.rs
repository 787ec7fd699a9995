//! The register map, the MAC's registers, MDIO, power.

use std::time::Duration;

use lan9118_model::{ChipConfig, DeviceState, Part, ViolationKind};

use crate::host::{ADDRESS, BYTE_TEST, Host};

#[test]
fn registers_after_reset_match_data_sheet() {
    let host = Host::cold(ChipConfig::new(Part::Lan9118));
    while host.read(0x84) & 1 == 0 {}
    for (offset, value) in [
        (0x50, 0x0118_0001),
        (0x54, 0),
        (0x58, 0),
        (0x5c, 0),
        (0x64, 0x8765_4321),
        (0x68, 0x4800_0000),
        (0x6c, 0),
        (0x70, 0),
        (0x74, 0x0005_0004),
        (0x7c, 0),
        (0x80, 4608),
        (0x84, 1),
        (0xa0, 0),
        (0xac, 0),
    ] {
        assert_eq!(host.read(offset), value, "register {offset:#x}");
    }
    assert_eq!(host.read_csr(1), 0x0004_0000);
    host.assert_clean();
}

#[test]
fn id_rev_each_part_differs() {
    for part in Part::ALL {
        let host = Host::started(ChipConfig::new(part));
        assert_eq!(host.read(0x50) >> 16, u32::from(part.id()), "{part:?}");
        host.assert_clean();
    }
}

#[test]
fn hw_cfg_fifo_sizes_share_16_kib() {
    for (kib, free) in [(2, 1536), (5, 4608), (14, 13824)] {
        let host = Host::cold(ChipConfig::new(Part::Lan9118));
        host.start(kib);
        assert_eq!(host.read(0x80), free);
        host.assert_clean();
    }
}

#[test]
fn eeprom_address_is_loaded() {
    let host = Host::new();
    assert_eq!(host.read(0xb0) & 0x100, 0x100);
    assert_eq!((host.read_csr(3), host.read_csr(2)), (0x9100_0002, 0x0118));
    let without = Host::started(ChipConfig::new(Part::Lan9118).with_eeprom(None));
    assert_eq!(without.read(0xb0) & 0x100, 0);
    assert_eq!(without.read_csr(3), u32::MAX);
    assert_eq!(ADDRESS[5], 1);
}

#[test]
fn eeprom_load_overwrites_early_address() {
    let host = Host::cold(ChipConfig::new(Part::Lan9118));
    while host.read(0x84) & 1 == 0 {}
    assert_eq!(host.read(0xb0) >> 31, 1);
    host.write_csr(3, 0x1234_5678);
    assert_eq!(host.violations(), [ViolationKind::AddressRace]);
    host.pass(200);
    assert_eq!(host.read_csr(3), 0x9100_0002);
}

#[test]
fn mdio_without_phy_reads_ones() {
    let host = Host::new();
    assert_eq!(host.read_phy(1, 2), 0xffff);
    let before = host.clock.now();
    host.read_phy(1, 2);
    assert!(host.clock.now() - before > Duration::from_nanos(25_600));
    host.assert_clean();
}

#[test]
fn sleep_byte_test_write_wakes_up() {
    let host = Host::new();
    host.write(0x70, 1);
    host.write_csr(1, 0x0010_0000);
    host.pass(10);
    host.write(0x84, 2 << 12);
    assert_eq!(host.read(0x84) & 1, 0);
    host.assert_clean();
    // No other register may be accessed.
    host.read(0x58);
    host.write(0x5c, 0);
    assert_eq!(host.violations(), [ViolationKind::NotReady; 2]);
    host.write(BYTE_TEST, 0);
    let mut looks = 0;
    while host.read(0x84) & 1 == 0 {
        looks += 1;
    }
    assert!(looks > 10);
    // The read of PMT_CTRL that saw it ready was the read that is needed.
    host.write(0x5c, 8);
    assert_eq!(host.read(0x5c), 8);
    host.assert_clean();
}

#[test]
fn device_state_absent_reads_bus_level() {
    let host = Host::new();
    for (state, value) in [(DeviceState::AllOnes, u32::MAX), (DeviceState::AllZeros, 0)] {
        host.chip.set_device_state(state);
        host.write(0x5c, 8);
        assert_eq!(host.read(BYTE_TEST), value);
    }
    host.chip.set_device_state(DeviceState::Connected);
    assert_eq!(host.read(0x5c), 0);
    host.assert_clean();
}
