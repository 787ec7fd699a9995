//! The node on the ENET of the i.MX6UL board, in a loop that sleeps while no work is pending.
#![no_std]
#![no_main]

use core::convert::Infallible;

use ethdev_firmware::app::{App, Failure, Next};
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::nic::{self, Error};
use semihosting::{println, process};

#[board::entry]
fn main() -> ! {
    let Err(failure) = run();
    println!("failed: {failure}");
    process::exit(1)
}

fn run() -> Result<Infallible, Failure<Error>> {
    let board = Board::take().ok_or(Failure::Taken)?;
    let nic = nic::adapter(nic::new(board).map_err(Failure::Start)?).ok_or(Failure::Taken)?;
    let mut app = App::new("ethdev on a Cortex-A7", nic, &board::NIC, nic::next_service)?;
    loop {
        match app.turn() {
            Ok(Next::Now) => {}
            Ok(Next::Wait(timeout)) => {
                board::listen();
                board::wake_in(timeout, &board::NIC);
                board::idle(|| board::NIC.is_signaled());
            }
            Err(e) => app.recover(&e)?,
        }
    }
}
