//! Functions of the family beyond clause 22.

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Loopback, Mdix, PhyConfig};
use ethdev_phy::phy::{Phy, PhyError, PhyEvent, PhyState};

use crate::mock::Harness;

const ENERGY_DETECT: u16 = 1 << 13;
const ENERGY_ON: u16 = 1 << 1;

fn asleep(harness: &Harness) -> bool {
    harness.chip.get(17) & ENERGY_DETECT != 0
}

#[test]
fn energy_detect_not_configured_disabled() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.strapped = vec![(17, ENERGY_DETECT | ENERGY_ON)];
    harness.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
    harness.run(10_000);
    assert!(!asleep(&harness));
}

#[test]
fn energy_detect_no_signal_alternates() {
    let mut harness = Harness::started(PhyConfig::new().with_energy_detect(true));
    harness.chip.set(17, 0);
    let (mut slept, mut changes, mut before) = (0, 0, false);
    for _ in 0..3_500 {
        harness.run(10);
        let now = asleep(&harness);
        slept += u32::from(now);
        changes += u32::from(now != before);
        before = now;
    }
    // Ten cycles of 1.5 s awake and 2 s in power-down.
    assert!((19..=20).contains(&changes), "{changes} changes");
    assert!((1_900..=2_100).contains(&slept), "{slept} of 3500");
}

fn run_until_asleep(harness: &mut Harness) {
    for _ in 0..1_000 {
        if asleep(harness) {
            return;
        }
        harness.run(10);
    }
    panic!("awake for 10 s without a signal");
}

#[test]
fn energy_detect_signal_or_link_awake() {
    let mut harness = Harness::started(PhyConfig::new().with_energy_detect(true));
    harness.chip.set(17, 0);
    run_until_asleep(&mut harness);
    harness.chip.set(17, ENERGY_DETECT | ENERGY_ON);
    harness.run(100);
    assert!(!asleep(&harness), "within one poll");
    // A partner that negotiates slowly.
    for _ in 0..500 {
        harness.run(10);
        assert!(!asleep(&harness));
    }
    harness.chip.link_up_100_full();
    harness.run(100);
    assert_eq!(harness.take_events().len(), 1);
    harness.run(10_000);
    assert!(!asleep(&harness));

    harness.chip.set(17, 0);
    harness.chip.link_down();
    harness.run(1_000);
    assert!(!asleep(&harness), "awake for 1.5 s after a loss");
    harness.run(1_000);
    assert!(asleep(&harness));
}

/// Some chips do not detect every signal.
#[test]
fn energy_detect_signal_not_detected_link_up() {
    let mut harness = Harness::started(PhyConfig::new().with_energy_detect(true).with_interrupt(true));
    harness.chip.set(17, 0);
    run_until_asleep(&mut harness);
    harness.run(2_100);
    assert!(!asleep(&harness), "woken without a signal");
    harness.chip.link_up_100_full();
    harness.interrupt();
    harness.run(10);
    assert_eq!(harness.take_events().len(), 1);
}

/// The settings of a PHY that the driver does not read otherwise.
#[test]
fn set_mdix_lost_in_brownout_set_again() {
    let mut harness = Harness::up(PhyConfig::new());
    harness
        .phy
        .set_mdix(&mut harness.chip, Mdix::MdiX, harness.now)
        .unwrap();
    assert_eq!(harness.chip.get(27), 0xa000);
    harness.run(20);
    harness.chip.brownout();
    harness.chip.link_up_100_full();
    harness.run(200);
    assert_eq!(harness.chip.get(27), 0xa000);
    assert!(!harness.phy.link().is_up(), "reset and configured again");
    harness.chip.link_up_100_full();
    harness.run(200);
    assert!(harness.phy.link().is_up());
}

#[test]
fn set_loopback_far_not_stored_error() {
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.stuck_at = Some(0x0002);
    assert_eq!(
        harness.phy.set_loopback(&mut harness.chip, Loopback::Far, harness.now),
        Err(PhyError::NotResponding(ethdev_phy::mdio::PhyAddress::from_low_bits(1)))
    );
}

