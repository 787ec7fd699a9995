//! The exact bytes of each instruction (data sheet table 4-1), and their errors.

use std::vec;
use std::vec::Vec;

use embedded_hal::spi::{ErrorKind, ErrorType, SpiDevice};
use embedded_hal_mock::eh1::delay::NoopDelay;
use embedded_hal_mock::eh1::spi::{Mock, Transaction};

use embedded_hal::spi::Operation;

use super::spi::{GATHER, Spi};
use crate::bus::{Blocking, NoReset};
use crate::error::Error;
use crate::regs;

type MockSpi = Spi<Blocking<Mock<u8>, NoopDelay, NoReset>>;

/// Runs `f` on a chip whose bank 0 is selected, and compares what it sends.
fn sends<T>(expected: &[Transaction<u8>], f: impl FnOnce(&mut MockSpi) -> Result<T>) -> T {
    let mut spi = Spi::new(Blocking {
        spi: Mock::new(expected),
        delay: NoopDelay::new(),
        reset: NoReset,
    });
    spi.bank_was_reset();
    let output = f(&mut spi).unwrap();
    spi.bus.spi.done();
    output
}

type Result<T> = core::result::Result<T, Error<ErrorKind>>;

fn within(operations: impl IntoIterator<Item = Transaction<u8>>) -> Vec<Transaction<u8>> {
    let mut all = vec![Transaction::transaction_start()];
    all.extend(operations);
    all.push(Transaction::transaction_end());
    all
}

fn write(bytes: &[u8]) -> Vec<Transaction<u8>> {
    within([Transaction::write_vec(bytes.to_vec())])
}

#[test]
fn read_eth_register_is_two_bytes() {
    let expected = within([Transaction::transfer_in_place(vec![0x1d, 0], vec![0xaa, 0x01])]);
    assert_eq!(sends(&expected, |spi| spi.look(regs::ESTAT)), 0x01);
}

#[test]
fn read_other_bank_changes_bsel_bits_only() {
    // EREVID is in bank 3: BFS ECON1.BSEL, RCR.
    let expected = [
        write(&[0x9f, 0x03]),
        within([Transaction::transfer_in_place(vec![0x12, 0], vec![0, 0x06])]),
        // From 3 to 1: BFC of one bit. Then nothing.
        write(&[0xbf, 0x02]),
        within([Transaction::transfer_in_place(vec![0x19, 0], vec![0, 7])]),
        within([Transaction::transfer_in_place(vec![0x19, 0], vec![0, 8])]),
    ]
    .concat();
    let read = sends(&expected, |spi| {
        spi.read(regs::EREVID)?;
        let first = spi.read(regs::EPKTCNT)?;
        Ok((first, spi.read(regs::EPKTCNT)?))
    });
    assert_eq!(read, (7, 8));
}

#[test]
fn select_unknown_bank_clears_then_sets() {
    let expected = [write(&[0xbf, 0x03]), write(&[0x9f, 0x01]), write(&[0x58, 0x20])].concat();
    sends(&expected, |spi| {
        spi.forget_bank();
        spi.write(regs::ERXFCON, 0x20)
    });
}

#[test]
fn read_mac_has_dummy_byte_and_cs_hold() {
    let expected = [
        write(&[0x9f, 0x02]),
        within([
            Transaction::transfer_in_place(vec![0x02, 0, 0], vec![0, 0xee, 0x32]),
            Transaction::delay(210),
        ]),
    ]
    .concat();
    assert_eq!(sends(&expected, |spi| spi.read_mac(regs::MACON3)), 0x32);
}

#[test]
fn write_mac_has_cs_hold() {
    let expected = [
        write(&[0x9f, 0x03]),
        within([Transaction::write_vec(vec![0x44, 0x02]), Transaction::delay(210)]),
    ]
    .concat();
    let [first, ..] = regs::MAADR;
    sends(&expected, |spi| spi.write_mac(first, 0x02));
}

#[test]
fn write_pair_low_byte_first() {
    let expected = [write(&[0x4c, 0xff]), write(&[0x4d, 0x13])].concat();
    sends(&expected, |spi| spi.write_pair(regs::ERXRDPT, 0x13ff));
}

