//! The ring has no empty descriptors: each lost frame is counted, and reception continues.

use ethdev::{EthernetDevice, Interest, LendingDevice, Rearm, RearmOutcome, RxHalf, Stats};
use nxp_enet_model::ChipConfig;
use proptest::prelude::*;

use crate::testbed::{CONFIG, Testbed, fewer, number, numbered};

/// Receives all pending frames, checks their order, and returns their number.
fn drain(bed: &mut Testbed, last: &mut Option<u32>) -> u32 {
    let mut buf = [0; 1514];
    let mut frames = 0;
    while let Some(meta) = bed.nic.recv_frame(&mut buf).expect("MAC fault") {
        let number = number(&buf[..meta.len]);
        assert!(last.is_none_or(|last| number > last), "{number} after {last:?}");
        *last = Some(number);
        frames += 1;
    }
    frames
}

#[test]
#[cfg_attr(miri, ignore = "1,600 frames take minutes; shorter tests reach the same unsafe code")]
fn service_overruns_counted_exactly() {
    let mut bed = Testbed::new::<8, 4>();
    let (mut sent, mut received, mut last) = (0, 0, None);
    for round in 0..50 {
        // From a few frames, which fit the ring, to a hundred, which exceed ring and FIFO.
        for _ in 0..[3, 8, 20, 100][round % 4] {
            bed.peer.send(&numbered(sent, [60, 300, 1514][round % 3]));
            sent += 1;
        }
        bed.settle();
        received += drain(&mut bed, &mut last);
    }
    bed.nic.service().expect("MAC fault");
    let stats = bed.nic.stats();
    assert_eq!(stats.rx_frames, received);
    assert!(stats.rx_overrun > 500, "too few overruns: {stats:?}");
    assert_eq!(received + stats.rx_overrun, sent);
    assert_eq!(stats.rx_overrun, stats.rx_lost(), "lost for another reason: {stats:?}");
    assert_eq!(u64::from(stats.rx_overrun), bed.chip.stats().rx_overruns);
}

/// The release restarts the DMA engine without any other call.
#[test]
fn release_full_ring_receives_next_frame() {
    let mut bed = Testbed::new::<4, 4>();
    for n in 0..6 {
        bed.peer.send(&numbered(n, 500));
    }
    bed.settle();
    // Four in the ring, two in the FIFO.
    assert_eq!(bed.chip.stats().rx_closed, 4);
    for n in 0..6 {
        let (mut rx, _) = bed.nic.split();
        let frame = rx.peek().expect("MAC fault").expect("a frame");
        assert_eq!(number(&frame), n);
        rx.release().expect("MAC fault");
        assert_eq!(bed.chip.stats().rx_closed, u64::from((n + 5).min(6)));
    }
    bed.settle();
    assert_eq!(bed.nic.stats().rx_lost(), 0);
}

#[test]
fn stop_frames_in_fifo_counted_in_rx_reset() {
    use ethdev::Control;
    let mut bed = Testbed::new::<4, 4>();
    for n in 0..9 {
        bed.peer.send(&numbered(n, 400));
    }
    bed.settle();
    bed.nic.stop().expect("stop failed");
    let mut expected = Stats::ZERO;
    expected.rx_reset = 9;
    // A stopped device has no link.
    expected.link_changes = 2;
    assert_eq!(bed.nic.stats(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(fewer(64)))]

    /// Any traffic, polled at any time: in order, and delivered or counted.
    #[test]
    fn recv_frame_any_traffic_delivered_or_counted(
        steps in proptest::collection::vec((0..fewer(40), 60_usize..1515, 0_u64..3000, any::<bool>()), 1..fewer(30) as usize),
        fifo in 64_usize..8192,
    ) {
        let mut bed = Testbed::with::<3, 2>(CONFIG, ChipConfig::default().with_rx_fifo_bytes(fifo));
        let (mut sent, mut received, mut last) = (0, 0, None);
        for (burst, len, us, poll) in steps {
            for _ in 0..burst {
                bed.peer.send(&numbered(sent, len));
                sent += 1;
            }
            bed.pass(us);
            if poll {
                received += drain(&mut bed, &mut last);
            }
        }
        bed.pass(200_000);
        // Until the host may sleep.
        let mut rounds = 0;
        while bed.nic.rearm(Interest::RX) == Ok(RearmOutcome::WorkPending) {
            received += drain(&mut bed, &mut last);
            rounds += 1;
            assert!(rounds < 1_000, "work is always pending");
        }
        bed.nic.service().expect("MAC fault");
        prop_assert_eq!(received + bed.nic.stats().rx_overrun, sent, "{:?}", bed.chip);
    }
}
