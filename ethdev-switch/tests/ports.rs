//! Single properties of ports, switch and runner, with two ports on the memory NIC.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ethdev::{
    Capabilities, ChecksumOffload, Control, Error, ErrorKind, EthernetDevice, Interest, LendingDevice, Link,
    MacAddress, Multicast, Offload, PollReady, RxFilter, RxMeta,
};
use ethdev_sim::{Clock, Peer, RingConfig, RingError, RingHandle, RingNic, Wire, WireConfig};
use ethdev_switch::{Port, Runner, Switch, TableEntry};
use ethdev_util::{Buffered, Erased, ErasedDevice, IrqDevice, IrqSignal};

const A: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0xa]);
const B: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0xb]);
/// On the wire.
const STATION: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x31]);
/// Behind a port, or on the wire.
const GUEST: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 0x21]);
const DEVICE: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 9]);

type Nic = IrqDevice<'static, RingNic>;
type TestPort = Port<'static, 'static, Nic, 2, 2>;

struct Testbed {
    irq: &'static IrqSignal,
    clock: Clock,
    wire: Wire,
    peer: Peer,
    chip: RingHandle,
    a: TestPort,
    b: TestPort,
    runner: Runner<'static, 'static, Nic, 2, 2>,
}

/// The parts of a testbed, with a switch that is not open yet.
fn switch(irq: &'static IrqSignal, config: RingConfig) -> (Clock, Wire, Peer, RingHandle, Switch<'static, Nic, 2, 2>) {
    let clock = Clock::new();
    let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config.with_irq_signal(irq));
    let chip = nic.hardware();
    let queues = Box::leak(Box::new([[[0; 1514]; 2]; 2]));
    let table = Box::leak(Box::new([TableEntry::EMPTY; 2]));
    let switch = Switch::new(IrqDevice::new(nic, irq), [A, B], queues, table);
    (clock, wire, peer, chip, switch)
}

/// Two ports with queues of two frames, on a device with two transmit descriptors.
fn testbed() -> Testbed {
    let irq = Box::leak(Box::new(IrqSignal::new()));
    let (clock, wire, peer, chip, switch) = switch(irq, RingConfig::new(DEVICE).with_slots(16, 2));
    let switch = Box::leak(Box::new(switch));
    switch.open().unwrap();
    let ([a, b], runner) = switch.split().unwrap();
    Testbed {
        irq,
        clock,
        wire,
        peer,
        chip,
        a,
        b,
        runner,
    }
}

impl Testbed {
    fn peer_sends(&self, frame: &[u8]) {
        self.peer.send(frame);
        self.pass();
    }

    fn pass(&self) {
        self.clock.advance(Duration::from_micros(200));
    }
}

fn frame(to: MacAddress, from: MacAddress, n: u8) -> Vec<u8> {
    [&to.octets()[..], &from.octets(), &[0x88, 0xb5], &[n; 46]].concat()
}

fn recv(port: &mut TestPort) -> Option<Vec<u8>> {
    let mut buf = [0; 1514];
    let meta: RxMeta = port.recv_frame(&mut buf).unwrap()?;
    Some(buf[..meta.len].to_vec())
}

/// Counts its wakes.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        (Arc::clone(&counter), Waker::from(counter))
    }

    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

type Ready = Poll<Result<Interest, RingError>>;

fn poll(port: &mut TestPort, interest: Interest, waker: &Waker) -> Ready {
    port.poll_ready(interest, &mut Context::from_waker(waker))
}

/// Polls `run` once.
fn poll_runner(runner: &mut Runner<'static, 'static, Nic, 2, 2>, waker: &Waker) -> Option<RingError> {
    match pin!(runner.run()).poll(&mut Context::from_waker(waker)) {
        Poll::Ready(Err(e)) => Some(e),
        Poll::Pending => None,
    }
}

#[test]
fn send_to_unknown_address_reaches_wire_only() {
    let mut t = testbed();
    let sent = frame(STATION, A, 1);
    t.a.send_frame(&sent).unwrap();
    t.pass();
    assert_eq!(t.peer.recv(), Some(sent));
    assert_eq!(recv(&mut t.b), None);
    assert_eq!(t.b.stats().rx_filtered, 0, "never offered");
}

