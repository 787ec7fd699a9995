//! Frames between a MAC and the cable.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::Rc;

use ethdev::{Duplex, Link, Speed};
use ethdev_phy::phy::LinkModes;
use ethdev_sim::{MediaSide, Side, fcs};
use lan8720_model::{Partner, Quirks, ViolationKind as Kind};

use crate::host::*;

/// What comes out of the RMII.
fn listen(host: &Host) -> Rc<RefCell<Vec<Vec<u8>>>> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    host.phy.rmii().on_receive({
        let heard = heard.clone();
        Box::new(move |frame| heard.borrow_mut().push(frame.to_vec()))
    });
    heard
}

fn frame(n: u8) -> Vec<u8> {
    vec![n; 60]
}

fn at(abilities: LinkModes) -> Host {
    Host::linked(lan8720a().with_partner(Partner::negotiating(abilities)))
}

#[test]
fn frames_linked_take_link_time() {
    for (abilities, byte) in [(LinkModes::TX100_FULL, 80), (LinkModes::T10_FULL, 800)] {
        let host = at(abilities);
        let (rmii, heard) = (host.phy.rmii(), listen(&host));
        let start = host.clock.now();
        let out = rmii.transmit(fcs::append(&frame(1)));
        assert_eq!(out - start, Duration::from_nanos(72 * byte));
        assert_eq!(rmii.idle_at() - start, Duration::from_nanos(84 * byte));
        assert_eq!(host.peer.send(&frame(2)), out);
        assert_eq!(rmii.incoming_since(), Some(start));
        host.clock.advance_to(out);
        assert_eq!(host.peer.recv_timed(), Some((out, frame(1))));
        assert_eq!(heard.take(), [fcs::append(&frame(2))]);
        host.assert_clean();
    }
}

#[test]
fn rmii_link_change_calls_watcher() {
    let mut host = Host::new(lan8720a());
    let links = Rc::new(RefCell::new(Vec::new()));
    host.phy.rmii().on_link_change({
        let links = links.clone();
        Box::new(move |link: Link| links.borrow_mut().push(link.is_up()))
    });
    host.pass(ms(2000));
    assert_eq!(host.phy.rmii().link(), host.wire.link());
    host.wire.set_link(false);
    assert_eq!(host.phy.rmii().link(), Link::Down);
    assert_eq!(links.take(), [true, false]);
}

#[test]
fn frames_mac_speed_mismatch_are_lost() {
    for (abilities, mac) in [
        (LinkModes::T10_FULL, Speed::MBPS_100),
        (LinkModes::TX100_FULL, Speed::MBPS_10),
    ] {
        let mut host = at(abilities);
        let (rmii, heard) = (host.phy.rmii(), listen(&host));
        rmii.set_mac_mode(mac, Duplex::Full);
        for n in 0..3 {
            rmii.transmit(fcs::append(&frame(n)));
            host.peer.send(&frame(n));
        }
        host.pass(ms(10));
        assert!(heard.borrow().is_empty() && host.peer.pending() == 0);
        assert_eq!(
            (host.phy.stats().tx_wrong_speed, host.phy.stats().rx_wrong_speed),
            (3, 3)
        );
        assert_eq!(host.kinds(), [Kind::WrongSpeed; 3]);
        // Set to the right speed, it works.
        rmii.set_mac_mode(host.wire.link().mode().unwrap().speed.unwrap(), Duplex::Full);
        rmii.transmit(fcs::append(&frame(9)));
        host.peer.send(&frame(9));
        host.pass(ms(10));
        assert_eq!((heard.take().len(), host.peer.pending()), (1, 1));
        assert!(host.phy.stats().balanced());
    }
}

#[test]
fn frames_mac_duplex_mismatch_collide() {
    // The MAC is set to half duplex, the link is full: it waits, and the partner does not.
    let mut host = at(LinkModes::TX100_FULL);
    let (rmii, heard) = (host.phy.rmii(), listen(&host));
    rmii.set_mac_mode(Speed::MBPS_100, Duplex::Half);
    rmii.transmit(fcs::append(&frame(1)));
    host.pass(Duration::from_micros(3));
    host.peer.send(&frame(2));
    host.pass(ms(1));
    assert!(heard.borrow().is_empty() && host.peer.pending() == 0);
    assert_eq!(
        (host.wire.stats(Side::A).collided, host.wire.stats(Side::B).collided),
        (1, 1)
    );
    assert_eq!(host.kinds(), [Kind::WrongDuplex]);
    // The other way round it is polite.
    let begins = host.clock.now();
    host.peer.send(&frame(3));
    host.pass(Duration::from_micros(3));
    let out = rmii.transmit(fcs::append(&frame(4)));
    assert_eq!(out - begins, Duration::from_nanos((84 + 72) * 80));
    host.pass(ms(1));
    assert_eq!((heard.take().len(), host.peer.pending()), (1, 1));
}

#[test]
fn frames_forced_full_duplex_with_negotiating_partner_collide() {
    let mut host = Host::new(lan8720a());
    host.set(BMCR, 0x2100);
    host.pass(ms(100));
    assert_eq!(host.wire.link().mode().unwrap().duplex, Some(Duplex::Full));
    let (rmii, heard) = (host.phy.rmii(), listen(&host));
    // The partner took this end for one in half duplex, and is in it.
    host.peer.send(&frame(1));
    host.pass(Duration::from_micros(3));
    rmii.transmit(fcs::append(&frame(2)));
    host.pass(ms(1));
    assert!(heard.borrow().is_empty() && host.peer.pending() == 0);
    assert_eq!(
        (host.wire.stats(Side::A).collided, host.wire.stats(Side::B).collided),
        (1, 1)
    );
    host.assert_clean();
}

