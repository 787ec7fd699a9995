//! ENERGYON and energy-detect power-down.

use lan8720_model::{Partner, PhyTimes, Quirks};

use crate::host::*;

const EDPD: u16 = 0x2000;

#[test]
fn energyon_partner_change_follows() {
    let mut host = Host::new(lan8720a().with_partner(None));
    assert_eq!(host.get(MCSR), 2, "until it is known better");
    host.pass(ms(256));
    assert_eq!(host.get(MCSR), 0);
    host.phy.set_partner(Partner::default());
    host.pass(ms(1));
    assert_eq!(host.get(MCSR), 2);
    assert_eq!(host.get(ISR) & 0x80, 0x80);
    host.wire.set_link(false);
    host.pass(ms(255));
    assert_eq!(host.get(MCSR), 2);
    host.pass(ms(1));
    assert_eq!(host.get(MCSR), 0);
    host.assert_clean();
}

#[test]
fn edpd_energy_loss_sleeps_and_energy_wakes() {
    let mut host = Host::new(lan8720a().with_partner(None));
    host.set(MCSR, EDPD);
    host.pass(ms(1000));
    assert_eq!(host.phy.stats().sleeps, 1);
    host.phy.set_partner(Partner::default());
    host.pass(ms(1900));
    assert!(host.is_up(), "the first signal woke it");
    host.wire.set_link(false);
    host.pass(ms(1000));
    assert_eq!(host.phy.stats().sleeps, 2);
    host.wire.set_link(true);
    host.pass(ms(1900));
    assert!(host.is_up());
    host.assert_clean();
}

#[test]
fn edpd_both_ends_asleep_never_link() {
    let mut host = Host::new(lan8720a().with_partner(None));
    host.set(MCSR, EDPD);
    host.pass(ms(1000));
    host.phy.set_partner(Partner::default().asleep());
    host.pass(ms(60_000));
    assert!(!host.is_up());
    // Awake, this end wakes the other.
    host.set(MCSR, 0);
    host.pass(ms(2000));
    assert!(host.is_up());
    host.assert_clean();
}

#[test]
fn edpd_missed_wake_stays_asleep() {
    let times = PhyTimes::default().with_energy(ms(256), ms(500));
    let config = lan8720a()
        .with_partner(None)
        .with_quirks(Quirks::NONE.with_missed_wake(1.0))
        .with_times(times);
    let mut host = Host::new(config);
    host.set(MCSR, EDPD);
    host.pass(ms(1000));
    host.phy.set_partner(Partner::default());
    host.pass(ms(60_000));
    assert!(!host.is_up());
    assert_eq!((host.phy.stats().missed_wakes, host.get(MCSR)), (1, EDPD));
    // The way out: EDPD off, wait for ENERGYON.
    host.set(MCSR, 0);
    host.pass(ms(499));
    assert_eq!(host.get(MCSR), 0);
    host.pass(ms(2));
    assert_eq!(host.get(MCSR), 2);
    host.set(MCSR, EDPD);
    host.pass(ms(2000));
    assert!(host.is_up());
    host.assert_clean();
}

#[test]
fn edpd_soft_reset_ends_power_down_and_keeps_energyon() {
    let mut host = Host::new(lan8720a().with_partner(None));
    host.set(MCSR, EDPD);
    host.pass(ms(1000));
    host.set(BMCR, 0x8000);
    host.pass(ms(20));
    assert_eq!(host.get(MCSR), 0);
    host.phy.set_partner(Partner::default());
    host.pass(ms(1900));
    assert!(host.is_up());
    // It finds what it slept through.
    let config = lan8720a()
        .with_partner(None)
        .with_quirks(Quirks::NONE.with_missed_wake(1.0));
    let mut host = Host::new(config);
    host.set(MCSR, EDPD);
    host.pass(ms(1000));
    host.phy.set_partner(Partner::default());
    host.pass(ms(1000));
    assert_eq!(host.get(MCSR), EDPD);
    host.set(BMCR, 0x8000);
    host.pass(ms(20));
    assert_eq!(host.get(MCSR), 2);
}
