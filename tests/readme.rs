//! The examples of the READMEs and of `docs/choose-your-api.md`. Each file of `readme/` is in one of
//! these pages, word for word.

#[path = "readme/crates.rs"]
mod crates;

use std::time::Duration;

use ethdev::MacAddress;
use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};

const README: &str = include_str!("../README.md");
const CHOOSE_YOUR_API: &str = include_str!("../docs/choose-your-api.md");

struct Testbed {
    clock: Clock,
    wire: Wire,
    nic: RingNic,
    peer: Peer,
}

impl Testbed {
    fn new() -> Self {
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1]));
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        Self { clock, wire, nic, peer }
    }

    /// With the frames 1, 2 and 3 pending.
    fn with_frames() -> Self {
        let testbed = Self::new();
        for n in 1..=3 {
            testbed.peer.send(&frame(n));
        }
        testbed.pass_time();
        testbed
    }

    fn pass_time(&self) {
        self.clock.advance(Duration::from_millis(1));
    }

    /// The frames that arrived at the peer.
    fn replies(&self) -> Vec<Vec<u8>> {
        self.pass_time();
        std::iter::from_fn(|| self.peer.recv()).collect()
    }
}

fn frame(n: u8) -> Vec<u8> {
    [&[0xff; 6][..], &[2, 0, 0, 0, 0, 2], &[0x88, 0xb5], &[n; 46]].concat()
}

fn frames() -> [Vec<u8>; 3] {
    [1, 2, 3].map(frame)
}

mod run {
    include!("readme/run.rs");

    use std::cell::RefCell;

    use ethdev::ErrorKind;
    use smoltcp::socket::udp;
    use smoltcp::wire::{IpAddress, IpEndpoint};

    #[test]
    fn run_is_in_readme() {
        assert!(super::README.contains(include_str!("readme/run.rs")));
    }

    #[test]
    fn run_sends_then_sleeps_until_the_device_fails() {
        let super::Testbed { clock, wire, nic, peer } = super::Testbed::new();
        let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
        let mut socket = udp::Socket::new(buffer(), buffer());
        socket.bind(9).unwrap();
        let everybody = IpEndpoint::new(IpAddress::v4(192, 168, 69, 255), 9);
        socket.send_slice(b"hello", everybody).unwrap();
        let mut sockets = SocketSet::new(Vec::new());
        sockets.add(socket);

        let hardware = nic.hardware();
        let sleeps = RefCell::new(Vec::new());
        let sleep = |at: PollAt| {
            let number = sleeps.borrow().len();
            sleeps.borrow_mut().push(at);
            clock.advance(super::Duration::from_millis(1));
            match number {
                0 => wire.set_link(false),
                1 => wire.set_link(true),
                2 => hardware.inject_fault(),
                _ => panic!("the device has failed"),
            }
        };
        let now = || Instant::from_micros(i64::try_from(clock.now().as_micros()).unwrap());
        let address = IpCidr::new(IpAddress::v4(192, 168, 69, 1), 24);
        let error = run(nic, address, sockets, now, sleep).unwrap_err();
        assert_eq!(ethdev::Error::kind(&error), ErrorKind::Fault);
        let sent = peer.recv().expect("the datagram");
        assert_eq!((&sent[..6], &sent[42..47]), (&[0xff; 6][..], &b"hello"[..]));
        assert!(peer.recv().is_none());
        let sleeps = sleeps.into_inner();
        let is_idle = |at: &PollAt| matches!(at, PollAt::Wait { until: None, interest } if interest.rx);
        assert!(sleeps.len() == 3 && sleeps.iter().all(is_idle), "{sleeps:?}");
    }
}

mod pull {
    include!("readme/pull.rs");

    #[test]
    fn pull_echo_returns_frames() {
        assert!(super::CHOOSE_YOUR_API.contains(include_str!("readme/pull.rs")));
        let mut testbed = super::Testbed::with_frames();
        echo(&mut testbed.nic, &mut [0; 1514]).unwrap();
        assert_eq!(testbed.replies(), super::frames());
    }

    #[test]
    fn pull_echo_queue_full_drops_replies() {
        let mut testbed = super::Testbed::with_frames();
        testbed.nic.hardware().stall_tx(true);
        while testbed.nic.tx_ready().unwrap() {
            testbed.nic.send_frame(&super::frame(9)).unwrap();
        }
        echo(&mut testbed.nic, &mut [0; 1514]).unwrap();
        assert_eq!(testbed.nic.stats().rx_frames, 3);
    }
}

mod callback {
    include!("readme/callback.rs");

    #[test]
    fn callback_echo_returns_frames() {
        assert!(super::CHOOSE_YOUR_API.contains(include_str!("readme/callback.rs")));
        let mut testbed = super::Testbed::with_frames();
        echo(&mut testbed.nic).unwrap();
        assert_eq!(testbed.replies(), super::frames());
    }
}

mod zero_copy {
    include!("readme/zero_copy.rs");

    #[test]
    fn zero_copy_echo_returns_one_frame() {
        assert!(super::CHOOSE_YOUR_API.contains(include_str!("readme/zero_copy.rs")));
        let mut testbed = super::Testbed::with_frames();
        echo(&mut testbed.nic).unwrap();
        assert_eq!(testbed.replies(), [super::frame(1)]);
        echo(&mut testbed.nic).unwrap();
        assert_eq!(testbed.replies(), [super::frame(2)]);
    }

    #[test]
    fn zero_copy_echo_link_down_releases_frame() {
        use ethdev::{Error, EthernetDevice};

        let mut testbed = super::Testbed::with_frames();
        testbed.wire.set_link(false);
        testbed.nic.service().unwrap();
        for n in 1..=3 {
            let error = echo(&mut testbed.nic).unwrap_err();
            assert_eq!(error.kind(), ethdev::ErrorKind::LinkDown);
            assert_eq!(testbed.nic.stats().rx_frames, n);
        }
    }
}

mod async_echo {
    include!("readme/async_echo.rs");

    use ethdev_util::IrqSignal;
    use ethdev_util::asynch::BlockingAsync;

    #[test]
    fn async_echo_returns_frames_until_the_device_fails() {
        static IRQ_SIGNAL: IrqSignal = IrqSignal::new();
        assert!(super::CHOOSE_YOUR_API.contains(include_str!("readme/async_echo.rs")));
        let clock = super::Clock::new();
        let config = super::RingConfig::new(super::MacAddress::new([2, 0, 0, 0, 0, 1])).with_irq_signal(&IRQ_SIGNAL);
        let (_wire, nic, peer) = super::RingNic::with_peer(&clock, super::WireConfig::default(), config);
        let hardware = nic.hardware();
        for n in 1..=3 {
            peer.send(&super::frame(n));
        }
        clock.schedule_at(super::Duration::from_millis(5), move || hardware.inject_fault());
        let mut device = BlockingAsync::with_interrupt(nic, &IRQ_SIGNAL);
        let result = ethdev_sim::block_on(&clock, echo(&mut device, &mut [0; 1514]));
        let error = result.expect("the fault ends it").unwrap_err();
        assert_eq!(ethdev::Error::kind(&error), ethdev::ErrorKind::Fault);
        let replies: Vec<_> = std::iter::from_fn(|| peer.recv()).collect();
        assert_eq!(replies, super::frames());
    }
}
