//! x
#![no_std]
#![no_main]
use cortex_m_rt::entry;
use ethdev_firmware::board::{self, Board};
use ethdev_firmware::lan9118::Lan9118;
use ethdev::*;
use semihosting::println;
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { semihosting::process::exit(1) };
    let mut dev = match Lan9118::new(board.nic) { Ok(d) => d, Err(e) => { println!("{e}"); semihosting::process::exit(1) } };
    println!("{:?} {} {:?}", dev.mac_address(), dev.link(), board.clock.now());
    let mut arp = [0u8; 42];
    arp[..6].fill(0xff);
    arp[6..12].copy_from_slice(&dev.mac_address().octets());
    arp[12..22].copy_from_slice(&[8,6,0,1,8,0,6,4,0,1]);
    arp[22..28].copy_from_slice(&dev.mac_address().octets());
    arp[28..32].copy_from_slice(&[10,0,2,15]);
    arp[38..42].copy_from_slice(&[10,0,2,2]);
    let mut buf = [0; 1514];
    for _ in 0..8 {
        board::NIC.take();
        dev.disarm().ok();
        println!("{:?} {:?}", board.clock.now(), dev.service());
        println!("{:?}", dev.send_frame(&arp));
        println!("{:?}", dev.recv_frame(&mut buf[..10]));
        println!("{:?} {:?}", dev.recv_frame(&mut buf), &buf[..20]);
        println!("{:?} {}", dev.rearm(Interest::RX.or(Interest::LINK)), board::interrupts());
        board.sleeper.sleep(core::time::Duration::from_millis(300));
    }
    println!("{:?} {:?}", dev.service(), dev.stats());
    semihosting::process::exit(0)
}
