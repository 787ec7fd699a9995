//! Echo through `ethdev` and `ethdev-smoltcp`. `cargo xtask size` compares this image with that of
//! `size_plain`.
#![no_std]
#![no_main]

use core::hint::black_box;

use ethdev::{EthernetDevice, Link};
use ethdev_firmware::board::{self, Board, Delay, NicRegisters};
use ethdev_firmware::echo::{self, Memory};
use ethdev_lan9118::{Config, Lan9118};
use ethdev_phy::Mac;
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_util::{Buffered, IrqSignal};
use semihosting::process;
use smoltcp::time::Instant;
use static_cell::ConstStaticCell;

const FRAME: usize = 1514;

type Nic = Lan9118<NicRegisters, Delay>;
type Adapter = SmoltcpDevice<'static, Nic>;

static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());

/// Read from the image by `cargo xtask size`: RAM in addition to the driver and the buffers of the
/// caller.
#[used]
static SIZES: [usize; 3] = [
    size_of::<Buffered<'static, Nic>>() - size_of::<Nic>(),
    size_of::<Adapter>() - size_of::<Nic>(),
    size_of::<IrqSignal>(),
];

#[board::entry]
fn main() -> ! {
    black_box(&SIZES);
    let (Some(board), Some(memory)) = (Board::take(), MEMORY.try_take()) else {
        process::exit(1)
    };
    let Ok(mut nic) = Lan9118::new(board.nic, Delay, Config::new()) else {
        process::exit(1)
    };
    // Errors are counted.
    let _ = nic.set_link(Link::UP);
    let address = nic.mac_address();
    let (mut rx, mut reply) = ([0; FRAME], [0; FRAME]);
    let mut device = SmoltcpDevice::new(nic, &mut rx, &mut reply);
    echo::run(&mut device, address, memory, |device| {
        let _ = device.service();
        Instant::from_micros(board::now().as_micros() as i64)
    })
}
