//! What the MAC does with the link that it is told, and its bus to the PHY.

use ethdev::{Control, Duplex, ErrorKind, EthernetDevice, Interest, Link, LinkMode, Pause, Rearm, RearmOutcome, Speed};
use ethdev_lan9118::{Config, Error, Lan9118, Wait};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::{LinkModes, reg};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::MdioLine;
use lan9118_model::{ChipConfig, Lan9118Chip, Part};

use crate::rig::{Bus, FULL, Rig, frame, receive};

fn up(duplex: Duplex, pause: Pause) -> Link {
    Link::Up(LinkMode::new(Speed::MBPS_100, duplex).with_pause(pause))
}

/// A MAC register, read behind the driver's back, as late as it takes.
fn mac_register(rig: &Rig, index: u32) -> u32 {
    let bus = rig.chip.bus();
    rig.pass(1);
    bus.write(0xa4, 0xc000_0000 | index);
    rig.pass(1);
    bus.read(0xa8)
}

#[test]
fn duplex_and_pause_are_set() {
    let (rig, mut mac) = Rig::started();
    let modes = LinkModes::ALL_MODES
        .union(LinkModes::PAUSE)
        .union(LinkModes::PAUSE_ASYMMETRIC);
    assert_eq!(mac.modes(), modes);
    for (link, control, flow, asks) in [
        (up(Duplex::Full, Pause { rx: false, tx: false }), 0x0010_000c, 0, 0),
        (up(Duplex::Full, Pause { rx: true, tx: false }), 0x0010_000c, 2, 0),
        (
            up(Duplex::Full, Pause { rx: false, tx: true }),
            0x0010_000c,
            0xffff_0000,
            1,
        ),
        (
            up(Duplex::Full, Pause { rx: true, tx: true }),
            0x0010_000c,
            0xffff_0002,
            1,
        ),
        (up(Duplex::Half, Pause::default()), 0x0080_000c, 0, 0),
    ] {
        mac.set_link(link).unwrap();
        assert_eq!(mac.link(), link);
        assert_eq!(
            (mac_register(&rig, 1), mac_register(&rig, 8)),
            (control, flow),
            "{link:?}"
        );
        rig.pass(1);
        assert_eq!(rig.chip.bus().read(0xac), 0x006e_3700 | asks);
    }
    // All of that survives a recovery.
    mac.recover().unwrap();
    assert_eq!((mac_register(&rig, 1), mac.link().is_up()), (0x0080_000c, true));
    rig.assert_clean();
}

#[test]
fn pause_is_obeyed_and_sent() {
    let (rig, mut mac) = Rig::started();
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: true })).unwrap();
    let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0, 200];
    pause.resize(60, 0);
    rig.deliver(&pause);
    mac.send_frame(&frame(60)).unwrap();
    rig.pass(500);
    assert_eq!(rig.peer.recv(), None);
    rig.pass(600);
    assert!(rig.peer.recv().is_some());
    // Two thirds of 10560 bytes.
    for _ in 0..5 {
        rig.deliver(&frame(1514));
    }
    assert_eq!(
        rig.peer.recv().map(|frame| frame[12..18].to_vec()),
        Some(vec![0x88, 8, 0, 1, 0xff, 0xff])
    );
    while receive(&mut mac).is_some() {}
    rig.pass(50);
    assert_eq!(
        rig.peer.recv().map(|frame| frame[12..18].to_vec()),
        Some(vec![0x88, 8, 0, 1, 0, 0])
    );
    rig.assert_clean();
}

#[test]
fn changes_are_counted_and_told_once() {
    let (rig, mut mac) = Rig::started();
    let before = mac.stats().link_changes;
    mac.set_link(FULL).unwrap();
    assert_eq!(
        (mac.stats().link_changes, mac.service().unwrap().link_changed),
        (before, false)
    );
    mac.set_link(Link::Down).unwrap();
    mac.set_link(FULL).unwrap();
    assert_eq!(mac.stats().link_changes, before + 2);
    // Down and up again between two looks is a change, too.
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(mac.service().unwrap().link_changed);
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    assert!(!mac.service().unwrap().link_changed);
    rig.assert_clean();
}

#[test]
fn without_a_link_what_waits_is_dropped_and_what_came_is_kept() {
    let (rig, mut mac) = Rig::started();
    rig.deliver(&frame(100));
    for _ in 0..3 {
        mac.send_frame(&frame(1000)).unwrap();
    }
    rig.pass(10);
    mac.set_link(Link::Down).unwrap();
    // The frame that was on its way has gone out as a whole.
    rig.pass(500);
    assert_eq!((rig.peer.pending(), rig.peer.bad_frames()), (1, 0));
    let stats = mac.stats();
    assert_eq!((stats.tx_frames, stats.tx_reset), (1, 2));
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Refused(ErrorKind::LinkDown)));
    assert_eq!(receive(&mut mac), Some(frame(100)));
    // What the cable brings although nobody has seen the link yet is no less a frame.
    rig.deliver(&frame(200));
    assert_eq!(receive(&mut mac), Some(frame(200)));
    mac.set_link(FULL).unwrap();
    mac.send_frame(&frame(300)).unwrap();
    rig.pass(50);
    assert_eq!(rig.peer.pending(), 2);
    rig.assert_clean();
}

#[test]
fn a_transmitter_that_does_not_stop_is_reset() {
    let (rig, mut mac) = Rig::started();
    let mut pause = vec![
        0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0xff, 0xff,
    ];
    pause.resize(60, 0);
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: false })).unwrap();
    // Half duplex with a medium that is never free would be the same: frames wait.
    mac.send_frame(&frame(1514)).unwrap();
    rig.deliver(&pause);
    mac.send_frame(&frame(1514)).unwrap();
    mac.set_link(Link::Down).unwrap();
    let stats = mac.stats();
    assert_eq!((stats.tx_frames, stats.tx_reset), (1, 1));
    mac.set_link(FULL).unwrap();
    rig.deliver(&frame(80));
    assert_eq!(receive(&mut mac), Some(frame(80)));
    rig.assert_clean();
}

