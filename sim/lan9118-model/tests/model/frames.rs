//! Frames both ways, interrupts, PAUSE, stopping and dumping.

use std::cell::Cell;
use std::rc::Rc;

use ethdev_sim::fcs;
use lan9118_model::{ChipConfig, Part, TxOutcome, hash_index};

use crate::host::{ADDRESS, Host, frame};

const BROADCAST: [u8; 6] = [0xff; 6];
const GROUP: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
const OTHER: [u8; 6] = [0x02, 0, 0, 0, 0, 0x77];

#[test]
fn tx_frame_is_sent_with_status() {
    let host = Host::new();
    let sent = frame(OTHER, 61);
    host.send(0xbeef, &sent);
    host.pass(20);
    assert_eq!(host.peer.recv(), Some(sent));
    assert_eq!(host.read(0x80) >> 16, 1);
    assert_eq!(host.read(0x48), 0xbeef_0000);
    assert_eq!(host.chip.stats().transmitted, 1);
    host.assert_clean();
}

#[test]
fn tx_short_frame_is_padded() {
    let host = Host::new();
    host.send(0, &frame(OTHER, 20));
    host.pass(20);
    let mut padded = frame(OTHER, 20);
    padded.resize(60, 0);
    assert_eq!(host.peer.recv(), Some(padded));
    host.assert_clean();
}

#[test]
fn tx_segments_any_offset_are_gathered() {
    let sent = frame(OTHER, 300);
    for (a, b) in [(0, 0), (1, 2), (3, 3), (5, 31), (16, 7)] {
        let host = Host::new();
        host.segment(0x2000, a, 7, 300, &sent[..15]);
        host.segment(0x0000, b, 7, 300, &sent[15..99]);
        host.segment(0x1000, 0, 7, 300, &sent[99..]);
        host.pass(50);
        assert_eq!(host.peer.recv().as_ref(), Some(&sent), "offsets {a} and {b}");
        host.assert_clean();
    }
}

#[test]
fn tx_data_fifo_capacity_matches_data_sheet() {
    let host = Host::new();
    host.chip.stall_tx(true);
    // The first frame is in the buffer behind the FIFO: nothing of it is in there.
    host.send(0, &frame(OTHER, 1514));
    assert_eq!(host.read(0x80), 4608);
    // The next takes both commands and its words. The second buffer is too small for it.
    host.send(0, &frame(OTHER, 1514));
    assert_eq!(host.read(0x80), 4608 - 8 - 1516);
    // A segment more takes one command more.
    let sent = frame(OTHER, 64);
    host.segment(0x2000, 0, 0, 64, &sent[..32]);
    host.segment(0x1000, 0, 0, 64, &sent[32..]);
    assert_eq!(host.read(0x80), 4608 - 8 - 1516 - 12 - 64);
    host.chip.stall_tx(false);
    host.pass(500);
    assert_eq!((host.peer.pending(), host.read(0x80)), (3, 3 << 16 | 4608));
    host.assert_clean();
}

#[test]
fn tx_outcome_is_in_status() {
    let host = Host::new();
    host.chip
        .set_tx_outcomes([TxOutcome::LateCollision, TxOutcome::ExcessiveCollisions]);
    for tag in 1..=2 {
        host.send(tag, &frame(OTHER, 60));
    }
    host.wire.set_link(false);
    host.send(3, &frame(OTHER, 60));
    host.pass(200);
    let statuses = [0; 3].map(|_| host.read(0x48));
    assert_eq!(statuses, [0x0001_8200, 0x0002_8100, 0x0003_8c00]);
    assert_eq!(host.chip.stats().tx_failed, 3);
    host.assert_clean();
}

#[test]
fn rx_frame_is_in_fifo_with_status() {
    let host = Host::new();
    let sent = frame(ADDRESS, 61);
    host.peer.send(&sent);
    host.pass(20);
    let (status, received) = host.receive().unwrap();
    assert_eq!(received, fcs::append(&sent));
    // Type, and the length with FCS.
    assert_eq!(status, 65 << 16 | 0x20);
    assert_eq!(host.receive(), None);
    host.assert_clean();
}

