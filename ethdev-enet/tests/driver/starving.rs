//! The ring runs out of empty descriptors: nothing is lost uncounted, and reception goes on.

use ethdev::{EthernetDevice, Interest, LendingDevice, Rearm, RearmOutcome, RxHalf, Stats};
use nxp_enet_model::ChipConfig;
use proptest::prelude::*;

use crate::rig::{CONFIG, Rig, number, numbered};

/// Receives what is there, and checks that it is in order. How many frames.
fn drain(rig: &mut Rig, last: &mut Option<u32>) -> u32 {
    let mut buf = [0; 1514];
    let mut frames = 0;
    while let Some(meta) = rig.nic.recv_frame(&mut buf).expect("the MAC works") {
        let number = number(&buf[..meta.len]);
        assert!(last.is_none_or(|last| number > last), "{number} after {last:?}");
        *last = Some(number);
        frames += 1;
    }
    frames
}

#[test]
fn a_flood_is_counted_frame_by_frame() {
    let mut rig = Rig::new::<8, 4>();
    let (mut sent, mut received, mut last) = (0, 0, None);
    for round in 0..50 {
        // From a few frames, which the ring holds, to a hundred of the shortest, which neither ring nor FIFO do.
        for _ in 0..[3, 8, 20, 100][round % 4] {
            rig.peer.send(&numbered(sent, [60, 300, 1514][round % 3]));
            sent += 1;
        }
        rig.settle();
        received += drain(&mut rig, &mut last);
    }
    rig.nic.service().expect("the MAC works");
    let stats = rig.nic.stats();
    assert_eq!(stats.rx_frames, received);
    assert!(stats.rx_overrun > 500, "it was no flood: {stats:?}");
    assert_eq!(received + stats.rx_overrun, sent);
    assert_eq!(stats.rx_overrun, stats.rx_lost(), "lost for another reason: {stats:?}");
    assert_eq!(u64::from(stats.rx_overrun), rig.chip.stats().rx_overruns);
}

/// One descriptor that comes back is enough: the uDMA is told, without any other call.
#[test]
fn one_release_lets_one_frame_in() {
    let mut rig = Rig::new::<4, 4>();
    for n in 0..6 {
        rig.peer.send(&numbered(n, 500));
    }
    rig.settle();
    // Four in the ring, two in the FIFO.
    assert_eq!(rig.chip.stats().rx_closed, 4);
    for n in 0..6 {
        let (mut rx, _) = rig.nic.split();
        let frame = rx.peek().expect("the MAC works").expect("a frame");
        assert_eq!(number(&frame), n);
        rx.release().expect("the MAC works");
        assert_eq!(rig.chip.stats().rx_closed, u64::from((n + 5).min(6)));
    }
    rig.settle();
    assert_eq!(rig.nic.stats().rx_lost(), 0);
}

/// Frames that wait in the FIFO are brought out by a stop, and counted.
#[test]
fn a_stop_counts_the_fifo_too() {
    use ethdev::Control;
    let mut rig = Rig::new::<4, 4>();
    for n in 0..9 {
        rig.peer.send(&numbered(n, 400));
    }
    rig.settle();
    rig.nic.stop().expect("the MAC stops");
    let mut expected = Stats::ZERO;
    expected.rx_reset = 9;
    // A stopped device has no link.
    expected.link_changes = 2;
    assert_eq!(rig.nic.stats(), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever arrives, and whenever the host looks: in order, and delivered or counted.
    #[test]
    fn every_frame_is_delivered_or_counted(
        steps in proptest::collection::vec((0_u32..40, 60_usize..1515, 0_u64..3000, any::<bool>()), 1..30),
        fifo in 64_usize..8192,
    ) {
        let mut rig = Rig::with::<3, 2>(CONFIG, ChipConfig::default().with_rx_fifo_bytes(fifo));
        let (mut sent, mut received, mut last) = (0, 0, None);
        for (burst, len, us, look) in steps {
            for _ in 0..burst {
                rig.peer.send(&numbered(sent, len));
                sent += 1;
            }
            rig.pass(us);
            if look {
                received += drain(&mut rig, &mut last);
            }
        }
        rig.pass(200_000);
        // As a host does: it goes on until it may sleep.
        while rig.nic.rearm(Interest::RX) == Ok(RearmOutcome::WorkPending) {
            received += drain(&mut rig, &mut last);
        }
        rig.nic.service().expect("the MAC works");
        prop_assert_eq!(received + rig.nic.stats().rx_overrun, sent, "{:?}", rig.chip);
    }
}
