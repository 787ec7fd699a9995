//! Frames in both directions are delivered once, byte for byte, or counted.

use std::net::UdpSocket;
use std::time::Instant;

use ethdev::{
    CallbackDevice, Control, Error as _, ErrorKind, EthernetDevice, FilterOutcome, Interest, MacAddress, Multicast,
    RxFilter, RxFrame, Transmit,
};
use ethdev_linux::{InterfaceError, TapConfig};
use ethdev_util::{Buffered, Callback};

use crate::testbed::*;

#[test]
fn pull_api_ping_is_answered() {
    in_namespace_with_ping(|| {
        let mut tap = tap0();
        for size in [0, 18, 19, 56, 1472] {
            let mut child = ping(&format!("-c 20 -i 0.002 -s {size} -p a5c3"));
            reply_until_exit(&mut tap, &mut child);
            assert_ping_succeeded(child);
        }
        // Requests that arrived after ping exited.
        while tap.discard_frame().expect("tap0 failed") {}
        let stats = tap.stats();
        assert!(stats.tx_frames >= 100, "{stats:?}");
        assert_eq!(u64::from(stats.tx_frames), kernel_counter("tap0", "rx", "packets"));
        assert_eq!(
            u64::from(stats.rx_frames + stats.rx_lost()),
            kernel_counter("tap0", "tx", "packets")
        );
    });
}

#[test]
fn callback_api_ping_is_answered() {
    in_namespace_with_ping(|| {
        let mut seen = 0_u32;
        let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = InterfaceError>| {
            seen += 1;
            if let Some(out) = reply_to(&frame, tx.mac_address()) {
                // In parts, which the kernel gathers.
                let (header, rest) = out.split_at(14);
                let (addresses, ethertype) = header.split_at(12);
                tx.send_vectored(&[addresses, &[], ethertype, rest]).expect("not sent");
            }
        };
        let (mut rx, mut tx) = ([0; 1518], [0; 1518]);
        let mut device = Callback::new(Buffered::new(tap0(), &mut rx, &mut tx));
        device.set_handler(&mut handler);
        let mut child = ping("-c 50 -i 0.002 -s 1400");
        let begin = Instant::now();
        while child.try_wait().expect("ping was not started").is_none() {
            assert!(begin.elapsed() < TIMEOUT, "timed out waiting for ping to exit");
            if !device.poll(16).expect("tap0 failed").more {
                std::thread::yield_now();
            }
        }
        assert_ping_succeeded(child);
        device.clear_handler();
        assert_eq!(device.stats().rx_frames, seen);
        assert!(seen >= 50);
    });
}

#[test]
fn pull_api_udp_is_echoed() {
    in_namespace(|| {
        let mut tap = tap0();
        let peer = udp_peer(60);
        reply_while(&mut tap, || !peer.is_finished());
        peer.join().expect("the peer failed");
    });
}

#[test]
fn send_any_legal_length_is_received_byte_for_byte() {
    in_namespace(|| {
        let (mut a, mut b) = bridged(TapConfig::new("tapa"), TapConfig::new("tapb"));
        let (to, from) = (b.mac_address(), a.mac_address());
        let mut buf = [0; 1518];
        let mut bytes = 0;
        let lengths = (14..100).chain((100..1514).step_by(101)).chain([1513, 1514]);
        for (seed, len) in (1_u64..).zip(lengths.clone()) {
            let sent = frame(to, from, len, seed);
            // In one part, in a few, and in more than are passed to the kernel at once.
            match seed % 3 {
                0 => a.send_frame(&sent),
                1 => a.send_vectored(&[&sent[..6], &[], &sent[6..13], &sent[13..]]),
                _ => a.send_vectored(&sent.iter().map(std::slice::from_ref).collect::<Vec<_>>()),
            }
            .expect("not sent");
            let got = expect_frame(&mut b, &mut buf);
            assert!(buf[..got] == sent[..], "{len} bytes, seed {seed}: received {got} bytes");
            bytes += len;
        }
        let frames = lengths.count();
        assert_eq!(b.recv_frame(&mut buf).expect("tapb failed"), None);
        assert_eq!(
            (a.stats().tx_frames as usize, a.stats().tx_bytes as usize),
            (frames, bytes)
        );
        assert_eq!(
            (b.stats().rx_frames as usize, b.stats().rx_bytes as usize),
            (frames, bytes)
        );
        assert_eq!((a.stats().tx_lost(), b.stats().rx_lost()), (0, 0));
    });
}

