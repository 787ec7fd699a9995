//! The driver on a model of the chip: starts the firmware, scans, joins a WPA2 network and prints
//! the link.
//!
//! `cargo run -p ethdev-cyw43 --example join`

use cyw43439_model::{AccessPoint, BusFault, ChipConfig, Cyw43Chip, Images, WordBus};
use ethdev::{Control, EthernetDevice};
use ethdev_cyw43::{Config, Country, Cyw43, FirmwareImages, Gspi, Network, RxWords, ScanOptions, TxWords};
use ethdev_sim::{Clock, Wire, WireConfig};

/// The bus: on an RP2040, a PIO state machine with DMA. The model transfers whole words as well.
struct Bus(WordBus);

impl Gspi for Bus {
    type Error = BusFault;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusFault> {
        let words: Vec<u32> = std::iter::once(command).chain(data).collect();
        self.0.cmd_write_blocking(&words)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusFault> {
        let mut words = vec![0; data.words_left()];
        let status = self.0.cmd_read_blocking(command, &mut words)?;
        data.extend(&words);
        Ok(status)
    }

    fn set_strap(&mut self, _level: bool) -> Result<(), BusFault> {
        Ok(()) // a board drives the data line while the chip powers up; the word bus of the model has no line
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusFault> {
        Ok(Some(self.0.event_pending()))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The hardware, and two access points in its range. The images stand for the firmware of the
    // chip.
    let clock = Clock::new();
    let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
    let images = Images::pseudo_random(7);
    let chip = Cyw43Chip::new(&clock, port, ChipConfig::default().with_images(images.clone()));
    chip.add_ap(
        AccessPoint::open("guests")
            .with_bssid([2, 0, 0, 0, 1, 1])
            .with_rssi(-71),
    );
    chip.add_ap(AccessPoint::wpa2("office", "correct horse").with_bssid([2, 0, 0, 0, 1, 2]));

    let (firmware, nvram, clm) = (
        images.firmware.as_deref(),
        images.nvram.as_deref(),
        images.clm.as_deref(),
    );
    let images = FirmwareImages::new(
        firmware.ok_or("no firmware")?,
        nvram.ok_or("no NVRAM")?,
        clm.ok_or("no CLM")?,
    );
    // Frames that arrive while the driver waits for a response are stored here.
    let mut rx_queue = [0; 4096];
    let config = Config::new().with_country(Country::new("DE")?);
    let bus = Bus(chip.word_bus());
    let mut nic = Cyw43::new(bus, chip.power_pin(), chip.delay(), images, &mut rx_queue, config)?;

    nic.start()?;
    println!("started after {:?}, MAC address {}", clock.now(), nic.mac_address());

    let mut found = Vec::new();
    nic.scan(&ScanOptions::new(), |ap| found.push(ap))?;
    // An access point that is received on several channels is reported several times.
    found.sort_by_key(|ap| ap.bssid);
    found.dedup_by_key(|ap| ap.bssid);
    for ap in &found {
        let name = ap.ssid.as_str().unwrap_or("(not UTF-8)");
        println!(
            "{name}: {}, channel {}, {} dBm, {:?}",
            ap.bssid, ap.channel, ap.rssi_dbm, ap.security
        );
    }

    // Ends within a bounded time. `Error::Join` says why it failed.
    nic.join(&Network::wpa2("office", "correct horse")?)?;
    println!("joined after {:?}: link {}", clock.now(), nic.link());
    if let Some(bss) = nic.current_bss()? {
        println!("access point {}, {} dBm", bss.bssid, bss.rssi_dbm);
    }
    // The model checks that the driver follows the protocol.
    assert_eq!(chip.violations(), []);
    Ok(())
}
