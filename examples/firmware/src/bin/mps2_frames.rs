//! What frames cost on the MPS2 board's LAN9118, through `ethdev-smoltcp`.
#![no_std]
#![no_main]

use ethdev::EthernetDevice;
use ethdev_firmware::app::FRAME;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::{frames, nic};
use ethdev_smoltcp::Adapter;
use semihosting::{println, process};

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
    let mut device = Adapter::new(nic, &mut spare);
    frames::run(&mut device, address, |device| {
        // What fails is counted, and shows as frames that do not come.
        let _ = device.service();
    })
}