#[test]
fn rmii_mac_duplex_only_follows_phy_speed() {
    for abilities in [LinkModes::T10_FULL, LinkModes::TX100_FULL] {
        let mut host = at(abilities);
        let (rmii, heard) = (host.phy.rmii(), listen(&host));
        rmii.set_mac_duplex(Duplex::Full);
        rmii.transmit(fcs::append(&frame(1)));
        host.peer.send(&frame(2));
        host.pass(ms(1));
        assert_eq!((heard.take().len(), host.peer.pending()), (1, 1));
        host.assert_clean();
        rmii.set_mac_duplex(Duplex::Half);
        rmii.transmit(fcs::append(&frame(1)));
        assert_eq!(host.kinds(), [Kind::WrongDuplex]);
    }
}

#[test]
fn frames_half_duplex_wait_for_each_other() {
    let mut host = at(LinkModes::TX100_HALF);
    let (rmii, heard) = (host.phy.rmii(), listen(&host));
    let start = host.clock.now();
    for n in 0..3 {
        rmii.transmit(fcs::append(&frame(n)));
        host.peer.send(&frame(n));
    }
    assert_eq!(host.peer.idle_at() - start, Duration::from_nanos(6 * 84 * 80));
    host.pass(ms(1));
    assert_eq!((heard.take().len(), host.peer.pending()), (3, 3));
    host.assert_clean();
}

#[test]
fn frames_without_link_are_dropped() {
    let mut host = Host::new(lan8720a());
    let (rmii, heard) = (host.phy.rmii(), listen(&host));
    let out = rmii.transmit(fcs::append(&frame(1)));
    assert_eq!(out - host.clock.now(), Duration::from_nanos(72 * 80));
    let next = rmii.transmit(fcs::append(&frame(1)));
    assert_eq!(next - out, Duration::from_nanos(84 * 80));
    assert_eq!(rmii.incoming_since(), None);
    host.peer.send(&frame(2));
    host.pass(ms(1));
    assert!(heard.borrow().is_empty() && host.peer.pending() == 0);
    assert_eq!(host.phy.stats().tx_no_link, 2);
    assert_eq!(host.wire.stats(Side::B).cut, 1);
    host.assert_clean();
}

#[test]
fn frames_isolated_or_looped_back_are_counted() {
    let mut host = at(LinkModes::TX100_FULL);
    let (rmii, heard) = (host.phy.rmii(), listen(&host));
    let exchange = |host: &mut Host| {
        rmii.transmit(fcs::append(&frame(1)));
        host.peer.send(&frame(2));
        host.pass(ms(1));
        let at_peer: Vec<_> = core::iter::from_fn(|| host.peer.recv()).map(|frame| frame[0]).collect();
        let at_mac: Vec<_> = heard.take().iter().map(|frame| frame[0]).collect();
        (at_mac, at_peer)
    };
    assert_eq!(exchange(&mut host), (vec![2], vec![1]));
    host.set(BMCR, 0x3400);
    assert!(host.is_up(), "isolated, the link stays");
    assert_eq!(exchange(&mut host), (vec![], vec![]));
    host.set(BMCR, 0x3000);
    host.set(MCSR, 0x0200);
    assert_eq!(exchange(&mut host), (vec![], vec![2]), "far loopback");
    assert_eq!(host.phy.stats().far_looped, 1);
    host.set(MCSR, 0);
    host.set(BMCR, 0x6100);
    host.pass(ms(100));
    assert_eq!(exchange(&mut host), (vec![1], vec![]), "near-end loopback");
    rmii.set_mac_mode(Speed::MBPS_10, Duplex::Full);
    assert_eq!(exchange(&mut host), (vec![], vec![]), "at another speed");
    host.assert_clean();
}

#[test]
fn secr_symbol_errors_count_and_wrap() {
    let mut host = Host::linked(lan8720a().with_quirks(Quirks::NONE.with_symbol_errors(1.0)));
    let heard = listen(&host);
    host.peer.send(&frame(1));
    host.pass(ms(1));
    assert_eq!(fcs::check(&heard.take()[0]), None);
    assert_eq!((host.get(SECR), host.get(SECR)), (1, 1), "not cleared by reading");
    host.phy.symbol_errors(0xffff);
    assert_eq!(host.get(SECR), 0);
    host.phy.set_quirks(Quirks::NONE);
    host.peer.send(&frame(1));
    host.pass(ms(1));
    assert_eq!(heard.take(), [fcs::append(&frame(1))]);
    // Only 100BASE-TX has symbols.
    let mut host = at(LinkModes::T10_FULL);
    host.phy.symbol_errors(5);
    assert_eq!(host.get(SECR), 0);
}

#[test]
fn frames_in_flight_link_loss_cuts_them() {
    let mut host = at(LinkModes::TX100_FULL);
    let heard = listen(&host);
    // It takes longer than the write.
    host.peer.send(&[1; 1500]);
    host.set(BMCR, 0x1200);
    host.pass(ms(3000));
    assert!(heard.borrow().is_empty());
    assert_eq!(host.wire.stats(Side::B).cut, 1);
    host.peer.send(&frame(2));
    host.pass(ms(1));
    assert_eq!(heard.take().len(), 1);
    host.assert_clean();
}
