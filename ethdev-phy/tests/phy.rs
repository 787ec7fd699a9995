//! `GenericPhy` and `PhyOps` on a chip model.

use std::time::Duration;

use ethdev::{Duplex, ErrorKind, Link, LinkMode, Speed};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::{
    Clause22, GenericPhy, LinkModes, Phy, PhyError, PhyEvent, PhyId, PhyOps, PhyRegisters, PhyState, reg, scan,
};
use ethdev_sim::{Clock, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Part, Partner, PhyConfig, PhyStraps, Setting};

const ADDRESS: PhyAddress = PhyAddress::from_low_bits(1);

fn chip(part: Part, partner: impl Into<Option<Partner>>) -> (Clock, Wire, Lan8720Chip) {
    let clock = Clock::new();
    let (wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let config = PhyConfig::new(part)
        .with_straps(PhyStraps::default().with_address(1))
        .with_partner(partner);
    let chip = Lan8720Chip::new(&clock, port, config);
    clock.advance(Duration::from_millis(30));
    (clock, wire, chip)
}

/// Polls for this time and returns the events.
fn run<O: PhyOps>(phy: &mut Clause22<O>, clock: &Clock, mdio: &mut impl Mdio, by: Duration) -> Vec<PhyEvent> {
    let end = clock.now() + by;
    let mut events = vec![];
    while clock.now() < end {
        let pause = phy.next_poll(clock.now()).min(end - clock.now());
        clock.advance(pause);
        match phy.poll(mdio, clock.now()) {
            Ok(PhyEvent::None) | Err(PhyError::NoCommonMode) => {}
            Ok(event) => events.push(event),
            Err(error) => panic!("{error:?}"),
        }
    }
    events
}

#[test]
fn generic_phy_every_partner_expected_mode() {
    for part in [Part::OtherVendor, Part::Lan8720a] {
        for partner in Partner::all() {
            let (clock, wire, chip) = chip(part, partner);
            let mut mdio = chip.mdio();
            let mut phy = GenericPhy::at(ADDRESS);
            phy.start(&mut mdio, LinkModes::ALL_MODES, clock.now()).unwrap();
            let events = run(&mut phy, &clock, &mut mdio, Duration::from_secs(4));
            let mode = match partner.setting {
                Setting::Negotiating(theirs) => LinkModes::ALL_MODES.resolve(theirs),
                Setting::Forced(speed, _) => Some(LinkMode::new(speed, Duplex::Half)),
            };
            let expected = mode.map_or(Link::Down, Link::Up);
            assert_eq!(phy.link(), expected, "{partner:?}");
            assert_eq!(events.len(), usize::from(expected.is_up()), "{partner:?}");
            assert_eq!(phy.id().map(PhyId::raw), Some(part.id()));

            wire.set_link(false);
            let events = run(&mut phy, &clock, &mut mdio, Duration::from_millis(200));
            assert_eq!(events.len(), usize::from(expected.is_up()), "{partner:?}");
            assert_eq!(phy.link(), Link::Down);
            assert_eq!(chip.violations(), []);
        }
    }
}

#[test]
fn scan_bus_error_ends() {
    let (_clock, _wire, chip) = chip(Part::OtherVendor, None);
    let mut mdio = chip.mdio();
    let found: Vec<_> = scan(&mut mdio).map(|found| found.unwrap().0).collect();
    assert_eq!((found, chip.mdio_counters().writes), (vec![ADDRESS], 0));
    // Address 1 is the third and the fourth read.
    chip.fail_mdio_at(3);
    let found: Vec<bool> = scan(&mut mdio).map(|found| found.is_ok()).collect();
    assert_eq!(found, [false]);
}

/// `PhyOps` that records the calls.
#[derive(Default)]
struct Recorder {
    calls: Vec<&'static str>,
    second_reset: bool,
    config_lost: bool,
    status: Option<(Speed, Duplex)>,
}

impl PhyOps for Recorder {
    fn matches(&mut self, id: PhyId) -> bool {
        self.calls.push("matches");
        id.raw() == Part::OtherVendor.id()
    }

    fn after_reset<M: Mdio + ?Sized>(&mut self, _: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        self.calls.push("after_reset");
        Ok(self.second_reset)
    }

    fn configure<M: Mdio + ?Sized>(&mut self, _: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        self.calls.push("configure");
        Ok(())
    }

    fn config_valid<M: Mdio + ?Sized>(&mut self, _: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        self.calls.push("config_valid");
        Ok(!std::mem::take(&mut self.config_lost))
    }

    fn negotiated_mode<M: Mdio + ?Sized>(
        &mut self,
        _: &mut PhyRegisters<'_, M>,
    ) -> Result<Option<(Speed, Duplex)>, M::Error> {
        self.calls.push("negotiated_mode");
        Ok(self.status)
    }

    fn link_up<M: Mdio + ?Sized>(&mut self, _: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        self.calls.push("link_up");
        Ok(())
    }

    fn ack_interrupt<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        self.calls.push("ack_interrupt");
        phy.read(reg::BMSR).map(drop)
    }
}