#[test]
fn recv_frame_for_unknown_address_reaches_no_port() {
    let mut t = testbed();
    for to in [DEVICE, GUEST, STATION] {
        t.peer_sends(&frame(to, STATION, 1));
        assert_eq!((recv(&mut t.a), recv(&mut t.b)), (None, None));
    }
    assert_eq!((t.a.stats().rx_filtered, t.b.stats().rx_filtered), (3, 3));
}

#[test]
fn send_to_other_port_does_not_reach_wire() {
    let mut t = testbed();
    // Shorter than the minimum of the wire: delivered as it is.
    let sent = &frame(B, A, 1)[..20];
    t.a.send_frame(sent).unwrap();
    t.pass();
    assert_eq!(recv(&mut t.b).as_deref(), Some(sent));
    assert_eq!((t.peer.recv(), recv(&mut t.a)), (None, None));
    assert_eq!((t.a.stats().tx_frames, t.b.stats().rx_frames), (1, 1));
}

#[test]
fn send_to_other_port_transmit_queue_full_accepted() {
    let mut t = testbed();
    t.chip.stall_tx(true);
    while t.a.tx_ready().unwrap() {
        t.a.send_frame(&frame(STATION, A, 1)).unwrap();
    }
    assert_eq!(
        t.a.send_frame(&frame(STATION, A, 1)).unwrap_err().kind(),
        ErrorKind::Busy
    );
    t.a.send_frame(&frame(B, A, 2)).unwrap();
    assert_eq!(recv(&mut t.b), Some(frame(B, A, 2)));
}

#[test]
fn send_to_other_port_queue_full_counted_there() {
    let mut t = testbed();
    for n in 0..5 {
        t.a.send_frame(&frame(B, A, n)).unwrap();
    }
    assert_eq!((t.b.stats().rx_overrun, t.a.stats().rx_overrun), (3, 0));
    assert_eq!(t.a.stats().tx_frames, 5);
    assert_eq!(
        [(); 3].map(|()| recv(&mut t.b)),
        [Some(frame(B, A, 0)), Some(frame(B, A, 1)), None]
    );
}

#[test]
fn send_to_stopped_port_is_lost() {
    let mut t = testbed();
    t.b.stop().unwrap();
    t.a.send_frame(&frame(B, A, 1)).unwrap();
    t.b.start().unwrap();
    t.pass();
    assert_eq!((t.peer.recv(), recv(&mut t.b)), (None, None));
    assert_eq!(t.b.stats().rx_lost(), 0);
}

