//! A transmit queue that is full.

use std::time::{Duration, Instant};

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest};
use ethdev_linux::{InterfaceError, PacketSocket};

use super::pair::*;
use crate::testbed::*;

/// Limits the rate of the interface to `kbit` in kbit/s, with a queue of `limit` bytes. Returns
/// whether the kernel supports that.
fn limit_rate(kbit: u32, limit: u32) -> bool {
    // Starts: tc
    std::process::Command::new("tc")
        .args(["qdisc", "replace", "dev", "near", "root", "tbf", "burst", "3000"])
        .args(["rate", &format!("{kbit}kbit"), "limit", &limit.to_string()])
        .status()
        .is_ok_and(|status| status.success())
}

/// Sends frames of 1000 bytes until one is not taken. Returns the number of frames sent and the
/// error.
fn fill(device: &mut PacketSocket) -> (u32, InterfaceError) {
    for number in 0..10_000_u32 {
        let mut sent = frame([0xff; 6].into(), device.mac_address(), 1000, 1);
        sent[14..18].copy_from_slice(&number.to_be_bytes());
        let ready = device.tx_ready().expect("near failed");
        match device.send_frame(&sent) {
            Ok(()) => assert!(ready, "sent although not ready"),
            Err(e) => {
                assert!(!ready, "refused although ready");
                return (number, e);
            }
        }
    }
    panic!("the queue is never full");
}

#[test]
fn send_queue_full_is_busy_and_loses_nothing() {
    in_namespace(|| {
        // The queueing discipline drops a frame (ENOBUFS), or the buffer of the socket is full
        // (EAGAIN).
        for limit in [20_000, 10_000_000] {
            let mut device = near();
            let mut peer = open("far");
            if !limit_rate(1000, limit) {
                ethdev_sim::report_skip(
                    "send_queue_full_is_busy_and_loses_nothing",
                    "no queueing discipline tbf",
                );
                return;
            }
            let (sent, error) = fill(&mut device);
            assert!(matches!(&error, InterfaceError::Busy { .. }), "{error:?}");
            assert_eq!(error.kind(), ErrorKind::Busy);
            assert!(sent > 10, "{sent} frames");
            // The frame that the kernel did not take is sent as soon as possible.
            assert!(limit_rate(20_000, 10_000_000));
            let mut last = Vec::new();
            let mut buf = [0; 1518];
            let begin = Instant::now();
            while last != (sent - 1).to_be_bytes() {
                assert!(
                    begin.elapsed() < TIMEOUT,
                    "the kept frame was not received, but {last:?}"
                );
                device
                    .wait(Interest::TX, Some(Duration::from_millis(1)))
                    .expect("near failed");
                while peer.recv_frame(&mut buf).expect("far failed").is_some() {
                    last = buf[14..18].to_vec();
                }
            }
            assert!(device.tx_ready().expect("near failed"));
            assert_eq!((device.stats().tx_frames, device.stats().tx_lost()), (sent, 0));
            ip("link del near");
        }
    });
}

#[test]
fn stop_frame_not_taken_is_counted() {
    in_namespace(|| {
        let mut device = near();
        if !limit_rate(8, 3000) {
            ethdev_sim::report_skip("stop_frame_not_taken_is_counted", "no queueing discipline tbf");
            return;
        }
        let (sent, _) = fill(&mut device);
        // Waiting for frames ends neither by the full queue, nor does it lose the frame.
        let ready = device.wait(Interest::ALL & Interest::TX, Some(Duration::from_millis(20)));
        assert!(ready.expect("near failed").is_none());
        device.stop().expect("not stopped");
        let stats = device.stats();
        assert_eq!((stats.tx_frames, stats.tx_reset), (sent - 1, 1), "{stats:?}");
    });
}
