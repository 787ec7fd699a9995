//! The interface goes down, loses its carrier, is deleted, moves away; the device stops and starts.

use std::net::UdpSocket;
use std::sync::mpsc::channel;
use std::time::Duration;

use ethdev::{Control, ControlError, Error as _, ErrorKind, EthernetDevice, Interest, Link};
use ethdev_linux::{Tap, TapError};

use crate::rig::*;

/// The state of the link as one `service` sees it, and whether that call said that it changed.
fn serviced(tap: &mut Tap) -> (bool, bool) {
    let events = tap.service().expect("tap0 failed");
    (tap.link().is_up(), events.link_changed)
}

fn legal_frame(tap: &Tap) -> Vec<u8> {
    frame(tap.mac_address(), tap.mac_address(), 60, 1)
}

#[test]
fn the_link_is_that_of_the_interface() {
    in_namespace(|| {
        let mut tap = tap0();
        // Announcements of the beginning: the link is up already.
        tap.service().expect("tap0 failed");
        let before = tap.stats();
        let sent = legal_frame(&tap);

        ip("link set tap0 down");
        assert_eq!(serviced(&mut tap), (false, true));
        assert_eq!(serviced(&mut tap), (false, false));
        let error = tap.send_frame(&sent).expect_err("it is down");
        assert!(matches!(error, TapError::LinkDown { .. }), "{error}");
        assert!(!tap.tx_ready().expect("tap0 failed"));

        ip("link set tap0 up");
        wait_for_link(&mut tap, true);
        assert_eq!(serviced(&mut tap), (true, true));
        assert!(tap.tx_ready().expect("tap0 failed"));
        tap.send_frame(&sent).expect("not sent");

        // Without carrier it is up for its administrator, and of no use.
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
fn a_write_finds_the_interface_down_before_service_does() {
    in_namespace(|| {
        let mut tap = tap0();
        let sent = legal_frame(&tap);
        ip("link set tap0 down");
        let error = tap.send_frame(&sent).expect_err("it is down");
        assert!(matches!(&error, TapError::LinkDown { source: Some(_) }), "{error:?}");
        assert_eq!(tap.link(), Link::Down);
        assert_eq!(serviced(&mut tap), (false, true));
        ip("link set tap0 up");
        wait_for_link(&mut tap, true);
        tap.send_frame(&sent).expect("not sent");
    });
}

#[test]
fn other_interfaces_are_not_this_one() {
    in_namespace(|| {
        let mut tap = tap0();
        tap.service().expect("tap0 failed");
        // In and out of a bridge, which says that its *port* was deleted; and the bridge itself goes for good.
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
fn more_changes_than_the_kernel_keeps_announcements_for() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link add br0 type bridge");
        // Each of them is an announcement of 1 KiB or more; a socket holds some 200 KiB of them.
        let changes = "link set br0 up\nlink set br0 down\n".repeat(400);
        ip_batch(&format!("{changes}link set tap0 down\n"));
        assert_eq!(serviced(&mut tap), (false, true));
    });
}

#[test]
fn deleted_in_use() {
    in_namespace_with_ping(|| {
        let mut tap = tap0();
        let sent = legal_frame(&tap);
        let faults = tap.stats().faults;
        ip("link del tap0");
        let error = tap.recv_frame(&mut [0; 1518]).expect_err("it is gone");
        assert!(
            matches!(&error, TapError::InterfaceRemoved { source: Some(_), .. }),
            "{error:?}"
        );
        assert_eq!(error.to_string(), "tap0 was deleted");
        assert_eq!(tap.link(), Link::Down);
        let kinds = [
            tap.recv_frame(&mut []).expect_err("gone").kind(),
            tap.discard_frame().expect_err("gone").kind(),
            tap.send_frame(&sent).expect_err("gone").kind(),
            tap.tx_ready().expect_err("gone").kind(),
            tap.service().expect_err("gone").kind(),
            tap.wait(Interest::RX, None).expect_err("gone").kind(),
            tap.start().expect_err("gone").kind(),
        ];
        assert_eq!(kinds, [ErrorKind::NotPresent; 7]);
        assert_eq!(tap.stats().faults.wrapping_sub(faults), 1);

        // As it was opened first: by its name, made anew.
        let own = tap.mac_address();
        tap.recover().expect("tap0 does not recover");
        assert_eq!((tap.mac_address(), tap.stats().recoveries), (own, 1));
        assert_eq!(tap.recv_frame(&mut [0; 1518]).expect("tap0 failed"), None);
        ip("addr add 10.99.0.1/24 dev tap0");
        wait_for_link(&mut tap, true);
        let mut child = ping("-c 5 -i 0.002");
        serve(&mut tap, &mut child);
        assert_answered(child);
    });
}

#[test]
fn a_held_frame_outlives_the_interface() {
    in_namespace(|| {
        for recover_first in [false, true] {
            let mut tap = tap0();
            ip(&format!("neigh add {OURS} lladdr {} dev tap0", tap.mac_address()));
            let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
            peer.send_to(b"hello", (OURS, 7)).expect("not sent");
            tap.recv_frame(&mut []).expect_err("it does not fit, and is held");
            ip("link del tap0");
            tap.service().expect_err("it is gone");
            if recover_first {
                tap.recover().expect("tap0 does not recover");
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
fn deleted_before_any_call_that_could_notice() {
    in_namespace(|| {
        for call in [
            (|tap| tap.service().map(drop)) as fn(&mut Tap) -> Result<(), TapError>,
            |tap| tap.wait(Interest::LINK, None).map(drop),
            |tap| tap.tx_ready().map(drop),
            |tap| tap.send_frame(&legal_frame(tap)),
            |tap| {
                tap.stop().map_err(|e| match e {
                    ControlError::Device(e) => e,
                    other => panic!("{other}"),
                })
            },
        ] {
            let mut tap = tap0();
            ip("link del tap0");
            let error = call(&mut tap).expect_err("it is gone");
            assert!(matches!(error, TapError::InterfaceRemoved { .. }), "{error:?}");
        }
    });
}

#[test]
fn deleted_while_somebody_waits() {
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
fn moved_to_another_namespace() {
    in_namespace_with_ping(|| {
        let mut tap = tap0();
        // A thread of a second namespace, known to `ip` by its number, that does what it is told there.
        let (tell, told) = channel::<String>();
        let (tell_number, number) = channel();
        let (done, wait_done) = channel();
        let other = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("no namespace");
            tell_number.send(nix::unistd::gettid()).expect("nobody listens");
            for command in told {
                if command == "ping" {
                    done.send(Some(ping("-c 5 -i 0.002"))).expect("nobody listens");
                } else {
                    ip(&command);
                    done.send(None).expect("nobody listens");
                }
            }
        });
        let there = |command: &str| {
            tell.send(command.to_owned()).expect("nobody listens");
            wait_done.recv_timeout(PATIENCE).expect("not done")
        };
        ip(&format!("link set tap0 netns {}", number.recv().expect("no number")));
        assert_eq!(serviced(&mut tap), (false, true));
        let mut wait_for_change = || tap.wait(Interest::LINK, Some(PATIENCE)).expect("tap0 failed").link;
        assert!(wait_for_change());
        // Nothing is announced from there, and yet the one who waits is woken.
        tell.send("link set tap0 up".to_owned()).expect("nobody listens");
        assert!(wait_for_change());
        assert_eq!((tap.link(), tap.link_fd().is_none()), (Link::UP, true));
        wait_done.recv_timeout(PATIENCE).expect("not done");
        there("addr add 10.99.0.1/24 dev tap0");
        let mut child = there("ping").expect("no child");
        serve(&mut tap, &mut child);
        assert_answered(child);
        assert_eq!(serviced(&mut tap), (true, true));
        there("link set tap0 down");
        assert_eq!(serviced(&mut tap), (false, true));
        drop(tell);
        other.join().expect("the other namespace failed");
    });
}

#[test]
fn stopped_and_started() {
    in_namespace(|| {
        let mut tap = tap0();
        ip(&format!("neigh add {OURS} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let say = |count| (0..count).for_each(|_| assert_eq!(peer.send_to(b"hello", (OURS, 7)).ok(), Some(5)));
        let mut buf = [0; 1518];
        say(3);
        tap.recv_frame(&mut []).expect_err("it does not fit, and is held");
        tap.stop().expect("does not stop");
        tap.stop().expect("does not stop");
        assert_eq!((tap.stats().rx_reset, tap.link()), (3, Link::Down));

        say(4);
        assert_eq!(tap.recv_frame(&mut buf).expect("tap0 failed"), None);
        assert!(!tap.service().expect("tap0 failed").rx_pending);
        assert!(!tap.tx_ready().expect("tap0 failed"));
        let sent = legal_frame(&tap);
        assert!(matches!(tap.send_frame(&sent), Err(TapError::Stopped)));
        assert!(matches!(tap.send_frame(&sent[..9]), Err(TapError::FrameTooShort)));
        // Frames that nobody is going to fetch must not keep a waiter awake.
        let nothing = tap
            .wait(Interest::ALL, Some(Duration::from_millis(20)))
            .expect("tap0 failed");
        assert_eq!((nothing.rx, nothing.tx), (false, false));

        // What is dropped meanwhile is not ours to count.
        say(2000);
        assert!(kernels_counter("tap0", "tx", "dropped") > 0);
        tap.start().expect("does not start");
        assert_eq!(tap.recv_frame(&mut buf).expect("tap0 failed"), None);
        assert_eq!((tap.stats().rx_reset, tap.link()), (3, Link::UP));
        tap.recover().expect("does not recover");
        assert_eq!(tap.stats().rx_overrun, 0);
        say(1);
        assert_eq!(expect_frame(&mut tap, &mut buf), 47);
        assert_eq!(tap.stats().rx_frames, 1);
    });
}

#[test]
fn every_frame_of_a_burst_is_delivered_or_counted() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link set tap0 txqueuelen 100");
        tap.recover().expect("does not recover");
        let holds = u32::from(tap.capabilities().rx_queue_frames);
        assert_eq!(holds, 100 - 32);
        ip(&format!("neigh add {OURS} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let mut buf = [0; 1518];
        for burst in [10_u32, 68, 100, 116, 200, 1000, 10] {
            let before = tap.stats();
            tap.service().expect("tap0 failed");
            for number in 0..burst {
                peer.send_to(&number.to_be_bytes(), (OURS, 7)).expect("not sent");
            }
            let mut next = 0;
            while let Some(meta) = tap.recv_frame(&mut buf).expect("tap0 failed") {
                assert_eq!(meta.len, 46);
                assert_eq!(buf[42..46], u32::to_be_bytes(next), "in order, each once");
                next += 1;
            }
            let lost = tap.service().expect("tap0 failed").rx_dropped;
            let stats = tap.stats().delta_since(&before);
            assert_eq!(stats.rx_frames + stats.rx_overrun, burst, "{stats:?}");
            assert!(stats.rx_frames >= burst.min(holds), "{stats:?}");
            assert_eq!(lost, stats.rx_overrun > 0, "{stats:?}");
            assert!(burst <= 100 || lost, "{stats:?}");
        }
        assert_eq!(
            u64::from(tap.stats().rx_overrun),
            kernels_counter("tap0", "tx", "dropped")
        );
    });
}

#[test]
fn a_flood_that_nobody_reads_is_told() {
    in_namespace(|| {
        let mut tap = tap0();
        ip("link set tap0 txqueuelen 100");
        tap.recover().expect("does not recover");
        ip(&format!("neigh add {OURS} lladdr {} dev tap0", tap.mac_address()));
        let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        let mut told = 0;
        for _ in 0..4 {
            for _ in 0..100 {
                peer.send_to(b"x", (OURS, 7)).expect("not sent");
            }
            told += u32::from(tap.service().expect("tap0 failed").rx_dropped);
        }
        // The first look finds frames pending as at any time; from the second on they are suspiciously old.
        assert_eq!(told, 3);
        assert_eq!(
            u64::from(tap.stats().rx_overrun),
            kernels_counter("tap0", "tx", "dropped")
        );
    });
}
