//! Every knob changes what is observed, and is counted.

use super::*;
use crate::{Clock, Peer, RingConfig, RingNic, WireConfig};
use ethdev::{Control, Error, Interest, LendingDevice, Rearm, RearmOutcome, RxHalf, TxHalf};
use proptest::prelude::*;

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
const LEN: usize = 100;

struct Bench {
    clock: Clock,
    device: Faulty<RingNic>,
    peer: Peer,
}

impl Bench {
    fn new(plan: FaultPlan) -> Self {
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new(OWN)).with_slots(64, 64);
        let (_, nic, peer) = RingNic::with_station(&clock, WireConfig::default(), config);
        Self {
            clock,
            device: Faulty::new(nic, plan),
            peer,
        }
    }

    /// The peer sends `frames`, numbered.
    fn arrive(&self, frames: u8) {
        for n in 0..frames {
            self.peer.send(&frame(n));
        }
        self.settle();
    }

    fn settle(&self) {
        while self.clock.step() {}
    }

    fn pull(&mut self) -> Vec<Vec<u8>> {
        let mut buf = [0; 1514];
        let mut frames = Vec::new();
        while let Some(meta) = self.device.recv_frame(&mut buf).unwrap() {
            frames.push(buf[..meta.len].to_vec());
        }
        frames
    }

    fn lend(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        let (mut rx, _) = self.device.split();
        loop {
            match rx.peek().unwrap() {
                Some(frame) => frames.push(frame.to_vec()),
                None => return frames,
            }
            // Looked at twice, it is the same.
            assert_eq!(rx.peek().unwrap().as_deref(), frames.last().map(Vec::as_slice));
            rx.release().unwrap();
        }
    }

    fn fetch(&mut self, lending: bool) -> Vec<Vec<u8>> {
        if lending { self.lend() } else { self.pull() }
    }

    fn send(&mut self, lending: bool, frame: &[u8]) -> Result<(), ErrorKind> {
        if !lending {
            return self.device.send_frame(frame).map_err(|e| e.kind());
        }
        let (_, mut tx) = self.device.split();
        match tx.reserve(frame.len()).map_err(|e| e.kind())? {
            Some(memory) => memory.copy_from_slice(frame),
            None => return Err(ErrorKind::Busy),
        }
        tx.commit(frame.len()).map_err(|e| e.kind())
    }

    fn heard(&self) -> Vec<Vec<u8>> {
        self.settle();
        core::iter::from_fn(|| self.peer.recv()).collect()
    }
}

fn frame(n: u8) -> Vec<u8> {
    let mut frame = vec![n; LEN];
    frame[..6].copy_from_slice(&OWN);
    frame
}

