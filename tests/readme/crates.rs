//! The examples of the READMEs of drivers and layers, on models of the chips.

use std::time::Duration;

use ethdev::MacAddress;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

#[path = "../../ethdev-cyw43/tests/support/mod.rs"]
mod cyw43_testbed;

/// The source address of the frames of the peer.
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];

fn frame(destination: [u8; 6], source: [u8; 6], n: u8) -> Vec<u8> {
    [&destination[..], &source, &[0x88, 0xb5], &[n; 46]].concat()
}

/// Broadcasts a frame `n` at each of these times.
fn broadcast(clock: &Clock, peer: &std::rc::Rc<Peer>, times: [Duration; 3]) {
    for (n, at) in (1..).zip(times) {
        let peer = peer.clone();
        clock.schedule_at(at, move || {
            peer.send(&frame([0xff; 6], PEER, n));
        });
    }
}

/// The frames that arrived at the peer.
fn replies(peer: &Peer) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| peer.recv()).collect()
}

mod enc28j60 {
    use super::*;
    use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
    use std::rc::Rc;

    const README: &str = include_str!("../../ethdev-enc28j60/README.md");
    const OWN: [u8; 6] = [0x02, 0, 0, 0, 0, 0x28];

    /// A chip whose bus fails after 400 ms, and a peer that sends three frames before and one then.
    fn testbed() -> (Clock, Enc28j60Chip, Rc<Peer>) {
        let clock = Clock::new();
        let (_, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(ethdev::Speed::MBPS_10));
        let (chip, peer) = (
            Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7)),
            Rc::new(Peer::new(peer)),
        );
        broadcast(&clock, &peer, [100, 200, 300].map(Duration::from_millis));
        let (failing, late) = (chip.clone(), peer.clone());
        clock.schedule_at(Duration::from_millis(400), move || {
            failing.fail_bus_at(0);
            late.send(&frame([0xff; 6], PEER, 4));
        });
        (clock, chip, peer)
    }

    mod reflect {
        include!("enc28j60_reflect.rs");

        #[test]
        fn enc28j60_reflect_returns_frames_until_the_bus_fails() {
            assert!(super::README.contains(include_str!("enc28j60_reflect.rs")));
            let (_clock, chip, peer) = super::testbed();
            let error = reflect(chip.spi_device(), chip.delay()).unwrap_err();
            assert!(matches!(error, Error::Spi(_)), "{error}");
            assert_eq!(
                super::replies(&peer),
                [1, 2, 3].map(|n| super::frame(super::PEER, super::OWN, n))
            );
        }
    }

    mod echo {
        include!("enc28j60_echo.rs");

        #[test]
        fn enc28j60_echo_returns_frames_until_the_bus_fails() {
            assert!(super::README.contains(include_str!("enc28j60_echo.rs")));
            let (clock, chip, peer) = super::testbed();
            let echo = echo(chip.spi_device(), chip.delay(), chip.int_pin());
            let error = ethdev_sim::block_on(&clock, echo).expect("an error").unwrap_err();
            assert!(matches!(error, Error::Spi(_)), "{error}");
            assert_eq!(
                super::replies(&peer),
                [1, 2, 3].map(|n| super::frame([0xff; 6], super::PEER, n))
            );
        }
    }
}

mod cyw43 {
    use super::*;
    use cyw43_testbed::{Blobs, Host, PASSPHRASE, Testbed};
    use cyw43439_model::{AccessPoint, Cyw43Chip};
    use std::rc::Rc;

    const README: &str = include_str!("../../ethdev-cyw43/README.md");

    /// A chip in reach of an access point. After it joined, the peer behind the access point sends
    /// three frames, the bus fails, and the peer sends one more.
    fn testbed() -> (Clock, Cyw43Chip, Rc<Peer>, Blobs) {
        let testbed = Testbed::new();
        testbed.chip.add_ap(AccessPoint::wpa2("my network", PASSPHRASE));
        let peer = Rc::new(testbed.station);
        after_join(testbed.clock.clone(), testbed.chip.clone(), peer.clone());
        (testbed.clock, testbed.chip, peer, testbed.blobs)
    }

    fn after_join(clock: Clock, chip: Cyw43Chip, peer: Rc<Peer>) {
        let ms = Duration::from_millis;
        if chip.association().is_none() {
            let next = clock.clone();
            clock.schedule_in(ms(10), move || after_join(next, chip, peer));
            return;
        }
        let now = clock.now();
        broadcast(&clock, &peer, [200, 210, 220].map(|at| now + ms(at)));
        clock.schedule_in(ms(250), move || {
            chip.fail_bus_at(0);
            peer.send(&frame([0xff; 6], PEER, 4));
        });
    }

    mod reflect {
        include!("cyw43_reflect.rs");

        #[test]
        fn cyw43_reflect_returns_frames_until_the_bus_fails() {
            assert!(super::README.contains(include_str!("cyw43_reflect.rs")));
            let (_clock, chip, peer, blobs) = super::testbed();
            let (bus, power) = (super::Host(chip.word_bus()), chip.power_pin());
            let error = reflect(bus, power, chip.delay(), blobs.images(), super::PASSPHRASE).unwrap_err();
            assert!(matches!(error, Error::Bus(_)), "{error}");
            let own = cyw43439_model::ChipConfig::default().mac;
            assert_eq!(
                super::replies(&peer),
                [1, 2, 3].map(|n| super::frame(super::PEER, own, n))
            );
        }
    }

    mod echo {
        include!("cyw43_echo.rs");

