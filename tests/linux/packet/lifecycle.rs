//! Changes of the interface (down, no carrier, deleted, moved to another namespace) and of the
//! device (stop, start).

use std::time::Duration;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, Link, MacAddress, Multicast, RxFilter};
use ethdev_linux::{InterfaceError, PacketConfig, PacketSocket};

use super::pair::*;
use crate::testbed::*;

/// Returns the link state after one `service`, and whether that call reported a change.
fn serviced(device: &mut PacketSocket) -> (bool, bool) {
    let events = device.service().expect("near failed");
    (device.link().is_up(), events.link_changed)
}

fn legal_frame(device: &PacketSocket) -> Vec<u8> {
    frame(MacAddress::BROADCAST, device.mac_address(), 60, 1)
}

#[test]
fn service_interface_up_or_down_reports_link() {
    in_namespace(|| {
        let mut device = near();
        device.service().expect("near failed");
        let before = device.stats();
        let sent = legal_frame(&device);

        ip("link set near down");
        assert_eq!(serviced(&mut device), (false, true));
        assert_eq!(serviced(&mut device), (false, false));
        assert_eq!(device.recv_frame(&mut [0; 1518]).expect("near failed"), None);
        let error = device.send_frame(&sent).expect_err("link down");
        assert_eq!(error.kind(), ErrorKind::LinkDown, "{error}");
        assert!(!device.tx_ready().expect("near failed"));

        ip("link set near up");
        wait_for_link(&mut device, true);
        assert_eq!(serviced(&mut device), (true, true));
        assert!(device.tx_ready().expect("near failed"));
        device.send_frame(&sent).expect("not sent");

        // Without carrier the interface is administratively up, and the link is down.
        ip("link set far down");
        wait_for_link(&mut device, false);
        let error = device.send_frame(&sent).expect_err("no carrier");
        assert_eq!(error.kind(), ErrorKind::LinkDown);
        ip("link set far up");
        wait_for_link(&mut device, true);

        let stats = device.stats().delta_since(&before);
        assert_eq!(
            (stats.link_changes, stats.tx_frames, stats.faults),
            (4, 1, 0),
            "{stats:?}"
        );
    });
}

#[test]
fn send_interface_down_before_service_is_link_down() {
    in_namespace(|| {
        let mut device = near();
        device.service().expect("near failed");
        let sent = legal_frame(&device);
        ip("link set near down");
        let error = device.send_frame(&sent).expect_err("link down");
        assert!(matches!(&error, InterfaceError::LinkDown { .. }), "{error:?}");
        assert_eq!(device.link(), Link::Down);
        // A waiter learns the change at once, although its announcement has been read.
        let ready = device.wait(Interest::LINK, Some(TIMEOUT)).expect("near failed");
        assert!(ready.link);
        assert_eq!(serviced(&mut device), (false, true));
        ip("link set near up");
        wait_for_link(&mut device, true);
        device.send_frame(&sent).expect("not sent");
    });
}

#[test]
fn send_interface_was_down_and_is_up_sends() {
    in_namespace(|| {
        let mut device = near();
        let mut peer = open("far");
        device.service().expect("near failed");
        ip("link set near down");
        ip("link set near up");
        wait_for_link(&mut peer, true);
        // The socket still has the error of the interface that was down.
        device.send_frame(&legal_frame(&device)).expect("not sent");
        assert_eq!(expect_frame(&mut peer, &mut [0; 1518]), 60);

        ip("link set near down");
        wait_for_link(&mut peer, false);
        ip("link set near up");
        wait_for_link(&mut peer, true);
        peer.send_frame(&legal_frame(&peer)).expect("not sent");
        let received = device.recv_frame(&mut [0; 1518]).expect("near failed");
        assert_eq!(received.map(|meta| meta.len), Some(60), "the error hides no frame");
    });
}

#[test]
fn interface_deleted_every_call_is_not_present() {
    in_namespace(|| {
        let mut device = near();
        let faults = device.stats().faults;
        let sent = legal_frame(&device);
        let deleter = after_delay(|| drop(ip("link del near")));
        // A wait for frames ends.
        while device.wait(Interest::RX, Some(TIMEOUT)).is_ok() {
            while device.recv_frame(&mut [0; 1518]).is_ok_and(|frame| frame.is_some()) {}
        }
        deleter.join().expect("not deleted");
        let error = device.service().expect_err("interface deleted");
        assert!(matches!(&error, InterfaceError::InterfaceRemoved { name, .. } if name == "near"));
        assert!(error.to_string().contains("near"), "{error}");
        let kinds = [
            device.recv_frame(&mut [0; 1518]).expect_err("interface deleted").kind(),
            device.discard_frame().expect_err("interface deleted").kind(),
            device.send_frame(&sent).expect_err("interface deleted").kind(),
            device.tx_ready().expect_err("interface deleted").kind(),
            device.wait(Interest::RX, None).expect_err("interface deleted").kind(),
        ];
        assert_eq!(kinds, [ErrorKind::NotPresent; 5]);
        assert_eq!((device.link(), device.stats().faults - faults), (Link::Down, 1));
        let error = device.recover().expect_err("interface deleted");
        assert!(matches!(error, InterfaceError::NoSuchInterface { .. }), "{error:?}");
    });
}

