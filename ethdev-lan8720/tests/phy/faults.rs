//! A bus that fails, a PHY that falls silent, a link that blinks.

use std::time::Duration;

use ethdev::{Duplex, ErrorKind, Link, LinkMode, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{Phy, PhyError, PhyEvent, PhyState};
use proptest::prelude::*;

use crate::fake::{ADDRESS, Bench};

const NO_PHY: PhyError<ErrorKind> = PhyError::NotResponding(PhyAddress::new(ADDRESS).unwrap());

#[test]
fn a_loss_is_seen_within_one_poll() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.go_down();
    bench.run(100);
    assert_eq!(bench.take_events(), [PhyEvent::Down]);
}

/// The partner was changed between two polls: the link is up both times, in another mode.
#[test]
fn a_short_loss_is_down_and_then_up_in_the_new_mode() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.come_up(0x4021, 0x0001, 0x1044);
    bench.fake.blink();
    bench.now += bench.phy.next_poll(bench.now);
    bench.poll();
    assert_eq!(bench.take_events(), [PhyEvent::Down]);
    assert_eq!(
        bench.phy.next_poll(bench.now),
        Duration::ZERO,
        "the rest is due at once"
    );
    bench.poll();
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(bench.take_events(), [PhyEvent::Up(mode)]);
}

/// All ones would read as a link in any mode one likes.
#[test]
fn a_phy_that_falls_silent_has_no_link() {
    for stuck_at in [0xffff, 0x0000] {
        let mut bench = Bench::up(PhyConfig::new());
        bench.fake.stuck_at = Some(stuck_at);
        bench.run(100);
        assert_eq!(
            (bench.take_errors(), bench.phy.link()),
            (vec![NO_PHY], Link::Down),
            "{stuck_at:#06x}"
        );
        bench.run(3_000);
        assert_eq!(
            (bench.take_events(), bench.take_errors()),
            (vec![PhyEvent::Down], vec![])
        );

        // It is set up from the beginning when it is there again.
        bench.fake.stuck_at = None;
        bench.fake.inject_brownout();
        bench.fake.log.clear();
        bench.run(200);
        assert_eq!(bench.fake.writes()[0], (0, 0x8000));
        bench.fake.come_up_at_100_full();
        bench.run(200);
        assert_eq!(bench.take_events().len(), 1);
    }
}

/// A short of MDIO to ground looks like a forced mode of 10 Mbit/s half duplex without a link.
#[test]
fn a_grounded_line_is_no_lost_link() {
    let mut bench = Bench::started(PhyConfig::new().with_forced_mode(Speed::MBPS_10, Duplex::Half));
    bench.fake.link = true;
    bench.run(150);
    assert_eq!(bench.take_events().len(), 1);
    bench.fake.stuck_at = Some(0);
    bench.run(150);
    assert_eq!(
        (bench.take_errors(), bench.take_events()),
        (vec![NO_PHY], vec![PhyEvent::Down])
    );
}

#[test]
fn lost_settings_are_written_again() {
    // Register 4 shows it when the link comes up.
    let mut bench = Bench::new(PhyConfig::new());
    bench.start(ethdev_phy::phy::LinkModes::TX100_FULL).unwrap();
    bench.run(20);
    bench.fake.inject_brownout();
    bench.fake.come_up(0x45e1, 0x0001, 0x1058);
    bench.run(200);
    assert_eq!((bench.take_events(), bench.fake.get(4)), (vec![], 0x0101));
    bench.fake.come_up(0x4101, 0x0001, 0x1058);
    bench.run(200);
    assert_eq!(bench.take_events().len(), 1);

    // Register 0, while it is up: somebody else changed it.
    bench.fake.set(0, 0x2100);
    bench.run(200);
    assert_eq!((bench.take_events(), bench.fake.get(0)), (vec![PhyEvent::Down], 0x1000));

    // The interrupt mask.
    let mut bench = Bench::up(
        PhyConfig::new()
            .with_interrupt(true)
            .with_idle_check(Duration::from_secs(10)),
    );
    bench.fake.inject_brownout();
    bench.fake.come_up_at_100_full();
    bench.run(10_500);
    assert_eq!(
        (bench.take_events(), bench.fake.get(30)),
        (vec![PhyEvent::Down], 0x0050)
    );
}

#[test]
fn one_failure_of_the_bus_does_not_cost_the_link() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.failing = bench.fake.log.len()..bench.fake.log.len() + 2;
    bench.run(300);
    assert_eq!(bench.take_errors(), [PhyError::Mdio(ErrorKind::Timeout); 2]);
    assert_eq!((bench.take_events(), bench.phy.link().is_up()), (vec![], true));
}

#[test]
fn a_bus_that_stays_broken_does() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.failing = bench.fake.log.len()..usize::MAX;
    bench.run(500);
    assert_eq!(bench.take_events(), [PhyEvent::Down]);
    assert_eq!(
        bench.errors.len(),
        5,
        "told every time: it is nothing that the PHY can mend"
    );
    bench.fake.failing = 0..0;
    bench.run(100);
    assert_eq!(bench.take_events().len(), 1, "up again");
}

