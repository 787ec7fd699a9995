//! The ENET driver on scripted registers and descriptors with random contents: no panic, no frame
//! that was not received, no buffer addresses other than its own, and every call returns.
#![no_main]

#[path = "../../ethdev-enet/tests/driver/mock_chip.rs"]
mod mock_chip;

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
use mock_chip::{MockBed, RX, TX};

/// Limit of register accesses in one call.
const MAX_ACCESSES: u64 = 400;

/// Calls per input: longer inputs are as likely to find something as several short ones.
const MAX_CALLS: usize = 16;

thread_local! {
    /// The rings are never freed: each run uses those of the previous one.
    static RINGS: Cell<Option<RingStorage>> = const { Cell::new(None) };
}

libfuzzer_sys::fuzz_target!(|calls: Vec<u8>| {
    let mut calls = Unstructured::new(&calls);
    let mut bed = RINGS.take().map_or_else(MockBed::new, MockBed::with_rings);
    let mut buf = [0; 1600];
    bed.registers.take_accesses();
    bed.registers.limit_accesses(MAX_ACCESSES);
    let mut delivered = 0_u32;
    for _ in 0..MAX_CALLS {
        let Ok(call) = calls.arbitrary::<u8>() else { break };
        let number = usize::from(calls.arbitrary::<u16>().unwrap_or(0));
        let len = number % 1600;
        match call % 16 {
            0 | 1 => bed.write(false, number % RX, calls.arbitrary().unwrap_or(0)),
            2 => bed.write(true, number % TX, calls.arbitrary().unwrap_or(0)),
            // A valid frame.
            3 => bed.write(false, number % RX, 0x0800_0000 | len as u32),
            4 => bed
                .registers
                .script((0..number % 16).filter_map(|_| calls.arbitrary().ok()).collect()),
            5 => {
                if let Ok(Some(meta)) = bed.nic.recv_frame(&mut buf[..len]) {
                    assert!((14..=1514).contains(&meta.len) && meta.len <= len);
                    delivered += 1;
                }
            }
            6 => drop(bed.nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]])),
            7 => {
                let (mut rx, mut tx) = bed.nic.split();
                let mut lent = false;
                if let Ok(Some(mut frame)) = rx.peek() {
                    assert!((14..=1514).contains(&frame.len()));
                    frame.fill(0x5a);
                    lent = true;
                }
                if let Ok(Some(memory)) = tx.reserve(len) {
                    memory.fill(0xa5);
                }
                if number & 0x8000 == 0 && rx.release().is_ok() {
                    delivered += u32::from(lent);
                }
                if number & 0x4000 == 0 {
                    let _ = tx.commit(len);
                }
            }
            8 => drop(bed.nic.service()),
            9 => {
                let speed = [Speed::MBPS_10, Speed::MBPS_100, Speed::MBPS_1000][number % 3];
                let duplex = if number & 0x100 == 0 {
                    Duplex::Half
                } else {
                    Duplex::Full
                };
                let up = Link::Up(LinkMode::new(speed, duplex));
                let _ = bed.nic.set_link(if number & 0x200 == 0 { up } else { Link::Down });
            }
            10 => drop(bed.nic.rearm(Interest::ALL)),
            11 => drop(bed.nic.recover()),
            12 => drop(if number & 1 == 0 {
                bed.nic.stop()
            } else {
                bed.nic.start()
            }),
            13 => drop(
                bed.nic
                    .set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[MAC]))),
            ),
            14 => drop(bed.nic.discard_frame()),
            _ => {
                let address = PhyAddress::new(number as u8 % 32).unwrap_or(PhyAddress::all().next().unwrap());
                let _ = bed.nic.mdio().read(address, reg::BMSR);
            }
        }
        bed.check_addresses();
        bed.registers.take_accesses();
        let stats = bed.nic.stats();
        assert_eq!(stats.rx_frames, delivered, "{stats:?}");
        if calls.is_empty() {
            break;
        }
    }
    RINGS.set(Some(bed.release()));
});
