//! Frames in both directions are delivered once, byte for byte, or counted.

use ethdev::frame::MIN_FRAME_LEN;
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, MacAddress};

use super::pair::*;
use crate::testbed::*;

#[test]
fn pull_api_ping_is_answered() {
    in_namespace_with_ping(|| {
        let mut device = near();
        ip("addr add 10.99.0.1/24 dev far");
        for size in [0, 18, 19, 56, 1472] {
            let mut child = ping(&format!("-c 20 -i 0.002 -s {size} -p a5c3"));
            reply_until_exit(&mut device, &mut child);
            assert_ping_succeeded(child);
        }
        assert!(device.stats().tx_frames >= 100, "{:?}", device.stats());
    });
}

#[test]
fn pull_api_udp_is_echoed() {
    in_namespace(|| {
        let mut device = near_with_kernel();
        // The kernel verifies the checksum that the device has completed: the echo keeps it.
        let peer = udp_peer(60);
        reply_while(&mut device, || !peer.is_finished());
        peer.join().expect("the peer failed");
    });
}

#[test]
fn send_any_legal_length_is_received_byte_for_byte() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        let (to, from) = (b.mac_address(), a.mac_address());
        let mut buf = [0; 1600];
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
            assert_eq!(got, len.max(MIN_FRAME_LEN), "short frames are padded");
            let (front, padding) = buf[..got].split_at(len);
            assert!(front == sent && padding.iter().all(|b| *b == 0), "{len} bytes");
        }
        assert_eq!(b.recv_frame(&mut buf).expect("far failed"), None);
        // Nothing that was sent here is received here.
        assert_eq!(a.recv_frame(&mut buf).expect("near failed"), None);
        let (sent, received) = (a.stats(), b.stats());
        assert_eq!(sent.tx_frames as usize, lengths.count());
        assert_eq!((received.rx_frames, received.rx_lost()), (sent.tx_frames, 0));
    });
}

#[test]
fn recv_frame_short_buffer_keeps_frame() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        let (to, from) = (b.mac_address(), a.mac_address());
        let mut buf = [0; 1600];
        for (seed, len) in [(1, 1514), (2, 60), (3, 700)] {
            a.send_frame(&frame(to, from, len, seed)).expect("not sent");
            for short in [0, 1, 13, len / 2, len - 1] {
                let error = b.recv_frame(&mut buf[..short]).expect_err("buffer too small");
                assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: len });
            }
            assert_eq!(expect_frame(&mut b, &mut buf[..len]), len);
            assert!(buf[..len] == frame(to, from, len, seed)[..], "seed {seed}");
        }
    });
}

#[test]
fn send_invalid_length_is_rejected() {
    in_namespace(|| {
        let mut device = near();
        let max = device.capabilities().tx_max_frame_len.bytes();
        assert_eq!((max, device.capabilities().tx_min_frame_len), (1514, 60));
        for (len, kind) in [(1515, ErrorKind::FrameTooLong { max }), (13, ErrorKind::FrameTooShort)] {
            let error = device.send_frame(&vec![0; len]).expect_err("invalid length");
            assert_eq!(error.kind(), kind);
        }
        // The IP MTU was lowered after the device was opened.
        ip("link set near mtu 1000");
        let (to, from) = (MacAddress::BROADCAST, device.mac_address());
        let error = device.send_frame(&frame(to, from, 1514, 1)).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::FrameTooLong { max: 1014 }, "{error:?}");
        assert_eq!(device.capabilities().tx_max_frame_len.bytes(), 1014);
        device.send_frame(&frame(to, from, 1014, 1)).expect("not sent");
        // It was raised: `recover` reads it.
        ip("link set near mtu 9000");
        ip("link set far mtu 9000");
        device.recover().expect("not recovered");
        device.send_frame(&frame(to, from, 9014, 1)).expect("not sent");
        assert_eq!(device.stats().tx_frames, 2);
        // Frames of the new length are also received.
        let mut peer = open("far");
        let sent = frame(device.mac_address(), peer.mac_address(), 9014, 2);
        peer.send_frame(&sent).expect("not sent");
        let mut buf = [0; 9100];
        assert_eq!(expect_frame(&mut device, &mut buf), 9014);
        assert!(buf[..9014] == sent[..]);
    });
}

#[test]
fn recv_frame_flood_is_delivered_or_counted() {
    in_namespace(|| {
        let mut a = near();
        let mut b = open("far");
        let (to, from) = (b.mac_address(), a.mac_address());
        let mut buf = [0; 1600];
        let mut overruns = 0;
        for (burst, len) in [(10, 60), (100, 60), (3000, 60), (10, 1514), (1000, 1514), (10, 60)] {
            let before = b.stats();
            for number in 0..burst {
                let mut sent = frame(to, from, len, 1);
                sent[14..18].copy_from_slice(&u32::to_be_bytes(number));
                a.send_frame(&sent).expect("not sent");
            }
            let mut next = 0;
            while let Some(meta) = b.recv_frame(&mut buf).expect("far failed") {
                assert_eq!(meta.len, len);
                assert_eq!(buf[14..18], u32::to_be_bytes(next), "frames are in order, each once");
                next += 1;
            }
            let dropped = b.service().expect("far failed").rx_dropped;
            let stats = b.stats().delta_since(&before);
            assert_eq!(stats.rx_frames + stats.rx_overrun, burst, "{stats:?}");
            assert_eq!(dropped, stats.rx_overrun > 0, "{stats:?}");
            let capacity = b.capabilities().rx_queue_frames.expect("queue length unknown");
            assert!(stats.rx_frames >= burst.min(capacity.into()), "{stats:?}");
            overruns += stats.rx_overrun;
        }
        assert!(overruns > 1000, "{overruns}");
        // The kernel resets its counter when it is read; that of the device does not go back.
        assert_eq!(b.stats().rx_overrun, overruns);
    });
}
