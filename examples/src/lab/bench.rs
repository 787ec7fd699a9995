//! One NIC on one wire: plugged in, measured, and its books checked.

use core::cell::Cell;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use ethdev::{EthernetDevice, LendingDevice, MacAddress};
use ethdev_sim::{Capture, Clock, Peer, Port, Side, Wire, WireConfig, WireStats};
use ethdev_smoltcp::SmoltcpDevice;
use ethdev_util::Buffered;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

use super::fetch::fetch;
use super::meter::{Meter, Tally};
use super::micros;
use super::nics::Nic;
use super::peer::StackPeer;
use super::ping::ping;
use super::report::{Figures, Row};
use super::tcp_echo::{ECHO_LEN, tcp_echo};
use super::world::{Failure, World};
use crate::apps::{Config, Node, Slots, Storage};

pub(super) const NODE_MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
pub(super) const NODE_IP: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
pub(super) const PEER_MAC: EthernetAddress = EthernetAddress([0x02, 0, 0, 0, 0, 2]);
pub(super) const PEER_IP: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
pub(super) const PREFIX_LEN: u8 = 24;
/// Longest frame in bytes, without FCS.
const FRAME: usize = ethdev::frame::MAX_FRAME_LEN;
/// TCP buffers of the node.
const TCP_BUFFER: usize = 16 * 1024;
/// What is still on its way has arrived after so long.
const SETTLE: Duration = Duration::from_secs(1);

/// What is the same for all rows.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Of everything random: the same seed gives the same table.
    pub seed: u64,
    /// Where to put a capture of each row's wire, `NIC.pcapng`.
    pub pcap: Option<PathBuf>,
}

/// Puts `nic` on a wire and measures. `progress` is told how much is done, from 0 to 1.
///
/// # Errors
///
/// The capture cannot be written. What goes wrong with the NIC is in the [`Row`].
pub fn run(nic: &Nic, settings: &Settings, progress: &mut dyn FnMut(f64)) -> io::Result<Row> {
    let clock = Clock::new();
    let config = WireConfig::default()
        .with_speed(nic.speed)
        .with_seed(settings.seed)
        .with_name(nic.name);
    let (wire, port, peer) = Wire::new(&clock, config);
    let capture = settings.pcap.as_deref().map(|dir| capture(dir, nic)).transpose()?;
    if let Some(capture) = &capture {
        wire.capture(capture);
    }
    let mut row = Row::new(nic);
    let bench = Bench {
        clock: clock.clone(),
        wire,
        peer,
        seed: settings.seed,
        bus_bytes: None,
        tally: Tally::default(),
        figures: &mut row.figures,
        progress,
    };
    let slot = Slot {
        clock,
        port,
        mac_address: NODE_MAC,
    };
    row.failure = (nic.plug)(slot, bench).err().map(|failure| failure.0);
    if let Some(capture) = capture {
        capture.flush()?;
    }
    Ok(row)
}

fn capture(dir: &Path, nic: &Nic) -> io::Result<Capture> {
    std::fs::create_dir_all(dir)?;
    Capture::to_file(dir.join(nic.name).with_extension("pcapng"))
}

/// Where a NIC is plugged in.
#[derive(Debug)]
pub struct Slot {
    /// The time that it lives in. Drivers and buses that take time advance it.
    pub clock: Clock,
    /// Its end of the wire.
    pub port: Port,
    /// The address that it is to have.
    pub mac_address: MacAddress,
}

/// Measures the device that it is handed, by the surface that it is used through.
#[must_use = "a bench that is handed no device measures nothing"]
pub struct Bench<'a> {
    clock: Clock,
    wire: Wire,
    peer: Port,
    seed: u64,
    bus_bytes: Option<Rc<Cell<u64>>>,
    tally: Tally,
    figures: &'a mut Figures,
    progress: &'a mut dyn FnMut(f64),
}

