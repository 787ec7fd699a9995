//! From nothing to auto-negotiation, and what may be in the way.

use std::time::Duration;

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Lan8720Phy, Model, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};

use crate::fake::{ADDRESS, Access, Bench, Fake};

const NO_PHY: PhyError<ethdev::ErrorKind> = PhyError::NotResponding(PhyAddress::new(ADDRESS).unwrap());

#[test]
fn the_way_to_a_link() {
    let mut bench = Bench::new(PhyConfig::new());
    assert_eq!(
        bench.phy.next_poll(bench.now),
        Duration::MAX,
        "nothing is due before the start"
    );
    bench.poll();
    assert_eq!(bench.fake.log, [], "nothing is sent before the start");

    bench.start(LinkModes::ALL_MODES.union(LinkModes::PAUSE)).unwrap();
    assert_eq!(bench.phy.state(), PhyState::Resetting);
    bench.run(20);
    assert_eq!(
        (bench.phy.model(), bench.phy.state()),
        (Some(Model::Lan8720), PhyState::Down)
    );
    // Identity, reset, then the advertisement, then the restart that makes it count; the rest reads as it should be and is not written.
    assert_eq!(
        bench.fake.log[..3],
        [Access::Read(2), Access::Read(3), Access::Write(0, 0x8000)]
    );
    assert_eq!(bench.fake.writes(), [(0, 0x8000), (4, 0x05e1), (0, 0x1200)]);

    bench.run(1000);
    assert_eq!(bench.events, []);
    bench.fake.come_up(0x45e1, 0x0003, 0x1058);
    bench.run(100);
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full).with_pause(ethdev::Pause { rx: true, tx: true });
    assert_eq!(bench.events, [PhyEvent::Up(mode)]);
    assert_eq!((bench.phy.link(), bench.phy.state()), (Link::Up(mode), PhyState::Up));
    assert_eq!(bench.errors, []);
}

#[test]
fn nobody_there_is_told_once_and_never_written_to() {
    for stuck_at in [0xffff, 0x0000] {
        let mut bench = Bench::new(PhyConfig::new());
        bench.fake.stuck_at = Some(stuck_at);
        assert_eq!(bench.start(LinkModes::ALL_MODES), Err(NO_PHY), "{stuck_at:#06x}");
        bench.run(2_000);
        assert_eq!(bench.errors, [], "the start has told it");
        assert_eq!(bench.phy.state(), PhyState::Absent);
        assert_eq!(bench.fake.writes(), []);

        // Its clock comes late.
        bench.fake.stuck_at = None;
        bench.run(200);
        bench.fake.come_up_at_100_full();
        bench.run(200);
        assert_eq!(bench.events.len(), 1);
    }
}

#[test]
fn strangers_are_not_written_to() {
    let mut bench = Bench::new(PhyConfig::new());
    // A Micrel KSZ8081.
    (bench.fake.registers[2], bench.fake.registers[3]) = (0x0022, 0x1560);
    let Err(PhyError::UnknownId(id)) = bench.start(LinkModes::ALL_MODES) else {
        panic!("accepted")
    };
    assert_eq!(id.raw(), 0x0022_1560);
    bench.run(1_000);
    assert_eq!((bench.fake.writes(), bench.errors.len()), (vec![], 0));
}

#[test]
fn the_reset_is_bounded_by_time_and_not_by_reads() {
    // As many reads as fit are no failure.
    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.reset_reads = 480;
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.run(600);
    assert_eq!((bench.phy.state(), bench.errors.len()), (PhyState::Down, 0));

    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.reset_reads = u32::MAX;
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.run(499);
    assert_eq!((bench.phy.state(), bench.errors.len()), (PhyState::Resetting, 0));
    bench.run(2);
    assert_eq!(
        (bench.phy.state(), bench.take_errors()),
        (PhyState::Absent, vec![PhyError::ResetTimeout])
    );
    bench.run(5_000);
    assert_eq!(bench.errors, [], "tried again, and told once");
    bench.fake.reset_reads = 2;
    bench.run(1_000);
    assert_eq!(bench.phy.state(), PhyState::Down);
}

