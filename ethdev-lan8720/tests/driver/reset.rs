//! Identification, reset and configuration.

use std::time::Duration;

use ethdev::{Duplex, Link, LinkMode, Speed};
use ethdev_lan8720::{Lan8720Phy, Model, PhyConfig};
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent, PhyState};

use crate::mock::{ADDRESS, Access, Harness, MockPhy};

const NO_PHY: PhyError<ethdev::ErrorKind> = PhyError::NotResponding(PhyAddress::new(ADDRESS).unwrap());

#[test]
fn start_access_sequence_until_link() {
    let mut harness = Harness::new(PhyConfig::new());
    assert_eq!(harness.phy.next_poll(harness.now), Duration::MAX, "not started");
    harness.poll();
    assert_eq!(harness.chip.log, [], "no access before the start");

    harness.start(LinkModes::ALL_MODES.union(LinkModes::PAUSE)).unwrap();
    assert_eq!(harness.phy.state(), PhyState::Resetting);
    harness.run(20);
    assert_eq!(
        (harness.phy.model(), harness.phy.state()),
        (Some(Model::Lan8720), PhyState::Down)
    );
    // Identifier, reset, advertisement, restart of auto-negotiation. Registers that read as
    // configured are not written.
    assert_eq!(
        harness.chip.log[..3],
        [Access::Read(2), Access::Read(3), Access::Write(0, 0x8000)]
    );
    assert_eq!(harness.chip.writes(), [(0, 0x8000), (4, 0x05e1), (0, 0x1200)]);

    harness.run(1000);
    assert_eq!(harness.events, []);
    harness.chip.link_up(0x45e1, 0x0003, 0x1058);
    harness.run(100);
    let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full).with_pause(ethdev::Pause { rx: true, tx: true });
    assert_eq!(harness.events, [PhyEvent::Up(mode)]);
    assert_eq!(
        (harness.phy.link(), harness.phy.state()),
        (Link::Up(mode), PhyState::Up)
    );
    assert_eq!(harness.errors, []);
}

#[test]
fn start_not_responding_reported_once_no_write() {
    for stuck_at in [0xffff, 0x0000] {
        let mut harness = Harness::new(PhyConfig::new());
        harness.chip.stuck_at = Some(stuck_at);
        assert_eq!(harness.start(LinkModes::ALL_MODES), Err(NO_PHY), "{stuck_at:#06x}");
        harness.run(2_000);
        assert_eq!(harness.errors, [], "reported by start");
        assert_eq!(harness.phy.state(), PhyState::NotResponding);
        assert_eq!(harness.chip.writes(), []);

        // The clock starts late.
        harness.chip.stuck_at = None;
        harness.run(200);
        harness.chip.link_up_100_full();
        harness.run(200);
        assert_eq!(harness.events.len(), 1);
    }
}

#[test]
fn start_unknown_id_no_write() {
    let mut harness = Harness::new(PhyConfig::new());
    // Micrel KSZ8081.
    (harness.chip.registers[2], harness.chip.registers[3]) = (0x0022, 0x1560);
    let Err(PhyError::UnknownId(id)) = harness.start(LinkModes::ALL_MODES) else {
        panic!("accepted")
    };
    assert_eq!(id.raw(), 0x0022_1560);
    harness.run(1_000);
    assert_eq!((harness.chip.writes(), harness.errors.len()), (vec![], 0));
}

#[test]
fn poll_reset_timeout_by_time() {
    // 480 reads fit into 500 ms.
    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.reset_reads = 480;
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(600);
    assert_eq!((harness.phy.state(), harness.errors.len()), (PhyState::Down, 0));

    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.reset_reads = u32::MAX;
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(499);
    assert_eq!((harness.phy.state(), harness.errors.len()), (PhyState::Resetting, 0));
    harness.run(2);
    assert_eq!(
        (harness.phy.state(), harness.take_errors()),
        (PhyState::NotResponding, vec![PhyError::ResetTimeout])
    );
    harness.run(5_000);
    assert_eq!(harness.errors, [], "tried again, reported once");
    harness.chip.reset_reads = 2;
    harness.run(1_000);
    assert_eq!(harness.phy.state(), PhyState::Down);
}

