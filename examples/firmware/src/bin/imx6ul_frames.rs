//! What frames cost on the i.MX6UL board's ENET, through `ethdev-smoltcp`.
#![no_std]
#![no_main]

use core::time::Duration;

use ethdev::EthernetDevice;
use ethdev_firmware::app::FRAME;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::frames;
use ethdev_firmware::nic::{self, Nic};
use ethdev_smoltcp::SmoltcpDevice;
use semihosting::{println, process};

/// How long the link may take to come up.
const PATIENCE: Duration = Duration::from_secs(5);

#[board::entry]
fn main() -> ! {
    let Some(board) = Board::take() else { process::exit(1) };
    let nic = match nic::new(board) {
        Ok(nic) => nic,
        Err(e) => {
            println!("failed: {e}");
            process::exit(1)
        }
    };
    let address = nic.mac_address();
    let mut spare = [0; FRAME];
    let mut device = SmoltcpDevice::new(nic, &mut spare);
    // What fails in it is counted, and shows as frames that do not come.
    let service = |device: &mut SmoltcpDevice<'_, Nic>| device.service().map_or((), drop);
    while !device.link().is_up() && board::now() < PATIENCE {
        service(&mut device);
    }
    frames::run(&mut device, address, service)
}
