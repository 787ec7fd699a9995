//! What mode a link is in, and whether it is one.

use ethdev::{Duplex, Link, LinkMode, Pause, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use proptest::prelude::*;

use crate::fake::Bench;

const M10H: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
const M10F: LinkMode = LinkMode::new(Speed::MBPS_10, Duplex::Full);
const M100H: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Half);
const M100F: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);

fn up_with(partner: u16, expansion: u16, status: u16) -> Vec<PhyEvent> {
    let mut bench = Bench::started(PhyConfig::new());
    bench.fake.come_up(partner, expansion, status);
    bench.run(150);
    bench.take_events()
}

#[test]
fn register_31_decides_where_it_can_be_believed() {
    for (status, mode) in [(0x1044, M10H), (0x1054, M10F), (0x1048, M100H), (0x1058, M100F)] {
        // Both ends advertise everything: without register 31 it would be 100 full.
        assert_eq!(up_with(0x41e1, 0x0001, status), [PhyEvent::Up(mode)], "{status:#06x}");
    }
}

#[test]
fn a_silent_register_31_is_made_up_for() {
    // All zeros as in QEMU, all ones, not done yet, codes that do not exist.
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
fn a_partner_that_does_not_negotiate_is_half_duplex() {
    // Parallel detection: register 5 tells the speed, in whatever duplex; register 6 that nobody negotiated.
    for (partner, mode) in [(0x0181, M100H), (0x0081, M100H), (0x0021, M10H), (0x0061, M10H)] {
        assert_eq!(up_with(partner, 0x0000, 0), [PhyEvent::Up(mode)], "{partner:#06x}");
    }
    assert_eq!(up_with(0x0081, 0x0000, 0x1048), [PhyEvent::Up(M100H)]);
}

#[test]
fn pause_needs_both_ends_and_full_duplex() {
    let up = |partner, expansion, status| {
        let mut bench = Bench::new(PhyConfig::new());
        bench.start(LinkModes::ALL_MODES.union(LinkModes::PAUSE)).unwrap();
        bench.run(20);
        bench.fake.come_up(partner, expansion, status);
        bench.run(150);
        bench.phy.link().mode().unwrap().pause
    };
    let both = Pause { rx: true, tx: true };
    for status in [0, 0x1058] {
        assert_eq!(up(0x45e1, 1, status), both);
        assert_eq!(up(0x41e1, 1, status), Pause::default());
        // Nobody negotiated anything.
        assert_eq!(up(0x45e1, 0, status), Pause::default());
    }
    assert_eq!(up(0x44e1, 1, 0), Pause::default(), "half duplex");
}

#[test]
fn a_mode_that_the_mac_cannot_do_is_refused_once_for_each_time() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.start(LinkModes::TX100_FULL).unwrap();
    bench.run(20);
    assert_eq!(bench.fake.get(4), 0x0101, "nothing else is advertised");
    // A hub: parallel detection.
    bench.fake.come_up(0x0081, 0x0000, 0x1048);
    bench.run(2_000);
    assert_eq!(
        (bench.take_events(), bench.take_errors()),
        (vec![], vec![PhyError::NoCommonMode])
    );
    assert_eq!((bench.phy.link(), bench.phy.state()), (Link::Down, PhyState::Refused));

    // Another cable into the same hub, quicker than a poll.
    bench.fake.blink();
    bench.run(2_000);
    assert_eq!(bench.take_errors(), [PhyError::NoCommonMode]);

    bench.fake.go_down();
    bench.run(2_000);
    assert_eq!(
        (bench.take_events(), bench.take_errors(), bench.phy.state()),
        (vec![], vec![], PhyState::Refused)
    );
    bench.fake.come_up(0x4181, 0x0001, 0x1058);
    bench.run(2_000);
    assert_eq!(
        (bench.take_events(), bench.take_errors()),
        (vec![PhyEvent::Up(M100F)], vec![])
    );
}

#[test]
fn a_partner_without_a_common_mode_is_told_although_no_link_comes() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.start(LinkModes::TX100_FULL).unwrap();
    bench.run(20);
    bench.fake.set(5, 0x4061);
    bench.run(2_000);
    assert_eq!(
        (bench.take_events(), bench.take_errors()),
        (vec![], vec![PhyError::NoCommonMode])
    );
    // Another partner.
    bench.fake.set(5, 0x0000);
    bench.run(200);
    assert_eq!(bench.phy.state(), PhyState::Down);
    bench.fake.come_up_at_100_full();
    bench.run(200);
    assert_eq!(bench.take_events(), [PhyEvent::Up(M100F)]);
}

