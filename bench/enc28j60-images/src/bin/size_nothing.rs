//! The baseline of the others: vectors, start-up, and an echo without a driver.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, Nothing};
use panic_halt as _;

#[entry]
fn main() -> ! {
    black_box(Host);
    let mut nic = Nothing;
    let mut buf = [0; FRAME];
    loop {
        if let Some(frame) = nic.receive(&mut buf).and_then(|len| buf.get(..len)) {
            nic.send(frame);
        }
    }
}
