//! Descriptors with invalid contents, and registers with any values: no panic, no hang, no access
//! outside the buffers, and each closed descriptor is a frame that is delivered or counted.

use ethdev::{Control, EthernetDevice, Interest, LendingDevice, Link, MacAddress, Rearm, RxFilter, RxHalf, TxHalf};
use ethdev_phy::Mac as _;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use proptest::prelude::*;

use crate::mock_chip::{MockBed, RX};
use crate::testbed::{FULL, HALF_10, fewer};

/// Dropped as a whole and counted once, whenever its fragments arrive.
#[test]
fn recv_frame_fragmented_frame_dropped_and_counted_once() {
    for pause_after in 0..3 {
        let mut bed = MockBed::new();
        // Two fragments, the last one, and a good frame of 60 bytes.
        for (n, control) in [1536, 1536, 0x0800_0000 | 3500, 0x0800_0000 | 64]
            .into_iter()
            .enumerate()
        {
            bed.write(false, n, control);
            if n == pause_after {
                assert_eq!(bed.nic.recv_frame(&mut [0; 1536]), Ok(None));
            }
        }
        let got = bed.nic.recv_frame(&mut [0; 1536]).expect("MAC fault");
        assert_eq!(got.map(|meta| meta.len), Some(60));
        assert_eq!((bed.nic.stats().rx_bad_length, bed.nic.stats().rx_frames), (1, 1));
        for n in 0..RX {
            assert_eq!(bed.read(false, n).0 >> 31, 1, "descriptor {n} is empty");
        }
    }
}

/// Each error bit has its own reason.
#[test]
fn recv_frame_error_bits_counted_by_reason() {
    let mut bed = MockBed::new();
    for (mark, len) in [
        (0x0001, 1536), // truncated
        (0x0020, 1519), // too long
        (0x0010, 100),  // dribble
        (0x0004, 100),  // FCS
        (0x0002, 100),  // overrun
        (0x0037, 100),  // all: an overrun makes the others invalid
        (0, 0),         // no error, and no length either
        (0, 17),        // less than a header and an FCS
        (0, 1519),      // more than a frame may have
        (0, 65535),
    ] {
        let n = (bed.nic.stats().rx_lost() as usize) % RX;
        bed.write(false, n, 0x0800_0000 | mark << 16 | len);
        assert_eq!(bed.nic.recv_frame(&mut [0; 2048]), Ok(None), "{mark:#x} {len}");
    }
    let stats = bed.nic.stats();
    assert_eq!(
        (stats.rx_bad_length, stats.rx_error, stats.rx_bad_fcs, stats.rx_overrun),
        (6, 1, 1, 2)
    );
    assert_eq!(stats.rx_frames, 0);
}

/// A ring full of bad frames, repeatedly: each call ends, and the good frame after them is
/// received.
#[test]
fn recv_frame_only_bad_frames_returns() {
    let mut bed = MockBed::new();
    for round in 0..10 {
        for n in 0..RX {
            bed.write(false, n, 0x0804_0000 | 100);
        }
        assert_eq!(bed.nic.recv_frame(&mut [0; 1536]), Ok(None));
        assert_eq!(bed.nic.stats().rx_bad_fcs, (round + 1) * RX as u32);
    }
    // A frame in a ring that was full of bad frames is pending work.
    bed.write(false, 0, 0x0800_0000 | 68);
    assert_eq!(bed.nic.rearm(Interest::RX), Ok(ethdev::RearmOutcome::WorkPending));
    assert_eq!(
        bed.nic.recv_frame(&mut [0; 1536]).map(|m| m.map(|m| m.len)),
        Ok(Some(64))
    );
}

/// Bound of register accesses in one call: two waits that poll, and all settings.
const MOST_ACCESSES: u64 = 400;

/// A call of the driver, or an action of the chip.
#[derive(Debug, Clone)]
enum Call {
    Descriptor(bool, usize, u32),
    Script(Vec<u32>),
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
        2 => proptest::collection::vec(any::<u32>(), 0..30).prop_map(Call::Script),
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
    proptest::collection::vec(call, 0..fewer(120) as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(fewer(256)))]

    #[test]
    fn every_method_any_chip_state_stays_within_bounds(calls in calls()) {
        let mut bed = MockBed::new();
        let (mut before, mut buf) = (bed.nic.stats(), vec![0; 1600]);
        for call in calls {
            match call {
                Call::Descriptor(tx, n, control) => bed.write(tx, n, control),
                Call::Script(values) => bed.registers.script(values),
                Call::Recv(len) => {
                    if let Ok(Some(meta)) = bed.nic.recv_frame(&mut buf[..len]) {
                        prop_assert!((14..=1514).contains(&meta.len) && meta.len <= len);
                    }
                }
                Call::Discard => drop(bed.nic.discard_frame()),
                Call::Send(len) => drop(bed.nic.send_frame(&buf[..len])),
                Call::Halves(reserve, commit) => {
                    let (mut rx, mut tx) = bed.nic.split();
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
                Call::Service => drop(bed.nic.service()),
                Call::Link(n) => drop(bed.nic.set_link([Link::Down, FULL, HALF_10][usize::from(n)])),
                Call::Start => drop(bed.nic.start()),
                Call::Stop => drop(bed.nic.stop()),
                Call::Recover => drop(bed.nic.recover()),
                Call::Rearm => drop(bed.nic.rearm(Interest::ALL)),
                Call::Filter => drop(bed.nic.set_rx_filter(RxFilter::PROMISCUOUS)),
                Call::Address => drop(bed.nic.set_mac_address(MacAddress::new([2, 0, 0, 0, 0, 9]))),
                Call::Mdio => drop(bed.nic.mdio().read(PhyAddress::new(1).expect("an address"), reg::BMSR)),
            }
            let now = bed.nic.stats();
            // Counters only grow, by plausible steps.
            for ((name, now), (_, before)) in now.iter().zip(before.iter()) {
                prop_assert!(name.ends_with("bytes") || now.wrapping_sub(before) < 0x0010_0000, "{}", name);
            }
            before = now;
            bed.check_addresses();
            let accesses = bed.registers.take_accesses();
            prop_assert!(accesses < MOST_ACCESSES, "{} accesses in one call", accesses);
        }
    }
}
