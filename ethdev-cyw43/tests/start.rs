//! Power-up, firmware upload and start, and their failures.

mod support;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cyw43439_model::{Boot, ChipConfig, DataLine, PowerPin};
use embedded_hal::digital::{self, OutputPin};
use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_cyw43::{
    Config, Error, Fault, FirmwareError, FirmwareImages, FirmwareSource, Gspi, Image, Network, ParamError, RxWords,
    SourceError, TxWords, Verify, WaitFor,
};
use ethdev_sim::Clock;
use support::*;

fn error(result: Result<(), NicError>) -> NicError {
    result.expect_err("the call succeeds")
}

#[test]
fn start_each_verify_mode_uploads_images() {
    for verify in [Verify::Nothing, Verify::Samples, Verify::Everything] {
        for arm_runs in [false, true] {
            let mut config = ChipConfig::default();
            if arm_runs {
                config = config.with_arm_running();
            }
            let testbed = Testbed::with(config);
            let mut nic = testbed.nic(Config::new().with_verify(verify));
            assert_eq!(testbed.chip.bus().transactions, 0, "nothing before start");
            nic.start().unwrap();
            assert_eq!(testbed.chip.boot(), Boot::Running);
            assert_eq!(
                testbed.chip.peek_ram(0, testbed.blobs.firmware.len()),
                testbed.blobs.firmware
            );
            assert_eq!(testbed.chip.uploaded_clm().as_deref(), Some(testbed.blobs.clm));
            assert_eq!(nic.mac_address().octets(), ChipConfig::default().mac);
            assert!(!nic.link().is_up());
            testbed.assert_no_violations();
            let bus = testbed.chip.bus();
            println!(
                "{verify:?}: {} transactions, {} bytes, {:?}",
                bus.transactions,
                bus.bytes,
                testbed.clock.now()
            );
            nic.start().unwrap();
            assert_eq!(testbed.chip.bus().transactions, bus.transactions, "start is idempotent");
        }
    }
}

#[test]
fn start_slow_power_up_works() {
    for (ms, garbage) in [(0, 0), (120, 3), (250, 1), (400, 5)] {
        let config = ChipConfig::default().with_power_up(Duration::from_millis(ms), garbage);
        let testbed = Testbed::with(config);
        testbed.started(Config::new());
        testbed.assert_no_violations();
    }
}

/// A power pin that notes when it changes.
struct TimedPin {
    pin: PowerPin,
    clock: Clock,
    changes: Rc<RefCell<Vec<(bool, Duration)>>>,
}

impl digital::ErrorType for TimedPin {
    type Error = <PowerPin as digital::ErrorType>::Error;
}

impl OutputPin for TimedPin {
    fn set_low(&mut self) -> Result<(), Self::Error> {
        self.changes.borrow_mut().push((false, self.clock.now()));
        self.pin.set_low()
    }

    fn set_high(&mut self) -> Result<(), Self::Error> {
        self.changes.borrow_mut().push((true, self.clock.now()));
        self.pin.set_high()
    }
}

#[test]
fn start_power_is_off_for_20_ms_and_on_for_50() {
    let testbed = Testbed::new();
    let changes = Rc::default();
    let power = TimedPin {
        pin: testbed.chip.power_pin(),
        clock: testbed.clock.clone(),
        changes: Rc::clone(&changes),
    };
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let (host, delay, images) = (
        Host(testbed.chip.word_bus()),
        testbed.chip.delay(),
        testbed.blobs.images(),
    );
    let mut nic = ethdev_cyw43::Cyw43::new(host, power, delay, images, memory, Config::new()).unwrap();
    testbed.pass(1000);
    testbed.chip.record(true);
    nic.start().unwrap();
    let first = testbed.chip.take_record()[0].at;
    let [(false, off), (true, on)] = changes.borrow()[..] else {
        panic!("{changes:?}");
    };
    let ms = Duration::from_millis;
    assert!((ms(20)..ms(25)).contains(&(on - off)), "{:?}", on - off);
    assert!((ms(50)..ms(60)).contains(&(first - on)), "{:?}", first - on);
}