#[test]
fn what_cannot_be_is_refused_at_the_start() {
    let mut bench = Bench::new(PhyConfig::new());
    assert_eq!(bench.start(LinkModes::PAUSE), Err(PhyError::NoCommonMode));
    let mut bench = Bench::new(PhyConfig::new().with_forced_mode(Speed::MBPS_10, Duplex::Full));
    assert_eq!(bench.start(LinkModes::TX100_FULL), Err(PhyError::NoCommonMode));
    let mut bench = Bench::new(PhyConfig::new().with_forced_mode(Speed::MBPS_1000, Duplex::Full));
    assert_eq!(bench.start(LinkModes::ALL_MODES), Err(PhyError::NoCommonMode));
    assert_eq!(bench.fake.log, []);
}

#[test]
fn forced_modes_ask_nobody() {
    for (speed, duplex, control) in [
        (Speed::MBPS_10, Duplex::Half, 0x0000),
        (Speed::MBPS_10, Duplex::Full, 0x0100),
        (Speed::MBPS_100, Duplex::Half, 0x2000),
        (Speed::MBPS_100, Duplex::Full, 0x2100),
    ] {
        let mut bench = Bench::started(PhyConfig::new().with_forced_mode(speed, duplex));
        assert_eq!(bench.fake.get(0), control);
        // Auto-negotiation is off, and never completes.
        bench.fake.link = true;
        bench.run(150);
        assert_eq!(bench.take_events(), [PhyEvent::Up(LinkMode::new(speed, duplex))]);
        bench.fake.go_down();
        bench.run(100);
        assert_eq!(bench.take_events(), [PhyEvent::Down]);
    }
}

#[test]
fn a_link_before_the_end_of_negotiation_is_none() {
    let mut bench = Bench::started(PhyConfig::new());
    bench.fake.link = true;
    bench.run(1_000);
    assert_eq!(bench.events, []);
}

/// With its power down, silicon was seen to show a link. Nor does an isolated PHY pass frames.
#[test]
fn a_phy_that_sleeps_or_is_isolated_has_no_link() {
    for bit in [0x0800, 0x0400] {
        let mut bench = Bench::up(PhyConfig::new());
        bench.fake.set(0, 0x1000 | bit);
        bench.run(100);
        assert_eq!(bench.take_events(), [PhyEvent::Down], "{bit:#06x}");
        bench.run(1_000);
        bench.fake.set(0, 0x1000);
        bench.run(100);
        assert_eq!(bench.take_events().len(), 1, "{bit:#06x}");
    }
}

#[test]
fn another_advertisement_negotiates_anew() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.log.clear();
    bench
        .phy
        .set_advertise(&mut bench.fake, LinkModes::T10_FULL, bench.now)
        .unwrap();
    assert_eq!(bench.phy.link(), Link::Down);
    assert_eq!(bench.fake.writes(), [(4, 0x0041), (0, 0x1200)]);
    bench.fake.come_up(0x4061, 1, 0x1054);
    bench.run(150);
    assert_eq!(bench.take_events(), [PhyEvent::Down, PhyEvent::Up(M10F)]);
    assert_eq!(
        bench.phy.set_advertise(&mut bench.fake, LinkModes::NONE, bench.now),
        Err(PhyError::NoCommonMode)
    );
    assert!(bench.phy.link().is_up(), "nothing was changed");

    bench
        .phy
        .force(&mut bench.fake, Some((Speed::MBPS_10, Duplex::Full)), bench.now)
        .unwrap();
    assert_eq!(bench.fake.get(0), 0x0100);
    assert_eq!(
        bench
            .phy
            .force(&mut bench.fake, Some((Speed::MBPS_100, Duplex::Full)), bench.now),
        Err(PhyError::NoCommonMode)
    );
}

proptest! {
    /// Whatever the partner and register 31 say: the mode is one that the MAC can do, or none.
    #[test]
    fn no_link_in_a_mode_that_was_not_advertised(advertise: u16, partner: u16, expansion in 0_u16..2, status: u16) {
        let advertise = LinkModes::from_register(advertise);
        let mut bench = Bench::new(PhyConfig::new());
        prop_assume!(bench.start(advertise).is_ok());
        bench.run(20);
        bench.fake.come_up(partner, expansion, status);
        bench.run(300);
        match bench.phy.link() {
            Link::Up(mode) => {
                let bit = LinkModes::from_mode(mode.speed.unwrap(), mode.duplex.unwrap()).unwrap();
                prop_assert!(advertise.contains(bit));
                prop_assert_eq!(&bench.events[..], &[PhyEvent::Up(mode)]);
                prop_assert!(mode.duplex == Some(Duplex::Full) || mode.pause == Pause::default());
                prop_assert_eq!(bench.errors.len(), 0);
            }
            Link::Down => prop_assert_eq!((bench.events.len(), &bench.errors[..]), (0, &[PhyError::NoCommonMode][..])),
        }
    }
}
