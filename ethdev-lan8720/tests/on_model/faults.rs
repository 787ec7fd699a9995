//! Bus errors, resets that do not end, signals that are not detected.

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Loopback, Mdix, PhyConfig};
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use lan8720_model::{MdioFault, MdioFaults, MdioLine, Partner, Quirks, ViolationKind};

use crate::testbed::{ADDRESS, POLL, POLL_TIME, Testbed, chip, ms};

const FULL: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);

#[test]
fn reset_never_ends_timeout_after_500_ms() {
    let mut testbed = Testbed::started(
        chip(Partner::default()).with_soft_reset(None),
        PhyConfig::new(),
        ms(3_000),
    );
    let (at, error) = testbed.errors.remove(0);
    assert_eq!(error, PhyError::ResetTimeout);
    assert!(at >= ms(530) && at <= ms(530 + 5), "{at:?}");
    assert_eq!(testbed.take_errors(), [], "once");
    assert_ne!(testbed.phy.state(), PhyState::Up);
}

#[test]
fn reset_499_ms_link_up() {
    let mut testbed = Testbed::started(
        chip(Partner::default()).with_soft_reset(Some(ms(499))),
        PhyConfig::new(),
        ms(4_000),
    );
    assert_eq!(
        (testbed.take_events(), testbed.take_errors()),
        (vec![PhyEvent::Up(FULL)], vec![])
    );
    testbed.assert_no_violations();
}

#[test]
fn bus_error_at_any_access_recovers() {
    for n in 0..45 {
        let mut testbed = Testbed::new(chip(Partner::default()), PhyConfig::new());
        testbed.chip.fail_mdio_at(n);
        let started = testbed.start(LinkModes::ALL_MODES);
        testbed.run(ms(6_000));
        assert_eq!(testbed.chip.mdio_counters().failed, 1, "access {n}");
        let mut errors = testbed.take_errors();
        errors.extend(started.err());
        assert_eq!(errors, [PhyError::Mdio(MdioFault::Injected)], "access {n}");
        assert_eq!(
            (testbed.phy.link(), testbed.take_events()),
            (Link::Up(FULL), vec![PhyEvent::Up(FULL)]),
            "access {n}"
        );
        testbed.assert_no_violations();
    }
}

/// The partner is replaced by a slower one, and an access of the following polls fails.
#[test]
fn bus_error_partner_replaced_mode_updated() {
    for n in 0..40 {
        let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
        testbed.take_events();
        testbed
            .chip
            .set_partner(Partner::forced(Speed::MBPS_10, Duplex::Half).with_delay(ms(10)));
        testbed.chip.fail_mdio_at(n);
        testbed.run(ms(6_000));
        let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
        assert_eq!(testbed.phy.link(), Link::Up(mode), "access {n}");
        assert_eq!(
            testbed.take_events(),
            [PhyEvent::Down, PhyEvent::Up(mode)],
            "access {n}"
        );
    }
}

#[test]
fn start_line_stuck_no_write_then_recovers() {
    for line in [MdioLine::StuckHigh, MdioLine::StuckLow] {
        let mut testbed = Testbed::new(chip(Partner::default()), PhyConfig::new());
        testbed.chip.set_mdio_line(line);
        assert_eq!(
            testbed.start(LinkModes::ALL_MODES),
            Err(PhyError::NotResponding(ADDRESS))
        );
        testbed.run(ms(2_000));
        assert_eq!(
            (testbed.chip.mdio_counters().writes, testbed.take_errors()),
            (0, vec![]),
            "{line:?}"
        );
        testbed.chip.set_mdio_line(MdioLine::Connected);
        testbed.run(ms(4_000));
        assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)], "{line:?}");
    }
}