#[test]
fn broadcast_wire_busy_delivered_to_each_once() {
    let mut t = testbed();
    t.chip.stall_tx(true);
    while t.a.tx_ready().unwrap() {
        t.a.send_frame(&frame(STATION, A, 1)).unwrap();
    }
    let sent = frame(MacAddress::BROADCAST, A, 7);
    assert_eq!(t.a.send_frame(&sent).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(recv(&mut t.b), None);
    t.chip.stall_tx(false);
    t.pass();
    t.a.service().unwrap();
    t.a.send_frame(&sent).unwrap();
    t.pass();
    assert_eq!(
        (recv(&mut t.b), recv(&mut t.b), recv(&mut t.a)),
        (Some(sent.clone()), None, None)
    );
    let on_wire = std::iter::from_fn(|| t.peer.recv());
    assert_eq!(on_wire.filter(|frame| *frame == sent).count(), 1);
}

#[test]
fn multicast_copied_to_each_port_that_wants_it() {
    let mut t = testbed();
    let group = MacAddress::from_ipv4_multicast([224, 0, 0, 251].into());
    let groups = [group];
    let filter = RxFilter::DEFAULT.with_multicast(Multicast::List(&groups));
    t.b.set_rx_filter(filter).unwrap();
    for sent in [frame(group, STATION, 1), frame(group, STATION, 2)] {
        t.peer_sends(&sent);
        assert_eq!((recv(&mut t.a), recv(&mut t.b)), (None, Some(sent)));
    }
    assert_eq!(t.a.stats().rx_filtered, 2);
}

#[test]
fn promiscuous_port_receives_what_others_send() {
    let mut t = testbed();
    t.b.set_rx_filter(RxFilter::PROMISCUOUS).unwrap();
    t.a.send_frame(&frame(STATION, A, 1)).unwrap();
    t.peer_sends(&frame(A, STATION, 2));
    assert_eq!(
        (recv(&mut t.b), recv(&mut t.b)),
        (Some(frame(STATION, A, 1)), Some(frame(A, STATION, 2)))
    );
    assert_eq!(recv(&mut t.a), Some(frame(A, STATION, 2)));
}

#[test]
fn flood_for_idle_port_does_not_hold_the_other() {
    let mut t = testbed();
    for round in 0..20 {
        for _ in 0..8 {
            t.peer_sends(&frame(A, STATION, 0));
        }
        t.peer_sends(&frame(B, STATION, round));
        assert_eq!(recv(&mut t.b), Some(frame(B, STATION, round)));
    }
    assert_eq!(t.b.stats().rx_overrun, 0);
    assert_eq!(t.a.stats().rx_overrun, 20 * 8 - 2);
}

#[test]
fn sender_behind_port_is_learned_until_heard_elsewhere() {
    let mut t = testbed();
    t.peer_sends(&frame(GUEST, STATION, 1));
    assert_eq!(recv(&mut t.b), None, "unknown");
    t.b.send_frame(&frame(STATION, GUEST, 2)).unwrap();
    t.peer_sends(&frame(GUEST, STATION, 3));
    t.a.send_frame(&frame(GUEST, A, 4)).unwrap();
    assert_eq!(
        [(); 2].map(|()| recv(&mut t.b)),
        [Some(frame(GUEST, A, 4)), Some(frame(GUEST, STATION, 3))]
    );
    assert_eq!(recv(&mut t.a), None);
    // To the other port.
    t.a.send_frame(&frame(STATION, GUEST, 5)).unwrap();
    t.peer_sends(&frame(GUEST, STATION, 6));
    assert_eq!((recv(&mut t.a), recv(&mut t.b)), (Some(frame(GUEST, STATION, 6)), None));
    // To the wire.
    t.peer_sends(&frame(B, GUEST, 7));
    assert_eq!(recv(&mut t.b), Some(frame(B, GUEST, 7)));
    t.b.send_frame(&frame(GUEST, B, 8)).unwrap();
    t.pass();
    assert_eq!(recv(&mut t.a), None);
    assert_eq!(std::iter::from_fn(|| t.peer.recv()).last(), Some(frame(GUEST, B, 8)));
}

#[test]
fn own_address_cannot_be_taken_by_other_port() {
    let mut t = testbed();
    t.a.send_frame(&frame(STATION, B, 1)).unwrap();
    t.peer_sends(&frame(B, STATION, 2));
    assert_eq!((recv(&mut t.a), recv(&mut t.b)), (None, Some(frame(B, STATION, 2))));
    assert_eq!(t.a.set_mac_address(B).unwrap_err().kind(), ErrorKind::InvalidInput);
    for address in [MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
        assert_eq!(
            t.a.set_mac_address(address).unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
    t.a.set_mac_address(A).unwrap();
    assert_eq!((t.a.mac_address(), t.b.mac_address()), (A, B));
}

#[test]
fn learned_address_taken_by_port_and_given_up_is_unknown() {
    let mut t = testbed();
    t.b.send_frame(&frame(STATION, GUEST, 1)).unwrap();
    t.a.set_mac_address(GUEST).unwrap();
    t.peer_sends(&frame(GUEST, STATION, 2));
    assert_eq!((recv(&mut t.a), recv(&mut t.b)), (Some(frame(GUEST, STATION, 2)), None));
    t.a.set_mac_address(A).unwrap();
    t.peer_sends(&frame(GUEST, STATION, 3));
    assert_eq!((recv(&mut t.a), recv(&mut t.b)), (None, None));
}

#[test]
fn sender_without_address_of_one_device_is_not_learned() {
    let mut t = testbed();
    t.b.send_frame(&frame(STATION, GUEST, 1)).unwrap();
    for from in [
        MacAddress::BROADCAST,
        MacAddress::UNSPECIFIED,
        MacAddress::new([1, 0, 0x5e, 0, 0, 1]),
    ] {
        t.b.send_frame(&frame(A, from, 2)).unwrap();
    }
    // None of them took a place of the table.
    t.peer_sends(&frame(GUEST, STATION, 3));
    assert_eq!(recv(&mut t.b), Some(frame(GUEST, STATION, 3)));
}

#[test]
fn split_invalid_addresses_rejected() {
    for addresses in [[A, A], [A, MacAddress::BROADCAST], [MacAddress::UNSPECIFIED, B]] {
        let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), RingConfig::new(DEVICE));
        let (mut queues, mut table) = ([[[0; 60]; 1]; 2], []);
        let mut switch = Switch::new(nic, addresses, &mut queues, &mut table);
        assert_eq!(switch.split().unwrap_err(), ErrorKind::InvalidInput);
        assert_eq!(switch.into_inner().mac_address(), DEVICE);
    }
}

#[test]
fn close_restores_the_filter_of_the_device() {
    let (clock, _wire, peer, _chip, mut switch) =
        switch(Box::leak(Box::new(IrqSignal::new())), RingConfig::new(DEVICE));
    let passed = |switch: &mut Switch<'_, Nic, 2, 2>| {
        let before = switch.split().unwrap().1.with_device(|nic| nic.stats().rx_filtered);
        peer.send(&frame(STATION, GUEST, 1));
        clock.advance(Duration::from_micros(200));
        switch.split().unwrap().1.with_device(|nic| nic.stats().rx_filtered) == before
    };
    assert!(!passed(&mut switch));
    switch.open().unwrap();
    assert!(passed(&mut switch));
    switch.close().unwrap();
    assert!(!passed(&mut switch));
}

