//! Waiting, blocking and async: nothing is missed, and nobody spins.

use core::future::poll_fn;
use core::pin::pin;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::Duration;

use ethdev::asynch::EthernetDevice as _;
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, Link};
use ethdev_linux::{AsyncTap, Tap, TapError};
use futures_lite::future;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::rig::*;

fn async_tap0() -> AsyncTap {
    tap0().into_async().expect("no reactor")
}

/// After a moment, from another thread of the namespace.
fn soon(action: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(30));
        action();
    })
}

fn tell_us(payload: &[u8]) {
    let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
    peer.send_to(payload, (OURS, 7)).expect("not sent");
}

fn know_us(address: ethdev::MacAddress) {
    ip(&format!("neigh add {OURS} lladdr {address} dev tap0"));
}

#[test]
fn udp_is_echoed_on_two_executors() {
    fn echoed_by(tap: Tap, run: impl FnOnce(&mut AsyncTap) -> Result<(), TapError>) -> Tap {
        let mut device = tap.into_async().expect("no reactor");
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
fn a_future_is_woken_by_the_link() {
    in_namespace(|| {
        let mut device = async_tap0();
        // So is the future wherever the device is: it can be spawned on executors with several threads.
        fn is_send<T: Send>(_: &T) {}
        is_send(&device.ready(Interest::LINK));
        for (command, link) in [("down", Link::Down), ("up", Link::UP), ("carrier off", Link::Down)] {
            let changer = soon(move || drop(ip(&format!("link set tap0 {command}"))));
            let ready = block_on(device.ready(Interest::LINK)).expect("tap0 failed");
            assert!(ready.link && !ready.rx && !ready.tx, "{ready:?}");
            assert_eq!(device.link(), link, "{command}");
            changer.join().expect("not changed");
        }
    });
}

#[test]
fn a_future_ends_with_the_interface() {
    in_namespace(|| {
        for interest in [Interest::RX, Interest::LINK, Interest::RX | Interest::LINK] {
            let mut device = async_tap0();
            let deleter = soon(|| drop(ip("link del tap0")));
            // Frames of the kernel's own do not end it, nor does the link going down on the way.
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
fn a_recovered_interface_is_waited_for() {
    in_namespace(|| {
        let mut device = async_tap0();
        ip("link del tap0");
        block_on(device.ready(Interest::RX)).expect_err("it is gone");
        device.recover().expect("does not recover");
        ip("addr add 10.99.0.1/24 dev tap0");
        // The new one was made down; its coming up is news.
        ip("link set tap0 up");
        block_on(async {
            while !device.link().is_up() {
                device.ready(Interest::LINK).await.expect("tap0 failed");
            }
        });
        // By its new descriptor: the old one, of an interface that is gone, is ready all the time.
        know_us(device.mac_address());
        let teller = soon(|| tell_us(b"x"));
        let mut polls = 0;
        let mut ready = pin!(device.ready(Interest::RX));
        block_on(poll_fn(|cx| {
            polls += 1;
            ready.as_mut().poll(cx)
        }))
        .expect("tap0 failed");
        teller.join().expect("not told");
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn a_dropped_wait_takes_nothing() {
    in_namespace(|| {
        let mut device = async_tap0();
        know_us(device.mac_address());
        let mut buf = [0; 1518];
        for round in 0..50_u8 {
            // Polled once or twice, then dropped: before the frame, or with it pending.
            block_on(async {
                future::or(
                    async {
                        device.ready(Interest::RX).await.expect("tap0 failed");
                    },
                    async {
                        future::yield_now().await;
                        tell_us(&[round]);
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
fn waiting_for_room_without_carrier_does_not_spin() {
    in_namespace(|| {
        let mut device = async_tap0();
        ip("link set tap0 carrier off");
        while device.link().is_up() {
            block_on(device.ready(Interest::LINK)).expect("tap0 failed");
        }
        let changer = soon(|| drop(ip("link set tap0 carrier on")));
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
        // One for each of a handful of announcements. A spin makes thousands.
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn frames_for_a_stopped_device_wake_nobody() {
    in_namespace(|| {
        let mut device = async_tap0();
        know_us(device.mac_address());
        device.stop().expect("does not stop");
        tell_us(b"x");
        let deleter = soon(|| drop(ip("link del tap0")));
        let mut polls = 0;
        let error = block_on(async {
            let mut ready = pin!(device.ready(Interest::RX));
            poll_fn(|cx| {
                polls += 1;
                ready.as_mut().poll(cx)
            })
            .await
            .expect_err("nothing can be ready")
        });
        deleter.join().expect("not deleted");
        assert_eq!(error.kind(), ErrorKind::NotPresent);
        assert!(polls < 50, "{polls} polls");
    });
}

#[test]
fn a_blocking_wait_tells_what_is_so() {
    in_namespace(|| {
        let mut tap = tap0();
        know_us(tap.mac_address());
        let short = Some(Duration::from_millis(5));
        let wait = |tap: &mut Tap, interest, timeout| tap.wait(interest, timeout).expect("tap0 failed");
        wait(&mut tap, Interest::LINK, short);
        assert!(wait(&mut tap, Interest::ALL & Interest::RX, short).is_none());
        assert_eq!(wait(&mut tap, Interest::ALL, None), Interest::TX);
        tell_us(b"x");
        assert_eq!(wait(&mut tap, Interest::RX, None), Interest::RX);
        assert_eq!(wait(&mut tap, Interest::LINK, short), Interest::NONE);
        // A frame that is held is pending, though the kernel has none.
        tap.recv_frame(&mut []).expect_err("it does not fit");
        assert_eq!(wait(&mut tap, Interest::RX, None), Interest::RX);
        tap.discard_frame().expect("tap0 failed");
        assert_eq!(wait(&mut tap, Interest::RX, short), Interest::NONE);

        let changer = soon(|| drop(ip("link set tap0 down")));
        assert_eq!(wait(&mut tap, Interest::ALL & Interest::LINK, None), Interest::LINK);
        changer.join().expect("not changed");
        assert_eq!(wait(&mut tap, Interest::ALL, short), Interest::NONE);
        // `service` tells on its own account.
        assert!(tap.service().expect("tap0 failed").link_changed);
    });
}

#[test]
fn the_descriptor_can_be_polled_by_others() {
    in_namespace(|| {
        let mut tap = tap0();
        know_us(tap.mac_address());
        let readable = |tap: &Tap| {
            let mut fds = [PollFd::new(tap.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).expect("poll failed") == 1
        };
        assert!(!readable(&tap));
        tell_us(b"x");
        assert!(readable(&tap));
        assert_eq!(expect_frame(&mut tap, &mut [0; 1518]), 43);
        assert!(!readable(&tap));
    });
}
