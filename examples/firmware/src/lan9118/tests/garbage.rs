//! Chips that answer anything, or nothing: the driver has to end, and to have an error for it.

use std::cell::Cell;
use std::rc::Rc;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, Rearm};
use proptest::prelude::*;

use super::model::{Bus, Chip};
use crate::lan9118::{Error, Lan9118, Register, Registers};

/// Answers every read with a number of its own.
struct Noise<F>(F);

impl<F: FnMut() -> u32> Registers for Noise<F> {
    fn read(&mut self, _: Register) -> u32 {
        (self.0)()
    }

    fn write(&mut self, _: Register, _: u32) {}
}

/// The chip, until it goes mad.
struct Mad<F> {
    chip: Bus,
    mad: Rc<Cell<bool>>,
    noise: F,
}

impl<F: FnMut() -> u32> Registers for Mad<F> {
    fn read(&mut self, register: Register) -> u32 {
        if self.mad.get() {
            (self.noise)()
        } else {
            self.chip.read(register)
        }
    }

    fn write(&mut self, register: Register, value: u32) {
        if !self.mad.get() {
            self.chip.write(register, value);
        }
    }
}

fn use_it<R: Registers>(device: &mut Lan9118<R>) {
    let mut buf = [0; 1514];
    for _ in 0..4 {
        // Whatever they return: they return.
        let received = device.recv_frame(&mut buf);
        assert!(received.is_err() || received.is_ok_and(|meta| meta.is_none_or(|meta| meta.len <= buf.len())));
        let _ = device.recv_frame(&mut []);
        let _ = device.discard_frame();
        let _ = device.tx_ready();
        let _ = device.send_frame(&[0xff; 60]);
        let _ = device.service();
        let _ = device.disarm();
        let _ = device.rearm(Interest::ALL);
    }
    let _ = device.stop();
    let _ = device.start();
    let _ = device.recover();
    let _ = device.service();
}

#[test]
fn nothing_there() {
    for value in [0, u32::MAX] {
        match Lan9118::new(Noise(|| value)) {
            Err(e @ Error::WrongChip(found)) => {
                assert_eq!(found, value);
                assert_eq!(e.kind(), ErrorKind::NotPresent);
            }
            Err(e) => panic!("{e}"),
            Ok(_) => panic!("found a chip where there is none"),
        }
    }
}

#[test]
fn a_chip_that_dies_is_an_error() {
    for value in [0, u32::MAX] {
        let mad = Rc::new(Cell::new(false));
        let mut device = Lan9118::new(Mad {
            chip: Bus(Rc::new(Chip::new().into())),
            mad: Rc::clone(&mad),
            noise: || value,
        })
        .expect("it is alive");
        mad.set(true);
        use_it(&mut device);
        assert!(device.recover().is_err(), "recovered a chip that reads {value:#x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn noise_ends(seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        // Half of the values are such as chips have: a bit or two.
        let noise = move || if random.bool() { random.u32(..) } else { 1 << random.u32(..32) | 1 << random.u32(..32) };
        let mad = Rc::new(Cell::new(false));
        let chip = Bus(Rc::new(Chip::new().into()));
        let mut device = Lan9118::new(Mad { chip, mad: Rc::clone(&mad), noise }).expect("it is alive");
        mad.set(true);
        use_it(&mut device);
    }
}