#[test]
fn link_down_nothing_is_sent_between_ports() {
    let mut t = testbed();
    t.wire.set_link(false);
    t.pass();
    let (a, b) = (t.a.service().unwrap(), t.b.service().unwrap());
    assert!(a.link_changed && b.link_changed);
    assert!(!t.a.service().unwrap().link_changed && !t.b.service().unwrap().link_changed);
    assert_eq!((t.a.link(), t.b.link()), (Link::Down, Link::Down));
    for to in [B, STATION, MacAddress::BROADCAST] {
        assert_eq!(
            t.a.send_frame(&frame(to, A, 1)).unwrap_err().kind(),
            ErrorKind::LinkDown
        );
    }
    assert_eq!((recv(&mut t.b), t.a.stats().tx_frames), (None, 0));
}

#[test]
fn poll_ready_frame_wakes_its_client_only() {
    let mut t = testbed();
    let ((a, wake_a), (b, wake_b), (runner, wake_runner)) = (Counter::new(), Counter::new(), Counter::new());
    assert!(poll(&mut t.a, Interest::RX, &wake_a).is_pending());
    assert!(poll(&mut t.b, Interest::RX, &wake_b).is_pending());
    assert_eq!(poll_runner(&mut t.runner, &wake_runner), None);
    runner.take();
    for n in 0..3 {
        t.peer_sends(&frame(B, STATION, n));
        assert!(runner.take() > 0);
        while {
            assert_eq!(poll_runner(&mut t.runner, &wake_runner), None);
            runner.take() > 0
        } {}
        assert_eq!((a.take(), b.take()), (0, 1));
        assert_eq!(
            poll(&mut t.b, Interest::ALL, &wake_b),
            Poll::Ready(Ok(Interest::RX | Interest::TX))
        );
        assert_eq!(recv(&mut t.b), Some(frame(B, STATION, n)));
        assert!(poll(&mut t.b, Interest::RX, &wake_b).is_pending());
    }
    // A client that was woken and polls nothing any more does not hold the other.
    t.peer_sends(&frame(B, STATION, 3));
    poll_runner(&mut t.runner, &wake_runner);
    t.peer_sends(&frame(A, STATION, 4));
    poll_runner(&mut t.runner, &wake_runner);
    assert_eq!((a.take(), b.take()), (1, 1));
    // From the other port, without the runner.
    assert_eq!(recv(&mut t.a), Some(frame(A, STATION, 4)));
    assert!(poll(&mut t.a, Interest::RX, &wake_a).is_pending());
    t.b.send_frame(&frame(A, B, 5)).unwrap();
    assert_eq!(a.take(), 1);
}

