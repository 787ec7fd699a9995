//! What an idle loop is told to sleep on.

use super::*;
use ethdev::Interest;
use smoltcp::time::Duration;

use crate::PollAt;

const IDLE: Interest = Interest {
    rx: true,
    tx: false,
    link: true,
};

fn nap(millis: u64, interest: Interest) -> PollAt {
    PollAt::Wait {
        until: Some(NOW + Duration::from_millis(millis)),
        interest,
    }
}

#[test]
fn idle_waits_for_the_device_alone() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    let wakeup = stack.wakeup(&mut adapter);
    let wait = PollAt::Wait {
        until: None,
        interest: IDLE,
    };
    assert_eq!((wakeup, wakeup.delay(NOW)), (wait, None));
}

#[test]
fn a_device_that_wants_service_is_not_slept_over() {
    let mut spare = spare();
    let mut device = Memory::new();
    device.caps = device
        .caps
        .with_max_service_interval(core::time::Duration::from_millis(100));
    let mut adapter = SmoltcpDevice::new(device, &mut spare);
    let mut stack = Stack::new(&mut adapter);
    assert_eq!(stack.wakeup(&mut adapter), nap(100, IDLE));
    // What comes sooner stays.
    assert_eq!(nap(99, IDLE).not_after(NOW + Duration::from_millis(100)), nap(99, IDLE));
    stack.send(b"now");
    assert_eq!(stack.wakeup(&mut adapter), PollAt::Now);
}

#[test]
fn something_to_send_and_room_is_now() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    stack.send(b"now");
    assert_eq!(stack.wakeup(&mut adapter), PollAt::Now);
    assert_eq!(PollAt::Now.delay(NOW), Some(Duration::ZERO));
}

#[test]
fn timers_of_the_stack_are_kept() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    stack.send(b"to an unknown neighbour");
    stack.poll(&mut adapter);
    // It has asked for the address and will ask again.
    let wakeup = stack.wakeup(&mut adapter);
    let PollAt::Wait {
        until: Some(until),
        interest: IDLE,
    } = wakeup
    else {
        panic!("{wakeup:?}")
    };
    assert!(until > NOW);
    assert_eq!(wakeup.delay(until), Some(Duration::ZERO));
    // The link being down changes nothing about a timer that is not due.
    adapter.inner_mut().link = Link::Down;
    assert_eq!(stack.wakeup(&mut adapter), wakeup);
}

#[test]
fn something_to_send_and_no_link_waits_for_the_link() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::with_neighbor(&mut adapter);
    (adapter.inner_mut().link, adapter.inner_mut().cable) = (Link::Down, Link::Down);
    // The one frame that shows the adapter that the link is down is lost. (`service` would have shown it before.)
    stack.send(b"lost");
    stack.poll(&mut adapter);
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 1));
    stack.send(b"later");
    stack.poll(&mut adapter);
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 1));
    assert_eq!(stack.iface.poll_at(NOW, &stack.sockets), Some(NOW));
    assert_eq!(stack.wakeup(&mut adapter), nap(250, IDLE));
}

#[test]
fn something_to_send_and_no_room_waits_for_room() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().room = 0;
    stack.send(b"later");
    stack.poll(&mut adapter);
    assert_eq!(stack.wakeup(&mut adapter), nap(1, Interest::ALL));
    adapter.inner_mut().room = 1;
    assert_eq!(stack.wakeup(&mut adapter), PollAt::Now);
}

#[test]
fn a_waiting_reply_is_something_to_send() {
    let mut spare = spare();
    let mut adapter = SmoltcpDevice::new(Memory::new(), &mut spare);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().room = 0;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert!(adapter.has_pending_reply());
    assert_eq!(stack.wakeup(&mut adapter), nap(1, Interest::ALL));
    // Room came between: sent at once, and then there is nothing to do.
    adapter.inner_mut().room = 1;
    let wait = PollAt::Wait {
        until: None,
        interest: IDLE,
    };
    assert_eq!(stack.wakeup(&mut adapter), wait);
    assert_eq!(adapter.inner().tx.len(), 1);
}
