//! Link changes, sleep, and MDIO.

use ethdev::{Control, Duplex, ErrorKind, EthernetDevice, Interest, Link, LinkMode, Pause, Rearm, RearmOutcome, Speed};
use ethdev_lan9118::{Config, Error, Lan9118, WaitFor};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::{LinkModes, reg};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::MdioLine;
use lan9118_model::{ChipConfig, Lan9118Chip, Part};

use crate::testbed::{Bus, FULL, Testbed, frame, receive, receive_all};

fn up(duplex: Duplex, pause: Pause) -> Link {
    Link::Up(LinkMode::new(Speed::MBPS_100, duplex).with_pause(pause))
}

/// Reads a MAC register directly, after the gaps that the chip requires.
fn mac_register(bed: &Testbed, index: u32) -> u32 {
    let bus = bed.chip.bus();
    bed.pass(1);
    bus.write(0xa4, 0xc000_0000 | index);
    bed.pass(1);
    bus.read(0xa8)
}

#[test]
fn set_link_modes_written_to_chip() {
    let (bed, mut mac) = Testbed::started();
    let modes = LinkModes::ALL_MODES
        .union(LinkModes::PAUSE)
        .union(LinkModes::PAUSE_ASYMMETRIC);
    assert_eq!(mac.modes(), modes);
    for (link, control, flow, sends) in [
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
            (mac_register(&bed, 1), mac_register(&bed, 8)),
            (control, flow),
            "{link:?}"
        );
        bed.pass(1);
        assert_eq!(bed.chip.bus().read(0xac), 0x006e_3700 | sends);
    }
    // The mode survives a recovery.
    mac.recover().unwrap();
    assert_eq!((mac_register(&bed, 1), mac.link().is_up()), (0x0080_000c, true));
    bed.assert_clean();
}

#[test]
fn pause_negotiated_obeyed_and_sent() {
    let (bed, mut mac) = Testbed::started();
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: true })).unwrap();
    let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0, 200];
    pause.resize(60, 0);
    bed.deliver(&pause);
    mac.send_frame(&frame(60)).unwrap();
    bed.pass(500);
    assert_eq!(bed.peer.recv(), None);
    bed.pass(600);
    assert!(bed.peer.recv().is_some());
    // Two thirds of 10560 bytes.
    for _ in 0..5 {
        bed.deliver(&frame(1514));
    }
    assert_eq!(
        bed.peer.recv().map(|frame| frame[12..18].to_vec()),
        Some(vec![0x88, 8, 0, 1, 0xff, 0xff])
    );
    receive_all(&mut mac);
    bed.pass(50);
    assert_eq!(
        bed.peer.recv().map(|frame| frame[12..18].to_vec()),
        Some(vec![0x88, 8, 0, 1, 0, 0])
    );
    bed.assert_clean();
}

#[test]
fn set_link_change_reported_once() {
    let (bed, mut mac) = Testbed::started();
    let before = mac.stats().link_changes;
    mac.set_link(FULL).unwrap();
    assert_eq!(
        (mac.stats().link_changes, mac.service().unwrap().link_changed),
        (before, false)
    );
    mac.set_link(Link::Down).unwrap();
    mac.set_link(FULL).unwrap();
    assert_eq!(mac.stats().link_changes, before + 2);
    // Down and up again between two calls of `service`: counted, but not a change of the reported link.
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    assert!(!mac.service().unwrap().link_changed);
    mac.set_link(Link::Down).unwrap();
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(mac.service().unwrap().link_changed);
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    assert!(!mac.service().unwrap().link_changed);
    bed.assert_clean();
}

