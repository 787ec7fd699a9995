//! Transmission: replies that wait, refusals, and the link.

use super::*;

in_both_modes! {
    pending_reply_next_call_sends_it,
    pending_reply_is_not_overtaken,
    pending_reply_refused_is_counted,
    pending_reply_link_down_is_counted,
    reply_link_down_is_counted,
    sockets_link_down_keep_frames,
    sockets_tx_full_keep_frames,
    socket_frame_busy_after_ready_is_pending,
    socket_frame_busy_and_replaced_has_own_counter,
    reply_any_refusal_gets_memory,
    transmit_frame_too_long_is_refused,
    transmit_tx_full_does_not_service,
    transmit_link_down_services,
}

fn pending_reply_next_call_sends_it<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let calls: [fn(&mut Dut<'_, M>); 3] = [
        |adapter| drop(adapter.receive(NOW)),
        |adapter| drop(adapter.transmit(NOW)),
        |adapter| assert!(adapter.service().is_ok()),
    ];
    for call in calls {
        adapter.inner_mut().tx_free = 0;
        adapter.inner_mut().rx.push_back(frame(1, 60));
        answer(&mut adapter, 7, 42);
        assert!(adapter.has_pending_reply());
        adapter.inner_mut().tx_free = 1;
        call(&mut adapter);
        assert_eq!(adapter.inner().tx, [[7; 42]]);
        assert!(!adapter.has_pending_reply());
        adapter.inner_mut().tx.clear();
    }
    assert_eq!(adapter.drops(), DropStats::default());
}

fn pending_reply_is_not_overtaken<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.extend([frame(1, 60), frame(2, 60)]);
    answer(&mut adapter, 1, 42);
    adapter.inner_mut().tx_free = 2;
    answer(&mut adapter, 2, 42);
    assert_eq!(adapter.inner().tx, [[1; 42], [2; 42]]);
}

fn pending_reply_refused_is_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.push_back(frame(1, 60));
    answer(&mut adapter, 1, 42);
    adapter.inner_mut().tx_free = 9;
    adapter.inner_mut().faults.commit = Some(ErrorKind::Busy);
    adapter.service().unwrap();
    assert!(adapter.has_pending_reply());
    adapter.inner_mut().faults.commit = Some(ErrorKind::Bus);
    adapter.service().unwrap();
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops(), drops(|d| d.tx_refused = 1));
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
}

fn pending_reply_link_down_is_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.push_back(frame(1, 60));
    answer(&mut adapter, 1, 42);
    adapter.inner_mut().cut_link();
    adapter.service().unwrap();
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 1));
    assert_eq!(adapter.errors().total(), 0);
    // Up again: sockets send at once.
    adapter.inner_mut().cable = Link::UP;
    adapter.inner_mut().tx_free = 1;
    assert!(send(&mut adapter, 2, 42));
    assert_eq!(adapter.inner().tx, [[2; 42]]);
}

fn reply_link_down_is_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().cut_link();
    for n in 0..50 {
        adapter.inner_mut().rx.push_back(frame(n, 60));
        assert_eq!(answer(&mut adapter, n, 42), Some(frame(n, 60)));
    }
    assert_eq!(adapter.drops(), drops(|d| d.tx_link_down = 50));
    assert_eq!((adapter.take_error(), adapter.errors().total()), (None, 0));
    assert!(!adapter.has_pending_reply());
}

fn sockets_link_down_keep_frames<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().cable = Link::Down;
    assert!(adapter.service().unwrap().link_changed);
    for n in 0..3 {
        stack.send(&[n; 10]);
        stack.poll(&mut adapter);
    }
    assert_eq!(adapter.drops(), DropStats::default());
    adapter.inner_mut().cable = Link::UP;
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 3);
    // The adapter found the link by itself because it had something to send; `service` reports the
    // event all the same.
    assert!(adapter.service().unwrap().link_changed);
    assert!(!adapter.service().unwrap().link_changed);
}

fn sockets_tx_full_keep_frames<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.inner_mut().tx_free = 0;
    for n in 0..3 {
        stack.send(&[n; 10]);
        stack.poll(&mut adapter);
    }
    // Replies wait and replace each other; frames of sockets stay where they are.
    for _ in 0..3 {
        adapter.inner_mut().rx.push_back(arp_request());
        stack.poll(&mut adapter);
    }
    assert_eq!(adapter.drops(), drops(|d| d.tx_replies_dropped = 2));
    adapter.inner_mut().tx_free = 9;
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 1 + 3);
}

fn socket_frame_busy_after_ready_is_pending<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().faults.false_ready = true;
    adapter.inner_mut().tx_free = 0;
    assert!(send(&mut adapter, 3, 60));
    assert!(adapter.has_pending_reply());
    assert!(adapter.transmit(NOW).is_none());
    adapter.inner_mut().tx_free = 1;
    adapter.service().unwrap();
    assert_eq!(adapter.inner().tx, [[3; 60]]);
    assert_eq!(adapter.drops(), DropStats::default());
}