/// The host polls after 60 s and finds the reset complete.
#[test]
fn poll_late_after_reset_no_timeout() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.reset_reads = 0;
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.now += Duration::from_secs(60);
    harness.poll();
    assert_eq!((harness.phy.state(), harness.errors.len()), (PhyState::Down, 0));
}

#[test]
fn poll_all_ones_in_reset_not_responding() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.chip.stuck_at = Some(0xffff);
    harness.run(600);
    assert_eq!(harness.errors, [NO_PHY]);
}

#[test]
fn reset_strapped_to_power_down_second_reset() {
    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.set(18, 0x60c1);
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    let writes = harness.chip.writes();
    assert_eq!(writes[..3], [(0, 0x8000), (18, 0x60e1), (0, 0x8000)]);
    let straps = harness.phy.straps().unwrap();
    assert_eq!(
        (straps.mode, straps.address),
        (0b110, 1),
        "the straps, not the overridden mode"
    );
    assert_eq!(straps.to_string(), "power-down, address 1");
    harness.chip.link_up_100_full();
    harness.run(200);
    assert_eq!(harness.events.len(), 1);

    // If the register does not keep the mode, there is no third reset.
    let mut harness = Harness::new(PhyConfig::new());
    harness.chip.set(18, 0x60c1);
    harness.chip.strapped = vec![(18, 0x60c1)];
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(2_000);
    assert_eq!(
        harness
            .chip
            .writes()
            .iter()
            .filter(|write| **write == (0, 0x8000))
            .count(),
        2
    );
}

#[test]
fn reset_other_mode_strap_overridden() {
    let mut harness = Harness::new(PhyConfig::new());
    // 10 Mbit/s half duplex: the pins are pulled down by a microcontroller.
    harness.chip.set(18, 0x6001);
    harness.chip.strapped = vec![(0, 0x0000)];
    harness.start(LinkModes::ALL_MODES).unwrap();
    harness.run(20);
    assert_eq!(harness.phy.straps().map(|straps| straps.mode), Some(0b000));
    assert_eq!(harness.chip.get(0), 0x1000, "auto-negotiation is enabled");
}

#[test]
fn find_any_no_write() {
    let mut chip = MockPhy::new();
    let phy = Lan8720Phy::find(&mut chip, PhyConfig::new()).unwrap().unwrap();
    assert_eq!(phy.address().get(), ADDRESS);
    assert_eq!(chip.writes(), []);

    chip.set(2, 0x0022);
    assert!(Lan8720Phy::find(&mut chip, PhyConfig::new()).unwrap().is_none());
    chip.failing = chip.log.len() + 3..usize::MAX;
    assert!(Lan8720Phy::find(&mut chip, PhyConfig::new()).is_err());
    assert_eq!(chip.writes(), []);
}

#[test]
fn start_other_model_writes_own_registers_only() {
    for (id2, model) in [
        (0xc0a3, Model::Lan83c185),
        (0xc0d1, Model::Lan911x),
        (0xc131, Model::Lan8742),
        (0xc2a0, Model::Other(0x2a)),
    ] {
        let config = PhyConfig::new()
            .with_interrupt(true)
            .with_energy_detect(true)
            .with_mdix(ethdev_lan8720::Mdix::MdiX);
        let mut harness = Harness::new(config);
        harness.chip.strapped = vec![(3, id2)];
        harness.chip.set(3, id2);
        harness.start(LinkModes::ALL_MODES).unwrap();
        harness.run(150);
        harness.chip.link_up(0x45e1, 0x0003, 0x0000);
        harness.interrupt();
        harness.run(150);
        assert_eq!((harness.phy.model(), harness.events.len()), (Some(model), 1));
        let accessed: Vec<u8> = harness
            .chip
            .log
            .iter()
            .map(|access| match *access {
                Access::Read(register) | Access::Write(register, _) => register,
            })
            .filter(|register| *register > 6)
            .collect();
        match model {
            Model::Other(_) => assert_eq!(accessed, [], "clause 22 registers only"),
            Model::Lan83c185 | Model::Lan911x => assert!(!accessed.contains(&27) && accessed.contains(&30)),
            _ => assert!(accessed.contains(&27) && accessed.contains(&30)),
        }
    }
}
