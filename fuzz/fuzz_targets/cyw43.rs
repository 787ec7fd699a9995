//! The CYW43439 driver on a chip that returns anything, over a bus that fails: no panic, valid
//! lengths, bounded calls.
#![no_main]

#[path = "../../ethdev-cyw43/tests/misbehaving_chip/bus.rs"]
mod bus;

use std::cell::RefCell;
use std::time::Duration;

use arbitrary::Unstructured;
use bus::{FaultInjector, FaultyChip, Host};
use ethdev::{Control, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{
    ApConfig, Config, Cyw43, FirmwareImages, MIN_RX_QUEUE_LEN, Network, ReconnectPolicy, ScanOptions, Verify,
};
use ethdev_fuzz::{FaultScript, MAC};

/// Limit of transactions in one call.
const MAX_TRANSACTIONS: u64 = 400_000;
/// Limit of the waits in one call.
const MAX_WAIT_NS: u64 = 60_000_000_000;

struct Script(FaultScript);

impl FaultInjector for Script {
    fn word(&mut self, value: u32) -> u32 {
        match self.0.next_fault() {
            None => value,
            Some(0) => 0,
            Some(u8::MAX) => u32::MAX,
            // One byte of the word.
            Some(fault) => value ^ u32::from(fault) << (8 * u32::from(self.0.next_byte().unwrap_or(0) % 4)),
        }
    }

    fn fails(&mut self) -> bool {
        self.0.bus_fails()
    }
}

libfuzzer_sys::fuzz_target!(|input: (u8, Vec<u8>, Vec<u8>)| {
    let (flags, calls, faults) = input;
    let mut calls = Unstructured::new(&calls);
    let unmodified = if flags & 1 == 0 { u8::MAX } else { 0 };
    let script = Script(FaultScript::new(faults, unmodified, false));
    let chip = RefCell::new(FaultyChip::new(script, MAX_TRANSACTIONS));
    let check_wait = || assert!(chip.borrow().waited_ns < MAX_WAIT_NS, "unbounded wait");
    let mut config = Config::new()
        .with_verify(if flags & 2 == 0 {
            Verify::Nothing
        } else {
            Verify::Samples
        })
        .with_join_timeout(Duration::from_millis(500))
        .with_ioctl_timeout(Duration::from_millis(100));
    if flags & 4 != 0 {
        config = config.with_reconnect(ReconnectPolicy::PERSISTENT);
    }
    let mut rx_queue = [0; 2 * MIN_RX_QUEUE_LEN];
    let rx_queue = &mut rx_queue[..if flags & 8 == 0 {
        MIN_RX_QUEUE_LEN
    } else {
        2 * MIN_RX_QUEUE_LEN
    }];
    let images = FirmwareImages::new(&[1; 200], &[2; 40], &[3; 100]);
    let mut nic =
        Cyw43::new(Host(&chip), Host(&chip), Host(&chip), images, rx_queue, config).expect("the queue is long enough");
    let _ = nic.start();
    check_wait();
    let network = Network::wpa2_wpa3("network", "passphrase").expect("a valid network");
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
                // A complete scan waits for up to 15 s.
                let _ = nic.start_scan(&ScanOptions::new());
                let _ = nic.next_result();
            }
            16 => drop(nic.current_bss()),
            17 => drop(nic.start_ap(
                &ApConfig::new(Network::open("own").expect("a valid network"), 6).expect("a valid access point"),
            )),
            // An event with data of the fuzzer.
            18 | 19 => {
                let data = calls.bytes(len.min(calls.len())).unwrap_or_default();
                let [kind, flags, status, reason]: [u8; 4] = calls.arbitrary().unwrap_or_default();
                chip.borrow_mut()
                    .send_event(kind % 80, flags & 1, status % 16, reason % 24, data);
            }
            // A frame with a valid header and a body of the fuzzer.
            20 | 21 => {
                let body = calls.bytes(len.min(calls.len())).unwrap_or_default();
                chip.borrow_mut().deliver(call % 3, body);
            }
            // A frame of any bytes.
            22 => {
                let frame = calls.bytes(len.min(calls.len())).unwrap_or_default();
                chip.borrow_mut().deliver(u8::MAX, frame);
            }
            _ => {
                // Usually, these events bring the link up.
                chip.borrow_mut().send_event(16, 1, 0, 0, &[]);
                chip.borrow_mut().send_event(46, 0, 6, 0, &[]);
                chip.borrow_mut().send_event(0, 0, 0, 0, &[]);
            }
        }
        check_wait();
        if calls.is_empty() {
            break;
        }
    }
});
