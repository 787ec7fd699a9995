//! The examples of the README. Each file of `readme/` is in it, word for word.

const README: &str = include_str!("../README.md");

mod loopback {
    include!("readme/loopback.rs");

    fn nic() -> Loopback {
        Loopback {
            memory: [0; 1514],
            pending: None,
            stats: Stats::ZERO,
        }
    }

    #[test]
    fn loopback_is_in_readme() {
        assert!(super::README.contains(include_str!("readme/loopback.rs")));
    }

    #[test]
    fn loopback_frame_is_received_once() {
        let (mut nic, mut buf) = (nic(), [0; 1514]);
        assert_eq!(nic.recv_frame(&mut buf), Ok(None));
        assert_eq!(nic.send_vectored(&[&[1; 14], &[], b"hello"]), Ok(()));
        assert_eq!(
            nic.service().map(|events| (events.rx_pending, events.tx_ready)),
            Ok((true, false))
        );
        assert_eq!(
            nic.recv_frame(&mut buf[..18]),
            Err(ErrorKind::BufferTooSmall { needed: 19 })
        );
        assert_eq!(nic.recv_frame(&mut buf), Ok(Some(RxMeta::new(19))));
        assert_eq!(buf[..19], [&[1; 14][..], b"hello"].concat());
        assert_eq!(nic.recv_frame(&mut buf), Ok(None));
        let stats = nic.stats();
        assert_eq!(
            (stats.tx_frames, stats.tx_bytes, stats.rx_frames, stats.rx_bytes),
            (1, 19, 1, 19)
        );
    }

    #[test]
    fn loopback_refusals_change_nothing() {
        let mut nic = nic();
        assert_eq!(nic.send_frame(&[0; 13]), Err(ErrorKind::FrameTooShort));
        assert_eq!(nic.send_frame(&[0; 1515]), Err(ErrorKind::FrameTooLong { max: 1514 }));
        assert_eq!((nic.tx_ready(), nic.stats()), (Ok(true), Stats::ZERO));
        assert_eq!(nic.send_frame(&[1; 1514]), Ok(()));
        assert_eq!(
            (nic.send_frame(&[2; 60]), nic.tx_ready()),
            (Err(ErrorKind::Busy), Ok(false))
        );
        assert_eq!(nic.stats().tx_frames, 1);
    }

    #[test]
    fn loopback_counters_wrap() {
        let mut nic = nic();
        let full = u32::MAX;
        (nic.stats.rx_discarded, nic.stats.rx_frames, nic.stats.tx_frames) = (full, full, full);
        (nic.stats.rx_bytes, nic.stats.tx_bytes) = (full, full);
        assert_eq!(nic.send_frame(&[1; 60]), Ok(()));
        assert_eq!((nic.discard_frame(), nic.discard_frame()), (Ok(true), Ok(false)));
        assert_eq!(nic.send_frame(&[1; 60]), Ok(()));
        assert_eq!(nic.recv_frame(&mut [0; 60]), Ok(Some(RxMeta::new(60))));
        let stats = nic.stats();
        assert_eq!((stats.rx_discarded, stats.rx_frames, stats.tx_frames), (0, 0, 1));
        assert_eq!((stats.rx_bytes, stats.tx_bytes), (59, 119));
    }
}

mod poll {
    include!("readme/poll.rs");

    use core::time::Duration;

    use ethdev::{ErrorKind, EthernetDevice, MacAddress};
    use ethdev_sim::{Clock, Peer, RingConfig, RingNic, Wire, WireConfig};

    struct Testbed {
        clock: Clock,
        wire: Wire,
        nic: RingNic,
        peer: Peer,
    }

    impl Testbed {
        /// A NIC with one transmit buffer, in which the frames 1, 2 and 3 are pending.
        fn new() -> Self {
            let clock = Clock::new();
            let config = RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, 1])).with_slots(8, 1);
            let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
            for n in 1..=3 {
                peer.send(&[&[0xff; 6][..], &[2, 0, 0, 0, 0, 2], &[0x88, 0xb5], &[n; 46]].concat());
            }
            clock.advance(Duration::from_millis(1));
            Self { clock, wire, nic, peer }
        }

        /// Polls until nothing is pending. Returns the frames that the stack saw and the replies
        /// that arrived.
        fn run(&mut self, mut stack: impl FnMut(&[u8], &mut [u8]) -> Option<usize>) -> (Vec<u8>, Vec<u8>) {
            let (mut seen, mut replies) = (Vec::new(), Vec::new());
            for _ in 0..10 {
                let more = poll(&mut self.nic, |frame, reply| {
                    seen.push(frame[14]);
                    stack(frame, reply)
                });
                self.clock.advance(Duration::from_millis(1));
                replies.extend(self.peer.recv().map(|frame| frame[14]));
                if !more.expect("the device works") {
                    return (seen, replies);
                }
            }
            panic!("frames repeat: {seen:?}");
        }
    }

    fn echo(frame: &[u8], reply: &mut [u8]) -> Option<usize> {
        reply.get_mut(..frame.len())?.copy_from_slice(frame);
        Some(frame.len())
    }

    #[test]
    fn poll_is_in_readme() {
        assert!(super::README.contains(include_str!("readme/poll.rs")));
    }

    #[test]
    fn poll_reply_is_sent() {
        assert_eq!(Testbed::new().run(echo), (vec![1, 2, 3], vec![1, 2, 3]));
    }

    #[test]
    fn poll_no_reply_releases_frames() {
        let mut testbed = Testbed::new();
        assert_eq!(testbed.run(|_, _| None), (vec![1, 2, 3], vec![]));
        assert_eq!((testbed.nic.stats().rx_frames, testbed.nic.stats().tx_frames), (3, 0));
    }

    #[test]
    fn poll_link_down_releases_frames() {
        let mut testbed = Testbed::new();
        testbed.wire.set_link(false);
        testbed.nic.service().unwrap();
        assert_eq!(testbed.run(echo), (vec![1, 2, 3], vec![]));
    }

    #[test]
    fn poll_no_transmit_buffer_stack_sees_frames() {
        let mut testbed = Testbed::new();
        testbed.nic.hardware().stall_tx(true);
        testbed.nic.send_frame(&[0xff; 1514]).unwrap();
        assert_eq!(testbed.run(echo), (vec![1, 2, 3], vec![]));
    }

    #[test]
    fn poll_refused_reply_is_error_and_releases_frame() {
        let mut testbed = Testbed::new();
        let error = poll(&mut testbed.nic, |_, _| Some(13)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FrameTooShort);
        assert_eq!(testbed.run(echo), (vec![2, 3], vec![2, 3]));
    }
}
