//! A small host: ping, echo and a web page.

use core::fmt;

use ethdev::{EthernetDevice, MacAddress};
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};
use smoltcp::iface::{self, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::Status;
use super::echo::{TcpEcho, UdpEcho};
use super::http::{Connection, Content, Http};
use super::storage::{ECHO_CONNECTIONS, HTTP_CONNECTIONS, HttpStorage, Slots, Storage, socket_slots};

/// The configuration of a node.
#[derive(Debug, Clone, Copy)]
pub struct Config<'a> {
    /// Title of the page.
    pub name: &'a str,
    /// IP addresses, with prefix lengths.
    pub addresses: &'a [IpCidr],
    /// Default gateway, if any.
    pub gateway: Option<Ipv4Address>,
    /// Seed of initial sequence numbers and ports. It must differ on every start, so that packets
    /// of earlier connections are not taken for new ones.
    pub seed: u64,
}

/// An invalid configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The MAC address of the device is not a unicast address.
    MacAddress(MacAddress),
    /// The IP address is not a unicast address.
    Address(IpCidr),
    /// More addresses than smoltcp is configured for.
    TooManyAddresses,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MacAddress(address) => write!(f, "MAC address {address} is not unicast"),
            Self::Address(address) => write!(f, "IP address {address} is not unicast"),
            Self::TooManyAddresses => write!(f, "more than {} addresses", smoltcp::config::IFACE_MAX_ADDR_COUNT),
        }
    }
}

impl core::error::Error for ConfigError {}

/// Counters of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// UDP datagrams echoed.
    pub udp_echoed: u32,
    /// UDP datagrams dropped: from an echo port, or with an invalid source.
    pub udp_dropped: u32,
    /// TCP bytes echoed.
    pub tcp_echoed: u64,
    /// HTTP requests answered, with any status.
    pub http_answered: u32,
}

/// A small host on smoltcp: replies to pings, echoes UDP and TCP on port 7, and serves a page about
/// its device on port 80.
///
/// It has no loop and no clock: call [`poll`](Self::poll), then sleep until
/// [`poll_at`](Self::poll_at). Only the line that constructs the device depends on the NIC.
///
/// ```
/// use ethdev::EthernetDevice;
/// use ethdev_examples::apps::{Config, Node, Slots, Storage};
/// use ethdev_smoltcp::{SmoltcpDevice, PollAt};
/// use smoltcp::time::Instant;
///
/// fn run<D: EthernetDevice>(device: D, clock: impl Fn() -> Instant, sleep: impl Fn(PollAt)) -> Result<(), Box<dyn std::error::Error>>
/// where D::Error: 'static {
///     let (mut rx, mut reply) = ([0; 1514], [0; 1514]);
///     let (mut storage, mut slots) = (Storage::<4096>::new(), Slots::new());
///     let mut device = SmoltcpDevice::new(device, &mut rx, &mut reply);
///     let config = Config { name: "demo", addresses: &["192.168.69.1/24".parse().unwrap()], gateway: None, seed: 1 };
///     let mut node = Node::new(&config, &mut device, clock(), &mut storage, &mut slots)?;
///     loop {
///         node.poll(clock(), &mut device)?;
///         sleep(node.poll_at(clock(), &mut device));
///     }
/// }
/// ```
pub struct Node<'a, const HTTP: usize = HTTP_CONNECTIONS> {
    name: &'a str,
    start: Instant,
    iface: Interface,
    sockets: SocketSet<'a>,
    scratch: &'a mut [u8],
    udp: UdpEcho,
    tcp: TcpEcho<ECHO_CONNECTIONS>,
    http: Http<'a, HTTP>,
}

impl<'a, const HTTP: usize> Node<'a, HTTP> {
    /// Creates a node on `device`, in the caller's memory. It must be polled with the same
    /// `device`.
    ///
    /// # Errors
    ///
    /// An address is not unicast, or there are too many.
    pub fn new<D: EthernetDevice, M: Mode<D>, const TCP: usize, const SOCKETS: usize>(
        config: &Config<'a>,
        device: &mut SmoltcpDevice<'_, D, M>,
        now: Instant,
        storage: &'a mut Storage<TCP, HTTP>,
        slots: &'a mut Slots<'a, SOCKETS>,
    ) -> Result<Self, ConfigError> {
        const { assert!(SOCKETS == socket_slots(HTTP), "one slot for each socket") };
        let mut iface = interface(config, device, now)?;
        if let Some(gateway) = config.gateway {
            // Cannot fail: the table is empty.
            let _ = iface.routes_mut().add_default_ipv4_route(gateway);
        }
        let mut sockets = SocketSet::new(&mut slots.sockets[..]);
        let tcp = storage.echo.each_mut().map(|[rx, tx]| add_tcp(&mut sockets, rx, tx));
        let http = storage.http.each_mut().map(|HttpStorage { rx, tx, head }| {
            let socket = add_tcp(&mut sockets, rx, tx);
            Connection::new(socket, head)
        });
        let ([rx, tx], [rx_slots, tx_slots]) = (&mut storage.udp, &mut slots.datagrams);
        let udp = sockets.add(udp::Socket::new(
            udp::PacketBuffer::new(&mut rx_slots[..], &mut rx[..]),
            udp::PacketBuffer::new(&mut tx_slots[..], &mut tx[..]),
        ));
        let mut node = Self {
            name: config.name,
            start: now,
            iface,
            sockets,
            scratch: &mut storage.scratch,
            udp: UdpEcho::new(udp),
            tcp: TcpEcho::new(tcp),
            http: Http::new(http),
        };
        node.listen();
        Ok(node)
    }

