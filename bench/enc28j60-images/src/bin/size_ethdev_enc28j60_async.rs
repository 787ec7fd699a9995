//! An echo with the async driver of ethdev, woken by the INT line, with recovery.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::pin::pin;
use core::task::{Context, Waker};

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::asynch::{Control, EthernetDevice};
use ethdev::{Interest, MacAddress, Stats};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{Enc28j60, LevelIrq};
use panic_halt as _;

type Nic = Enc28j60<Host, Host, LevelIrq<Host>>;

/// Read from the image: the driver, and its counters.
#[used]
static SIZES: [usize; 2] = [size_of::<Nic>(), size_of::<Stats>() - UNREPORTED];

/// `rx_filtered` and `rx_bad_fcs`: the chip does not report such frames.
const UNREPORTED: usize = 2 * size_of::<u32>();

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let mut buf = [0; FRAME];
    let mut task = pin!(async {
        loop {
            if let Ok(mut nic) = Enc28j60::new(Host, Host, LevelIrq(Host), Config::new(MacAddress::new(MAC))).await {
                echo(&mut nic, &mut buf).await;
            }
        }
    });
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let poll: core::task::Poll<()> = task.as_mut().poll(&mut cx);
        black_box(poll.is_ready());
    }
}

async fn echo(nic: &mut Nic, buf: &mut [u8; FRAME]) {
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
