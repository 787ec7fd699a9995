//! Changes of the interface (down, no carrier, deleted, moved to another namespace) and of the
//! device (stop, start).

use std::net::UdpSocket;
use std::sync::mpsc::channel;
use std::time::Duration;

use ethdev::{Capabilities, Control, Counted, Error as _, ErrorKind, EthernetDevice, Interest, Link, LossReason};
use ethdev_linux::{InterfaceError, Tap};

use crate::testbed::*;

/// Returns the link state after one `service`, and whether that call reported a change.
fn serviced(tap: &mut Tap) -> (bool, bool) {
    let events = tap.service().expect("tap0 failed");
    (tap.link().is_up(), events.link_changed)
}

fn legal_frame(tap: &Tap) -> Vec<u8> {
    frame(tap.mac_address(), tap.mac_address(), 60, 1)
}

#[test]
fn service_interface_up_or_down_reports_link() {
    in_namespace(|| {
        let mut tap = tap0();
        // Reads the announcements of the initial state.
        tap.service().expect("tap0 failed");
        let before = tap.stats();
        let sent = legal_frame(&tap);

        ip("link set tap0 down");
        assert_eq!(serviced(&mut tap), (false, true));
        assert_eq!(serviced(&mut tap), (false, false));
        let error = tap.send_frame(&sent).expect_err("link down");
        assert_eq!(error.kind(), ErrorKind::LinkDown, "{error}");
        assert!(!tap.tx_ready().expect("tap0 failed"));

        ip("link set tap0 up");
        wait_for_link(&mut tap, true);
        assert_eq!(serviced(&mut tap), (true, true));
        assert!(tap.tx_ready().expect("tap0 failed"));
        tap.send_frame(&sent).expect("not sent");

        // Without carrier the interface is administratively up, and the link is down.
        ip("link set tap0 carrier off");
        wait_for_link(&mut tap, false);
        assert_eq!(
            tap.send_frame(&sent).expect_err("no carrier").kind(),
            ErrorKind::LinkDown
        );
        ip("link set tap0 carrier on");
        wait_for_link(&mut tap, true);

        let stats = tap.stats().delta_since(&before);
        assert_eq!((stats.link_changes, stats.tx_frames), (4, 1), "{stats:?}");
    });
}

#[test]
fn send_interface_down_before_service_is_link_down() {
    in_namespace(|| {
        let mut tap = tap0();
        let sent = legal_frame(&tap);
        ip("link set tap0 down");
        let error = tap.send_frame(&sent).expect_err("link down");
        assert!(matches!(&error, InterfaceError::LinkDown { .. }), "{error:?}");
        assert_eq!(tap.link(), Link::Down);
        assert_eq!(serviced(&mut tap), (false, true));
        ip("link set tap0 up");
        wait_for_link(&mut tap, true);
        tap.send_frame(&sent).expect("not sent");
    });
}

#[test]
fn service_announcements_of_other_interfaces_are_ignored() {
    in_namespace(|| {
        let mut tap = tap0();
        tap.service().expect("tap0 failed");
        // A bridge announces that its *port* was deleted. The bridge itself is deleted too.
        for command in [
            "link add br0 type bridge",
            "link set tap0 master br0",
            "link set tap0 nomaster",
            "link del br0",
        ] {
            ip(command);
            assert_eq!(serviced(&mut tap), (true, false), "{command}");
        }
        assert!(tap.link_fd().is_some());
    });
}

#[test]
fn service_announcements_overflow_reports_last_state() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link add br0 type bridge");
        // Each change is an announcement of 1 KiB or more; the buffer of the socket holds about 200
        // KiB.
        let changes = "link set br0 up\nlink set br0 down\n".repeat(400);
        ip_batch(&format!("{changes}link set tap0 down\n"));
        assert_eq!(serviced(&mut tap), (false, true));
    });
}

