//! A chip that says anything: descriptors with impossible content, registers that read whatever. No panic, no hang, nothing outside the buffers, and every
//! descriptor that is closed is a frame delivered or counted.

use ethdev::{Control, EthernetDevice, Interest, LendingDevice, Link, MacAddress, Rearm, RxFilter, RxHalf, TxHalf};
use ethdev_phy::Mac as _;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use proptest::prelude::*;

use crate::puppet::{RX, Stage};
use crate::rig::{FULL, HALF_10};

/// A frame that takes several descriptors is thrown away as a whole and counted once, whenever its pieces come.
#[test]
fn frames_in_pieces_are_thrown_away_whole() {
    for pause_after in 0..3 {
        let mut stage = Stage::new();
        // Two pieces, the last one, and a good frame of 60 bytes.
        for (n, control) in [1536, 1536, 0x0800_0000 | 3500, 0x0800_0000 | 64]
            .into_iter()
            .enumerate()
        {
            stage.write(false, n, control);
            if n == pause_after {
                assert_eq!(stage.nic.recv_frame(&mut [0; 1536]), Ok(None));
            }
        }
        let got = stage.nic.recv_frame(&mut [0; 1536]).expect("it works");
        assert_eq!(got.map(|meta| meta.len), Some(60));
        assert_eq!((stage.nic.stats().rx_bad_length, stage.nic.stats().rx_frames), (1, 1));
        for n in 0..RX {
            assert_eq!(stage.read(false, n).0 >> 31, 1, "descriptor {n} is empty again");
        }
    }
}

/// Each mark under its own reason.
#[test]
fn errors_are_counted_under_their_reason() {
    let mut stage = Stage::new();
    for (mark, len) in [
        (0x0001, 1536), // cut off
        (0x0020, 1519), // too long
        (0x0010, 100),  // dribble
        (0x0004, 100),  // FCS
        (0x0002, 100),  // overrun
        (0x0037, 100),  // all at once: an overrun makes the others meaningless
        (0, 0),         // no error, and no length either
        (0, 17),        // less than a header and an FCS
        (0, 1519),      // more than a frame may have
        (0, 65535),
    ] {
        let n = (stage.nic.stats().rx_lost() as usize) % RX;
        stage.write(false, n, 0x0800_0000 | mark << 16 | len);
        assert_eq!(stage.nic.recv_frame(&mut [0; 2048]), Ok(None), "{mark:#x} {len}");
    }
    let stats = stage.nic.stats();
    assert_eq!(
        (stats.rx_bad_length, stats.rx_error, stats.rx_bad_fcs, stats.rx_overrun),
        (6, 1, 1, 2)
    );
    assert_eq!(stats.rx_frames, 0);
}

/// A ring full of garbage, again and again: each call ends, and the good frame behind it arrives.
#[test]
fn garbage_without_end_does_not_hang() {
    let mut stage = Stage::new();
    for round in 0..10 {
        for n in 0..RX {
            stage.write(false, n, 0x0804_0000 | 100);
        }
        assert_eq!(stage.nic.recv_frame(&mut [0; 1536]), Ok(None));
        assert_eq!(stage.nic.stats().rx_bad_fcs, (round + 1) * RX as u32);
    }
    // Handed over and back within one call, for ever: the registers cannot do that, but `WorkPending` is what a host is told then.
    stage.write(false, 0, 0x0800_0000 | 68);
    assert_eq!(stage.nic.rearm(Interest::RX), Ok(ethdev::RearmOutcome::WorkPending));
    assert_eq!(
        stage.nic.recv_frame(&mut [0; 1536]).map(|m| m.map(|m| m.len)),
        Ok(Some(64))
    );
}

/// More accesses to registers in one call are no bound. Two waits, each with one look at a time, and the settings.
const MOST_ACCESSES: u64 = 400;

