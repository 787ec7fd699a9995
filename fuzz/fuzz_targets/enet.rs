//! The ENET driver on registers that read what they like and descriptors that anybody writes to: no panic, no frame that is not there, no buffer's address but its
//! own, and every call ends.
#![no_main]

#[path = "../../ethdev-enet/tests/driver/puppet.rs"]
mod puppet;

use std::cell::Cell;

use arbitrary::Unstructured;
use ethdev::{
    Control, Duplex, EthernetDevice, Interest, LendingDevice, Link, LinkMode, Multicast, Rearm, RxFilter, RxHalf,
    Speed, TxHalf,
};
use ethdev_fuzz::MAC;
use ethdev_phy::Mac as _;
use ethdev_phy::dma::RingStorage;
use ethdev_phy::mdio::{Mdio, PhyAddress};
use ethdev_phy::phy::reg;
use puppet::{RX, Stage, TX};

/// More accesses in one call are no bound.
const MOST_ACCESSES: u64 = 400;

thread_local! {
    /// The rings are for ever: one run leaves them to the next.
    static RINGS: Cell<Option<RingStorage>> = const { Cell::new(None) };
}

libfuzzer_sys::fuzz_target!(|calls: Vec<u8>| {
    let mut calls = Unstructured::new(&calls);
    let mut stage = RINGS.take().map_or_else(Stage::new, Stage::on);
    let mut buf = [0; 1600];
    stage.puppet.take_accesses();
    while let Ok(call) = calls.arbitrary::<u8>() {
        let number = usize::from(calls.arbitrary::<u16>().unwrap_or(0));
        let len = number % 1600;
        match call % 16 {
            0 | 1 => stage.write(false, number % RX, calls.arbitrary().unwrap_or(0)),
            2 => stage.write(true, number % TX, calls.arbitrary().unwrap_or(0)),
            // Whole and good, as far as its mark goes.
            3 => stage.write(false, number % RX, 0x0800_0000 | len as u32),
            4 => stage
                .puppet
                .lie((0..number % 16).filter_map(|_| calls.arbitrary().ok()).collect()),
            5 => {
                if let Ok(Some(meta)) = stage.nic.recv_frame(&mut buf[..len]) {
                    assert!((14..=1514).contains(&meta.len) && meta.len <= len);
                }
            }
            6 => drop(stage.nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]])),
            7 => {
                let (mut rx, mut tx) = stage.nic.split();
                if let Ok(Some(mut frame)) = rx.peek() {
                    assert!((14..=1514).contains(&frame.len()));
                    frame.fill(0x5a);
                }
                if let Ok(Some(memory)) = tx.reserve(len) {
                    memory.fill(0xa5);
                }
                if number & 0x8000 == 0 {
                    let _ = rx.release();
                }
                if number & 0x4000 == 0 {
                    let _ = tx.commit(len);
                }
            }
            8 => drop(stage.nic.service()),
            9 => {
                let speed = [Speed::MBPS_10, Speed::MBPS_100, Speed::MBPS_1000][number % 3];
                let duplex = if number & 0x100 == 0 {
                    Duplex::Half
                } else {
                    Duplex::Full
                };
                let up = Link::Up(LinkMode::new(speed, duplex));
                let _ = stage.nic.set_link(if number & 0x200 == 0 { up } else { Link::Down });
            }
            10 => drop(stage.nic.rearm(Interest::ALL)),
            11 => drop(stage.nic.recover()),
            12 => drop(if number & 1 == 0 {
                stage.nic.stop()
            } else {
                stage.nic.start()
            }),
            13 => drop(
                stage
                    .nic
                    .set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[MAC]))),
            ),
            14 => drop(stage.nic.discard_frame()),
            _ => {
                let address = PhyAddress::new(number as u8 % 32).unwrap_or(PhyAddress::all().next().unwrap());
                let _ = stage.nic.mdio().read(address, reg::BMSR);
            }
        }
        stage.check_addresses();
        assert!(stage.puppet.take_accesses() < MOST_ACCESSES, "a call waits for ever");
        if calls.is_empty() {
            break;
        }
    }
    RINGS.set(Some(stage.strike()));
});