#[test]
fn interface_deleted_every_call_is_not_present() {
    in_namespace_with_ping(|| {
        let mut tap = tap0();
        let sent = legal_frame(&tap);
        let faults = tap.stats().faults;
        ip("link del tap0");
        let error = tap.recv_frame(&mut [0; 1518]).expect_err("interface deleted");
        assert!(
            matches!(&error, InterfaceError::InterfaceRemoved { source: Some(_), .. }),
            "{error:?}"
        );
        assert_eq!(error.to_string(), "tap0 was deleted");
        assert_eq!(tap.link(), Link::Down);
        let kinds = [
            tap.recv_frame(&mut []).expect_err("interface deleted").kind(),
            tap.discard_frame().expect_err("interface deleted").kind(),
            tap.send_frame(&sent).expect_err("interface deleted").kind(),
            tap.tx_ready().expect_err("interface deleted").kind(),
            tap.service().expect_err("interface deleted").kind(),
            tap.wait(Interest::RX, None).expect_err("interface deleted").kind(),
        ];
        assert_eq!(kinds, [ErrorKind::NotPresent; 6]);
        assert_eq!(tap.stats().faults.wrapping_sub(faults), 1);

        // `recover` creates the interface again.
        let own = tap.mac_address();
        tap.recover().expect("not recovered");
        assert_eq!((tap.mac_address(), tap.stats().recoveries), (own, 1));
        assert_eq!(tap.recv_frame(&mut [0; 1518]).expect("tap0 failed"), None);
        ip("addr add 10.99.0.1/24 dev tap0");
        wait_for_link(&mut tap, true);
        let mut child = ping("-c 5 -i 0.002");
        reply_until_exit(&mut tap, &mut child);
        assert_ping_succeeded(child);
    });
}

#[test]
fn recv_frame_held_before_deletion_is_delivered_or_reset() {
    in_namespace(|| {
        for recover_first in [false, true] {
            let mut tap = tap0();
            ip(&format!("neigh add {DEVICE_IP} lladdr {} dev tap0", tap.mac_address()));
            let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
            peer.send_to(b"hello", (DEVICE_IP, 7)).expect("not sent");
            tap.recv_frame(&mut []).expect_err("buffer too small");
            ip("link del tap0");
            tap.service().expect_err("interface deleted");
            if recover_first {
                tap.recover().expect("not recovered");
            }
            let delivered = tap.recv_frame(&mut [0; 1518]).expect("tap0 failed").is_some();
            assert_eq!(delivered, !recover_first);
            assert_eq!(
                (tap.stats().rx_frames, tap.stats().rx_reset),
                if recover_first { (0, 1) } else { (1, 0) }
            );
        }
    });
}

#[test]
fn interface_deleted_first_call_is_not_present() {
    in_namespace(|| {
        for call in [
            (|tap| tap.service().map(drop)) as fn(&mut Tap) -> Result<(), InterfaceError>,
            |tap| tap.wait(Interest::LINK, None).map(drop),
            |tap| tap.send_frame(&legal_frame(tap)),
        ] {
            let mut tap = tap0();
            ip("link del tap0");
            let error = call(&mut tap).expect_err("interface deleted");
            assert!(matches!(error, InterfaceError::InterfaceRemoved { .. }), "{error:?}");
        }
    });
}

#[test]
fn transition_interface_deleted_reaches_state() {
    in_namespace(|| {
        for noticed in [false, true] {
            for start in [false, true] {
                let mut tap = tap0();
                ip("link del tap0");
                if noticed || start {
                    tap.service().expect_err("interface deleted");
                }
                // The interface is needed only to start.
                if !start {
                    tap.stop().expect("not stopped");
                    tap.stop().expect("not stopped");
                    tap.service().expect_err("interface deleted");
                }
                tap.start().expect("not started");
                assert_eq!(tap.stats().recoveries, 1);
                ip("link set tap0 up");
                wait_for_link(&mut tap, true);
                tap.send_frame(&legal_frame(&tap)).expect("not sent");
            }
        }
    });
}

#[test]
fn start_failed_stays_stopped() {
    in_namespace(|| {
        let mut tap = tap0();
        tap.stop().expect("not stopped");
        // A queue without places delivers nothing.
        ip("link set tap0 txqueuelen 0");
        for _ in 0..2 {
            tap.start().expect_err("no queue");
            assert_eq!(
                tap.send_frame(&legal_frame(&tap)).expect_err("stopped").kind(),
                ErrorKind::Stopped
            );
        }
        ip("link set tap0 txqueuelen 1000");
        tap.start().expect("not started");
        wait_for_link(&mut tap, true);
        tap.send_frame(&legal_frame(&tap)).expect("not sent");
    });
}

