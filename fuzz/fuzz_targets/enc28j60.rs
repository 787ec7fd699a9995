//! The ENC28J60 driver on a chip that answers what it likes, over a bus that fails: no panic, no length that is not there, and every call ends.
#![no_main]

#[path = "../../ethdev-enc28j60/tests/bad_chip/liar.rs"]
mod liar;

use std::cell::RefCell;

use arbitrary::Unstructured;
use ethdev::{Control, Duplex, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_fuzz::MAC;
use liar::{Host, Liar, Oracle};

/// More transactions in one call are no bound.
const MOST_TRANSACTIONS: u64 = 8000;

/// Lies by the fuzzer's bytes, and tells the truth when they have run out.
struct Script {
    bytes: std::vec::IntoIter<u8>,
    /// How many answers are true before the next lie.
    true_answers: u8,
    /// Every byte that the host reads is one of the fuzzer's.
    raw: bool,
}

impl Script {
    /// The next lie, if it is time for one.
    fn lie(&mut self) -> Option<u8> {
        if self.raw {
            return self.bytes.next();
        }
        if let Some(left) = self.true_answers.checked_sub(1) {
            self.true_answers = left;
            return None;
        }
        let lie = self.bytes.next()?;
        // One in four is followed by another at once.
        self.true_answers = self.bytes.next()?.saturating_sub(64);
        Some(lie)
    }
}

impl Oracle for Script {
    fn register(&mut self, truth: u8) -> u8 {
        self.lie().unwrap_or(truth)
    }

    fn memory(&mut self, truth: u8) -> u8 {
        self.lie().unwrap_or(truth)
    }

    fn fails(&mut self) -> bool {
        // As rare as one byte of all that are possible.
        self.lie() == Some(0xa5)
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (flags, calls, answers) = input;
    let mut calls = Unstructured::new(&calls);
    let script = Script {
        bytes: answers.into_iter(),
        // Honest at first, mostly: a driver that does not start has little to do.
        true_answers: if flags & 1 == 0 { u8::MAX } else { 0 },
        raw: flags & 2 != 0,
    };
    let chip = RefCell::new(Liar::new(script, MOST_TRANSACTIONS));
    let config = Config::new(MAC)
        .with_duplex(if flags & 4 == 0 { Duplex::Half } else { Duplex::Full })
        .with_vlan(flags & 8 != 0);
    // After the fuzzer's last byte the chip is honest, so that this ends.
    let mut nic = loop {
        chip.borrow_mut().begin();
        if let Ok(nic) = Enc28j60::new(Host(&chip), Host(&chip), config) {
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
        if calls.is_empty() {
            break;
        }
    }
    assert!(chip.borrow().waited_ns < 60_000_000_000, "a call waits for ever");
});
