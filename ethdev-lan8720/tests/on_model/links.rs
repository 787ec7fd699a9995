//! Every link partner with every setting.

use std::time::Duration;

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use lan8720_model::{Mode, Part, Partner, PhyConfig as Chip, PhyStraps, Setting};

use crate::testbed::{POLL, POLL_TIME, Testbed, chip, ms};

const MODES: [(Speed, Duplex); 4] = [
    (Speed::MBPS_10, Duplex::Half),
    (Speed::MBPS_10, Duplex::Full),
    (Speed::MBPS_100, Duplex::Half),
    (Speed::MBPS_100, Duplex::Full),
];

/// The expected mode of an end that negotiates.
fn negotiated(advertise: LinkModes, partner: Setting) -> Option<LinkMode> {
    match partner {
        Setting::Negotiating(abilities) => advertise.resolve(abilities),
        // Parallel detection: the partner's speed, half duplex.
        Setting::Forced(speed, _) => {
            let half = LinkModes::from_mode(speed, Duplex::Half).unwrap();
            advertise.contains(half).then_some(LinkMode::new(speed, Duplex::Half))
        }
    }
}

#[test]
fn autoneg_every_partner_expected_mode() {
    let advertised = [
        LinkModes::ALL_MODES,
        LinkModes::ALL_MODES.union(LinkModes::PAUSE),
        LinkModes::ALL_MODES
            .union(LinkModes::PAUSE)
            .union(LinkModes::PAUSE_ASYMMETRIC),
        LinkModes::TX100_FULL,
        LinkModes::T10_HALF.union(LinkModes::TX100_HALF),
    ];
    for advertise in advertised {
        for interrupt in [false, true] {
            for partner in Partner::all() {
                let mut testbed = Testbed::new(chip(partner), PhyConfig::new().with_interrupt(interrupt));
                testbed.start(advertise).unwrap();
                testbed.run(ms(5_000));
                let case = format!("{advertise:?}, interrupt {interrupt}, {:?}", partner.setting);
                match negotiated(advertise, partner.setting) {
                    Some(mode) => {
                        assert_eq!(testbed.take_events(), [PhyEvent::Up(mode)], "{case}");
                        assert_eq!(
                            (testbed.take_errors(), testbed.phy.link()),
                            (vec![], Link::Up(mode)),
                            "{case}"
                        );
                        let late = testbed.clock.now() - testbed.changed_at;
                        assert!(late > Duration::ZERO);
                        let on_wire = testbed.wire.link().mode().unwrap();
                        assert_eq!((on_wire.speed, on_wire.duplex), (mode.speed, mode.duplex), "{case}");
                    }
                    None => {
                        assert_eq!(
                            (testbed.take_events(), testbed.phy.link()),
                            (vec![], Link::Down),
                            "{case}"
                        );
                        // Without a link there is no interrupt.
                        let reported = !interrupt || testbed.wire.link().is_up();
                        let expected = if reported { vec![PhyError::NoCommonMode] } else { vec![] };
                        assert_eq!(testbed.take_errors(), expected, "{case}");
                    }
                }
                testbed.assert_no_violations();
            }
        }
    }
}

#[test]
fn forced_every_partner_expected_link() {
    for (speed, duplex) in MODES {
        for partner in Partner::all() {
            let config = PhyConfig::new().with_forced_mode(speed, duplex).with_interrupt(true);
            let mut testbed = Testbed::started(chip(partner), config, ms(5_000));
            let mode = LinkMode::new(speed, duplex);
            let case = format!("{mode:?}, {:?}", partner.setting);
            assert_eq!(testbed.phy.link().is_up(), testbed.wire.link().is_up(), "{case}");
            if testbed.wire.link().is_up() {
                assert_eq!(testbed.take_events(), [PhyEvent::Up(mode)], "{case}");
            }
            if let Setting::Forced(theirs, _) = partner.setting {
                assert_eq!(testbed.wire.link().is_up(), theirs == speed, "{case}");
            }
            assert_eq!(testbed.take_errors(), [], "{case}");
            testbed.assert_no_violations();
        }
    }
}

#[test]
fn poll_link_change_within_interval() {
    for interrupt in [false, true] {
        for delay in [0, 777, 12_345] {
            let partner = Partner::default().with_delay(ms(delay));
            let mut testbed = Testbed::started(chip(partner), PhyConfig::new().with_interrupt(interrupt), ms(20_000));
            let allowed = if interrupt { POLL_TIME } else { POLL + POLL_TIME };
            let (at, event) = testbed.events.remove(0);
            assert!(matches!(event, PhyEvent::Up(_)));
            assert!(
                at - testbed.changed_at <= allowed,
                "up {:?} late",
                at - testbed.changed_at
            );

            testbed.wire.set_link(false);
            testbed.run(ms(1_000));
            let (at, event) = testbed.events.remove(0);
            assert_eq!(event, PhyEvent::Down);
            assert!(
                at - testbed.changed_at <= allowed,
                "down {:?} late",
                at - testbed.changed_at
            );
            testbed.assert_no_violations();
        }
    }
}

/// The partner is replaced between two polls.
#[test]
fn poll_partner_replaced_down_then_up() {
    let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    testbed.take_events();
    testbed.chip.set_partner(Partner::forced(Speed::MBPS_10, Duplex::Half));
    testbed.run(ms(5_000));
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(testbed.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);
    testbed.assert_no_violations();
}

