//! Buses that fail, chips that do not come out of their reset, energy that is not noticed.

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Loopback, Mdix, PhyConfig};
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use lan8720_model::{Flaws, MdioFault, MdioFaults, MdioLine, Partner, ViolationKind};

use crate::lab::{ADDRESS, LOOK, Lab, POLL, chip, ms};

const FULL: LinkMode = LinkMode::new(Speed::MBPS_100, Duplex::Full);

#[test]
fn a_reset_that_does_not_end_is_told_in_half_a_second() {
    let mut lab = Lab::started(
        chip(Partner::default()).with_soft_reset(None),
        PhyConfig::new(),
        ms(3_000),
    );
    let (at, error) = lab.errors.remove(0);
    assert_eq!(error, PhyError::ResetTimeout);
    assert!(at >= ms(530) && at <= ms(530 + 5), "{at:?}");
    assert_eq!(lab.take_errors(), [], "once");
    assert_ne!(lab.phy.state(), PhyState::Up);
}

#[test]
fn a_reset_that_takes_its_time_is_waited_for() {
    let mut lab = Lab::started(
        chip(Partner::default()).with_soft_reset(Some(ms(499))),
        PhyConfig::new(),
        ms(4_000),
    );
    assert_eq!(
        (lab.take_events(), lab.take_errors()),
        (vec![PhyEvent::Up(FULL)], vec![])
    );
    lab.assert_clean();
}

#[test]
fn one_failure_at_any_access_is_got_over() {
    for n in 0..45 {
        let mut lab = Lab::new(chip(Partner::default()), PhyConfig::new());
        lab.chip.fail_mdio_at(n);
        let started = lab.start(LinkModes::ALL_MODES);
        lab.run(ms(6_000));
        assert_eq!(lab.chip.mdio_counters().failed, 1, "access {n}");
        let mut errors = lab.take_errors();
        errors.extend(started.err());
        assert_eq!(errors, [PhyError::Mdio(MdioFault::Injected)], "access {n}");
        assert_eq!(
            (lab.phy.link(), lab.take_events()),
            (Link::Up(FULL), vec![PhyEvent::Up(FULL)]),
            "access {n}"
        );
        lab.assert_clean();
    }
}

/// The partner is swapped for a slower one, and the bus fails somewhere in the looks that follow.
#[test]
fn no_failure_hides_another_partner() {
    for n in 0..40 {
        let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
        lab.take_events();
        lab.chip
            .set_partner(Partner::forced(Speed::MBPS_10, Duplex::Half).with_delay(ms(10)));
        lab.chip.fail_mdio_at(n);
        lab.run(ms(6_000));
        let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
        assert_eq!(lab.phy.link(), Link::Up(mode), "access {n}");
        assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)], "access {n}");
    }
}

#[test]
fn nobody_on_the_bus() {
    for line in [MdioLine::StuckHigh, MdioLine::StuckLow] {
        let mut lab = Lab::new(chip(Partner::default()), PhyConfig::new());
        lab.chip.set_mdio_line(line);
        assert_eq!(lab.start(LinkModes::ALL_MODES), Err(PhyError::NotResponding(ADDRESS)));
        lab.run(ms(2_000));
        assert_eq!(
            (lab.chip.mdio_counters().writes, lab.take_errors()),
            (0, vec![]),
            "{line:?}"
        );
        lab.chip.set_mdio_line(MdioLine::Connected);
        lab.run(ms(4_000));
        assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)], "{line:?}");
    }
}

#[test]
fn a_bus_that_falls_silent_takes_the_link_with_it() {
    for line in [MdioLine::StuckHigh, MdioLine::StuckLow] {
        let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
        lab.take_events();
        lab.chip.set_mdio_line(line);
        let before = lab.clock.now();
        lab.run(ms(2_000));
        assert_eq!(lab.phy.link(), Link::Down);
        let (at, error) = lab.errors.remove(0);
        assert_eq!(error, PhyError::NotResponding(ADDRESS), "{line:?}");
        assert!(at - before <= POLL + LOOK);
        assert_eq!((lab.take_events(), lab.take_errors()), (vec![PhyEvent::Down], vec![]));
        lab.chip.set_mdio_line(MdioLine::Connected);
        lab.run(ms(4_000));
        assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
    }
}

#[test]
fn a_bus_that_hangs_is_told_every_time_and_costs_the_link() {
    let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    lab.take_events();
    lab.chip.set_mdio_line(MdioLine::Hung);
    lab.run(ms(1_000));
    let errors = lab.take_errors();
    assert!(errors.len() >= 5 && errors.iter().all(|error| *error == PhyError::Mdio(MdioFault::Timeout)));
    assert_eq!(lab.take_events(), [PhyEvent::Down]);
    lab.chip.set_mdio_line(MdioLine::Connected);
    lab.run(ms(500));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
}

#[test]
fn a_clock_that_comes_late() {
    let mut lab = Lab::new(
        chip(Partner::default())
            .without_ref_clk()
            .allowing(ViolationKind::NoClock)
            .allowing(ViolationKind::NeverReset),
        PhyConfig::new(),
    );
    assert_eq!(lab.start(LinkModes::ALL_MODES), Err(PhyError::NotResponding(ADDRESS)));
    lab.run(ms(1_000));
    lab.chip.set_ref_clk(true);
    lab.run(ms(5_000));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
}

/// What the chip holds after its reset is not what is advertised.
#[test]
fn a_chip_that_advertises_too_little_after_its_reset() {
    let flaws = Flaws::default().with_anar_after_reset(0x0021);
    let mut lab = Lab::started(chip(Partner::default()).with_flaws(flaws), PhyConfig::new(), ms(4_000));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
}

