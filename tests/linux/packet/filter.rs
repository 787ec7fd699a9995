//! The receive filter, in the device and in the interface.

use ethdev::{Control, EthernetDevice, FilterOutcome, MacAddress, Multicast, RxFilter};
use ethdev_linux::{PacketConfig, PacketSocket};

use super::pair::*;
use crate::testbed::*;

const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x42]);
const GROUP: MacAddress = MacAddress::new([0x33, 0x33, 0, 0, 0, 0x77]);

#[test]
fn set_rx_filter_rejected_frames_are_counted() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        let own = b.mac_address();
        let other = MacAddress::new([2, 0, 0, 0, 0, 0x77]);
        let destinations = [own, MacAddress::BROADCAST, other, GROUP];
        for (filter, passed) in [
            (RxFilter::DEFAULT, 2),
            (RxFilter::DEFAULT.with_broadcast(false), 1),
            (RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP])), 3),
            (RxFilter::DEFAULT.with_multicast(Multicast::All), 3),
            (RxFilter::PROMISCUOUS, 4),
        ] {
            assert_eq!(b.set_rx_filter(filter).ok(), Some(FilterOutcome::Exact));
            let before = b.stats();
            for destination in destinations {
                a.send_frame(&frame(destination, a.mac_address(), 60, 1))
                    .expect("not sent");
            }
            // The last frame marks the end: frames arrive in order.
            a.send_frame(&frame(own, a.mac_address(), 61, 1)).expect("not sent");
            let mut buf = [0; 1518];
            let mut delivered = 0;
            while expect_frame(&mut b, &mut buf) != 61 {
                delivered += 1;
            }
            assert_eq!(delivered, passed, "{filter:?}");
            assert_eq!(b.stats().delta_since(&before).rx_filtered, 4 - passed, "{filter:?}");
        }
    });
}

/// Returns whether the interface is promiscuous, whether it passes all groups, and whether it
/// passes the group.
fn interface_passes(name: &str) -> (bool, bool, bool) {
    let link = ip(&format!("-d link show dev {name}"));
    let counter = |word| {
        let mut words = link.split_whitespace().skip_while(|found| *found != word);
        words.nth(1).expect("not reported") != "0"
    };
    let groups = ip(&format!("maddr show dev {name}"));
    (
        counter("promiscuity"),
        counter("allmulti"),
        groups.contains(&GROUP.to_string()),
    )
}

#[test]
fn set_rx_filter_changes_interface_until_drop() {
    in_namespace(|| {
        let mut device = near();
        let before = interface_passes("near");
        assert_eq!(before, (false, false, false), "promiscuous only on request");
        let list = [GROUP, GROUP, MacAddress::BROADCAST, OWN];
        for (filter, expected) in [
            (
                RxFilter::DEFAULT.with_multicast(Multicast::List(&list)),
                (false, false, true),
            ),
            (RxFilter::DEFAULT.with_multicast(Multicast::All), (false, true, false)),
            (RxFilter::PROMISCUOUS, (true, true, false)),
            (
                RxFilter::DEFAULT.with_multicast(Multicast::List(&list)),
                (false, false, true),
            ),
            (RxFilter::DEFAULT, before),
            (RxFilter::PROMISCUOUS, (true, true, false)),
        ] {
            for _ in 0..2 {
                device.set_rx_filter(filter).expect("refused");
                assert_eq!(interface_passes("near"), expected, "{filter:?}");
            }
        }
        drop(device);
        assert_eq!(interface_passes("near"), before);
    });
}

/// Addresses that the interface passes in addition to its own.
fn has_address(name: &str, address: MacAddress) -> bool {
    let text = std::process::Command::new("bridge")
        .args(["fdb", "show", "dev", name])
        .output()
        .expect("bridge (iproute2) cannot be run");
    String::from_utf8_lossy(&text.stdout).contains(&address.to_string())
}

#[test]
fn with_config_own_address_is_added_to_interface() {
    in_namespace(|| {
        let mut a = near();
        let config = PacketConfig::new("far").with_mac_address(OWN);
        let mut b = PacketSocket::with_config(config).expect("not opened");
        wait_for_link(&mut b, true);
        assert_eq!(b.mac_address(), OWN);
        assert!(has_address("far", OWN));
        let from = a.mac_address();
        a.send_frame(&frame(OWN, from, 60, 1)).expect("not sent");
        assert_eq!(expect_frame(&mut b, &mut [0; 1518]), 60);

        let other = MacAddress::new([2, 0, 0, 0, 0, 0x43]);
        b.set_mac_address(other).expect("refused");
        assert!(has_address("far", other) && !has_address("far", OWN));
        a.send_frame(&frame(OWN, from, 60, 1)).expect("not sent");
        a.send_frame(&frame(other, from, 61, 1)).expect("not sent");
        assert_eq!(expect_frame(&mut b, &mut [0; 1518]), 61);
        assert_eq!(b.stats().rx_filtered, 1);
        for bad in [GROUP, MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
            b.set_mac_address(bad).expect_err("not a unicast address");
        }
        assert_eq!(b.mac_address(), other);
        drop(b);
        assert!(!has_address("far", other));
    });
}