#[test]
fn start_running_chip_is_power_cycled() {
    let testbed = Testbed::new();
    let mut nic = testbed.started(Config::new());
    let (bus, power, delay, images) = {
        nic.set_led(true).unwrap();
        nic.release()
    };
    // The host was reset, the chip was not.
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let mut nic = ethdev_cyw43::Cyw43::new(bus, power, delay, images, memory, Config::new()).unwrap();
    nic.start().unwrap();
    testbed.assert_no_violations();
}

#[test]
fn start_absent_chip_is_not_responding() {
    for line in [DataLine::Stuck(0), DataLine::Stuck(u32::MAX), DataLine::Random] {
        let testbed = Testbed::new();
        testbed.chip.set_data_line(line);
        let mut nic = testbed.nic(Config::new());
        let error = error(nic.start());
        assert!(matches!(error, Error::NotResponding { .. }), "{error:?}");
        assert!(testbed.clock.now() < Duration::from_secs(2));
        // The edge cases of the contract in a fault.
        assert_eq!(kind(nic.recv_frame(&mut [0; 100])), ErrorKind::Fault);
        assert_eq!(kind(nic.send_frame(&[0; 100])), ErrorKind::Fault);
        assert_eq!(kind(nic.service()), ErrorKind::Fault);
        testbed.chip.set_data_line(DataLine::Connected);
        nic.recover().unwrap();
        assert!(nic.service().is_ok());
    }
}

/// A bus that flips one bit in the n-th block that is read from the memory of the chip.
struct Flipping {
    host: Host,
    block: u32,
}

