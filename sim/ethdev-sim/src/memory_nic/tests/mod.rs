mod accounting;
mod control;
mod interrupts;

use super::*;
use crate::{Clock, Peer, Side, Wire, WireConfig, fcs};
use core::time::Duration;
use ethdev::{
    Control, Error, ErrorKind, EthernetDevice, FilterOutcome, Interest, LendingDevice, Link, MacAddress, MaxFrameLen,
    Multicast, Rearm, RearmOutcome, RxFilter, RxHalf, Stats, TxHalf,
};

const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
const OTHER: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 9]);
const GROUP: MacAddress = MacAddress::new([1, 0, 0x5e, 0, 0, 7]);

struct Testbed {
    clock: Clock,
    wire: Wire,
    nic: RingNic,
    peer: Peer,
}

impl Testbed {
    fn new(config: RingConfig) -> Self {
        let clock = Clock::new();
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        Self { clock, wire, nic, peer }
    }

    fn settle(&self) {
        while self.clock.step() {}
    }

    fn arrive(&self, frame: &[u8]) {
        self.peer.send(frame);
        self.settle();
    }

    fn recv(&mut self) -> Option<Vec<u8>> {
        let mut buf = [0; 2000];
        let meta = self.nic.recv_frame(&mut buf).unwrap()?;
        Some(buf[..meta.len].to_vec())
    }

    /// Fills the transmit ring of a stalled chip.
    fn fill(&mut self) -> u32 {
        self.nic.hardware().stall_tx(true);
        let mut accepted = 0;
        while self.nic.tx_ready().unwrap() {
            self.nic.send_frame(&frame(OTHER, 60)).unwrap();
            accepted += 1;
        }
        assert_eq!(self.kind_of_send(60), Err(ErrorKind::Busy));
        accepted
    }

    fn kind_of_send(&mut self, len: usize) -> Result<(), ErrorKind> {
        self.nic.send_frame(&vec![0; len]).map_err(|e| e.kind())
    }
}

fn testbed() -> Testbed {
    Testbed::new(RingConfig::new(OWN).with_slots(4, 4))
}

fn frame(to: MacAddress, len: usize) -> Vec<u8> {
    let mut frame: Vec<u8> = (0..len).map(|i| i as u8).collect();
    frame[..6].copy_from_slice(&to.octets());
    frame
}

#[test]
fn recv_frame_in_order_with_timestamp() {
    let mut b = testbed();
    for len in [60, 61, 1514] {
        b.arrive(&frame(OWN, len));
    }
    let mut buf = [0; 1514];
    let meta = b.nic.recv_frame(&mut buf).unwrap().unwrap();
    assert_eq!((meta.len, meta.timestamp), (60, Some(Duration::from_nanos(72 * 80))));
    assert_eq!(buf[..60], frame(OWN, 60));
    assert_eq!(b.recv(), Some(frame(OWN, 61)));
    assert_eq!(b.recv(), Some(frame(OWN, 1514)));
    assert_eq!(b.recv(), None);
    let stats = b.nic.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes), (3, 60 + 61 + 1514));
}

#[test]
fn recv_frame_short_buffer_frame_kept() {
    let mut b = testbed();
    assert_eq!(b.nic.recv_frame(&mut []).unwrap(), None);
    b.arrive(&frame(OWN, 100));
    for len in [0, 99] {
        let error = b.nic.recv_frame(&mut vec![0; len]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: 100 });
    }
    assert_eq!(b.recv(), Some(frame(OWN, 100)));
    b.arrive(&frame(OWN, 100));
    b.arrive(&frame(OWN, 70));
    assert!(b.nic.discard_frame().unwrap());
    assert_eq!(b.recv(), Some(frame(OWN, 70)));
    assert!(!b.nic.discard_frame().unwrap());
    assert_eq!(b.nic.stats().rx_discarded, 1);
}

