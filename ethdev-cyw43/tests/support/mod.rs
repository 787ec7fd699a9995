//! The driver on the model of its chip, among access points, with a station on the wire behind
//! them.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::time::Duration;

use cyw43439_model::{self as model, AccessPoint, ChipConfig, Cyw43Chip, PowerPin, WordBus};
use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_cyw43::{Config, Cyw43, Error, FirmwareImages, RxWords, TxWords};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};

pub const SSID: &str = "testbed";
pub const PASSPHRASE: &str = "correct horse battery";

/// The model's bus, as a bus of the driver.
pub struct Host(pub WordBus);

impl ethdev_cyw43::Gspi for Host {
    type Error = model::BusFault;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::Error> {
        let words: Vec<u32> = std::iter::once(command).chain(data).collect();
        self.0.cmd_write_blocking(&words)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::Error> {
        let mut words = vec![0; data.words_left()];
        let status = self.0.cmd_read_blocking(command, &mut words)?;
        data.extend(&words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), Self::Error> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(Some(self.0.event_pending()))
    }
}

impl ethdev_cyw43::asynch::Gspi for Host {
    type Error = model::BusFault;
    const CAN_WAIT: bool = true;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, Self::Error> {
        let words: Vec<u32> = std::iter::once(command).chain(data).collect();
        self.0.cmd_write(&words).await
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, Self::Error> {
        let mut words = vec![0; data.words_left()];
        let status = self.0.cmd_read(command, &mut words).await?;
        data.extend(&words);
        Ok(status)
    }

    async fn set_strap(&mut self, _: bool) -> Result<(), Self::Error> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(Some(self.0.event_pending()))
    }

    async fn wait_for_interrupt(&mut self) -> Result<(), Self::Error> {
        self.0.wait_for_event().await;
        Ok(())
    }
}

pub type Nic = Cyw43<'static, Host, PowerPin, SimDelay, FirmwareImages<'static>>;
pub type NicError = Error<model::BusFault>;

/// Firmware, NVRAM and CLM of the usual sizes.
pub struct Blobs {
    pub firmware: &'static [u8],
    pub nvram: &'static [u8],
    pub clm: &'static [u8],
}

impl Blobs {
    pub fn images(&self) -> FirmwareImages<'static> {
        FirmwareImages::new(self.firmware, self.nvram, self.clm)
    }
}

pub struct Testbed {
    pub clock: Clock,
    pub chip: Cyw43Chip,
    pub station: Peer,
    pub wire: Wire,
    pub blobs: Blobs,
}

impl Testbed {
    pub fn new() -> Self {
        Self::with(ChipConfig::default())
    }

    pub fn with(config: ChipConfig) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let images = model::Images::pseudo_random(7);
        let leak = |image: &Option<Vec<u8>>| &*Box::leak(image.clone().unwrap().into_boxed_slice());
        let blobs = Blobs {
            firmware: leak(&images.firmware),
            nvram: leak(&images.nvram),
            clm: leak(&images.clm),
        };
        let chip = Cyw43Chip::new(&clock, port, config.with_images(images));
        Self {
            clock,
            chip,
            station: Peer::new(peer),
            wire,
            blobs,
        }
    }

    /// With one access point that takes WPA2, and images that are loaded in no time.
    pub fn small() -> Self {
        Self::small_with(ChipConfig::default())
    }

    pub fn small_with(config: ChipConfig) -> Self {
        let mut testbed = Self::with(config);
        let Blobs { firmware, nvram, clm } = testbed.blobs;
        testbed.blobs = Blobs {
            firmware: &firmware[..256],
            nvram: &nvram[..64],
            clm: &clm[..100],
        };
        testbed.chip.expect_images(
            model::Images::default()
                .with_firmware(testbed.blobs.firmware)
                .with_nvram(testbed.blobs.nvram)
                .with_clm(testbed.blobs.clm),
        );
        testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        testbed
    }

    /// With one access point that takes WPA2.
    pub fn with_ap() -> Self {
        let testbed = Self::new();
        testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        testbed
    }

    pub fn nic(&self, config: Config) -> Nic {
        self.nic_of(config, self.blobs.images(), 4096)
    }

    pub fn nic_of(&self, config: Config, images: FirmwareImages<'static>, memory: usize) -> Nic {
        let memory = Box::leak(vec![0; memory].into_boxed_slice());
        let host = Host(self.chip.word_bus());
        Cyw43::new(host, self.chip.power_pin(), self.chip.delay(), images, memory, config).unwrap()
    }

    pub fn started(&self, config: Config) -> Nic {
        let mut nic = self.nic(config);
        nic.start().unwrap();
        nic
    }

    pub fn pass(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }

    /// Calls `service` until the link is so, for ten seconds at most.
    pub fn wait_link(&self, nic: &mut Nic, up: bool) {
        for _ in 0..2000 {
            nic.service().unwrap();
            if nic.link().is_up() == up {
                return;
            }
            self.pass(5);
        }
        panic!("the link does not become {up}: {:?}", nic.last_join_error());
    }

    /// One frame each way, or two.
    pub fn frames_cross(&self, nic: &mut Nic) {
        let own = nic.mac_address().octets();
        for len in [60, 1514] {
            let mut frame = vec![0x5a; len];
            frame[..6].copy_from_slice(&own);
            frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
            frame[12..14].copy_from_slice(&[0x88, 0xb5]);
            self.station.send(&frame);
            self.pass(3);
            let mut buf = [0; 1514];
            let meta = nic.recv_frame(&mut buf).unwrap().expect("a frame");
            assert_eq!(buf[..meta.len], frame);
            assert_eq!(nic.recv_frame(&mut buf).unwrap(), None);
            frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
            frame[6..12].copy_from_slice(&own);
            nic.send_frame(&frame).unwrap();
            self.pass(3);
            assert_eq!(self.station.recv().as_deref(), Some(&frame[..]));
        }
    }

    /// Nothing that a host must not do was done.
    pub fn assert_no_violations(&self) {
        let violations = self.chip.violations();
        assert!(
            violations.is_empty(),
            "{} violations: {}",
            violations.len(),
            violations[0]
        );
        assert!(self.chip.stats().balanced());
    }
}

/// The kind of an error that is expected.
pub fn kind<T: std::fmt::Debug>(result: Result<T, NicError>) -> ErrorKind {
    ethdev::Error::kind(&result.expect_err("an error"))
}