#[test]
fn run_burst_longer_than_a_queue_none_lost_if_client_reads_when_woken() {
    let mut t = testbed();
    let ((a, wake_a), (runner, wake_runner)) = (Counter::new(), Counter::new());
    poll_runner(&mut t.runner, &wake_runner);
    for n in 0..10 {
        t.peer_sends(&frame(A, STATION, n));
    }
    let mut received = vec![];
    while received.len() < 10 {
        assert!(runner.take() > 0, "after {} frames", received.len());
        poll_runner(&mut t.runner, &wake_runner);
        while poll(&mut t.a, Interest::RX, &wake_a).is_ready() {
            // What is queued only: the client takes nothing from the device.
            received.extend(recv(&mut t.a).map(|frame| frame[14]));
        }
        a.take();
    }
    assert_eq!(received, (0..10).collect::<Vec<_>>());
    assert_eq!(t.a.stats().rx_overrun, 0);
}

#[test]
fn poll_ready_all_that_wait_for_capacity_are_woken() {
    let mut t = testbed();
    let ((a, wake_a), (b, wake_b), (runner, wake_runner)) = (Counter::new(), Counter::new(), Counter::new());
    poll_runner(&mut t.runner, &wake_runner);
    t.chip.stall_tx(true);
    while t.a.tx_ready().unwrap() {
        t.a.send_frame(&frame(STATION, A, 1)).unwrap();
    }
    runner.take();
    assert!(poll(&mut t.a, Interest::TX, &wake_a).is_pending());
    assert!(runner.take() > 0, "the runner has to wait for capacity, too");
    assert!(poll(&mut t.b, Interest::TX, &wake_b).is_pending());
    while {
        poll_runner(&mut t.runner, &wake_runner);
        runner.take() > 0
    } {}
    assert_eq!((a.take(), b.take()), (0, 0));
    t.chip.stall_tx(false);
    t.pass();
    assert!(runner.take() > 0);
    poll_runner(&mut t.runner, &wake_runner);
    assert_eq!((a.take(), b.take()), (1, 1));
    assert_eq!(poll(&mut t.b, Interest::TX, &wake_b), Poll::Ready(Ok(Interest::TX)));
}

#[test]
fn poll_ready_again_no_access() {
    let mut t = testbed();
    let (_, waker) = Counter::new();
    t.chip.stall_tx(true);
    while t.a.tx_ready().unwrap() {
        t.a.send_frame(&frame(STATION, A, 1)).unwrap();
    }
    assert!(poll(&mut t.a, Interest::ALL, &waker).is_pending());
    let accesses = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accesses);
    t.chip.watch_accesses(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    for _ in 0..3 {
        assert!(poll(&mut t.a, Interest::ALL, &waker).is_pending());
    }
    assert_eq!(accesses.load(Ordering::SeqCst), 0);
}

#[test]
fn poll_ready_link_change_seen_by_other_port_wakes() {
    let mut t = testbed();
    let (b, wake_b) = Counter::new();
    assert!(poll(&mut t.b, Interest::LINK, &wake_b).is_pending());
    t.wire.set_link(false);
    t.a.service().unwrap();
    assert_eq!(b.take(), 1);
    assert_eq!(poll(&mut t.b, Interest::LINK, &wake_b), Poll::Ready(Ok(Interest::LINK)));
    assert!(poll(&mut t.b, Interest::LINK, &wake_b).is_pending(), "reported once");
}