#[test]
fn set_link_down_drops_tx_keeps_rx() {
    let (bed, mut mac) = Testbed::started();
    bed.deliver(&frame(100));
    for _ in 0..3 {
        mac.send_frame(&frame(1000)).unwrap();
    }
    bed.pass(10);
    mac.set_link(Link::Down).unwrap();
    // The frame in transfer was sent completely.
    bed.pass(500);
    assert_eq!((bed.peer.pending(), bed.peer.bad_frames()), (1, 0));
    let stats = mac.stats();
    assert_eq!((stats.tx_frames, stats.tx_reset), (1, 2));
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Kind(ErrorKind::LinkDown)));
    assert_eq!(receive(&mut mac), Some(frame(100)));
    // Frames that arrive before the link is set are received.
    bed.deliver(&frame(200));
    assert_eq!(receive(&mut mac), Some(frame(200)));
    mac.set_link(FULL).unwrap();
    mac.send_frame(&frame(300)).unwrap();
    bed.pass(50);
    assert_eq!(bed.peer.pending(), 2);
    bed.assert_clean();
}

#[test]
fn set_link_down_paused_transmitter_resets_chip() {
    let (bed, mut mac) = Testbed::started();
    let mut pause = vec![
        0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0xff, 0xff,
    ];
    pause.resize(60, 0);
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: false })).unwrap();
    // The frames wait, as they would in half duplex on a busy medium.
    mac.send_frame(&frame(1514)).unwrap();
    bed.deliver(&pause);
    mac.send_frame(&frame(1514)).unwrap();
    mac.set_link(Link::Down).unwrap();
    let stats = mac.stats();
    assert_eq!((stats.tx_frames, stats.tx_reset), (1, 1));
    mac.set_link(FULL).unwrap();
    bed.deliver(&frame(80));
    assert_eq!(receive(&mut mac), Some(frame(80)));
    bed.assert_clean();
}

/// A driver of a chip whose built-in PHY is connected to the wire.
fn with_phy() -> (Testbed, crate::testbed::Driver) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
    let bed = Testbed {
        chip: Lan9118Chip::new(&clock, port, ChipConfig::new(Part::Lan9118)),
        clock,
        wire,
        peer: Peer::new(peer),
    };
    let mac = Lan9118::new(Bus(bed.chip.bus()), bed.chip.delay(), Config::new()).unwrap();
    (bed, mac)
}

const PHY: PhyAddress = PhyAddress::from_low_bits(1);

#[test]
fn mdio_read_write_reach_phy() {
    let (bed, mut mac) = with_phy();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID1), Ok(0x0007));
    assert_eq!(mac.mdio().read(PHY, reg::PHYID2), Ok(0xc0d1));
    assert_eq!(mac.mdio().read(PhyAddress::from_low_bits(9), reg::PHYID1), Ok(0xffff));
    mac.mdio().write(PHY, reg::ANAR, 0x0061).unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::ANAR), Ok(0x0061));
    // A sleeping chip is woken for the access.
    mac.sleep().unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID2), Ok(0xc0d1));
    bed.pass(1);
    assert_eq!(bed.chip.bus().read(0x84) & 1, 0);
    mac.wake().unwrap();
    bed.assert_clean();
}

#[test]
fn mdio_hung_bus_timeout() {
    let (bed, mut mac) = with_phy();
    bed.chip.phy().unwrap().set_mdio_line(MdioLine::Hung);
    for _ in 0..3 {
        let before = bed.clock.now();
        assert_eq!(
            mac.mdio().read(PHY, reg::BMSR),
            Err(Error::Timeout(WaitFor::PhyRegister))
        );
        assert_eq!(
            mac.mdio().write(PHY, reg::BMCR, 0),
            Err(Error::Timeout(WaitFor::PhyRegister))
        );
        assert!((bed.clock.now() - before).as_millis() < 20);
        // Frames are not affected.
        mac.service().unwrap();
    }
    // A reset of the MAC ends the transfer.
    bed.chip.phy().unwrap().set_mdio_line(MdioLine::Connected);
    mac.recover().unwrap();
    assert_eq!(mac.mdio().read(PHY, reg::PHYID1), Ok(0x0007));
}

