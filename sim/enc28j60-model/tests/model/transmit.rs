//! From the buffer memory onto the wire.

use core::time::Duration;

use enc28j60_model::{Errata, TxOutcome, ViolationKind};
use ethdev_sim::fcs;

use crate::host::*;

#[test]
fn tx_frame_writes_status_vector_at_end() {
    let mut host = Host::started(ideal());
    let bytes = frame(100);
    host.transmit(0, &bytes);
    let began = host.clock.now();
    assert_eq!(host.get(ECON1) & 0x08, 0x08);
    host.us(200);
    let (at, received) = host.peer.recv_timed().unwrap();
    assert_eq!(received, bytes);
    assert_eq!(at - began, Duration::from_nanos(800 * (8 + 104)) - host_lead());
    assert_eq!((host.get(ECON1) & 0x08, host.get(EIR)), (0, 0x08));
    let vector = host.status_vector();
    assert_eq!(vector & 0xffff, 104);
    assert_eq!(vector >> 32 & 0xffff, 104);
    assert_eq!(vector >> 23 & 1, 1, "done");
    assert_eq!(vector >> 22 & 1, 1, "a type, not a length");
    host.assert_clean();
}

/// TXRTS takes effect with its last bit, before chip select rises.
fn host_lead() -> Duration {
    ideal().cs_hold
}

#[test]
fn tx_padding_and_crc_follow_configuration() {
    for (macon3, control, len, on_wire) in [
        (0x32, 0x00, 20, 64),
        (0x72, 0x00, 20, 68),
        (0xb2, 0x00, 20, 64),
        (0x12, 0x00, 61, 65),
        (0x02, 0x07, 20, 64),
        (0x02, 0x03, 61, 65),
    ] {
        let mut host = Host::new(ideal());
        host.start(macon3);
        host.transmit(control, &frame(len));
        host.us(200);
        assert_eq!(
            host.status_vector() & 0xffff,
            on_wire,
            "MACON3 {macon3:#04x}, {len} bytes"
        );
        assert_eq!(host.peer.recv().unwrap()[..len], frame(len));
        host.assert_clean();
    }
}

#[test]
fn tx_vlan_frame_is_padded_to_64() {
    for (macon3, tag, on_wire) in [(0xb2, 0x81, 68), (0xb2, 0x08, 64), (0x32, 0x81, 64)] {
        let mut host = Host::new(ideal());
        host.start(macon3);
        let mut bytes = frame(20);
        bytes[12..14].copy_from_slice(&[tag, 0]);
        host.transmit(0, &bytes);
        host.us(200);
        let vector = host.status_vector();
        assert_eq!((vector & 0xffff, vector >> 51 & 1), (on_wire, u64::from(tag == 0x81)));
        host.assert_clean();
    }
}

#[test]
fn tx_host_crc_is_checked() {
    for (bytes, error) in [(fcs::append(&frame(60)), 0), (frame(64), 1)] {
        let mut host = Host::new(ideal());
        host.start(0x02);
        host.transmit(0, &bytes);
        host.us(200);
        assert_eq!(host.status_vector() >> 20 & 1, error);
        assert_eq!(host.peer.bad_frames(), error);
        host.assert_clean();
    }
}

#[test]
fn tx_giant_is_aborted_without_hfrmen() {
    let mut host = Host::started(ideal());
    host.transmit(0, &frame(1515));
    host.us(2000);
    assert_eq!(host.peer.pending(), 0);
    assert_eq!((host.get(EIR) & 0x0a, host.get(ESTAT) & 0x02), (0x0a, 0x02));
    assert_eq!(host.status_vector() >> 30 & 1, 1);
    host.transmit(0x0f, &frame(1515));
    host.us(2000);
    assert_eq!(host.peer.pending(), 1);
    assert_eq!(host.get(ESTAT) & 0x02, 0x02, "TXABRT stays until it is cleared");
    host.clear_bits(ESTAT, 0x02);
    assert_eq!(host.get(ESTAT) & 0x02, 0);
    host.assert_clean();
}

#[test]
fn tx_txrts_cleared_cuts_frame_off() {
    let mut host = Host::started(ideal());
    host.transmit(0, &frame(1000));
    host.us(400);
    host.clear_bits(ECON1, 0x08);
    assert_eq!(host.get(EIR) & 0x08, 0x08);
    host.us(2000);
    assert_eq!((host.peer.pending(), host.peer.bad_frames()), (0, 1));
    assert_eq!(host.chip.stats().tx_cancelled, 1);
    host.transmit(0, &frame(70));
    host.us(200);
    assert_eq!(host.peer.recv(), Some(frame(70)));
    host.assert_clean();
}

#[test]
fn tx_txrst_clears_txrts() {
    let mut host = Host::started(ideal());
    host.transmit(0, &frame(1000));
    host.set_bits(ECON1, 0x80);
    assert_eq!(host.get(ECON1) & 0x88, 0x80);
    host.set_bits(ECON1, 0x08);
    assert_eq!(host.get(ECON1) & 0x08, 0);
    host.clear_bits(ECON1, 0x80);
    host.us(2000);
    assert_eq!(host.peer.pending(), 0);
    host.assert_clean();
}

