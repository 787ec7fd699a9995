//! The CYW43439 driver on a chip that says what it likes, over a bus that fails: no panic, no length that is not there, and every call ends.
#![no_main]

#[path = "../../ethdev-cyw43/tests/bad_chip/liar.rs"]
mod liar;

use std::cell::RefCell;

use arbitrary::Unstructured;
use ethdev::{Control, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{ApConfig, Config, Cyw43, Images, MIN_RX_QUEUE_LEN, Network, ReconnectPolicy, ScanOptions, Verify};
use ethdev_fuzz::MAC;
use liar::{Host, Liar, Oracle};

/// More transactions in one call are no bound.
const MOST_TRANSACTIONS: u64 = 400_000;

/// Lies by the fuzzer's bytes, and tells the truth when they have run out.
struct Script {
    bytes: std::vec::IntoIter<u8>,
    /// How many answers are true before the next lie.
    true_answers: u8,
}

impl Script {
    /// The next lie, if it is time for one.
    fn lie(&mut self) -> Option<u8> {
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
    fn word(&mut self, truth: u32) -> u32 {
        match self.lie() {
            None => truth,
            Some(0) => 0,
            Some(u8::MAX) => u32::MAX,
            // One byte of it.
            Some(lie) => truth ^ u32::from(lie) << (8 * u32::from(self.true_answers % 4)),
        }
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
    };
    let chip = RefCell::new(Liar::new(script, MOST_TRANSACTIONS));
    let mut config = Config::new()
        .with_verify(if flags & 2 == 0 {
            Verify::Nothing
        } else {
            Verify::Samples
        })
        .with_join_timeout_ms(500)
        .with_answer_timeout_ms(100);
    if flags & 4 != 0 {
        config = config.with_rejoin(ReconnectPolicy::PERSISTENT);
    }
    let mut memory = [0; 2 * MIN_RX_QUEUE_LEN];
    let memory = &mut memory[..if flags & 8 == 0 {
        MIN_RX_QUEUE_LEN
    } else {
        2 * MIN_RX_QUEUE_LEN
    }];
    let images = Images::new(&[1; 200], &[2; 40], &[3; 100]);
    let mut nic = Cyw43::new(Host(&chip), Host(&chip), Host(&chip), images, memory, config).expect("memory");
    let _ = nic.start();
    let network = Network::wpa2_wpa3("network", "passphrase").expect("a network");
    let mut buf = [0; 1600];
    while let Ok(call) = calls.arbitrary::<u8>() {
        chip.borrow_mut().begin();
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 1600;
        match call % 24 {
            0..=2 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!((14..=len).contains(&meta.len));
                }
            }
            3 => drop(nic.discard_frame()),
            4 => drop(nic.tx_ready()),
            5 => drop(nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]])),
            6 | 7 => drop(nic.service()),
            8 => drop(nic.rearm(Interest::ALL)),
            9 => drop(nic.disarm()),
            10 => drop(nic.recover()),
            11 => drop(nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[MAC])))),
            12 => drop(nic.stop()),
            13 => drop(nic.start()),
            14 => drop(nic.join(&network)),
            15 => {
                // A whole scan is 15 seconds of waiting.
                let _ = nic.start_scan(&ScanOptions::new());
                let _ = nic.next_result();
            }
            16 => drop(nic.association()),
            17 => drop(
                nic.start_ap(&ApConfig::new(Network::open("own").expect("a network"), 6).expect("an access point")),
            ),
            // An event, its data the fuzzer's.
            18 | 19 => {
                let data = calls.bytes(len.min(calls.len())).unwrap_or_default();
                let [kind, flags, status, reason]: [u8; 4] = calls.arbitrary().unwrap_or_default();
                chip.borrow_mut()
                    .tell(kind % 80, flags & 1, status % 16, reason % 24, data);
            }
            // A frame with an honest header, and a body of the fuzzer's.
            20 | 21 => {
                let body = calls.bytes(len.min(calls.len())).unwrap_or_default();
                chip.borrow_mut().deliver(call % 3, body);
            }
            // Any bytes at all.
            22 => {
                let frame = calls.bytes(len.min(calls.len())).unwrap_or_default();
                chip.borrow_mut().deliver(u8::MAX, frame);
            }
            _ => {
                // Up, mostly.
                chip.borrow_mut().tell(16, 1, 0, 0, &[]);
                chip.borrow_mut().tell(46, 0, 6, 0, &[]);
                chip.borrow_mut().tell(0, 0, 0, 0, &[]);
            }
        }
        if calls.is_empty() {
            break;
        }
    }
    assert!(chip.borrow().waited_ns < 60_000_000_000, "a call waits for ever");
});
