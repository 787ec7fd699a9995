//! Waiting, blocking and async: no event is missed, and no wait is a busy loop.

use core::future::poll_fn;
use core::pin::pin;
use std::os::fd::AsFd;
use std::time::Duration;

use ethdev::asynch::EthernetDevice as _;
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, Link};
use ethdev_linux::{AsyncTap, InterfaceError, Tap};
use futures_lite::future;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::testbed::*;

fn async_tap0() -> AsyncTap {
    tap0().into_async().expect("not registered")
}

#[test]
fn async_tap_udp_is_echoed_on_two_executors() {
    fn echoed_by(tap: Tap, run: impl FnOnce(&mut AsyncTap) -> Result<(), InterfaceError>) -> Tap {
        let mut device = tap.into_async().expect("not registered");
        let peer = udp_peer(30);
        run(&mut device).expect("tap0 failed");
        peer.join().expect("the peer failed");
        device.into_inner()
    }
    in_namespace(|| {
        let tap = echoed_by(tap0(), |device| block_on(echo(device, 30)));
        let tap = echoed_by(tap, |device| future::block_on(echo(device, 30)));
        assert!(EthernetDevice::stats(&tap).tx_frames >= 60);
    });
}

#[test]
fn ready_link_change_wakes() {
    in_namespace(|| {
        let mut device = async_tap0();
        // The future is `Send`: it can be spawned on executors with several threads.
        fn is_send<T: Send>(_: &T) {}
        is_send(&device.ready(Interest::LINK));
        for (command, link) in [("down", Link::Down), ("up", Link::UP), ("carrier off", Link::Down)] {
            let changer = after_delay(move || drop(ip(&format!("link set tap0 {command}"))));
            let ready = block_on(device.ready(Interest::LINK)).expect("tap0 failed");
            assert!(ready.link && !ready.rx && !ready.tx, "{ready:?}");
            assert_eq!(device.link(), link, "{command}");
            changer.join().expect("not changed");
        }
    });
}

#[test]
fn ready_interface_deleted_returns_error() {
    in_namespace(|| {
        for interest in [Interest::RX, Interest::LINK, Interest::RX | Interest::LINK] {
            let mut device = async_tap0();
            let deleter = after_delay(|| drop(ip("link del tap0")));
            // Frames that the kernel sends on its own, and the link going down, only end single
            // waits.
            let error = block_on(async {
                loop {
                    if let Err(error) = device.ready(interest).await {
                        break error;
                    }
                    while let Ok(true) = device.discard_frame().await {}
                }
            });
            assert_eq!(error.kind(), ErrorKind::NotPresent, "{error:?}");
            deleter.join().expect("not deleted");
        }
    });
}

