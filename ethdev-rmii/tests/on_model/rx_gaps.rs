//! Known problems of software MACs: see the README.

use std::time::Duration;

use ethdev::{Control, EthernetDevice, Link, MacAddress};
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_phy::{EthernetPort, Mac};
use ethdev_rmii::SoftMac;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};
use rmii_port_model::{FalseCarrier, MidFrame, RmiiPortConfig};

use crate::ports::{Hardware, buffers, polled, queued};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x87]);

fn frame(len: usize, number: u8) -> Vec<u8> {
    let mut frame = vec![number; len];
    frame[..6].copy_from_slice(&ADDRESS.octets());
    frame
}

macro_rules! testbed {
    ($config:expr, $depth:expr => $clock:ident, $hardware:ident, $peer:ident, $nic:ident) => {
        let $clock = Clock::new();
        let (_wire, near, far) = Wire::new(&$clock, WireConfig::default());
        let ($hardware, $peer) = (Hardware::new(near, $config), Peer::new(far));
        let (rx, tx, _shared) = if $depth == 0 {
            polled(&$hardware, || ())
        } else {
            queued(&$hardware, $depth, || ())
        };
        let mdio = Lan8720Chip::with_partner(
            &$clock,
            Wire::new(&$clock, WireConfig::default()).1,
            PhyStraps::default(),
            Partner::default(),
        )
        .mdio();
        let time = $clock.clone();
        let mut $nic = SoftMac::<_, _, _, _, 4, 2>::new(
            (rx, tx),
            mdio,
            move || time.now(),
            ADDRESS,
            buffers(1536),
            buffers(1536),
        )
        .unwrap();
        $nic.start().unwrap();
        $nic.set_link(Link::UP).unwrap();
    };
}

fn recv(nic: &mut impl EthernetDevice) -> Option<Vec<u8>> {
    let mut buf = [0; 1518];
    nic.recv_frame(&mut buf).unwrap().map(|meta| buf[..meta.len].to_vec())
}

/// A runt, or a carrier without a frame, must not leave the receiver off.
#[test]
fn service_any_garbage_receiver_stays_on() {
    for depth in [0, 3] {
        testbed!(RmiiPortConfig::default().with_false_carrier(FalseCarrier::Ends), depth => clock, hardware, peer, nic);
        for len in (0..64).chain([65, 100, 1519, 1523, 3000]) {
            peer.send_raw(&vec![0x5a; len.max(1)]);
            clock.advance(Duration::from_millis(1));
            nic.service().unwrap();
            peer.send(&frame(60, len as u8));
            clock.advance(Duration::from_millis(1));
            assert_eq!(recv(&mut nic), Some(frame(60, len as u8)), "after {len} bytes");
        }
        let stats = nic.stats();
        assert_eq!(stats.rx_frames, 69);
        assert_eq!(stats.rx_bad_length + stats.rx_bad_fcs, 69);
        assert_eq!(hardware.violations(), []);
    }
}

/// Back-to-back frames in both directions, on a port whose interrupt handler continues by itself.
#[test]
fn recv_and_send_back_to_back_no_loss() {
    for len in [60, 1514] {
        testbed!(RmiiPortConfig::default().with_stray_byte(0.5).with_end_latency(Duration::from_nanos(400)), 3 => clock, hardware, peer, nic);
        let (mut sent, mut got, mut answered) = (0_u32, 0_u32, 0_u32);
        let gap = Duration::from_nanos(80) * (len as u32 + 4 + 8 + 12);
        while sent < 2_000 {
            // Queues two frames ahead, so that there is no gap.
            while peer.idle_at() < clock.now() + gap && sent < 2_000 {
                peer.send(&frame(len, sent as u8));
                sent += 1;
            }
            clock.advance(gap / 2);
            while let Some(received) = recv(&mut nic) {
                assert_eq!(received, frame(len, got as u8));
                got += 1;
                if nic.tx_ready().unwrap() {
                    nic.send_frame(&received).unwrap();
                    answered += 1;
                }
            }
        }
        clock.advance(Duration::from_millis(1));
        while recv(&mut nic).is_some() {
            got += 1;
        }
        nic.service().unwrap();
        assert_eq!((got, nic.stats().rx_lost()), (2_000, 0), "{len} bytes");
        assert!(answered > 1_900, "{answered} of 2000 answered");
        let mut echoed = 0;
        while peer.recv().is_some() {
            echoed += 1;
        }
        assert_eq!((echoed, peer.bad_frames()), (answered, 0));
        assert_eq!(hardware.violations(), []);
    }
}

#[test]
fn recv_frame_polled_port_overruns_counted() {
    testbed!(RmiiPortConfig::default(), 0 => clock, hardware, peer, nic);
    for number in 0..10 {
        peer.send(&frame(60, number));
    }
    clock.advance(Duration::from_millis(1));
    assert_eq!(recv(&mut nic), Some(frame(60, 0)));
    assert_eq!(recv(&mut nic), None);
    assert_eq!((nic.stats().rx_frames, nic.stats().rx_overrun), (1, 9));
    assert!(hardware.stats().balanced());
}

/// A receiver that is started in the middle of a frame may detect a start delimiter in it.
#[test]
fn start_within_frame_partial_frame_rejected() {
    testbed!(RmiiPortConfig::default().with_mid_frame(MidFrame::ReceivesPartial), 0 => clock, hardware, peer, nic);
    for number in 0..200 {
        peer.send(&frame(1514, number));
        clock.advance(Duration::from_micros(70));
        if number % 3 == 0 {
            nic.stop().unwrap();
            nic.start().unwrap();
        }
        while let Some(received) = recv(&mut nic) {
            assert!(received[6..].iter().all(|byte| *byte == received[6]) && received.len() == 1514);
        }
        clock.advance(Duration::from_micros(60));
    }
    assert!(hardware.stats().partial > 10, "{:?}", hardware.stats());
    assert!(nic.stats().rx_bad_fcs + nic.stats().rx_bad_length > 10);
}