#[test]
fn phy_ops_calls_in_order() {
    let (clock, _wire, chip) = chip(Part::OtherVendor, Partner::default());
    let mut mdio = chip.mdio();
    let status = Some((Speed::MBPS_10, Duplex::Full));
    let mut phy = Clause22::new(
        ADDRESS,
        Recorder {
            second_reset: true,
            status,
            ..Recorder::default()
        },
    );
    phy.start(&mut mdio, LinkModes::ALL_MODES, clock.now()).unwrap();
    let events = run(&mut phy, &clock, &mut mdio, Duration::from_secs(4));
    assert_eq!(
        events,
        [PhyEvent::Up(LinkMode::new(Speed::MBPS_10, Duplex::Full))],
        "status register of the PHY"
    );
    assert_eq!(
        std::mem::take(&mut phy.ops_mut().calls),
        [
            "matches",
            "after_reset",
            "after_reset",
            "configure",
            "config_valid",
            "negotiated_mode",
            "link_up"
        ]
    );
    assert_eq!(chip.stats().soft_resets, 2, "one second reset");

    phy.on_interrupt(&mut mdio, clock.now()).unwrap();
    assert_eq!(
        (phy.ops().calls.last(), phy.next_poll(clock.now())),
        (Some(&"ack_interrupt"), Duration::ZERO)
    );

    // A PHY that lost its settings is configured again before its link is up.
    phy.ops_mut().config_lost = true;
    phy.ops_mut().calls.clear();
    chip.set_partner(Partner::default());
    let events = run(&mut phy, &clock, &mut mdio, Duration::from_secs(8));
    assert_eq!(events.len(), 2);
    assert_eq!(phy.ops().calls[..3], ["config_valid", "matches", "after_reset"]);
}

#[test]
fn start_unknown_id_no_write() {
    let (clock, _wire, chip) = chip(Part::Lan8700, None);
    let mut mdio = chip.mdio();
    let mut phy = Clause22::new(ADDRESS, Recorder::default());
    let started = phy.start(&mut mdio, LinkModes::ALL_MODES, clock.now());
    assert!(matches!(started, Err(PhyError::UnknownId(id)) if id.raw() == Part::Lan8700.id()));
    assert_eq!((phy.state(), chip.mdio_counters().writes), (PhyState::NotResponding, 0));
}

#[test]
fn phy_error_kind_and_message() {
    use ethdev::Error as _;
    let id = PhyId::from_registers(0x22, 0x1555).unwrap();
    for (error, kind, message) in [
        (
            PhyError::Mdio(ErrorKind::Timeout),
            ErrorKind::Timeout,
            "MDIO error: timed out waiting for the device",
        ),
        (
            PhyError::NotResponding(ADDRESS),
            ErrorKind::NotPresent,
            "no PHY responds at MDIO address 1",
        ),
        (
            PhyError::UnknownId(id),
            ErrorKind::NotPresent,
            "unsupported PHY identifier 0x00221555",
        ),
        (
            PhyError::ResetTimeout,
            ErrorKind::Timeout,
            "timed out waiting for the end of the PHY reset",
        ),
        (PhyError::NoCommonMode, ErrorKind::LinkDown, "no common link mode"),
        (PhyError::NotStarted, ErrorKind::Stopped, "PHY is not started"),
    ] {
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
    }
}

#[test]
fn modify_unchanged_value_no_write() {
    struct One(u16, usize);
    impl Mdio for One {
        type Error = ErrorKind;
        fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
            Ok(self.0)
        }
        fn write(&mut self, _: PhyAddress, _: RegisterAddress, value: u16) -> Result<(), ErrorKind> {
            (self.0, self.1) = (value, self.1 + 1);
            Ok(())
        }
    }
    let mut bus = One(0b1100, 0);
    PhyRegisters::new(&mut bus, ADDRESS)
        .modify(reg::BMCR, 0b0100, 0b0001)
        .unwrap();
    assert_eq!((bus.0, bus.1), (0b1001, 1));
    PhyRegisters::new(&mut bus, ADDRESS)
        .modify(reg::BMCR, 0b0100, 0b0001)
        .unwrap();
    assert_eq!((bus.0, bus.1), (0b1001, 1), "nothing to change, nothing written");
}
