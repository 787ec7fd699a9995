//! Bus errors, PHYs that stop responding, short losses of the link.

use std::time::Duration;

use ethdev::{Duplex, ErrorKind, Link, LinkMode, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{Phy, PhyError, PhyEvent, PhyState};
use proptest::prelude::*;

use crate::mock::{ADDRESS, Harness};

const NO_PHY: PhyError<ErrorKind> = PhyError::NotResponding(PhyAddress::new(ADDRESS).unwrap());

#[test]
fn poll_link_lost_down_within_interval() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.link_down();
    harness.run(100);
    assert_eq!(harness.take_events(), [PhyEvent::Down]);
}

/// The partner is replaced between two polls, so that the link is up in both.
#[test]
fn poll_link_glitch_down_then_up_in_new_mode() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.link_up(0x4021, 0x0001, 0x1044);
    harness.chip.link_glitch();
    harness.now += harness.phy.next_poll(harness.now);
    harness.poll();
    assert_eq!(harness.take_events(), [PhyEvent::Down]);
    assert_eq!(
        harness.phy.next_poll(harness.now),
        Duration::ZERO,
        "the next poll is due at once"
    );
    harness.poll();
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(harness.take_events(), [PhyEvent::Up(mode)]);
}

/// All ones contain the link bit.
#[test]
fn poll_all_ones_or_zeros_not_responding() {
    for stuck_at in [0xffff, 0x0000] {
        let mut harness = Harness::up(PhyConfig::new());
        harness.chip.stuck_at = Some(stuck_at);
        harness.run(100);
        assert_eq!(
            (harness.take_errors(), harness.phy.link()),
            (vec![NO_PHY], Link::Down),
            "{stuck_at:#06x}"
        );
        harness.run(3_000);
        assert_eq!(
            (harness.take_events(), harness.take_errors()),
            (vec![PhyEvent::Down], vec![])
        );

        // When it responds again, it is reset and configured.
        harness.chip.stuck_at = None;
        harness.chip.brownout();
        harness.chip.log.clear();
        harness.run(200);
        assert_eq!(harness.chip.writes()[0], (0, 0x8000));
        harness.chip.link_up_100_full();
        harness.run(200);
        assert_eq!(harness.take_events().len(), 1);
    }
}

/// Register 0 reads as a forced mode of 10 Mbit/s half duplex.
#[test]
fn poll_mdio_grounded_not_responding() {
    let mut harness = Harness::started(PhyConfig::new().with_forced_mode(Speed::MBPS_10, Duplex::Half));
    harness.chip.link = true;
    harness.run(150);
    assert_eq!(harness.take_events().len(), 1);
    harness.chip.stuck_at = Some(0);
    harness.run(150);
    assert_eq!(
        (harness.take_errors(), harness.take_events()),
        (vec![NO_PHY], vec![PhyEvent::Down])
    );
}

#[test]
fn poll_config_lost_configured_again() {
    // Register 4 is checked when the link comes up.
    let mut harness = Harness::new(PhyConfig::new());
    harness.start(ethdev_phy::phy::LinkModes::TX100_FULL).unwrap();
    harness.run(20);
    harness.chip.brownout();
    harness.chip.link_up(0x45e1, 0x0001, 0x1058);
    harness.run(200);
    assert_eq!((harness.take_events(), harness.chip.get(4)), (vec![], 0x0101));
    harness.chip.link_up(0x4101, 0x0001, 0x1058);
    harness.run(200);
    assert_eq!(harness.take_events().len(), 1);

    // Register 0 is checked while the link is up.
    harness.chip.set(0, 0x2100);
    harness.run(200);
    assert_eq!(
        (harness.take_events(), harness.chip.get(0)),
        (vec![PhyEvent::Down], 0x1000)
    );

    // The interrupt mask.
    let mut harness = Harness::up(
        PhyConfig::new()
            .with_interrupt(true)
            .with_watchdog_interval(Duration::from_secs(10)),
    );
    harness.chip.brownout();
    harness.chip.link_up_100_full();
    harness.run(10_500);
    assert_eq!(
        (harness.take_events(), harness.chip.get(30)),
        (vec![PhyEvent::Down], 0x0050)
    );
}

#[test]
fn poll_two_bus_errors_link_stays_up() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.failing = harness.chip.log.len()..harness.chip.log.len() + 2;
    harness.run(300);
    assert_eq!(harness.take_errors(), [PhyError::Mdio(ErrorKind::Timeout); 2]);
    assert_eq!((harness.take_events(), harness.phy.link().is_up()), (vec![], true));
}

#[test]
fn poll_repeated_bus_errors_link_down() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.failing = harness.chip.log.len()..usize::MAX;
    harness.run(500);
    assert_eq!(harness.take_events(), [PhyEvent::Down]);
    assert_eq!(harness.errors.len(), 5, "every bus error is reported");
    harness.chip.failing = 0..0;
    harness.run(100);
    assert_eq!(harness.take_events().len(), 1, "up again");
}

