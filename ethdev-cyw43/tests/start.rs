//! Bringing the chip up: every image to the byte, and what goes wrong with it.

mod support;

use std::time::Duration;

use cyw43439_model::{Boot, ChipConfig, DataLine};
use ethdev::{Control, ControlError, ErrorKind, EthernetDevice};
use ethdev_cyw43::{
    Config, Error, Fault, FirmwareError, Gspi, Images, Incoming, Invalid, Network, Outgoing, Part, Source, SourceError,
    Verify, Wait,
};
use support::*;

fn error(result: Result<(), ControlError<NicError>>) -> NicError {
    match result {
        Err(ControlError::Device(e)) => e,
        other => panic!("{other:?} is no error of the device"),
    }
}

#[test]
fn the_chip_starts_with_the_images_that_were_given() {
    for verify in [Verify::Nothing, Verify::Samples, Verify::Everything] {
        for arm_runs in [false, true] {
            let mut config = ChipConfig::default();
            if arm_runs {
                config = config.with_arm_running();
            }
            let lab = Lab::with(config);
            let mut nic = lab.nic(Config::new().with_verify(verify));
            assert_eq!(lab.chip.bus().transactions, 0, "nothing before start");
            nic.start().unwrap();
            assert_eq!(lab.chip.boot(), Boot::Running);
            assert_eq!(lab.chip.peek_ram(0, lab.blobs.firmware.len()), lab.blobs.firmware);
            assert_eq!(lab.chip.uploaded_clm().as_deref(), Some(lab.blobs.clm));
            assert_eq!(nic.mac_address().octets(), ChipConfig::default().mac);
            assert!(!nic.link().is_up());
            lab.assert_clean();
            let bus = lab.chip.bus();
            println!(
                "{verify:?}: {} transactions, {} bytes, {:?}",
                bus.transactions,
                bus.bytes,
                lab.clock.now()
            );
            nic.start().unwrap();
            assert_eq!(lab.chip.bus().transactions, bus.transactions, "start is idempotent");
        }
    }
}

#[test]
fn slow_and_garbling_chips_start_too() {
    for (ms, garbage) in [(0, 0), (120, 3), (250, 1), (400, 5)] {
        let config = ChipConfig::default().with_power_up(Duration::from_millis(ms), garbage);
        let lab = Lab::with(config);
        lab.started(Config::new());
        lab.assert_clean();
    }
}

#[test]
fn a_second_start_after_whatever_is_a_cold_one() {
    let lab = Lab::new();
    let mut nic = lab.started(Config::new());
    let (bus, power, delay, images) = {
        nic.set_led(true).unwrap();
        nic.release()
    };
    // The host was reset, the chip was not.
    let memory = Box::leak(vec![0; 4096].into_boxed_slice());
    let mut nic = ethdev_cyw43::Cyw43::new(bus, power, delay, images, memory, Config::new()).unwrap();
    nic.start().unwrap();
    lab.assert_clean();
}

#[test]
fn nobody_there_is_an_error_in_time() {
    for line in [DataLine::Stuck(0), DataLine::Stuck(u32::MAX), DataLine::Random] {
        let lab = Lab::new();
        lab.chip.set_data_line(line);
        let mut nic = lab.nic(Config::new());
        let error = error(nic.start());
        assert!(matches!(error, Error::NotResponding { .. }), "{error:?}");
        assert!(lab.clock.now() < Duration::from_secs(2));
        // And the contract's edges after that.
        assert_eq!(kind(nic.recv_frame(&mut [0; 100])), ErrorKind::Fault);
        assert_eq!(kind(nic.send_frame(&[0; 100])), ErrorKind::Fault);
        assert_eq!(kind(nic.service()), ErrorKind::Fault);
        // Until it is there.
        lab.chip.set_data_line(DataLine::Connected);
        nic.recover().unwrap();
        assert!(nic.service().is_ok());
    }
}

/// A bus that flips one bit, in the n-th block that is read from the chip's memory.
struct Flipping {
    host: Host,
    block: u32,
}

