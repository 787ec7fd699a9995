//! An echo with the published crate `cyw43`, by the trait that embassy-net calls.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::task::{Context, Waker};

use cortex_m as _;
use cortex_m_rt::entry;
use cyw43::{A4, Aligned, Control, JoinOptions, NetDriver, PowerManagementMode, Runner, SpiBus, State};
use cyw43_images::{Host, PASSPHRASE, SSID, image, task_size};
use embassy_futures::block_on;
use embassy_futures::select::select;
use embassy_net_driver::{Driver as _, RxToken as _, TxToken as _};
use panic_halt as _;
use static_cell::StaticCell;

static STATE: StaticCell<State> = StaticCell::new();
static EMPTY: Aligned<A4, [u8; 0]> = Aligned([]);

/// Read from the image: the task (the driver and its futures), its runner, and its counters, of
/// which it has none.
#[used]
static SIZES: [usize; 3] = [task_size(&task), size_of::<Runner<'static, SpiBus<Host, Host>>>(), 0];

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
    block_on(task());
    loop {}
}

async fn task() {
    let nothing: &'static Aligned<A4, [u8]> = image(&EMPTY);
    let (mut net, mut control, runner) = cyw43::new(STATE.init_with(State::new), Host, Host, nothing, nothing).await;
    select(runner.run(), run(&mut net, &mut control)).await;
}

async fn run(net: &mut NetDriver<'_>, control: &mut Control<'_>) {
    control.init(image(&[])).await;
    control.set_power_management(PowerManagementMode::PowerSave).await;
    let options = JoinOptions::new(black_box(PASSPHRASE).as_bytes());
    if control.join(black_box(SSID), options).await.is_err() {
        return;
    }
    core::future::poll_fn(|cx: &mut Context<'_>| {
        if let Some((rx, tx)) = net.receive(cx) {
            rx.consume(|received| tx.consume(received.len(), |frame| frame.copy_from_slice(received)));
        }
        black_box(net.link_state(cx));
        black_box(core::task::Poll::<()>::Pending)
    })
    .await;
}