#[test]
fn settings_while_stopped_apply_after_start() {
    in_namespace(|| {
        let mut tap = tap0();
        tap.stop().expect("not stopped");
        let other = ethdev::MacAddress::new([2, 0, 0, 0, 0, 0x77]);
        tap.set_mac_address(other).expect("refused");
        let none = ethdev::RxFilter::DEFAULT.with_broadcast(false);
        tap.set_rx_filter(none).expect("refused");
        tap.start().expect("not started");
        wait_for_link(&mut tap, true);
        ip(&format!("neigh add {DEVICE_IP} lladdr {other} dev tap0"));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        peer.send_to(b"hello", (DEVICE_IP, 7)).expect("not sent");
        let mut buf = [0; 1518];
        assert_eq!(expect_frame(&mut tap, &mut buf), 47);
        assert_eq!((tap.mac_address(), buf[..6].to_vec()), (other, other.octets().to_vec()));
    });
}

#[test]
fn wait_interface_deleted_returns_error() {
    in_namespace(|| {
        let mut tap = tap0();
        let deleter = std::thread::spawn(|| ip("link del tap0"));
        while tap.wait(Interest::ALL & Interest::RX, None).is_ok() {
            while tap.recv_frame(&mut [0; 1518]).is_ok_and(|frame| frame.is_some()) {}
        }
        deleter.join().expect("not deleted");
        assert_eq!(tap.link(), Link::Down);
    });
}

#[test]
fn interface_moved_to_another_namespace_continues() {
    in_namespace_with_ping(|| {
        let mut tap = tap0();
        // A thread in a second namespace, identified by its thread id, that runs the commands it
        // receives.
        let (command_tx, command_rx) = channel::<String>();
        let (tid_tx, tid_rx) = channel();
        let (done_tx, done_rx) = channel();
        let other = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("no namespace");
            tid_tx.send(nix::unistd::gettid()).expect("receiver dropped");
            for command in command_rx {
                if command == "ping" {
                    done_tx.send(Some(ping("-c 5 -i 0.002"))).expect("receiver dropped");
                } else {
                    ip(&command);
                    done_tx.send(None).expect("receiver dropped");
                }
            }
        });
        let run_there = |command: &str| {
            command_tx.send(command.to_owned()).expect("receiver dropped");
            done_rx.recv_timeout(TIMEOUT).expect("not done")
        };
        ip(&format!(
            "link set tap0 netns {}",
            tid_rx.recv().expect("sender dropped")
        ));
        assert_eq!(serviced(&mut tap), (false, true));
        let mut wait_for_change = || tap.wait(Interest::LINK, Some(TIMEOUT)).expect("tap0 failed").link;
        assert!(wait_for_change());
        // Changes in the other namespace are not announced, and the waiter is woken nevertheless.
        command_tx
            .send("link set tap0 up".to_owned())
            .expect("receiver dropped");
        assert!(wait_for_change());
        assert_eq!((tap.link(), tap.link_fd().is_none()), (Link::UP, true));
        let Capabilities {
            coverage,
            max_service_interval,
            ..
        } = tap.capabilities();
        assert_eq!(coverage.of(LossReason::RxOverrun), Counted::NotReported);
        assert!(max_service_interval.is_some());
        done_rx.recv_timeout(TIMEOUT).expect("not done");
        run_there("addr add 10.99.0.1/24 dev tap0");
        let mut child = run_there("ping").expect("ping was not started");
        reply_until_exit(&mut tap, &mut child);
        assert_ping_succeeded(child);
        assert_eq!(serviced(&mut tap), (true, true));
        run_there("link set tap0 down");
        assert_eq!(serviced(&mut tap), (false, true));
        drop(command_tx);
        other.join().expect("the other namespace failed");
    });
}

