//! The example of the README of `ethdev-embassy`, with the driver of `channel`.

use ethdev_conformance::LinkPeer as _;

include!("../readme/embassy_echo.rs");

use crate::channel::channel;
use crate::frames::{arp_request, datagram};

#[test]
fn embassy_echo_replies_to_peer() {
    assert!(include_str!("../../ethdev-embassy/README.md").contains(include_str!("../readme/embassy_echo.rs")));
    let (driver, peer) = channel();
    let peer = core::cell::RefCell::new(peer);
    let now = || {
        let now = peer.borrow().now().expect("the clock is simulated");
        Instant::from_micros(i64::try_from(now.as_micros()).expect("the simulated time fits"))
    };
    let mut replies = vec![];
    let mut rounds = 0..20;
    echo(driver, now, |_| {
        let mut peer = peer.borrow_mut();
        match rounds.next() {
            // The server does not resolve the address of the peer.
            Some(0) => peer.peer_send(&arp_request()),
            Some(1) => peer.peer_send(&datagram(7, b"hello")),
            Some(_) => {}
            None => return false,
        }
        peer.advance(core::time::Duration::from_millis(1));
        replies.extend(core::iter::from_fn(|| peer.peer_recv()));
        true
    })
    .expect("nothing fails");
    let [arp, echo] = &replies[..] else {
        panic!("{replies:?}")
    };
    assert_eq!((&arp[12..14], arp[21]), (&[8, 6][..], 2));
    assert_eq!(
        (&echo[12..14], &echo[34..38], &echo[42..47]),
        (&[8, 0][..], &[0, 7, 0, 9][..], &b"hello"[..])
    );
}
