//! Link changes with pending and queued frames.

use std::collections::VecDeque;

use ethdev::{Control, Duplex, ErrorKind, EthernetDevice, Link, LinkMode, Pause, Speed};
use ethdev_enet::Error;
use ethdev_phy::Mac as _;
use proptest::prelude::*;

use crate::testbed::{CONFIG, FULL, HALF_10, Testbed, fewer, number, numbered};

/// An action, in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Frames arrive, not more than the ring has buffers.
    Arrive(usize),
    /// Frames are read.
    Read(usize),
    Link(Link),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_usize..6).prop_map(Step::Arrive),
        4 => (1_usize..6).prop_map(Step::Read),
        4 => prop_oneof![Just(FULL), Just(HALF_10), Just(Link::Down)].prop_map(Step::Link),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 0..fewer(60) as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(fewer(128)))]

    /// The DMA engine restarts at the first descriptor after each change of the mode.
    #[test]
    fn set_link_any_changes_keep_pending_frames(steps in steps()) {
        let mut bed = Testbed::new::<5, 2>();
        let (mut waiting, mut next, mut reset) = (VecDeque::new(), 0, 0);
        let mut buf = [0; 1514];
        for step in steps {
            match step {
                Step::Arrive(frames) => {
                    for _ in 0..frames.min(5 - waiting.len()) {
                        bed.chip.inject_rx(&numbered(next, 60 + next as usize % 1000));
                        waiting.push_back(next);
                        next += 1;
                    }
                }
                Step::Read(frames) => {
                    for _ in 0..frames {
                        let got = bed.nic.recv_frame(&mut buf).expect("MAC fault");
                        prop_assert_eq!(got.map(|meta| number(&buf[..meta.len])), waiting.pop_front());
                    }
                }
                Step::Link(link) => {
                    // In half of the cases a frame is held meanwhile.
                    if next % 2 == 0 {
                        let _ = bed.nic.recv_frame(&mut []);
                    }
                    bed.nic.set_link(link).expect("MAC fault");
                    prop_assert_eq!(bed.nic.link(), link);
                }
                Step::Restart => {
                    bed.nic.stop().and_then(|()| bed.nic.start()).expect("MAC fault");
                    reset += waiting.len() as u32;
                    waiting.clear();
                }
            }
        }
        let stats = bed.nic.stats();
        prop_assert_eq!(stats.rx_reset, reset);
        prop_assert_eq!(stats.rx_frames + reset + waiting.len() as u32, next);
        prop_assert_eq!(stats.rx_lost(), reset);
    }
}

#[test]
fn set_link_down_drops_and_counts_queued_frames() {
    let mut bed = Testbed::new::<4, 4>();
    bed.nic.send_frame(&numbered(0, 100)).expect("transmit queue full");
    bed.settle();
    bed.chip.stall_tx(true);
    for n in 1..4 {
        bed.nic.send_frame(&numbered(n, 100)).expect("transmit queue full");
    }
    bed.nic.set_link(Link::Down).expect("MAC fault");
    assert_eq!(
        bed.nic.send_frame(&numbered(4, 100)),
        Err(Error::Kind(ErrorKind::LinkDown))
    );
    bed.chip.stall_tx(false);
    bed.settle();
    bed.nic.set_link(FULL).expect("MAC fault");
    bed.settle();
    assert_eq!((bed.nic.stats().tx_frames, bed.nic.stats().tx_reset), (1, 3));
    assert_eq!((bed.peer.recv().map(|f| number(&f)), bed.peer.recv()), (Some(0), None));
    // All four descriptors are free.
    for n in 5..9 {
        bed.nic.send_frame(&numbered(n, 100)).expect("transmit queue full");
    }
    bed.settle();
    for n in 5..9 {
        assert_eq!(bed.peer.recv().map(|f| number(&f)), Some(n));
    }
}

#[test]
fn set_link_mode_change_waits_for_frame_in_transfer() {
    let mut bed = Testbed::new::<4, 4>();
    bed.nic.send_frame(&numbered(1, 1514)).expect("transmit queue full");
    bed.pass(20);
    bed.nic.set_link(HALF_10).expect("MAC fault");
    bed.settle();
    assert_eq!(bed.peer.recv().map(|f| number(&f)), Some(1));
    bed.nic.service().expect("MAC fault");
    assert_eq!(bed.nic.stats().tx_frames, 1);
    assert_eq!(bed.peer.bad_frames(), 0);
}

#[test]
fn pause_obeyed_only_if_negotiated() {
    for negotiated in [false, true] {
        let mut bed = Testbed::with::<4, 4>(CONFIG.with_pause(true), nxp_enet_model::ChipConfig::default());
        let pause = Pause {
            rx: negotiated,
            tx: negotiated,
        };
        let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full).with_pause(pause);
        bed.nic.set_link(Link::Up(mode)).expect("MAC fault");
        // 100 quanta of 512 bits: 512 us.
        let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 0x08, 0, 1, 0, 100];
        frame.resize(60, 0);
        bed.peer.send(&frame);
        bed.pass(10);
        bed.nic.send_frame(&numbered(1, 60)).expect("transmit queue full");
        bed.pass(400);
        assert_eq!(bed.peer.recv().is_some(), !negotiated);
        bed.pass(200);
        assert_eq!(bed.peer.recv().is_some(), negotiated);
        // The MAC does not pass PAUSE frames on.
        assert_eq!(bed.nic.recv_frame(&mut [0; 1514]), Ok(None));
        assert!(bed.nic.modes().contains(ethdev_phy::phy::LinkModes::PAUSE));
    }
}

#[test]
fn set_link_gigabit_unsupported() {
    let mut bed = Testbed::new::<2, 2>();
    let gigabit = Link::Up(LinkMode::new(Speed::MBPS_1000, Duplex::Full));
    assert_eq!(
        bed.nic.set_link(gigabit),
        Err(Error::UnsupportedSpeed(Speed::MBPS_1000))
    );
    assert_eq!(bed.nic.link(), Link::Down);
    // An unknown mode is taken as 100 Mbit/s full duplex.
    bed.nic.set_link(Link::UP).expect("MAC fault");
    bed.nic.send_frame(&numbered(1, 60)).expect("transmit queue full");
    bed.settle();
    assert!(bed.peer.recv().is_some());
    assert!(bed.wire.link().is_up());
}
