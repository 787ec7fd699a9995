//! What is left to do where there is an interrupt line.

use std::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{Phy, PhyEvent};

use crate::fake::{Access, Bench};

const WITH_LINE: PhyConfig = PhyConfig::new().with_interrupt(true);

#[test]
fn the_mask_is_completion_and_loss() {
    let bench = Bench::started(WITH_LINE);
    assert_eq!(bench.fake.get(30), 0x0050);
    assert_eq!(bench.fake.get(29), 0, "what the reset raised was read away");
    let bench = Bench::started(WITH_LINE.with_energy_detect(true));
    assert_eq!(bench.fake.get(30), 0x00d0);
    let bench = Bench::started(PhyConfig::new());
    assert_eq!(bench.fake.get(30), 0);
}

#[test]
fn nothing_is_read_while_nothing_happens() {
    let mut bench = Bench::started(WITH_LINE);
    bench.run(150);
    let accesses = bench.fake.log.len();
    assert_eq!(bench.phy.next_poll(bench.now), Duration::MAX);
    bench.run(3_600_000);
    assert_eq!(bench.fake.log.len(), accesses, "an hour without a cable");

    bench.fake.come_up_at_100_full();
    bench.fake.set(29, 0x0040);
    bench.interrupt();
    assert_eq!(bench.phy.next_poll(bench.now), Duration::ZERO);
    bench.poll();
    assert_eq!(bench.take_events().len(), 1);
    let accesses = bench.fake.log.len();
    assert_eq!(bench.phy.next_poll(bench.now), Duration::MAX);
    bench.run(3_600_000);
    assert_eq!(bench.fake.log.len(), accesses, "an hour with a link");

    bench.fake.go_down();
    bench.fake.set(29, 0x0010);
    bench.interrupt();
    bench.poll();
    assert_eq!(bench.take_events(), [PhyEvent::Down]);
}

/// There is no interrupt for "link up": where negotiation has completed and the link is not there yet, it is looked for.
#[test]
fn a_link_that_comes_after_its_interrupt_is_not_missed() {
    let mut bench = Bench::started(WITH_LINE);
    bench.run(150);
    bench.fake.complete = true;
    bench.interrupt();
    bench.run(50);
    assert_eq!(bench.take_events(), []);
    bench.fake.come_up_at_100_full();
    bench.run(100);
    assert_eq!(bench.take_events().len(), 1);
}

#[test]
fn a_forced_mode_has_no_interrupt_to_come_up_by() {
    let mut bench = Bench::started(WITH_LINE.with_forced_mode(Speed::MBPS_100, Duplex::Full));
    bench.run(150);
    bench.fake.link = true;
    bench.run(100);
    assert_eq!(bench.take_events().len(), 1);
    assert_eq!(bench.phy.next_poll(bench.now), Duration::MAX, "but one to go down by");
}

#[test]
fn an_interrupt_is_read_until_it_is_gone() {
    let mut bench = Bench::up(WITH_LINE);
    bench.fake.log.clear();
    bench.fake.set(29, 0x0050);
    bench.interrupt();
    assert_eq!(bench.fake.log, [Access::Read(29), Access::Read(29)]);

    // One that never goes away does not hold the driver.
    bench.fake.log.clear();
    bench.fake.stuck_at = Some(0x0050);
    bench.interrupt();
    assert!(bench.fake.log.len() <= 4);
    bench.fake.log.clear();
    bench.fake.stuck_at = Some(0xffff);
    bench.interrupt();
    assert_eq!(bench.fake.log, [Access::Read(29)], "nobody there");
}

#[test]
fn somebody_elses_interrupt_does_no_harm() {
    let mut bench = Bench::up(WITH_LINE);
    bench.interrupt();
    bench.run(10);
    assert_eq!((bench.take_events(), bench.errors.len()), (vec![], 0));

    // Without a line there is nothing to read.
    let mut bench = Bench::up(PhyConfig::new());
    bench.fake.log.clear();
    bench.interrupt();
    assert_eq!(bench.fake.log, []);
}

#[test]
fn a_look_all_the_same_where_asked() {
    let mut bench = Bench::up(WITH_LINE.with_idle_check(Duration::from_secs(30)));
    bench.fake.log.clear();
    bench.run(60_000);
    assert_eq!(bench.fake.log.len(), 6, "two looks of three reads in a minute");
}
