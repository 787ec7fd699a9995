//! When to poll again.

use super::*;
use ethdev::Interest;
use smoltcp::time::Duration;

use crate::Backoff;

const IDLE: Interest = Interest {
    rx: true,
    tx: false,
    link: true,
};

in_both_modes! {
    poll_at_idle_waits_for_interrupt,
    poll_at_service_interval_limits_wait,
    poll_at_frame_to_send_is_now,
    poll_at_timer_of_stack_is_kept,
    poll_at_link_down_waits_for_link,
    poll_at_tx_full_waits_for_capacity,
    poll_at_pending_reply_is_sent_or_waited_for,
    poll_at_backoff_is_configurable,
    poll_at_device_error_backs_off,
    poll_at_delay_is_the_time_left,
}

fn wait(millis: u64, interest: Interest) -> PollAt {
    PollAt::Wait {
        until: Some(NOW + Duration::from_millis(millis)),
        interest,
    }
}

const NO_TIMER: PollAt = PollAt::Wait {
    until: None,
    interest: IDLE,
};

fn poll_at_idle_waits_for_interrupt<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    let at = stack.poll_at(&mut adapter);
    assert_eq!((at, at.delay(NOW)), (NO_TIMER, None));
}

fn poll_at_service_interval_limits_wait<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().caps =
        ethdev::Capabilities::ETHERNET.with_max_service_interval(core::time::Duration::from_millis(100));
    let mut stack = Stack::new(&mut adapter);
    assert_eq!(stack.poll_at(&mut adapter), wait(100, IDLE));
    assert_eq!(
        wait(99, IDLE).not_after(NOW + Duration::from_millis(100)),
        wait(99, IDLE)
    );
    stack.send(b"now");
    assert_eq!(stack.poll_at(&mut adapter), PollAt::Now);
}

fn poll_at_frame_to_send_is_now<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    stack.send(b"now");
    assert_eq!(stack.poll_at(&mut adapter), PollAt::Now);
    assert_eq!(PollAt::Now.delay(NOW), Some(Duration::ZERO));
}

fn poll_at_timer_of_stack_is_kept<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    stack.send(b"to an unknown neighbor");
    stack.poll(&mut adapter);
    // smoltcp has asked for the address and will ask again.
    let at = stack.poll_at(&mut adapter);
    let PollAt::Wait {
        until: Some(until),
        interest: IDLE,
    } = at
    else {
        panic!("{at:?}")
    };
    assert!(until > NOW);
    assert_eq!(at.delay(until), Some(Duration::ZERO));
    // The link makes no difference to a timer that is not due.
    adapter.inner_mut().cut_link();
    assert_eq!(stack.poll_at(&mut adapter), at);
}

fn poll_at_link_down_waits_for_link<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cable = Link::Down;
    adapter.service().unwrap();
    stack.send(b"later");
    stack.poll(&mut adapter);
    assert_eq!(adapter.drops(), DropStats::default());
    // smoltcp itself would poll without a pause.
    assert_eq!(stack.iface.poll_at(NOW, &stack.sockets), Some(NOW));
    assert_eq!(stack.poll_at(&mut adapter), wait(250, IDLE));
}

fn poll_at_tx_full_waits_for_capacity<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().tx_free = 0;
    stack.send(b"later");
    stack.poll(&mut adapter);
    assert_eq!(stack.poll_at(&mut adapter), wait(1, Interest::ALL));
    adapter.inner_mut().tx_free = 1;
    assert_eq!(stack.poll_at(&mut adapter), PollAt::Now);
}

fn poll_at_pending_reply_is_sent_or_waited_for<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert!(adapter.has_pending_reply());
    assert_eq!(stack.poll_at(&mut adapter), wait(1, Interest::ALL));
    // The device has become ready: the reply is sent at once, and nothing is left to do.
    adapter.inner_mut().tx_free = 1;
    assert_eq!(stack.poll_at(&mut adapter), NO_TIMER);
    assert_eq!(adapter.inner().tx.len(), 1);
}

fn poll_at_backoff_is_configurable<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    let backoff = Backoff::DEFAULT
        .with_link_down(Duration::from_millis(7))
        .with_queue_full(Duration::from_millis(3));
    let mut adapter = adapter.with_backoff(backoff);
    let mut stack = Stack::with_neighbor(&mut adapter);
    stack.send(b"later");
    adapter.inner_mut().tx_free = 0;
    assert_eq!(stack.poll_at(&mut adapter), wait(3, Interest::ALL));
    adapter.inner_mut().cut_link();
    assert_eq!(stack.poll_at(&mut adapter), wait(7, IDLE));
}

fn poll_at_device_error_backs_off<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    stack.send(b"later");
    adapter.inner_mut().faults.ready = Some(ErrorKind::Bus);
    assert_eq!(stack.poll_at(&mut adapter), wait(250, Interest::ALL));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}

fn poll_at_delay_is_the_time_left<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cut_link();
    stack.send(b"later");
    let at = stack.poll_at(&mut adapter);
    for (passed, left) in [(0, 250), (100, 150), (249, 1), (250, 0), (251, 0), (1000, 0)] {
        let now = NOW + Duration::from_millis(passed);
        assert_eq!(at.delay(now), Some(Duration::from_millis(left)), "after {passed} ms");
    }
}

#[test]
fn lending_link_cut_unnoticed_loses_one_frame() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cut_link();
    // A transmit half does not check the link before the frame is committed. `service` would have.
    for _ in 0..3 {
        stack.send(b"payload");
        stack.poll(&mut adapter);
    }
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 1));
}

#[test]
fn pull_link_cut_unnoticed_loses_no_frame() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cut_link();
    for _ in 0..3 {
        stack.send(b"payload");
        stack.poll(&mut adapter);
    }
    assert_eq!(adapter.drops(), DropStats::default());
    adapter.inner_mut().cable = Link::UP;
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 3);
}
