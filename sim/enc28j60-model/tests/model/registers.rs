//! Registers, banks and buffer memory.

use enc28j60_model::{ChipConfig, Errata, Revision, ViolationKind};
use proptest::prelude::*;

use crate::host::*;

#[test]
fn registers_after_reset_match_data_sheet() {
    let mut host = Host::new(ideal());
    for (register, value) in [
        (ERDPT, 0x05fa),
        (EWRPT, 0),
        (ETXST, 0),
        (ERXST, 0x05fa),
        (ERXND, 0x1fff),
        (ERXRDPT, 0x05fa),
        (ERXWRPT, 0),
        (MAMXFL, 0x0600),
    ] {
        assert_eq!(host.get16(register), value, "{register:?}");
    }
    for (register, value) in [
        (ERXFCON, 0xa1),
        (EPKTCNT, 0),
        (MACON1, 0),
        ((0x08, 2), 0x0f),
        ((0x09, 2), 0x37),
        (ECOCON, 0x04),
        (EIE, 0),
        (EIR, 0),
        (ESTAT, 0x01),
        (ECON2, 0x80),
        (ECON1, 0x03),
    ] {
        if register != ECON1 {
            assert_eq!(host.get(register), value, "{register:?}");
        }
    }
    host.assert_clean();
}

#[test]
fn erevid_reads_revision() {
    for (revision, id) in [
        (Revision::B1, 0x02),
        (Revision::B4, 0x04),
        (Revision::B5, 0x05),
        (Revision::B7, 0x06),
    ] {
        let mut host = Host::new(ChipConfig::new(revision).with_errata(Errata::none()));
        assert_eq!(host.get(EREVID), id);
    }
}

#[test]
fn mac_register_read_has_dummy_byte() {
    use embedded_hal::spi::SpiDevice;
    let mut host = Host::new(ideal());
    host.set(MACON3, 0x5a);
    host.bank(MACON3);
    let mut bytes = [0x02, 0xff, 0xff];
    host.spi.transfer_in_place(&mut bytes).unwrap();
    assert_eq!(bytes, [0, 0, 0x5a]);
    host.assert_clean();
}

#[test]
fn common_registers_read_same_in_every_bank() {
    let mut host = Host::new(ideal());
    host.set(EIE, 0xda);
    for bank in 0..4 {
        host.bank((0, bank));
        assert_eq!(host.get(EIE), 0xda);
        assert_eq!(host.get(ECON1) & 3, bank);
    }
}

#[test]
fn erxrdpt_takes_effect_with_high_byte() {
    let mut host = Host::new(ideal());
    host.set(ERXRDPT, 0x33);
    assert_eq!(host.get16(ERXRDPT), 0x05fa);
    host.set((0x0d, 0), 0x11);
    assert_eq!(host.get16(ERXRDPT), 0x1133);
}

/// Section 6.1. ERXND does not change it, and erratum 5 concerns the internal pointer only.
#[test]
fn erxwrpt_follows_write_of_erxst() {
    for errata in [Errata::none(), Errata::of(Revision::B7)] {
        let mut host = Host::new(ideal().with_errata(errata));
        host.set(ERXST, 0x34);
        assert_eq!(host.get16(ERXWRPT), 0x0534);
        host.set((0x09, 0), 0x12);
        assert_eq!(host.get16(ERXWRPT), 0x1234);
        host.set16(ERXND, 0x1fff);
        assert_eq!(host.get16(ERXWRPT), 0x1234);
        host.assert_clean();
    }
}

#[test]
fn read_only_register_ignores_write() {
    let mut host = Host::new(ideal());
    host.set(EPKTCNT, 7);
    assert_eq!(host.get(EPKTCNT), 0);
    host.set(EREVID, 1);
    assert_eq!(host.get(EREVID), 6);
    host.set((0x12, 1), 9);
    assert_eq!(host.get((0x12, 1)), 0);
    assert_eq!(
        host.kinds(),
        [
            ViolationKind::ReadOnly,
            ViolationKind::ReadOnly,
            ViolationKind::ReservedAddress
        ]
    );
}

#[test]
fn flags_cannot_be_set_by_host() {
    let mut host = Host::started(ideal());
    host.set_bits(EIR, 0x2b);
    host.set_bits(ESTAT, 0x52);
    assert_eq!((host.get(EIR), host.get(ESTAT)), (0x00, 0x01));
    host.peer.send(&frame(60));
    host.us(100);
    host.set_bits(ECON2, 0x40);
    assert_eq!((host.get(ECON2), host.get(EPKTCNT)), (0x80, 0));
    host.assert_clean();
}