#[test]
fn rearm_link_includes_phy_interrupt() {
    let (bed, mut mac) = with_phy();
    assert_eq!(mac.phy_interrupt(), Ok(Some(false)));
    // Auto-negotiation complete.
    mac.mdio()
        .write(PHY, ethdev_phy::mdio::RegisterAddress::new(30).unwrap(), 0x40)
        .unwrap();
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    bed.clock.advance(std::time::Duration::from_secs(4));
    assert!(bed.chip.irq_is_active());
    assert_eq!(mac.phy_interrupt(), Ok(Some(true)));
    assert_eq!(mac.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    // Masked if the link is of no interest.
    assert_eq!(mac.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    assert!(!bed.chip.irq_is_active());
    mac.mdio()
        .read(PHY, ethdev_phy::mdio::RegisterAddress::new(29).unwrap())
        .unwrap();
    assert_eq!(mac.phy_interrupt(), Ok(Some(false)));
    assert!(bed.wire.link().is_up());
    bed.assert_clean();
}

/// Capacity to send comes with the link.
#[test]
fn rearm_tx_link_down_includes_phy_interrupt() {
    let (bed, mut mac) = with_phy();
    mac.mdio()
        .write(PHY, ethdev_phy::mdio::RegisterAddress::new(30).unwrap(), 0x40)
        .unwrap();
    assert_eq!(mac.rearm(Interest::TX), Ok(RearmOutcome::Armed));
    bed.clock.advance(std::time::Duration::from_secs(4));
    assert!(bed.chip.irq_is_active());
    assert_eq!(mac.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
    mac.set_link(FULL).unwrap();
    // The transmitter is ready now; afterwards the PHY is of no interest.
    assert_eq!(mac.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
    assert!(!bed.chip.irq_is_active());
}

#[test]
fn set_link_while_asleep_applied_by_wake() {
    let (bed, mut mac) = Testbed::started();
    mac.sleep().unwrap();
    let link = up(Duplex::Half, Pause::default());
    mac.set_link(link).unwrap();
    assert_eq!(mac.link(), Link::Down);
    mac.wake().unwrap();
    assert_eq!((mac.link(), mac_register(&bed, 1)), (link, 0x0080_000c));
    mac.sleep().unwrap();
    mac.set_link(up(Duplex::Full, Pause { rx: true, tx: true })).unwrap();
    mac.wake().unwrap();
    assert_eq!(
        (mac_register(&bed, 1), mac_register(&bed, 8)),
        (0x0010_000c, 0xffff_0002)
    );
    bed.assert_clean();
}

#[test]
fn wake_and_recover_restore_state() {
    let (bed, mut mac) = Testbed::started();
    // A stopped device stays stopped: after sleep, recovery and link changes.
    mac.stop().unwrap();
    mac.sleep().unwrap();
    mac.recover().unwrap();
    bed.pass(1);
    assert_eq!(bed.chip.bus().read(0x84) & 1, 0, "still asleep");
    mac.wake().unwrap();
    mac.set_link(Link::Down).unwrap();
    mac.set_link(FULL).unwrap();
    mac.recover().unwrap();
    assert_eq!(mac.link(), Link::Down);
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Kind(ErrorKind::Stopped)));
    mac.start().unwrap();
    assert_eq!(mac.link(), FULL);
    // `start` wakes a sleeping device; `stop` while asleep makes it wake stopped.
    mac.sleep().unwrap();
    mac.start().unwrap();
    assert_eq!(mac.link(), FULL);
    mac.sleep().unwrap();
    mac.stop().unwrap();
    mac.wake().unwrap();
    assert_eq!(mac.link(), Link::Down);
    bed.assert_clean();
}

#[test]
fn recover_armed_stays_armed() {
    let (bed, mut mac) = Testbed::started();
    assert_eq!(mac.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    mac.recover().unwrap();
    bed.deliver(&frame(60));
    assert!(bed.chip.irq_is_active());
    mac.disarm().unwrap();
    assert!(!bed.chip.irq_is_active());
    bed.assert_clean();
}
