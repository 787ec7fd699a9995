//! The port on the RMII of a PHY.

use core::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_sim::{Clock, Peer, Side, Wire, WireConfig, fcs};
use lan8720_model::{Lan8720Chip, Part, Partner, PhyConfig};
use rmii_port_model::{FalseCarrier, RmiiPort, RmiiPortConfig, ViolationKind as Kind};

use crate::bench::*;

fn on_phy(phy: PhyConfig, config: RmiiPortConfig) -> (Bench, Lan8720Chip) {
    let clock = Clock::new();
    let (wire, near, far) = Wire::new(&clock, WireConfig::default());
    let chip = Lan8720Chip::new(&clock, near, phy);
    let port = RmiiPort::new(chip.rmii(), config);
    let bench = Bench::with_port(&clock, wire, port, Peer::new(far));
    clock.advance(Duration::from_secs(3));
    (bench, chip)
}

fn lan8720a(partner: Partner) -> PhyConfig {
    PhyConfig::new(Part::Lan8720a).with_partner(partner)
}

#[test]
fn frames_cross_at_100_full() {
    let (bench, chip) = on_phy(lan8720a(Partner::default()), prompt());
    let received = bench.receive_all();
    let start = bench.clock.now();
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    let arrives = bench.peer.send(&frame(60, 2));
    assert_eq!(arrives - start, ns(72 * 80));
    bench.settle();
    assert_eq!(bench.peer.recv_timed(), Some((arrives, frame(60, 1))));
    assert_eq!(received.take(), [fcs::append(&frame(60, 2))]);
    assert_eq!((chip.stats().tx_sent, chip.stats().rx_delivered), (1, 1));
    assert_eq!(chip.violations(), []);
    bench.assert_clean();
}

#[test]
fn at_10_nothing_crosses() {
    for partner in [
        Partner::forced(Speed::MBPS_10, Duplex::Half),
        Partner::negotiating(ethdev_phy::phy::LinkModes::T10_FULL),
    ] {
        let (bench, chip) = on_phy(lan8720a(partner), prompt());
        assert!(bench.wire.link().is_up());
        let received = bench.receive_all();
        for n in 0..5 {
            bench.port.start_tx(fcs::append(&frame(60, n)), 64);
            bench.peer.send(&frame(60, n));
            bench.settle();
        }
        assert!(received.take().is_empty() && bench.peer.pending() == 0);
        assert_eq!((chip.stats().tx_wrong_speed, chip.stats().rx_wrong_speed), (5, 5));
        assert_eq!(bench.kinds(), [Kind::TxWrongMode; 5]);
        let kinds: Vec<_> = chip.violations().iter().map(|violation| violation.kind).collect();
        assert_eq!(kinds, [lan8720_model::ViolationKind::WrongSpeed; 5]);
        assert!(chip.stats().balanced());
    }
}

#[test]
fn half_duplex_collides() {
    let (bench, chip) = on_phy(lan8720a(Partner::forced(Speed::MBPS_100, Duplex::Half)), prompt());
    let received = bench.receive_all();
    // Alone, each gets through.
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    bench.settle();
    bench.peer.send(&frame(60, 2));
    bench.settle();
    assert_eq!((bench.peer.pending(), received.take().len()), (1, 1));
    // The partner waits for what it hears, this port does not.
    bench.peer.send(&frame(200, 3));
    bench.clock.advance(ns(1000));
    bench.port.start_tx(fcs::append(&frame(60, 4)), 64);
    bench.settle();
    assert_eq!((bench.peer.pending(), received.take().len()), (1, 0));
    assert_eq!(
        (bench.wire.stats(Side::A).collided, bench.wire.stats(Side::B).collided),
        (1, 1)
    );
    assert!(bench.wire.stats(Side::A).balanced() && bench.wire.stats(Side::B).balanced());
    assert_eq!(bench.kinds(), [Kind::TxWrongMode; 2]);
    assert!(
        chip.violations()
            .iter()
            .all(|v| v.kind == lan8720_model::ViolationKind::WrongDuplex)
    );
}

#[test]
fn without_a_link_frames_take_their_time_and_are_gone() {
    let (bench, chip) = on_phy(PhyConfig::new(Part::Lan8720a).with_partner(None), prompt());
    let start = bench.clock.now();
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    while bench.port.is_sending() && bench.clock.step() {}
    assert_eq!(bench.clock.now() - start, bench.wire.frame_time(64));
    assert_eq!((chip.stats().tx_no_link, bench.port.stats().tx_sent), (1, 1));
    bench.assert_clean();
    assert!(chip.stats().balanced());
}

#[test]
fn without_a_clock_the_transmitter_hangs() {
    let (bench, chip) = on_phy(lan8720a(Partner::default()), prompt());
    chip.set_ref_clk(false);
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    bench.clock.advance(Duration::from_secs(1));
    assert!(bench.port.is_sending());
    bench.port.abort_tx();
    chip.set_ref_clk(true);
    bench.clock.advance(Duration::from_secs(3));
    bench.port.start_tx(fcs::append(&frame(60, 2)), 64);
    bench.settle();
    assert_eq!(bench.peer.recv(), Some(frame(60, 2)));
}

#[test]
fn false_carriers() {
    for (what, ended, hung) in [
        (FalseCarrier::Ends, true, false),
        (FalseCarrier::Ignores, false, false),
        (FalseCarrier::Hangs, false, true),
    ] {
        let (bench, chip) = on_phy(lan8720a(Partner::default()), prompt().with_false_carrier(what));
        bench.port.start_rx(vec![0; 100]).unwrap();
        bench.clock.advance(ns(500));
        chip.false_carrier(ns(501));
        bench.settle();
        assert!(!bench.port.is_rx_done(), "the receiver was started in the middle of it");
        bench.clock.advance(ns(1));
        chip.false_carrier(ns(400));
        bench.clock.advance(ns(100));
        assert_eq!(bench.port.rx_done().map(|done| done.len), ended.then_some(0));
        if ended {
            bench.port.start_rx(vec![0; 100]).unwrap();
        }
        bench.peer.send(&frame(60, 1));
        bench.settle();
        assert_eq!(bench.port.rx_done().is_some(), !hung, "{what:?}");
        assert_eq!(bench.port.stats().false_carriers, 1);
        bench.assert_clean();
    }
}

#[test]
fn loopback_inside_the_phy() {
    use ethdev_phy::mdio::{Mdio, PhyAddress};
    let (bench, chip) = on_phy(lan8720a(Partner::default()), prompt());
    let received = bench.receive_all();
    let address = PhyAddress::new(0).unwrap();
    chip.mdio().write(address, ethdev_phy::phy::reg::BMCR, 0x6100).unwrap();
    bench.port.start_tx(fcs::append(&frame(60, 1)), 64);
    bench.settle();
    assert_eq!(received.take(), [fcs::append(&frame(60, 1))]);
    assert_eq!((chip.stats().tx_looped, bench.peer.pending()), (1, 0));
    assert_eq!(chip.violations(), []);
    assert!(chip.stats().balanced());
}
