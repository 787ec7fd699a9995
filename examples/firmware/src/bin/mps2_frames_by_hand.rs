//! What frames cost on the MPS2 board's LAN9118, through a `phy::Device` by hand.
#![no_std]
#![no_main]

use ethdev_firmware::board::{self, Board};
use ethdev_firmware::by_hand::ByHand;
use ethdev_firmware::frames;
use semihosting::process;

#[board::entry]
fn main() -> ! {
    let Some(board) = Board::take() else { process::exit(1) };
    let mut device = ByHand::new(board.nic);
    let address = device.address();
    frames::run(&mut device, address, |_| {})
}
