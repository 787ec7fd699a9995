//! From the wire into the FIFO.

use core::time::Duration;

use enc28j60_model::hash_index;
use ethdev_sim::fcs;

use crate::host::*;

#[test]
fn rx_packet_has_header_crc_and_padding() {
    let mut host = Host::started(ideal());
    for len in [60, 61, 1514] {
        let bytes = frame(len);
        let before = host.get16(ERXWRPT);
        host.peer.send(&bytes);
        host.us(1300);
        assert_eq!(host.get(EPKTCNT), 1);
        let after = host.get16(ERXWRPT);
        assert_eq!(usize::from(after - before), 6 + len + 4 + len % 2);
        let (status, packet) = host.receive().unwrap();
        assert_eq!(status & 0xffff, len as u32 + 4);
        assert_eq!(status >> 16, 0x00c0, "received, and a type rather than a length");
        assert_eq!(packet, fcs::append(&bytes));
    }
    assert_eq!(host.chip.stats().received, 3);
    host.assert_clean();
}

#[test]
fn rx_status_vector_reports_kind_and_length() {
    let mut host = Host::started(ideal());
    host.clear_bits(ECON1, 0x04);
    host.set(ERXFCON, 0x00);
    host.set_bits(ECON1, 0x04);
    let mut group = frame(60);
    group[..6].copy_from_slice(&[1, 0, 0x5e, 0, 0, 1]);
    let mut broadcast = frame(60);
    broadcast[..6].copy_from_slice(&[0xff; 6]);
    let mut with_length = frame(60);
    with_length[12..14].copy_from_slice(&[0, 20]);
    let mut wrong_length = frame(100);
    wrong_length[12..14].copy_from_slice(&[0, 20]);
    for (bytes, bits) in [
        (group, 0x01c0),
        (broadcast, 0x02c0),
        (with_length, 0x0080),
        (wrong_length, 0x00a0),
    ] {
        host.peer.send(&bytes);
        host.us(200);
        assert_eq!(host.receive().unwrap().0 >> 16, bits);
    }
    let mut bad = fcs::append(&frame(60));
    bad[20] ^= 1;
    host.peer.send_raw(&bad);
    host.us(200);
    assert_eq!(
        host.receive().unwrap().0 >> 16,
        0x0050,
        "a CRC error is kept where CRCEN is off"
    );
    host.assert_clean();
}

#[test]
fn rx_drops_by_filter_and_length() {
    let mut host = Host::started(ideal());
    let mut other = frame(60);
    other[0] = 0x06;
    host.peer.send(&other);
    let mut bad = fcs::append(&frame(60));
    bad[30] ^= 0x80;
    host.peer.send_raw(&bad);
    host.peer.send_raw(&fcs::append(&frame(13)));
    host.peer.send_raw(&fcs::append(&frame(14)));
    host.peer.send(&frame(1515));
    host.us(2000);
    let stats = host.chip.stats();
    assert_eq!(
        (stats.filtered, stats.bad_crc, stats.runts, stats.giants, stats.received),
        (1, 1, 1, 1, 1)
    );
    let (status, packet) = host.receive().unwrap();
    assert_eq!(
        (status & 0xffff, packet.len()),
        (18, 18),
        "frames of 18 bytes are not dropped"
    );
    host.assert_clean();
}

#[test]
fn rx_with_hash_table_accepts_group() {
    let mut host = Host::new(ideal());
    let group = [0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb];
    let index = hash_index(group);
    host.set((index / 8, 1), 1 << (index % 8));
    host.set(ERXFCON, 0xa5);
    host.start(0x32);
    let mut bytes = frame(60);
    for last in [0xfb, 0x01] {
        bytes[..6].copy_from_slice(&[0x01, 0x00, 0x5e, 0x00, 0x00, last]);
        host.peer.send(&bytes);
    }
    host.us(500);
    let stats = host.chip.stats();
    assert_eq!((stats.received, stats.filtered), (1, 1));
    host.assert_clean();
}

#[test]
fn rx_disabled_or_link_down_counts_frames() {
    let mut host = Host::started(ideal());
    host.clear_bits(ECON1, 0x04);
    host.peer.send(&frame(60));
    host.us(100);
    host.set_bits(ECON1, 0x04);
    host.peer.send(&frame(60));
    host.us(20);
    assert_eq!(host.get(ESTAT) & 0x04, 0x04, "RXBUSY");
    host.clear_bits(ECON1, 0x04);
    assert_eq!(host.get(ESTAT) & 0x04, 0x04, "the packet that is arriving is received");
    host.us(100);
    assert_eq!(host.get(ESTAT) & 0x04, 0);
    host.peer.send(&frame(60));
    host.us(10);
    host.set_bits(ECON1, 0x04);
    host.us(100);
    assert_eq!((host.chip.stats().rx_disabled, host.chip.stats().received), (2, 1));
    host.wire.set_link(false);
    host.wire.set_link(true);
    host.peer.send(&frame(60));
    host.us(100);
    assert_eq!(
        host.chip.stats().rx_disabled,
        3,
        "the PHY searches for its link partner"
    );
    host.assert_clean();
}

#[test]
fn rxrst_drops_arriving_frame() {
    let mut host = Host::started(ideal());
    host.peer.send(&frame(60));
    host.us(20);
    host.set_bits(ECON1, 0x40);
    assert_eq!(host.get(ECON1) & 0x44, 0x40);
    host.clear_bits(ECON1, 0x40);
    host.set_bits(ECON1, 0x04);
    host.us(100);
    assert_eq!((host.chip.stats().rx_disabled, host.chip.stats().received), (1, 0));
    host.assert_clean();
}

#[test]
fn pause_frame_delays_transmission() {
    let mut host = Host::started(ideal());
    let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0x08, 0, 1, 0, 100];
    pause.resize(60, 0);
    host.peer.send(&pause);
    host.us(100);
    assert_eq!((host.chip.stats().control, host.get(EPKTCNT)), (1, 0));
    host.transmit(0, &frame(60));
    host.clock.advance(Duration::from_millis(4));
    assert_eq!(host.peer.pending(), 0);
    host.clock.advance(Duration::from_millis(2));
    assert_eq!(host.peer.pending(), 1);
    host.assert_clean();
}
