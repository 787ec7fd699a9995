//! The table of NICs. A new driver is one line here.

use core::error::Error;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::rc::Rc;
use std::sync::Arc;

use cyw43439_model::{AccessPoint, Cyw43Chip};
use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
use ethdev::{Control, EthernetDevice, Speed};
use ethdev_cli::Causes;
use ethdev_cyw43::{Cyw43, Network, PowerSave};
use ethdev_enc28j60::{Config, Enc28j60};
use ethdev_enet::{self as enet_driver, Enet, Rings};
use ethdev_lan8720::{Lan8720Phy, PhyConfig};
use ethdev_lan9118::{Config as Lan9118Config, Lan9118};
use ethdev_phy::EthernetPort;
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::PhyAddress;
use ethdev_rmii::SoftMac;
use ethdev_sim::{Clock, RingConfig, RingNic};
use ethdev_util::asynch::BlockingAsync;
use ethdev_util::channel::Channel;
use ethdev_util::{Erased, ErasedDevice, IrqSignal};
use lan8720_model::{Lan8720Chip, Partner, PhyStraps};
use lan9118_model::{ChipConfig as Lan9118ChipConfig, Lan9118Chip, Part};
use nxp_enet_model::EnetChip;
use rmii_port_model::{RmiiPort, RmiiPortConfig};

use super::enet;
use super::failure::Failure;
use super::gspi::{GspiHost, images};
use super::harness::{Harness, Slot};
use super::lan9118;
use super::rmii;
use super::spi_meter::SpiMeter;
use super::wake_flag::WakeFlag;

/// Poll interval of a NIC without an interrupt line.
const POLL_INTERVAL: Duration = Duration::from_micros(100);

