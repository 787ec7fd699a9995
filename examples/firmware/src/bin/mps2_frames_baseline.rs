//! Instructions per frame with the LAN9118 of the MPS2 board, through the baseline `phy::Device`.
#![no_std]
#![no_main]

use ethdev_firmware::baseline::Baseline;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::frames;
use semihosting::process;

#[board::entry]
fn main() -> ! {
    let Some(board) = Board::take() else { process::exit(1) };
    let mut device = Baseline::new(board.nic);
    let address = device.address();
    frames::run(&mut device, address, |_| {})
}
