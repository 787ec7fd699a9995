//! What only this family has.

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Loopback, Mdix, PhyConfig};
use ethdev_phy::phy::{Phy, PhyError, PhyEvent, PhyState};

use crate::fake::Bench;

const ENERGY_DETECT: u16 = 1 << 13;
const ENERGY_ON: u16 = 1 << 1;

fn asleep(bench: &Bench) -> bool {
    bench.fake.get(17) & ENERGY_DETECT != 0
}

#[test]
fn energy_detect_is_off_even_where_it_was_on() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.strapped = vec![(17, ENERGY_DETECT | ENERGY_ON)];
    bench.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    bench.run(10_000);
    assert!(!asleep(&bench));
}

#[test]
fn it_sleeps_and_is_woken_in_turns() {
    let mut bench = Bench::started(PhyConfig::new().with_energy_detect(true));
    bench.fake.set(17, 0);
    let (mut slept, mut changes, mut before) = (0, 0, false);
    for _ in 0..3_500 {
        bench.run(10);
        let now = asleep(&bench);
        slept += u32::from(now);
        changes += u32::from(now != before);
        before = now;
    }
    // 2 s of 3.5 s asleep, ten times.
    assert!((19..=20).contains(&changes), "{changes} changes");
    assert!((1_900..=2_100).contains(&slept), "{slept} of 3500");
}

#[test]
fn a_signal_wakes_it_and_a_link_keeps_it_awake() {
    let mut bench = Bench::started(PhyConfig::new().with_energy_detect(true));
    bench.fake.set(17, 0);
    while !asleep(&bench) {
        bench.run(10);
    }
    bench.fake.set(17, ENERGY_DETECT | ENERGY_ON);
    bench.run(100);
    assert!(!asleep(&bench), "within one poll");
    // The partner takes its time.
    for _ in 0..500 {
        bench.run(10);
        assert!(!asleep(&bench));
    }
    bench.fake.come_up_at_100_full();
    bench.run(100);
    assert_eq!(bench.take_events().len(), 1);
    bench.run(10_000);
    assert!(!asleep(&bench));

    bench.fake.set(17, 0);
    bench.fake.go_down();
    bench.run(1_000);
    assert!(!asleep(&bench), "a partner that comes back at once is not kept waiting");
    bench.run(1_000);
    assert!(asleep(&bench));
}

/// Chips are known that do not notice every signal.
#[test]
fn a_link_comes_although_no_energy_was_noticed() {
    let mut bench = Bench::started(PhyConfig::new().with_energy_detect(true).with_interrupt(true));
    bench.fake.set(17, 0);
    while !asleep(&bench) {
        bench.run(10);
    }
    bench.run(2_100);
    assert!(!asleep(&bench), "woken without a reason");
    bench.fake.come_up_at_100_full();
    bench.interrupt();
    bench.run(10);
    assert_eq!(bench.take_events().len(), 1);
}

#[test]
fn near_loopback_is_a_link_of_its_own() {
    let mut bench = Bench::new(PhyConfig::new());
    let near = Loopback::Near(Speed::MBPS_100, Duplex::Full);
    assert_eq!(
        bench.phy.set_loopback(&mut bench.fake, near, bench.now),
        Err(PhyError::NotStarted)
    );

    let mut bench = Bench::started(PhyConfig::new());
    bench.phy.set_loopback(&mut bench.fake, near, bench.now).unwrap();
    assert_eq!((bench.fake.get(0), bench.phy.state()), (0x6100, PhyState::Loopback));
    bench.run(1_000);
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    assert_eq!(bench.take_events(), [PhyEvent::Up(mode)], "without any cable");

    bench
        .phy
        .set_loopback(&mut bench.fake, Loopback::Off, bench.now)
        .unwrap();
    assert_eq!((bench.fake.get(0), bench.phy.link()), (0x1000, Link::Down));
    bench.run(10);
    assert_eq!(bench.take_events(), [PhyEvent::Down]);

    // Reset by somebody: the loop is gone, and said to be.
    bench.phy.set_loopback(&mut bench.fake, near, bench.now).unwrap();
    bench.run(10);
    bench.fake.inject_brownout();
    bench.run(200);
    assert_eq!(bench.take_events(), [PhyEvent::Up(mode), PhyEvent::Down]);
    let wrong = Loopback::Near(Speed::MBPS_1000, Duplex::Full);
    assert_eq!(
        bench.phy.set_loopback(&mut bench.fake, wrong, bench.now),
        Err(PhyError::NoCommonMode)
    );
}