#[test]
fn recv_frame_bad_frames_counted_by_reason() {
    let mut b = testbed();
    b.peer.send_raw(&fcs::append(&frame(OWN, 59)));
    b.peer.send_raw(&[1, 2]);
    b.peer.send_raw(&fcs::append(&frame(OWN, 1515)));
    let mut bad = fcs::append(&frame(OWN, 60));
    bad[20] ^= 1;
    b.peer.send_raw(&bad);
    b.arrive(&frame(OTHER, 60));
    assert_eq!(b.recv(), None);
    let stats = b.nic.stats();
    assert_eq!((stats.rx_bad_length, stats.rx_bad_fcs, stats.rx_filtered), (3, 1, 1));
    assert_eq!(stats.rx_lost(), 5);
    let events = b.nic.service().unwrap();
    assert!(events.rx_dropped && !events.rx_pending);
    assert!(!b.nic.service().unwrap().rx_dropped);
}

#[test]
fn recv_frame_full_ring_overruns() {
    let mut b = testbed();
    for n in 0..7 {
        b.arrive(&frame(OWN, 60 + n));
    }
    assert_eq!(b.nic.stats().rx_overrun, 3);
    for n in 0..4 {
        assert_eq!(b.recv(), Some(frame(OWN, 60 + n)));
    }
    assert_eq!(b.recv(), None);
    b.arrive(&frame(OWN, 90));
    assert_eq!(b.recv(), Some(frame(OWN, 90)));
}

#[test]
fn set_rx_filter_any_filter_exact() {
    let mut b = testbed();
    let destinations = [
        OWN,
        OTHER,
        MacAddress::BROADCAST,
        GROUP,
        MacAddress::new([1, 0, 0, 0, 0, 0]),
    ];
    let mut passed = |filter| {
        assert_eq!(b.nic.set_rx_filter(filter), Ok(FilterOutcome::Exact));
        destinations
            .map(|to| {
                b.arrive(&frame(to, 60));
                b.recv().is_some()
            })
            .to_vec()
    };
    for filter in [
        RxFilter::DEFAULT,
        RxFilter::DEFAULT.with_broadcast(false),
        RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP])),
        RxFilter::DEFAULT
            .with_multicast(Multicast::List(&[MacAddress::BROADCAST]))
            .with_broadcast(false),
        RxFilter::DEFAULT.with_broadcast(false).with_multicast(Multicast::All),
        RxFilter::PROMISCUOUS,
    ] {
        let expected = destinations.map(|to| filter.passes(to, OWN)).to_vec();
        assert_eq!(passed(filter), expected, "{filter:?}");
    }
}

#[test]
fn send_frame_short_padded_counted_unpadded() {
    let mut b = testbed();
    b.nic.send_vectored(&[&frame(OTHER, 14), &[], &[9; 6]]).unwrap();
    b.settle();
    let mut expected = frame(OTHER, 14);
    expected.extend([9; 6]);
    expected.resize(60, 0);
    assert_eq!(b.peer.recv(), Some(expected));
    let stats = b.nic.stats();
    assert_eq!((stats.tx_frames, stats.tx_bytes), (1, 20));
    let events = b.nic.service().unwrap();
    assert_eq!((events.tx_completed, events.tx_ready), (1, true));
    assert_eq!(b.nic.service().unwrap().tx_completed, 0);
}

#[test]
fn send_frame_full_ring_busy() {
    let mut b = testbed();
    for n in 0..4 {
        assert!(b.nic.tx_ready().unwrap());
        b.nic.send_frame(&frame(OTHER, 60 + n)).unwrap();
    }
    assert!(!b.nic.tx_ready().unwrap());
    assert_eq!(b.kind_of_send(60), Err(ErrorKind::Busy));
    assert!(!b.nic.service().unwrap().tx_ready);
    b.clock.advance(Duration::from_nanos(72 * 80));
    assert_eq!(b.nic.stats().tx_frames, 1);
    assert_eq!(b.kind_of_send(60), Ok(()));
    b.settle();
    assert_eq!(b.nic.stats().tx_frames, 5);
    let lens: Vec<_> = core::iter::from_fn(|| b.peer.recv()).map(|f| f.len()).collect();
    assert_eq!(lens, [60, 61, 62, 63, 60]);
}