/// The PHY reports a loss only once. It is not missed, whichever access fails.
#[test]
fn poll_bus_error_during_glitch_loss_not_missed() {
    for access in 0..12 {
        let mut harness = Harness::up(PhyConfig::new());
        harness.chip.link_up(0x4021, 0x0001, 0x1044);
        harness.chip.link_glitch();
        harness.chip.failing = harness.chip.log.len() + access..harness.chip.log.len() + access + 1;
        harness.run(500);
        let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
        assert_eq!(harness.phy.link(), Link::Up(mode), "access {access}");
        assert_eq!(
            harness.take_events().last(),
            Some(&PhyEvent::Up(mode)),
            "access {access}"
        );
    }
}

/// The read reached the PHY and cleared the latch, but its result was lost.
#[test]
fn poll_bus_error_mode_resolved_again() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.link_up(0x4021, 0x0001, 0x1044);
    // The failing read is the one that clears the latch, which is not set in the mock.
    harness.chip.failing = harness.chip.log.len()..harness.chip.log.len() + 1;
    harness.run(300);
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(harness.take_events(), [PhyEvent::Up(mode)]);
}

/// Each access from the start on fails once.
#[test]
fn start_bus_error_at_any_access_recovers() {
    for access in 0..40 {
        let mut harness = Harness::new(
            PhyConfig::new()
                .with_interrupt(true)
                .with_energy_detect(true)
                .with_watchdog_interval(Duration::from_secs(1)),
        );
        harness.chip.set(18, 0x60c1);
        harness.chip.failing = access..access + 1;
        let started = harness.start(ethdev_phy::phy::LinkModes::ALL_MODES);
        assert_eq!(started.is_err(), access < 3, "access {access}");
        harness.run(600);
        assert_eq!(harness.phy.state(), PhyState::Down, "access {access}");
        assert_eq!(harness.chip.get(30), 0x00d0, "access {access}");
        harness.chip.link_up_100_full();
        harness.interrupt();
        harness.run(2_500);
        assert!(harness.phy.link().is_up(), "access {access}");
        assert!(harness.chip.log.len() > access, "no access failed");
        let reported = harness.errors.len() + usize::from(started.is_err());
        assert!(reported <= 1, "access {access}: {:?}", harness.errors);
    }
}

#[test]
fn poll_not_due_no_access() {
    let mut harness = Harness::up(PhyConfig::new());
    let accesses = harness.chip.log.len();
    let wait = harness.phy.next_poll(harness.now);
    assert!(wait > Duration::ZERO);
    for _ in 0..1000 {
        harness.poll();
    }
    harness.now += wait - Duration::from_nanos(1);
    harness.poll();
    assert_eq!(harness.chip.log.len(), accesses);
    harness.now += Duration::from_nanos(1);
    harness.poll();
    assert_eq!(harness.chip.log.len(), accesses + 3, "a poll is three reads");
}

#[test]
fn stop_running_powered_down_no_access() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.phy.stop(&mut harness.chip).unwrap();
    assert_eq!((harness.chip.get(0), harness.phy.link()), (0x0800, Link::Down));
    let accesses = harness.chip.log.len();
    harness.run(10_000);
    assert_eq!(
        (harness.take_events(), harness.chip.log.len()),
        (vec![PhyEvent::Down], accesses)
    );

    harness.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    harness.chip.link_up_100_full();
    harness.run(150);
    assert_eq!(harness.take_events().len(), 1);
}

#[test]
fn poll_clock_near_max_no_overflow() {
    let mut harness = Harness::new(PhyConfig::new().with_energy_detect(true));
    harness.now = Duration::MAX - Duration::from_millis(1_500);
    harness.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    harness.run(1_400);
}

proptest! {
    /// No panic, no endless polling, and the events add up to the link.
    #[test]
    fn poll_arbitrary_registers_events_match_link(
        seed in proptest::collection::vec((any::<u16>(), 0_u8..8), 1..60),
        interrupt: bool,
        energy_detect: bool,
    ) {
        let mut harness = Harness::new(PhyConfig::new().with_interrupt(interrupt).with_energy_detect(energy_detect));
        let _ = harness.start(ethdev_phy::phy::LinkModes::ALL_MODES);
        let mut link = Link::Down;
        for (value, what) in seed {
            match what {
                0 => harness.chip.stuck_at = Some(value),
                1 => harness.chip.stuck_at = None,
                2 => harness.chip.link_up(value, value & 1, value),
                3 => harness.chip.link_down(),
                4 => harness.chip.link_glitch(),
                5 => harness.chip.set((value >> 11) as u8, value),
                6 => harness.interrupt(),
                _ => harness.chip.failing = harness.chip.log.len()..harness.chip.log.len() + usize::from(value % 16),
            }
            harness.run(u64::from(value % 700));
            for event in harness.take_events() {
                let reported = match event {
                    PhyEvent::Up(mode) => Link::Up(mode),
                    _ => Link::Down,
                };
                prop_assert_ne!(reported, link, "an event without a change");
                link = reported;
            }
            prop_assert_eq!(link, harness.phy.link());
        }
    }
}