#[test]
fn rx_data_precedes_status() {
    let host = Host::new();
    host.peer.send(&frame(ADDRESS, 60));
    let mut seen = vec![0];
    for _ in 0..200 {
        let now = host.read(0x7c);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert_eq!(seen, [0, 32, 64, 1 << 16 | 64]);
}

#[test]
fn rx_bad_frames_have_error_bits() {
    let host = Host::new();
    let mut damaged = fcs::append(&frame(ADDRESS, 100));
    damaged[50] ^= 1;
    host.peer.send_raw(&damaged);
    host.peer.send_raw(&fcs::append(&frame(ADDRESS, 40)));
    host.peer.send_raw(&fcs::append(&frame(ADDRESS, 1600)));
    let mut wrong_len = frame(ADDRESS, 100);
    wrong_len[12..14].copy_from_slice(&[0, 60]);
    host.peer.send(&wrong_len);
    host.pass(400);
    let statuses: Vec<u32> = core::iter::from_fn(|| host.receive())
        .map(|(status, _)| status & 0xffff)
        .collect();
    // The runt is not there; a length that differs is no error.
    assert_eq!(statuses, [0x8022, 0x80a0, 0x1000]);
    assert_eq!(host.chip.stats().runts, 1);
    host.write_csr(1, 0x0011_000c);
    host.peer.send_raw(&fcs::append(&frame(ADDRESS, 40)));
    host.pass(20);
    assert_eq!(host.receive().unwrap().0, 44 << 16 | 0x8820);
    host.assert_clean();
}

#[test]
fn rx_filter_modes_pass_or_drop() {
    let hash = 1_u64 << hash_index(GROUP);
    for (control, passed) in [
        (0x0010_000c, [true, false, false, true]),
        (0x0014_000c, [true, true, true, true]),
        (0x0018_080c, [true, false, true, false]),
        (0x0010_200c, [true, false, true, true]),
    ] {
        let host = Host::new();
        host.write_csr(4, (hash >> 32) as u32);
        host.write_csr(5, hash as u32);
        host.write_csr(1, control);
        let passes = [ADDRESS, OTHER, GROUP, BROADCAST].map(|to| {
            host.peer.send(&frame(to, 60));
            host.pass(20);
            host.receive().is_some()
        });
        assert_eq!(passes, passed, "{control:#x}");
        host.assert_clean();
    }
}

#[test]
fn rx_fifo_full_counts_drops() {
    let host = Host::new();
    for _ in 0..9 {
        host.peer.send(&frame(ADDRESS, 1514));
    }
    host.pass(2000);
    let mut received = 0;
    while host.receive().is_some() {
        received += 1;
    }
    // Six times 1520 bytes are in 10560, less 16.
    assert_eq!((received, host.read(0xa0)), (6, 3));
    host.pass(1);
    assert_eq!(host.read(0xa0), 0, "reading clears it");
    assert_eq!(host.chip.stats().dropped, 3);
    host.assert_clean();
}

#[test]
fn irq_levels_are_edges_or_persistent() {
    for persist in [false, true] {
        let mut config = ChipConfig::new(Part::Lan9118);
        if persist {
            config = config.with_persistent_levels();
        }
        let host = Host::started(config);
        let rung = Rc::new(Cell::new(0));
        host.chip.on_irq({
            let rung = rung.clone();
            move || rung.set(rung.get() + 1)
        });
        host.write(0x5c, 1 << 3);
        host.peer.send(&frame(ADDRESS, 60));
        host.pass(20);
        assert_eq!((rung.get(), host.read(0x58), host.chip.irq_is_active()), (1, 8, true));
        host.write(0x58, 8);
        assert_eq!(host.chip.irq_is_active(), persist);
        host.receive().unwrap();
        host.write(0x58, 8);
        assert!(!host.chip.irq_is_active());
        // Masked: no interrupt.
        host.write(0x5c, 0);
        host.peer.send(&frame(ADDRESS, 60));
        host.pass(20);
        assert!(!host.chip.irq_is_active());
        host.assert_clean();
    }
}

#[test]
fn tx_pause_received_delays_frames() {
    let host = Host::new();
    host.write_csr(8, 2);
    let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 0xfe, 0x88, 0x08, 0, 1, 0, 100];
    pause.resize(60, 0);
    host.peer.send(&pause);
    host.pass(10);
    host.send(0, &frame(OTHER, 60));
    // A hundred times 5.12 microseconds.
    host.pass(490);
    assert_eq!((host.peer.recv(), host.chip.stats().paused), (None, 1));
    host.pass(30);
    assert!(host.peer.recv().is_some());
    // It is no frame for the host.
    assert_eq!(host.receive(), None);
    host.assert_clean();
}

#[test]
fn rx_fifo_threshold_sends_pause() {
    let host = Host::new();
    host.write_csr(8, 0x1234_0000);
    host.write(0xac, 0x0020_1001); // 2048 and 1024 bytes
    for _ in 0..2 {
        host.peer.send(&frame(ADDRESS, 1100));
    }
    host.pass(300);
    let pause = host.peer.recv().expect("a PAUSE frame");
    assert_eq!(pause[12..18], [0x88, 0x08, 0, 1, 0x12, 0x34]);
    host.receive().unwrap();
    host.receive().unwrap();
    host.pass(50);
    let end = host.peer.recv().expect("the end of it");
    assert_eq!(end[12..18], [0x88, 0x08, 0, 1, 0, 0]);
    assert_eq!((host.peer.recv(), host.chip.stats().pauses_sent), (None, 2));
    host.assert_clean();
}

#[test]
fn stop_during_frame_ends_after_it() {
    let host = Host::new();
    for tag in 1..=3 {
        host.send(tag, &frame(OTHER, 1000));
    }
    host.pass(20);
    host.write(0x70, 3);
    assert_eq!(host.read(0x58) & 1 << 25, 0);
    host.pass(100);
    assert_eq!(host.read(0x58) & 1 << 25, 1 << 25);
    host.pass(500);
    assert_eq!((host.peer.pending(), host.read(0x80) >> 16), (1, 1));
    host.write(0x70, 1 << 15 | 1 << 14);
    host.pass(1);
    assert_eq!((host.read(0x70), host.read(0x80)), (0, 4608));
    assert_eq!(host.chip.stats().tx_lost, 2);
    host.write(0x70, 2);
    host.send(9, &frame(OTHER, 60));
    host.pass(20);
    assert_eq!(host.read(0x48), 9 << 16);
    // The receiver: received frames are dropped.
    host.peer.send(&frame(ADDRESS, 60));
    host.pass(20);
    host.write_csr(1, 0x0010_0008);
    host.pass(10);
    assert_eq!(host.read(0x58) & 1 << 24, 1 << 24);
    host.write(0x6c, 1 << 15);
    host.pass(1);
    assert_eq!(
        (host.read(0x6c), host.read(0x7c), host.chip.stats().rx_dropped),
        (0, 0, 1)
    );
    host.assert_clean();
}

#[test]
fn soft_reset_during_frame_aborts_frame() {
    let host = Host::new();
    host.send(1, &frame(OTHER, 1000));
    host.pass(20);
    host.start(5);
    host.pass(200);
    assert_eq!(
        (host.peer.recv(), host.peer.bad_frames(), host.chip.stats().tx_lost),
        (None, 1, 1)
    );
    host.assert_clean();
}
