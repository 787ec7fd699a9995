//! The blocking driver of ethdev behind the table of functions for C. The table refers to all of
//! them, so all are in the image.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::num::NonZeroU32;

use cortex_m_rt::entry;
use enc28j60_images::{Host, MAC};
use ethdev::MacAddress;
use ethdev_capi::CDevice;
use ethdev_enc28j60::{Config, Enc28j60};
use panic_halt as _;

type Nic = Enc28j60<Host, Host>;

/// Read from the image: the device for C, and the driver in it.
#[used]
static SIZES: [usize; 2] = [size_of::<CDevice<Nic>>(), size_of::<Nic>()];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    loop {
        if let Ok(nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) {
            serve(nic);
        }
    }
}

fn serve(nic: Nic) {
    let device = cortex_m::singleton!(DEVICE: CDevice<Nic> = CDevice::new(nic, c"eth0", NonZeroU32::MIN));
    if let Some(device) = device {
        black_box(device.handle());
    }
}
