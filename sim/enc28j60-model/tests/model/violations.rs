//! Protocol violations.

use core::time::Duration;

use embedded_hal::spi::{Operation, SpiDevice};
use enc28j60_model::ViolationKind as Kind;

use crate::host::*;

/// Runs an action on a started chip, and expects exactly these violations.
#[track_caller]
fn expect(kinds: &[Kind], act: impl FnOnce(&mut Host)) {
    let mut host = Host::started(ideal());
    host.assert_clean();
    act(&mut host);
    assert_eq!(host.kinds(), kinds, "{:#?}", host.chip.violations());
}

#[test]
fn chip_select_short_hold_on_mac_register_is_violation() {
    let fast = || ideal().with_cs_hold(Duration::from_nanos(50));
    let mut host = Host::new(fast());
    host.set16(EWRPT, 0x1234);
    assert_eq!(host.get16(EWRPT), 0x1234);
    host.assert_clean();
    host.set(MACON3, 0x32);
    assert_eq!(host.chip.peek(2, 2), 0, "the write was lost");
    assert_ne!(host.get(MACON3), 0, "the read is corrupted");
    assert_eq!(host.kinds(), [Kind::ShortHold; 2]);
    // A delay at the end of the transaction holds chip select.
    host.spi
        .transaction(&mut [Operation::Write(&[0x42, 0x32]), Operation::DelayNs(160)])
        .unwrap();
    assert_eq!(host.chip.peek(2, 2), 0x32);
    let mut value = [0; 2];
    host.spi
        .transaction(&mut [
            Operation::Write(&[0x02]),
            Operation::Read(&mut value),
            Operation::DelayNs(160),
        ])
        .unwrap();
    assert_eq!(value[1], 0x32);
    assert_eq!(host.kinds().len(), 2);
}

#[test]
fn instruction_invalid_is_violation() {
    expect(&[Kind::BadInstruction], |host| host.spi.write(&[0x3b]).unwrap());
    expect(&[Kind::BadInstruction], |host| host.spi.write(&[0xc0]).unwrap());
    expect(&[Kind::Incomplete], |host| host.spi.write(&[0x5b]).unwrap());
    expect(&[Kind::ReservedAddress], |host| {
        host.get((0x1a, 0));
    });
    expect(&[Kind::ReservedAddress], |host| host.set((0x01, 2), 0));
    expect(&[Kind::ReservedBits], |host| host.set((0x1b, 0), 0x04));
    expect(&[Kind::ReservedBits], |host| host.set((0x03, 0), 0x20));
    expect(&[Kind::ReservedBits], |host| host.phy_write(0x14, 0x0476));
}

#[test]
fn register_write_while_running_is_violation() {
    expect(&[Kind::FifoMoved], |host| host.set(ERXST, 0));
    expect(&[Kind::FilterChanged], |host| host.set(ERXFCON, 0x20));
    expect(&[Kind::FilterChanged], |host| host.set((0x04, 3), 0x06));
    expect(&[Kind::FifoWritten], |host| {
        host.set16(EWRPT, 0x0100);
        host.write(&[1, 2, 3]);
    });
    expect(&[Kind::EvenReadPointer], |host| host.set16(ERXRDPT, 0x19fe));
    expect(&[Kind::BadReadPointer], |host| host.set16(ERXRDPT, 0x1a01));
    expect(&[Kind::TxChanged], |host| {
        host.transmit(0, &frame(1000));
        host.set16(EWRPT, TX + 5);
        host.write(&[0; 9]);
    });
    expect(&[Kind::TxChanged], |host| {
        host.transmit(0, &frame(1000));
        host.set(ETXND, 0);
    });
    expect(&[], |host| {
        host.transmit(0, &frame(300));
        host.set16(EWRPT, 0x1d00);
        host.write(&frame(300));
    });
}

#[test]
fn operation_out_of_order_is_violation() {
    expect(&[Kind::MiiBusy], |host| {
        host.set(MIREGADR, 2);
        host.set(MICMD, 1);
        host.set((0x17, 2), 0);
    });
    expect(&[Kind::MiiBusy; 2], |host| {
        host.set(MIREGADR, 2);
        host.set(MICMD, 1);
        host.get16(MIRD);
    });
    expect(&[Kind::DuplexMismatch], |host| {
        host.set(MACON3, 0x33);
        host.transmit(0, &frame(60));
    });
    expect(&[Kind::PaddingWithoutCrc], |host| {
        host.set(MACON3, 0x22);
        host.transmit(0, &frame(60));
    });
    expect(&[Kind::BadTxBuffer], |host| {
        host.set16(ETXND, TX);
        host.set_bits(ECON1, 0x08);
    });
    expect(&[Kind::BadDma], |host| {
        host.set16(EDMAST, 0x1c00);
        host.set16(EDMAND, 0x1c00);
        host.set16(EDMADST, 0x1c00);
        host.set_bits(ECON1, 0x20);
    });
}

