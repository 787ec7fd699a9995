//! Gathering, room, and what the medium does to frames.

use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_lan9118::{Config, Error, Fault};
use lan9118_model::TxFate;
use proptest::prelude::*;

use crate::rig::{Rig, frame};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// However a frame is cut into parts: what arrives is the frame, and the chip has nothing to complain about.
    #[test]
    fn parts_make_a_frame(len in 14_usize..=1514, cuts in prop::collection::vec(0_usize..=1514, 0..9)) {
        let (rig, mut mac) = Rig::started();
        let whole = frame(len);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (len + 1)).collect();
        cuts.sort_unstable();
        let mut parts = Vec::new();
        let mut from = 0;
        for cut in cuts {
            parts.push(&whole[from..cut]);
            from = cut;
        }
        parts.push(&whole[from..]);
        mac.send_vectored(&parts).unwrap();
        rig.pass(200);
        let mut padded = whole.clone();
        padded.resize(len.max(60), 0);
        prop_assert_eq!(rig.peer.recv(), Some(padded));
        mac.service().unwrap();
        prop_assert_eq!((mac.stats().tx_frames, mac.stats().tx_bytes), (1, len as u32));
        prop_assert_eq!(rig.chip.violations(), []);
    }
}

#[test]
fn parts_cost_no_more_than_their_words() {
    let (rig, mut mac) = Rig::started();
    let whole = frame(1514);
    let words = |mac: &mut crate::rig::Driver, parts: &[&[u8]]| {
        let before = rig.chip.bus_counters().tx_words;
        mac.send_vectored(parts).unwrap();
        rig.pass(200);
        rig.chip.bus_counters().tx_words - before
    };
    // Two commands and the data.
    assert_eq!(words(&mut mac, &[&whole]), 2 + 379);
    // Two commands more, and the rest of a word.
    assert_eq!(words(&mut mac, &[&whole[..14], &whole[14..]]), 4 + 4 + 375);
    // Ten parts are packed.
    let many: Vec<&[u8]> = whole.chunks(152).collect();
    assert_eq!(words(&mut mac, &many), 2 + 379);
    rig.assert_clean();
}

#[test]
fn busy_loses_nothing_and_room_comes() {
    let (rig, mut mac) = Rig::started();
    rig.chip.stall_tx(true);
    let mut accepted = 0;
    while mac.tx_ready().unwrap() {
        mac.send_frame(&frame(1514 - accepted)).unwrap();
        accepted += 1;
    }
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Refused(ErrorKind::Busy)));
    assert_eq!(
        mac.send_vectored(&[&frame(60), &[1]]),
        Err(Error::Refused(ErrorKind::Busy))
    );
    // Three in the FIFO, one in the buffer behind it.
    assert_eq!(accepted, 4);
    rig.chip.stall_tx(false);
    rig.pass(1000);
    for n in 0..accepted {
        assert_eq!(rig.peer.recv(), Some(frame(1514 - n)));
    }
    let events = mac.service().unwrap();
    assert_eq!((events.tx_completed, events.tx_failed, events.tx_ready), (4, 0, true));
    rig.assert_clean();
}

#[test]
fn what_the_medium_refuses_is_counted() {
    let (rig, mut mac) = Rig::started();
    rig.chip
        .next_transmissions([TxFate::LateCollision, TxFate::ExcessiveCollisions, TxFate::NoCarrier]);
    for _ in 0..4 {
        mac.send_frame(&frame(100)).unwrap();
        rig.pass(50);
    }
    let events = mac.service().unwrap();
    assert_eq!((mac.stats().tx_aborted, mac.stats().tx_frames), (3, 1));
    // Those before the last were collected when room was looked for.
    assert_eq!((events.tx_completed, events.tx_failed), (1, 0));
    rig.assert_clean();
}

#[test]
fn a_status_of_no_frame_is_a_fault() {
    let (rig, mut mac) = Rig::started();
    rig.chip.inject_spurious_tx_status(0x0040_0000);
    assert!(matches!(mac.service(), Err(Error::Fault(Fault::TxFifo(_)))));
    assert!(matches!(
        mac.send_frame(&frame(60)),
        Err(Error::Fault(Fault::TxFifo(_)))
    ));
    mac.recover().unwrap();
    mac.send_frame(&frame(60)).unwrap();
    assert_eq!(mac.stats().tx_frames, 0);
    rig.pass(20);
    mac.service().unwrap();
    assert_eq!(mac.stats().tx_frames, 1);
}

#[test]
fn a_tag_more_is_allowed_where_asked_for() {
    let rig = Rig::new();
    let mut mac = rig.driver(Config::new().with_vlan(true));
    let mut tagged = frame(1518);
    tagged[12..14].copy_from_slice(&[0x81, 0x00]);
    mac.send_frame(&tagged).unwrap();
    rig.pass(200);
    assert_eq!(rig.peer.recv().as_ref(), Some(&tagged));
    rig.deliver(&tagged);
    assert_eq!(crate::rig::receive(&mut mac), Some(tagged.clone()));
    assert_eq!(
        mac.send_frame(&frame(1519)),
        Err(Error::Refused(ErrorKind::FrameTooLong { max: 1518 }))
    );
    let (_, mut plain) = Rig::started();
    assert_eq!(
        plain.send_frame(&tagged),
        Err(Error::Refused(ErrorKind::FrameTooLong { max: 1514 }))
    );
    rig.assert_clean();
}
