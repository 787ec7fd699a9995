//! Resolution of the link mode.

use ethdev::{Duplex, Link, LinkMode, Pause, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use proptest::prelude::*;

use crate::mock::Harness;

const M10H: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
const M10F: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Full);
const M100H: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Half);
const M100F: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);

fn up_with(partner: u16, expansion: u16, status: u16) -> Vec<PhyEvent> {
    let mut harness = Harness::started(PhyConfig::new());
    harness.chip.link_up(partner, expansion, status);
    harness.run(150);
    harness.take_events()
}

#[test]
fn mode_register_31_valid_used() {
    for (status, mode) in [(0x1044, M10H), (0x1054, M10F), (0x1048, M100H), (0x1058, M100F)] {
        // Both ends advertise every mode: without register 31 it would be 100 Mbit/s full duplex.
        assert_eq!(up_with(0x41e1, 0x0001, status), [PhyEvent::Up(mode)], "{status:#06x}");
    }
}

#[test]
fn mode_register_31_invalid_from_advertisements() {
    // All zeros as in QEMU, all ones, AUTODONE clear, undefined codes.
    for status in [0x0000, 0xffff, 0x0058, 0x1040, 0x104c, 0x1050, 0x105c] {
        for (partner, mode) in [(0x41e1, M100F), (0x40e1, M100H), (0x4061, M10F), (0x4021, M10H)] {
            assert_eq!(
                up_with(partner, 0x0001, status),
                [PhyEvent::Up(mode)],
                "{status:#06x} {partner:#06x}"
            );
        }
    }
}

#[test]
fn mode_parallel_detection_half_duplex() {
    // Register 5 has the speed with either duplex; register 6: the partner does not negotiate.
    for (partner, mode) in [(0x0181, M100H), (0x0081, M100H), (0x0021, M10H), (0x0061, M10H)] {
        assert_eq!(up_with(partner, 0x0000, 0), [PhyEvent::Up(mode)], "{partner:#06x}");
    }
    assert_eq!(up_with(0x0081, 0x0000, 0x1048), [PhyEvent::Up(M100H)]);
}

#[test]
fn mode_pause_requires_both_ends_and_full_duplex() {
    let up = |partner, expansion, status| {
        let mut harness = Harness::new(PhyConfig::new());
        harness.start(LinkModes::ALL_MODES.union(LinkModes::PAUSE)).unwrap();
        harness.run(20);
        harness.chip.link_up(partner, expansion, status);
        harness.run(150);
        harness.phy.link().mode().unwrap().pause
    };
    let both = Pause { rx: true, tx: true };
    for status in [0, 0x1058] {
        assert_eq!(up(0x45e1, 1, status), both);
        assert_eq!(up(0x41e1, 1, status), Pause::default());
        // Parallel detection.
        assert_eq!(up(0x45e1, 0, status), Pause::default());
    }
    assert_eq!(up(0x44e1, 1, 0), Pause::default(), "half duplex");
}

#[test]
fn poll_unsupported_mode_reported_once_per_link() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.start(LinkModes::TX100_FULL).unwrap();
    harness.run(20);
    assert_eq!(harness.chip.get(4), 0x0101, "only this mode is advertised");
    // A hub without auto-negotiation: parallel detection.
    harness.chip.link_up(0x0081, 0x0000, 0x1048);
    harness.run(2_000);
    assert_eq!(
        (harness.take_events(), harness.take_errors()),
        (vec![], vec![PhyError::NoCommonMode])
    );
    assert_eq!(
        (harness.phy.link(), harness.phy.state()),
        (Link::Down, PhyState::NoCommonMode)
    );

    // The cable is replugged between two polls.
    harness.chip.link_glitch();
    harness.run(2_000);
    assert_eq!(harness.take_errors(), [PhyError::NoCommonMode]);

    harness.chip.link_down();
    harness.run(2_000);
    assert_eq!(
        (harness.take_events(), harness.take_errors(), harness.phy.state()),
        (vec![], vec![], PhyState::NoCommonMode)
    );
    harness.chip.link_up(0x4181, 0x0001, 0x1058);
    harness.run(2_000);
    assert_eq!(
        (harness.take_events(), harness.take_errors()),
        (vec![PhyEvent::Up(M100F)], vec![])
    );
}

#[test]
fn poll_no_common_mode_without_link_reported() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.start(LinkModes::TX100_FULL).unwrap();
    harness.run(20);
    harness.chip.set(5, 0x4061);
    harness.run(2_000);
    assert_eq!(
        (harness.take_events(), harness.take_errors()),
        (vec![], vec![PhyError::NoCommonMode])
    );
    // Another partner.
    harness.chip.set(5, 0x0000);
    harness.run(200);
    assert_eq!(harness.phy.state(), PhyState::Down);
    harness.chip.link_up_100_full();
    harness.run(200);
    assert_eq!(harness.take_events(), [PhyEvent::Up(M100F)]);
}