    /// Does housekeeping, receives frames, runs the services, and sends. Bounded by the receive
    /// budget of the adapter.
    ///
    /// # Errors
    ///
    /// Housekeeping failed. The rest was done nevertheless; the adapter stores its errors.
    pub fn poll<D: EthernetDevice, M: Mode<D>>(
        &mut self,
        now: Instant,
        device: &mut SmoltcpDevice<'_, D, M>,
    ) -> Result<(), D::Error> {
        let serviced = device.service();
        self.iface.poll_maintenance(now);
        while self.iface.poll_ingress_single(now, device, &mut self.sockets) != PollIngressSingleResult::None {}
        let content = Content {
            name: self.name,
            status: Status::of(device.inner(), self.uptime(now)),
        };
        self.udp.serve(&self.iface, &mut self.sockets, self.scratch);
        self.tcp.serve(&mut self.sockets, self.scratch);
        self.http.serve(now, &mut self.sockets, &content);
        while self.iface.poll_egress(now, device, &mut self.sockets) != PollResult::None {}
        // After sending, so that an aborted connection has sent its reset.
        self.listen();
        serviced.map(drop)
    }

    /// Returns when to call [`poll`](Self::poll) again. A frame that arrives before the sleep
    /// begins must end it: re-arm the interrupt of the device first, or wait for a
    /// level-triggered event.
    pub fn poll_at<D: EthernetDevice, M: Mode<D>>(
        &mut self,
        now: Instant,
        device: &mut SmoltcpDevice<'_, D, M>,
    ) -> PollAt {
        // The deadlines of the web server need no wake-up: idle connections have a timeout in
        // smoltcp.
        device.poll_at(&mut self.iface, &self.sockets, now)
    }

    /// Returns the time since the node was created.
    #[must_use]
    pub fn uptime(&self, now: Instant) -> core::time::Duration {
        (now - self.start).into()
    }

    /// Returns the counters of the services.
    #[must_use]
    pub fn served(&self) -> Served {
        Served {
            udp_echoed: self.udp.echoed,
            udp_dropped: self.udp.dropped,
            tcp_echoed: self.tcp.echoed,
            http_answered: self.http.answered(),
        }
    }

    fn listen(&mut self) {
        self.udp.listen(&mut self.sockets);
        self.tcp.listen(&mut self.sockets);
        self.http.listen(&mut self.sockets);
    }
}

impl<const HTTP: usize> fmt::Debug for Node<'_, HTTP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("addresses", &self.iface.ip_addrs())
            .field("served", &self.served())
            .finish_non_exhaustive()
    }
}

/// Creates the interface. Rejects configurations on which smoltcp panics.
pub(super) fn interface<D: EthernetDevice, M: Mode<D>>(
    config: &Config<'_>,
    device: &mut SmoltcpDevice<'_, D, M>,
    now: Instant,
) -> Result<Interface, ConfigError> {
    let mac_address = device.inner().mac_address();
    if !mac_address.is_unicast() {
        return Err(ConfigError::MacAddress(mac_address));
    }
    if let Some(&address) = config.addresses.iter().find(|cidr| !cidr.address().is_unicast()) {
        return Err(ConfigError::Address(address));
    }
    let mut settings = iface::Config::new(device.hardware_address());
    settings.random_seed = config.seed;
    let mut iface = Interface::new(settings, device, now);
    let mut added = Ok(());
    iface.update_ip_addrs(|addresses| added = addresses.extend_from_slice(config.addresses));
    added.map_err(|_| ConfigError::TooManyAddresses)?;
    Ok(iface)
}

pub(super) fn add_tcp<'a>(sockets: &mut SocketSet<'a>, rx: &'a mut [u8], tx: &'a mut [u8]) -> SocketHandle {
    sockets.add(tcp::Socket::new(tcp::SocketBuffer::new(rx), tcp::SocketBuffer::new(tx)))
}
