//! A chip that responds at random, over a bus that fails: no panic, valid lengths, bounded calls.

#[path = "misbehaving_chip/bus.rs"]
mod bus;

use std::cell::RefCell;
use std::time::Duration;

use bus::{FaultInjector, FaultyChip, Host};
use ethdev::{Control, EthernetDevice, Interest, MacAddress, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{ApConfig, Config, Cyw43, FirmwareImages, Network, ReconnectPolicy, ScanOptions, Verify};

/// Most transactions of one call: a request may see ten thousand frames, and a join has a dozen
/// requests.
const MOST_TRANSACTIONS: u64 = 400_000;
/// Longest wait of one call.
const MOST_WAIT_NS: u64 = 60_000_000_000;

struct Rng {
    state: u64,
    /// One word in N is corrupted; 0 for none.
    corruptions: u64,
    /// One transaction in N fails; 0 for none.
    failures: u64,
}

impl Rng {
    fn roll(&mut self) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.state >> 29
    }

    fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.roll() % n == 0
    }
}

impl FaultInjector for Rng {
    fn word(&mut self, value: u32) -> u32 {
        if !self.one_in(self.corruptions) {
            return value;
        }
        match self.roll() % 5 {
            0 => 0,
            1 => u32::MAX,
            2 => value ^ 1 << (self.roll() % 32),
            _ => self.roll() as u32,
        }
    }

    fn fails(&mut self) -> bool {
        self.one_in(self.failures)
    }
}

fn run(seed: u64, corruptions: u64, failures: u64) -> u32 {
    let chip = RefCell::new(FaultyChip::new(
        Rng {
            state: seed,
            corruptions: 0,
            failures: 0,
        },
        MOST_TRANSACTIONS,
    ));
    let mut memory = [0; 4096];
    let config = Config::new()
        .with_verify(Verify::Nothing)
        .with_reconnect(ReconnectPolicy::PERSISTENT)
        .with_join_timeout(Duration::from_millis(2000));
    let images = FirmwareImages::new(&[1; 200], &[2; 40], &[3; 100]);
    let mut nic = Cyw43::new(Host(&chip), Host(&chip), Host(&chip), images, &mut memory, config).unwrap();
    nic.start().expect("the chip does not start");
    chip.borrow_mut().injector.corruptions = corruptions;
    chip.borrow_mut().injector.failures = failures;
    let network = Network::wpa2("network", "passphrase").unwrap();
    let mut buf = [0; 1600];
    let mut received = 0;
    for _ in 0..400 {
        let (call, len, byte) = {
            let mut chip = chip.borrow_mut();
            chip.begin();
            let rng = &mut chip.injector;
            (rng.roll() % 26, (rng.roll() % 1600) as usize, rng.roll() as u8)
        };
        match call {
            0..=4 => {
                if let Ok(Some(meta)) = nic.recv_frame(&mut buf[..len]) {
                    assert!(meta.len <= len && meta.len >= 14);
                    received += 1;
                }
            }
            5 => drop(nic.discard_frame()),
            6 => drop(nic.tx_ready()),
            7 => drop(nic.send_vectored(&[&buf[..len / 3], &buf[len / 3..len]])),
            8 | 9 => drop(nic.service()),
            10 => drop(nic.rearm(Interest::ALL)),
            11 => drop(nic.disarm()),
            12 => drop(nic.rssi_dbm()),
            13 => drop(nic.current_bss()),
            14 => drop(nic.scan(&ScanOptions::new(), |_| {})),
            15 => drop(nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::All))),
            16 if byte < 40 => drop(nic.join(&network)),
            17 if byte < 40 => drop(nic.start_ap(&ApConfig::new(network, 6).unwrap())),
            18 if byte < 60 => drop(nic.set_mac_address(MacAddress::new([2, 0, 0, 0, 0, 9]))),
            19 if byte < 20 => drop(nic.stop()),
            20 => {
                if nic.service().is_err() {
                    // Without faults, so that it usually succeeds.
                    let (corruptions, failures) = (chip.borrow().injector.corruptions, chip.borrow().injector.failures);
                    chip.borrow_mut().injector.corruptions = 0;
                    chip.borrow_mut().injector.failures = 0;
                    let _ = nic.recover();
                    chip.borrow_mut().injector.corruptions = corruptions;
                    chip.borrow_mut().injector.failures = failures;
                }
            }
            21 => chip.borrow_mut().send_event(
                byte % 80,
                byte >> 7,
                (len % 12) as u8,
                (len % 20) as u8,
                &buf[..len / 4],
            ),
            22 => {
                // Usually the link is up after these.
                chip.borrow_mut().send_event(16, 1, 0, 0, &[]);
                chip.borrow_mut().send_event(46, 0, 6, 0, &[]);
                chip.borrow_mut().send_event(0, 0, 0, 0, &[]);
            }
            23 => chip.borrow_mut().deliver(byte % 20, &buf[..len]),
            _ => {
                let body = [&[0x20, 0, 0, byte % 3][..], &buf[..len]].concat();
                chip.borrow_mut().deliver(2, &body);
            }
        }
        assert!(
            chip.borrow().waited_ns < MOST_WAIT_NS,
            "seed {seed}: call {call} does not return"
        );
        nic.start().ok();
    }
    received
}

#[test]
fn driver_no_faults_receives_frames() {
    let received: u32 = (0..10).map(|seed| run(seed, 0, 0)).sum();
    assert!(received > 50, "{received} frames");
}

#[test]
fn driver_random_faults_are_bounded() {
    for seed in 0..12 {
        for (corruptions, failures) in [(500, 0), (50, 0), (5, 0), (1, 0), (0, 50), (200, 200)] {
            run(seed, corruptions, failures);
        }
    }
}