#[test]
fn set_loopback_near_link_up() {
    let mut harness = Harness::new(PhyConfig::new());
    let near = Loopback::Near(Speed::MBPS_100, Duplex::Full);
    assert_eq!(
        harness.phy.set_loopback(&mut harness.chip, near, harness.now),
        Err(PhyError::NotStarted)
    );

    let mut harness = Harness::started(PhyConfig::new());
    harness.phy.set_loopback(&mut harness.chip, near, harness.now).unwrap();
    assert_eq!((harness.chip.get(0), harness.phy.state()), (0x6100, PhyState::Loopback));
    harness.run(1_000);
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
    assert_eq!(harness.take_events(), [PhyEvent::Up(mode)], "without a cable");

    harness
        .phy
        .set_loopback(&mut harness.chip, Loopback::Off, harness.now)
        .unwrap();
    assert_eq!((harness.chip.get(0), harness.phy.link()), (0x1000, Link::Down));
    harness.run(10);
    assert_eq!(harness.take_events(), [PhyEvent::Down]);

    // A brownout ends the loopback, which is reported.
    harness.phy.set_loopback(&mut harness.chip, near, harness.now).unwrap();
    harness.run(10);
    harness.chip.brownout();
    harness.run(200);
    assert_eq!(harness.take_events(), [PhyEvent::Up(mode), PhyEvent::Down]);
    let wrong = Loopback::Near(Speed::MBPS_1000, Duplex::Full);
    assert_eq!(
        harness.phy.set_loopback(&mut harness.chip, wrong, harness.now),
        Err(PhyError::NoCommonMode)
    );
}

#[test]
fn set_loopback_far_requires_link_at_100() {
    let mut harness = Harness::started(PhyConfig::new());
    assert_eq!(
        harness.phy.set_loopback(&mut harness.chip, Loopback::Far, harness.now),
        Err(PhyError::NoCommonMode)
    );
    let mut harness = Harness::up(PhyConfig::new());
    harness
        .phy
        .set_loopback(&mut harness.chip, Loopback::Far, harness.now)
        .unwrap();
    assert_eq!(harness.chip.get(17), 0x0202);
    harness
        .phy
        .set_loopback(&mut harness.chip, Loopback::Off, harness.now)
        .unwrap();
    assert_eq!(harness.chip.get(17), 0x0002);
    harness.run(1_000);
    assert_eq!(harness.take_events(), [], "no change of the link");
}

#[test]
fn symbol_errors_readings_accumulate() {
    let mut harness = Harness::new(PhyConfig::new());
    assert_eq!(
        harness.phy.symbol_errors(&mut harness.chip),
        Ok(None),
        "not identified yet"
    );
    let mut harness = Harness::up(PhyConfig::new());
    for (counter, total) in [(0, 0), (7, 7), (7, 7), (9, 9), (0, 9), (1, 10)] {
        harness.chip.set(26, counter);
        assert_eq!(harness.phy.symbol_errors(&mut harness.chip), Ok(Some(total)));
    }
    harness.chip.set(26, 0x7000);
    harness.phy.symbol_errors(&mut harness.chip).unwrap();
    harness.chip.set(26, 0xe000);
    let before = harness.phy.symbol_errors(&mut harness.chip).unwrap().unwrap();
    harness.chip.set(26, 0x0010);
    assert_eq!(
        harness.phy.symbol_errors(&mut harness.chip),
        Ok(Some(before + 0x2010)),
        "a wrap"
    );
}

#[test]
fn mdix_configured_written() {
    for (mdix, bits) in [(Mdix::Auto, 0x0000), (Mdix::Mdi, 0x8000), (Mdix::MdiX, 0xa000)] {
        let mut harness = Harness::new(PhyConfig::new().with_mdix(mdix));
        harness.chip.strapped = vec![(27, 0x8810)];
        harness.start(ethdev_phy::phy::LinkModes::ALL_MODES).unwrap();
        harness.run(20);
        assert_eq!(harness.chip.get(27), 0x0810 | bits, "{mdix:?}: other bits unchanged");
    }
    let mut harness = Harness::up(PhyConfig::new());
    harness
        .phy
        .set_mdix(&mut harness.chip, Mdix::MdiX, harness.now)
        .unwrap();
    assert_eq!((harness.chip.get(27), harness.phy.link()), (0xa000, Link::Down));
    assert_eq!(harness.phy.config().mdix, Mdix::MdiX);
}

#[test]
fn extended_crossover_configured_written() {
    let harness = Harness::started(PhyConfig::new());
    assert_eq!(harness.chip.get(16), 0x0040);
    let harness = Harness::started(PhyConfig::new().with_extended_crossover(true));
    assert_eq!(harness.chip.get(16), 0x0041);
}

#[test]
fn registers_read_value() {
    let mut harness = Harness::up(PhyConfig::new());
    let mut registers = harness.phy.registers(&mut harness.chip);
    let polarity = ethdev_phy::mdio::RegisterAddress::new(27).unwrap();
    assert_eq!(registers.read(polarity), Ok(0));
}