#[test]
fn start_before_clkrdy_or_fast_sck_is_violation() {
    let mut host = Host::cold(ideal());
    host.set_bits(ECON1, 0x04);
    // The reset values are no valid FIFO: ERXRDPT is even.
    assert_eq!(host.kinds(), [Kind::StartedTooEarly, Kind::EvenReadPointer]);
    let mut host = Host::new(ideal().with_sck_hz(25_000_000));
    host.get(ESTAT);
    assert_eq!(host.kinds(), [Kind::SckTooFast]);
    let mut host = Host::new(ideal().with_cs_gap(Duration::from_nanos(49)));
    host.get(ESTAT);
    assert_eq!(host.kinds(), [], "no instruction before");
    host.get(ESTAT);
    assert_eq!(host.kinds(), [Kind::ShortGap]);
}

/// Section 4.2.5 allows bit fields on ETH registers only. On silicon they work.
#[test]
fn bit_field_on_mac_register_is_violation_and_takes_effect() {
    expect(&[Kind::BitFieldOnMac; 3], |host| {
        host.set_bits(MACON4, 0x30);
        assert_eq!(host.get(MACON4), 0x70);
        host.clear_bits(MACON4, 0x50);
        assert_eq!(host.get(MACON4), 0x20);
        // As whole writes do, it needs chip select for 210 ns after the last bit, and a read of PHID1
        // starts.
        host.set(MIREGADR, 0x02);
        host.set_bits(MICMD, 0x01);
        assert_eq!(host.get(MISTAT), 0x01);
        host.us(11);
        host.set(MICMD, 0);
        assert_eq!(host.get16(MIRD), 0x0083);
    });
    let mut host = Host::new(ideal().with_cs_hold(Duration::from_nanos(50)));
    host.set_bits(MACON3, 0x32);
    assert_eq!(host.chip.peek(2, 2), 0);
    assert_eq!(host.kinds(), [Kind::ShortHold]);
}

const TXRTS: u8 = 0x08;
const RXEN: u8 = 0x04;

#[test]
fn whole_write_of_econ1_is_legal() {
    expect(&[], |host| {
        // A bank is selected while the chip receives.
        let econ1 = host.get(ECON1) & !0x03;
        host.set((0x1f, 0), econ1 | 0x02);
        host.set((0x1f, 0), RXEN);
        // A transmission is started, and another one after its end was seen in EIR.
        for _ in 0..2 {
            host.transmit(0, &frame(60));
            assert_eq!(host.get(ECON1) & TXRTS, TXRTS);
            host.us(100);
            assert_eq!(host.get(EIR) & 0x08, 0x08);
            host.set((0x1f, 0), RXEN | TXRTS);
            assert_eq!(host.get(ECON1) & TXRTS, TXRTS);
            host.us(100);
            host.clear_bits(EIR, 0x0a);
        }
        // The host cancels a transmission of which it knows.
        host.transmit(0, &frame(1000));
        assert_eq!(host.get(ECON1) & TXRTS, TXRTS);
        host.set((0x1f, 0), RXEN);
    });
}

#[test]
fn whole_write_of_econ1_with_stale_txrts_is_violation() {
    // Bank 2 is selected by a read and a write, and the transmission ends between the two.
    expect(&[Kind::StaleTxrts], |host| {
        host.transmit(0, &frame(60));
        let econ1 = host.get(ECON1);
        host.us(100);
        host.set((0x1f, 0), econ1 & !0x03 | 0x02);
        host.us(100);
        assert_eq!(host.peer.pending(), 2, "sent twice");
    });
    // A copy from before the transmission was started.
    expect(&[Kind::StaleTxrts], |host| {
        let econ1 = host.get(ECON1);
        host.transmit(0, &frame(1000));
        host.set((0x1f, 0), econ1);
        host.us(2000);
        assert_eq!((host.peer.pending(), host.chip.stats().tx_cancelled), (0, 1));
    });
}

#[test]
fn violation_describes_instruction() {
    let mut host = Host::started(ideal());
    host.set(ERXFCON, 0x20);
    let violation = host.chip.take_violations().remove(0);
    assert_eq!(violation.instruction, [0x58, 0x20]);
    assert_eq!(violation.decoded, "WCR ERXFCON 0x20");
    assert!(violation.to_string().starts_with("FilterChanged at "), "{violation}");
    host.chip.allow_violation(Kind::FilterChanged);
    host.set(ERXFCON, 0x21);
    host.assert_clean();
}