#[test]
fn far_loopback_needs_a_link_at_100() {
    let mut bench = Bench::started(PhyConfig::new());
    assert_eq!(
        bench.phy.set_loopback(&mut bench.fake, Loopback::Far, bench.now),
        Err(PhyError::NoCommonMode)
    );
    let mut bench = Bench::up(PhyConfig::new());
    bench
        .phy
        .set_loopback(&mut bench.fake, Loopback::Far, bench.now)
        .unwrap();
    assert_eq!(bench.fake.get(17), 0x0202);
    bench
        .phy
        .set_loopback(&mut bench.fake, Loopback::Off, bench.now)
        .unwrap();
    assert_eq!(bench.fake.get(17), 0x0002);
    bench.run(1_000);
    assert_eq!(bench.take_events(), [], "the link did not notice");
}

#[test]
fn symbol_errors_add_up() {
    let mut bench = Bench::new(PhyConfig::new());
    assert_eq!(
        bench.phy.symbol_errors(&mut bench.fake),
        Ok(None),
        "nobody matches yet who it is"
    );
    let mut bench = Bench::up(PhyConfig::new());
    for (counter, total) in [(0, 0), (7, 7), (7, 7), (9, 9), (0, 9), (1, 10)] {
        bench.fake.set(26, counter);
        assert_eq!(bench.phy.symbol_errors(&mut bench.fake), Ok(Some(total)));
    }
    bench.fake.set(26, 0x7000);
    bench.phy.symbol_errors(&mut bench.fake).unwrap();
    bench.fake.set(26, 0xe000);
    let before = bench.phy.symbol_errors(&mut bench.fake).unwrap().unwrap();
    bench.fake.set(26, 0x0010);
    assert_eq!(
        bench.phy.symbol_errors(&mut bench.fake),
        Ok(Some(before + 0x2010)),
        "a wrap"
    );
}

#[test]
fn pairs_as_asked() {
    for (mdix, bits) in [(Mdix::Auto, 0x0000), (Mdix::Straight, 0x8000), (Mdix::Crossed, 0xa000)] {
        let mut bench = Bench::new(PhyConfig::new().with_mdix(mdix));
        bench.fake.strapped = vec![(27, 0x8810)];
        bench.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
        bench.run(20);
        assert_eq!(
            bench.fake.get(27),
            0x0810 | bits,
            "{mdix:?}: the other bits are left as they are"
        );
    }
    let mut bench = Bench::up(PhyConfig::new());
    bench.phy.set_mdix(&mut bench.fake, Mdix::Crossed, bench.now).unwrap();
    assert_eq!((bench.fake.get(27), bench.phy.link()), (0xa000, Link::Down));
    assert_eq!(bench.phy.config().mdix, Mdix::Crossed);
}

#[test]
fn the_crossover_quirk_is_for_those_who_ask() {
    let bench = Bench::started(PhyConfig::new());
    assert_eq!(bench.fake.get(16), 0x0040);
    let bench = Bench::started(PhyConfig::new().with_extended_crossover(true));
    assert_eq!(bench.fake.get(16), 0x0041);
}

#[test]
fn registers_are_within_reach() {
    let mut bench = Bench::up(PhyConfig::new());
    let mut registers = bench.phy.registers(&mut bench.fake);
    let polarity = ethdev_phy::mdio::RegisterAddress::new(27).unwrap();
    assert_eq!(registers.read(polarity), Ok(0));
}