#[test]
fn full_ring_other_direction_works() {
    let mut b = testbed();
    assert_eq!(b.fill(), 4);
    b.arrive(&frame(OWN, 60));
    assert_eq!(b.recv(), Some(frame(OWN, 60)));
    for _ in 0..9 {
        b.arrive(&frame(OWN, 60));
    }
    b.nic.hardware().stall_tx(false);
    b.settle();
    assert_eq!(b.nic.stats().tx_frames, 4);
    assert!(b.nic.tx_ready().unwrap());
}

#[test]
fn send_frame_illegal_rejected_in_any_state() {
    let illegal = |b: &mut Testbed| {
        assert_eq!(b.kind_of_send(1515), Err(ErrorKind::FrameTooLong { max: 1514 }));
        assert_eq!(b.kind_of_send(13), Err(ErrorKind::FrameTooShort));
        assert_eq!(b.nic.send_vectored(&[]).unwrap_err().kind(), ErrorKind::FrameTooShort);
        let (_, mut tx) = b.nic.split();
        assert!(matches!(
            tx.reserve(usize::MAX),
            Err(RingError::Kind(ErrorKind::FrameTooLong { max: 1514 }))
        ));
        assert!(matches!(tx.reserve(13), Err(RingError::Kind(ErrorKind::FrameTooShort))));
    };
    let mut b = testbed();
    illegal(&mut b);
    b.wire.set_link(false);
    illegal(&mut b);
    b.nic.stop().unwrap();
    illegal(&mut b);
    b.wire.set_link(true);
    b.nic.start().unwrap();
    b.fill();
    illegal(&mut b);
    b.nic.hardware().inject_fault();
    assert_eq!(b.kind_of_send(1515), Err(ErrorKind::Fault));
    assert_eq!(b.nic.stats().tx_frames, 0);
}

#[test]
fn capabilities_follow_config() {
    let mut b = Testbed::new(
        RingConfig::new(OWN)
            .with_max_frame_len(MaxFrameLen::VLAN)
            .with_slots(1, 2),
    );
    let capabilities = b.nic.capabilities();
    assert_eq!(capabilities.rx_max_frame_len.bytes(), 1518);
    assert_eq!(
        (capabilities.rx_queue_frames, capabilities.tx_queue_frames),
        (Some(1), Some(2))
    );
    assert_eq!(b.kind_of_send(1518), Ok(()));
    assert_eq!(b.kind_of_send(1519), Err(ErrorKind::FrameTooLong { max: 1518 }));
    b.arrive(&frame(OWN, 1518));
    assert_eq!(b.recv(), Some(frame(OWN, 1518)));
}

#[test]
fn link_lost_queued_frames_aborted() {
    let mut b = testbed();
    for _ in 0..3 {
        b.nic.send_frame(&frame(OTHER, 60)).unwrap();
    }
    b.clock.advance(Duration::from_micros(1));
    b.wire.set_link(false);
    assert!(b.nic.link().is_up(), "cached");
    assert!(!b.nic.tx_ready().unwrap());
    assert_eq!(b.nic.link(), Link::Down);
    assert_eq!(b.kind_of_send(60), Err(ErrorKind::LinkDown));
    let events = b.nic.service().unwrap();
    assert_eq!(
        (events.link_changed, events.tx_failed, events.tx_ready),
        (true, 3, false)
    );
    b.wire.set_link(true);
    assert!(b.nic.service().unwrap().link_changed);
    assert!(!b.nic.service().unwrap().link_changed);
    assert_eq!(b.kind_of_send(60), Ok(()));
    b.settle();
    let stats = b.nic.stats();
    assert_eq!((stats.tx_frames, stats.tx_aborted, stats.link_changes), (1, 3, 2));
    assert_eq!(b.wire.stats(Side::A).cut, 1);
    assert_eq!(b.peer.pending(), 1);
}

#[test]
fn link_restored_transmitter_finishes_first() {
    let mut b = testbed();
    let hardware = b.nic.hardware();
    b.nic.send_frame(&frame(OTHER, 60)).unwrap();
    b.clock.advance(Duration::from_micros(1));
    b.wire.set_link(false);
    hardware.tx_submit(hardware.tx_take().unwrap(), 60).unwrap();
    b.wire.set_link(true);
    b.clock.advance(Duration::from_micros(5));
    assert_eq!(
        (b.nic.stats().tx_frames, hardware.tx_queued()),
        (0, 1),
        "its own last bit is not out yet"
    );
    b.settle();
    assert_eq!((b.nic.stats().tx_frames, b.peer.pending()), (1, 1));
}

