//! The ENC28J60 driver on a chip that returns anything, over a bus that fails: no panic, valid
//! lengths, bounded calls.
#![no_main]

#[path = "../../ethdev-enc28j60/tests/misbehaving_chip/spi.rs"]
mod spi;

use std::cell::RefCell;

use arbitrary::Unstructured;
use embedded_hal::delay::DelayNs;
use ethdev::{Control, Duplex, Error as _, ErrorKind, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_fuzz::{FaultScript, MAC};
use spi::{FaultInjector, FaultyChip, Host};

/// Limit of transactions in one call.
const MAX_TRANSACTIONS: u64 = 8000;
/// Calls per input: longer inputs are as likely to find something as several short ones.
const MAX_CALLS: usize = 64;
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

/// A delay that fails as soon as a call waits for too long.
struct BoundedDelay<'c>(Host<'c, Script>);

impl DelayNs for BoundedDelay<'_> {
    fn delay_ns(&mut self, ns: u32) {
        self.0.delay_ns(ns);
        assert!(self.0.0.borrow().waited_ns < MAX_WAIT_NS, "unbounded wait");
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (flags, calls, faults) = input;
    let mut calls = Unstructured::new(&calls);
    let unmodified = if flags & 1 == 0 { u8::MAX } else { 0 };
    let script = Script(FaultScript::new(faults, unmodified, flags & 2 != 0));
    let chip = RefCell::new(FaultyChip::new(script, MAX_TRANSACTIONS));
    let config = Config::new(MAC)
        .with_duplex(if flags & 4 == 0 { Duplex::Half } else { Duplex::Full })
        .with_vlan(flags & 8 != 0);
    // The chip works after the last byte of the script, so that the loop ends.
    let mut nic = loop {
        chip.borrow_mut().begin();
        let started = Enc28j60::new(Host(&chip), BoundedDelay(Host(&chip)), config);
        if let Ok(nic) = started {
            break nic;
        }
    };
    let mut buf = [0; 1600];
    let mut at = 0;
    // A frame whose transaction failed may be in the chip.
    let (mut delivered, mut accepted, mut unknown) = (0_u32, 0_u32, 0_u32);
    for _ in 0..MAX_CALLS {
        let Ok(call) = calls.arbitrary::<u8>() else { break };
        chip.borrow_mut().begin();
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 1600;
        match call % 16 {
            0..=2 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!((14..=len).contains(&meta.len));
                    delivered += 1;
                }
            }
            3 => drop(nic.discard_frame()),
            4 => drop(nic.tx_ready()),
            5 | 6 => match nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]]) {
                Ok(()) => accepted += 1,
                Err(error) => unknown += u32::from(matches!(error.kind(), ErrorKind::Bus | ErrorKind::Fault)),
            },
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
        let stats = nic.stats();
        assert_eq!(stats.rx_frames, delivered, "{stats:?}");
        assert!(stats.tx_frames + stats.tx_lost() <= accepted + unknown, "{stats:?}");
        if calls.is_empty() {
            break;
        }
    }
    // The chip works again: the driver recovers, and nothing is pending then.
    chip.borrow_mut().injector.0.clear();
    chip.borrow_mut().begin();
    nic.recover().expect("recovery of a working chip failed");
    let stats = nic.stats();
    let counted = stats.tx_frames + stats.tx_lost();
    assert!(
        (accepted..=accepted + unknown).contains(&counted),
        "{accepted}: {stats:?}"
    );
});