fn socket_frame_busy_and_replaced_has_own_counter<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().faults.false_ready = true;
    adapter.inner_mut().tx_free = 0;
    assert!(send(&mut adapter, 3, 60));
    for n in 1..=3 {
        adapter.inner_mut().rx.push_back(frame(n, 60));
        answer(&mut adapter, n, 42);
    }
    assert_eq!(
        adapter.drops(),
        drops(|d| (d.tx_busy_dropped, d.tx_replies_dropped) = (1, 2))
    );
    adapter.inner_mut().tx_free = 9;
    adapter.service().unwrap();
    assert_eq!(adapter.inner().tx, [[3; 42]]);
    // A frame of a socket that is sent leaves no trace in what a later reply is counted as.
    assert!(send(&mut adapter, 4, 42));
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.extend([frame(5, 60), frame(6, 60)]);
    answer(&mut adapter, 5, 42);
    answer(&mut adapter, 6, 42);
    assert_eq!(
        adapter.drops(),
        drops(|d| (d.tx_busy_dropped, d.tx_replies_dropped) = (1, 3))
    );
    // 7 frames were written: 3 sent or pending, 4 counted.
    assert_eq!(adapter.inner().tx.len() + usize::from(adapter.has_pending_reply()), 3);
    assert_eq!(adapter.drops().tx_lost(), 4);
}

fn reply_any_refusal_gets_memory<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let none = Faults::default;
    let refusals: [(Faults, u32, bool); 5] = [
        (
            Faults {
                reserve: Some(ErrorKind::Bus),
                ..none()
            },
            1,
            false,
        ),
        (
            Faults {
                reserve: Some(ErrorKind::FrameTooLong { max: 20 }),
                ..none()
            },
            1,
            false,
        ),
        (
            Faults {
                reserve: Some(ErrorKind::Busy),
                ..none()
            },
            0,
            true,
        ),
        (
            Faults {
                commit: Some(ErrorKind::Fault),
                ..none()
            },
            1,
            false,
        ),
        (
            Faults {
                short_reserve: Some(20),
                ..none()
            },
            0,
            true,
        ),
    ];
    for (faults, refused, pending) in refusals {
        let before = (adapter.drops(), adapter.errors().total());
        adapter.inner_mut().faults = faults;
        adapter.inner_mut().rx.push_back(frame(1, 60));
        assert_eq!(answer(&mut adapter, 7, 1514), Some(frame(1, 60)), "{faults:?}");
        assert_eq!(adapter.drops().tx_refused - before.0.tx_refused, refused, "{faults:?}");
        assert_eq!(adapter.has_pending_reply(), pending, "{faults:?}");
        assert_eq!(adapter.errors().total() - before.1, refused, "{faults:?}");
        assert!(adapter.inner().tx.is_empty());
        adapter.inner_mut().faults = none();
        adapter.service().unwrap();
        assert_eq!(adapter.inner().tx.len(), usize::from(pending));
        adapter.inner_mut().tx.clear();
    }
}

fn transmit_frame_too_long_is_refused<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    // Less than smoltcp can be given.
    adapter.inner_mut().caps = ethdev::Capabilities::ETHERNET.with_max_frame_len(ethdev::MaxFrameLen::new(100));
    let mut stack = Stack::with_neighbor(&mut adapter);
    stack.send(&[1; 58]);
    stack.send(&[2; 59]);
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 1);
    assert_eq!(adapter.drops(), drops(|d| d.tx_refused = 1));
    assert_eq!(adapter.take_error(), Some(ErrorKind::FrameTooLong { max: 100 }));
    assert_eq!(adapter.errors().frame_too_long, 1);
}

fn transmit_tx_full_does_not_service<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    for _ in 0..3 {
        assert!(adapter.transmit(NOW).is_none());
    }
    assert_eq!(adapter.inner().calls, [] as [&str; 0]);
    adapter.inner_mut().tx_free = 1;
    assert!(adapter.transmit(NOW).is_some());
}

fn transmit_link_down_services<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().cable = Link::Down;
    adapter.service().unwrap();
    assert!(!adapter.link().is_up());
    for n in 2..4 {
        assert!(adapter.transmit(NOW).is_none());
        assert_eq!(adapter.inner().calls.len(), n);
    }
    adapter.inner_mut().faults.service = Some(ErrorKind::Bus);
    assert!(adapter.transmit(NOW).is_none());
    assert_eq!(adapter.take_error(), Some(ErrorKind::Bus));
    adapter.inner_mut().faults.service = None;
    adapter.inner_mut().cable = Link::UP;
    assert!(adapter.transmit(NOW).is_some());
    assert!(adapter.link().is_up());
}

#[test]
fn lending_capacity_after_pending_reply_is_not_for_newer_frame() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    adapter.inner_mut().faults.first_reserve_fails = true;
    adapter.inner_mut().rx.extend([frame(1, 60), frame(2, 60)]);
    answer(&mut adapter, 1, 42);
    answer(&mut adapter, 2, 42);
    assert!(adapter.inner().tx.is_empty());
    assert_eq!(adapter.drops(), drops(|d| d.tx_replies_dropped = 1));
}

#[test]
fn lending_busy_after_reserve_is_refused() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    adapter.inner_mut().faults.commit = Some(ErrorKind::Busy);
    assert!(send(&mut adapter, 1, 60));
    // The frame was in the memory of the device: there is no copy of it to keep.
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops(), drops(|d| d.tx_refused = 1));
    assert_eq!(adapter.errors().busy, 1);
}

#[test]
fn neighbor_cache_is_emptied_by_unchanged_addresses() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    let mut stack = Stack::with_neighbor(&mut adapter);
    let ethertype = |adapter: &Dut<'_, Pull<'_>>| adapter.inner().tx.last().unwrap()[12..14].to_vec();
    stack.send(b"to a known neighbor");
    stack.poll(&mut adapter);
    assert_eq!(ethertype(&adapter), [0x08, 0x00]);
    // What the README recommends when the link changes. smoltcp then asks again.
    stack.iface.update_ip_addrs(|_| {});
    stack.send(b"to a neighbor that is asked for");
    stack.poll(&mut adapter);
    assert_eq!(ethertype(&adapter), [0x08, 0x06]);
}