/// The link was lost just then, and the PHY tells of it only once: it is not forgotten, at whichever access the bus fails.
#[test]
fn a_loss_that_the_bus_swallowed_is_not_forgotten() {
    for access in 0..12 {
        let mut bench = Bench::up(PhyConfig::new());
        bench.fake.come_up(0x4021, 0x0001, 0x1044);
        bench.fake.blink();
        bench.fake.failing = bench.fake.log.len() + access..bench.fake.log.len() + access + 1;
        bench.run(500);
        let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
        assert_eq!(bench.phy.link(), Link::Up(mode), "access {access}");
        assert_eq!(bench.take_events().last(), Some(&PhyEvent::Up(mode)), "access {access}");
    }
}

/// The same of a read that reached the PHY and whose answer was lost.
#[test]
fn an_answer_that_was_lost_makes_the_mode_be_looked_at_again() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.come_up(0x4021, 0x0001, 0x1044);
    // The failing read is the one that took the latch with it: here, nothing was latched to begin with.
    bench.fake.failing = bench.fake.log.len()..bench.fake.log.len() + 1;
    bench.run(300);
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(bench.take_events(), [PhyEvent::Up(mode)]);
}

/// From the start on, at every single access.
#[test]
fn the_bus_may_fail_at_any_access() {
    for access in 0..40 {
        let mut bench = Bench::new(
            PhyConfig::new()
                .with_interrupt(true)
                .with_energy_detect(true)
                .with_idle_check(Duration::from_secs(1)),
        );
        bench.fake.set(18, 0x60c1);
        bench.fake.failing = access..access + 1;
        let started = bench.start(ethdev_phy::phy::LinkModes::ALL_MODES);
        assert_eq!(started.is_err(), access < 3, "access {access}");
        bench.run(600);
        assert_eq!(bench.phy.state(), PhyState::Down, "access {access}");
        assert_eq!(bench.fake.get(30), 0x00d0, "access {access}");
        bench.fake.come_up_at_100_full();
        bench.interrupt();
        bench.run(2_500);
        assert!(bench.phy.link().is_up(), "access {access}");
        assert!(bench.fake.log.len() > access, "the failure was never reached");
        let told = bench.errors.len() + usize::from(started.is_err());
        assert!(told <= 1, "access {access}: {:?}", bench.errors);
    }
}

#[test]
fn a_poll_before_its_time_does_not_touch_the_bus() {
    let mut bench = Bench::up(PhyConfig::new());
    let accesses = bench.fake.log.len();
    let pause = bench.phy.next_poll(bench.now);
    assert!(pause > Duration::ZERO);
    for _ in 0..1000 {
        bench.poll();
    }
    bench.now += pause - Duration::from_nanos(1);
    bench.poll();
    assert_eq!(bench.fake.log.len(), accesses);
    bench.now += Duration::from_nanos(1);
    bench.poll();
    assert_eq!(bench.fake.log.len(), accesses + 3, "a look is three reads");
}

#[test]
fn stopped_is_powered_down_and_left_alone() {
    let mut bench = Bench::up(PhyConfig::new());
    bench.phy.stop(&mut bench.fake).unwrap();
    assert_eq!((bench.fake.get(0), bench.phy.link()), (0x0800, Link::Down));
    let accesses = bench.fake.log.len();
    bench.run(10_000);
    assert_eq!(
        (bench.take_events(), bench.fake.log.len()),
        (vec![PhyEvent::Down], accesses)
    );

    bench.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    bench.run(20);
    bench.fake.come_up_at_100_full();
    bench.run(150);
    assert_eq!(bench.take_events().len(), 1);
}

#[test]
fn the_end_of_time_is_no_overflow() {
    let mut bench = Bench::new(PhyConfig::new().with_energy_detect(true));
    bench.now = Duration::MAX - Duration::from_millis(1_500);
    bench.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    bench.run(1_400);
}

proptest! {
    /// A PHY that says anything at all: no panic, no endless work, and the events add up to the link.
    #[test]
    fn arbitrary_answers(
        seed in proptest::collection::vec((any::<u16>(), 0_u8..8), 1..60),
        interrupt: bool,
        energy_detect: bool,
    ) {
        let mut bench = Bench::new(PhyConfig::new().with_interrupt(interrupt).with_energy_detect(energy_detect));
        let _ = bench.start(ethdev_phy::phy::LinkModes::ALL_MODES);
        let mut link = Link::Down;
        for (value, what) in seed {
            match what {
                0 => bench.fake.stuck_at = Some(value),
                1 => bench.fake.stuck_at = None,
                2 => bench.fake.come_up(value, value & 1, value),
                3 => bench.fake.go_down(),
                4 => bench.fake.blink(),
                5 => bench.fake.set((value >> 11) as u8, value),
                6 => bench.interrupt(),
                _ => bench.fake.failing = bench.fake.log.len()..bench.fake.log.len() + usize::from(value % 16),
            }
            bench.run(u64::from(value % 700));
            for event in bench.take_events() {
                let told = match event {
                    PhyEvent::Up(mode) => Link::Up(mode),
                    _ => Link::Down,
                };
                prop_assert_ne!(told, link, "an event without a change");
                link = told;
            }
            prop_assert_eq!(link, bench.phy.link());
        }
    }
}
