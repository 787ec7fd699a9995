//! An echo with the blocking driver of ethdev, with recovery.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use cyw43_images::{FRAME, Host, PASSPHRASE, SSID, image};
use ethdev::{Control, EthernetDevice, Stats};
use ethdev_cyw43::{Config, Cyw43, FirmwareImages, Network};
use panic_halt as _;
use static_cell::ConstStaticCell;

/// Capacity for four frames, as the other driver has for received ones.
const RX_QUEUE_LEN: usize = 4 * (FRAME + 2) + 256;

type Nic = Cyw43<'static, Host, Host, Host, FirmwareImages<'static>>;

static RX_QUEUE: ConstStaticCell<[u8; RX_QUEUE_LEN]> = ConstStaticCell::new([0; RX_QUEUE_LEN]);

/// Read from the image: the stack of the program (the driver and the frame that it echoes), the
/// driver, and its counters.
#[used]
static SIZES: [usize; 3] = [size_of::<Nic>() + FRAME, size_of::<Nic>(), size_of::<Stats>()];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let mut buf = [0; FRAME];
    let images = FirmwareImages::new(image(&[]), image(&[]), image(&[]));
    let rx_queue = RX_QUEUE.take();
    if let Ok(mut nic) = Nic::new(Host, Host, Host, images, rx_queue, Config::new()) {
        loop {
            run(&mut nic, &mut buf);
        }
    }
    loop {}
}

fn run(nic: &mut Nic, buf: &mut [u8; FRAME]) {
    let Ok(network) = Network::wpa2(black_box(SSID), black_box(PASSPHRASE)) else {
        return;
    };
    if nic.start().is_err() || nic.join(&network).is_err() {
        return;
    }
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