impl Gspi for Flipping {
    type Error = <Host as Gspi>::Error;

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, Self::Error> {
        Gspi::write(&mut self.host, command, data)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, Self::Error> {
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
fn a_bus_that_damages_words_is_found_before_the_firmware_runs() {
    for (verify, blocks) in [(Verify::Samples, 9), (Verify::Everything, 3611)] {
        for block in [0, 1, blocks / 2, blocks - 1] {
            let lab = Lab::new();
            let host = Flipping {
                host: Host(lab.chip.word_bus()),
                block,
            };
            let memory = Box::leak(vec![0; 4096].into_boxed_slice());
            let config = Config::new().with_verify(verify);
            let (power, delay, images) = (lab.chip.power_pin(), lab.chip.delay(), lab.blobs.images());
            let mut nic = ethdev_cyw43::Cyw43::new(host, power, delay, images, memory, config).unwrap();
            let error = error(nic.start());
            assert!(
                matches!(error, Error::Firmware(FirmwareError::ReadBack { .. })),
                "{verify:?} {block}: {error:?}"
            );
            assert_eq!(lab.chip.boot(), Boot::BusReady);
            // It happens once: the next start is a good one.
            nic.recover().unwrap();
            lab.assert_clean();
        }
    }
}

#[test]
fn images_that_cannot_do_are_typed_errors() {
    let lab = Lab::new();
    let Blobs { firmware, nvram, clm } = lab.blobs;
    let huge: &[u8] = Box::leak(vec![1; 0x8_0000].into_boxed_slice());
    let start = |images: Images<'static>| error(lab.nic_of(Config::new(), images, 4096).start());
    assert_eq!(
        start(Images::new(&[], nvram, clm)),
        Error::Firmware(FirmwareError::Empty(Part::Firmware))
    );
    assert_eq!(
        start(Images::new(firmware, &[], clm)),
        Error::Firmware(FirmwareError::Empty(Part::Nvram))
    );
    assert!(matches!(
        start(Images::new(huge, nvram, clm)),
        Error::Firmware(FirmwareError::TooLarge {
            part: Part::Firmware,
            len: 0x8_0000,
            ..
        })
    ));
    assert!(matches!(
        start(Images::new(firmware, &huge[..5000], clm)),
        Error::Firmware(FirmwareError::TooLarge { part: Part::Nvram, .. })
    ));
    assert_eq!(lab.chip.bus().transactions, 0, "nothing of that reached the chip");
    let mut crc = crc32(firmware);
    let truncated = &firmware[..firmware.len() - 1000];
    let found = crc32(truncated);
    assert_eq!(
        start(Images::new(truncated, nvram, clm).with_firmware_crc32(crc)),
        Error::Firmware(FirmwareError::Checksum { expected: crc, found })
    );
    crc ^= 1;
    assert!(matches!(
        start(Images::new(firmware, nvram, clm).with_firmware_crc32(crc)),
        Error::Firmware(FirmwareError::Checksum { .. })
    ));
    assert_eq!(lab.chip.boot(), Boot::BusReady, "and was not started");
    lab.assert_clean();
    // Right at last.
    let images = Images::new(firmware, nvram, clm).with_firmware_crc32(crc ^ 1);
    lab.nic_of(Config::new(), images, 4096).start().unwrap();
    lab.assert_clean();
}

/// Images that are read piece by piece, from something that fails at an address.
struct Flash {
    blobs: Blobs,
    fails_at: Option<(Part, u32)>,
    read: u64,
}

impl Source for Flash {
    fn len(&self, part: Part) -> u32 {
        let image = match part {
            Part::Firmware => self.blobs.firmware,
            Part::Nvram => self.blobs.nvram,
            Part::Clm => self.blobs.clm,
        };
        image.len() as u32
    }

    fn block<'s>(&'s mut self, part: Part, at: u32, scratch: &'s mut [u8]) -> Result<&'s [u8], SourceError> {
        if self.fails_at.is_some_and(|(bad, from)| bad == part && at >= from) {
            return Err(SourceError(0xbad));
        }
        let image = match part {
            Part::Firmware => self.blobs.firmware,
            Part::Nvram => self.blobs.nvram,
            Part::Clm => self.blobs.clm,
        };
        self.read += scratch.len() as u64;
        scratch.copy_from_slice(&image[at as usize..][..scratch.len()]);
        Ok(scratch)
    }
}

#[test]
fn images_are_read_piece_by_piece_and_what_cannot_be_read_is_told() {
    for fails_at in [
        None,
        Some((Part::Firmware, 0)),
        Some((Part::Firmware, 100_000)),
        Some((Part::Nvram, 64)),
        Some((Part::Clm, 512)),
    ] {
        let lab = Lab::new();
        let Blobs { firmware, nvram, clm } = lab.blobs;
        let source = Flash {
            blobs: Blobs { firmware, nvram, clm },
            fails_at,
            read: 0,
        };
        let memory = Box::leak(vec![0; 4096].into_boxed_slice());
        let (host, power, delay) = (Host(lab.chip.word_bus()), lab.chip.power_pin(), lab.chip.delay());
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
                Error::Firmware(FirmwareError::Unreadable { part, at, cause }) => {
                    assert_eq!((part, cause), (expected, SourceError(0xbad)));
                    assert!((from..from + 64).contains(&at));
                }
                other => panic!("{fails_at:?}: {other:?}"),
            },
        }
        lab.assert_clean();
    }
}

/// A firmware that is not what it should be does not start: the wait for it ends.
#[test]
fn firmware_that_does_not_start_is_an_error_in_time() {
    let lab = Lab::new();
    let mut wrong = lab.blobs.firmware.to_vec();
    wrong[1000] ^= 1;
    let wrong: &[u8] = Box::leak(wrong.into_boxed_slice());
    let images = Images::new(wrong, lab.blobs.nvram, lab.blobs.clm);
    let error = error(lab.nic_of(Config::new(), images, 4096).start());
    assert_eq!(error, Error::Timeout(Wait::FirmwareStart));
    assert!(lab.clock.now() < Duration::from_secs(5));
}

#[test]
fn a_bus_that_fails_anywhere_in_the_start_is_an_error_and_the_next_start_works() {
    for at in [0, 1, 2, 5, 9, 17, 30, 1000, 3600, 3640, 3660, 3680, 3700] {
        let lab = Lab::new();
        let mut nic = lab.nic(Config::new());
        lab.chip.fail_bus_at(at);
        match nic.start() {
            Err(ControlError::Device(Error::Bus(_))) => {}
            other => panic!("at {at}: {other:?}"),
        }
        assert_eq!(kind(nic.service()), ErrorKind::Fault);
        nic.recover().unwrap();
        lab.assert_clean();
    }
}

#[test]
fn calls_before_start_are_typed_errors() {
    let lab = Lab::with_ap();
    let mut nic = lab.nic(Config::new());
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    assert_eq!(kind(nic.join(&network)), ErrorKind::Stopped);
    assert_eq!(kind(nic.leave()), ErrorKind::Stopped);
    assert_eq!(kind(nic.rssi_dbm()), ErrorKind::Stopped);
    assert_eq!(kind(nic.association()), ErrorKind::Stopped);
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
    assert_eq!(lab.chip.bus().transactions, 0);
}

#[test]
fn addresses_that_are_no_stations_are_refused() {
    let lab = Lab::new();
    for address in [ethdev::MacAddress::UNSPECIFIED, ethdev::MacAddress::BROADCAST] {
        let mut nic = lab.nic(Config::new().with_mac_address(address));
        assert_eq!(error(nic.start()), Error::Invalid(Invalid::MacAddress));
    }
    assert_eq!(lab.chip.bus().transactions, 0);
    // And one of one's own is taken.
    let own = ethdev::MacAddress::new([2, 0, 0, 0, 0, 0x77]);
    let nic = lab.started(Config::new().with_mac_address(own));
    assert_eq!(nic.mac_address(), own);
    lab.assert_clean();
}

#[test]
fn too_little_memory_is_a_typed_error() {
    let lab = Lab::new();
    let memory = Box::leak(vec![0; ethdev_cyw43::MIN_RX_QUEUE_LEN - 1].into_boxed_slice());
    let nic = ethdev_cyw43::Cyw43::new(
        Host(lab.chip.word_bus()),
        lab.chip.power_pin(),
        lab.chip.delay(),
        lab.blobs.images(),
        memory,
        Config::new(),
    );
    assert!(matches!(nic, Err(Error::Memory { needed }) if needed == ethdev_cyw43::MIN_RX_QUEUE_LEN));
}

#[test]
fn firmware_that_halts_is_a_fault_that_recover_ends() {
    let lab = Lab::new();
    let mut nic = lab.started(Config::new().with_health_check_every(4));
    lab.chip.halt_firmware();
    let mut fault = None;
    for _ in 0..5 {
        fault = nic.service().err();
    }
    assert_eq!(fault, Some(Error::Fault(Fault::FirmwareHalted)));
    nic.recover().unwrap();
    assert!(nic.service().is_ok());
    assert_eq!(nic.stats().recoveries, 1);
    lab.chip.inject_brownout();
    lab.pass(500);
    for _ in 0..5 {
        fault = nic.service().err();
    }
    assert_eq!(fault, Some(Error::Fault(Fault::Reset)));
    nic.recover().unwrap();
    lab.assert_clean();
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ 0xedb8_8320 }
        })
    })
}