impl Gspi for Flipping {
    type Error = <Host as Gspi>::Error;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::Error> {
        Gspi::write(&mut self.host, command, data)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::Error> {
        // 64 bytes of function 1.
        if command & 0x3000_07ff != 0x1000_0040 {
            return Gspi::read(&mut self.host, command, data);
        }
        let mut words = vec![0; data.words_left()];
        let status = self.host.0.cmd_read_blocking(command, &mut words)?;
        if self.block == 0 {
            words[9] ^= 1 << 20;
        }
        self.block = self.block.wrapping_sub(1);
        data.extend(&words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn start_flipped_bit_fails_verification() {
    for (verify, blocks) in [(Verify::Samples, 9), (Verify::Everything, 3611)] {
        for block in [0, 1, blocks / 2, blocks - 1] {
            let testbed = Testbed::new();
            let host = Flipping {
                host: Host(testbed.chip.word_bus()),
                block,
            };
            let memory = Box::leak(vec![0; 4096].into_boxed_slice());
            let config = Config::new().with_verify(verify);
            let (power, delay, images) = (testbed.chip.power_pin(), testbed.chip.delay(), testbed.blobs.images());
            let mut nic = ethdev_cyw43::Cyw43::new(host, power, delay, images, memory, config).unwrap();
            let error = error(nic.start());
            assert!(
                matches!(error, Error::Firmware(FirmwareError::VerifyFailed { .. })),
                "{verify:?} {block}: {error:?}"
            );
            assert_eq!(testbed.chip.boot(), Boot::BusReady);
            // The bit flips once: the next start succeeds.
            nic.recover().unwrap();
            testbed.assert_no_violations();
        }
    }
}

#[test]
fn start_invalid_images_are_rejected() {
    let testbed = Testbed::new();
    let Blobs { firmware, nvram, clm } = testbed.blobs;
    let huge: &[u8] = Box::leak(vec![1; 0x8_0000].into_boxed_slice());
    let start = |images: FirmwareImages<'static>| error(testbed.nic_of(Config::new(), images, 4096).start());
    assert_eq!(
        start(FirmwareImages::new(&[], nvram, clm)),
        Error::Firmware(FirmwareError::Empty(Image::Firmware))
    );
    assert_eq!(
        start(FirmwareImages::new(firmware, &[], clm)),
        Error::Firmware(FirmwareError::Empty(Image::Nvram))
    );
    assert!(matches!(
        start(FirmwareImages::new(huge, nvram, clm)),
        Error::Firmware(FirmwareError::TooLarge {
            image: Image::Firmware,
            len: 0x8_0000,
            ..
        })
    ));
    assert!(matches!(
        start(FirmwareImages::new(firmware, &huge[..5000], clm)),
        Error::Firmware(FirmwareError::TooLarge {
            image: Image::Nvram,
            ..
        })
    ));
    assert_eq!(testbed.chip.bus().transactions, 0, "nothing was sent to the chip");
    let mut crc = crc32(firmware);
    let truncated = &firmware[..firmware.len() - 1000];
    let found = crc32(truncated);
    assert_eq!(
        start(FirmwareImages::new(truncated, nvram, clm).with_firmware_crc32(crc)),
        Error::Firmware(FirmwareError::Checksum { expected: crc, found })
    );
    crc ^= 1;
    assert!(matches!(
        start(FirmwareImages::new(firmware, nvram, clm).with_firmware_crc32(crc)),
        Error::Firmware(FirmwareError::Checksum { .. })
    ));
    assert_eq!(testbed.chip.boot(), Boot::BusReady, "the firmware was not started");
    testbed.assert_no_violations();
    // The right CRC.
    let images = FirmwareImages::new(firmware, nvram, clm).with_firmware_crc32(crc ^ 1);
    testbed.nic_of(Config::new(), images, 4096).start().unwrap();
    testbed.assert_no_violations();
}

/// A source that fails from an offset on.
struct Flash {
    blobs: Blobs,
    fails_at: Option<(Image, u32)>,
    read: u64,
}

impl FirmwareSource for Flash {
    fn len(&self, image: Image) -> u32 {
        let bytes = match image {
            Image::Firmware => self.blobs.firmware,
            Image::Nvram => self.blobs.nvram,
            Image::Clm => self.blobs.clm,
        };
        bytes.len() as u32
    }

    fn block<'s>(&'s mut self, image: Image, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        if self.fails_at.is_some_and(|(bad, from)| bad == image && at >= from) {
            return Err(SourceError(0xbad));
        }
        let bytes = match image {
            Image::Firmware => self.blobs.firmware,
            Image::Nvram => self.blobs.nvram,
            Image::Clm => self.blobs.clm,
        };
        self.read += scratch.len() as u64;
        scratch.copy_from_slice(&bytes[at as usize..][..scratch.len()]);
        Ok(scratch)
    }
}

#[test]
fn start_unreadable_image_is_error() {
    for fails_at in [
        None,
        Some((Image::Firmware, 0)),
        Some((Image::Firmware, 100_000)),
        Some((Image::Nvram, 64)),
        Some((Image::Clm, 512)),
    ] {
        let testbed = Testbed::new();
        let Blobs { firmware, nvram, clm } = testbed.blobs;
        let source = Flash {
            blobs: Blobs { firmware, nvram, clm },
            fails_at,
            read: 0,
        };
        let memory = Box::leak(vec![0; 4096].into_boxed_slice());
        let (host, power, delay) = (
            Host(testbed.chip.word_bus()),
            testbed.chip.power_pin(),
            testbed.chip.delay(),
        );
        let config = Config::new().with_verify(Verify::Nothing);
        let mut nic = ethdev_cyw43::Cyw43::new(host, power, delay, source, memory, config).unwrap();
        let result = nic.start();
        match fails_at {
            None => {
                result.unwrap();
                let (.., source) = nic.release();
                assert_eq!(
                    source.read,
                    (firmware.len() + nvram.len() + clm.len()) as u64,
                    "once, in order"
                );
            }
            Some((expected, from)) => match error(result) {
                Error::Firmware(FirmwareError::Unreadable { image, at, cause }) => {
                    assert_eq!((image, cause), (expected, SourceError(0xbad)));
                    assert!((from..from + 64).contains(&at));
                }
                other => panic!("{fails_at:?}: {other:?}"),
            },
        }
        testbed.assert_no_violations();
    }
}

#[test]
fn start_wrong_firmware_times_out() {
    let testbed = Testbed::new();
    let mut wrong = testbed.blobs.firmware.to_vec();
    wrong[1000] ^= 1;
    let wrong: &[u8] = Box::leak(wrong.into_boxed_slice());
    let images = FirmwareImages::new(wrong, testbed.blobs.nvram, testbed.blobs.clm);
    let error = error(testbed.nic_of(Config::new(), images, 4096).start());
    assert_eq!(error, Error::Timeout(WaitFor::FirmwareStart));
    assert!(testbed.clock.now() < Duration::from_secs(5));
}

#[test]
fn start_bus_error_at_any_transaction_recovers() {
    for at in [0, 1, 2, 5, 9, 17, 30, 1000, 3600, 3640, 3660, 3680, 3700] {
        let testbed = Testbed::new();
        let mut nic = testbed.nic(Config::new());
        testbed.chip.fail_bus_at(at);
        match nic.start() {
            Err(Error::Bus(_)) => {}
            other => panic!("at {at}: {other:?}"),
        }
        assert_eq!(kind(nic.service()), ErrorKind::Fault);
        nic.recover().unwrap();
        testbed.assert_no_violations();
    }
}

#[test]
fn calls_before_start_are_stopped() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.nic(Config::new());
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    assert_eq!(kind(nic.join(&network)), ErrorKind::Stopped);
    assert_eq!(kind(nic.disconnect()), ErrorKind::Stopped);
    assert_eq!(kind(nic.rssi_dbm()), ErrorKind::Stopped);
    assert_eq!(kind(nic.current_bss()), ErrorKind::Stopped);
    assert_eq!(kind(nic.set_led(true)), ErrorKind::Stopped);
    assert_eq!(kind(nic.next_result()), ErrorKind::Stopped);
    assert_eq!(
        kind(nic.scan(&ethdev_cyw43::ScanOptions::new(), |_| {})),
        ErrorKind::Stopped
    );
    assert_eq!(nic.recv_frame(&mut [0; 100]), Ok(None));
    assert_eq!(nic.tx_ready(), Ok(false));
    assert_eq!(kind(nic.send_frame(&[0; 100])), ErrorKind::Stopped);
    assert!(nic.service().is_ok());
    nic.stop().unwrap();
    assert_eq!(testbed.chip.bus().transactions, 0);
}

#[test]
fn start_invalid_mac_address_is_rejected() {
    let testbed = Testbed::new();
    for address in [ethdev::MacAddress::UNSPECIFIED, ethdev::MacAddress::BROADCAST] {
        let mut nic = testbed.nic(Config::new().with_mac_address(address));
        assert_eq!(error(nic.start()), Error::Param(ParamError::MacAddress));
    }
    assert_eq!(testbed.chip.bus().transactions, 0);
    // A unicast address is accepted.
    let own = ethdev::MacAddress::new([2, 0, 0, 0, 0, 0x77]);
    let nic = testbed.started(Config::new().with_mac_address(own));
    assert_eq!(nic.mac_address(), own);
    testbed.assert_no_violations();
}

#[test]
fn new_short_rx_queue_is_rejected() {
    let testbed = Testbed::new();
    let memory = Box::leak(vec![0; ethdev_cyw43::MIN_RX_QUEUE_LEN - 1].into_boxed_slice());
    let nic = ethdev_cyw43::Cyw43::new(
        Host(testbed.chip.word_bus()),
        testbed.chip.power_pin(),
        testbed.chip.delay(),
        testbed.blobs.images(),
        memory,
        Config::new(),
    );
    assert!(matches!(nic, Err(Error::RxQueueTooSmall { needed }) if needed == ethdev_cyw43::MIN_RX_QUEUE_LEN));
}

#[test]
fn service_halted_firmware_is_fault_until_recover() {
    let testbed = Testbed::new();
    let mut nic = testbed.started(Config::new().with_watchdog_polls(4));
    testbed.chip.halt_firmware();
    let mut fault = None;
    for _ in 0..5 {
        fault = nic.service().err();
    }
    assert_eq!(fault, Some(Error::Fault(Fault::FirmwareHalted)));
    nic.recover().unwrap();
    assert!(nic.service().is_ok());
    assert_eq!(nic.stats().recoveries, 1);
    testbed.chip.inject_brownout();
    testbed.pass(500);
    for _ in 0..5 {
        fault = nic.service().err();
    }
    assert_eq!(fault, Some(Error::Fault(Fault::Reset)));
    nic.recover().unwrap();
    testbed.assert_no_violations();
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 }
        })
    })
}