        #[test]
        fn cyw43_echo_returns_frames_until_the_bus_fails() {
            assert!(super::README.contains(include_str!("cyw43_echo.rs")));
            let (clock, chip, peer, blobs) = super::testbed();
            let (bus, power) = (super::Host(chip.word_bus()), chip.power_pin());
            let network = Network::wpa2("my network", super::PASSPHRASE).unwrap();
            let echo = echo(bus, power, chip.delay(), blobs.images(), &network);
            let error = ethdev_sim::block_on(&clock, echo).expect("an error").unwrap_err();
            assert!(matches!(error, Error::Bus(_)), "{error}");
            assert_eq!(
                super::replies(&peer),
                [1, 2, 3].map(|n| super::frame([0xff; 6], super::PEER, n))
            );
        }
    }
}

mod ports {
    use super::*;
    use core::cell::Cell;
    use ethdev_lan9118::{Config, Lan9118};
    use ethdev_phy::mmio::Registers;
    use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus};
    use std::rc::Rc;

    const OWN: MacAddress = MacAddress::new([0x02, 0, 0, 0x91, 0x18, 0x01]);

    struct Bus(SimBus);

    impl Registers for Bus {
        fn read(&self, offset: usize) -> u32 {
            self.0.read(offset)
        }
        fn write(&self, offset: usize, value: u32) {
            self.0.write(offset, value);
        }
    }

    struct Testbed {
        clock: Clock,
        chip: Lan9118Chip,
        peer: Rc<Peer>,
    }

    impl Testbed {
        /// A LAN9118 with its built-in PHY.
        fn new() -> Self {
            let clock = Clock::new();
            let (_, port, peer) = Wire::new(&clock, WireConfig::default());
            let chip = Lan9118Chip::new(&clock, port, ChipConfig::new(Part::Lan9118));
            let peer = Rc::new(Peer::new(peer));
            Self { clock, chip, peer }
        }

        fn mac(&self) -> Lan9118<Bus, ethdev_sim::SimDelay> {
            let config = Config::new().with_mac_address(OWN);
            Lan9118::new(Bus(self.chip.bus()), self.chip.delay(), config).unwrap()
        }
    }

    mod wait_for_link {
        include!("phy_wait_for_link.rs");

        #[test]
        fn phy_wait_for_link_returns_port_that_is_up() {
            assert!(include_str!("../../ethdev-phy/README.md").contains(include_str!("phy_wait_for_link.rs")));
            let testbed = super::Testbed::new();
            let clock = testbed.clock.clone();
            // The example polls without a pause.
            let now = || {
                clock.advance(Duration::from_millis(1));
                clock.now()
            };
            let mut port = wait_for_link(testbed.mac(), now).unwrap();
            assert!(port.link().is_up());
            assert_eq!(port.mac_address(), super::OWN);
            port.send_frame(&[0xff; 60]).unwrap();
            clock.advance(Duration::from_millis(1));
            assert_eq!(super::replies(&testbed.peer), [[0xff; 60]]);
        }
    }

    mod reflect {
        include!("lan8720_reflect.rs");

        #[test]
        fn lan8720_reflect_returns_frames_until_the_chip_fails() {
            assert!(include_str!("../../ethdev-lan8720/README.md").contains(include_str!("lan8720_reflect.rs")));
            let testbed = super::Testbed::new();
            let times = [4000, 4100, 4200].map(Duration::from_millis);
            super::broadcast(&testbed.clock, &testbed.peer, times);
            let clock = testbed.clock.clone();
            let failed = super::Cell::new(false);
            // The example polls without a pause.
            let now = || {
                clock.advance(Duration::from_millis(1));
                if clock.now() > Duration::from_secs(5) && !failed.replace(true) {
                    testbed.chip.inject_failure();
                }
                clock.now()
            };
            let error = reflect(testbed.mac(), now).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Fault, "{error}");
            let own = super::OWN.octets();
            assert_eq!(
                super::replies(&testbed.peer),
                [1, 2, 3].map(|n| super::frame(super::PEER, own, n))
            );
        }
    }

    mod send {
        include!("lan9118_send.rs");

        #[test]
        fn lan9118_send_sends_the_frame() {
            assert!(include_str!("../../ethdev-lan9118/README.md").contains(include_str!("lan9118_send.rs")));
            let clock = super::Clock::new();
            let (_, port, peer) = super::Wire::new(&clock, super::WireConfig::default());
            let peer = super::Peer::new(peer);
            let chip = super::Lan9118Chip::on_media(port, super::ChipConfig::new(super::Part::Lan9118));
            send(super::Bus(chip.bus()), chip.delay()).unwrap();
            clock.advance(super::Duration::from_millis(1));
            assert_eq!(super::replies(&peer), [[0xff; 60]]);
        }
    }
}

mod util {
    include!("util_echo.rs");

    use super::*;
    use ethdev_sim::{RingConfig, RingNic};

    #[test]
    fn util_echo_returns_frames() {
        assert!(include_str!("../../ethdev-util/README.md").contains(include_str!("util_echo.rs")));
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
        let (_wire, mut nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        let sent = [1, 2, 3].map(|n| frame([0xff; 6], PEER, n));
        for frame in &sent {
            peer.send(frame);
        }
        clock.advance(Duration::from_millis(1));
        assert_eq!(echo(&mut nic).unwrap(), 3);
        clock.advance(Duration::from_millis(1));
        assert_eq!(replies(&peer), sent);
    }
}
