//! Every fault has an observable effect and is counted.

use super::*;
use crate::{Clock, Peer, RingConfig, RingNic, WireConfig};
use ethdev::{Control, Error, Interest, LendingDevice, Rearm, RearmOutcome, RxHalf, TxHalf};
use ethdev::{ErrorKind, EthernetDevice, MacAddress};
use proptest::prelude::*;

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
const LEN: usize = 100;

struct Testbed {
    clock: Clock,
    device: Faulty<RingNic>,
    peer: Peer,
}

impl Testbed {
    fn new(plan: FaultPlan) -> Self {
        let clock = Clock::new();
        let config = RingConfig::new(MacAddress::new(OWN)).with_slots(64, 64);
        let (_, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
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
            // A second peek returns the same frame.
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

/// In both APIs.
fn both(plan: FaultPlan, test: impl Fn(Testbed, bool)) {
    test(Testbed::new(plan), false);
    test(Testbed::new(plan), true);
}

#[test]
fn empty_plan_no_fault() {
    both(FaultPlan::new(), |mut testbed, lending| {
        testbed.arrive(5);
        assert_eq!(testbed.fetch(lending), (0..5).map(frame).collect::<Vec<_>>());
        for n in 0..5 {
            testbed.send(lending, &frame(n)).unwrap();
        }
        assert_eq!(testbed.heard(), (0..5).map(frame).collect::<Vec<_>>());
        assert_eq!(testbed.device.injected(), Injected::default());
        assert_eq!(testbed.device.stats(), testbed.device.inner().stats());
    });
}

#[test]
fn bus_error_call_has_no_effect() {
    let plan = FaultPlan::new().with_bus_error(When::Nth(1));
    let mut testbed = Testbed::new(plan);
    testbed.arrive(1);
    let error = testbed.device.recv_frame(&mut [0; 1514]).unwrap_err();
    assert_eq!(error, ErrorKind::Bus.into());
    assert_eq!(testbed.pull(), [frame(0)]);
    assert_eq!(testbed.device.send_frame(&frame(0)).unwrap_err().kind(), ErrorKind::Bus);
    assert_eq!(testbed.heard(), [] as [Vec<u8>; 0]);
    testbed.device.send_frame(&frame(0)).unwrap();
    assert_eq!(testbed.heard(), [frame(0)]);
    assert_eq!(testbed.device.injected().bus_errors, 2, "one for each direction");
}

#[test]
fn hang_recover_ends_it() {
    let mut testbed = Testbed::new(FaultPlan::new().with_hang(When::Nth(2)));
    testbed.arrive(2);
    let mut buf = [0; 1514];
    assert!(testbed.device.recv_frame(&mut buf).unwrap().is_some());
    for _ in 0..3 {
        assert_eq!(
            testbed.device.recv_frame(&mut buf).unwrap_err().kind(),
            ErrorKind::Fault
        );
        assert_eq!(
            testbed.device.send_frame(&frame(0)).unwrap_err().kind(),
            ErrorKind::Fault
        );
        assert!(testbed.device.start().is_err() && testbed.device.disarm().is_err());
    }
    assert!(testbed.device.is_hung());
    testbed.device.recover().unwrap();
    assert_eq!(testbed.device.recv_frame(&mut buf).unwrap(), None);
    let stats = testbed.device.stats();
    assert_eq!(
        (stats.faults, stats.recoveries, stats.rx_frames, stats.rx_reset),
        (1, 1, 1, 1)
    );
    assert_eq!(testbed.device.injected().hangs, 1);
}

#[test]
fn busy_burst_ends_and_tx_ready_holds() {
    let mut testbed = Testbed::new(FaultPlan::new().with_busy(When::Every(2), 3));
    assert!(testbed.device.tx_ready().unwrap());
    // Promised: the storm that is due does not break out here.
    testbed.device.send_frame(&frame(0)).unwrap();
    for _ in 0..2 {
        assert_eq!(
            testbed.device.send_frame(&frame(1)).unwrap_err().kind(),
            ErrorKind::Busy
        );
    }
    assert!(!testbed.device.tx_ready().unwrap(), "third and last of the storm");
    testbed.device.send_frame(&frame(1)).unwrap();
    assert_eq!(testbed.heard(), [frame(0), frame(1)]);
    assert_eq!(testbed.device.injected().busy, 3);
}

#[test]
fn busy_burst_affects_halves() {
    let mut testbed = Testbed::new(FaultPlan::new().with_busy(When::Nth(1), 2));
    assert_eq!(testbed.send(true, &frame(0)), Err(ErrorKind::Busy));
    assert!(!testbed.device.split().1.ready().unwrap());
    assert_eq!(testbed.send(true, &frame(0)), Ok(()));
    assert_eq!(testbed.heard(), [frame(0)]);
}

#[test]
fn rx_loss_frames_missing_and_counted() {
    both(FaultPlan::new().with_rx_loss(When::Nth(2)), |mut testbed, lending| {
        testbed.arrive(3);
        assert_eq!(testbed.fetch(lending), [frame(0), frame(2)]);
        let stats = testbed.device.stats();
        assert_eq!((stats.rx_frames, stats.rx_error, stats.rx_discarded), (2, 1, 0));
        assert_eq!(stats.rx_bytes as usize, 2 * LEN);
        assert_eq!(testbed.device.injected().rx_dropped, 1);
    });
    both(FaultPlan::new().with_tx_loss(When::Every(2)), |mut testbed, lending| {
        for n in 0..4 {
            testbed.send(lending, &frame(n)).unwrap();
        }
        assert_eq!(testbed.heard(), [frame(0), frame(2)]);
        let stats = testbed.device.stats();
        assert_eq!((stats.tx_frames, stats.tx_aborted), (2, 2));
        assert_eq!(testbed.device.injected().tx_lost, 2);
    });
}

#[test]
fn rx_duplication_frames_delivered_twice() {
    both(
        FaultPlan::new().with_rx_duplication(When::Nth(2)),
        |mut testbed, lending| {
            testbed.arrive(3);
            assert_eq!(testbed.fetch(lending), [frame(0), frame(1), frame(1), frame(2)]);
            assert_eq!(testbed.device.stats().rx_frames, 4);
            assert_eq!(testbed.device.injected().rx_duplicated, 1);
        },
    );
    both(
        FaultPlan::new().with_tx_duplication(When::Nth(1)),
        |mut testbed, lending| {
            testbed.send(lending, &frame(0)).unwrap();
            testbed.send(lending, &frame(1)).unwrap();
            assert_eq!(testbed.heard(), [frame(0), frame(0), frame(1)]);
            assert_eq!(testbed.device.injected().tx_duplicated, 1);
        },
    );
}

#[test]
fn rx_corruption_one_bit_flipped() {
    both(
        FaultPlan::new().with_rx_corruption(When::Nth(2)),
        |mut testbed, lending| {
            testbed.arrive(3);
            let frames = testbed.fetch(lending);
            let bits: Vec<u32> = (0..3)
                .map(|n| differing_bits(&frames[usize::from(n)], &frame(n)))
                .collect();
            assert_eq!(bits, [0, 1, 0]);
            assert_eq!(testbed.device.injected().rx_corrupted, 1);
        },
    );
    both(
        FaultPlan::new().with_tx_corruption(When::Nth(1)),
        |mut testbed, lending| {
            testbed.send(lending, &frame(0)).unwrap();
            let heard = testbed.heard();
            assert_eq!(differing_bits(&heard[0], &frame(0)), 1);
            assert_eq!(testbed.device.injected().tx_corrupted, 1);
        },
    );
}

#[test]
fn rx_truncation_frame_shorter() {
    both(
        FaultPlan::new().with_rx_truncation(When::Nth(1)),
        |mut testbed, lending| {
            testbed.arrive(2);
            let frames = testbed.fetch(lending);
            assert!((14..LEN).contains(&frames[0].len()), "{}", frames[0].len());
            assert_eq!(frames[0], frame(0)[..frames[0].len()]);
            assert_eq!(frames[1], frame(1));
            let stats = testbed.device.stats();
            assert_eq!(stats.rx_bytes as usize, frames[0].len() + LEN);
            assert_eq!(testbed.device.injected().rx_truncated, 1);
        },
    );
}

#[test]
fn spurious_none_frame_kept() {
    both(
        FaultPlan::new().with_spurious_none(When::Nth(2)),
        |mut testbed, lending| {
            testbed.arrive(3);
            assert_eq!(testbed.fetch(lending), [frame(0)]);
            assert_eq!(
                testbed.device.stats().rx_frames,
                1,
                "the withheld frame is not delivered yet"
            );
            assert!(testbed.device.service().unwrap().rx_pending);
            assert_eq!(testbed.device.rearm(Interest::RX).unwrap(), RearmOutcome::WorkPending);
            assert_eq!(testbed.fetch(lending), [frame(1), frame(2)]);
            assert_eq!(testbed.device.injected().spurious_none, 1);
            assert_eq!(testbed.device.stats(), testbed.device.inner().stats());
        },
    );
}

#[test]
fn held_frame_reported_pending() {
    let mut testbed = Testbed::new(FaultPlan::new().with_spurious_none(When::Nth(1)));
    testbed.arrive(1);
    assert_eq!(testbed.pull(), [] as [Vec<u8>; 0]);
    assert!(testbed.device.service().unwrap().rx_pending);
    assert_eq!(testbed.pull(), [frame(0)]);
    assert!(!testbed.device.service().unwrap().rx_pending);
}

#[test]
fn stop_held_copies_not_counted() {
    let mut testbed = Testbed::new(FaultPlan::new().with_rx_duplication(When::Nth(1)));
    testbed.arrive(1);
    assert!(testbed.device.recv_frame(&mut [0; 1514]).unwrap().is_some());
    testbed.device.stop().unwrap();
    let stats = testbed.device.stats();
    assert_eq!((stats.rx_frames, stats.rx_reset), (1, 0));
}

#[test]
fn peek_repeated_frame_corrupted_once() {
    let plan = FaultPlan::new()
        .with_rx_corruption(When::Every(1))
        .with_rx_truncation(When::Every(1));
    let mut testbed = Testbed::new(plan);
    testbed.arrive(1);
    let lent = testbed.device.split().0.peek().unwrap().unwrap().to_vec();
    assert_eq!(testbed.pull(), [lent]);
    let injected = testbed.device.injected();
    assert_eq!((injected.rx_corrupted, injected.rx_truncated), (1, 1));
}

#[test]
fn stop_withheld_frame_counted() {
    let mut testbed = Testbed::new(FaultPlan::new().with_spurious_none(When::Nth(1)));
    testbed.arrive(1);
    assert_eq!(testbed.pull(), [] as [Vec<u8>; 0]);
    testbed.device.stop().unwrap();
    let stats = testbed.device.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes, stats.rx_reset), (0, 0, 1));
}

#[test]
fn link_flap_link_returns() {
    let mut testbed = Testbed::new(FaultPlan::new().with_link_flap(When::Nth(1), 2));
    assert!(testbed.device.link().is_up());
    assert!(testbed.device.service().unwrap().link_changed);
    assert!(!testbed.device.link().is_up());
    assert!(!testbed.device.tx_ready().unwrap());
    assert_eq!(
        testbed.device.send_frame(&frame(0)).unwrap_err().kind(),
        ErrorKind::LinkDown
    );
    assert_eq!(testbed.send(true, &frame(0)), Err(ErrorKind::LinkDown));
    assert!(!testbed.device.service().unwrap().link_changed);
    assert!(testbed.device.service().unwrap().link_changed);
    assert!(testbed.device.link().is_up());
    testbed.device.send_frame(&frame(0)).unwrap();
    assert_eq!(testbed.device.stats().link_changes, 2);
    assert_eq!(testbed.device.injected().link_flaps, 1);
}

#[test]
fn device_fault_passed_on() {
    let mut testbed = Testbed::new(FaultPlan::new());
    testbed.device.inner().hardware().inject_fault();
    let error = testbed.device.send_frame(&[0; 3000]).unwrap_err();
    assert_eq!(error, crate::RingError::Fault);
}

#[test]
#[should_panic(expected = "probability out of range")]
fn with_rx_loss_above_one_panics() {
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
    /// For any plan, delivered and lost frames add up to the arrived and accepted ones.
    #[test]
    fn any_plan_every_frame_counted(plan in plan(), calls in proptest::collection::vec(0_u8..6, 0..100)) {
        let mut testbed = Testbed::new(plan);
        let (mut arrived, mut got, mut got_bytes, mut accepted, mut discarded) = (0_u64, 0_u32, 0_usize, 0_u32, 0_u32);
        let mut buf = [0; 1514];
        for call in calls {
            match call {
                0 => {
                    testbed.arrive(1);
                    arrived += 1;
                }
                1 => {
                    if let Ok(Some(meta)) = testbed.device.recv_frame(&mut buf) {
                        got += 1;
                        got_bytes += meta.len;
                    }
                }
                2 => {
                    let (mut rx, _) = testbed.device.split();
                    if let Ok(Some(frame)) = rx.peek() {
                        got_bytes += frame.len();
                        got += 1;
                        rx.release().unwrap();
                    }
                }
                3 => discarded += u32::from(testbed.device.discard_frame().unwrap_or(false)),
                4 => accepted += u32::from(testbed.send(got % 2 == 0, &frame(0)).is_ok()),
                _ => {
                    let _ = testbed.device.service();
                }
            }
        }
        testbed.settle();
        let injected = testbed.device.injected();
        // A stop counts pending frames.
        while testbed.device.stop().is_err() {}
        let stats = testbed.device.stats();
        prop_assert_eq!(stats.rx_frames, got);
        prop_assert_eq!(stats.rx_bytes as usize, got_bytes);
        prop_assert_eq!(stats.rx_discarded, discarded);
        prop_assert_eq!(u64::from(stats.rx_error), injected.rx_dropped);
        let copies_lost = arrived + injected.rx_duplicated - u64::from(got + discarded + stats.rx_error + stats.rx_reset);
        prop_assert!(copies_lost <= injected.rx_duplicated, "only copies may vanish in a stop");
        let on_wire = u64::from(accepted) - injected.tx_lost + injected.tx_duplicated;
        prop_assert_eq!(u64::from(stats.tx_frames), on_wire);
        prop_assert_eq!(u64::from(stats.tx_aborted), injected.tx_lost);
        prop_assert_eq!(testbed.peer.pending() as u64, on_wire);
    }

    /// The same seed gives the same faults.
    #[test]
    fn same_seed_same_run(plan in plan()) {
        let run = || {
            let mut testbed = Testbed::new(plan);
            let mut seen = Vec::new();
            for n in 0..20 {
                testbed.arrive(1);
                let _ = testbed.send(false, &frame(n));
                let mut buf = [0; 1514];
                seen.push(testbed.device.recv_frame(&mut buf).map(|meta| meta.map(|m| buf[..m.len].to_vec())));
            }
            (seen, testbed.heard(), testbed.device.injected())
        };
        prop_assert_eq!(run(), run());
    }
}
