//! Chips that answer anything, or nothing: the driver has to end, and to have an error for it.

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

use crate::rig::{Bus, FULL, Rig, frame};

/// The chip, until it goes mad.
struct Mad<F> {
    chip: Bus,
    mad: Rc<Cell<bool>>,
    noise: RefCell<F>,
}

impl<F: FnMut(usize) -> u32> Registers for Mad<F> {
    fn read(&self, offset: usize) -> u32 {
        if self.mad.get() {
            (self.noise.borrow_mut())(offset)
        } else {
            self.chip.read(offset)
        }
    }

    fn write(&self, offset: usize, value: u32) {
        if !self.mad.get() {
            self.chip.write(offset, value);
        }
    }
}

/// Everything that can be asked of it. Whatever it returns: it returns.
fn use_it<R: Registers>(device: &mut Lan9118<R, SimDelay>) {
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

/// A driver that has started, on a chip that goes mad when told.
fn about_to_go_mad<F: FnMut(usize) -> u32>(noise: F) -> (Rig, Rc<Cell<bool>>, Lan9118<Mad<F>, SimDelay>) {
    let rig = Rig::new();
    let mad = Rc::new(Cell::new(false));
    let bus = Mad {
        chip: Bus(rig.chip.bus()),
        mad: Rc::clone(&mad),
        noise: RefCell::new(noise),
    };
    let mut device = Lan9118::new(bus, rig.chip.delay(), Config::new()).expect("it is alive");
    device.set_link(FULL).expect("it is alive");
    (rig, mad, device)
}

#[test]
fn a_chip_that_is_gone_is_an_error() {
    for presence in [DeviceState::AllOnes, DeviceState::AllZeros] {
        let (rig, mut device) = Rig::started();
        rig.chip.set_presence(presence);
        assert!(device.service().is_err(), "{presence:?}");
        assert!(
            device.recover().is_err(),
            "recovered a chip that is not there: {presence:?}"
        );
        use_it(&mut device);
        // It is back: another reset finds it.
        rig.chip.set_presence(DeviceState::Connected);
        device.recover().unwrap();
        assert!(device.link().is_up());
        device.send_frame(&frame(100)).unwrap();
        rig.pass(50);
        assert_eq!(rig.peer.recv(), Some(frame(100)));
    }
}

#[test]
fn constants_end() {
    for value in [0, u32::MAX, 0x8765_4321, 1 << 31, 1, 0x0001_0040, 0x0000_1200] {
        let (_rig, mad, mut device) = about_to_go_mad(move |_| value);
        mad.set(true);
        use_it(&mut device);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bits at random, a bit or two such as chips have them, or a chip that is itself but for one register.
    #[test]
    fn noise_ends(words in prop::collection::vec(any::<u32>(), 1..200), kind in 0..3, victim in 0_usize..64) {
        let rig = Rig::new();
        let behind = rig.chip.bus();
        let mut at = 0;
        let (_rig, mad, mut device) = about_to_go_mad(move |offset| {
            at = (at + 1) % words.len();
            let word = words[at];
            match kind {
                0 => word,
                1 => 1 << (word % 32) | 1 << ((word >> 8) % 32),
                _ if offset == victim * 4 => word,
                _ => behind.read(offset),
            }
        });
        mad.set(true);
        use_it(&mut device);
    }
}
