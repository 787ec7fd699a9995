//! An echo with the blocking driver of ethdev, with recovery.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::{Control, EthernetDevice, MacAddress, Stats};
use ethdev_enc28j60::{Config, Enc28j60};
use panic_halt as _;

type Nic = Enc28j60<Host, Host>;

/// Read from the image: the driver, and its counters.
#[used]
static SIZES: [usize; 2] = [size_of::<Nic>(), size_of::<Stats>() - UNREPORTED];

/// `rx_filtered` and `rx_bad_fcs`: the chip does not report such frames.
const UNREPORTED: usize = 2 * size_of::<u32>();

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let mut buf = [0; FRAME];
    loop {
        if let Ok(mut nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) {
            echo(&mut nic, &mut buf);
        }
    }
}

fn echo(nic: &mut Nic, buf: &mut [u8; FRAME]) {
    loop {
        let result = nic.recv_frame(buf).and_then(|meta| {
            if let Some(frame) = meta.and_then(|meta| buf.get(..meta.len)) {
                nic.send_frame(frame)?;
            }
            nic.service()
        });
        black_box(nic.link());
        black_box(nic.stats());
        if result.is_err() && nic.recover().is_err() {
            return;
        }
    }
}
