//! The baseline of the others: vectors, start-up, and an echo without a driver.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use cyw43_images::FRAME;
use panic_halt as _;

#[entry]
fn main() -> ! {
    let mut buf = [0; FRAME];
    loop {
        let len: usize = black_box(0);
        if let Some(frame) = black_box(&mut buf).get(..len) {
            black_box(frame);
        }
    }
}
