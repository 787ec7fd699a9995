//! Every partner, every setting.

use std::time::Duration;

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::PhyConfig;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};
use lan8720_model::{Mode, Part, Partner, PhyConfig as Chip, PhyStraps, Setting};

use crate::lab::{LOOK, Lab, POLL, chip, ms};

const MODES: [(Speed, Duplex); 4] = [
    (Speed::MBPS_10, Duplex::Half),
    (Speed::MBPS_10, Duplex::Full),
    (Speed::MBPS_100, Duplex::Half),
    (Speed::MBPS_100, Duplex::Full),
];

/// What has to come of an end that negotiates.
fn negotiated(advertise: LinkModes, partner: Setting) -> Option<LinkMode> {
    match partner {
        Setting::Negotiating(abilities) => advertise.resolve(abilities),
        // Parallel detection: the partner's speed, half duplex.
        Setting::Forced(speed, _) => {
            let half = LinkModes::from_mode(speed, Duplex::Half).unwrap();
            advertise.contains(half).then_some(LinkMode::new(speed, Duplex::Half))
        }
    }
}

#[test]
fn every_partner_of_an_end_that_negotiates() {
    let advertised = [
        LinkModes::ALL_MODES,
        LinkModes::ALL_MODES.union(LinkModes::PAUSE),
        LinkModes::ALL_MODES
            .union(LinkModes::PAUSE)
            .union(LinkModes::PAUSE_ASYMMETRIC),
        LinkModes::TX100_FULL,
        LinkModes::T10_HALF.union(LinkModes::TX100_HALF),
    ];
    for advertise in advertised {
        for interrupt in [false, true] {
            for partner in Partner::all() {
                let mut lab = Lab::new(chip(partner), PhyConfig::new().with_interrupt(interrupt));
                lab.start(advertise).unwrap();
                lab.run(ms(5_000));
                let case = format!("{advertise:?}, interrupt {interrupt}, {:?}", partner.setting);
                match negotiated(advertise, partner.setting) {
                    Some(mode) => {
                        assert_eq!(lab.take_events(), [PhyEvent::Up(mode)], "{case}");
                        assert_eq!((lab.take_errors(), lab.phy.link()), (vec![], Link::Up(mode)), "{case}");
                        let late = lab.clock.now() - lab.turned;
                        assert!(late > Duration::ZERO);
                        let on_wire = lab.wire.link().mode().unwrap();
                        assert_eq!((on_wire.speed, on_wire.duplex), (mode.speed, mode.duplex), "{case}");
                    }
                    None => {
                        assert_eq!((lab.take_events(), lab.phy.link()), (vec![], Link::Down), "{case}");
                        // Without a link there is no interrupt to tell by.
                        let told = !interrupt || lab.wire.link().is_up();
                        let expected = if told { vec![PhyError::NoCommonMode] } else { vec![] };
                        assert_eq!(lab.take_errors(), expected, "{case}");
                    }
                }
                lab.assert_clean();
            }
        }
    }
}

#[test]
fn every_partner_of_a_forced_end() {
    for (speed, duplex) in MODES {
        for partner in Partner::all() {
            let config = PhyConfig::new().with_forced_mode(speed, duplex).with_interrupt(true);
            let mut lab = Lab::started(chip(partner), config, ms(5_000));
            let mode = LinkMode::new(speed, duplex);
            let case = format!("{mode:?}, {:?}", partner.setting);
            assert_eq!(lab.phy.link().is_up(), lab.wire.link().is_up(), "{case}");
            if lab.wire.link().is_up() {
                assert_eq!(lab.take_events(), [PhyEvent::Up(mode)], "{case}");
            }
            if let Setting::Forced(theirs, _) = partner.setting {
                assert_eq!(lab.wire.link().is_up(), theirs == speed, "{case}");
            }
            assert_eq!(lab.take_errors(), [], "{case}");
            lab.assert_clean();
        }
    }
}

#[test]
fn up_within_the_partners_time_and_one_poll_down_within_one_poll() {
    for interrupt in [false, true] {
        for delay in [0, 777, 12_345] {
            let partner = Partner::default().with_delay(ms(delay));
            let mut lab = Lab::started(chip(partner), PhyConfig::new().with_interrupt(interrupt), ms(20_000));
            let allowed = if interrupt { LOOK } else { POLL + LOOK };
            let (at, event) = lab.events.remove(0);
            assert!(matches!(event, PhyEvent::Up(_)));
            assert!(at - lab.turned <= allowed, "up {:?} late", at - lab.turned);

            lab.wire.set_link(false);
            lab.run(ms(1_000));
            let (at, event) = lab.events.remove(0);
            assert_eq!(event, PhyEvent::Down);
            assert!(at - lab.turned <= allowed, "down {:?} late", at - lab.turned);
            lab.assert_clean();
        }
    }
}

/// The partner is replaced between two polls, faster than any poll.
#[test]
fn a_partner_that_was_swapped_is_noticed() {
    let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    lab.take_events();
    lab.chip.set_partner(Partner::forced(Speed::MBPS_10, Duplex::Half));
    lab.run(ms(5_000));
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half);
    assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);
    lab.assert_clean();
}

