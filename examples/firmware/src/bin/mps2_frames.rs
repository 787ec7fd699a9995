//! Instructions per frame with the LAN9118 of the MPS2 board, through `ethdev-smoltcp`.
#![no_std]
#![no_main]

use core::time::Duration;

use ethdev::EthernetDevice;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::frames;
use ethdev_firmware::nic::{self, Adapter};
use semihosting::{println, process};

/// Limit of the time until the link is up.
const LINK_TIMEOUT: Duration = Duration::from_secs(5);

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
    let Some(mut device) = nic::adapter(nic) else {
        process::exit(1)
    };
    // Errors are counted, and frames that are missing show them.
    let service = |device: &mut Adapter| device.service().map_or((), drop);
    while !device.link().is_up() && board::now() < LINK_TIMEOUT {
        service(&mut device);
    }
    frames::run(&mut device, address, service)
}
