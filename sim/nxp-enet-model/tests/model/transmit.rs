//! Sending.

use nxp_enet_model::TxOutcome;

use crate::host::{ECR, EIR, GRA, Host, OWN, RCR, TCR, TDAR, TXF, frame};

const READY: u16 = 0x8c00;

#[test]
fn tx_short_frame_is_padded_with_fcs() {
    let host = Host::new();
    let mut sent = frame([0xff; 6], 20);
    host.set_tx(0, READY, &sent);
    host.write(TDAR, 1 << 24);
    assert_eq!(host.read(TDAR), 1 << 24);
    assert_eq!((host.tx_flags(0), host.read(EIR) & TXF), (READY, 0));
    host.pass(10);
    sent.resize(60, 0);
    assert_eq!(host.peer.recv(), Some(sent));
    assert_eq!(
        (host.tx_flags(0), host.read(EIR) & TXF, host.read(TDAR)),
        (0x0c00, TXF, 0)
    );
    assert_eq!(host.violations(), []);
}

#[test]
fn tx_ring_wraps_and_gathers() {
    let host = Host::new();
    for round in 0..3 {
        for n in [0, 2] {
            let whole = frame([0xff; 6], 100 + round);
            host.set_tx(n, 0x8400, &whole[..33]);
            host.set_tx(n + 1, READY, &whole[33..]);
            host.write(TDAR, 1 << 24);
            host.pass(50);
            assert_eq!(host.peer.recv(), Some(whole));
        }
    }
    assert_eq!(host.violations(), []);
}

/// A lost doorbell write: the frame waits for the next one.
#[test]
fn drop_doorbell_writes_frame_waits() {
    let host = Host::new();
    host.chip.drop_doorbell_writes(1);
    host.set_tx(0, READY, &frame([0xff; 6], 60));
    host.write(TDAR, 1 << 24);
    host.pass(1000);
    assert_eq!((host.peer.pending(), host.read(TDAR)), (0, 0));
    host.write(TDAR, 1 << 24);
    host.pass(10);
    assert_eq!(host.peer.pending(), 1);
}

/// A graceful stop ends with the frame that is going out; the next one waits.
#[test]
fn tx_graceful_stop_ends_after_frame() {
    let host = Host::new();
    for n in 0..2 {
        host.set_tx(n, READY, &frame([0xff; 6], 1500));
    }
    host.write(TDAR, 1 << 24);
    host.pass(10);
    host.write(TCR, 5);
    assert_eq!(host.read(EIR) & GRA, 0);
    host.pass(200);
    assert_eq!(
        (host.read(EIR) & GRA, host.peer.pending(), host.tx_flags(1)),
        (GRA, 1, READY)
    );
    host.write(TCR, 4);
    host.pass(200);
    assert_eq!(host.peer.pending(), 2);
    // With nothing going out, at once.
    host.write(EIR, GRA);
    host.write(TCR, 5);
    assert_eq!(host.read(EIR) & GRA, GRA);
    assert_eq!(host.violations(), []);
}

/// Disabled in the middle of a frame: what arrives is a fragment, and the descriptor stays as it
/// was.
#[test]
fn disable_during_frame_aborts_frame() {
    let host = Host::new();
    host.set_tx(0, READY, &frame([0xff; 6], 1500));
    host.write(TDAR, 1 << 24);
    host.pass(50);
    host.write(ECR, 0x100);
    host.pass(500);
    assert_eq!(
        (host.peer.recv(), host.peer.bad_frames(), host.tx_flags(0)),
        (None, 1, READY)
    );
}

#[test]
fn tx_collisions_close_descriptor_and_count() {
    let host = Host::new();
    host.chip
        .set_tx_outcomes([TxOutcome::LateCollision, TxOutcome::ExcessiveCollisions]);
    for n in 0..3 {
        host.set_tx(n, READY, &frame([0xff; 6], 60));
    }
    host.write(TDAR, 1 << 24);
    host.pass(100);
    assert_eq!((host.read(0x25c), host.read(0x260), host.read(0x24c)), (1, 1, 1));
    assert_eq!(host.read(EIR) & 3 << 20, 3 << 20);
    assert_eq!(host.tx_flags(2), 0x0c00);
    assert!(host.peer.recv().is_some() && host.peer.recv().is_none());
}

/// PAUSE frames delay transmission if RCR[FCE] is set. They are never received.
#[test]
fn tx_pause_received_delays_frames() {
    for honoured in [false, true] {
        let host = Host::new();
        host.write(ECR, 0x100);
        host.write(RCR, host.read(RCR) | if honoured { 0x20 } else { 0 } | 8);
        host.write(ECR, 0x102);
        host.write(0x10, 1 << 24);
        let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0x08, 0, 1, 0, 10];
        pause.resize(60, 0);
        host.peer.send(&pause);
        host.pass(10);
        assert_eq!(host.rx(0).0, 0x8000);
        host.set_tx(0, READY, &frame([0xff; 6], 60));
        host.write(TDAR, 1 << 24);
        // Ten quanta of 512 bits are 51.2 us.
        host.pass(40);
        assert_eq!(host.peer.pending() == 0, honoured);
        host.pass(20);
        assert_eq!(host.peer.pending(), 1);
        assert_eq!(host.violations(), []);
    }
}

/// Without DBSWP the flags come first, highest byte first.
#[test]
fn descriptors_both_byte_orders_are_read() {
    let host = Host::new();
    host.write(ECR, 0);
    let whole = frame(OWN, 60);
    host.set_tx(0, READY, &whole);
    let mut descriptor = vec![0x8c, 0x00, 0, 60];
    descriptor.extend(0x1800_u32.wrapping_add(4 * 1536).to_be_bytes());
    host.poke(0x1400, &descriptor);
    host.write(ECR, 2);
    host.write(TDAR, 1 << 24);
    host.pass(10);
    assert_eq!(host.peer.recv(), Some(whole));
    assert_eq!(host.violations(), [nxp_enet_model::ViolationKind::BadSettings]);
}
