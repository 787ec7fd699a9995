//! Changes of the link while frames wait.

use std::collections::VecDeque;

use ethdev::{Control, Duplex, EthernetDevice, Link, LinkMode, Pause, Speed};
use ethdev_enet::Error;
use ethdev_phy::Mac as _;
use proptest::prelude::*;

use crate::rig::{CONFIG, FULL, HALF_10, Rig, number, numbered};

/// What is done in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many frames arrive, no more than there is room for.
    Arrive(usize),
    /// So many are read.
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
    proptest::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The uDMA begins at the first descriptor whenever the mode changes; the reader does not notice.
    #[test]
    fn frames_survive_changes_of_the_mode(steps in steps()) {
        let mut rig = Rig::new::<5, 2>();
        let (mut waiting, mut next, mut reset) = (VecDeque::new(), 0, 0);
        let mut buf = [0; 1514];
        for step in steps {
            match step {
                Step::Arrive(frames) => {
                    for _ in 0..frames.min(5 - waiting.len()) {
                        rig.chip.inject_rx(&numbered(next, 60 + next as usize % 1000));
                        waiting.push_back(next);
                        next += 1;
                    }
                }
                Step::Read(frames) => {
                    for _ in 0..frames {
                        let got = rig.nic.recv_frame(&mut buf).expect("the MAC works");
                        prop_assert_eq!(got.map(|meta| number(&buf[..meta.len])), waiting.pop_front());
                    }
                }
                Step::Link(link) => {
                    // One is lent meanwhile, half the time.
                    if next % 2 == 0 {
                        let _ = rig.nic.recv_frame(&mut []);
                    }
                    rig.nic.set_link(link).expect("the MAC works");
                    prop_assert_eq!(rig.nic.link(), link);
                }
                Step::Restart => {
                    rig.nic.stop().and_then(|()| rig.nic.start()).expect("the MAC works");
                    reset += waiting.len() as u32;
                    waiting.clear();
                }
            }
        }
        let stats = rig.nic.stats();
        prop_assert_eq!(stats.rx_reset, reset);
        prop_assert_eq!(stats.rx_frames + reset + waiting.len() as u32, next);
        prop_assert_eq!(stats.rx_lost(), reset);
    }
}

/// What waits to be sent when the link goes down is dropped and counted; what was sent is not.
#[test]
fn a_lost_link_drops_what_waits() {
    let mut rig = Rig::new::<4, 4>();
    rig.nic.send_frame(&numbered(0, 100)).expect("room");
    rig.settle();
    rig.chip.stall_tx(true);
    for n in 1..4 {
        rig.nic.send_frame(&numbered(n, 100)).expect("room");
    }
    rig.nic.set_link(Link::Down).expect("the MAC works");
    assert_eq!(rig.nic.send_frame(&numbered(4, 100)), Err(Error::LinkDown));
    rig.chip.stall_tx(false);
    rig.settle();
    rig.nic.set_link(FULL).expect("the MAC works");
    rig.settle();
    assert_eq!((rig.nic.stats().tx_frames, rig.nic.stats().tx_reset), (1, 3));
    assert_eq!((rig.peer.recv().map(|f| number(&f)), rig.peer.recv()), (Some(0), None));
    // All four descriptors are there again.
    for n in 5..9 {
        rig.nic.send_frame(&numbered(n, 100)).expect("room");
    }
    rig.settle();
    for n in 5..9 {
        assert_eq!(rig.peer.recv().map(|f| number(&f)), Some(n));
    }
}

/// The frame that is going out goes out before the mode changes.
#[test]
fn a_change_of_the_mode_waits_for_the_frame_on_the_wire() {
    let mut rig = Rig::new::<4, 4>();
    rig.nic.send_frame(&numbered(1, 1514)).expect("room");
    rig.pass(20);
    rig.nic.set_link(HALF_10).expect("the MAC works");
    rig.settle();
    assert_eq!(rig.peer.recv().map(|f| number(&f)), Some(1));
    rig.nic.service().expect("the MAC works");
    assert_eq!(rig.nic.stats().tx_frames, 1);
    assert_eq!(rig.peer.bad_frames(), 0);
}

/// PAUSE is honoured where it was agreed on, and nowhere else.
#[test]
fn pause_is_honoured_where_agreed() {
    for agreed in [false, true] {
        let mut rig = Rig::with::<4, 4>(CONFIG.with_pause(true), nxp_enet_model::ChipConfig::default());
        let pause = Pause { rx: agreed, tx: agreed };
        let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full).with_pause(pause);
        rig.nic.set_link(Link::Up(mode)).expect("the MAC works");
        // 100 quanta of 512 bits: 512 us.
        let mut frame = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 0x08, 0, 1, 0, 100];
        frame.resize(60, 0);
        rig.peer.send(&frame);
        rig.pass(10);
        rig.nic.send_frame(&numbered(1, 60)).expect("room");
        rig.pass(400);
        assert_eq!(rig.peer.recv().is_some(), !agreed);
        rig.pass(200);
        assert_eq!(rig.peer.recv().is_some(), agreed);
        // It is the MAC's own business: no stack sees it.
        assert_eq!(rig.nic.recv_frame(&mut [0; 1514]), Ok(None));
        assert!(rig.nic.modes().contains(ethdev_phy::phy::LinkModes::PAUSE));
    }
}

#[test]
fn other_speeds_are_refused() {
    let mut rig = Rig::new::<2, 2>();
    let gigabit = Link::Up(LinkMode::new(Speed::MBPS_1000, Duplex::Full));
    assert_eq!(rig.nic.set_link(gigabit), Err(Error::UnsupportedSpeed));
    assert_eq!(rig.nic.link(), Link::Down);
    // A mode that nobody knows counts as 100 Mbit/s full duplex.
    rig.nic.set_link(Link::UP).expect("the MAC works");
    rig.nic.send_frame(&numbered(1, 60)).expect("room");
    rig.settle();
    assert!(rig.peer.recv().is_some());
    assert!(rig.wire.link().is_up());
}