impl Bench<'_> {
    /// Counts what crosses the surface of `device`. Whoever uses this plugs in with [`metered`](Self::metered).
    pub fn meter<D>(&self, device: D) -> Meter<D> {
        Meter::new(device, &self.tally)
    }

    /// The device is behind a bus: `bytes` counts what crosses that.
    pub fn with_bus(mut self, bytes: &Rc<Cell<u64>>) -> Self {
        self.bus_bytes = Some(bytes.clone());
        self
    }

    /// Measures a device whose memory is lent.
    ///
    /// # Errors
    ///
    /// It is not as good as it should be.
    pub fn lent<D: LendingDevice<Error: core::error::Error>>(self, device: D) -> Result<(), Failure> {
        let device = self.meter(device);
        self.metered(device, &mut || Ok(false))
    }

    /// Measures a device that frames are copied to and from, with buffers in front of it.
    ///
    /// # Errors
    ///
    /// As [`lent`](Self::lent).
    pub fn pulled<D: EthernetDevice>(self, device: D) -> Result<(), Failure> {
        let device: Buffered<_, FRAME> = Buffered::new(self.meter(device));
        self.metered(device, &mut || Ok(false))
    }

    /// Measures what is a device of its own kind, with a [`meter`](Self::meter) where it matters.
    ///
    /// `background` is whatever else has to run for that device. It is called in every turn, and tells whether it has to be called again at once.
    ///
    /// # Errors
    ///
    /// As [`lent`](Self::lent).
    pub fn metered<D: LendingDevice<Error: core::error::Error>>(
        self,
        device: D,
        background: &mut dyn FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let (mut spare, mut storage, mut slots) = ([0; FRAME], Box::new(Storage::<TCP_BUFFER>::new()), Slots::new());
        let mut device = SmoltcpDevice::new(device, &mut spare);
        let config = Config {
            name: "ethdev",
            addresses: &[IpCidr::new(NODE_IP.into(), PREFIX_LEN)],
            gateway: None,
            seed: self.seed,
        };
        let now = micros(self.clock.now());
        let node = Node::new(&config, &mut device, now, &mut storage, &mut slots)
            .map_err(|e| Failure(format!("no node: {e}")))?;
        let peer = StackPeer::new(
            &self.clock,
            Peer::new(self.peer),
            PEER_MAC,
            IpCidr::new(PEER_IP.into(), PREFIX_LEN),
            self.seed.wrapping_add(1),
        );
        let mut world = World {
            clock: self.clock,
            node,
            device,
            peer,
            background,
        };
        let result = measure(&mut world, self.seed, self.figures, self.progress);
        let frames = self.tally.lent() + self.tally.copied();
        if frames > 0 {
            self.figures.copies_per_frame = Some(self.tally.copied() as f64 / frames as f64);
            self.figures.bus_bytes_per_frame = self.bus_bytes.map(|bytes| bytes.get() as f64 / frames as f64);
        }
        let stats = world.device.stats();
        let drops = world.device.drops();
        self.figures.overruns = stats.rx_overrun;
        self.figures.lost = stats.rx_lost() + stats.tx_lost() + drops.tx_lost() + drops.rx_too_short;
        self.figures.simulated_us = world.clock.now().as_secs_f64() * 1e6;
        (self.progress)(1.0);
        result?;
        check_books(&world, self.wire.stats(Side::A), self.wire.stats(Side::B))
    }
}

fn measure<D: LendingDevice<Error: core::error::Error>>(
    world: &mut World<'_, '_, '_, D>,
    seed: u64,
    figures: &mut Figures,
    progress: &mut dyn FnMut(f64),
) -> Result<(), Failure> {
    let stage = |name| move |e: Failure| Failure(format!("{name}: {e}"));
    let round_trip = ping(world, NODE_IP).map_err(stage("ping"))?;
    figures.ping_us = Some(round_trip.as_secs_f64() * 1e6);
    let link = world.device.link().to_string();
    figures.link = Some(link.clone());
    let echoed =
        tcp_echo(world, NODE_IP, seed, |bytes| progress(bytes as f64 / ECHO_LEN as f64)).map_err(stage("TCP echo"))?;
    figures.echo_sha256 = Some(echoed.sha256);
    figures.goodput_mbps = Some(ECHO_LEN as f64 * 8.0 / echoed.took.as_secs_f64() / 1e6);
    let expected = ["<title>ethdev</title>", "rx_frames", &link, &NODE_MAC.to_string()];
    figures.page_bytes = Some(fetch(world, NODE_IP, &expected).map_err(stage("HTTP"))?);
    world.settle(SETTLE).map_err(stage("settling"))
}

/// Every frame that came to the device is accounted for, and every one that it says it sent was on the wire.
fn check_books<D: LendingDevice<Error: core::error::Error>>(
    world: &World<'_, '_, '_, D>,
    from_device: WireStats,
    to_device: WireStats,
) -> Result<(), Failure> {
    let stats = world.device.stats();
    let came = stats.rx_frames.wrapping_add(stats.rx_lost());
    // Where the chip only says "at least one" was lost, there may be more.
    let exact = world.device.inner().capabilities().rx_overrun_exact;
    if u64::from(came) != to_device.delivered && (exact || u64::from(came) > to_device.delivered) {
        return Err(Failure(format!(
            "books: {} frames came over the wire, the device accounts for {came}",
            to_device.delivered
        )));
    }
    if u64::from(stats.tx_frames) != from_device.sent {
        return Err(Failure(format!(
            "books: {} frames went over the wire, the device counts {}",
            from_device.sent, stats.tx_frames
        )));
    }
    Ok(())
}
