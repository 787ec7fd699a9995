//! Registers: what they hold, and what reading and writing them does.

use lan8720_model::{Part, PhyConfig, PhyStraps, ViolationKind as Kind};

use crate::host::*;

#[test]
fn registers_after_reset_match_data_sheet() {
    let mut host = Host::new(lan8720a());
    let expected = [
        (BMCR, 0x3000),
        (BMSR, 0x7809),
        (2, 0x0007),
        (3, 0xc0f1),
        (ANAR, 0x01e1),
        (ANLPAR, 0x0001),
        (ANER, 0),
        (MCSR, 0x0002),
        (SMR, 0x40e0),
        (SECR, 0),
        (SCSIR, 0),
        (ISR, 0x0080),
        (IMR, 0),
        (PSCSR, 0x0040),
    ];
    for (register, value) in expected {
        assert_eq!(host.get(register), value, "register {register}");
    }
    for register in 7..=15 {
        assert_eq!(host.get(register), 0xffff, "register {register}");
    }
    host.assert_clean();
}

#[test]
fn registers_each_part_returns_part_id() {
    let ids = [
        (Part::Lan8720a, 0x0007_c0f1),
        (Part::Lan8710a, 0x0007_c0f1),
        (Part::Lan8740a, 0x0007_c111),
        (Part::Lan8742a, 0x0007_c131),
        (Part::Lan8700, 0x0007_c0c1),
        (Part::Lan911x, 0x0007_c0d1),
        (Part::OtherVendor, 0x0022_1550),
    ];
    for (part, id) in ids {
        let mut host = Host::new(PhyConfig::new(part).with_straps(PhyStraps::default().with_address(5)));
        assert_eq!(
            u32::from(host.read(5, 2)) << 16 | u32::from(host.read(5, 3)),
            id,
            "{part:?}"
        );
        assert_eq!(host.read(4, 2), 0xffff);
        let absent = if matches!(part, Part::Lan8720a | Part::Lan8710a | Part::Lan8700) {
            0xffff
        } else {
            0
        };
        assert_eq!(host.read(5, 13), absent, "{part:?}");
        let silent = matches!(part, Part::Lan911x | Part::OtherVendor);
        for register in [17, 18, 27, 31] {
            let value = host.read(5, register);
            assert!(
                !silent || value == 0,
                "{part:?}: register {register} reads {value:#06x}"
            );
        }
        host.assert_clean();
    }
    let mut host = Host::new(lan8720a().with_any_address());
    assert!((0..32).all(|address| host.read(address, 2) == 7));
}

#[test]
fn mdio_access_takes_64_mdc_periods() {
    let mut host = Host::new(lan8720a());
    let start = host.clock.now();
    host.get(BMSR);
    assert_eq!(host.clock.now() - start, core::time::Duration::from_nanos(25_600));
    assert_eq!(host.phy.mdio_counters().accesses(), 1);
    let mut host = Host::new(lan8720a().with_mdc_hz(1_000_000));
    let start = host.clock.now();
    host.set(IMR, 0);
    assert_eq!(host.clock.now() - start, core::time::Duration::from_micros(64));
    host.assert_clean();
    let mut host = Host::new(lan8720a().with_mdc_hz(2_500_001));
    host.get(BMSR);
    assert_eq!(host.kinds(), [Kind::MdcTooFast]);
}

#[test]
fn registers_forbidden_write_reports_violation() {
    let cases: &[(u8, u16, &[Kind])] = &[
        (BMCR, 0x3040, &[Kind::ReservedBits]),
        (BMCR, 0x3800, &[Kind::PowerDownNegotiating]),
        (BMCR, 0x7000, &[Kind::LoopbackNegotiating]),
        (BMCR, 0x9000, &[Kind::ResetWithOthers]),
        (BMCR, 0x6100, &[]),
        (BMSR, 0, &[Kind::ReadOnly]),
        (2, 0, &[Kind::ReadOnly]),
        (3, 0, &[Kind::ReadOnly]),
        (ANAR, 0x0de1, &[]),
        (ANAR, 0x8de1, &[Kind::ReservedBits]),
        (ANAR, 0x01e0, &[Kind::ReservedBits]),
        (ANLPAR, 1, &[Kind::ReadOnly]),
        (ANER, 0, &[Kind::ReadOnly]),
        (13, 3, &[Kind::UnknownRegister]),
        (16, 1, &[Kind::UnknownRegister]),
        (MCSR, 0x2002, &[]),
        (MCSR, 0x4000, &[Kind::ReservedBits]),
        (SMR, 0x40e1, &[]),
        (SMR, 0x00e0, &[Kind::ReservedBits]),
        (SECR, 0, &[Kind::ReadOnly]),
        (SCSIR, 0xa800, &[]),
        (SCSIR, 0x4000, &[Kind::ReservedBits]),
        (ISR, 0xff, &[Kind::ReadOnly]),
        (IMR, 0xfe, &[]),
        (IMR, 0xff, &[Kind::ReservedBits]),
        (PSCSR, 0x0040, &[]),
        (PSCSR, 0x0000, &[Kind::ReservedBits]),
    ];
    for (register, value, kinds) in cases {
        let mut host = Host::new(lan8720a());
        host.set(*register, *value);
        assert_eq!(
            host.kinds(),
            *kinds,
            "{value:#06x} to {register}: {:?}",
            host.phy.violations()
        );
    }
    let mut host = Host::new(lan8720a().with_allowed_violation(Kind::ReadOnly));
    host.set(BMSR, 0);
    host.assert_clean();
    assert_eq!(host.get(2), 7);
}
