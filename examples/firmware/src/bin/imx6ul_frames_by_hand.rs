//! What frames cost on the i.MX6UL board's ENET, through a `phy::Device` by hand.
#![no_std]
#![no_main]

use ethdev_firmware::board::{self, Board};
use ethdev_firmware::by_hand::ByHand;
use ethdev_firmware::frames;
use semihosting::process;

#[board::entry]
fn main() -> ! {
    let Some(board) = Board::take() else { process::exit(1) };
    let Some(mut device) = ByHand::new(board.nic, board.address) else {
        process::exit(1)
    };
    frames::run(&mut device, board.address, |_| {})
}
