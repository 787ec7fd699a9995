//! Measures one NIC on one wire and checks its frame accounting.

use core::cell::Cell;
#[cfg(feature = "lwip")]
use core::cell::RefCell;
use core::pin::pin;
use core::time::Duration;
use std::rc::Rc;

use embassy_net::driver::Driver;
use embassy_net::{Ipv4Cidr, StackResources, StaticConfigV4};
use ethdev::{Counted, EthernetDevice, LendingDevice, LossReason, MacAddress, Stats};
use ethdev_embassy::State;
use ethdev_sim::{Clock, Peer, Port, Side, Wire, WireStats, embassy_time};
use ethdev_smoltcp::{Mode, SmoltcpDevice};
#[cfg(feature = "lwip")]
use ethdev_util::Erased;
use ethdev_util::{Buffered, IrqDevice, IrqSignal};
#[cfg(feature = "lwip")]
use lwip_node::LwipNode;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

use super::embassy_host::{Adapted, EmbassyHost, Observed, Uncounted};
use super::failure::Failure;
use super::fetch::fetch;
use super::host::Host;
#[cfg(feature = "lwip")]
use super::lwip_host::{LwipHost, Shared, exclusive};
use super::meter::{CopyCounter, Meter};
use super::micros;
use super::peer::StackPeer;
use super::ping::ping;
use super::polled::Polled;
use super::report::Figures;
use super::simulation::Simulation;
use super::smoltcp_host::SmoltcpHost;
use super::stack::Stack;
use super::tcp_echo::{ECHO_LEN, tcp_echo};
use crate::apps::{self, Config, HTTP_CONNECTIONS, Node, Slots, Status, Storage, socket_slots};

pub(super) const NODE_MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 1]);
pub(super) const NODE_IP: Ipv4Address = Ipv4Address::new(192, 168, 69, 1);
pub(super) const PEER_MAC: EthernetAddress = EthernetAddress([0x02, 0, 0, 0, 0, 2]);
pub(super) const PEER_IP: Ipv4Address = Ipv4Address::new(192, 168, 69, 2);
pub(super) const PREFIX_LEN: u8 = 24;
/// Title of the page.
const NAME: &str = "ethdev";
#[cfg(feature = "lwip")]
const C_NAME: &core::ffi::CStr = c"ethdev";
/// Longest frame in bytes, without FCS.
const FRAME: usize = ethdev::frame::MAX_FRAME_LEN;
/// TCP buffers of the node.
const TCP_BUFFER: usize = 16 * 1024;
/// After this time no frame is in flight.
const SETTLE: Duration = Duration::from_secs(1);

/// The place of a NIC in the simulation.
#[derive(Debug)]
pub struct Slot {
    /// The clock. Drivers and buses that take time advance it.
    pub clock: Clock,
    /// The NIC's end of the wire.
    pub port: Port,
    /// MAC address for the NIC.
    pub mac_address: MacAddress,
}

/// Measures a device through the API that the application uses.
#[must_use = "nothing is measured without a device"]
pub struct Harness<'a> {
    stack: Stack,
    clock: Clock,
    wire: Wire,
    peer: Port,
    seed: u64,
    bus_bytes: Option<Rc<Cell<u64>>>,
    copies: CopyCounter,
    figures: &'a mut Figures,
    progress: &'a mut dyn FnMut(f64),
}

impl<'a> Harness<'a> {
    /// Creates the harness for one NIC under one stack: its wire's other end at `peer`, and the
    /// place of the results.
    pub(super) fn new(
        stack: Stack,
        clock: Clock,
        wire: Wire,
        peer: Port,
        seed: u64,
        figures: &'a mut Figures,
        progress: &'a mut dyn FnMut(f64),
    ) -> Self {
        Self {
            stack,
            clock,
            wire,
            peer,
            seed,
            bus_bytes: None,
            copies: CopyCounter::default(),
            figures,
            progress,
        }
    }
}

