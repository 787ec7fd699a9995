//! PHYs with an interrupt line.

use std::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{Phy, PhyEvent};

use crate::mock::{Access, Harness};

const WITH_IRQ: PhyConfig = PhyConfig::new().with_interrupt(true);

#[test]
fn configure_interrupt_mask_written() {
    let harness = Harness::started(WITH_IRQ);
    assert_eq!(harness.chip.get(30), 0x0050);
    assert_eq!(harness.chip.get(29), 0, "flags of the reset are cleared");
    let harness = Harness::started(WITH_IRQ.with_energy_detect(true));
    assert_eq!(harness.chip.get(30), 0x00d0);
    let harness = Harness::started(PhyConfig::new());
    assert_eq!(harness.chip.get(30), 0);
}

#[test]
fn poll_with_irq_no_change_no_access() {
    let mut harness = Harness::started(WITH_IRQ);
    harness.run(150);
    let accesses = harness.chip.log.len();
    assert_eq!(harness.phy.next_poll(harness.now), Duration::MAX);
    harness.run(3_600_000);
    assert_eq!(harness.chip.log.len(), accesses, "an hour without a cable");

    harness.chip.link_up_100_full();
    harness.chip.set(29, 0x0040);
    harness.interrupt();
    assert_eq!(harness.phy.next_poll(harness.now), Duration::ZERO);
    harness.poll();
    assert_eq!(harness.take_events().len(), 1);
    let accesses = harness.chip.log.len();
    assert_eq!(harness.phy.next_poll(harness.now), Duration::MAX);
    harness.run(3_600_000);
    assert_eq!(harness.chip.log.len(), accesses, "an hour with a link");

    harness.chip.link_down();
    harness.chip.set(29, 0x0010);
    harness.interrupt();
    harness.poll();
    assert_eq!(harness.take_events(), [PhyEvent::Down]);
}

/// The chip has no interrupt for "link up": after auto-negotiation has completed, the link is
/// polled.
#[test]
fn poll_with_irq_link_after_completion_up() {
    let mut harness = Harness::started(WITH_IRQ);
    harness.run(150);
    harness.chip.complete = true;
    harness.interrupt();
    harness.run(50);
    assert_eq!(harness.take_events(), []);
    harness.chip.link_up_100_full();
    harness.run(100);
    assert_eq!(harness.take_events().len(), 1);
}

#[test]
fn poll_with_irq_forced_mode_polled_until_up() {
    let mut harness = Harness::started(WITH_IRQ.with_forced_mode(Speed::MBPS_100, Duplex::Full));
    harness.run(150);
    harness.chip.link = true;
    harness.run(100);
    assert_eq!(harness.take_events().len(), 1);
    assert_eq!(
        harness.phy.next_poll(harness.now),
        Duration::MAX,
        "a loss raises an interrupt"
    );
}

#[test]
fn on_interrupt_flags_read_until_clear() {
    let mut harness = Harness::up(WITH_IRQ);
    harness.chip.log.clear();
    harness.chip.set(29, 0x0050);
    harness.interrupt();
    assert_eq!(harness.chip.log, [Access::Read(29), Access::Read(29)]);

    // A flag that stays set does not block the driver.
    harness.chip.log.clear();
    harness.chip.stuck_at = Some(0x0050);
    harness.interrupt();
    assert!(harness.chip.log.len() <= 4);
    harness.chip.log.clear();
    harness.chip.stuck_at = Some(0xffff);
    harness.interrupt();
    assert_eq!(harness.chip.log, [Access::Read(29)], "no PHY responds");
}

#[test]
fn on_interrupt_other_source_no_effect() {
    let mut harness = Harness::up(WITH_IRQ);
    harness.interrupt();
    harness.run(10);
    assert_eq!((harness.take_events(), harness.errors.len()), (vec![], 0));

    // Not configured: nothing is read.
    let mut harness = Harness::up(PhyConfig::new());
    harness.chip.log.clear();
    harness.interrupt();
    assert_eq!(harness.chip.log, []);
}

#[test]
fn watchdog_interval_configured_polled() {
    let mut harness = Harness::up(WITH_IRQ.with_watchdog_interval(Duration::from_secs(30)));
    harness.chip.log.clear();
    harness.run(60_000);
    assert_eq!(harness.chip.log.len(), 6, "two polls of three reads in a minute");
}
