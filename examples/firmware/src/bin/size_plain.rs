//! Echo through a `phy::Device` for one driver. `cargo xtask size` compares this image with
//! `size_ethdev`.
#![no_std]
#![no_main]

use ethdev::{EthernetDevice, Link};
use ethdev_firmware::board::{self, Board, Delay, NicRegisters};
use ethdev_firmware::echo::{self, Memory};
use ethdev_lan9118::{Config, Lan9118};
use ethdev_phy::Mac;
use semihosting::process;
use smoltcp::phy::{self, Device, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use static_cell::ConstStaticCell;

const FRAME: usize = 1514;

type Nic = Lan9118<NicRegisters, Delay>;

static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());

struct Plain {
    nic: Nic,
    rx: [u8; FRAME],
    tx: [u8; FRAME],
}

struct RxToken<'a>(&'a [u8]);

struct TxToken<'a> {
    nic: &'a mut Nic,
    buf: &'a mut [u8; FRAME],
}

impl phy::RxToken for RxToken<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let frame = self.buf.get_mut(..len).unwrap_or_default();
        let result = f(frame);
        // Such adapters usually drop errors.
        let _ = self.nic.send_frame(frame);
        result
    }
}

impl Device for Plain {
    type RxToken<'a> = RxToken<'a>;
    type TxToken<'a> = TxToken<'a>;

    fn receive(&mut self, _now: Instant) -> Option<(RxToken<'_>, TxToken<'_>)> {
        let meta = self.nic.recv_frame(&mut self.rx).ok()??;
        let frame = self.rx.get(..meta.len)?;
        let transmit = TxToken {
            nic: &mut self.nic,
            buf: &mut self.tx,
        };
        Some((RxToken(frame), transmit))
    }

    fn transmit(&mut self, _now: Instant) -> Option<TxToken<'_>> {
        self.nic.tx_ready().ok()?.then_some(TxToken {
            nic: &mut self.nic,
            buf: &mut self.tx,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}

#[board::entry]
fn main() -> ! {
    let (Some(board), Some(memory)) = (Board::take(), MEMORY.try_take()) else {
        process::exit(1)
    };
    let Ok(mut nic) = Lan9118::new(board.nic, Delay, Config::new()) else {
        process::exit(1)
    };
    let _ = nic.set_link(Link::UP);
    let address = nic.mac_address();
    let mut device = Plain {
        nic,
        rx: [0; FRAME],
        tx: [0; FRAME],
    };
    echo::run(&mut device, address, memory, |device| {
        let _ = device.nic.service();
        Instant::from_micros(board::now().as_micros() as i64)
    })
}