#[test]
fn ready_after_recover_waits_for_new_descriptor() {
    in_namespace(|| {
        let mut device = async_tap0();
        ip("link del tap0");
        block_on(device.ready(Interest::RX)).expect_err("interface deleted");
        device.recover().expect("not recovered");
        ip("addr add 10.99.0.1/24 dev tap0");
        // The new interface is down when it is created.
        ip("link set tap0 up");
        block_on(async {
            while !device.link().is_up() {
                device.ready(Interest::LINK).await.expect("tap0 failed");
            }
        });
        // The old descriptor, of the deleted interface, is ready permanently.
        add_neighbor(device.mac_address());
        let sender = after_delay(|| send_datagram(b"x"));
        let mut polls = 0;
        let mut ready = pin!(device.ready(Interest::RX));
        block_on(poll_fn(|cx| {
            polls += 1;
            ready.as_mut().poll(cx)
        }))
        .expect("tap0 failed");
        sender.join().expect("not sent");
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn ready_dropped_consumes_nothing() {
    in_namespace(|| {
        let mut device = async_tap0();
        add_neighbor(device.mac_address());
        let mut buf = [0; 1518];
        for round in 0..50_u8 {
            // Polled once or twice, then dropped, before the frame arrives or while it is pending.
            block_on(async {
                future::or(
                    async {
                        device.ready(Interest::RX).await.expect("tap0 failed");
                    },
                    async {
                        future::yield_now().await;
                        send_datagram(&[round]);
                    },
                )
                .await;
            });
            let meta = block_on(device.recv(&mut buf)).expect("tap0 failed");
            assert_eq!((meta.len, buf[42]), (43, round));
        }
        assert_eq!(device.stats().rx_frames, 50);
    });
}

#[test]
fn ready_tx_without_carrier_is_no_busy_loop() {
    in_namespace(|| {
        let mut device = async_tap0();
        ip("link set tap0 carrier off");
        while device.link().is_up() {
            block_on(device.ready(Interest::LINK)).expect("tap0 failed");
        }
        let changer = after_delay(|| drop(ip("link set tap0 carrier on")));
        let mut polls = 0;
        block_on(async {
            let mut ready = pin!(async {
                loop {
                    if device.ready(Interest::TX).await.expect("tap0 failed").tx && device.link().is_up() {
                        break;
                    }
                }
            });
            poll_fn(|cx| {
                polls += 1;
                ready.as_mut().poll(cx)
            })
            .await;
        });
        changer.join().expect("not changed");
        // One poll for each of a few announcements. A busy loop makes thousands.
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn ready_stopped_frames_do_not_wake() {
    in_namespace(|| {
        let mut device = async_tap0();
        add_neighbor(device.mac_address());
        device.stop().expect("not stopped");
        send_datagram(b"x");
        let deleter = after_delay(|| drop(ip("link del tap0")));
        let mut polls = 0;
        let error = block_on(async {
            let mut ready = pin!(device.ready(Interest::RX));
            poll_fn(|cx| {
                polls += 1;
                ready.as_mut().poll(cx)
            })
            .await
            .expect_err("nothing is ready")
        });
        deleter.join().expect("not deleted");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn wait_returns_what_holds() {
    in_namespace(|| {
        let mut tap = tap0();
        add_neighbor(tap.mac_address());
        let short = Some(Duration::from_millis(5));
        let wait = |tap: &mut Tap, interest, timeout| tap.wait(interest, timeout).expect("tap0 failed");
        wait(&mut tap, Interest::LINK, short);
        assert!(wait(&mut tap, Interest::ALL & Interest::RX, short).is_none());
        assert_eq!(wait(&mut tap, Interest::ALL, None), Interest::TX);
        send_datagram(b"x");
        assert_eq!(wait(&mut tap, Interest::RX, None), Interest::RX);
        assert_eq!(wait(&mut tap, Interest::LINK, short), Interest::NONE);
        // A held frame is pending, although the queue of the kernel is empty.
        tap.recv_frame(&mut []).expect_err("buffer too small");
        assert_eq!(wait(&mut tap, Interest::RX, None), Interest::RX);
        tap.discard_frame().expect("tap0 failed");
        assert_eq!(wait(&mut tap, Interest::RX, short), Interest::NONE);

        let changer = after_delay(|| drop(ip("link set tap0 down")));
        assert_eq!(wait(&mut tap, Interest::ALL & Interest::LINK, None), Interest::LINK);
        changer.join().expect("not changed");
        assert_eq!(wait(&mut tap, Interest::ALL, short), Interest::NONE);
        // `service` reports the change independently of `wait`.
        assert!(tap.service().expect("tap0 failed").link_changed);
    });
}

#[test]
fn as_fd_frame_pending_is_readable() {
    in_namespace(|| {
        let mut tap = tap0();
        add_neighbor(tap.mac_address());
        let readable = |tap: &Tap| {
            let mut fds = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).expect("poll failed") == 1
        };
        assert!(!readable(&tap));
        send_datagram(b"x");
        assert!(readable(&tap));
        assert_eq!(expect_frame(&mut tap, &mut [0; 1518]), 43);
        assert!(!readable(&tap));
    });
}