#[test]
fn interface_deleted_first_system_call_is_not_present() {
    in_namespace(|| {
        for call in [
            (|device| device.service().map(drop)) as fn(&mut PacketSocket) -> Result<(), InterfaceError>,
            |device| device.wait(Interest::LINK, None).map(drop),
            |device| device.send_frame(&legal_frame(device)),
        ] {
            let mut device = near();
            // Frames that were pending are lost with the interface.
            while device.discard_frame().expect("near failed") {}
            ip("link del near");
            let error = call(&mut device).expect_err("interface deleted");
            assert!(matches!(error, InterfaceError::InterfaceRemoved { .. }), "{error:?}");
        }
    });
}

#[test]
fn recover_interface_created_again_restores_settings() {
    in_namespace(|| {
        let own = MacAddress::new([2, 0, 0, 0, 0, 0x42]);
        let group = MacAddress::new([0x33, 0x33, 0, 0, 0, 0x77]);
        let groups = [group];
        let mut first = near();
        first.stop().expect("not stopped");
        drop(first);
        let config = PacketConfig::new("near").with_mac_address(own);
        let mut device = PacketSocket::with_config(config).expect("not opened");
        let filter = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups));
        device.set_rx_filter(filter).expect("refused");
        ip("link del near");
        device.service().expect_err("interface deleted");
        // Stored, and applied by `recover`.
        device.set_rx_filter(RxFilter::DEFAULT).expect("refused");
        device.set_rx_filter(filter).expect("refused");
        let mut again = near();
        drop(again.service());
        device.recover().expect("not recovered");
        wait_for_link(&mut device, true);
        assert_eq!((device.mac_address(), device.stats().recoveries), (own, 1));
        assert!(ip("maddr show dev near").contains(&group.to_string()));
        let mut peer = open("far");
        for (to, len) in [(group, 60), (own, 61)] {
            peer.send_frame(&frame(to, peer.mac_address(), len, 1))
                .expect("not sent");
            assert_eq!(expect_frame(&mut device, &mut [0; 1518]), len);
        }
    });
}

#[test]
fn interface_moved_to_another_namespace_is_removed() {
    in_namespace(|| {
        let mut device = near();
        let (tid_tx, tid_rx) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("no namespace");
            tid_tx.send(nix::unistd::gettid()).expect("receiver dropped");
            let _ = ended.recv();
        });
        let tid = tid_rx.recv().expect("sender dropped");
        ip(&format!("link set near netns {tid}"));
        let error = device.service().expect_err("interface moved");
        assert!(matches!(error, InterfaceError::InterfaceRemoved { .. }), "{error:?}");
        drop(end);
        other.join().expect("the other namespace failed");
    });
}

#[test]
fn stop_and_start_frames_are_counted() {
    in_namespace(|| {
        let mut device = near();
        let mut peer = open("far");
        let to = device.mac_address();
        let mut send = |count| {
            for _ in 0..count {
                let sent = frame(to, peer.mac_address(), 60, 1);
                peer.send_frame(&sent).expect("not sent");
            }
        };
        send(3);
        device.recv_frame(&mut []).expect_err("buffer too small");
        device.stop().expect("not stopped");
        device.stop().expect("not stopped");
        assert_eq!((device.stats().rx_reset, device.link()), (3, Link::Down));
        send(2000);
        assert_eq!(device.recv_frame(&mut [0; 1518]).expect("near failed"), None);
        let sent = legal_frame(&device);
        let error = device.send_frame(&sent).expect_err("stopped");
        assert_eq!(error.kind(), ErrorKind::Stopped);
        let nothing = device
            .wait(Interest::ALL, Some(Duration::from_millis(20)))
            .expect("near failed");
        assert_eq!((nothing.rx, nothing.tx), (false, false));
        device.start().expect("not started");
        // What arrived while it was stopped is neither delivered nor counted.
        assert_eq!(device.recv_frame(&mut [0; 1518]).expect("near failed"), None);
        assert_eq!((device.stats().rx_reset, device.stats().rx_overrun), (3, 0));
        send(1);
        assert_eq!(expect_frame(&mut device, &mut [0; 1518]), 60);
        assert_eq!((device.stats().rx_frames, device.link().is_up()), (1, true));
    });
}
