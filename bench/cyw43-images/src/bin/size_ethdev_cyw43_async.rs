//! An echo with the async driver of ethdev, woken by the data line, with recovery.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use cyw43_images::{FRAME, Host, PASSPHRASE, SSID, image, task_size};
use embassy_futures::block_on;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev::{Interest, Stats};
use ethdev_cyw43::asynch::Cyw43;
use ethdev_cyw43::{Config, FirmwareImages, Network};
use panic_halt as _;
use static_cell::ConstStaticCell;

/// Capacity for four frames, as the other driver has for received ones.
const RX_QUEUE_LEN: usize = 4 * (FRAME + 2) + 256;

type Nic = Cyw43<'static, Host, Host, Host, FirmwareImages<'static>>;

static RX_QUEUE: ConstStaticCell<[u8; RX_QUEUE_LEN]> = ConstStaticCell::new([0; RX_QUEUE_LEN]);

/// Read from the image: the task (the driver, the frame that it echoes, and its futures), the
/// driver, and its counters.
#[used]
static SIZES: [usize; 3] = [task_size(&task), size_of::<Nic>(), size_of::<Stats>()];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    block_on(task());
    loop {}
}

async fn task() {
    let mut buf = [0; FRAME];
    let images = FirmwareImages::new(image(&[]), image(&[]), image(&[]));
    let rx_queue = RX_QUEUE.take();
    let Ok(mut nic) = Nic::new(Host, Host, Host, images, rx_queue, Config::new()) else {
        return;
    };
    loop {
        run(&mut nic, &mut buf).await;
    }
}

async fn run(nic: &mut Nic, buf: &mut [u8; FRAME]) {
    let Ok(network) = Network::wpa2(black_box(SSID), black_box(PASSPHRASE)) else {
        return;
    };
    if nic.start().await.is_err() || nic.join(&network).await.is_err() {
        return;
    }
    loop {
        let result = turn(nic, buf).await;
        black_box(nic.link());
        black_box(nic.stats());
        if result.is_err() && nic.recover().await.is_err() {
            return;
        }
    }
}

async fn turn(nic: &mut Nic, buf: &mut [u8; FRAME]) -> Result<(), <Nic as ethdev::ErrorType>::Error> {
    nic.ready(Interest::RX).await?;
    let meta = nic.recv_frame(buf).await?;
    if let Some(frame) = meta.and_then(|meta| buf.get(..meta.len)) {
        nic.send_vectored(&[frame]).await?;
    }
    Ok(())
}