/// A driver whose chip has its own PHY on the wire.
fn with_phy() -> (Rig, crate::rig::Driver) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let rig = Rig {
        chip: Lan9118Chip::new(&clock, port, ChipConfig::new(Part::Lan9118)),
        clock,
        wire,
        peer: Peer::new(peer),
    };
    let mac = Lan9118::new(Bus(rig.chip.bus()), rig.chip.delay(), Config::new()).unwrap();
    (rig, mac)
}

const PHY: PhyAddress = PhyAddress::from_low_bits(1);

#[test]
fn the_bus_to_the_phy() {
    let (rig, mut mac) = with_phy();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID1), Ok(0x0007));
    assert_eq!(mac.mdio().read(PHY, reg::PHYID2), Ok(0xc0d1));
    assert_eq!(mac.mdio().read(PhyAddress::from_low_bits(9), reg::PHYID1), Ok(0xffff));
    mac.mdio().write(PHY, reg::ANAR, 0x0061).unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::ANAR), Ok(0x0061));
    // A chip that sleeps wakes for it, and sleeps on.
    mac.sleep().unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID2), Ok(0xc0d1));
    rig.pass(1);
    assert_eq!(rig.chip.bus().read(0x84) & 1, 0);
    mac.wake().unwrap();
    rig.assert_clean();
}

#[test]
fn mdio_that_never_ends_is_a_timeout() {
    let (rig, mut mac) = with_phy();
    rig.chip.phy().unwrap().set_mdio_line(MdioLine::Hung);
    for _ in 0..3 {
        let before = rig.clock.now();
        assert_eq!(mac.mdio().read(PHY, reg::BMSR), Err(Error::Timeout(Wait::PhyRegister)));
        assert_eq!(
            mac.mdio().write(PHY, reg::BMCR, 0),
            Err(Error::Timeout(Wait::PhyRegister))
        );
        assert!((rig.clock.now() - before).as_millis() < 20);
        // Frames do not mind.
        mac.service().unwrap();
    }
    // The MAC's reset ends it. The bus works again when the PHY does.
    rig.chip.phy().unwrap().set_mdio_line(MdioLine::Connected);
    mac.recover().unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID1), Ok(0x0007));
}

#[test]
fn the_phys_interrupt_comes_through() {
    let (rig, mut mac) = with_phy();
    assert_eq!(mac.phy_interrupt(), Ok(Some(false)));
    // Auto-negotiation complete.
    mac.mdio()
        .write(PHY, ethdev_phy::mdio::RegisterAddress::new(30).unwrap(), 0x40)
        .unwrap();
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    rig.clock.advance(std::time::Duration::from_secs(4));
    assert!(rig.chip.irq_is_active());
    assert_eq!(mac.phy_interrupt(), Ok(Some(true)));
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    // Of no interest, it is silent.
    assert_eq!(mac.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    assert!(!rig.chip.irq_is_active());
    mac.mdio()
        .read(PHY, ethdev_phy::mdio::RegisterAddress::new(29).unwrap())
        .unwrap();
    assert_eq!(mac.phy_interrupt(), Ok(Some(false)));
    assert!(rig.wire.link().is_up());
    rig.assert_clean();
}

#[test]
fn a_link_told_to_a_sleeper_is_set_when_it_wakes() {
    let (rig, mut mac) = Rig::started();
    mac.sleep().unwrap();
    let told = up(Duplex::Half, Pause::default());
    mac.set_link(told).unwrap();
    assert_eq!(mac.link(), Link::Down);
    mac.wake().unwrap();
    assert_eq!((mac.link(), mac_register(&rig, 1)), (told, 0x0080_000c));
    mac.sleep().unwrap();
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: true })).unwrap();
    mac.wake().unwrap();
    assert_eq!(
        (mac_register(&rig, 1), mac_register(&rig, 8)),
        (0x0010_000c, 0xffff_0002)
    );
    rig.assert_clean();
}

#[test]
fn what_it_was_before_is_what_it_is_after() {
    let (rig, mut mac) = Rig::started();
    // Stopped, it stays so: asleep, recovered, and told of the link.
    mac.stop().unwrap();
    mac.sleep().unwrap();
    mac.recover().unwrap();
    rig.pass(1);
    assert_eq!(rig.chip.bus().read(0x84) & 1, 0, "it sleeps on");
    mac.wake().unwrap();
    mac.set_link(Link::Down).unwrap();
    mac.set_link(FULL).unwrap();
    mac.recover().unwrap();
    assert_eq!(mac.link(), Link::Down);
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Refused(ErrorKind::Stopped)));
    mac.start().unwrap();
    assert_eq!(mac.link(), FULL);
    // Started while it sleeps, it wakes; stopped while it sleeps, it wakes stopped.
    mac.sleep().unwrap();
    mac.start().unwrap();
    assert_eq!(mac.link(), FULL);
    mac.sleep().unwrap();
    mac.stop().unwrap();
    mac.wake().unwrap();
    assert_eq!(mac.link(), Link::Down);
    rig.assert_clean();
}

#[test]
fn armed_before_a_reset_is_armed_after_it() {
    let (rig, mut mac) = Rig::started();
    assert_eq!(mac.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    mac.recover().unwrap();
    rig.deliver(&frame(60));
    assert!(rig.chip.irq_is_active());
    mac.disarm().unwrap();
    assert!(!rig.chip.irq_is_active());
    rig.assert_clean();
}