#[test]
fn poll_line_stuck_link_down() {
    for line in [MdioLine::StuckHigh, MdioLine::StuckLow] {
        let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
        testbed.take_events();
        testbed.chip.set_mdio_line(line);
        let before = testbed.clock.now();
        testbed.run(ms(2_000));
        assert_eq!(testbed.phy.link(), Link::Down);
        let (at, error) = testbed.errors.remove(0);
        assert_eq!(error, PhyError::NotResponding(ADDRESS), "{line:?}");
        assert!(at - before <= POLL + POLL_TIME);
        assert_eq!(
            (testbed.take_events(), testbed.take_errors()),
            (vec![PhyEvent::Down], vec![])
        );
        testbed.chip.set_mdio_line(MdioLine::Connected);
        testbed.run(ms(4_000));
        assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
    }
}

#[test]
fn poll_bus_hung_every_error_reported_link_down() {
    let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    testbed.take_events();
    testbed.chip.set_mdio_line(MdioLine::Hung);
    testbed.run(ms(1_000));
    let errors = testbed.take_errors();
    assert!(errors.len() >= 5 && errors.iter().all(|error| *error == PhyError::Mdio(MdioFault::Timeout)));
    assert_eq!(testbed.take_events(), [PhyEvent::Down]);
    testbed.chip.set_mdio_line(MdioLine::Connected);
    testbed.run(ms(500));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
}