#[test]
fn start_any_mode_strap_negotiates() {
    for mode in [
        Mode::T10Half,
        Mode::T10Full,
        Mode::Tx100Half,
        Mode::Tx100Full,
        Mode::AdvertiseTx100Half,
        Mode::Repeater,
        Mode::PowerDown,
        Mode::AllCapable,
    ] {
        let config = chip(Partner::default()).with_straps(PhyStraps::default().with_address(1).with_mode(mode));
        let mut testbed = Testbed::started(config, PhyConfig::new(), ms(4_000));
        let full = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        assert_eq!(testbed.take_events(), [PhyEvent::Up(full)], "{mode:?}");
        assert_eq!(
            testbed.phy.straps().map(|straps| straps.mode),
            Some(mode as u8),
            "{mode:?}"
        );
        testbed.assert_no_violations();
    }
}

#[test]
fn start_every_model_link_up() {
    for part in Part::ALL {
        let config = Chip::new(part).with_straps(PhyStraps::default().with_address(1));
        let mut testbed = Testbed::new(config, PhyConfig::new().with_interrupt(part != Part::OtherVendor));
        let started = testbed.start(LinkModes::ALL_MODES);
        testbed.run(ms(4_000));
        if part == Part::OtherVendor {
            let Err(PhyError::UnknownId(id)) = started else {
                panic!("{started:?}")
            };
            assert_eq!(id.raw(), part.id());
            assert_eq!(testbed.chip.mdio_counters().writes, 0, "written to an unknown PHY");
            assert_eq!(testbed.take_errors(), []);
            continue;
        }
        started.unwrap();
        let full = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        assert_eq!(testbed.take_events(), [PhyEvent::Up(full)], "{part:?}");
        testbed.wire.set_link(false);
        testbed.run(ms(200));
        assert_eq!(testbed.take_events(), [PhyEvent::Down], "{part:?}");
        testbed.assert_no_violations();
    }
}

#[test]
fn idle_with_interrupt_no_access() {
    for cable in [true, false] {
        let partner = cable.then(Partner::default);
        let mut testbed = Testbed::started(chip(partner), PhyConfig::new().with_interrupt(true), ms(5_000));
        let before = testbed.accesses();
        testbed.run(Duration::from_secs(3_600));
        assert_eq!(testbed.accesses(), before, "an hour, cable {cable}");
    }
}

#[test]
fn idle_polled_three_reads_per_interval() {
    let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(5_000));
    let before = testbed.accesses();
    testbed.run(Duration::from_secs(60));
    let each = POLL + 3 * testbed.mdio.access_time();
    let polls = Duration::from_secs(60).as_nanos() / each.as_nanos();
    let reads = u128::from(testbed.accesses() - before);
    assert!(reads >= 3 * polls && reads <= 3 * 600, "{reads} reads in 60 s");
}

#[test]
fn set_advertise_force_stop_running_applied() {
    let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    assert_eq!(testbed.take_events().len(), 1);
    let now = testbed.clock.now();
    testbed
        .phy
        .set_advertise(&mut testbed.mdio, LinkModes::T10_FULL, now)
        .unwrap();
    testbed.run(ms(4_000));
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Full);
    assert_eq!(testbed.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    let now = testbed.clock.now();
    testbed
        .phy
        .set_forced_mode(&mut testbed.mdio, Some((Speed::MBPS_10, Duplex::Full)), now)
        .unwrap();
    testbed.run(ms(4_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    let now = testbed.clock.now();
    testbed.phy.set_forced_mode(&mut testbed.mdio, None, now).unwrap();
    testbed.run(ms(4_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    testbed.phy.stop(&mut testbed.mdio).unwrap();
    let before = testbed.accesses();
    testbed.run(ms(10_000));
    assert_eq!(
        (testbed.take_events(), testbed.accesses()),
        (vec![PhyEvent::Down], before)
    );
    assert!(!testbed.wire.link().is_up(), "the PHY is powered down");
    testbed.start(LinkModes::ALL_MODES).unwrap();
    testbed.run(ms(4_000));
    assert_eq!((testbed.take_events().len(), testbed.phy.state()), (1, PhyState::Up));
    testbed.assert_no_violations();
}

/// Some boards report a link in power-down.
#[test]
fn poll_link_bit_in_power_down_ignored() {
    use ethdev_phy::mdio::RegisterAddress;
    use lan8720_model::ViolationKind;
    let mut testbed = Testbed::started(
        chip(Partner::default()).with_allowed_violation(ViolationKind::PowerDownNegotiating),
        PhyConfig::new(),
        ms(4_000),
    );
    testbed.take_events();
    testbed
        .phy
        .registers(&mut testbed.mdio)
        .write(RegisterAddress::new(0).unwrap(), 0x1800)
        .unwrap();
    assert_eq!(testbed.chip.peek(1) & 4, 4, "link bit set in power-down");
    testbed.run(ms(1_000));
    assert_eq!(
        (testbed.take_events(), testbed.phy.link()),
        (vec![PhyEvent::Down], Link::Down)
    );
    testbed.assert_no_violations();
}
