//! The echo of `size_ethdev_enc28j60` through the adapter for smoltcp, by the trait that smoltcp
//! calls.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::{Control, MacAddress};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_smoltcp::SmoltcpDevice;
use panic_halt as _;
use smoltcp::phy::{Device, RxToken, TxToken};
use smoltcp::time::Instant;

type Nic = Enc28j60<Host, Host>;
type Adapter<'b> = SmoltcpDevice<'b, Nic>;

/// Read from the image: the adapter, and the driver in it.
#[used]
static SIZES: [usize; 2] = [size_of::<Adapter<'static>>(), size_of::<Nic>()];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let (mut rx, mut reply) = ([0; FRAME], [0; FRAME]);
    loop {
        if let Ok(nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) {
            echo(&mut SmoltcpDevice::new(nic, &mut rx, &mut reply));
        }
    }
}

fn echo(device: &mut Adapter<'_>) {
    loop {
        let result = device.service();
        if let Some((rx, tx)) = device.receive(Instant::from_micros(black_box(0_i64))) {
            rx.consume(|received| {
                tx.consume(received.len(), |frame| frame.copy_from_slice(received));
            });
        }
        black_box(device.link());
        black_box((device.stats(), device.drops()));
        let failed = result.is_err() || device.take_error().is_some();
        if failed && device.recover().is_err() {
            return;
        }
    }
}
