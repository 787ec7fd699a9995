//! The echo of `size_ethdev_enc28j60` at two ports of a switch.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m as _;
use cortex_m_rt::entry;
use enc28j60_images::{FRAME, Host, MAC};
use ethdev::{Control, EthernetDevice, LendingDevice, MacAddress};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_switch::{Port, Switch, TableEntry};
use ethdev_util::Buffered;
use panic_halt as _;

type Nic = Enc28j60<Host, Host>;
type Uplink<'b> = Buffered<'b, Nic>;

/// The number of ports, and of frames in the queue of each.
const PORTS: usize = 2;
const QUEUE: usize = 4;

/// Read from the image: the switch without queues and table, and the driver in it.
#[used]
static SIZES: [usize; 2] = [
    size_of::<Switch<'static, Uplink<'static>, PORTS, QUEUE>>(),
    size_of::<Nic>(),
];

#[entry]
fn main() -> ! {
    black_box(&SIZES);
    let (mut rx, mut tx) = ([0; FRAME], [0; FRAME]);
    let mut queues = [[[0; FRAME]; QUEUE]; PORTS];
    let mut table = [TableEntry::EMPTY; 8];
    let mut buf = [0; FRAME];
    loop {
        let Ok(nic) = Enc28j60::new(Host, Host, Config::new(MacAddress::new(MAC))) else {
            continue;
        };
        let addresses = [1, 2].map(|n| MacAddress::new([2, 0, 0, 0, 0, n]));
        let mut switch = Switch::new(Buffered::new(nic, &mut rx, &mut tx), addresses, &mut queues, &mut table);
        if switch.open().is_err() {
            continue;
        }
        let Ok((mut ports, mut runner)) = switch.split() else {
            continue;
        };
        loop {
            let served = ports.iter_mut().all(|port| echo(port, &mut buf));
            if !served && runner.with_device(|nic| nic.recover()).is_err() {
                break;
            }
        }
    }
}

fn echo<D: LendingDevice>(port: &mut Port<'_, '_, D, PORTS, QUEUE>, buf: &mut [u8; FRAME]) -> bool {
    let result = port.recv_frame(buf).and_then(|meta| {
        if let Some(frame) = meta.and_then(|meta| buf.get(..meta.len)) {
            port.send_frame(frame)?;
        }
        port.service()
    });
    black_box(port.link());
    black_box(port.stats());
    result.is_ok()
}