#[test]
fn stop_and_start_frames_are_counted() {
    in_namespace(|| {
        let mut tap = tap0();
        ip(&format!("neigh add {DEVICE_IP} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let send = |count| (0..count).for_each(|_| assert_eq!(peer.send_to(b"hello", (DEVICE_IP, 7)).ok(), Some(5)));
        let mut buf = [0; 1518];
        send(3);
        tap.recv_frame(&mut []).expect_err("buffer too small");
        tap.stop().expect("not stopped");
        tap.stop().expect("not stopped");
        assert_eq!((tap.stats().rx_reset, tap.link()), (3, Link::Down));

        send(4);
        assert_eq!(tap.recv_frame(&mut buf).expect("tap0 failed"), None);
        assert!(!tap.service().expect("tap0 failed").rx_pending);
        assert!(!tap.tx_ready().expect("tap0 failed"));
        let sent = legal_frame(&tap);
        assert_eq!(tap.send_frame(&sent).expect_err("stopped").kind(), ErrorKind::Stopped);
        assert_eq!(
            tap.send_frame(&sent[..9]).expect_err("too short").kind(),
            ErrorKind::FrameTooShort
        );
        // Frames for a stopped device do not wake a waiter.
        let nothing = tap
            .wait(Interest::ALL, Some(Duration::from_millis(20)))
            .expect("tap0 failed");
        assert_eq!((nothing.rx, nothing.tx), (false, false));

        // Frames that the kernel drops while the device is stopped are not counted.
        send(2000);
        assert!(kernel_counter("tap0", "tx", "dropped") > 0);
        tap.start().expect("not started");
        assert_eq!(tap.recv_frame(&mut buf).expect("tap0 failed"), None);
        assert_eq!((tap.stats().rx_reset, tap.link()), (3, Link::UP));
        tap.recover().expect("not recovered");
        assert_eq!(tap.stats().rx_overrun, 0);
        send(1);
        assert_eq!(expect_frame(&mut tap, &mut buf), 47);
        assert_eq!(tap.stats().rx_frames, 1);
    });
}

#[test]
fn recv_frame_burst_is_delivered_or_counted() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link set tap0 txqueuelen 100");
        tap.recover().expect("not recovered");
        let capacity = u32::from(tap.capabilities().rx_queue_frames.expect("queue length unknown"));
        assert_eq!(capacity, 100 - 32);
        ip(&format!("neigh add {DEVICE_IP} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let mut buf = [0; 1518];
        for burst in [10_u32, 68, 100, 116, 200, 1000, 10] {
            let before = tap.stats();
            tap.service().expect("tap0 failed");
            for number in 0..burst {
                peer.send_to(&number.to_be_bytes(), (DEVICE_IP, 7)).expect("not sent");
            }
            let mut next = 0;
            while let Some(meta) = tap.recv_frame(&mut buf).expect("tap0 failed") {
                assert_eq!(meta.len, 46);
                assert_eq!(buf[42..46], u32::to_be_bytes(next), "frames are in order, each once");
                next += 1;
            }
            let lost = tap.service().expect("tap0 failed").rx_dropped;
            let stats = tap.stats().delta_since(&before);
            assert_eq!(stats.rx_frames + stats.rx_overrun, burst, "{stats:?}");
            assert!(stats.rx_frames >= burst.min(capacity), "{stats:?}");
            assert_eq!(lost, stats.rx_overrun > 0, "{stats:?}");
            assert!(burst <= 100 || lost, "{stats:?}");
        }
        assert_eq!(
            u64::from(tap.stats().rx_overrun),
            kernel_counter("tap0", "tx", "dropped")
        );
    });
}

#[test]
fn service_flood_without_reads_reports_drops() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link set tap0 txqueuelen 100");
        tap.recover().expect("not recovered");
        ip(&format!("neigh add {DEVICE_IP} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let mut reports = 0;
        for _ in 0..4 {
            for _ in 0..100 {
                peer.send_to(b"x", (DEVICE_IP, 7)).expect("not sent");
            }
            reports += u32::from(tap.service().expect("tap0 failed").rx_dropped);
        }
        // The first poll finds frames pending, as usual. From the second one on they were pending
        // before.
        assert_eq!(reports, 3);
        assert_eq!(
            u64::from(tap.stats().rx_overrun),
            kernel_counter("tap0", "tx", "dropped")
        );
    });
}

#[test]
fn recover_stopped_device_stays_stopped() {
    in_namespace(|| {
        for delete in [false, true] {
            let mut tap = tap0();
            tap.stop().expect("not stopped");
            if delete {
                ip("link del tap0");
                tap.service().expect_err("interface deleted");
            }
            tap.recover().expect("not recovered");
            let sent = legal_frame(&tap);
            assert_eq!(tap.send_frame(&sent).expect_err("stopped").kind(), ErrorKind::Stopped);
            ip("link set tap0 up");
            assert!(!tap.service().expect("tap0 failed").tx_ready);
            assert_eq!(tap.link(), Link::Down);
            tap.start().expect("not started");
            wait_for_link(&mut tap, true);
            tap.send_frame(&sent).expect("not sent");
        }
    });
}