fn differing_bits(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// On both surfaces.
fn both(plan: FaultPlan, test: impl Fn(Bench, bool)) {
    test(Bench::new(plan), false);
    test(Bench::new(plan), true);
}

#[test]
fn without_a_plan_nothing_happens() {
    both(FaultPlan::new(), |mut bench, lending| {
        bench.arrive(5);
        assert_eq!(bench.fetch(lending), (0..5).map(frame).collect::<Vec<_>>());
        for n in 0..5 {
            bench.send(lending, &frame(n)).unwrap();
        }
        assert_eq!(bench.heard(), (0..5).map(frame).collect::<Vec<_>>());
        assert_eq!(bench.device.injected(), Injected::default());
        assert_eq!(bench.device.stats(), bench.device.inner().stats());
    });
}

#[test]
fn a_bus_error_comes_before_any_effect() {
    let plan = FaultPlan::new().with_bus_error(When::Nth(1));
    let mut bench = Bench::new(plan);
    bench.arrive(1);
    let error = bench.device.recv_frame(&mut [0; 1514]).unwrap_err();
    assert_eq!(error, LayerError::Layer(ErrorKind::Bus));
    assert_eq!(bench.pull(), [frame(0)]);
    assert_eq!(bench.device.send_frame(&frame(0)).unwrap_err().kind(), ErrorKind::Bus);
    assert_eq!(bench.heard(), [] as [Vec<u8>; 0]);
    bench.device.send_frame(&frame(0)).unwrap();
    assert_eq!(bench.heard(), [frame(0)]);
    assert_eq!(bench.device.injected().bus_errors, 2, "one for each direction");
}

#[test]
fn a_hang_lasts_until_recovery() {
    let mut bench = Bench::new(FaultPlan::new().with_hang(When::Nth(2)));
    bench.arrive(2);
    let mut buf = [0; 1514];
    assert!(bench.device.recv_frame(&mut buf).unwrap().is_some());
    for _ in 0..3 {
        assert_eq!(bench.device.recv_frame(&mut buf).unwrap_err().kind(), ErrorKind::Fault);
        assert_eq!(bench.device.send_frame(&frame(0)).unwrap_err().kind(), ErrorKind::Fault);
        assert!(bench.device.start().is_err() && bench.device.disarm().is_err());
    }
    assert!(bench.device.is_hung());
    bench.device.recover().unwrap();
    assert_eq!(bench.device.recv_frame(&mut buf).unwrap(), None);
    let stats = bench.device.stats();
    assert_eq!(
        (stats.faults, stats.recoveries, stats.rx_frames, stats.rx_reset),
        (1, 1, 1, 1)
    );
    assert_eq!(bench.device.injected().hangs, 1);
}

#[test]
fn a_storm_of_busy_ends_and_promises_are_kept() {
    let mut bench = Bench::new(FaultPlan::new().with_busy(When::Every(2), 3));
    assert!(bench.device.tx_ready().unwrap());
    // Promised: the storm that is due does not break out here.
    bench.device.send_frame(&frame(0)).unwrap();
    for _ in 0..2 {
        assert_eq!(bench.device.send_frame(&frame(1)).unwrap_err().kind(), ErrorKind::Busy);
    }
    assert!(!bench.device.tx_ready().unwrap(), "third and last of the storm");
    bench.device.send_frame(&frame(1)).unwrap();
    assert_eq!(bench.heard(), [frame(0), frame(1)]);
    assert_eq!(bench.device.injected().busy, 3);
}

#[test]
fn lending_meets_the_storm_too() {
    let mut bench = Bench::new(FaultPlan::new().with_busy(When::Nth(1), 2));
    assert_eq!(bench.send(true, &frame(0)), Err(ErrorKind::Busy));
    assert!(!bench.device.split().1.ready().unwrap());
    assert_eq!(bench.send(true, &frame(0)), Ok(()));
    assert_eq!(bench.heard(), [frame(0)]);
}

#[test]
fn lost_frames_are_missing_and_counted() {
    both(FaultPlan::new().with_rx_loss(When::Nth(2)), |mut bench, lending| {
        bench.arrive(3);
        assert_eq!(bench.fetch(lending), [frame(0), frame(2)]);
        let stats = bench.device.stats();
        assert_eq!((stats.rx_frames, stats.rx_error, stats.rx_discarded), (2, 1, 0));
        assert_eq!(stats.rx_bytes as usize, 2 * LEN);
        assert_eq!(bench.device.injected().rx_dropped, 1);
    });
    both(FaultPlan::new().with_tx_loss(When::Every(2)), |mut bench, lending| {
        for n in 0..4 {
            bench.send(lending, &frame(n)).unwrap();
        }
        assert_eq!(bench.heard(), [frame(0), frame(2)]);
        let stats = bench.device.stats();
        assert_eq!((stats.tx_frames, stats.tx_aborted), (2, 2));
        assert_eq!(bench.device.injected().tx_lost, 2);
    });
}

#[test]
fn duplicates_are_delivered_twice() {
    both(
        FaultPlan::new().with_rx_duplication(When::Nth(2)),
        |mut bench, lending| {
            bench.arrive(3);
            assert_eq!(bench.fetch(lending), [frame(0), frame(1), frame(1), frame(2)]);
            assert_eq!(bench.device.stats().rx_frames, 4);
            assert_eq!(bench.device.injected().rx_duplicated, 1);
        },
    );
    both(
        FaultPlan::new().with_tx_duplication(When::Nth(1)),
        |mut bench, lending| {
            bench.send(lending, &frame(0)).unwrap();
            bench.send(lending, &frame(1)).unwrap();
            assert_eq!(bench.heard(), [frame(0), frame(0), frame(1)]);
            assert_eq!(bench.device.injected().tx_duplicated, 1);
        },
    );
}

#[test]
fn corruption_flips_one_bit_of_what_is_delivered() {
    both(
        FaultPlan::new().with_rx_corruption(When::Nth(2)),
        |mut bench, lending| {
            bench.arrive(3);
            let frames = bench.fetch(lending);
            let bits: Vec<u32> = (0..3)
                .map(|n| differing_bits(&frames[usize::from(n)], &frame(n)))
                .collect();
            assert_eq!(bits, [0, 1, 0]);
            assert_eq!(bench.device.injected().rx_corrupted, 1);
        },
    );
    both(
        FaultPlan::new().with_tx_corruption(When::Nth(1)),
        |mut bench, lending| {
            bench.send(lending, &frame(0)).unwrap();
            let heard = bench.heard();
            assert_eq!(differing_bits(&heard[0], &frame(0)), 1);
            assert_eq!(bench.device.injected().tx_corrupted, 1);
        },
    );
}

#[test]
fn truncation_shortens_what_is_delivered() {
    both(
        FaultPlan::new().with_rx_truncation(When::Nth(1)),
        |mut bench, lending| {
            bench.arrive(2);
            let frames = bench.fetch(lending);
            assert!((14..LEN).contains(&frames[0].len()), "{}", frames[0].len());
            assert_eq!(frames[0], frame(0)[..frames[0].len()]);
            assert_eq!(frames[1], frame(1));
            let stats = bench.device.stats();
            assert_eq!(stats.rx_bytes as usize, frames[0].len() + LEN);
            assert_eq!(bench.device.injected().rx_truncated, 1);
        },
    );
}

#[test]
fn nothing_pending_is_a_lie_that_loses_nothing() {
    both(
        FaultPlan::new().with_spurious_none(When::Nth(2)),
        |mut bench, lending| {
            bench.arrive(3);
            assert_eq!(bench.fetch(lending), [frame(0)]);
            assert_eq!(
                bench.device.stats().rx_frames,
                1,
                "the withheld frame is not delivered yet"
            );
            assert!(bench.device.service().unwrap().rx_pending);
            assert_eq!(bench.device.rearm(Interest::RX).unwrap(), RearmOutcome::WorkPending);
            assert_eq!(bench.fetch(lending), [frame(1), frame(2)]);
            assert_eq!(bench.device.injected().spurious_none, 1);
            assert_eq!(bench.device.stats(), bench.device.inner().stats());
        },
    );
}

#[test]
fn what_this_layer_keeps_is_pending() {
    let mut bench = Bench::new(FaultPlan::new().with_spurious_none(When::Nth(1)));
    bench.arrive(1);
    assert_eq!(bench.pull(), [] as [Vec<u8>; 0]);
    assert!(bench.device.service().unwrap().rx_pending);
    assert_eq!(bench.pull(), [frame(0)]);
    assert!(!bench.device.service().unwrap().rx_pending);
}

#[test]
fn a_stop_forgets_copies_without_counting_them() {
    let mut bench = Bench::new(FaultPlan::new().with_rx_duplication(When::Nth(1)));
    bench.arrive(1);
    assert!(bench.device.recv_frame(&mut [0; 1514]).unwrap().is_some());
    bench.device.stop().unwrap();
    let stats = bench.device.stats();
    assert_eq!((stats.rx_frames, stats.rx_reset), (1, 0));
}

#[test]
fn a_frame_is_spoilt_once_however_it_is_looked_at() {
    let plan = FaultPlan::new()
        .with_rx_corruption(When::Every(1))
        .with_rx_truncation(When::Every(1));
    let mut bench = Bench::new(plan);
    bench.arrive(1);
    let lent = bench.device.split().0.peek().unwrap().unwrap().to_vec();
    assert_eq!(bench.pull(), [lent]);
    let injected = bench.device.injected();
    assert_eq!((injected.rx_corrupted, injected.rx_truncated), (1, 1));
}

#[test]
fn a_stop_loses_what_is_withheld() {
    let mut bench = Bench::new(FaultPlan::new().with_spurious_none(When::Nth(1)));
    bench.arrive(1);
    assert_eq!(bench.pull(), [] as [Vec<u8>; 0]);
    bench.device.stop().unwrap();
    let stats = bench.device.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes, stats.rx_reset), (0, 0, 1));
}

