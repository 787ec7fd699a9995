//! The CYW43439 driver on a chip that returns anything, over a bus that fails: no panic, valid
//! lengths, bounded calls, counters that agree with the results, and recovery once the chip works.
#![no_main]

#[path = "../../ethdev-cyw43/tests/misbehaving_chip/bus.rs"]
mod bus;

use std::cell::RefCell;
use std::time::Duration;

use arbitrary::Unstructured;
use bus::{FaultInjector, FaultyChip, Host, Limits};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{
    ApConfig, Config, Cyw43, FirmwareImages, MIN_RX_QUEUE_LEN, Network, ReconnectPolicy, ScanOptions, Verify,
};
use ethdev_fuzz::{FaultScript, MAC};

/// Limits of one call. The longest are those of a chip whose clock never becomes available, and of
/// one that sends frames instead of responses.
const LIMITS: Limits = Limits {
    transactions: 60_000,
    wait_ns: 20_000_000_000,
};
/// Calls per input: longer inputs are as likely to find something as several short ones.
const MAX_CALLS: usize = 8;

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
    let chip = RefCell::new(FaultyChip::new(script, LIMITS));
    // The chip stores no images: a driver that verifies them does not start.
    let verifies = flags & 0xf0 == 0xf0;
    // Short timeouts: the chip is asked a few times where it does not respond.
    let mut config = Config::new()
        .with_verify(if verifies { Verify::Samples } else { Verify::Nothing })
        .with_join_timeout(Duration::from_millis(10))
        .with_ioctl_timeout(Duration::from_millis(5));
    if flags & 4 != 0 {
        config = config.with_reconnect(ReconnectPolicy::PERSISTENT);
    }
    let mut rx_queue = [0; 2 * MIN_RX_QUEUE_LEN];
    let rx_queue = &mut rx_queue[..if flags & 8 == 0 {
        MIN_RX_QUEUE_LEN
    } else {
        2 * MIN_RX_QUEUE_LEN
    }];
    let images = FirmwareImages::new(&[1; 66], &[2; 6], &[3; 10]);
    let mut nic =
        Cyw43::new(Host(&chip), Host(&chip), Host(&chip), images, rx_queue, config).expect("the queue is long enough");
    let _ = nic.start();
    let network = Network::wpa2_wpa3("network", "passphrase").expect("a valid network");
    let mut buf = [0; 1600];
    let (mut delivered, mut accepted) = (0_u32, 0_u32);
    for _ in 0..MAX_CALLS {
        let Ok(call) = calls.arbitrary::<u8>() else { break };
        chip.borrow_mut().begin();
        let len = usize::from(calls.arbitrary::<u16>().unwrap_or(0)) % 1600;
        let before = nic.stats();
        match call % 25 {
            0..=2 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!((14..=len.min(1514)).contains(&meta.len));
                    delivered += 1;
                }
            }
            3 => drop(nic.discard_frame()),
            4 | 5 => {
                let ready = nic.tx_ready();
                let was_up = nic.link().is_up();
                let sent = nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]]);
                accepted += u32::from(sent.is_ok());
                assert!(
                    sent.is_err() || (14..=1514).contains(&len),
                    "a frame of {len} bytes was accepted"
                );
                let kind = sent.map_err(|error| error.kind());
                assert!(
                    ready.ok() != Some(true) || kind != Err(ErrorKind::Busy),
                    "busy after tx_ready returned true"
                );
                assert!(was_up || kind.is_err(), "sent while the link was down");
            }
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
            // A result of a scan.
            23 => {
                let _ = nic.start_scan(&ScanOptions::new());
                let data = calls.bytes(len.min(calls.len())).unwrap_or_default();
                chip.borrow_mut().send_event(69, 0, 8, 0, data);
                let _ = nic.next_result();
            }
            _ => {
                // Usually, these events bring the link up.
                chip.borrow_mut().send_event(16, 1, 0, 0, &[]);
                chip.borrow_mut().send_event(46, 0, 6, 0, &[]);
                chip.borrow_mut().send_event(0, 0, 0, 0, &[]);
            }
        }
        let stats = nic.stats();
        assert_eq!(stats.rx_frames, delivered, "{stats:?}");
        assert_eq!(stats.tx_frames + stats.tx_lost(), accepted, "{stats:?}");
        assert!(stats.rx_lost() >= before.rx_lost() && stats.faults >= before.faults);
        assert_eq!(stats.link_changes % 2 == 1, nic.link().is_up(), "{stats:?}");
    }
    // A start takes longer than all the rest, so that not each input ends with one.
    if flags & 0x30 != 0 {
        return;
    }
    // The chip works again.
    chip.borrow_mut().injector.0.clear();
    chip.borrow_mut().begin();
    nic.recover().expect("recovery of a working chip failed");
    chip.borrow_mut().begin();
    nic.start().expect("start of a working chip failed");
    chip.borrow_mut().begin();
    nic.service().expect("a working chip is serviced");
});