#[test]
fn device_fault_reaches_caller_waiting_clients_and_owner() {
    let mut t = testbed();
    let ((b, wake_b), (runner, wake_runner)) = (Counter::new(), Counter::new());
    assert!(poll(&mut t.b, Interest::RX, &wake_b).is_pending());
    poll_runner(&mut t.runner, &wake_runner);
    runner.take();
    t.chip.inject_fault();
    assert_eq!(t.a.service().unwrap_err().kind(), ErrorKind::Fault);
    assert!(b.take() == 1 && runner.take() > 0);
    let failed = poll(&mut t.b, Interest::RX, &wake_b);
    assert!(matches!(failed, Poll::Ready(Err(e)) if e.kind() == ErrorKind::Fault));
    assert_eq!(
        poll_runner(&mut t.runner, &wake_runner).map(|e| e.kind()),
        Some(ErrorKind::Fault)
    );
    // A client cannot reset what it shares.
    assert_eq!(t.b.recover().unwrap_err().kind(), ErrorKind::Unsupported);
    t.runner.with_device(Control::recover).unwrap();
    assert_eq!(poll_runner(&mut t.runner, &wake_runner), None);
    assert!(poll(&mut t.b, Interest::RX, &wake_b).is_pending());
    t.clock.advance(Duration::from_secs(1));
    assert!(t.b.service().unwrap().recovered);
    t.peer_sends(&frame(B, STATION, 1));
    assert_eq!(recv(&mut t.b), Some(frame(B, STATION, 1)));
    assert!(!t.b.service().unwrap().recovered && t.a.service().unwrap().recovered);
    // Also what the device lost is in the counters of each port.
    assert_eq!((t.a.stats().recoveries, t.b.stats().recoveries), (1, 1));
}

/// A failure whose interrupt is lost, so that only the client's call shows it.
#[test]
fn device_fault_without_interrupt_reaches_owner() {
    let mut t = testbed();
    let (runner, wake_runner) = Counter::new();
    poll_runner(&mut t.runner, &wake_runner);
    t.chip.inject_fault();
    t.irq.try_take();
    assert_eq!(poll_runner(&mut t.runner, &wake_runner), None);
    runner.take();
    let failed = t.a.service().unwrap_err();
    assert_eq!(runner.take(), 1);
    assert_eq!(poll_runner(&mut t.runner, &wake_runner), Some(failed));
}

#[test]
fn run_device_fault_wakes_waiting_clients() {
    let mut t = testbed();
    let ((b, wake_b), (_, wake_runner)) = (Counter::new(), Counter::new());
    assert!(poll(&mut t.b, Interest::RX, &wake_b).is_pending());
    poll_runner(&mut t.runner, &wake_runner);
    t.chip.inject_fault();
    let failed = poll_runner(&mut t.runner, &wake_runner);
    assert_eq!(failed.map(|e| e.kind()), Some(ErrorKind::Fault));
    assert_eq!(b.take(), 1);
}

#[test]
fn bad_frame_of_device_is_skipped() {
    struct BadFirst(RingNic, bool);
    impl ethdev::ErrorType for BadFirst {
        type Error = RingError;
    }
    impl EthernetDevice for BadFirst {
        ethdev::forward_ethernet_device!(|this| this.0; mac_address, capabilities, link, stats, discard_frame,
            tx_ready, send_vectored, service);

        fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, RingError> {
            if std::mem::take(&mut self.1) {
                return Err(ErrorKind::BadFrame.into());
            }
            self.0.recv_frame(buf)
        }
    }
    let clock = Clock::new();
    let config = RingConfig::new(DEVICE);
    let (_wire, mut nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    nic.set_rx_filter(RxFilter::PROMISCUOUS).unwrap();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let device = Buffered::new(BadFirst(nic, true), &mut rx, &mut tx);
    let (mut queues, mut table) = ([[[0; 1514]; 2]; 2], []);
    let mut switch = Switch::new(device, [A, B], &mut queues, &mut table);
    let ([mut port, _], _) = switch.split().unwrap();
    peer.send(&frame(A, STATION, 1));
    clock.advance(Duration::from_millis(1));
    assert!(port.recv_frame(&mut [0; 1514]).unwrap().is_some());
}

#[test]
fn stop_link_down_is_no_link_change() {
    let mut t = testbed();
    t.wire.set_link(false);
    t.a.service().unwrap();
    t.a.stop().unwrap();
    t.a.start().unwrap();
    assert_eq!(t.a.stats().link_changes, 1);
}

#[test]
fn invalid_length_from_chip_is_skipped() {
    let mut t = testbed();
    t.chip.override_rx_len(5000);
    t.peer_sends(&frame(A, STATION, 1));
    t.peer_sends(&frame(B, STATION, 2));
    assert_eq!(recv(&mut t.b), Some(frame(B, STATION, 2)));
    assert_eq!((t.a.stats().rx_bad_length, t.b.stats().rx_bad_length), (1, 1));
}

#[test]
fn service_reports_dropped_frames_not_filtered_ones() {
    let mut t = testbed();
    t.peer_sends(&frame(STATION, GUEST, 1));
    assert!(!t.a.service().unwrap().rx_dropped);
    for n in 0..3 {
        t.b.send_frame(&frame(A, B, n)).unwrap();
    }
    assert!(t.a.service().unwrap().rx_dropped && !t.a.service().unwrap().rx_dropped);
    assert!(t.a.discard_frame().unwrap() && !t.a.service().unwrap().rx_dropped);
}

#[test]
fn capabilities_without_checksum_offload() {
    struct Offloading(RingNic);
    impl ethdev::ErrorType for Offloading {
        type Error = RingError;
    }
    impl EthernetDevice for Offloading {
        ethdev::forward_ethernet_device!(|this| this.0; mac_address, link, stats, recv_frame, discard_frame, tx_ready,
            send_vectored, service);

        fn capabilities(&self) -> Capabilities {
            let mut checksum = ChecksumOffload::NONE;
            checksum.tcp = Offload::BOTH;
            self.0.capabilities().with_checksum(checksum)
        }
    }
    impl LendingDevice for Offloading {
        ethdev::forward_lending_device!(|this| this.0, RingNic);
    }
    let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), RingConfig::new(DEVICE));
    let (mut queues, mut table) = ([[[0; 1514]; 2]; 1], []);
    let mut switch = Switch::new(Offloading(nic), [A], &mut queues, &mut table);
    let ([port], _) = switch.split().unwrap();
    // A frame between two ports would keep the checksum that the stack left to the device.
    assert_eq!(port.capabilities().checksum, ChecksumOffload::NONE);
}

