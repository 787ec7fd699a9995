//! A small host: ping, echo and a web page.

use core::fmt;

use ethdev::{LendingDevice, MacAddress};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use smoltcp::iface::{self, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address};

use super::Status;
use super::echo::{TcpEcho, UdpEcho};
use super::http::{Connection, Content, Http};
use super::storage::{ECHO_CONNECTIONS, HTTP_CONNECTIONS, HttpStorage, Slots, Storage, socket_slots};

/// What distinguishes one node from another.
#[derive(Debug, Clone, Copy)]
pub struct Config<'a> {
    /// Title of the page.
    pub name: &'a str,
    /// The node's addresses, with the length of their subnet's prefix.
    pub addresses: &'a [IpCidr],
    /// Where packets for other subnets go; `None`: nowhere.
    pub gateway: Option<Ipv4Address>,
    /// Where sequence numbers and ports begin. Different for each start, or connections of the last one get mixed up with new ones.
    pub seed: u64,
}

/// Why there can be no such node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The device's address is not one that a station can have.
    MacAddress(MacAddress),
    /// The address is not one that a host can have (a group, broadcast).
    Address(IpCidr),
    /// More addresses than the stack was built for.
    TooManyAddresses,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MacAddress(address) => write!(f, "{address} is no address of a station"),
            Self::Address(address) => write!(f, "{address} is no address of a host"),
            Self::TooManyAddresses => write!(f, "more than {} addresses", smoltcp::config::IFACE_MAX_ADDR_COUNT),
        }
    }
}

impl core::error::Error for ConfigError {}

/// What a node has done for others so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Served {
    /// UDP datagrams sent back.
    pub udp_echoed: u32,
    /// UDP datagrams not sent back: from an echo port, or from nowhere.
    pub udp_refused: u32,
    /// TCP bytes sent back.
    pub tcp_echoed: u64,
    /// HTTP requests answered, whatever the answer.
    pub http_answered: u32,
}

/// A small host on smoltcp: answers pings, echoes UDP and TCP on port 7, and serves a page about its device on port 80.
///
/// It has no loop and no clock of its own: call [`poll`](Self::poll), then sleep as [`wakeup`](Self::wakeup) says. The device is whatever lends frames: the
/// next line is the only one that changes with it.
///
/// ```
/// use ethdev::LendingDevice;
/// use ethdev_examples::apps::{Config, Node, Slots, Storage};
/// use ethdev_smoltcp::{SmoltcpDevice, PollAt};
/// use smoltcp::time::Instant;
///
/// fn run<D: LendingDevice>(device: D, clock: impl Fn() -> Instant, sleep: impl Fn(PollAt)) -> Result<(), Box<dyn std::error::Error>>
/// where D::Error: std::error::Error + 'static {
///     let (mut spare, mut storage, mut slots) = ([0; 1514], Storage::<4096>::new(), Slots::new());
///     let mut device = SmoltcpDevice::new(device, &mut spare);
///     let config = Config { name: "demo", addresses: &["192.168.69.1/24".parse().unwrap()], gateway: None, seed: 1 };
///     let mut node = Node::new(&config, &mut device, clock(), &mut storage, &mut slots)?;
///     loop {
///         node.poll(clock(), &mut device)?;
///         sleep(node.wakeup(clock(), &mut device));
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
    /// A node on `device`, in the caller's memory. It has to be polled with the same `device`.
    ///
    /// # Errors
    ///
    /// An address that stations or hosts cannot have.
    pub fn new<D: LendingDevice, const TCP: usize, const SOCKETS: usize>(
        config: &Config<'a>,
        device: &mut SmoltcpDevice<'_, D>,
        now: Instant,
        storage: &'a mut Storage<TCP, HTTP>,
        slots: &'a mut Slots<'a, SOCKETS>,
    ) -> Result<Self, ConfigError> {
        const { assert!(SOCKETS == socket_slots(HTTP), "one slot for each socket") };
        let mut iface = interface(config, device, now)?;
        if let Some(gateway) = config.gateway {
            // The first route of a new table: there is room.
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

    /// Does housekeeping, takes frames in, serves, and sends. Bounded by the adapter's budget of received frames.
    ///
    /// # Errors
    ///
    /// Housekeeping failed. The rest was done all the same; what failed in it is kept by the adapter.
    pub fn poll<D: LendingDevice>(&mut self, now: Instant, device: &mut SmoltcpDevice<'_, D>) -> Result<(), D::Error> {
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
        // After sending: a connection that was broken off has told its peer by now.
        self.listen();
        serviced.map(drop)
    }

    /// When to call [`poll`](Self::poll) again. A frame that arrives before the sleep begins must end it: re-arm the device's interrupt first, or wait for
    /// something that tells levels and not edges.
    pub fn wakeup<D: LendingDevice>(&mut self, now: Instant, device: &mut SmoltcpDevice<'_, D>) -> PollAt {
        // The web server's deadlines need no wake-up of their own: connections on which nothing moves have smoltcp's timeout.
        device.poll_at(&mut self.iface, &self.sockets, now)
    }

    /// Time since the node was made.
    #[must_use]
    pub fn uptime(&self, now: Instant) -> core::time::Duration {
        (now - self.start).into()
    }

    /// What it has done for others so far.
    #[must_use]
    pub fn served(&self) -> Served {
        Served {
            udp_echoed: self.udp.echoed,
            udp_refused: self.udp.refused,
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

/// An interface with its addresses. What smoltcp would panic about is refused here.
fn interface<D: LendingDevice>(
    config: &Config<'_>,
    device: &mut SmoltcpDevice<'_, D>,
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

fn add_tcp<'a>(sockets: &mut SocketSet<'a>, rx: &'a mut [u8], tx: &'a mut [u8]) -> SocketHandle {
    sockets.add(tcp::Socket::new(tcp::SocketBuffer::new(rx), tcp::SocketBuffer::new(tx)))
}
