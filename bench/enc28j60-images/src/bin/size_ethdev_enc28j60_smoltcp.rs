//! The blocking driver of ethdev under smoltcp, without sockets.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::MacAddress;
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_smoltcp::SmoltcpDevice;
use panic_halt as _;
use smoltcp::iface::{Config as InterfaceConfig, Interface, SocketSet};
use smoltcp::time::Instant;

type Nic = Enc28j60<Host, Host>;

/// Read from the image: the adapter with the driver in it, and the buffers of both.
#[used]
static SIZES: [usize; 2] = [size_of::<SmoltcpDevice<'static, Nic>>(), 2 * FRAME];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let (mut rx, mut tx) = ([0; FRAME], [0; FRAME]);
    loop {
        let Ok(nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) else {
            continue;
        };
        let mut device = SmoltcpDevice::new(nic, &mut rx, &mut tx);
        let config = InterfaceConfig::new(device.hardware_address());
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        let mut no_sockets = [];
        let mut sockets = SocketSet::new(&mut no_sockets[..]);
        while device.take_error().is_none() {
            let now = Instant::from_micros(black_box(0_i64));
            black_box(interface.poll(now, &mut device, &mut sockets));
            let _ = black_box(device.poll_at(&mut interface, &sockets, now));
        }
    }
}
