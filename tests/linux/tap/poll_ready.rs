//! `PollReady`: wakers, link changes, recovery.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, PollReady};
use ethdev_linux::Tap;

use crate::testbed::*;

/// A waker that counts.
#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    fn wait_until(&self, wakes: u32) {
        let begin = Instant::now();
        while self.get() < wakes {
            assert!(begin.elapsed() < TIMEOUT, "timed out waiting for a wake-up");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn poll(tap: &mut Tap, interest: Interest, count: &Arc<Count>) -> Poll<Interest> {
    let waker = Waker::from(Arc::clone(count));
    tap.poll_ready(interest, &mut Context::from_waker(&waker))
        .map(|ready| ready.expect("tap0 failed"))
}

/// Opens `tap0` without unread announcements of its initial state, which would be spurious
/// wake-ups.
fn quiet_tap0() -> Tap {
    let mut tap = tap0();
    add_neighbor(tap.mac_address());
    tap.service().expect("tap0 failed");
    tap.wait(Interest::LINK, Some(Duration::from_millis(20)))
        .expect("tap0 failed");
    tap
}

#[test]
fn poll_ready_frame_wakes_once_and_stays_pending() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        let count = Arc::default();
        assert_eq!(poll(&mut tap, Interest::RX, &count), Poll::Pending);
        send_datagram(b"x");
        count.wait_until(1);
        for _ in 0..2 {
            assert_eq!(
                poll(&mut tap, Interest::ALL & Interest::RX, &count),
                Poll::Ready(Interest::RX)
            );
        }
        assert!(tap.discard_frame().expect("tap0 failed"));
        assert_eq!(poll(&mut tap, Interest::RX, &count), Poll::Pending);
        std::thread::sleep(Duration::from_millis(20));
        assert!(count.get() <= 2, "{} wake-ups", count.get());
    });
}

#[test]
fn poll_ready_held_frame_is_ready() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        send_datagram(b"x");
        tap.recv_frame(&mut []).expect_err("buffer too small");
        assert_eq!(poll(&mut tap, Interest::RX, &Arc::default()), Poll::Ready(Interest::RX));
    });
}

#[test]
fn poll_ready_link_change_is_reported_once() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        let count = Arc::default();
        assert_eq!(poll(&mut tap, Interest::LINK, &count), Poll::Pending);
        ip("link set tap0 carrier off");
        count.wait_until(1);
        wait_for_link_poll(&mut tap, &count);
        assert_eq!(poll(&mut tap, Interest::LINK, &count), Poll::Pending);
        ip("link set tap0 carrier on");
        wait_for_link_poll(&mut tap, &count);

        // A change by the caller wakes too.
        let count = Arc::default();
        assert_eq!(poll(&mut tap, Interest::LINK, &count), Poll::Pending);
        tap.stop().expect("not stopped");
        count.wait_until(1);
        assert_eq!(poll(&mut tap, Interest::ALL, &count), Poll::Ready(Interest::LINK));
    });
}

/// Polls until a link change is reported: the kernel changes the carrier with a delay.
fn wait_for_link_poll(tap: &mut Tap, count: &Arc<Count>) {
    let begin = Instant::now();
    while poll(tap, Interest::LINK, count).is_pending() {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the link");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn poll_ready_last_waker_is_woken_alone() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        let counts: [Arc<Count>; 3] = Default::default();
        for count in &counts {
            assert_eq!(poll(&mut tap, Interest::RX, count), Poll::Pending);
        }
        send_datagram(b"x");
        counts[2].wait_until(1);
        assert_eq!(counts.map(|count| count.get()), [0, 0, 1]);
    });
}

#[test]
fn poll_ready_empty_interest_is_pending() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        send_datagram(b"x");
        assert_eq!(poll(&mut tap, Interest::NONE, &Arc::default()), Poll::Pending);
    });
}

#[test]
fn poll_ready_interface_deleted_wakes_and_returns_error() {
    in_namespace(|| {
        let mut tap = quiet_tap0();
        let count: Arc<Count> = Arc::default();
        assert_eq!(poll(&mut tap, Interest::RX, &count), Poll::Pending);
        ip("link del tap0");
        count.wait_until(1);
        let waker = Waker::from(Arc::clone(&count));
        let begin = Instant::now();
        let error = loop {
            match tap.poll_ready(Interest::RX, &mut Context::from_waker(&waker)) {
                Poll::Ready(Err(error)) => break error,
                Poll::Ready(Ok(_)) => drop(tap.discard_frame()),
                Poll::Pending => std::thread::sleep(Duration::from_millis(1)),
            }
            assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the error");
        };
        assert_eq!(error.kind(), ErrorKind::NotPresent, "{error:?}");

        // The new descriptors are registered.
        tap.recover().expect("not recovered");
        ip("addr add 10.99.0.1/24 dev tap0");
        wait_for_link(&mut tap, true);
        add_neighbor(tap.mac_address());
        let count = Arc::default();
        assert_eq!(poll(&mut tap, Interest::RX, &count), Poll::Pending);
        send_datagram(b"x");
        count.wait_until(1);
        assert_eq!(poll(&mut tap, Interest::RX, &count), Poll::Ready(Interest::RX));
    });
}