impl Harness<'_> {
    /// Counts the copies of frames at the API of `device`. Pass the result to
    /// [`measure_metered`](Self::measure_metered).
    pub fn meter<D>(&self, device: D) -> Meter<D> {
        Meter::new(device, &self.copies)
    }

    /// Sets the counter of bytes on the bus of the device.
    pub fn with_bus(mut self, bytes: &Rc<Cell<u64>>) -> Self {
        self.bus_bytes = Some(bytes.clone());
        self
    }

    /// Measures a device through the zero-copy API.
    ///
    /// # Errors
    ///
    /// A check failed, or the device did.
    pub fn measure_lending<D: LendingDevice>(self, device: D) -> Result<(), Failure> {
        let device = self.meter(device);
        self.measure_metered(device, &mut || Ok(false))
    }

    /// Measures a device through the pull API.
    ///
    /// # Errors
    ///
    /// As [`measure_lending`](Self::measure_lending).
    pub fn measure_pull<D: EthernetDevice>(self, device: D) -> Result<(), Failure> {
        let (mut rx, mut tx) = ([0; FRAME], [0; FRAME]);
        let device = self.meter(device);
        match self.stack {
            Stack::Smoltcp => {
                let device = SmoltcpDevice::new(device, &mut rx, &mut tx);
                self.measure_smoltcp(device, &mut || Ok(false))
            }
            Stack::Embassy => self.measure_metered(Buffered::new(device, &mut rx, &mut tx), &mut || Ok(false)),
            #[cfg(feature = "lwip")]
            Stack::Lwip => self.measure_lwip(device, &mut || Ok(false)),
        }
    }

    /// Measures a lending device that contains a [`meter`](Self::meter).
    ///
    /// `background` runs another task that the device needs. It is called on every iteration and
    /// returns whether it must be called again immediately.
    ///
    /// # Errors
    ///
    /// As [`measure_lending`](Self::measure_lending).
    pub fn measure_metered<D: LendingDevice>(
        self,
        device: D,
        background: &mut dyn FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut reply = [0; FRAME];
        match self.stack {
            Stack::Smoltcp => self.measure_smoltcp(SmoltcpDevice::lending(device, &mut reply), background),
            Stack::Embassy => {
                let irq = IrqSignal::new();
                let device = IrqDevice::new(Polled(device), &irq);
                let mut state = State::with_filter_unchanged(device, &mut reply).map_err(|e| Failure::device(&e))?;
                let (driver, handle) = state.split();
                self.measure_embassy(driver, Adapted { handle, irq: &irq }, background)
            }
            #[cfg(feature = "lwip")]
            Stack::Lwip => self.measure_lwip(device, background),
        }
    }

    /// Measures embassy-net on a driver of its own, which is no ethdev device and counts nothing:
    /// `stats` returns the counters of its chip.
    ///
    /// # Errors
    ///
    /// As [`measure_lending`](Self::measure_lending).
    pub fn measure_driver<D: Driver>(self, driver: D, stats: impl Fn() -> Stats) -> Result<(), Failure> {
        self.measure_embassy(driver, Uncounted(stats), &mut || Ok(false))
    }

    fn measure_embassy<D: Driver>(
        self,
        driver: D,
        device: impl Observed,
        background: &mut dyn FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        embassy_time::set_clock(&self.clock);
        let clock = self.clock.clone();
        let mut resources = StackResources::<{ socket_slots(HTTP_CONNECTIONS) }>::new();
        let config = embassy_net::Config::ipv4_static(StaticConfigV4 {
            address: Ipv4Cidr::new(NODE_IP, PREFIX_LEN),
            gateway: None,
            dns_servers: Default::default(),
        });
        let stack = embassy_net::new(driver, config, &mut resources, self.seed);
        let mut storage = Box::new(Storage::<TCP_BUFFER>::new());
        let begin = clock.now();
        let status = || Status {
            mac_address: NODE_MAC,
            link: device.link(),
            stats: device.stats(),
            uptime: clock.now().saturating_sub(begin),
        };
        let mut tasks = pin!(apps::embassy::host(stack, NAME, status, &mut storage));
        self.measure(EmbassyHost::new(tasks.as_mut(), &device, clock.clone()), background)
    }

    fn measure_smoltcp<D: EthernetDevice, M: Mode<D>>(
        self,
        mut device: SmoltcpDevice<'_, D, M>,
        background: &mut dyn FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let (mut storage, mut slots) = (Box::new(Storage::<TCP_BUFFER>::new()), Slots::new());
        let config = Config {
            name: NAME,
            addresses: &[IpCidr::new(NODE_IP.into(), PREFIX_LEN)],
            gateway: None,
            seed: self.seed,
        };
        let now = micros(self.clock.now());
        let node = Node::new(&config, &mut device, now, &mut storage, &mut slots)
            .map_err(|e| Failure(format!("invalid node: {e}")))?;
        self.measure(SmoltcpHost { node, device }, background)
    }

    /// Measures lwIP on a device that contains a [`meter`](Self::meter), through the C API.
    /// `background`: see [`measure_metered`](Self::measure_metered).
    ///
    /// # Errors
    ///
    /// As [`measure_lending`](Self::measure_lending).
    #[cfg(feature = "lwip")]
    pub fn measure_lwip<D: EthernetDevice>(
        self,
        device: D,
        background: &mut dyn FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let _lwip = exclusive();
        let device = RefCell::new(Erased::new(device));
        let mut shared = Shared(&device);
        let config = lwip_node::Config {
            name: C_NAME,
            address: NODE_IP,
            prefix_len: PREFIX_LEN,
            gateway: None,
            seed: self.seed as u32,
        };
        let node = LwipNode::new(&config, &mut shared, self.clock.now()).map_err(|e| Failure(format!("lwIP: {e}")))?;
        self.measure(LwipHost::new(node, &device), background)
    }

    fn measure(self, host: impl Host, background: &mut dyn FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
        let peer = StackPeer::new(
            &self.clock,
            Peer::new(self.peer),
            PEER_MAC,
            IpCidr::new(PEER_IP.into(), PREFIX_LEN),
            self.seed.wrapping_add(1),
        );
        let mut sim = Simulation {
            clock: self.clock,
            host,
            peer,
            background,
        };
        let result = measure(&mut sim, self.seed, self.figures, self.progress);
        let frames = self.copies.lent() + self.copies.copied();
        if frames > 0 {
            let copied = self.copies.copied() + u64::from(sim.host.copied());
            self.figures.copies_per_frame = Some(copied as f64 / frames as f64);
            self.figures.bus_bytes_per_frame = self.bus_bytes.map(|bytes| bytes.get() as f64 / frames as f64);
        }
        let stats = sim.host.stats();
        self.figures.overruns = stats.rx_overrun;
        self.figures.lost = stats.rx_lost() + stats.tx_lost() + sim.host.dropped();
        self.figures.simulated_us = sim.clock.now().as_secs_f64() * 1e6;
        (self.progress)(1.0);
        result?;
        check_accounting(&sim.host, self.wire.stats(Side::A), self.wire.stats(Side::B))
    }
}

