//! An echo with the published crate `embassy-net-enc28j60`, by the trait that embassy-net calls.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::task::{Context, Waker};

use cortex_m as _;
use cortex_m_rt::entry;
use embassy_net_driver::{Driver, RxToken, TxToken};
use embassy_net_enc28j60::Enc28j60;
use enc28j60_images::{Host, MAC};
use panic_halt as _;

type Nic = Enc28j60<Host, Host>;

/// Read from the image: the driver, and its counters, of which it has none.
#[used]
static SIZES: [usize; 2] = [size_of::<Nic>(), 0];

/// The clock that embassy-time requires, which a host has in any case.
struct Time;

impl embassy_time_driver::Driver for Time {
    fn now(&self) -> u64 {
        black_box(0)
    }

    fn schedule_wake(&self, at: u64, _: &Waker) {
        black_box(at);
    }
}

embassy_time_driver::time_driver_impl!(static TIME: Time = Time);

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let mut nic = Nic::new(Host, None, MAC);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Some((rx, tx)) = Driver::receive(&mut nic, &mut cx) {
            rx.consume(|received| {
                tx.consume(received.len(), |frame| frame.copy_from_slice(received));
            });
        }
        black_box(nic.link_state(&mut cx));
    }
}
