//! Faults other than the errata.

use core::cell::Cell;
use std::rc::Rc;

use embedded_hal::digital::InputPin;
use embedded_hal::spi::SpiDevice;
use embedded_hal_async::digital::Wait;
use enc28j60_model::{ChipFaults, MisoFault, SpiFault};
use ethdev_sim::block_on;

use crate::host::*;

#[test]
fn miso_stuck_reads_constant_bytes() {
    let mut host = Host::started(ideal());
    for byte in [0x00, 0xff] {
        host.chip.set_miso(MisoFault::Stuck(byte));
        assert_eq!(host.get(EREVID), byte);
        host.set16(EWRPT, 0x1234);
    }
    host.chip.set_miso(MisoFault::Random);
    let noise: Vec<u8> = (0..32).map(|_| host.get(EREVID)).collect();
    assert!(noise.iter().any(|byte| *byte != noise[0]));
    host.chip.set_miso(MisoFault::Connected);
    assert_eq!((host.get(EREVID), host.get16(EWRPT)), (6, 0));
}

#[test]
fn fail_bus_at_byte_returns_error() {
    let mut host = Host::started(ideal());
    let before = host.chip.bus();
    host.chip.fail_bus_at(3);
    assert_eq!(host.spi.write(&[0x42, 1]), Ok(()));
    assert_eq!(host.spi.write(&[0x42, 2]), Err(SpiFault::AtByte(before.bytes + 3)));
    assert_eq!(host.spi.write(&[0x42, 3]), Ok(()));
    assert_eq!(host.chip.bus().transactions - before.transactions, 3);
    host.chip.set_faults(ChipFaults::NONE.with_spi_failure(1.0));
    assert!(host.spi.write(&[0x42, 1]).is_err());
}

#[test]
fn spi_bit_error_flips_both_directions() {
    let mut host = Host::new(ideal().with_faults(ChipFaults::NONE));
    host.chip.set_faults(ChipFaults::NONE.with_spi_bit_error(0.02));
    let (mut written_wrong, mut read_wrong) = (0, 0);
    for n in 0..2000_u16 {
        let value = (n % 251) as u8;
        host.spi.write(&[0xbf, 0x03]).unwrap();
        host.spi.write(&[0x42, value]).unwrap();
        let mut bytes = [0x02, 0];
        host.spi.transfer_in_place(&mut bytes).unwrap();
        let stats = host.chip.peek(0, 2);
        written_wrong += u32::from(stats != value);
        read_wrong += u32::from(bytes[1] != stats);
    }
    assert!(written_wrong > 5 && read_wrong > 5, "{written_wrong}, {read_wrong}");
    assert_eq!(host.chip.violations(), [], "no violation is reported after a bit error");
}

#[test]
fn spi_corruption_flips_one_bit() {
    let mut host = Host::new(ideal());
    host.set16((0x08, 0), 0x1f00);
    host.set16(EWRPT, 0);
    host.write(&[0x5a; 500]);
    let mut places = std::collections::BTreeSet::<usize>::new();
    for _ in 0..100 {
        host.chip.set_faults(ChipFaults::NONE);
        host.set16(ERDPT, 0);
        host.chip.set_faults(ChipFaults::NONE.with_spi_corruption(1.0));
        let bytes = host.read(500);
        let wrong: Vec<usize> = (0..500).filter(|at| bytes[*at] != 0x5a).collect();
        // None, where a bit of the host flipped.
        assert!(wrong.len() <= 1 || wrong.len() > 400, "{wrong:?}");
        places.extend(wrong.first());
    }
    assert!(places.len() > 20, "{places:?}");
}

#[test]
fn inject_reset_clears_registers() {
    let mut host = Host::started(ideal());
    host.chip.inject_reset();
    assert_eq!((host.get(ECON1) & 0x04, host.get(ESTAT) & 1), (0, 1));
    host.set(ECON1, 0x04);
    host.assert_clean();
    host.us(1001);
    host.reset();
    host.us(1001);
    host.set_bits(ECON1, 0x04);
    assert!(
        !host.chip.violations().is_empty(),
        "violations are reported after the reset"
    );
}

#[test]
fn lost_edge_keeps_int_level() {
    for (probability, heard) in [(0.0, 3), (1.0, 0)] {
        let mut host = Host::started(ideal().with_faults(ChipFaults::NONE.with_lost_edge(probability)));
        let falls = Rc::new(Cell::new(0));
        host.chip.on_int_falling({
            let falls = falls.clone();
            move || falls.set(falls.get() + 1)
        });
        host.set(EIE, 0xc0);
        for _ in 0..3 {
            host.peer.send(&frame(60));
            host.us(100);
            assert_eq!(host.chip.int_pin().is_low(), Ok(true));
            host.receive();
        }
        assert_eq!(falls.get(), heard);
        let clock = host.clock.clone();
        let mut pin = host.chip.int_pin();
        host.peer.send(&frame(60));
        let edge = block_on(&clock, pin.wait_for_falling_edge());
        assert_eq!(edge.is_ok(), heard > 0);
        host.assert_clean();
    }
}

#[test]
fn faults_with_same_seed_repeat() {
    let run = |seed| {
        let faults = ChipFaults::NONE.with_collisions(0.2, 0.1, 0.1);
        let mut host = Host::started(ideal().with_seed(seed).with_faults(faults));
        for _ in 0..40 {
            host.transmit(0, &frame(80));
            host.us(8000);
        }
        (host.chip.stats(), host.chip.bus(), host.clock.now())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}
