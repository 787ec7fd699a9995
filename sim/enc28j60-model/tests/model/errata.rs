//! Each erratum, on and off. Errata 2 and 19 are with the resets.

use core::time::Duration;

use enc28j60_model::{ChipConfig, Errata, Revision, TxOutcome, ViolationKind};
use ethdev_sim::fcs;

use crate::host::*;

/// The data sheet's chip with one erratum.
fn with(set: impl FnOnce(&mut Errata)) -> ChipConfig {
    let mut errata = Errata::none();
    set(&mut errata);
    ideal().with_errata(errata)
}

#[test]
fn errata_of_revision_match_document() {
    for revision in Revision::ALL {
        let errata = Errata::of(revision);
        let old = revision < Revision::B5;
        assert_eq!((errata.e1_slow_sck, errata.e13_false_late_collision), (old, !old));
        assert!(errata.e2_reset_ready && errata.e12_tx_stall && errata.e19_reset_asleep);
    }
}

#[test]
fn erratum_1_below_8_mhz_corrupts_mac_access() {
    for (hz, on, wrong) in [
        (4_000_000, true, true),
        (8_000_000, true, false),
        (4_000_000, false, false),
    ] {
        let config = with(|errata| errata.e1_slow_sck = on).with_sck_hz(hz);
        let mut host = Host::new(config);
        let mut slips = 0;
        for n in 0..200_u8 {
            host.set(MAMXFL, n);
            slips += u32::from(host.get(MAMXFL) != n);
            host.set16(EWRPT, n.into());
            assert_eq!(host.get(EWRPT), n, "Ethernet registers are not concerned");
        }
        assert_eq!(slips > 0, wrong, "{slips} at {hz} Hz");
        host.assert_clean();
    }
}

#[test]
fn erratum_5_on_fifo_write_loads_zero() {
    for (on, expected) in [(false, false), (true, true)] {
        let mut host = Host::new(with(|errata| errata.e5_rx_pointer = on));
        host.set(MACON1, 1);
        host.set(ERXFCON, 0);
        host.set16(ERXRDPT, RX_END);
        host.set16(ERXND, RX_END);
        host.phy_write(0, 0);
        host.us(20_000);
        let mut astray = false;
        for _ in 0..30 {
            host.clear_bits(ECON1, 0x04);
            host.set16(ERXST, 0x0400);
            host.set_bits(ECON1, 0x04);
            let lost = host.chip.stats().overflowed;
            host.peer.send(&frame(60));
            host.us(100);
            astray |= host.chip.stats().overflowed > lost;
            host.set_bits(ECON2, 0x40);
        }
        assert_eq!(astray, expected);
    }
}

#[test]
fn erratum_6_on_eir_read_flips_pktif_only() {
    let mut host = Host::started(with(|errata| errata.e6_packet_flag = true));
    let mut int = host.chip.int_pin();
    host.set(EIE, 0xc0);
    let mut seen = [false; 2];
    for pending in [0, 1] {
        if pending == 1 {
            host.peer.send(&frame(60));
            host.us(100);
        }
        for _ in 0..100 {
            let flags = host.get(EIR);
            assert_eq!(flags & !0x40, 0);
            seen[pending] |= usize::from(flags >> 6) != pending;
            assert_eq!(usize::from(host.get(EPKTCNT)), pending);
            assert_eq!(embedded_hal::digital::InputPin::is_low(&mut int), Ok(pending == 1));
        }
    }
    assert_eq!(seen, [true; 2]);
    host.assert_clean();
}

#[test]
fn errata_9_and_10_in_loopback_lose_frames() {
    for (macon3, phcon1) in [(0x32, 0), (0x33, 0x4100)] {
        let mut host = Host::new(with(|errata| {
            errata.e9_half_duplex_loopback = true;
            errata.e10_phy_loopback = true;
        }));
        host.start(macon3);
        host.phy_write(0x10, 0);
        host.phy_write(0x00, phcon1);
        for _ in 0..60 {
            host.transmit(0, &frame(60));
            host.us(100);
            host.receive();
        }
        let stats = host.chip.stats();
        assert_eq!(stats.looped_back, 60);
        assert!(
            stats.lost_to_errata > 0 && stats.bad_crc + stats.filtered > 0 && stats.received > 20,
            "{stats:?}"
        );
        host.assert_clean();
    }
}

#[test]
fn erratum_12_after_abort_stalls_until_txrst() {
    let mut host = Host::started(with(|errata| {
        errata.e12_tx_stall = true;
        errata.probabilities.reset_error = 1.0;
    }));
    host.chip.set_tx_outcomes([TxOutcome::ExcessiveCollisions]);
    host.transmit(0, &frame(60));
    host.us(20_000);
    assert_eq!(host.get(EIR) & 0x0a, 0x0a);
    host.clear_bits(EIR, 0x0a);
    host.transmit(0, &frame(60));
    host.us(20_000);
    assert_eq!((host.get(ECON1) & 0x08, host.get(EIR) & 0x0a), (0x08, 0), "stuck");
    host.set_bits(ECON1, 0x80);
    host.clear_bits(ECON1, 0x80);
    assert_eq!(host.get(EIR) & 0x02, 0x02, "clearing TXRST may set TXERIF");
    host.clear_bits(EIR, 0x0a);
    host.transmit(0, &frame(60));
    host.us(100);
    assert_eq!((host.peer.pending(), host.get(EIR) & 0x0a), (1, 0x08));
    assert_eq!(host.chip.stats().tx_stalled, 1);
    host.assert_clean();
}