#[test]
fn tx_collisions_are_retried_or_aborted() {
    let config = || ideal().with_errata(Errata::none());
    for (fate, sent, bit) in [
        (TxOutcome::Collided(3), 1, 23),
        (TxOutcome::LateCollision, 0, 29),
        (TxOutcome::ExcessiveCollisions, 0, 28),
    ] {
        let mut host = Host::started(config());
        host.chip.set_tx_outcomes([fate]);
        host.transmit(0, &frame(200));
        host.clock.advance(Duration::from_millis(50));
        assert_eq!(host.peer.pending(), sent, "{fate:?}");
        assert_eq!(host.status_vector() >> bit & 1, 1, "{fate:?}");
        assert_eq!(host.get(EIR) & 0x08, 0x08);
        assert_eq!(u64::from(host.get(EIR) >> 1 & 1), 1 - sent as u64);
        let late = u8::from(fate == TxOutcome::LateCollision);
        assert_eq!(host.get(ESTAT) >> 4 & 1, late, "LATECOL after {fate:?}");
        host.assert_clean();
    }
}

#[test]
fn tx_deferral_follows_macon4_defer() {
    for (macon4, sent) in [(0x40, 1), (0x00, 0)] {
        let mut host = Host::started(ideal());
        host.set(MACON4, macon4);
        host.chip.set_tx_outcomes([TxOutcome::ExcessiveDeferral]);
        host.transmit(0, &frame(200));
        host.clock.advance(Duration::from_millis(20));
        assert_eq!(host.peer.pending(), sent);
        assert_eq!(host.status_vector() >> 27 & 1, 1 - sent as u64);
        host.assert_clean();
    }
}

#[test]
fn tx_in_full_duplex_has_no_collisions() {
    let mut host = Host::new(ideal());
    host.start(0x33);
    host.chip.set_tx_outcomes([TxOutcome::LateCollision]);
    host.transmit(0, &frame(200));
    host.us(400);
    assert_eq!(host.peer.pending(), 1);
    host.assert_clean();
}

#[test]
fn tx_in_half_duplex_loops_back_without_hdldis() {
    let mut host = Host::started(ideal());
    host.transmit(0, &frame(60));
    host.us(200);
    assert_eq!(host.get(EPKTCNT), 0);
    host.phy_write(0x10, 0);
    host.transmit(0, &frame(60));
    host.us(200);
    assert_eq!(host.get(EPKTCNT), 1);
    assert_eq!(host.receive().unwrap().1, fcs::append(&frame(60)));
    assert_eq!((host.chip.stats().looped_back, host.peer.pending()), (1, 2));
    host.assert_clean();
}

#[test]
fn tx_status_vector_overwrites_memory() {
    let mut host = Host::started(ideal());
    host.set16(ETXST, 0x0100);
    host.set16(ETXND, 0x0100 + 60);
    host.set_bits(ECON1, 0x08);
    host.us(200);
    assert_eq!(host.kinds(), [ViolationKind::BadTxBuffer]);
    assert_eq!(host.status_vector() >> 23 & 1, 1);
}

#[test]
fn dma_waits_for_transmission() {
    let mut host = Host::started(ideal());
    host.set16(EDMAST, 0x1f00);
    host.set16(EDMAND, 0x1f09);
    host.set16(EDMADST, 0x1f80);
    host.transmit(0, &frame(60));
    host.set_bits(ECON1, 0x20);
    host.us(50);
    assert_eq!(host.get(ECON1) & 0x28, 0x28);
    host.us(10);
    assert_eq!(host.get(ECON1) & 0x28, 0);
    host.assert_clean();
}

#[test]
fn tx_in_power_save_sends_nothing() {
    let mut host = Host::started(ideal());
    host.clear_bits(ECON1, 0x04);
    host.set_bits(ECON2, 0x20);
    host.set16(ETXND, TX + 60);
    host.set_bits(ECON1, 0x08);
    host.us(10_000);
    assert_eq!((host.peer.pending(), host.get(ECON1) & 0x08), (0, 0x08));
    assert_eq!(host.kinds(), [ViolationKind::StartedTooEarly, ViolationKind::NotReady]);
}

#[test]
fn tx_waits_for_dma() {
    let mut host = Host::started(ideal());
    host.set16(EDMAST, 0x1a00);
    host.set16(EDMAND, 0x1f00);
    host.set16(EDMADST, 0x1a00);
    host.set16(ETXND, TX + 60);
    host.set_bits(ECON1, 0x20);
    host.set_bits(ECON1, 0x08);
    host.us(60 + 95);
    assert_eq!(host.peer.pending(), 0);
    host.us(20);
    assert_eq!(host.peer.pending(), 1);
    host.assert_clean();
}