/// A host that was away for seconds finds the reset done, not late.
#[test]
fn a_late_poll_is_no_timeout() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.reset_reads = 0;
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.now += Duration::from_secs(60);
    bench.poll();
    assert_eq!((bench.phy.state(), bench.errors.len()), (PhyState::Down, 0));
}

#[test]
fn a_phy_that_falls_silent_in_its_reset_is_absent() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.fake.stuck_at = Some(0xffff);
    bench.run(600);
    assert_eq!(bench.errors, [NO_PHY]);
}

#[test]
fn a_strap_to_power_down_is_corrected_by_a_second_reset() {
    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.set(18, 0x60c1);
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.run(20);
    let writes = bench.fake.writes();
    assert_eq!(writes[..3], [(0, 0x8000), (18, 0x60e1), (0, 0x8000)]);
    let straps = bench.phy.straps().unwrap();
    assert_eq!(
        (straps.mode, straps.address),
        (0b110, 1),
        "what the pins said, not what was made of it"
    );
    assert_eq!(straps.to_string(), "power-down, address 1");
    bench.fake.come_up_at_100_full();
    bench.run(200);
    assert_eq!(bench.events.len(), 1);

    // A register that does not take the change ends in no endless row of resets.
    let mut bench = Bench::new(PhyConfig::new());
    bench.fake.set(18, 0x60c1);
    bench.fake.strapped = vec![(18, 0x60c1)];
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.run(2_000);
    assert_eq!(
        bench
            .fake
            .writes()
            .iter()
            .filter(|write| **write == (0, 0x8000))
            .count(),
        2
    );
}

#[test]
fn other_straps_are_told_and_overruled() {
    let mut bench = Bench::new(PhyConfig::new());
    // 10 Mbit/s half duplex: pulled down by a microcontroller's pins.
    bench.fake.set(18, 0x6001);
    bench.fake.strapped = vec![(0, 0x0000)];
    bench.start(LinkModes::ALL_MODES).unwrap();
    bench.run(20);
    assert_eq!(bench.phy.straps().map(|straps| straps.mode), Some(0b000));
    assert_eq!(bench.fake.get(0), 0x1000, "negotiates all the same");
}

#[test]
fn find_reads_and_nothing_else() {
    let mut fake = Fake::new();
    let phy = Lan8720Phy::find(&mut fake, PhyConfig::new()).unwrap().unwrap();
    assert_eq!(phy.address().get(), ADDRESS);
    assert_eq!(fake.writes(), []);

    fake.set(2, 0x0022);
    assert!(Lan8720Phy::find(&mut fake, PhyConfig::new()).unwrap().is_none());
    fake.failing = fake.log.len() + 3..usize::MAX;
    assert!(Lan8720Phy::find(&mut fake, PhyConfig::new()).is_err());
    assert_eq!(fake.writes(), []);
}

#[test]
fn relatives_are_driven_by_what_they_have() {
    for (id2, model) in [
        (0xc0a3, Model::Lan83c185),
        (0xc0d1, Model::Lan911x),
        (0xc131, Model::Lan8742),
        (0xc2a0, Model::Other(0x2a)),
    ] {
        let config = PhyConfig::new()
            .with_interrupt(true)
            .with_energy_detect(true)
            .with_mdix(ethdev_lan8720::Mdix::Crossed);
        let mut bench = Bench::new(config);
        bench.fake.strapped = vec![(3, id2)];
        bench.fake.set(3, id2);
        bench.start(LinkModes::ALL_MODES).unwrap();
        bench.run(150);
        bench.fake.come_up(0x45e1, 0x0003, 0x0000);
        bench.interrupt();
        bench.run(150);
        assert_eq!((bench.phy.model(), bench.events.len()), (Some(model), 1));
        let touched: Vec<u8> = bench
            .fake
            .log
            .iter()
            .map(|access| match *access {
                Access::Read(register) | Access::Write(register, _) => register,
            })
            .filter(|register| *register > 6)
            .collect();
        match model {
            Model::Other(_) => assert_eq!(touched, [], "registers of a stranger"),
            Model::Lan83c185 | Model::Lan911x => assert!(!touched.contains(&27) && touched.contains(&30)),
            _ => assert!(touched.contains(&27) && touched.contains(&30)),
        }
    }
}