#[test]
fn start_ref_clk_late_link_up() {
    let mut testbed = Testbed::new(
        chip(Partner::default())
            .without_ref_clk()
            .with_allowed_violation(ViolationKind::NoClock)
            .with_allowed_violation(ViolationKind::NeverReset),
        PhyConfig::new(),
    );
    assert_eq!(
        testbed.start(LinkModes::ALL_MODES),
        Err(PhyError::NotResponding(ADDRESS))
    );
    testbed.run(ms(1_000));
    testbed.chip.set_ref_clk(true);
    testbed.run(ms(5_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
}

#[test]
fn start_anar_default_reduced_all_advertised() {
    let flaws = Quirks::default().with_anar_after_reset(0x0021);
    let mut testbed = Testbed::started(chip(Partner::default()).with_quirks(flaws), PhyConfig::new(), ms(4_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
}

/// For a minute, accesses fail and bits are inverted. Afterwards the link is up.
#[test]
fn noisy_bus_ends_link_up() {
    for seed in 0..40 {
        let config = chip(Partner::default())
            .with_seed(seed)
            .with_faults(MdioFaults::NONE.with_failure(0.02).with_bit_error(0.02));
        let interrupt = seed % 2 == 0;
        let mut testbed = Testbed::new(
            config,
            PhyConfig::new()
                .with_interrupt(interrupt)
                .with_watchdog_interval(ms(5_000)),
        );
        let _ = testbed.start(LinkModes::ALL_MODES);
        for _ in 0..6 {
            testbed.run(ms(8_000));
            testbed.wire.set_link(false);
            testbed.run(ms(2_000));
            testbed.wire.set_link(true);
        }
        testbed.chip.set_faults(MdioFaults::NONE);
        testbed.run(ms(20_000));
        assert_eq!(testbed.phy.link(), Link::Up(FULL), "seed {seed}");
        let mut link = Link::Down;
        for event in testbed.take_events() {
            let now = match event {
                PhyEvent::Up(mode) => Link::Up(mode),
                _ => Link::Down,
            };
            assert_ne!(now, link, "seed {seed}");
            link = now;
        }
        assert_eq!(link, testbed.phy.link(), "seed {seed}");
    }
}

#[test]
fn energy_detect_partner_connected_link_up() {
    for interrupt in [false, true] {
        let config = PhyConfig::new().with_energy_detect(true).with_interrupt(interrupt);
        let mut testbed = Testbed::started(chip(None), config, ms(20_000));
        assert!(testbed.chip.stats().sleeps >= 4, "{}", testbed.chip.stats().sleeps);
        testbed.chip.set_partner(Partner::default());
        testbed.run(ms(8_000));
        assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)], "interrupt {interrupt}");
        let slept = testbed.chip.stats().sleeps;
        testbed.run(ms(60_000));
        assert_eq!(testbed.chip.stats().sleeps, slept, "no power-down with a link");
        testbed.assert_no_violations();
    }
}

/// The chip never detects the signal; the partner may be in power-down too.
#[test]
fn energy_detect_signal_missed_link_up_within_10_s() {
    for partner in [Partner::default(), Partner::default().asleep()] {
        for after in (0..4_000).step_by(250) {
            let config = PhyConfig::new().with_energy_detect(true).with_interrupt(true);
            let flaws = Quirks::default().with_missed_wake(1.0);
            let mut testbed = Testbed::started(chip(None).with_quirks(flaws), config, ms(10_000 + after));
            testbed.chip.set_partner(partner);
            testbed.run(ms(10_000));
            assert_eq!(
                testbed.take_events(),
                [PhyEvent::Up(FULL)],
                "connected after {after} ms, {partner:?}"
            );
        }
    }
}

#[test]
fn energy_detect_off_no_power_down() {
    let testbed = Testbed::started(chip(None), PhyConfig::new(), ms(60_000));
    assert_eq!(testbed.chip.stats().sleeps, 0);
}

#[test]
fn set_loopback_near_and_far_applied() {
    let mut testbed = Testbed::started(chip(None), PhyConfig::new(), ms(1_000));
    let now = testbed.clock.now();
    let near = Loopback::Near(Speed::MBPS_100, Duplex::Full);
    testbed.phy.set_loopback(&mut testbed.mdio, near, now).unwrap();
    testbed.run(ms(1_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)], "without a cable");
    let now = testbed.clock.now();
    testbed.phy.set_loopback(&mut testbed.mdio, Loopback::Off, now).unwrap();
    testbed.run(ms(1_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Down]);

    testbed.chip.set_partner(Partner::default());
    testbed.run(ms(4_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
    let now = testbed.clock.now();
    testbed.phy.set_loopback(&mut testbed.mdio, Loopback::Far, now).unwrap();
    testbed.run(ms(1_000));
    assert_eq!(
        (testbed.take_events(), testbed.chip.peek(17) & 0x0200),
        (vec![], 0x0200)
    );
    testbed.assert_no_violations();
}

#[test]
fn symbol_errors_injected_counted() {
    let mut testbed = Testbed::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    let start = testbed.phy.symbol_errors(&mut testbed.mdio).unwrap().unwrap();
    for (packets, total) in [(3, 3), (0, 3), (40_000, 40_003), (20_000, 60_003), (20_000, 80_003)] {
        testbed.chip.symbol_errors(packets / 2);
        testbed.phy.symbol_errors(&mut testbed.mdio).unwrap();
        testbed.chip.symbol_errors(packets - packets / 2);
        let counted = testbed.phy.symbol_errors(&mut testbed.mdio).unwrap().unwrap();
        assert_eq!(counted - start, total);
    }
}

#[test]
fn set_mdix_crossed_cable_link_up() {
    // The cable needs a crossover, and the partner has no Auto-MDIX.
    let partner = Partner::default().without_auto_mdix(true);
    let mut testbed = Testbed::started(chip(partner), PhyConfig::new().with_mdix(Mdix::Mdi), ms(5_000));
    assert_eq!(testbed.take_events(), []);
    let now = testbed.clock.now();
    testbed.phy.set_mdix(&mut testbed.mdio, Mdix::MdiX, now).unwrap();
    testbed.run(ms(5_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Up(FULL)]);
    let now = testbed.clock.now();
    testbed.phy.set_mdix(&mut testbed.mdio, Mdix::Auto, now).unwrap();
    testbed.run(ms(5_000));
    assert_eq!(testbed.take_events(), [PhyEvent::Down, PhyEvent::Up(FULL)]);
    testbed.assert_no_violations();
}