/// Everything that a host may call.
#[derive(Debug, Clone)]
enum Call {
    Descriptor(bool, usize, u32),
    Lies(Vec<u32>),
    Recv(usize),
    Discard,
    Send(usize),
    Halves(usize, usize),
    Service,
    Link(u8),
    Start,
    Stop,
    Recover,
    Rearm,
    Filter,
    Address,
    Mdio,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let control = prop_oneof![
        any::<u32>(),
        (0_u32..2000).prop_map(|len| 0x0800_0000 | len),
        (0_u32..2000).prop_map(|len| 0x8000_0000 | len),
    ];
    let call = prop_oneof![
        8 => (any::<bool>(), 0_usize..3, control).prop_map(|(tx, n, control)| Call::Descriptor(tx, n, control)),
        2 => proptest::collection::vec(any::<u32>(), 0..30).prop_map(Call::Lies),
        4 => (0_usize..1600).prop_map(Call::Recv),
        1 => Just(Call::Discard),
        4 => (0_usize..1600).prop_map(Call::Send),
        4 => (0_usize..1600, 0_usize..1600).prop_map(|(a, b)| Call::Halves(a, b)),
        2 => Just(Call::Service),
        2 => (0_u8..3).prop_map(Call::Link),
        1 => Just(Call::Start),
        1 => Just(Call::Stop),
        2 => Just(Call::Recover),
        1 => Just(Call::Rearm),
        1 => Just(Call::Filter),
        1 => Just(Call::Address),
        1 => Just(Call::Mdio),
    ];
    proptest::collection::vec(call, 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_the_chip_says_does_harm(calls in calls()) {
        let mut stage = Stage::new();
        let (mut before, mut buf) = (stage.nic.stats(), vec![0; 1600]);
        for call in calls {
            match call {
                Call::Descriptor(tx, n, control) => stage.write(tx, n, control),
                Call::Lies(lies) => stage.puppet.lie(lies),
                Call::Recv(len) => {
                    if let Ok(Some(meta)) = stage.nic.recv_frame(&mut buf[..len]) {
                        prop_assert!((14..=1514).contains(&meta.len) && meta.len <= len);
                    }
                }
                Call::Discard => drop(stage.nic.discard_frame()),
                Call::Send(len) => drop(stage.nic.send_frame(&buf[..len])),
                Call::Halves(reserve, commit) => {
                    let (mut rx, mut tx) = stage.nic.split();
                    if let Ok(Some(mut frame)) = rx.peek() {
                        prop_assert!((14..=1514).contains(&frame.len()));
                        frame.fill(0xff);
                    }
                    if let Ok(Some(memory)) = tx.reserve(reserve) {
                        prop_assert_eq!(memory.len(), reserve);
                        memory.fill(0xff);
                    }
                    let _ = tx.commit(commit);
                    let _ = rx.release();
                }
                Call::Service => drop(stage.nic.service()),
                Call::Link(n) => drop(stage.nic.set_link([Link::Down, FULL, HALF_10][usize::from(n)])),
                Call::Start => drop(stage.nic.start()),
                Call::Stop => drop(stage.nic.stop()),
                Call::Recover => drop(stage.nic.recover()),
                Call::Rearm => drop(stage.nic.rearm(Interest::ALL)),
                Call::Filter => drop(stage.nic.set_rx_filter(RxFilter::PROMISCUOUS)),
                Call::Address => drop(stage.nic.set_mac_address(MacAddress::new([2, 0, 0, 0, 0, 9]))),
                Call::Mdio => drop(stage.nic.mdio().read(PhyAddress::new(1).expect("an address"), reg::BMSR)),
            }
            let now = stage.nic.stats();
            // Counters only grow, by sane steps.
            for ((name, now), (_, before)) in now.iter().zip(before.iter()) {
                prop_assert!(name.ends_with("bytes") || now.wrapping_sub(before) < 0x0010_0000, "{}", name);
            }
            before = now;
            stage.check_addresses();
            let accesses = stage.puppet.take_accesses();
            prop_assert!(accesses < MOST_ACCESSES, "{} accesses in one call", accesses);
        }
    }
}