#[test]
fn set_and_clear_use_bfs_and_bfc() {
    let expected = [write(&[0x9e, 0x40]), write(&[0xbb, 0x80])].concat();
    sends(&expected, |spi| {
        spi.set(regs::ECON2, 0x40)?;
        spi.clear(regs::EIE, 0x80)
    });
}

#[test]
fn read_buffer_head_and_tail_are_one_transaction() {
    let expected = [
        within([
            Transaction::write_vec(vec![0x3a]),
            Transaction::read_vec(vec![1, 2, 3]),
            Transaction::read_vec(vec![4, 5]),
        ]),
        within([Transaction::write_vec(vec![0x3a]), Transaction::read_vec(vec![6])]),
    ]
    .concat();
    sends(&expected, |spi| {
        let (mut head, mut tail, mut one) = ([0; 3], [0; 2], [0; 1]);
        spi.read_buffer(&mut head, &mut tail)?;
        spi.read_buffer(&mut one, &mut [])?;
        assert_eq!((head, tail, one), ([1, 2, 3], [4, 5], [6]));
        Ok(())
    });
}

#[test]
fn write_buffer_skips_empty_parts() {
    let expected = within([
        Transaction::write_vec(vec![0x7a]),
        Transaction::write_vec(vec![1, 2]),
        Transaction::write_vec(vec![3]),
    ]);
    sends(&expected, |spi| {
        spi.write_buffer([&[][..], &[1, 2], &[], &[3], &[]].into_iter())
    });
}

#[test]
fn write_buffer_many_parts_use_more_transactions() {
    for count in 0..=3 * GATHER {
        let bytes: Vec<[u8; 1]> = (0..count).map(|n| [n as u8]).collect();
        let expected: Vec<_> = bytes
            .chunks(GATHER)
            .flat_map(|parts| {
                let opcode = Transaction::write_vec(vec![0x7a]);
                within(core::iter::once(opcode).chain(parts.iter().map(|part| Transaction::write_vec(part.to_vec()))))
            })
            .collect();
        sends(&expected, |spi| spi.write_buffer(bytes.iter().map(|part| &part[..])));
    }
}

#[test]
fn system_reset_is_one_byte() {
    sends(&write(&[0xff]), Spi::system_reset);
}

/// Fails at one transaction, and at no other.
struct Failing {
    at: usize,
}

impl ErrorType for Failing {
    type Error = ErrorKind;
}

impl SpiDevice for Failing {
    fn transaction(&mut self, _: &mut [Operation<'_, u8>]) -> core::result::Result<(), ErrorKind> {
        let fails = self.at == 0;
        self.at = self.at.wrapping_sub(1);
        if fails { Err(ErrorKind::ModeFault) } else { Ok(()) }
    }
}

#[test]
fn instruction_bus_error_is_returned() {
    for at in 0..2 {
        let mut spi = Spi::new(Blocking {
            spi: Failing { at },
            delay: NoopDelay::new(),
            reset: NoReset,
        });
        spi.bank_was_reset();
        // Two transactions: the bank, the register.
        assert_eq!(spi.read(regs::EPKTCNT), Err(Error::Spi(ErrorKind::ModeFault)));
        // Which bank is selected is known only where that did not fail.
        assert_eq!(spi.bank(), if at == 0 { None } else { Some(1) });
    }
    let failing = || {
        Spi::new(Blocking {
            spi: Failing { at: 0 },
            delay: NoopDelay::new(),
            reset: NoReset,
        })
    };
    let failed = Err(Error::Spi(ErrorKind::ModeFault));
    assert_eq!(failing().look(regs::EIR).map(drop), failed);
    assert_eq!(failing().set(regs::EIR, 1), failed);
    assert_eq!(failing().clear(regs::EIR, 1), failed);
    assert_eq!(failing().read_buffer(&mut [0; 4], &mut []), failed);
    assert_eq!(failing().write_buffer([&[1][..]].into_iter()), failed);
    assert_eq!(failing().system_reset(), failed);
    assert_eq!(failing().write_mac(regs::MACON3, 0), failed);
    assert_eq!(failing().read_mac(regs::MACON3).map(drop), failed);
}