#[test]
fn erratum_12_in_full_duplex_has_no_effect() {
    let mut host = Host::new(with(|errata| errata.e12_tx_stall = true));
    host.start(0x33);
    host.transmit(0, &frame(1515));
    host.us(2000);
    host.transmit(0, &frame(60));
    host.us(100);
    assert_eq!((host.chip.stats().tx_aborted, host.peer.pending()), (1, 1));
    host.assert_clean();
}

#[test]
fn erratum_13_injected_has_three_outcomes() {
    for (fate, flags, stuck) in [
        (TxOutcome::FalseLateCollision, 0x0a, false),
        (TxOutcome::FalseLateCollisionStuck, 0x02, true),
        (TxOutcome::FalseLateCollisionSilent, 0x00, true),
    ] {
        let mut host = Host::started(ideal());
        host.chip.set_tx_outcomes([fate]);
        host.transmit(0, &frame(400));
        host.us(3000);
        assert_eq!(
            (host.get(EIR) & 0x0a, host.get(ECON1) & 0x08 != 0),
            (flags, stuck),
            "{fate:?}"
        );
        assert_eq!(host.status_vector() >> 29 & 1, 1, "late collision");
        assert_eq!((host.peer.pending(), host.peer.bad_frames()), (0, 1), "a fragment");
        host.clear_bits(ECON1, 0x08);
        assert_eq!(host.get(EIR) & 0x08, 0x08);
        host.assert_clean();
    }
}

#[test]
fn erratum_13_in_half_duplex_occurs_at_random() {
    for (macon3, strikes) in [(0x32, true), (0x33, false)] {
        let mut host = Host::new(with(|errata| {
            errata.e13_false_late_collision = true;
            errata.probabilities.false_late_collision = 0.2;
        }));
        host.start(macon3);
        for _ in 0..50 {
            host.transmit(0, &frame(60));
            host.us(300);
            host.clear_bits(ECON1, 0x08);
        }
        assert_eq!(host.chip.stats().tx_aborted > 0, strikes);
    }
}

#[test]
fn erratum_14_with_even_erxrdpt_corrupts_header() {
    for (pointer, corrupts) in [(0x19fe, true), (RX_END, false)] {
        let mut host = Host::started(with(|errata| {
            errata.e14_even_read_pointer = true;
            errata.probabilities.even_read_pointer = 1.0;
        }));
        host.set16(ERXRDPT, pointer);
        host.peer.send(&frame(60));
        host.us(100);
        let header: Vec<u8> = (0..6).map(|at| host.chip.peek_ram(at)).collect();
        assert_eq!(header != [70, 0, 64, 0, 0xc0, 0], corrupts);
        assert_eq!(host.kinds().contains(&ViolationKind::EvenReadPointer), corrupts);
    }
}

#[test]
fn erratum_15_on_late_collision_leaves_latecol_clear() {
    let mut host = Host::started(with(|errata| errata.e15_latecol = true));
    host.chip.set_tx_outcomes([TxOutcome::LateCollision]);
    host.transmit(0, &frame(400));
    host.us(1000);
    assert_eq!((host.get(ESTAT) & 0x12, host.status_vector() >> 29 & 1), (0x02, 1));
    host.assert_clean();
}

#[test]
fn erratum_16_after_reset_randomises_duplex() {
    let mut modes = [0; 2];
    for seed in 0..20 {
        let host = Host::new(with(|errata| errata.e16_duplex_strap = true).with_seed(seed));
        modes[usize::from(host.chip.peek_phy(0) == 0x0100)] += 1;
    }
    assert!(modes[0] > 0 && modes[1] > 0, "{modes:?}");
    let host = Host::new(ideal().with_full_duplex_strap());
    assert_eq!(
        (host.chip.peek_phy(0), host.chip.peek_phy(0x11) & 0x0200),
        (0x0100, 0x0200)
    );
}

#[test]
fn erratum_17_during_checksum_drops_packet() {
    for (on, received) in [(true, 0), (false, 1)] {
        let mut host = Host::started(with(|errata| errata.e17_dma_checksum = on));
        host.set16(EDMAST, 0x1a00);
        host.set16(EDMAND, 0x1a40);
        host.set_bits(ECON1, 0x10);
        host.peer.send(&frame(60));
        host.us(20);
        host.set_bits(ECON1, 0x20);
        host.us(100);
        assert_eq!(host.chip.stats().received, received);
        assert_eq!((host.get(EIR) & 1 == 1, host.get(ESTAT) & 0x40 != 0), (on, on));
        assert_eq!(host.kinds().contains(&ViolationKind::BadDma), on);
    }
}

#[test]
fn erratum_18_on_pattern_mismatch_accepts_frame() {
    for (probability, received) in [(1.0, 1), (0.0, 0)] {
        let mut host = Host::new(with(|errata| {
            errata.e18_pattern = true;
            errata.probabilities.pattern = probability;
        }));
        host.set(ERXFCON, 0x30);
        host.start(0x32);
        host.peer.send_raw(&fcs::append(&frame(100)));
        host.clock.advance(Duration::from_millis(1));
        assert_eq!(host.chip.stats().received, received);
        host.assert_clean();
    }
}
