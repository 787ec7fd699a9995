//! What the halves may be used for, and what it costs.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{EthernetDevice, LendingDevice, RxHalf, TxHalf};
use ethdev_sim::chip::enet::ChipConfig;

use crate::rig::{CONFIG, Rig, number, numbered};

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