#[test]
fn rbm_wraps_at_fifo_end_and_wbm_does_not() {
    let mut host = Host::new(ideal());
    host.set16(ERXST, 0x0100);
    host.set16(ERXND, 0x01ff);
    host.set16(EWRPT, 0x01fe);
    host.write(&[1, 2, 3, 4]);
    assert_eq!(host.get16(EWRPT), 0x0202);
    host.set16(EWRPT, 0x0100);
    host.write(&[5, 6]);
    host.set16(ERDPT, 0x01fe);
    assert_eq!(host.read(4), [1, 2, 5, 6]);
    assert_eq!(host.get16(ERDPT), 0x0102);
    host.set16(ERDPT, 0x0200);
    assert_eq!(host.read(2), [3, 4]);
    host.set16(EWRPT, 0x1fff);
    host.write(&[7, 8]);
    host.set16(ERDPT, 0x1fff);
    assert_eq!(host.read(2), [7, 8]);
    host.assert_clean();
}

#[test]
fn memory_access_without_autoinc_keeps_pointer() {
    let mut host = Host::new(ideal());
    host.clear_bits(ECON2, 0x80);
    host.set16(EWRPT, 0x0300);
    host.write(&[1, 2, 3]);
    host.set16(ERDPT, 0x0300);
    assert_eq!(host.read(2), [3, 3]);
    assert_eq!((host.get16(EWRPT), host.get16(ERDPT)), (0x0300, 0x0300));
}

#[test]
fn dma_copies_and_computes_checksum() {
    let mut host = Host::new(ideal());
    host.set16(EWRPT, 0x0010);
    host.write(&[0x00, 0x04, 0xa3, 0xff, 0xff, 0xff]);
    host.set16(EDMAST, 0x0010);
    host.set16(EDMAND, 0x0015);
    host.set16(EDMADST, 0x0700);
    host.set_bits(ECON1, 0x20);
    host.us(1);
    assert_eq!((host.get(ECON1) & 0x20, host.get(EIR)), (0, 0x20));
    host.set16(ERDPT, 0x0700);
    assert_eq!(host.read(6), [0x00, 0x04, 0xa3, 0xff, 0xff, 0xff]);
    host.set_bits(ECON1, 0x10);
    host.set_bits(ECON1, 0x20);
    host.us(1);
    assert_eq!(host.get16(EDMACS), 0x5bfc);
    host.assert_clean();
}

#[test]
fn dma_cancelled_has_no_effect() {
    let mut host = Host::new(ideal());
    host.set16(EDMAST, 0x0000);
    host.set16(EDMAND, 0x03ff);
    host.set16(EDMADST, 0x1000);
    let before = host.chip.peek_ram(0x1000);
    host.set16(EWRPT, 0);
    host.write(&[!before]);
    host.set_bits(ECON1, 0x20);
    host.clear_bits(ECON1, 0x20);
    assert_eq!(host.get(EIR), 0x20);
    host.us(200);
    assert_eq!(host.chip.peek_ram(0x1000), before);
    host.assert_clean();
}

#[test]
fn dma_with_equal_start_and_end_overwrites_memory() {
    let mut host = Host::new(ideal());
    host.set16(ERXST, 0);
    host.set16(EWRPT, 0x0800);
    host.write(&[0x77; 16]);
    host.set16(EDMAST, 0x0010);
    host.set16(EDMAND, 0x0010);
    host.set16(EDMADST, 0x0011);
    let first = host.chip.peek_ram(0x0010);
    host.set_bits(ECON1, 0x20);
    host.us(1000);
    assert!((0..0x2000).all(|at| host.chip.peek_ram(at) == first));
}

#[test]
fn dma_source_wraps_at_fifo_end() {
    let mut host = Host::new(ideal());
    host.set16(ERXST, 0x0100);
    host.set16(ERXND, 0x01ff);
    host.set16(EWRPT, 0x01fe);
    host.write(&[1, 2]);
    host.set16(EWRPT, 0x0100);
    host.write(&[3]);
    host.set16(EDMAST, 0x01fe);
    host.set16(EDMAND, 0x0100);
    host.set16(EDMADST, 0x1fff);
    host.set_bits(ECON1, 0x20);
    host.us(1);
    host.set16(ERDPT, 0x1fff);
    host.set16(ERXND, 0x0fff);
    assert_eq!(host.read(3), [1, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Written bytes are read back at any address outside the FIFO.
    #[test]
    fn memory_read_returns_written_bytes(at in 0_u16..0x1800, bytes in proptest::collection::vec(any::<u8>(), 1..600)) {
        let mut host = Host::new(ideal());
        host.set16(ERXST, 0x1f00);
        host.set16(EWRPT, at);
        host.write(&bytes);
        host.set16(ERDPT, at);
        prop_assert_eq!(host.read(bytes.len()), &bytes[..]);
        // Byte by byte, which the model handles separately.
        host.set16(ERDPT, at);
        let mut echo = vec![0x3a; 1 + bytes.len()];
        embedded_hal::spi::SpiDevice::transfer_in_place(&mut host.spi, &mut echo).unwrap();
        prop_assert_eq!(&echo[1..], &bytes[..]);
        prop_assert_eq!(host.get16(ERDPT), at + bytes.len() as u16);
        let rbm_bytes = host.chip.bus().rbm_bytes;
        prop_assert_eq!(rbm_bytes, 2 * bytes.len() as u64);
        host.assert_clean();
    }
}