#[test]
fn the_link_flaps_and_comes_back() {
    let mut bench = Bench::new(FaultPlan::new().with_link_flap(When::Nth(1), 2));
    assert!(bench.device.link().is_up());
    assert!(bench.device.service().unwrap().link_changed);
    assert!(!bench.device.link().is_up());
    assert!(!bench.device.tx_ready().unwrap());
    assert_eq!(
        bench.device.send_frame(&frame(0)).unwrap_err().kind(),
        ErrorKind::LinkDown
    );
    assert_eq!(bench.send(true, &frame(0)), Err(ErrorKind::LinkDown));
    assert!(!bench.device.service().unwrap().link_changed);
    assert!(bench.device.service().unwrap().link_changed);
    assert!(bench.device.link().is_up());
    bench.device.send_frame(&frame(0)).unwrap();
    assert_eq!(bench.device.stats().link_changes, 2);
    assert_eq!(bench.device.injected().link_flaps, 1);
}

#[test]
fn faults_of_the_device_come_through() {
    let mut bench = Bench::new(FaultPlan::new());
    bench.device.inner().hardware().inject_fault();
    let error = bench.device.send_frame(&[0; 3000]).unwrap_err();
    assert_eq!(error, LayerError::Device(crate::RingError::Fault));
}

#[test]
#[should_panic(expected = "between 0 and 1")]
fn a_chance_is_a_probability() {
    let _ = FaultPlan::new().with_rx_loss(When::Chance(1.5));
}