#[test]
fn start_impossible_mode_no_common_mode() {
    let mut harness = Harness::new(PhyConfig::new());
    assert_eq!(harness.start(LinkModes::PAUSE), Err(PhyError::NoCommonMode));
    let mut harness = Harness::new(PhyConfig::new().with_forced_mode(Speed::MBPS_10, Duplex::Full));
    assert_eq!(harness.start(LinkModes::TX100_FULL), Err(PhyError::NoCommonMode));
    let mut harness = Harness::new(PhyConfig::new().with_forced_mode(Speed::MBPS_1000, Duplex::Full));
    assert_eq!(harness.start(LinkModes::ALL_MODES), Err(PhyError::NoCommonMode));
    assert_eq!(harness.chip.log, []);
}

#[test]
fn forced_mode_any_link_up() {
    for (speed, duplex, control) in [
        (Speed::MBPS_10, Duplex::Half, 0x0000),
        (Speed::MBPS_10, Duplex::Full, 0x0100),
        (Speed::MBPS_100, Duplex::Half, 0x2000),
        (Speed::MBPS_100, Duplex::Full, 0x2100),
    ] {
        let mut harness = Harness::started(PhyConfig::new().with_forced_mode(speed, duplex));
        assert_eq!(harness.chip.get(0), control);
        // Auto-negotiation is off and never completes.
        harness.chip.link = true;
        harness.run(150);
        assert_eq!(harness.take_events(), [PhyEvent::Up(LinkMode::new(speed, duplex))]);
        harness.chip.link_down();
        harness.run(100);
        assert_eq!(harness.take_events(), [PhyEvent::Down]);
    }
}

#[test]
fn poll_link_before_autoneg_complete_down() {
    let mut harness = Harness::started(PhyConfig::new());
    harness.chip.link = true;
    harness.run(1_000);
    assert_eq!(harness.events, []);
}

/// Some chips report a link in power-down (field report).
#[test]
fn poll_power_down_or_isolated_down() {
    for bit in [0x0800, 0x0400] {
        let mut harness = Harness::up(PhyConfig::new());
        harness.chip.set(0, 0x1000 | bit);
        harness.run(100);
        assert_eq!(harness.take_events(), [PhyEvent::Down], "{bit:#06x}");
        harness.run(1_000);
        harness.chip.set(0, 0x1000);
        harness.run(100);
        assert_eq!(harness.take_events().len(), 1, "{bit:#06x}");
    }
}

#[test]
fn set_advertise_running_restarts_autoneg() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.log.clear();
    harness
        .phy
        .set_advertise(&mut harness.chip, LinkModes::T10_FULL, harness.now)
        .unwrap();
    assert_eq!(harness.phy.link(), Link::Down);
    assert_eq!(harness.chip.writes(), [(4, 0x0041), (0, 0x1200)]);
    harness.chip.link_up(0x4061, 1, 0x1054);
    harness.run(150);
    assert_eq!(harness.take_events(), [PhyEvent::Down, PhyEvent::Up(M10F)]);
    assert_eq!(
        harness
            .phy
            .set_advertise(&mut harness.chip, LinkModes::NONE, harness.now),
        Err(PhyError::NoCommonMode)
    );
    assert!(harness.phy.link().is_up(), "nothing changed");

    harness
        .phy
        .set_forced_mode(&mut harness.chip, Some((Speed::MBPS_10, Duplex::Full)), harness.now)
        .unwrap();
    assert_eq!(harness.chip.get(0), 0x0100);
    assert_eq!(
        harness
            .phy
            .set_forced_mode(&mut harness.chip, Some((Speed::MBPS_100, Duplex::Full)), harness.now),
        Err(PhyError::NoCommonMode)
    );
}

proptest! {
    /// The mode is one that was advertised, whatever the partner and register 31 contain.
    #[test]
    fn mode_any_registers_advertised_or_none(advertise: u16, partner: u16, expansion in 0_u16..2, status: u16) {
        let advertise = LinkModes::from_register(advertise);
        let mut harness = Harness::new(PhyConfig::new());
        prop_assume!(harness.start(advertise).is_ok());
        harness.run(20);
        harness.chip.link_up(partner, expansion, status);
        harness.run(300);
        match harness.phy.link() {
            Link::Up(mode) => {
                let bit = LinkModes::from_mode(mode.speed.unwrap(), mode.duplex.unwrap()).unwrap();
                prop_assert!(advertise.contains(bit));
                prop_assert_eq!(&harness.events[..], &[PhyEvent::Up(mode)]);
                prop_assert!(mode.duplex == Some(Duplex::Full) || mode.pause == Pause::default());
                prop_assert_eq!(harness.errors.len(), 0);
            }
            Link::Down => prop_assert_eq!((harness.events.len(), &harness.errors[..]), (0, &[PhyError::NoCommonMode][..])),
        }
    }
}