#[test]
fn send_frame_continuous_no_frame_truncated() {
    for depth in [0, 3] {
        testbed!(RmiiPortConfig::default(), depth => clock, hardware, peer, nic);
        let mut sent = 0;
        for step in 0..40_000_u32 {
            if nic.tx_ready().unwrap() {
                nic.send_frame(&frame(60 + (sent as usize * 37) % 1455, sent as u8))
                    .unwrap();
                sent += 1;
            }
            clock.advance(Duration::from_nanos(u64::from(step % 700)));
        }
        clock.advance(Duration::from_millis(1));
        nic.service().unwrap();
        let model = hardware.stats();
        assert_eq!((model.tx_truncated, hardware.violations()), (0, vec![]));
        assert_eq!((model.tx_sent, nic.stats().tx_frames), (u64::from(sent), sent));
        assert_eq!(peer.bad_frames(), 0);
        for number in 0..sent {
            assert_eq!(
                peer.recv(),
                Some(frame(60 + (number as usize * 37) % 1455, number as u8))
            );
        }
    }
}

#[test]
fn service_hung_transmitter_resets_port() {
    for depth in [0, 3] {
        testbed!(RmiiPortConfig::default(), depth => clock, hardware, peer, nic);
        hardware.hang_next_tx();
        nic.send_frame(&frame(60, 0)).unwrap();
        clock.advance(Duration::from_millis(101));
        let events = nic.service().unwrap();
        assert!(events.recovered && events.tx_ready);
        nic.send_frame(&frame(60, 1)).unwrap();
        clock.advance(Duration::from_millis(1));
        nic.service().unwrap();
        assert_eq!((nic.stats().tx_aborted, nic.stats().tx_frames), (1, 1));
        assert_eq!(peer.recv(), Some(frame(60, 1)));
        assert_eq!(hardware.violations(), []);
    }
}

/// A carrier without a frame hangs some receivers. The driver cannot detect that; an application
/// may restart it at any time.
#[test]
fn recover_hung_receiver_restarts_it() {
    let clock = Clock::new();
    let (_wire, port, far) = Wire::new(&clock, WireConfig::default());
    let phy = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), Partner::default());
    let hardware = Hardware::new(
        phy.rmii(),
        RmiiPortConfig::default().with_false_carrier(FalseCarrier::Hangs),
    );
    let peer = Peer::new(far);
    let (rx, tx, _shared) = queued(&hardware, 3, || ());
    let (time, again) = (clock.clone(), clock.clone());
    let mac = SoftMac::<_, _, _, _, 4, 2>::new(
        (rx, tx),
        phy.mdio(),
        move || time.now(),
        ADDRESS,
        buffers(1536),
        buffers(1536),
    );
    let driver = Lan8720Phy::new(address(), PhyConfig::new());
    let mut nic = EthernetPort::new(mac.unwrap(), driver, move || again.now()).unwrap();
    let mut linked = false;
    for _ in 0..500 {
        linked |= nic.service().unwrap().link_changed;
        clock.advance(Duration::from_millis(10));
    }
    assert!(linked && nic.link().is_up());
    phy.false_carrier(Duration::from_micros(10));
    peer.send(&frame(60, 0));
    clock.advance(Duration::from_millis(1));
    assert_eq!(recv(&mut nic), None);
    nic.recover().unwrap();
    peer.send(&frame(60, 1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(recv(&mut nic), Some(frame(60, 1)));
    assert_eq!((hardware.violations(), phy.violations()), (vec![], vec![]));
}

fn address() -> ethdev_phy::mdio::PhyAddress {
    ethdev_phy::mdio::PhyAddress::from_low_bits(1)
}

/// With every link partner: 100 Mbit/s full duplex or no link, and no frame in another mode.
#[test]
fn service_any_partner_link_only_at_100_full() {
    for partner in Partner::all() {
        let clock = Clock::new();
        let (_wire, port, far) = Wire::new(&clock, WireConfig::default());
        let phy = Lan8720Chip::with_partner(&clock, port, PhyStraps::default().with_address(1), partner);
        let hardware = Hardware::new(phy.rmii(), RmiiPortConfig::default());
        let peer = Peer::new(far);
        let (rx, tx, _shared) = polled(&hardware, || ());
        let (time, again) = (clock.clone(), clock.clone());
        let mac = SoftMac::<_, _, _, _, 2, 1>::new(
            (rx, tx),
            phy.mdio(),
            move || time.now(),
            ADDRESS,
            buffers(1536),
            buffers(1536),
        );
        let mut nic = EthernetPort::new(mac.unwrap(), Lan8720Phy::new(address(), PhyConfig::new()), move || {
            again.now()
        })
        .unwrap();
        for _ in 0..60 {
            let _ = nic.service();
            clock.advance(Duration::from_millis(100));
        }
        let full = matches!(partner.setting, lan8720_model::Setting::Negotiating(modes)
            if modes.contains(ethdev_phy::phy::LinkModes::TX100_FULL));
        assert_eq!(nic.link().is_up(), full, "{partner:?}");
        assert_eq!(nic.send_frame(&frame(60, 0)).is_ok(), full, "{partner:?}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(peer.recv().is_some(), full, "{partner:?}");
        assert_eq!(
            (hardware.violations(), phy.violations()),
            (vec![], vec![]),
            "{partner:?}"
        );
    }
}