fn chance() -> impl Strategy<Value = When> {
    prop_oneof![2 => Just(When::Never), 3 => (0.0..0.5).prop_map(When::Chance)]
}

fn plan() -> impl Strategy<Value = FaultPlan> {
    (any::<u64>(), proptest::collection::vec(chance(), 11)).prop_map(|(seed, w)| {
        FaultPlan::new()
            .with_seed(seed)
            .with_bus_error(w[0])
            .with_busy(w[1], 3)
            .with_spurious_none(w[2])
            .with_rx_loss(w[3])
            .with_rx_duplication(w[4])
            .with_rx_corruption(w[5])
            .with_rx_truncation(w[6])
            .with_tx_loss(w[7])
            .with_tx_duplication(w[8])
            .with_tx_corruption(w[9])
            .with_link_flap(w[10], 2)
    })
}

proptest! {
    /// Whatever the plan, what is delivered and lost adds up to what arrived and was accepted.
    #[test]
    fn every_frame_is_accounted_for(plan in plan(), calls in proptest::collection::vec(0_u8..6, 0..100)) {
        let mut bench = Bench::new(plan);
        let (mut arrived, mut got, mut got_bytes, mut accepted, mut discarded) = (0_u64, 0_u32, 0_usize, 0_u32, 0_u32);
        let mut buf = [0; 1514];
        for call in calls {
            match call {
                0 => {
                    bench.arrive(1);
                    arrived += 1;
                }
                1 => {
                    if let Ok(Some(meta)) = bench.device.recv_frame(&mut buf) {
                        got += 1;
                        got_bytes += meta.len;
                    }
                }
                2 => {
                    let (mut rx, _) = bench.device.split();
                    if let Ok(Some(frame)) = rx.peek() {
                        got_bytes += frame.len();
                        got += 1;
                        rx.release().unwrap();
                    }
                }
                3 => discarded += u32::from(bench.device.discard_frame().unwrap_or(false)),
                4 => accepted += u32::from(bench.send(got % 2 == 0, &frame(0)).is_ok()),
                _ => {
                    let _ = bench.device.service();
                }
            }
        }
        bench.settle();
        let injected = bench.device.injected();
        // A stop empties what is pending into the books.
        while bench.device.stop().is_err() {}
        let stats = bench.device.stats();
        prop_assert_eq!(stats.rx_frames, got);
        prop_assert_eq!(stats.rx_bytes as usize, got_bytes);
        prop_assert_eq!(stats.rx_discarded, discarded);
        prop_assert_eq!(u64::from(stats.rx_error), injected.rx_dropped);
        let copies_lost = arrived + injected.rx_duplicated - u64::from(got + discarded + stats.rx_error + stats.rx_reset);
        prop_assert!(copies_lost <= injected.rx_duplicated, "only copies may vanish in a stop");
        let on_wire = u64::from(accepted) - injected.tx_lost + injected.tx_duplicated;
        prop_assert_eq!(u64::from(stats.tx_frames), on_wire);
        prop_assert_eq!(u64::from(stats.tx_aborted), injected.tx_lost);
        prop_assert_eq!(bench.peer.pending() as u64, on_wire);
    }

    /// The same seed gives the same faults.
    #[test]
    fn runs_repeat(plan in plan()) {
        let run = || {
            let mut bench = Bench::new(plan);
            let mut seen = Vec::new();
            for n in 0..20 {
                bench.arrive(1);
                let _ = bench.send(false, &frame(n));
                let mut buf = [0; 1514];
                seen.push(bench.device.recv_frame(&mut buf).map(|meta| meta.map(|m| buf[..m.len].to_vec())));
            }
            (seen, bench.heard(), bench.device.injected())
        };
        prop_assert_eq!(run(), run());
    }
}
