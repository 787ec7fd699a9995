//! Vectored frames, free space, and failed transmissions.

use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_lan9118::{Config, Error, Fault};
use lan9118_model::TxOutcome;
use proptest::prelude::*;

use std::cell::Cell;
use std::rc::Rc;

use crate::testbed::{Testbed, frame};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any division of a frame into parts.
    #[test]
    fn send_vectored_any_parts_sends_frame(len in 14_usize..=1514, cuts in prop::collection::vec(0_usize..=1514, 0..9)) {
        let (bed, mut mac) = Testbed::started();
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
        bed.pass(200);
        let mut padded = whole.clone();
        padded.resize(len.max(60), 0);
        prop_assert_eq!(bed.peer.recv(), Some(padded));
        mac.service().unwrap();
        prop_assert_eq!((mac.stats().tx_frames, mac.stats().tx_bytes), (1, len as u32));
        prop_assert_eq!(bed.chip.violations(), []);
    }
}

#[test]
fn send_vectored_parts_writes_minimum_of_words() {
    let (bed, mut mac) = Testbed::started();
    let whole = frame(1514);
    let words = |mac: &mut crate::testbed::Driver, parts: &[&[u8]]| {
        let before = bed.chip.bus_counters().tx_words;
        mac.send_vectored(parts).unwrap();
        bed.pass(200);
        bed.chip.bus_counters().tx_words - before
    };
    // Two command words and the data.
    assert_eq!(words(&mut mac, &[&whole]), 2 + 379);
    // Two more command words, and a partial word.
    assert_eq!(words(&mut mac, &[&whole[..14], &whole[14..]]), 4 + 4 + 375);
    // Ten parts are packed into one segment.
    let many: Vec<&[u8]> = whole.chunks(152).collect();
    assert_eq!(words(&mut mac, &many), 2 + 379);
    bed.assert_clean();
}

/// The level of the FIFO is read once for each frame, however often `tx_ready` is called.
#[test]
fn tx_ready_before_send_frame_reads_level_once() {
    let (bed, mut mac) = Testbed::started();
    mac.send_frame(&frame(60)).unwrap();
    bed.pass(50);
    let accesses = Rc::new(Cell::new(0));
    let counter = accesses.clone();
    bed.chip.on_access(move || counter.set(counter.get() + 1));
    assert!(mac.tx_ready().unwrap());
    assert_eq!(accesses.take(), 2, "level and status word");
    assert!(mac.tx_ready().unwrap());
    assert_eq!(accesses.take(), 0);
    mac.send_frame(&frame(60)).unwrap();
    assert_eq!(accesses.take(), 2 + 15 + 3, "commands, data and the gap");
    assert!(mac.tx_ready().unwrap());
    assert_eq!(accesses.take(), 1, "level");
    bed.assert_clean();
}

#[test]
fn send_full_fifo_busy_until_sent() {
    let (bed, mut mac) = Testbed::started();
    bed.chip.stall_tx(true);
    let mut accepted = 0;
    while mac.tx_ready().unwrap() {
        mac.send_frame(&frame(1514 - accepted)).unwrap();
        accepted += 1;
        assert!(accepted < 100, "a FIFO without end");
    }
    assert_eq!(mac.send_frame(&frame(60)), Err(Error::Kind(ErrorKind::Busy)));
    assert_eq!(
        mac.send_vectored(&[&frame(60), &[1]]),
        Err(Error::Kind(ErrorKind::Busy))
    );
    // Three in the FIFO, one in the transmit buffer.
    assert_eq!(accepted, 4);
    bed.chip.stall_tx(false);
    bed.pass(1000);
    for n in 0..accepted {
        assert_eq!(bed.peer.recv(), Some(frame(1514 - n)));
    }
    let events = mac.service().unwrap();
    assert_eq!((events.tx_completed, events.tx_failed, events.tx_ready), (4, 0, true));
    bed.assert_clean();
}

#[test]
fn service_failed_transmissions_counts_aborted() {
    let (bed, mut mac) = Testbed::started();
    bed.chip.set_tx_outcomes([
        TxOutcome::LateCollision,
        TxOutcome::ExcessiveCollisions,
        TxOutcome::NoCarrier,
    ]);
    for _ in 0..4 {
        mac.send_frame(&frame(100)).unwrap();
        bed.pass(50);
    }
    let events = mac.service().unwrap();
    assert_eq!((mac.stats().tx_aborted, mac.stats().tx_frames), (3, 1));
    assert_eq!((events.tx_completed, events.tx_failed), (1, 3));
    bed.assert_clean();
}

#[test]
fn service_unexpected_tx_status_fault() {
    let (bed, mut mac) = Testbed::started();
    bed.chip.inject_spurious_tx_status(0x0040_0000);
    assert!(matches!(mac.service(), Err(Error::Fault(Fault::TxFifo(_)))));
    assert!(matches!(
        mac.send_frame(&frame(60)),
        Err(Error::Fault(Fault::TxFifo(_)))
    ));
    mac.recover().unwrap();
    mac.send_frame(&frame(60)).unwrap();
    assert_eq!(mac.stats().tx_frames, 0);
    bed.pass(20);
    mac.service().unwrap();
    assert_eq!(mac.stats().tx_frames, 1);
}

#[test]
fn send_tagged_frame_needs_vlan_config() {
    let bed = Testbed::new();
    let mut mac = bed.driver(Config::new().with_vlan(true));
    let mut tagged = frame(1518);
    tagged[12..14].copy_from_slice(&[0x81, 0x00]);
    mac.send_frame(&tagged).unwrap();
    bed.pass(200);
    assert_eq!(bed.peer.recv().as_ref(), Some(&tagged));
    bed.deliver(&tagged);
    assert_eq!(crate::testbed::receive(&mut mac), Some(tagged.clone()));
    assert_eq!(
        mac.send_frame(&frame(1519)),
        Err(Error::Kind(ErrorKind::FrameTooLong { max: 1518 }))
    );
    let (_, mut plain) = Testbed::started();
    assert_eq!(
        plain.send_frame(&tagged),
        Err(Error::Kind(ErrorKind::FrameTooLong { max: 1514 }))
    );
    bed.assert_clean();
}