#[test]
fn recv_frame_link_down_pending_frames_delivered() {
    let mut b = testbed();
    b.arrive(&frame(OWN, 60));
    b.wire.set_link(false);
    assert_eq!(b.recv(), Some(frame(OWN, 60)));
    assert_eq!(b.recv(), None);
}

#[test]
fn stop_no_traffic() {
    let mut b = Testbed::new(RingConfig::new(OWN).with_started(false));
    let silent = |b: &mut Testbed| {
        b.arrive(&frame(OWN, 60));
        assert_eq!(b.recv(), None);
        assert_eq!(b.nic.link(), Link::Down);
        assert_eq!(b.kind_of_send(60), Err(ErrorKind::Stopped));
        assert!(!b.nic.tx_ready().unwrap());
        assert!(!b.nic.service().unwrap().tx_ready);
        assert!(b.nic.split().1.reserve(60).unwrap().is_some());
        let (_, mut tx) = b.nic.split();
        tx.reserve(60).unwrap();
        assert_eq!(tx.commit(60), Err(RingError::Kind(ErrorKind::Stopped)));
    };
    silent(&mut b);
    assert_eq!(b.nic.stats(), Stats::ZERO);
    for _ in 0..2 {
        b.nic.start().unwrap();
        assert!(b.nic.link().is_up());
    }
    assert!(b.nic.service().unwrap().link_changed);
    b.arrive(&frame(OWN, 60));
    b.arrive(&frame(OWN, 60));
    b.nic.split().0.peek().unwrap().unwrap();
    b.fill();
    for _ in 0..2 {
        b.nic.stop().unwrap();
    }
    silent(&mut b);
    let stats = b.nic.stats();
    assert_eq!((stats.rx_reset, stats.tx_reset, stats.rx_frames), (2, 16, 0));
    b.nic.start().unwrap();
    b.nic.sleep().unwrap();
    silent(&mut b);
    b.nic.wake().unwrap();
    assert!(b.nic.link().is_up());
    b.nic.sleep().unwrap();
    b.nic.start().unwrap();
    b.arrive(&frame(OWN, 60));
    assert_eq!(b.recv(), Some(frame(OWN, 60)));
}

#[test]
fn settings_after_restart_kept() {
    let mut b = testbed();
    b.nic.set_mac_address(OTHER).unwrap();
    b.nic
        .set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP])))
        .unwrap();
    for bad in [GROUP, MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
        assert_eq!(
            b.nic.set_mac_address(bad),
            Err(RingError::Kind(ErrorKind::InvalidInput))
        );
    }
    let holds = |b: &mut Testbed| {
        assert_eq!(b.nic.mac_address(), OTHER);
        for (to, passes) in [(OTHER, true), (OWN, false), (GROUP, true)] {
            b.arrive(&frame(to, 60));
            assert_eq!(b.recv().is_some(), passes, "{to}");
        }
    };
    holds(&mut b);
    b.nic.stop().unwrap();
    b.nic.start().unwrap();
    holds(&mut b);
    b.nic.sleep().unwrap();
    b.nic.wake().unwrap();
    holds(&mut b);
    b.nic.hardware().inject_fault();
    b.nic.recover().unwrap();
    holds(&mut b);
}

