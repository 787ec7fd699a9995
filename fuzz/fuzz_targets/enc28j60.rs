//! The ENC28J60 driver on a chip that returns anything, over a bus that fails: no panic, valid
//! lengths, bounded calls.
#![no_main]

#[path = "../../ethdev-enc28j60/tests/misbehaving_chip/spi.rs"]
mod spi;

use std::cell::RefCell;

use arbitrary::Unstructured;
use ethdev::{Control, Duplex, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_fuzz::{FaultScript, MAC};
use spi::{FaultInjector, FaultyChip, Host};

/// Limit of transactions in one call.
const MAX_TRANSACTIONS: u64 = 8000;
/// Limit of the waits in one call.
const MAX_WAIT_NS: u64 = 1_000_000_000;

struct Script(FaultScript);

impl FaultInjector for Script {
    fn register(&mut self, value: u8) -> u8 {
        self.0.next_fault().unwrap_or(value)
    }

    fn memory(&mut self, value: u8) -> u8 {
        self.0.next_fault().unwrap_or(value)
    }

    fn fails(&mut self) -> bool {
        self.0.bus_fails()
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (flags, calls, faults) = input;
    let mut calls = Unstructured::new(&calls);
    let unmodified = if flags & 1 == 0 { u8::MAX } else { 0 };
    let script = Script(FaultScript::new(faults, unmodified, flags & 2 != 0));
    let chip = RefCell::new(FaultyChip::new(script, MAX_TRANSACTIONS));
    let check_wait = || assert!(chip.borrow().waited_ns < MAX_WAIT_NS, "unbounded wait");
    let config = Config::new(MAC)
        .with_duplex(if flags & 4 == 0 { Duplex::Half } else { Duplex::Full })
        .with_vlan(flags & 8 != 0);
    // The chip works after the last byte of the script, so that the loop ends.
    let mut nic = loop {
        chip.borrow_mut().begin();
        let started = Enc28j60::new(Host(&chip), Host(&chip), config);
        check_wait();
        if let Ok(nic) = started {
            break nic;
        }
    };
    let mut buf = [0; 1600];
    let mut at = 0;
    while let Ok(call) = calls.arbitrary::<u8>() {
        chip.borrow_mut().begin();
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 1600;
        match call % 16 {
            0..=2 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!(meta.len <= len);
                }
            }
            3 => drop(nic.discard_frame()),
            4 => drop(nic.tx_ready()),
            5 | 6 => drop(nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]])),
            7 | 8 => drop(nic.service()),
            9 => drop(nic.rearm(Interest::ALL)),
            10 => drop(nic.disarm()),
            11 => drop(nic.recover()),
            12 => drop(nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[MAC])))),
            13 => drop(nic.sleep()),
            14 => drop(nic.wake()),
            15 if len < 256 => chip.borrow_mut().poke(1, 0x19, len as u8),
            _ => at = chip.borrow_mut().deliver(at, &buf[..len.clamp(14, 1514)]),
        }
        check_wait();
        if calls.is_empty() {
            break;
        }
    }
});