#[test]
fn whatever_the_straps_say_it_negotiates() {
    for mode in [
        Mode::T10Half,
        Mode::T10Full,
        Mode::Tx100Half,
        Mode::Tx100Full,
        Mode::AdvertiseTx100Half,
        Mode::Repeater,
        Mode::PowerDown,
        Mode::AllCapable,
    ] {
        let config = chip(Partner::default()).with_straps(PhyStraps::default().with_address(1).with_mode(mode));
        let mut lab = Lab::started(config, PhyConfig::new(), ms(4_000));
        let full = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        assert_eq!(lab.take_events(), [PhyEvent::Up(full)], "{mode:?}");
        assert_eq!(lab.phy.straps().map(|straps| straps.mode), Some(mode as u8), "{mode:?}");
        lab.assert_clean();
    }
}

#[test]
fn the_relatives_come_up_as_well() {
    for part in Part::ALL {
        let config = Chip::new(part).with_straps(PhyStraps::default().with_address(1));
        let mut lab = Lab::new(config, PhyConfig::new().with_interrupt(part != Part::Foreign));
        let started = lab.start(LinkModes::ALL_MODES);
        lab.run(ms(4_000));
        if part == Part::Foreign {
            let Err(PhyError::UnknownId(id)) = started else {
                panic!("{started:?}")
            };
            assert_eq!(id.raw(), part.id());
            assert_eq!(lab.chip.mdio_counters().writes, 0, "a stranger was written to");
            assert_eq!(lab.take_errors(), []);
            continue;
        }
        started.unwrap();
        let full = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        assert_eq!(lab.take_events(), [PhyEvent::Up(full)], "{part:?}");
        lab.wire.set_link(false);
        lab.run(ms(200));
        assert_eq!(lab.take_events(), [PhyEvent::Down], "{part:?}");
        lab.assert_clean();
    }
}

#[test]
fn nothing_on_mdio_between_interrupts() {
    for cable in [true, false] {
        let partner = cable.then(Partner::default);
        let mut lab = Lab::started(chip(partner), PhyConfig::new().with_interrupt(true), ms(5_000));
        let before = lab.accesses();
        lab.run(Duration::from_secs(3_600));
        assert_eq!(lab.accesses(), before, "an hour, cable {cable}");
    }
}

#[test]
fn three_reads_a_poll_without_interrupts() {
    let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(5_000));
    let before = lab.accesses();
    lab.run(Duration::from_secs(60));
    let each = POLL + 3 * lab.mdio.access_time();
    let looks = Duration::from_secs(60).as_nanos() / each.as_nanos();
    let reads = u128::from(lab.accesses() - before);
    assert!(reads >= 3 * looks && reads <= 3 * 600, "{reads} reads in 60 s");
}

#[test]
fn advertisement_forcing_and_stopping_while_it_runs() {
    let mut lab = Lab::started(chip(Partner::default()), PhyConfig::new(), ms(4_000));
    assert_eq!(lab.take_events().len(), 1);
    let now = lab.clock.now();
    lab.phy.set_advertise(&mut lab.mdio, LinkModes::T10_FULL, now).unwrap();
    lab.run(ms(4_000));
    let mode = LinkMode::new(Speed::MBPS_10, Duplex::Full);
    assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    let now = lab.clock.now();
    lab.phy
        .force(&mut lab.mdio, Some((Speed::MBPS_10, Duplex::Full)), now)
        .unwrap();
    lab.run(ms(4_000));
    assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    let now = lab.clock.now();
    lab.phy.force(&mut lab.mdio, None, now).unwrap();
    lab.run(ms(4_000));
    assert_eq!(lab.take_events(), [PhyEvent::Down, PhyEvent::Up(mode)]);

    lab.phy.stop(&mut lab.mdio).unwrap();
    let before = lab.accesses();
    lab.run(ms(10_000));
    assert_eq!((lab.take_events(), lab.accesses()), (vec![PhyEvent::Down], before));
    assert!(!lab.wire.link().is_up(), "the PHY is powered down");
    lab.start(LinkModes::ALL_MODES).unwrap();
    lab.run(ms(4_000));
    assert_eq!((lab.take_events().len(), lab.phy.state()), (1, PhyState::Up));
    lab.assert_clean();
}

/// In power-down, boards were seen whose PHY shows a link.
#[test]
fn a_link_in_power_down_is_a_lie() {
    use ethdev_phy::mdio::RegisterAddress;
    use lan8720_model::ViolationKind;
    let mut lab = Lab::started(
        chip(Partner::default()).allowing(ViolationKind::PowerDownNegotiating),
        PhyConfig::new(),
        ms(4_000),
    );
    lab.take_events();
    lab.phy
        .registers(&mut lab.mdio)
        .write(RegisterAddress::new(0).unwrap(), 0x1800)
        .unwrap();
    assert_eq!(lab.chip.peek(1) & 4, 4, "the lie");
    lab.run(ms(1_000));
    assert_eq!((lab.take_events(), lab.phy.link()), (vec![PhyEvent::Down], Link::Down));
    lab.assert_clean();
}
