//! The receive FIFO: wrapping, freeing, overflow.

use enc28j60_model::ViolationKind;
use ethdev_sim::fcs;
use proptest::prelude::*;

use crate::host::*;

#[test]
fn fifo_full_drops_new_packet_only() {
    let mut host = Host::started(ideal());
    for _ in 0..6 {
        host.peer.send(&frame(1514));
    }
    host.us(8000);
    let stats = host.chip.stats();
    assert_eq!((stats.received, stats.overflowed), (4, 2));
    assert_eq!((host.get(EIR) & 1, host.get(ESTAT) & 0x40), (1, 0x40));
    for n in 0..4 {
        assert_eq!(host.receive().unwrap().1, fcs::append(&frame(1514)), "packet {n}");
    }
    assert_eq!(host.receive(), None);
    host.peer.send(&frame(60));
    host.us(100);
    let (status, bytes) = host.receive().unwrap();
    assert_eq!(
        (status >> 16, bytes),
        (0x00c1, fcs::append(&frame(60))),
        "bit 16: a frame was dropped"
    );
    host.peer.send(&frame(60));
    host.us(100);
    assert_eq!(
        host.receive().unwrap().0 >> 16,
        0x00c0,
        "and no frame was dropped since"
    );
    host.assert_clean();
}

#[test]
fn fifo_with_255_packets_drops_next() {
    let mut host = Host::new(ideal());
    host.start(0x32);
    host.clear_bits(ECON1, 0x04);
    host.set16(ERXND, 0x1fff);
    host.set16(ERXRDPT, 0x1fff);
    host.set_bits(ECON1, 0x04);
    for _ in 0..257 {
        host.peer.send_raw(&fcs::append(&frame(14)));
    }
    host.us(257 * 40);
    let stats = host.chip.stats();
    assert_eq!(
        (stats.received, stats.packet_count_full, host.get(EPKTCNT)),
        (255, 2, 255)
    );
    assert_eq!(host.get(EIR) & 0x41, 0x41);
    host.assert_clean();
}

#[test]
fn freeze_packet_count_overrides_epktcnt_only() {
    let mut host = Host::started(ideal());
    host.chip.freeze_packet_count(Some(3));
    assert_eq!(host.get(EPKTCNT), 3);
    host.chip.freeze_packet_count(None);
    assert_eq!(host.get(EPKTCNT), 0);
}

#[test]
fn erxwrpt_advances_per_packet() {
    let mut host = Host::new(ideal());
    host.set16(ERXST, 0x0400);
    assert_eq!(host.get16(ERXWRPT), 0x0400, "section 6.1");
    host.set16(ERXND, RX_END);
    host.set16(ERXRDPT, RX_END);
    host.set(MACON1, 1);
    host.set(ERXFCON, 0);
    host.phy_write(0x00, 0);
    host.set_bits(ECON1, 0x04);
    host.us(30_000);
    host.peer.send(&frame(60));
    host.us(200);
    assert_eq!(host.get16(ERXWRPT), 0x0400 + 70);
    host.assert_clean();
}

#[test]
fn erxrdpt_beyond_read_packets_is_violation() {
    let mut host = Host::started(ideal());
    for _ in 0..2 {
        host.peer.send(&frame(60));
    }
    host.us(300);
    host.set16(ERXRDPT, 139);
    assert_eq!(host.kinds(), [ViolationKind::BadReadPointer], "two packets, unread");
    host.chip.take_violations();
    host.set_bits(ECON2, 0x40);
    host.set_bits(ECON2, 0x40);
    host.set_bits(ECON2, 0x40);
    assert_eq!(host.kinds(), [ViolationKind::PacketCountUnderflow]);
}

#[test]
fn erxrdpt_past_counted_off_packets_is_allowed() {
    let mut host = Host::started(ideal());
    for _ in 0..3 {
        host.peer.send(&frame(60));
    }
    host.us(400);
    host.set_bits(ECON2, 0x40);
    host.set16(ERXRDPT, 69);
    host.assert_clean();
    host.set16(ERDPT, 70);
    host.read(6);
    host.set16(ERXRDPT, 139);
    host.assert_clean();
    host.set16(ERXRDPT, 209);
    assert_eq!(
        host.kinds(),
        [ViolationKind::BadReadPointer],
        "the third packet was not read"
    );
}

#[test]
fn rbm_beyond_received_data_is_violation() {
    let mut host = Host::started(ideal());
    host.peer.send(&frame(60));
    host.us(200);
    host.set16(ERDPT, 0);
    host.read(70);
    host.assert_clean();
    host.set16(ERDPT, 0);
    host.read(76);
    assert_eq!(host.kinds(), [ViolationKind::ReadAhead]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The host reads all received packets in order, and all others are counted as overflow.
    #[test]
    fn rx_any_sequence_delivers_or_counts_frames(
        steps in proptest::collection::vec((60_usize..1514, 0_usize..4), 1..60),
    ) {
        let mut host = Host::started(ideal());
        let mut expected = std::collections::VecDeque::new();
        for (len, take) in steps {
            let before = host.chip.stats().received;
            host.peer.send(&frame(len));
            host.us(1400);
            if host.chip.stats().received > before {
                expected.push_back(frame(len));
            }
            for _ in 0..take {
                match host.receive() {
                    Some((_, bytes)) => prop_assert_eq!(bytes, fcs::append(&expected.pop_front().unwrap())),
                    None => prop_assert!(expected.is_empty()),
                }
            }
        }
        let stats = host.chip.stats();
        prop_assert_eq!(stats.arrived, stats.received + stats.overflowed);
        host.assert_clean();
    }
}

#[test]
fn override_rx_len_affects_one_header() {
    let host = Host::started(ideal());
    host.chip.override_rx_len(0xffff);
    for _ in 0..2 {
        host.peer.send(&frame(60));
    }
    host.us(200);
    let header = |at: u16| [2, 3].map(|byte| host.chip.peek_ram(at + byte));
    assert_eq!((header(0), header(70)), ([0xff, 0xff], [64, 0]));
    assert_eq!(
        [0, 1].map(|byte| host.chip.peek_ram(byte)),
        [70, 0],
        "the next packet is where it is"
    );
}

#[test]
fn erxrdptl_is_kept_or_cleared_as_configured() {
    for (config, low) in [(ideal(), 0xff), (ideal().with_erxrdptl_cleared(), 0x00)] {
        let mut host = Host::new(config);
        host.set(ERXRDPT, 0xff);
        host.set((ERXRDPT.0 + 1, 0), 0x13);
        host.set((ERXRDPT.0 + 1, 0), 0x12);
        assert_eq!(
            (host.chip.peek(0, ERXRDPT.0), host.chip.peek(0, ERXRDPT.0 + 1)),
            (low, 0x12)
        );
    }
}