#[test]
fn fault_reported_until_recover_losses_counted() {
    let mut b = testbed();
    let hardware = b.nic.hardware();
    b.arrive(&frame(OWN, 60));
    b.arrive(&frame(OWN, 61));
    b.nic.split().0.peek().unwrap().unwrap();
    assert_eq!(b.fill(), 4);
    hardware.inject_fault();
    b.arrive(&frame(OWN, 62));
    b.arrive(&frame(OTHER, 62));
    for _ in 0..2 {
        assert_eq!(b.nic.recv_frame(&mut [0; 1514]), Err(RingError::Fault));
        assert_eq!(b.nic.discard_frame(), Err(RingError::Fault));
        assert_eq!(b.nic.tx_ready(), Err(RingError::Fault));
        assert_eq!(b.nic.send_frame(&frame(OTHER, 60)), Err(RingError::Fault));
        assert_eq!(b.nic.service(), Err(RingError::Fault));
        assert_eq!(b.nic.disarm(), Err(RingError::Fault));
        assert_eq!(b.nic.rearm(Interest::ALL), Err(RingError::Fault));
        assert_eq!(b.nic.wake(), Err(RingError::Fault));
        let (mut rx, mut tx) = b.nic.split();
        assert_eq!(rx.peek().unwrap().unwrap().len(), 60, "the host has it");
        assert!(tx.ready().is_err() && tx.reserve(60).is_err());
        assert!(tx.send_vectored(&[&[0; 60]]).is_err());
    }
    b.nic.split().0.release().unwrap();
    assert!(b.nic.split().0.peek().is_err());
    hardware.set_dead(true);
    assert_eq!(b.nic.recover(), Err(RingError::Dead));
    assert_eq!(b.nic.recv_frame(&mut [0; 1514]).unwrap_err().kind(), ErrorKind::Fault);
    hardware.set_dead(false);
    hardware.stall_tx(false);
    b.nic.recover().unwrap();
    let stats = b.nic.stats();
    assert_eq!((stats.faults, stats.recoveries), (1, 1));
    assert_eq!((stats.rx_frames, stats.rx_reset, stats.rx_filtered), (1, 2, 1));
    assert_eq!(stats.tx_reset, 4);
    assert_eq!(stats.link_changes, 0, "the transceiver was not reset");
    // As freshly started.
    b.arrive(&frame(OWN, 63));
    assert_eq!(b.recv(), Some(frame(OWN, 63)));
    assert_eq!(b.kind_of_send(60), Ok(()));
    b.settle();
    assert_eq!(b.peer.pending(), 1);
}

#[test]
fn stop_frame_on_wire_sent_and_counted() {
    for fault in [false, true] {
        let mut b = testbed();
        b.nic.send_frame(&frame(OTHER, 60)).unwrap();
        b.nic.send_frame(&frame(OTHER, 61)).unwrap();
        b.clock.advance(Duration::from_micros(1));
        if fault {
            b.nic.hardware().inject_fault();
            b.nic.recover().unwrap();
        } else {
            b.nic.stop().unwrap();
            b.nic.start().unwrap();
        }
        b.nic.send_frame(&frame(OTHER, 62)).unwrap();
        b.settle();
        let lens: Vec<_> = core::iter::from_fn(|| b.peer.recv()).map(|f| f.len()).collect();
        assert_eq!(lens, [60, 62]);
        let stats = b.nic.stats();
        assert_eq!((stats.tx_frames, stats.tx_reset), (2, 1));
    }
}

#[test]
fn peek_not_released_lends_same_frame() {
    let mut b = testbed();
    b.arrive(&frame(OWN, 60));
    b.arrive(&frame(OWN, 61));
    for _ in 0..2 {
        let (mut rx, _tx) = b.nic.split();
        assert_eq!(rx.peek().unwrap().unwrap()[..], frame(OWN, 60)[..]);
        assert_eq!(rx.peek().unwrap().unwrap()[..], frame(OWN, 60)[..]);
    }
    assert_eq!(b.nic.stats().rx_frames, 0);
    let (mut rx, _tx) = b.nic.split();
    rx.release().unwrap();
    rx.release().unwrap();
    assert_eq!(rx.peek().unwrap().unwrap().len(), 61);
    rx.discard().unwrap();
    assert!(rx.peek().unwrap().is_none());
    let stats = b.nic.stats();
    assert_eq!((stats.rx_frames, stats.rx_discarded), (1, 1));
}

#[test]
fn service_lent_frame_rx_pending() {
    let mut b = testbed();
    b.arrive(&frame(OWN, 60));
    b.nic.split().0.peek().unwrap().unwrap();
    assert!(b.nic.service().unwrap().rx_pending);
    b.nic.split().0.release().unwrap();
    assert!(!b.nic.service().unwrap().rx_pending);
}