/// One NIC of the table.
#[derive(Debug, Clone, Copy)]
pub struct Nic {
    /// Name on the command line.
    pub name: &'static str,
    /// Speed of the wire.
    pub speed: Speed,
    /// API that a stack on it uses, if it can.
    pub api: &'static str,
    /// Description.
    pub about: &'static str,
    /// Creates the device in its slot and passes it to the harness.
    pub attach: fn(Slot, Harness<'_>) -> Result<(), Failure>,
}

impl Nic {
    /// Creates an entry.
    #[must_use]
    pub const fn new(
        name: &'static str,
        speed: Speed,
        api: &'static str,
        about: &'static str,
        attach: fn(Slot, Harness<'_>) -> Result<(), Failure>,
    ) -> Self {
        Self {
            name,
            speed,
            api,
            about,
            attach,
        }
    }
}

/// Every NIC of the workspace.
#[rustfmt::skip]
pub const NICS: &[Nic] = &[
    Nic::new("ring", Speed::MBPS_100, "lending", "memory NIC, zero-copy", |slot, harness| harness.measure_lending(ring(slot))),
    Nic::new("ring-10", Speed::MBPS_10, "lending", "the same at 10 Mbit/s", |slot, harness| harness.measure_lending(ring(slot))),
    Nic::new("ring-pull", Speed::MBPS_100, "pull", "the same through the pull API, with buffers in front, as for a bus device", |slot, harness| harness.measure_pull(ring(slot))),
    Nic::new("ring-dyn", Speed::MBPS_100, "dyn", "the same, chosen at run time: `&mut dyn ErasedDevice`", dynamic),
    Nic::new("ring-channel", Speed::MBPS_100, "channel", "the same, async, in a task behind a frame channel", channel),
    Nic::new("enc28j60", Speed::MBPS_10, "pull", "ENC28J60: driver and chip model, 20 MHz SPI, half duplex", enc28j60),
    Nic::new("lan8720", Speed::MBPS_100, "lending", "LAN8720A with a software MAC, one buffer per frame: both drivers on models", lan8720),
    Nic::new("enet", Speed::MBPS_100, "lending", "i.MX ENET with a LAN8720A, zero-copy from DMA buffers: both drivers on models", enet),
    Nic::new("lan9118", Speed::MBPS_100, "pull", "LAN9118 with internal PHY: both drivers on models, 45 ns per bus cycle", lan9118_port),
    Nic::new("cyw43", Speed::MBPS_100, "pull", "CYW43439: driver and chip model, joined to an access point (WPA2), 33 MHz gSPI, no power save", cyw43),
];

fn ring(slot: Slot) -> RingNic {
    RingNic::new(&slot.clock, slot.port, RingConfig::new(slot.mac_address))
}

fn enc28j60(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    enc28j60_with(ChipConfig::new(Revision::B7), slot, harness)
}

/// Measures the driver of the ENC28J60 on a chip with this configuration.
///
/// # Errors
///
/// A check failed, the device did, or the chip reports a protocol violation.
pub fn enc28j60_with(config: ChipConfig, slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let chip = Enc28j60Chip::new(&slot.clock, slot.port, config);
    let (spi, bytes) = SpiMeter::new(chip.spi_device());
    let nic = Enc28j60::new(spi, chip.delay(), Config::new(slot.mac_address))
        .map_err(|e| Failure(format!("chip start: {}", Causes(&e))))?;
    let nic = linked(&slot.clock, nic)?;
    bytes.set(0);
    tick(&slot.clock);
    harness.with_bus(&bytes).measure_pull(nic)?;
    match chip.violations().first() {
        None => Ok(()),
        Some(violation) => Err(Failure(format!("protocol violation on the chip: {violation}"))),
    }
}

fn lan8720(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let fail = |e: &dyn Error| Failure(format!("port start: {}", Causes(e)));
    let straps = PhyStraps::default();
    let phy = Lan8720Chip::with_partner(&slot.clock, slot.port, straps, Partner::default());
    let chip = RmiiPort::new(phy.rmii(), RmiiPortConfig::default());
    let [now, again] = [slot.clock.clone(), slot.clock.clone()];
    let mac = SoftMac::new(
        rmii::split(&chip, || ()),
        phy.mdio(),
        move || now.now(),
        slot.mac_address,
        core::array::from_fn::<_, 8, _>(|_| rmii::Buffer::from([0; 1536])),
        core::array::from_fn::<_, 4, _>(|_| rmii::Buffer::from([0; 1536])),
    )
    .map_err(|e| fail(&e))?;
    let address = PhyAddress::new(straps.address).ok_or_else(|| Failure("invalid PHY address straps".into()))?;
    let driver = Lan8720Phy::new(address, PhyConfig::default());
    let nic = EthernetPort::new(mac, driver, move || again.now()).map_err(|e| fail(&e))?;
    let nic = linked(&slot.clock, nic)?;
    tick(&slot.clock);
    harness.measure_lending(nic)?;
    match (chip.violations().first(), phy.violations().first()) {
        (None, None) => Ok(()),
        (Some(violation), _) => Err(Failure(format!("protocol violation on the port: {violation}"))),
        (_, Some(violation)) => Err(Failure(format!("protocol violation on the PHY: {violation}"))),
    }
}

fn enet(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let fail = |e: &dyn Error| Failure(format!("port start: {}", Causes(e)));
    let straps = PhyStraps::default();
    let phy = Lan8720Chip::with_partner(&slot.clock, slot.port, straps, Partner::default());
    let memory = HostMemory::new();
    let chip = EnetChip::with_phy(&phy, enet::Memory(memory.clone()), Default::default());
    // A static in firmware; here every run has its own.
    let rings: &'static mut Rings<16, 16> = Box::leak(Box::new(Rings::new()));
    let config = enet_driver::Config::new(slot.mac_address, 66_000_000);
    let mac =
        Enet::with_dma(enet::Registers(chip.clone()), rings, chip.delay(), memory, config).map_err(|e| fail(&e))?;
    let address = PhyAddress::new(straps.address).ok_or_else(|| Failure("invalid PHY address straps".into()))?;
    let now = slot.clock.clone();
    let nic = EthernetPort::new(mac, Lan8720Phy::new(address, PhyConfig::default()), move || now.now())
        .map_err(|e| fail(&e))?;
    let nic = linked(&slot.clock, nic)?;
    tick(&slot.clock);
    harness.measure_lending(nic)?;
    match (chip.violations().first(), phy.violations().first()) {
        (None, None) => Ok(()),
        (Some(violation), _) => Err(Failure(format!("protocol violation on the MAC: {violation}"))),
        (_, Some(violation)) => Err(Failure(format!("protocol violation on the PHY: {violation}"))),
    }
}

fn lan9118_port(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let fail = |e: &dyn Error| Failure(format!("port start: {}", Causes(e)));
    let chip = Lan9118Chip::new(&slot.clock, slot.port, Lan9118ChipConfig::new(Part::Lan9118));
    let config = Lan9118Config::new().with_mac_address(slot.mac_address);
    let mac = Lan9118::new(lan9118::Bus(chip.bus()), chip.delay(), config).map_err(|e| fail(&e))?;
    let phy = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new().with_interrupt(true));
    let now = slot.clock.clone();
    let nic = EthernetPort::new(mac, phy, move || now.now()).map_err(|e| fail(&e))?;
    let nic = linked(&slot.clock, nic)?;
    tick(&slot.clock);
    harness.measure_pull(nic)?;
    match chip.violations().first() {
        None => Ok(()),
        Some(violation) => Err(Failure(format!("protocol violation on the chip: {violation}"))),
    }
}

fn cyw43(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    const SSID: &str = "testbed";
    const PASSPHRASE: &str = "correct horse battery";
    let failure = |e: &dyn Error| Failure(format!("chip start: {}", Causes(e)));
    let chip = Cyw43Chip::new(&slot.clock, slot.port, cyw43439_model::ChipConfig::default());
    chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let (bus, bytes) = GspiHost::new(chip.word_bus());
    let mut memory = [0; 8192];
    let config = ethdev_cyw43::Config::new()
        .with_mac_address(slot.mac_address)
        .with_power_save(PowerSave::Off);
    let mut nic =
        Cyw43::new(bus, chip.power_pin(), chip.delay(), images(), &mut memory, config).map_err(|e| failure(&e))?;
    nic.start().map_err(|e| failure(&e))?;
    let network = Network::wpa2(SSID, PASSPHRASE).map_err(|e| failure(&e))?;
    nic.join(&network).map_err(|e| failure(&e))?;
    // Joining is not measured.
    bytes.set(0);
    tick(&slot.clock);
    harness.with_bus(&bytes).measure_pull(nic)?;
    match chip.violations().first() {
        None => Ok(()),
        Some(violation) => Err(Failure(format!("protocol violation on the chip: {violation}"))),
    }
}

/// Waits for the link, which is not measured.
fn linked<D: EthernetDevice>(clock: &Clock, mut nic: D) -> Result<D, Failure> {
    for _ in 0..5000 {
        nic.service()
            .map_err(|e| Failure(format!("device start: {}", Causes(&e))))?;
        if nic.link().is_up() {
            return Ok(nic);
        }
        clock.advance(Duration::from_millis(1));
    }
    Err(Failure(String::from("timed out waiting for the link")))
}

/// Schedules an event every [`POLL_INTERVAL`]: the simulation polls a device without an interrupt
/// line after each event.
fn tick(clock: &Clock) {
    let again = clock.clone();
    clock.schedule_in(POLL_INTERVAL, move || tick(&again));
}

fn dynamic(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let mut nic = Erased::new(ring(slot));
    let nic: &mut dyn ErasedDevice = &mut nic;
    harness.measure_pull(nic)
}

fn channel(slot: Slot, harness: Harness<'_>) -> Result<(), Failure> {
    let irq_signal = Rc::new(IrqSignal::new());
    let config = RingConfig::new(slot.mac_address).with_irq_signal(irq_signal.clone());
    let nic = RingNic::new(&slot.clock, slot.port, config);
    let device = BlockingAsync::with_interrupt(harness.meter(nic), &irq_signal);
    let (mut rx, mut tx) = ([[0; 1514]; 16], [[0; 1514]; 16]);
    let mut channel = Channel::new();
    let (mut runner, stack) = channel.split(device, &mut rx, &mut tx);
    let mut run = pin!(runner.run());
    let woken = Arc::new(WakeFlag::set());
    let waker = Waker::from(woken.clone());
    // Runs only when woken: a lost wake-up stalls it, as on an executor.
    let mut background = || {
        if woken.take()
            && let Poll::Ready(Err(e)) = run.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return Err(Failure(format!("channel runner failed: {}", Causes(&e))));
        }
        Ok(woken.is_set())
    };
    harness.measure_metered(stack, &mut background)
}
