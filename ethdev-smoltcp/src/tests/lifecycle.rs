//! `stop`, `sleep` and interrupts, with frames in the buffers.

use super::*;
use ethdev::{Control, FilterOutcome, Interest, MacAddress, Rearm, RearmOutcome, RxFilter};

in_both_modes! {
    stop_held_frames_are_dropped_and_counted,
    sleep_held_frames_are_dropped_and_counted,
    stop_failed_keeps_held_frames,
    stop_then_start_sends_and_receives,
    rearm_pending_frame_is_work,
    control_calls_reach_the_device,
}

/// A frame that is taken from the device and not read, and a reply that waits.
fn hold_frames<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>) {
    adapter.inner_mut().tx_free = 0;
    adapter.inner_mut().rx.extend([frame(1, 60), frame(2, 100)]);
    answer(adapter, 7, 42);
    drop(adapter.receive(NOW).unwrap());
    assert!(adapter.has_pending_reply());
}

fn assert_dropped<M: Mode<MockDevice>>(adapter: &mut Dut<'_, M>) {
    assert!(!adapter.has_pending_reply());
    assert_eq!(adapter.drops(), drops(|d| d.tx_reset = 1));
    // In lending mode the device counts it, in pull mode the adapter.
    let stats = adapter.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes, stats.rx_reset), (1, 60, 1));
    assert!(adapter.receive(NOW).is_none());
}

fn stop_held_frames_are_dropped_and_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    hold_frames(&mut adapter);
    adapter.stop().unwrap();
    assert_dropped(&mut adapter);
    // Idempotent: nothing is counted twice.
    adapter.stop().unwrap();
    assert_dropped(&mut adapter);
}

fn sleep_held_frames_are_dropped_and_counted<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    hold_frames(&mut adapter);
    adapter.sleep().unwrap();
    assert_dropped(&mut adapter);
}

fn stop_failed_keeps_held_frames<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    hold_frames(&mut adapter);
    adapter.inner_mut().faults.stop = Some(ErrorKind::Bus);
    assert_eq!(adapter.stop(), Err(ErrorKind::Bus));
    assert!(adapter.has_pending_reply());
    assert_eq!(answer(&mut adapter, 8, 42), Some(frame(2, 100)));
    assert_eq!(adapter.stats().rx_frames, 2);
}

fn stop_then_start_sends_and_receives<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut stack = Stack::with_neighbor(&mut adapter);
    adapter.stop().unwrap();
    stack.send(b"later");
    stack.poll(&mut adapter);
    adapter.service().unwrap();
    stack.poll(&mut adapter);
    assert_eq!((adapter.inner().tx.len(), adapter.drops()), (0, DropStats::default()));
    assert_ne!(stack.poll_at(&mut adapter), PollAt::Now);
    adapter.start().unwrap();
    adapter.inner_mut().rx.push_back(arp_request());
    stack.poll(&mut adapter);
    assert_eq!(adapter.inner().tx.len(), 2);
}

fn rearm_pending_frame_is_work<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    assert_eq!(adapter.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    adapter.inner_mut().rx.push_back(frame(1, 60));
    drop(adapter.receive(NOW).unwrap());
    // In pull mode it is in the receive buffer, and the device knows nothing of it.
    assert_eq!(adapter.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    assert_eq!(adapter.rearm(Interest::TX), Ok(RearmOutcome::Armed));
    answer(&mut adapter, 7, 42);
    assert_eq!(adapter.rearm(Interest::ALL), Ok(RearmOutcome::Armed));
}

fn control_calls_reach_the_device<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let address = MacAddress::new([2, 0, 0, 0, 0, 9]);
    assert_eq!(adapter.sleep(), Ok(()));
    assert_eq!(adapter.wake(), Ok(()));
    assert_eq!(adapter.stop(), Ok(()));
    assert_eq!(adapter.start(), Ok(()));
    assert_eq!(adapter.set_mac_address(address), Ok(()));
    assert_eq!(adapter.set_rx_filter(RxFilter::DEFAULT), Ok(FilterOutcome::Exact));
    assert_eq!(
        adapter.set_rx_filter(RxFilter::PROMISCUOUS),
        Ok(FilterOutcome::Superset)
    );
    assert_eq!(adapter.recover(), Ok(()));
    assert_eq!(adapter.disarm(), Ok(()));
    assert_eq!(
        adapter.inner().calls,
        [
            "sleep",
            "wake",
            "stop",
            "start",
            "set_mac_address",
            "set_rx_filter",
            "set_rx_filter",
            "recover",
            "disarm"
        ]
    );
    assert_eq!(adapter.hardware_address().as_bytes(), address.octets());
}

#[test]
fn pull_service_frame_in_buffer_is_rx_pending() {
    let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
    let mut adapter = Dut::new(MockDevice::new(), &mut rx, &mut reply);
    assert!(!adapter.service().unwrap().rx_pending);
    adapter.inner_mut().rx.push_back(frame(1, 60));
    assert!(adapter.receive(NOW).is_some());
    assert!(adapter.service().unwrap().rx_pending);
}