#[test]
fn peek_no_copy() {
    let mut b = testbed();
    b.arrive(&frame(OWN, 60));
    let (buffer, meta) = b.nic.hardware().rx_take().unwrap();
    let address = buffer.as_ptr();
    assert_eq!(meta.len, 60);
    b.nic.hardware().rx_give(buffer).unwrap();
    for _ in 0..4 {
        b.arrive(&frame(OWN, 60));
    }
    let mut seen = Vec::new();
    let (mut rx, _) = b.nic.split();
    while let Some(frame) = rx.peek().unwrap() {
        seen.push(frame.as_ptr());
        rx.release().unwrap();
    }
    assert!(seen.contains(&address), "the chip's own buffers are lent");
}

#[test]
fn split_reply_while_frame_lent() {
    let mut b = testbed();
    b.arrive(&frame(OWN, 70));
    let (mut rx, mut tx) = b.nic.split();
    let received = rx.peek().unwrap().unwrap();
    let memory = tx.reserve(received.len()).unwrap().unwrap();
    memory.copy_from_slice(&received);
    tx.commit(70).unwrap();
    rx.release().unwrap();
    b.settle();
    assert_eq!(b.peer.recv(), Some(frame(OWN, 70)));
}

#[test]
fn reserve_dropped_buffer_freed() {
    let mut b = testbed();
    for _ in 0..100 {
        let (_, mut tx) = b.nic.split();
        assert!(tx.ready().unwrap());
        assert!(tx.reserve(1514).unwrap().is_some());
        assert!(tx.reserve(60).unwrap().is_some());
    }
    assert_eq!(b.fill(), 4);
    let (_, mut tx) = b.nic.split();
    assert!(!tx.ready().unwrap());
    assert!(tx.reserve(60).unwrap().is_none());
    b.settle();
    assert_eq!(b.peer.pending(), 0);
}

#[test]
fn commit_more_or_twice_rejected() {
    let mut b = testbed();
    let (_, mut tx) = b.nic.split();
    assert_eq!(tx.commit(60), Err(RingError::Kind(ErrorKind::FrameTooLong { max: 0 })));
    tx.reserve(100).unwrap();
    assert_eq!(
        tx.commit(101),
        Err(RingError::Kind(ErrorKind::FrameTooLong { max: 100 }))
    );
    assert_eq!(
        tx.commit(60),
        Err(RingError::Kind(ErrorKind::FrameTooLong { max: 0 })),
        "used up"
    );
    tx.reserve(100).unwrap();
    assert_eq!(tx.commit(13), Err(RingError::Kind(ErrorKind::FrameTooShort)));
    tx.reserve(100).unwrap().unwrap().fill(3);
    tx.commit(80).unwrap();
    assert_eq!(tx.commit(60), Err(RingError::Kind(ErrorKind::FrameTooLong { max: 0 })));
    b.settle();
    assert_eq!(b.peer.recv(), Some(vec![3; 80]));
    assert_eq!(b.fill(), 4, "no refused commit has leaked a descriptor");
}

#[test]
fn commit_link_down_rejected() {
    let mut b = testbed();
    b.wire.set_link(false);
    let (_, mut tx) = b.nic.split();
    assert!(tx.ready().unwrap());
    assert!(tx.reserve(60).unwrap().is_some());
    assert_eq!(tx.commit(60), Err(RingError::Kind(ErrorKind::LinkDown)));
    assert_eq!(tx.send_vectored(&[&[0; 60]]), Err(RingError::Kind(ErrorKind::LinkDown)));
    b.settle();
    assert_eq!(b.nic.stats().tx_lost(), 0);
}

#[test]
fn recv_frame_invalid_chip_length_dropped() {
    let mut b = testbed();
    for forged in [0, 13, 1515, usize::MAX] {
        b.nic.hardware().override_rx_len(forged);
        b.arrive(&frame(OWN, 60));
        b.arrive(&frame(OWN, 61));
        assert_eq!(b.recv(), Some(frame(OWN, 61)), "the chip said {forged}");
    }
    for _ in 0..4 {
        b.nic.hardware().override_rx_len(0);
        b.arrive(&frame(OWN, 60));
    }
    assert_eq!(b.recv(), None);
    assert_eq!(b.nic.stats().rx_bad_length, 8);
    assert_eq!(b.nic.hardware().rx_pending(), 0, "every buffer is back in the ring");
}