#[test]
fn recv_frame_short_buffer_keeps_frame() {
    in_namespace(|| {
        let (mut a, mut b) = bridged(TapConfig::new("tapa"), TapConfig::new("tapb"));
        let (to, from) = (b.mac_address(), a.mac_address());
        for (seed, len) in [(1, 1514), (2, 14), (3, 700), (4, 1514)] {
            a.send_frame(&frame(to, from, len, seed)).expect("not sent");
        }
        let mut buf = [0; 1600];
        for (seed, len, lengths) in [(1, 1514, [0, 3, 1513]), (2, 14, [13, 5, 0]), (3, 700, [699, 0, 20])] {
            for short in lengths {
                b.wait(Interest::RX, Some(TIMEOUT)).expect("tapb failed");
                let error = b.recv_frame(&mut buf[..short]).expect_err("buffer too small");
                assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: len });
            }
            assert!(b.service().expect("tapb failed").rx_pending);
            assert_eq!(expect_frame(&mut b, &mut buf[..len]), len);
            assert!(buf[..len] == frame(to, from, len, seed)[..], "seed {seed}");
        }
        b.recv_frame(&mut []).expect_err("buffer too small");
        assert!(b.discard_frame().expect("tapb failed"));
        assert!(!b.discard_frame().expect("tapb failed"));
        assert_eq!(b.recv_frame(&mut []).expect("tapb failed"), None);
        assert_eq!((b.stats().rx_frames, b.stats().rx_discarded), (3, 1));
    });
}

#[test]
fn set_rx_filter_rejected_frames_are_counted() {
    in_namespace(|| {
        let (mut a, mut b) = bridged(TapConfig::new("tapa"), TapConfig::new("tapb"));
        let own = b.mac_address();
        let other = MacAddress::new([2, 0, 0, 0, 0, 0x77]);
        let group = MacAddress::new([0x33, 0x33, 0, 0, 0, 1]);
        let destinations = [own, MacAddress::BROADCAST, other, group];
        for (filter, passed) in [
            (RxFilter::DEFAULT, 2),
            (RxFilter::DEFAULT.with_broadcast(false), 1),
            (RxFilter::DEFAULT.with_multicast(Multicast::List(&[group])), 3),
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

#[test]
fn send_and_recv_invalid_length_is_rejected() {
    in_namespace(|| {
        let mut tap = tap0();
        let max = tap.capabilities().tx_max_frame_len.bytes();
        assert_eq!((max, tap.capabilities().ip_mtu().bytes()), (1514, 1500));
        for (len, kind) in [(1515, ErrorKind::FrameTooLong { max }), (13, ErrorKind::FrameTooShort)] {
            let sent = vec![0; len];
            assert_eq!(tap.send_frame(&sent).expect_err("invalid length").kind(), kind);
            assert_eq!(
                tap.send_vectored(&[&sent[..5], &sent[5..]])
                    .expect_err("invalid length")
                    .kind(),
                kind
            );
        }
        assert_eq!(
            tap.send_vectored(&[]).expect_err("invalid length").kind(),
            ErrorKind::FrameTooShort
        );
        assert_eq!(tap.stats().tx_frames, 0);

        // The kernel sends longer frames than the device was opened for.
        ip("link set tap0 mtu 9000");
        ip(&format!("neigh add {DEVICE_IP} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        for len in [8000, 1477, 1476, 100] {
            peer.send_to(&vec![0; len], (DEVICE_IP, 7)).expect("not sent");
        }
        tap.wait(Interest::RX, Some(TIMEOUT)).expect("tap0 failed");
        let error = tap.recv_frame(&mut [0; 50]).expect_err("buffer too small");
        assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: 1518 });
        let mut long = [0; 9100];
        assert_eq!(expect_frame(&mut tap, &mut long), 1518);
        assert_eq!(expect_frame(&mut tap, &mut long), 142);
        assert_eq!((tap.stats().rx_bad_length, tap.stats().rx_frames), (2, 2));

        // `recover` reads the new IP MTU.
        tap.recover().expect("not recovered");
        assert_eq!(tap.capabilities().tx_max_frame_len.bytes(), 9014);
        peer.send_to(&[0; 8000], (DEVICE_IP, 7)).expect("not sent");
        assert_eq!(expect_frame(&mut tap, &mut long), 8042);
    });
}
