//! Instructions per frame with the ENET of the i.MX6UL board, through the baseline `phy::Device`.
#![no_std]
#![no_main]

use ethdev_firmware::baseline::Baseline;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::frames;
use semihosting::process;

#[board::entry]
fn main() -> ! {
    let Some(board) = Board::take() else { process::exit(1) };
    let Some(mut device) = Baseline::new(board.nic, board.address) else {
        process::exit(1)
    };
    frames::run(&mut device, board.address, |_| {})
}