#[test]
fn stop_in_device_fault_succeeds() {
    let mut t = testbed();
    t.chip.inject_fault();
    t.a.stop().unwrap();
    assert_eq!(
        t.a.send_frame(&frame(STATION, A, 1)).unwrap_err().kind(),
        ErrorKind::Stopped
    );
    assert_eq!(
        t.b.send_frame(&frame(STATION, B, 1)).unwrap_err().kind(),
        ErrorKind::Fault
    );
}

#[test]
fn overrun_of_device_counted_at_each_running_port() {
    let mut t = testbed();
    t.b.stop().unwrap();
    for n in 0..20 {
        t.peer_sends(&frame(STATION, GUEST, n));
    }
    let lost = t.runner.with_device(|nic| nic.stats().rx_overrun);
    assert_eq!(lost, 4);
    assert_eq!((t.a.stats().rx_overrun, t.b.stats().rx_overrun), (4, 0));
    t.b.start().unwrap();
    assert_eq!(t.b.stats().rx_overrun, 0);
}

#[test]
fn frame_longer_than_the_buffers_discarded() {
    let clock = Clock::new();
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), RingConfig::new(DEVICE));
    let (mut queues, mut table) = ([[[0; 60]; 2]; 2], []);
    let mut switch = Switch::new(nic, [A, B], &mut queues, &mut table);
    switch.open().unwrap();
    let ([mut a, mut b], _) = switch.split().unwrap();
    assert_eq!(a.capabilities().rx_max_frame_len.bytes(), 60);
    peer.send(&[frame(A, STATION, 1), vec![0]].concat());
    peer.send(&frame(A, STATION, 2));
    clock.advance(Duration::from_millis(1));
    let mut buf = [0; 60];
    assert_eq!(
        a.recv_frame(&mut buf).unwrap().map(|meta| (meta.len, buf[14])),
        Some((60, 2))
    );
    b.send_frame(&[frame(A, B, 1), vec![0]].concat()).unwrap();
    assert_eq!(a.stats().rx_discarded, 2);
}

#[test]
fn erased_ports_are_one_type() {
    let t = testbed();
    let (mut a, mut b) = (Erased::new(t.a), Erased::new(t.b));
    let clients: [&mut dyn ErasedDevice; 2] = [&mut a, &mut b];
    for client in clients {
        let own = client.mac_address();
        client.send_frame(&frame(STATION, own, 1)).unwrap();
        t.clock.advance(Duration::from_micros(200));
        client.service().unwrap();
        assert_eq!(t.peer.recv(), Some(frame(STATION, own, 1)));
    }
}
