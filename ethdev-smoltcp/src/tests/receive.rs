//! Reception.

use super::*;

in_both_modes! {
    receive_pending_frame_is_read_and_answered,
    receive_dropped_tokens_leave_frame_pending,
    receive_tx_full_continues,
    receive_runts_are_discarded,
    receive_any_length_and_type_is_harmless,
    poll_repeating_frame_ends,
    poll_flood_is_split_by_budget,
}

fn receive_pending_frame_is_read_and_answered<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!(answer(&mut adapter, 7, 42), None);
    assert_eq!(adapter.inner().tx, [[7; 42]]);
    assert_eq!((adapter.stats().rx_frames, adapter.stats().rx_bytes), (1, 60));
}

fn receive_dropped_tokens_leave_frame_pending<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 1;
    adapter.inner_mut().rx.push_back(frame(1, 60));
    for _ in 0..10 {
        drop(adapter.receive(NOW).unwrap());
        drop(adapter.transmit(NOW).unwrap());
    }
    // Not delivered yet, wherever it is.
    assert_eq!((adapter.stats().rx_frames, adapter.stats().rx_bytes), (0, 0));
    assert_eq!(answer(&mut adapter, 7, 42), Some(frame(1, 60)));
    assert_eq!((adapter.stats().rx_frames, adapter.stats().rx_bytes), (1, 60));
    assert_eq!(adapter.inner().tx, [[7; 42]]);
}

fn receive_tx_full_continues<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    for n in 0..3 {
        adapter.inner_mut().rx.push_back(frame(n, 60));
    }
    for n in 0..3 {
        assert_eq!(answer(&mut adapter, n, 42), Some(frame(n, 60)));
        assert!(adapter.has_pending_reply());
    }
    assert!(adapter.transmit(NOW).is_none());
    assert_eq!(adapter.drops(), drops(|d| d.tx_replies_dropped = 2));

    adapter.inner_mut().tx_free = 5;
    assert!(adapter.transmit(NOW).is_some());
    // The last reply was pending; each had replaced the one before.
    assert_eq!(adapter.inner().tx, [[2; 42]]);
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops().tx_lost(), 2);
}

fn receive_runts_are_discarded<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    adapter
        .inner_mut()
        .rx
        .extend([frame(1, 13), frame(2, 0), arp_request(), frame(3, 1)]);
    stack.poll(&mut adapter);
    assert_eq!(adapter.drops(), drops(|d| d.rx_too_short = 3));
    let stats = adapter.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes, stats.rx_discarded), (1, 42, 3));
    assert_eq!(adapter.inner().tx.len(), 1);
}

fn receive_any_length_and_type_is_harmless<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::new(&mut adapter);
    let lengths = [0, 1, 13, 14, 15, 33, 34, 41, 42, 59, 60, 1514, 1515, 1518, 1600, 9000];
    for ethertype in [0x0806_u16, 0x0800, 0x86dd, 0x88b5] {
        for len in lengths {
            let mut bad = frame(0x45, len);
            if let Some(field) = bad.get_mut(12..14) {
                field.copy_from_slice(&ethertype.to_be_bytes());
            }
            adapter.inner_mut().rx.push_back(bad);
        }
        stack.poll(&mut adapter);
        assert!(adapter.inner().rx.is_empty());
    }
    assert_eq!(adapter.drops(), drops(|d| d.rx_too_short = 4 * 3));
    // Oversize frames are delivered in lending mode and discarded in pull mode.
    let stats = adapter.stats();
    assert_eq!(stats.rx_frames + stats.rx_discarded, 4 * 16);
    assert!(stats.rx_frames >= 4 * 9);
    assert_eq!(adapter.errors().total(), 0);
}

fn poll_repeating_frame_ends<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    let mut adapter = adapter.with_rx_budget(8);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().faults.frame_repeats = true;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 8);
    assert_eq!(stack.poll_at(&mut adapter), PollAt::Now);
}

fn poll_flood_is_split_by_budget<M: Mode<MockDevice>>(adapter: Dut<'_, M>) {
    let mut adapter = adapter.with_rx_budget(16);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().rx.extend((0..40).map(|n| frame(n, 60)));
    for (left, more) in [(24, true), (8, true), (0, false)] {
        stack.poll(&mut adapter);
        assert_eq!(adapter.inner().rx.len(), left);
        assert_eq!(stack.poll_at(&mut adapter) == PollAt::Now, more);
    }
}

#[test]
fn lending_receive_frame_that_vanishes_is_nothing() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().faults.frame_vanishes = true;
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert!(adapter.inner().tx.is_empty());
    assert_eq!((adapter.drops(), adapter.errors().total()), (DropStats::default(), 0));
}

#[test]
fn lending_frames_do_not_use_reply_buffer() {
    let mut reply = [0; 1514];
    let mut adapter = Dut::lending(MockDevice::new(), &mut reply);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    answer(&mut adapter, 7, 42);
    assert!(send(&mut adapter, 8, 42));
    assert_eq!(adapter.inner().tx.len(), 2);
    adapter.into_inner();
    assert_eq!(reply, [0; 1514]);
}

#[test]
fn pull_receive_oversize_is_discarded_within_budget() {
    let (mut rx, mut reply) = ([0; 700], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply).with_rx_budget(16);
    assert_eq!(adapter.capabilities().max_transmission_unit, 700);
    let mut stack = Stack::new(&mut adapter);
    adapter.inner_mut().rx.extend((0..20).map(|n| frame(n, 701)));
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert_eq!(adapter.stats().rx_discarded, 16);
    assert_eq!(stack.poll_at(&mut adapter), PollAt::Now);
    stack.poll(&mut adapter);
    let stats = adapter.stats();
    assert_eq!((stats.rx_discarded, stats.rx_frames, stats.rx_bytes), (20, 1, 42));
    assert_eq!((adapter.inner().tx.len(), adapter.errors().total()), (1, 0));
}

#[test]
fn pull_receive_reported_length_beyond_buffer_is_bad_frame() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    adapter.inner_mut().faults.reported_len = Some(1515);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert!(adapter.receive(NOW).is_none());
    assert_eq!(adapter.take_error(), Some(ErrorKind::BadFrame));
    assert_eq!(adapter.errors().bad_frame, 1);
}
