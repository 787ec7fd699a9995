//! A chip that responds at random, over a bus that fails: no panic, valid lengths, bounded calls.

#[path = "misbehaving_chip/bus.rs"]
mod bus;

use std::cell::RefCell;
use std::time::Duration;

use bus::{FaultInjector, FaultyChip, Host, Limits};
use ethdev::{Control, EthernetDevice, Interest, MacAddress, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{
    ApConfig, Config, Country, Cyw43, Error, Fault, FirmwareImages, Network, PowerSave, ReconnectPolicy, ScanOptions,
    Verify, WaitFor,
};

/// The limits of one call: a request may see ten thousand frames, and a join has a dozen requests.
const LIMITS: Limits = Limits {
    transactions: 400_000,
    wait_ns: 60_000_000_000,
};

struct Rng {
    state: u64,
    /// One word in N is corrupted; 0 for none.
    corruptions: u64,
    /// One transaction in N fails; 0 for none.
    failures: u64,
    /// The last word that was read.
    last: u32,
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
        let stale = core::mem::replace(&mut self.last, value);
        if !self.one_in(self.corruptions) {
            return value;
        }
        match self.roll() % 6 {
            5 => stale,
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

fn run(seed: u64, corruptions: u64, failures: u64, config: Config) -> u32 {
    let chip = RefCell::new(FaultyChip::new(
        Rng {
            state: seed,
            corruptions: 0,
            failures: 0,
            last: 0,
        },
        LIMITS,
    ));
    let mut memory = [0; 4096];
    let config = config
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
            (rng.roll() % 32, (rng.roll() % 1600) as usize, rng.roll() as u8)
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
            24 if byte < 60 => drop(nic.sleep()),
            25 => drop(nic.wake()),
            26 => drop(nic.set_power_save(PowerSave::Fast)),
            27 => drop(nic.set_country(Country::new("DE").unwrap())),
            28 => drop(nic.iovar_get("name", &buf[..len % 9], &mut [0; 100])),
            29 => drop(nic.ap_stations(&mut [MacAddress::UNSPECIFIED; 4])),
            _ => {
                let body = [&[0x20, 0, 0, byte % 3][..], &buf[..len]].concat();
                chip.borrow_mut().deliver(2, &body);
            }
        }
        nic.start().ok();
    }
    received
}

#[test]
fn driver_no_faults_receives_frames() {
    let received: u32 = (0..20).map(|seed| run(seed, 0, 0, Config::new())).sum();
    assert!(received > 50, "{received} frames");
}

#[test]
fn driver_random_faults_are_bounded() {
    for seed in 0..12 {
        for (corruptions, failures) in [(500, 0), (50, 0), (5, 0), (1, 0), (0, 50), (200, 200)] {
            run(seed, corruptions, failures, Config::new());
        }
    }
}

#[test]
fn driver_clock_stands_still_is_bounded() {
    let config = Config::new().with_clock(|| Duration::from_secs(7));
    for seed in 0..4 {
        for (corruptions, failures) in [(0, 0), (50, 0), (0, 50)] {
            run(seed, corruptions, failures, config);
        }
    }
}

/// Fails one transaction.
struct FailOnce(Option<u32>);

impl FaultInjector for FailOnce {
    fn word(&mut self, value: u32) -> u32 {
        value
    }

    fn fails(&mut self) -> bool {
        let left = self.0.take();
        self.0 = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }
}

type Chip = RefCell<FaultyChip<FailOnce>>;

/// Runs a test on a driver that is started.
fn started(
    test: impl FnOnce(&Chip, &mut Cyw43<'_, Host<'_, FailOnce>, Host<'_, FailOnce>, Host<'_, FailOnce>, FirmwareImages<'_>>),
) {
    let chip = RefCell::new(FaultyChip::new(FailOnce(None), LIMITS));
    let mut memory = [0; 4096];
    let images = FirmwareImages::new(&[1; 200], &[2; 40], &[3; 100]);
    let config = Config::new().with_verify(Verify::Nothing).with_watchdog_polls(0);
    let mut nic = Cyw43::new(Host(&chip), Host(&chip), Host(&chip), images, &mut memory, config).unwrap();
    nic.start().unwrap();
    chip.borrow_mut().begin();
    test(&chip, &mut nic);
}

/// A data frame: BDC header and Ethernet frame.
fn data_frame() -> Vec<u8> {
    [&[0x20, 0, 0, 0][..], &[7; 60]].concat()
}

#[test]
fn recv_frame_sequence_gap_counts_after_failed_read_only() {
    // Frames that are missing, whether a read failed, frames that are counted as lost.
    for (missing, failed, counted) in [
        (0, false, 0),
        (0, true, 0),
        (3, false, 0),
        (1, true, 1),
        (3, true, 3),
        (16, true, 16),
        // Another chip, rather than a loss.
        (17, true, 0),
        (255, true, 0),
    ] {
        started(|chip, nic| {
            let what = format!("{missing} missing, failed {failed}");
            let mut buf = [0; 1514];
            chip.borrow_mut().lose(missing);
            chip.borrow_mut().deliver(2, &data_frame());
            if failed {
                // The interrupts are read and cleared, then the frame is read.
                chip.borrow_mut().injector.0 = Some(2);
                assert!(matches!(nic.recv_frame(&mut buf), Err(Error::Bus(_))), "{what}");
            }
            let before = nic.stats();
            assert_eq!(
                nic.recv_frame(&mut buf).unwrap().map(|meta| meta.len),
                Some(60),
                "{what}"
            );
            assert_eq!(nic.stats().delta_since(&before).rx_reset, counted, "{what}");
            // The next frame is in sequence again.
            chip.borrow_mut().deliver(2, &data_frame());
            assert!(nic.recv_frame(&mut buf).unwrap().is_some(), "{what}");
            assert_eq!(nic.stats().delta_since(&before).rx_reset, counted, "{what}");
        });
    }
}

#[test]
fn recv_frame_frame_lost_with_failed_read_is_counted() {
    started(|chip, nic| {
        chip.borrow_mut().deliver(2, &data_frame());
        chip.borrow_mut().injector.0 = Some(2);
        assert!(nic.recv_frame(&mut [0; 1514]).is_err());
        // The chip has it no more, and nothing else.
        chip.borrow_mut().drop_frames();
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        assert_eq!(nic.stats().rx_reset, 1);
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        assert_eq!(nic.stats().rx_reset, 1, "counted once");
    });
}

#[test]
fn call_many_frames_without_data_is_bounded() {
    const FRAMES: usize = 300;
    /// Of one call: 64 frames, and the status.
    const MOST: u64 = 66;
    started(|chip, nic| {
        let mut buf = [0; 1514];
        // The link is up, without credit to send.
        chip.borrow_mut().send_event(16, 1, 0, 0, &[]);
        nic.service().unwrap();
        for call in 0..4 {
            for _ in 0..FRAMES {
                chip.borrow_mut().deliver(1, &[]);
            }
            chip.borrow_mut().deliver(2, &data_frame());
            let mut calls = 0;
            loop {
                chip.borrow_mut().begin();
                let received = match call {
                    0 => nic.recv_frame(&mut buf).unwrap().is_some(),
                    1 => nic.discard_frame().unwrap(),
                    2 => nic.service().unwrap().rx_pending,
                    _ => {
                        let _ = nic.rearm(Interest::RX).unwrap();
                        nic.service().unwrap().rx_pending
                    }
                };
                let transactions = chip.borrow().transactions();
                // `rearm` and `service` are two calls.
                assert!(
                    transactions <= if call == 3 { 2 * MOST } else { MOST },
                    "call {call}: {transactions}"
                );
                calls += 1;
                if received {
                    break;
                }
                assert!(calls < 10, "call {call}: the frame is not found");
            }
            assert!(calls > 2, "call {call}: all at once");
            if call > 1 {
                assert!(nic.recv_frame(&mut buf).unwrap().is_some());
            }
        }
    });
}

#[test]
fn request_flood_without_response_is_bounded() {
    /// 10,000 frames, then a poll every millisecond for a second.
    const MOST: u64 = 12_500;
    started(|chip, nic| {
        chip.borrow_mut().floods = true;
        assert!(matches!(nic.rssi_dbm(), Err(Error::Timeout(WaitFor::Response))));
        let transactions = chip.borrow().transactions();
        assert!((5000..MOST).contains(&transactions), "{transactions}");
        chip.borrow_mut().begin();
        // The second in a row is a firmware that stopped.
        assert!(matches!(nic.rssi_dbm(), Err(Error::Fault(Fault::FirmwareHalted))));
        assert!(chip.borrow().transactions() < MOST);
    });
    // An earlier request is waited for as long, and no longer.
    started(|chip, nic| {
        chip.borrow_mut().injector.0 = Some(1);
        assert!(matches!(nic.rssi_dbm(), Err(Error::Bus(_))));
        chip.borrow_mut().drop_frames();
        chip.borrow_mut().begin();
        chip.borrow_mut().floods = true;
        assert!(matches!(nic.rssi_dbm(), Err(Error::Timeout(WaitFor::Response))));
        let transactions = chip.borrow().transactions();
        assert!((10_000..2 * MOST).contains(&transactions), "{transactions}");
    });
}
