//! Lending, and the counters of sent frames.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{Control, ErrorKind, EthernetDevice, LendingDevice, Link, RxHalf, TxHalf};
use ethdev_enet::Error;
use ethdev_phy::Mac as _;
use nxp_enet_model::{ChipConfig, TxOutcome};
use proptest::prelude::*;

use crate::testbed::{CONFIG, FULL, HALF_10, Testbed, fewer, number, numbered};

/// One register access for each received and each sent frame: the doorbell.
#[test]
fn lending_each_frame_costs_one_register_access() {
    let mut bed = Testbed::new::<8, 8>();
    let accesses = Rc::new(Cell::new(0));
    bed.chip.on_access({
        let accesses = accesses.clone();
        move || accesses.set(accesses.get() + 1)
    });
    for round in 1..=5 {
        for n in 0..8 {
            bed.peer.send(&numbered(n, 200));
        }
        bed.settle();
        let (mut rx, mut tx) = bed.nic.split();
        for n in 0..8 {
            assert!(rx.pending().expect("MAC fault"));
            let frame = rx.peek().expect("MAC fault").expect("a frame");
            assert_eq!(number(&frame), n);
            let answer = tx
                .reserve(frame.len())
                .expect("MAC fault")
                .expect("transmit queue full");
            answer.copy_from_slice(&frame);
            tx.commit(200).expect("MAC fault");
            rx.release().expect("MAC fault");
        }
        assert!(!rx.pending().expect("MAC fault"));
        assert_eq!(accesses.get(), round * 16);
        bed.settle();
    }
}

/// Changes of the reader stay until the frame is released, and do not appear in later frames.
#[test]
fn peek_modified_frame_lent_again_modified() {
    let mut bed = Testbed::new::<2, 2>();
    bed.peer.send(&numbered(1, 100));
    bed.settle();
    let (mut rx, _) = bed.nic.split();
    rx.peek().expect("MAC fault").expect("a frame")[20..].fill(0xee);
    let again = rx.peek().expect("MAC fault").expect("a frame");
    assert!(again[20..].iter().all(|byte| *byte == 0xee));
    rx.release().expect("MAC fault");
    for n in 2..6 {
        bed.peer.send(&numbered(n, 100));
        bed.settle();
        let mut buf = [0; 100];
        bed.nic.recv_frame(&mut buf).expect("MAC fault").expect("a frame");
        assert_eq!(buf[..], numbered(n, 100));
    }
}

#[test]
fn with_vlan_max_frame_len_is_1518() {
    for (vlan, max) in [(false, 1514), (true, 1518)] {
        let mut bed = Testbed::with::<2, 2>(CONFIG.with_vlan(vlan), ChipConfig::default());
        assert_eq!(bed.nic.capabilities().tx_max_frame_len.bytes(), max);
        for len in [max, max + 1] {
            bed.peer.send(&numbered(1, len));
            bed.settle();
            let got = bed.nic.recv_frame(&mut [0; 1536]).expect("MAC fault");
            assert_eq!(got.map(|meta| meta.len), (len == max).then_some(len));
            assert_eq!(bed.nic.send_frame(&numbered(1, len)).is_ok(), len == max);
        }
        assert_eq!(bed.nic.stats().rx_bad_length, 1);
    }
}

/// An action, in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send(usize),
    /// Reserve and drop without commit.
    Reserve(usize),
    Pass(u64),
    Stall(bool),
    /// The outcome of a later transmission. Half duplex only.
    Fate(TxOutcome),
    Link(Link),
    Service,
    Restart,
    Recover,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (14_usize..1515).prop_map(Step::Send),
        2 => (14_usize..1515).prop_map(Step::Reserve),
        4 => (0_u64..2000).prop_map(Step::Pass),
        2 => any::<bool>().prop_map(Step::Stall),
        2 => prop_oneof![Just(TxOutcome::LateCollision), Just(TxOutcome::ExcessiveCollisions)].prop_map(Step::Fate),
        1 => prop_oneof![Just(FULL), Just(HALF_10), Just(Link::Down)].prop_map(Step::Link),
        2 => Just(Step::Service),
        1 => Just(Step::Restart),
        1 => Just(Step::Recover),
    ];
    proptest::collection::vec(step, 0..fewer(80) as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(fewer(128)))]

    /// Each accepted frame is received by the peer or counted as lost, and no counter decreases.
    #[test]
    fn send_frame_any_actions_sent_or_counted(steps in steps()) {
        let mut bed = Testbed::new::<2, 3>();
        let (mut accepted, mut before, mut completed, mut failed, mut link) = (0, bed.nic.stats(), 0, 0, FULL);
        for step in steps {
            match step {
                Step::Send(len) => match bed.nic.send_frame(&numbered(accepted, len)[..len.max(18)]) {
                    Ok(()) => accepted += 1,
                    Err(e) => prop_assert!(e == Error::Kind(ErrorKind::Busy) || (e == Error::Kind(ErrorKind::LinkDown) && !link.is_up())),
                },
                Step::Reserve(len) => {
                    let (_, mut tx) = bed.nic.split();
                    if let Some(memory) = tx.reserve(len).expect("MAC fault") {
                        memory.fill(0xbb);
                    }
                }
                Step::Pass(us) => bed.pass(us),
                Step::Stall(stalled) => bed.chip.stall_tx(stalled),
                Step::Fate(fate) if link == HALF_10 => bed.chip.set_tx_outcomes([fate]),
                Step::Fate(_) => {}
                Step::Link(to) => {
                    // The outcomes were set for half duplex.
                    link = to;
                    bed.chip.clear_tx_outcomes();
                    bed.nic.set_link(to).expect("MAC fault");
                }
                Step::Service => {
                    let events = bed.nic.service().expect("MAC fault");
                    completed += u32::from(events.tx_completed);
                    failed += u32::from(events.tx_failed);
                }
                Step::Restart => bed.nic.stop().and_then(|()| bed.nic.start()).expect("MAC fault"),
                Step::Recover => bed.nic.recover().expect("MAC fault"),
            }
            let stats = bed.nic.stats();
            for ((name, now), (_, before)) in stats.iter().zip(before.iter()) {
                prop_assert!(now >= before, "{} went from {} to {}", name, before, now);
            }
            before = stats;
        }
        bed.chip.stall_tx(false);
        bed.settle();
        let events = bed.nic.service().expect("MAC fault");
        let stats = bed.nic.stats();
        let mut arrived = Vec::new();
        while let Some(frame) = bed.peer.recv() {
            arrived.push(number(&frame));
        }
        prop_assert!(arrived.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(stats.tx_frames as usize, arrived.len());
        prop_assert_eq!(stats.tx_frames + stats.tx_aborted + stats.tx_reset, accepted);
        prop_assert_eq!(completed + u32::from(events.tx_completed), stats.tx_frames);
        prop_assert_eq!(failed + u32::from(events.tx_failed), stats.tx_aborted);
    }
}