/// Accesses fail and bits are flipped, for a minute; then the bus is good again, and so is the link.
#[test]
fn a_noisy_bus_is_got_over() {
    for seed in 0..40 {
        let config = chip(Partner::default())
            .with_seed(seed)
            .with_faults(MdioFaults::NONE.with_failure(0.02).with_bit_error(0.02));
        let interrupt = seed % 2 == 0;
        let mut lab = Lab::new(
            config,
            PhyConfig::new().with_interrupt(interrupt).with_idle_check(ms(5_000)),
        );
        let _ = lab.start(LinkModes::ALL_MODES);
        for _ in 0..6 {
            lab.run(ms(8_000));
            lab.wire.set_link(false);
            lab.run(ms(2_000));
            lab.wire.set_link(true);
        }
        lab.chip.set_faults(MdioFaults::NONE);
        lab.run(ms(20_000));
        assert_eq!(lab.phy.link(), Link::Up(FULL), "seed {seed}");
        let mut link = Link::Down;
        for event in lab.take_events() {
            let now = match event {
                PhyEvent::Up(mode) => Link::Up(mode),
                _ => Link::Down,
            };
            assert_ne!(now, link, "seed {seed}");
            link = now;
        }
        assert_eq!(link, lab.phy.link(), "seed {seed}");
    }
}

#[test]
fn energy_detect_saves_power_and_finds_its_partner() {
    for interrupt in [false, true] {
        let config = PhyConfig::new().with_energy_detect(true).with_interrupt(interrupt);
        let mut lab = Lab::started(chip(None), config, ms(20_000));
        assert!(lab.chip.stats().sleeps >= 4, "{}", lab.chip.stats().sleeps);
        lab.chip.set_partner(Partner::default());
        lab.run(ms(8_000));
        assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)], "interrupt {interrupt}");
        let slept = lab.chip.stats().sleeps;
        lab.run(ms(60_000));
        assert_eq!(lab.chip.stats().sleeps, slept, "not with a link");
        lab.assert_clean();
    }
}

/// The chip sleeps through the plugging in, every time; and a partner that sleeps until it hears something.
#[test]
fn energy_that_is_not_noticed_costs_seconds_and_not_the_link() {
    for partner in [Partner::default(), Partner::default().asleep()] {
        for after in (0..4_000).step_by(250) {
            let config = PhyConfig::new().with_energy_detect(true).with_interrupt(true);
            let flaws = Flaws::default().with_missed_wake(1.0);
            let mut lab = Lab::started(chip(None).with_flaws(flaws), config, ms(10_000 + after));
            lab.chip.set_partner(partner);
            lab.run(ms(10_000));
            assert_eq!(
                lab.take_events(),
                [PhyEvent::Up(FULL)],
                "plugged in after {after} ms, {partner:?}"
            );
        }
    }
}

#[test]
fn without_energy_detect_nothing_sleeps() {
    let lab = Lab::started(chip(None), PhyConfig::new(), ms(60_000));
    assert_eq!(lab.chip.stats().sleeps, 0);
}

#[test]
fn loopbacks() {
    let mut lab = Lab::started(chip(None), PhyConfig::new(), ms(1_000));
    let now = lab.clock.now();
    let near = Loopback::Near(Speed::MBPS_100, Duplex::Full);
    lab.phy.set_loopback(&mut lab.mdio, near, now).unwrap();
    lab.run(ms(1_000));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)], "without a cable");
    let now = lab.clock.now();
    lab.phy.set_loopback(&mut lab.mdio, Loopback::Off, now).unwrap();
    lab.run(ms(1_000));
    assert_eq!(lab.take_events(), [PhyEvent::Down]);

    lab.chip.set_partner(Partner::default());
    lab.run(ms(4_000));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
    let now = lab.clock.now();
    lab.phy.set_loopback(&mut lab.mdio, Loopback::Far, now).unwrap();
    lab.run(ms(1_000));
    assert_eq!((lab.take_events(), lab.chip.peek(17) & 0x0200), (vec![], 0x0200));
    lab.assert_clean();
}

#[test]
fn symbol_errors_are_counted() {
    let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    let start = lab.phy.symbol_errors(&mut lab.mdio).unwrap().unwrap();
    for (packets, total) in [(3, 3), (0, 3), (40_000, 40_003), (20_000, 60_003), (20_000, 80_003)] {
        lab.chip.symbol_errors(packets / 2);
        lab.phy.symbol_errors(&mut lab.mdio).unwrap();
        lab.chip.symbol_errors(packets - packets / 2);
        let counted = lab.phy.symbol_errors(&mut lab.mdio).unwrap().unwrap();
        assert_eq!(counted - start, total);
    }
}

#[test]
fn pairs_are_crossed_by_whoever_can() {
    // Neither end crosses by itself, and the cable wants it.
    let partner = Partner::default().without_auto_mdix(true);
    let mut lab = Lab::started(chip(partner), PhyConfig::new().with_mdix(Mdix::Straight), ms(5_000));
    assert_eq!(lab.take_events(), []);
    let now = lab.clock.now();
    lab.phy.set_mdix(&mut lab.mdio, Mdix::Crossed, now).unwrap();
    lab.run(ms(5_000));
    assert_eq!(lab.take_events(), [PhyEvent::Up(FULL)]);
    let now = lab.clock.now();
    lab.phy.set_mdix(&mut lab.mdio, Mdix::Auto, now).unwrap();
    lab.run(ms(5_000));
    assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(FULL)]);
    lab.assert_clean();
}