fn measure<H: Host>(
    sim: &mut Simulation<'_, H>,
    seed: u64,
    figures: &mut Figures,
    progress: &mut dyn FnMut(f64),
) -> Result<(), Failure> {
    let stage = |name| move |e: Failure| Failure(format!("{name}: {e}"));
    let round_trip = ping(sim, NODE_IP).map_err(stage("ping"))?;
    figures.ping_us = Some(round_trip.as_secs_f64() * 1e6);
    let link = sim.host.link().to_string();
    figures.link = Some(link.clone());
    let echoed =
        tcp_echo(sim, NODE_IP, seed, |bytes| progress(bytes as f64 / ECHO_LEN as f64)).map_err(stage("TCP echo"))?;
    figures.echo_sha256 = Some(echoed.sha256);
    figures.goodput_mbps = Some(ECHO_LEN as f64 * 8.0 / echoed.took.as_secs_f64() / 1e6);
    let expected = [
        &format!("<title>{NAME}</title>"),
        "rx_frames",
        &link,
        &NODE_MAC.to_string(),
    ];
    figures.page_bytes = Some(fetch(sim, NODE_IP, &expected).map_err(stage("HTTP"))?);
    sim.settle(SETTLE).map_err(stage("settling"))
}

/// Checks that every frame that reached the device is counted, and that every frame counted as sent
/// was on the wire.
fn check_accounting(host: &impl Host, from_device: WireStats, to_device: WireStats) -> Result<(), Failure> {
    let stats = host.stats();
    let counted = stats.rx_frames.wrapping_add(stats.rx_lost());
    // A chip may report overruns inexactly.
    let exact = host.coverage().of(LossReason::RxOverrun) == Counted::Exactly;
    if u64::from(counted) != to_device.delivered && (exact || u64::from(counted) > to_device.delivered) {
        return Err(Failure(format!(
            "frame accounting: {} frames on the wire to the device, {counted} counted",
            to_device.delivered
        )));
    }
    if u64::from(stats.tx_frames) != from_device.sent {
        return Err(Failure(format!(
            "frame accounting: {} frames on the wire from the device, {} counted",
            from_device.sent, stats.tx_frames
        )));
    }
    Ok(())
}
