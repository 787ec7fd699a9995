//! The node on the i.MX6UL board's ENET, in a bare loop that sleeps when there is nothing to do.
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
    let nic = nic::new(board).map_err(Failure::Start)?;
    let mut app = App::new("ethdev on a Cortex-A7", nic, &board::NIC, nic::next_service)?;
    loop {
        match app.turn() {
            Ok(Next::Now) => {}
            Ok(Next::Wait(at_most)) => {
                board::listen();
                board::wake_in(at_most, &board::NIC);
                board::idle(|| board::NIC.is_signaled());
            }
            Err(e) => app.recover(&e)?,
        }
    }
}
