//! The echo of `size_ethdev_enc28j60` through the adapter for embassy-net, by the trait that
//! embassy-net calls.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::task::{Context, Waker};

use cortex_m as _;
use cortex_m_rt::entry;
use embassy_net_driver::{Driver, RxToken, TxToken};
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::{Control, MacAddress};
use ethdev_embassy::State;
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_util::{Buffered, IrqDevice, IrqSignal};
use panic_halt as _;

type Nic = Enc28j60<Host, Host>;
type Adapter<'b> = State<'b, IrqDevice<'static, Buffered<'b, Nic>>>;

/// Signaled by the interrupt handler of the INT line.
static IRQ: IrqSignal = IrqSignal::new();

/// Read from the image: the adapter with the layers that make the driver lend and keep a waker, and
/// the driver in it.
#[used]
static SIZES: [usize; 2] = [size_of::<Adapter<'static>>(), size_of::<Nic>()];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let (mut rx, mut tx, mut reply) = ([0; FRAME], [0; FRAME], [0; FRAME]);
    loop {
        if let Ok(nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) {
            let device = IrqDevice::new(Buffered::new(nic, &mut rx, &mut tx), &IRQ);
            if let Ok(mut state) = State::new(device, &mut reply) {
                echo(&mut state);
            }
        }
    }
}

fn echo(state: &mut Adapter<'_>) {
    let (mut driver, handle) = state.split();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        IRQ.signal();
        if let Some((rx, tx)) = driver.receive(&mut cx) {
            rx.consume(|received| {
                tx.consume(received.len(), |frame| frame.copy_from_slice(received));
            });
        }
        black_box(driver.link_state(&mut cx));
        black_box(handle.stats().is_ok());
        black_box(handle.drops().is_ok());
        let failed = !matches!(handle.take_error(), Ok(None));
        if failed && handle.with(|nic| nic.recover()).is_err() {
            return;
        }
    }
}
