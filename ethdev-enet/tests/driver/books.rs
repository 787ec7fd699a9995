//! What the halves may be used for, and what it costs.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{Control, EthernetDevice, LendingDevice, Link, RxHalf, TxHalf};
use ethdev_enet::Error;
use ethdev_phy::Mac as _;
use nxp_enet_model::{ChipConfig, TxFate};
use proptest::prelude::*;

use crate::rig::{CONFIG, FULL, HALF_10, Rig, number, numbered};

/// One access to the chip for each frame received, and one for each frame sent: its doorbell.
#[test]
fn a_frame_costs_one_access() {
    let mut rig = Rig::new::<8, 8>();
    let accesses = Rc::new(Cell::new(0));
    rig.chip.on_access({
        let accesses = accesses.clone();
        move || accesses.set(accesses.get() + 1)
    });
    for round in 1..=5 {
        for n in 0..8 {
            rig.peer.send(&numbered(n, 200));
        }
        rig.settle();
        let (mut rx, mut tx) = rig.nic.split();
        for n in 0..8 {
            assert!(rx.pending().expect("it works"));
            let frame = rx.peek().expect("it works").expect("a frame");
            assert_eq!(number(&frame), n);
            let answer = tx.reserve(frame.len()).expect("it works").expect("room");
            answer.copy_from_slice(&frame);
            tx.commit(200).expect("it works");
            rx.release().expect("it works");
        }
        assert!(!rx.pending().expect("it works"));
        assert_eq!(accesses.get(), round * 16);
        rig.settle();
    }
}

/// What a reader wrote into a frame is there until it gives the frame back, and in nobody else's frame afterwards.
#[test]
fn a_lent_frame_is_the_readers() {
    let mut rig = Rig::new::<2, 2>();
    rig.peer.send(&numbered(1, 100));
    rig.settle();
    let (mut rx, _) = rig.nic.split();
    rx.peek().expect("it works").expect("a frame")[20..].fill(0xee);
    let again = rx.peek().expect("it works").expect("a frame");
    assert!(again[20..].iter().all(|byte| *byte == 0xee));
    rx.release().expect("it works");
    for n in 2..6 {
        rig.peer.send(&numbered(n, 100));
        rig.settle();
        let mut buf = [0; 100];
        rig.nic.recv_frame(&mut buf).expect("it works").expect("a frame");
        assert_eq!(buf[..], numbered(n, 100));
    }
}

/// With VLAN tags, the longest frame is four bytes longer, both ways.
#[test]
fn tagged_frames_fit() {
    for (vlan, max) in [(false, 1514), (true, 1518)] {
        let mut rig = Rig::with::<2, 2>(CONFIG.with_vlan(vlan), ChipConfig::default());
        assert_eq!(rig.nic.capabilities().tx_max_frame_len.bytes(), max);
        for len in [max, max + 1] {
            rig.peer.send(&numbered(1, len));
            rig.settle();
            let got = rig.nic.recv_frame(&mut [0; 1536]).expect("it works");
            assert_eq!(got.map(|meta| meta.len), (len == max).then_some(len));
            assert_eq!(rig.nic.send_frame(&numbered(1, len)).is_ok(), len == max);
        }
        assert_eq!(rig.nic.stats().rx_bad_length, 1);
    }
}

/// What is done in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send(usize),
    /// Reserved, written to, and dropped.
    Waver(usize),
    Pass(u64),
    Stall(bool),
    /// What becomes of a later transmission. Only in half duplex there is a choice.
    Fate(TxFate),
    Link(Link),
    Service,
    Restart,
    Recover,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (14_usize..1515).prop_map(Step::Send),
        2 => (14_usize..1515).prop_map(Step::Waver),
        4 => (0_u64..2000).prop_map(Step::Pass),
        2 => any::<bool>().prop_map(Step::Stall),
        2 => prop_oneof![Just(TxFate::LateCollision), Just(TxFate::TooManyCollisions)].prop_map(Step::Fate),
        1 => prop_oneof![Just(FULL), Just(HALF_10), Just(Link::Down)].prop_map(Step::Link),
        2 => Just(Step::Service),
        1 => Just(Step::Restart),
        1 => Just(Step::Recover),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever happens to the link, to the medium and to the chip: each frame that was accepted is at the peer, or counted as lost, and no counter goes back.
    #[test]
    fn every_accepted_frame_is_sent_or_counted(steps in steps()) {
        let mut rig = Rig::new::<2, 3>();
        let (mut accepted, mut before, mut completed, mut failed, mut link) = (0, rig.nic.stats(), 0, 0, FULL);
        for step in steps {
            match step {
                Step::Send(len) => match rig.nic.send_frame(&numbered(accepted, len)[..len.max(18)]) {
                    Ok(()) => accepted += 1,
                    Err(e) => prop_assert!(e == Error::Busy || (e == Error::LinkDown && !link.is_up())),
                },
                Step::Waver(len) => {
                    let (_, mut tx) = rig.nic.split();
                    if let Some(memory) = tx.reserve(len).expect("it works") {
                        memory.fill(0xbb);
                    }
                }
                Step::Pass(us) => rig.pass(us),
                Step::Stall(stalled) => rig.chip.stall_tx(stalled),
                Step::Fate(fate) if link == HALF_10 => rig.chip.next_transmissions([fate]),
                Step::Fate(_) => {}
                Step::Link(to) => {
                    // Fates that were drawn for half duplex are over with it.
                    link = to;
                    rig.chip.forget_transmissions();
                    rig.nic.set_link(to).expect("it works");
                }
                Step::Service => {
                    let events = rig.nic.service().expect("it works");
                    completed += u32::from(events.tx_completed);
                    failed += u32::from(events.tx_failed);
                }
                Step::Restart => rig.nic.stop().and_then(|()| rig.nic.start()).expect("it works"),
                Step::Recover => rig.nic.recover().expect("it works"),
            }
            let stats = rig.nic.stats();
            for ((name, now), (_, before)) in stats.iter().zip(before.iter()) {
                prop_assert!(now >= before, "{} went from {} to {}", name, before, now);
            }
            before = stats;
        }
        rig.chip.stall_tx(false);
        rig.settle();
        let events = rig.nic.service().expect("it works");
        let stats = rig.nic.stats();
        let mut arrived = Vec::new();
        while let Some(frame) = rig.peer.recv() {
            arrived.push(number(&frame));
        }
        prop_assert!(arrived.is_sorted_by(|a, b| a < b));
        prop_assert_eq!(stats.tx_frames as usize, arrived.len());
        prop_assert_eq!(stats.tx_frames + stats.tx_aborted + stats.tx_reset, accepted);
        prop_assert_eq!(completed + u32::from(events.tx_completed), stats.tx_frames);
        prop_assert_eq!(failed + u32::from(events.tx_failed), stats.tx_aborted);
    }
}
