//! Chips that read any values, or do not respond: every call must return, with an error where one
//! is due.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ethdev::{Control, EthernetDevice, Interest, Link, MacAddress, Rearm};
use ethdev_lan9118::{Config, Lan9118};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::mmio::Registers;
use ethdev_phy::phy::reg;
use ethdev_sim::SimDelay;
use lan9118_model::DeviceState;
use proptest::prelude::*;

use crate::testbed::{Bus, FULL, Testbed, frame};

/// The registers of the chip, or random values once `faulty` is set.
struct FaultyBus<F> {
    chip: Bus,
    faulty: Rc<Cell<bool>>,
    noise: RefCell<F>,
}

impl<F: FnMut(usize) -> u32> Registers for FaultyBus<F> {
    fn read(&self, offset: usize) -> u32 {
        if self.faulty.get() {
            (self.noise.borrow_mut())(offset)
        } else {
            self.chip.read(offset)
        }
    }

    fn write(&self, offset: usize, value: u32) {
        if !self.faulty.get() {
            self.chip.write(offset, value);
        }
    }
}

/// Calls every method. Only that they return is checked, and that lengths are in range.
fn call_everything<R: Registers>(device: &mut Lan9118<R, SimDelay>) {
    let mut buf = [0; 1514];
    for _ in 0..4 {
        let received = device.recv_frame(&mut buf);
        assert!(received.is_err() || received.is_ok_and(|meta| meta.is_none_or(|meta| meta.len <= buf.len())));
        let _ = device.recv_frame(&mut []);
        let _ = device.discard_frame();
        let _ = device.tx_ready();
        let _ = device.send_frame(&frame(200));
        let _ = device.send_vectored(&[&frame(20), &frame(30)]);
        let _ = device.service();
        let _ = device.disarm();
        let _ = device.rearm(Interest::ALL);
        let _ = device.phy_interrupt();
        let _ = device.mdio().read(PhyAddress::from_low_bits(1), reg::BMSR);
        let _ = device.set_link(Link::Down);
        let _ = device.set_link(FULL);
    }
    let _ = device.set_mac_address(MacAddress::new([2, 0, 0, 0, 0, 7]));
    let _ = device.sleep();
    let _ = device.wake();
    let _ = device.stop();
    let _ = device.start();
    let _ = device.recover();
    let _ = device.service();
}

/// A started driver on registers that become faulty when the flag is set.
fn started_on_faulty_bus<F: FnMut(usize) -> u32>(
    noise: F,
) -> (Testbed, Rc<Cell<bool>>, Lan9118<FaultyBus<F>, SimDelay>) {
    let bed = Testbed::new();
    let faulty = Rc::new(Cell::new(false));
    let bus = FaultyBus {
        chip: Bus(bed.chip.bus()),
        faulty: Rc::clone(&faulty),
        noise: RefCell::new(noise),
    };
    let mut device = Lan9118::new(bus, bed.chip.delay(), Config::new()).expect("the chip does not start");
    device.set_link(FULL).expect("the chip does not start");
    (bed, faulty, device)
}

#[test]
fn service_chip_gone_error() {
    for presence in [DeviceState::AllOnes, DeviceState::AllZeros] {
        let (bed, mut device) = Testbed::started();
        bed.chip.set_device_state(presence);
        assert!(device.service().is_err(), "{presence:?}");
        assert!(
            device.recover().is_err(),
            "recover succeeded without a chip: {presence:?}"
        );
        call_everything(&mut device);
        // The chip is connected again: a recovery finds it.
        bed.chip.set_device_state(DeviceState::Connected);
        device.recover().unwrap();
        assert!(device.link().is_up());
        device.send_frame(&frame(100)).unwrap();
        bed.pass(50);
        assert_eq!(bed.peer.recv(), Some(frame(100)));
    }
}

#[test]
fn every_method_constant_registers_returns() {
    for value in [0, u32::MAX, 0x8765_4321, 1 << 31, 1, 0x0001_0040, 0x0000_1200] {
        let (_bed, faulty, mut device) = started_on_faulty_bus(move |_| value);
        faulty.set(true);
        call_everything(&mut device);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Random words, words with one or two bits, or a chip with one faulty register.
    #[test]
    fn every_method_random_registers_returns(words in prop::collection::vec(any::<u32>(), 1..200), kind in 0..3, faulty_register in 0_usize..64) {
        let bed = Testbed::new();
        let behind = bed.chip.bus();
        let mut at = 0;
        let (_bed, faulty, mut device) = started_on_faulty_bus(move |offset| {
            at = (at + 1) % words.len();
            let word = words[at];
            match kind {
                0 => word,
                1 => 1 << (word % 32) | 1 << ((word >> 8) % 32),
                _ if offset == faulty_register * 4 => word,
                _ => behind.read(offset),
            }
        });
        faulty.set(true);
        call_everything(&mut device);
    }
}
