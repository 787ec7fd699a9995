//! The port on the RMII of a PHY.

use core::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig, fcs};
use lan8720_model::{Lan8720Chip, Part, Partner, PhyConfig};
use rmii_port_model::{FalseCarrier, RmiiPort, RmiiPortConfig, ViolationKind as Kind};

use crate::harness::*;

fn on_phy(phy: PhyConfig, config: RmiiPortConfig) -> (Harness, Lan8720Chip) {
    let clock = Clock::new();
    let (wire, near, far) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::new(&clock, near, phy);
    let port = RmiiPort::new(chip.rmii(), config);
    let harness = Harness::with_port(&clock, wire, port, Peer::new(far));
    clock.advance(Duration::from_secs(3));
    (harness, chip)
}

fn lan8720a(partner: Partner) -> PhyConfig {
    PhyConfig::new(Part::Lan8720a).with_partner(partner)
}

#[test]
fn phy_100_full_passes_frames() {
    let (harness, chip) = on_phy(lan8720a(Partner::default()), prompt());
    let received = harness.receive_all();
    let start = harness.clock.now();
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    let arrives = harness.peer.send(&frame(60, 2));
    assert_eq!(arrives - start, ns(72 * 80));
    harness.settle();
    assert_eq!(harness.peer.recv_timed(), Some((arrives, frame(60, 1))));
    assert_eq!(received.take(), [fcs::append(&frame(60, 2))]);
    assert_eq!((chip.stats().tx_sent, chip.stats().rx_delivered), (1, 1));
    assert_eq!(chip.violations(), []);
    harness.assert_clean();
}

#[test]
fn phy_10_mbps_drops_frames() {
    for partner in [
        Partner::forced(Speed::MBPS_10, Duplex::Half),
        Partner::negotiating(ethdev_phy::phy::LinkModes::T10_FULL),
    ] {
        let (harness, chip) = on_phy(lan8720a(partner), prompt());
        assert!(harness.wire.link().is_up());
        let received = harness.receive_all();
        for n in 0..5 {
            harness.port.start_tx(fcs::append(&frame(60, n)), 64);
            harness.peer.send(&frame(60, n));
            harness.settle();
        }
        assert!(received.take().is_empty() && harness.peer.pending() == 0);
        assert_eq!((chip.stats().tx_wrong_speed, chip.stats().rx_wrong_speed), (5, 5));
        assert_eq!(harness.kinds(), [Kind::TxWrongMode; 5]);
        let kinds: Vec<_> = chip.violations().iter().map(|violation| violation.kind).collect();
        assert_eq!(kinds, [lan8720_model::ViolationKind::WrongSpeed; 5]);
        assert!(chip.stats().balanced());
    }
}

#[test]
fn phy_half_duplex_collides() {
    let (harness, chip) = on_phy(lan8720a(Partner::forced(Speed::MBPS_100, Duplex::Half)), prompt());
    let received = harness.receive_all();
    // Alone, each gets through.
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    harness.settle();
    harness.peer.send(&frame(60, 2));
    harness.settle();
    assert_eq!((harness.peer.pending(), received.take().len()), (1, 1));
    // The partner waits for what it hears, this port does not.
    harness.peer.send(&frame(200, 3));
    harness.clock.advance(ns(1000));
    harness.port.start_tx(fcs::append(&frame(60, 4)), 64);
    harness.settle();
    assert_eq!((harness.peer.pending(), received.take().len()), (1, 0));
    assert_eq!(
        (
            harness.wire.stats(Side::A).collided,
            harness.wire.stats(Side::B).collided
        ),
        (1, 1)
    );
    assert!(harness.wire.stats(Side::A).balanced() && harness.wire.stats(Side::B).balanced());
    assert_eq!(harness.kinds(), [Kind::TxWrongMode; 2]);
    assert!(
        chip.violations()
            .iter()
            .all(|v| v.kind == lan8720_model::ViolationKind::WrongDuplex)
    );
}

#[test]
fn phy_without_link_frames_are_lost() {
    let (harness, chip) = on_phy(PhyConfig::new(Part::Lan8720a).with_partner(None), prompt());
    let start = harness.clock.now();
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    while harness.port.is_sending() && harness.clock.step() {}
    assert_eq!(harness.clock.now() - start, harness.wire.frame_time(64));
    assert_eq!((chip.stats().tx_no_link, harness.port.stats().tx_sent), (1, 1));
    harness.assert_clean();
    assert!(chip.stats().balanced());
}

#[test]
fn phy_without_clock_tx_hangs() {
    let (harness, chip) = on_phy(lan8720a(Partner::default()), prompt());
    chip.set_ref_clk(false);
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    harness.clock.advance(Duration::from_secs(1));
    assert!(harness.port.is_sending());
    harness.port.abort_tx();
    chip.set_ref_clk(true);
    harness.clock.advance(Duration::from_secs(3));
    harness.port.start_tx(fcs::append(&frame(60, 2)), 64);
    harness.settle();
    assert_eq!(harness.peer.recv(), Some(frame(60, 2)));
}

#[test]
fn rx_false_carrier_ends_ignores_or_hangs() {
    for (what, ended, hung) in [
        (FalseCarrier::Ends, true, false),
        (FalseCarrier::Ignores, false, false),
        (FalseCarrier::Hangs, false, true),
    ] {
        let (harness, chip) = on_phy(lan8720a(Partner::default()), prompt().with_false_carrier(what));
        harness.port.start_rx(vec![0; 100]).unwrap();
        harness.clock.advance(ns(500));
        chip.false_carrier(ns(501));
        harness.settle();
        assert!(
            !harness.port.is_rx_done(),
            "the receiver was started in the middle of it"
        );
        harness.clock.advance(ns(1));
        chip.false_carrier(ns(400));
        harness.clock.advance(ns(100));
        assert_eq!(harness.port.rx_done().map(|done| done.len), ended.then_some(0));
        if ended {
            harness.port.start_rx(vec![0; 100]).unwrap();
        }
        harness.peer.send(&frame(60, 1));
        harness.settle();
        assert_eq!(harness.port.rx_done().is_some(), !hung, "{what:?}");
        assert_eq!(harness.port.stats().false_carriers, 1);
        harness.assert_clean();
    }
}

#[test]
fn phy_loopback_returns_frame() {
    use ethdev_phy::mdio::{Mdio, PhyAddress};
    let (harness, chip) = on_phy(lan8720a(Partner::default()), prompt());
    let received = harness.receive_all();
    let address = PhyAddress::new(0).unwrap();
    chip.mdio().write(address, ethdev_phy::phy::reg::BMCR, 0x6100).unwrap();
    harness.port.start_tx(fcs::append(&frame(60, 1)), 64);
    harness.settle();
    assert_eq!(received.take(), [fcs::append(&frame(60, 1))]);
    assert_eq!((chip.stats().tx_looped, harness.peer.pending()), (1, 0));
    assert_eq!(chip.violations(), []);
    assert!(chip.stats().balanced());
}
