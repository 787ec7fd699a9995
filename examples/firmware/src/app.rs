//! The node on a NIC, and its reports, for any scheduler.

use core::fmt;
use core::time::Duration;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, MacAddress, Rearm, RearmOutcome};
use ethdev_examples::apps::{Config, ConfigError, Node, Slots, Storage};
use ethdev_smoltcp::{Mode, PollAt, SmoltcpDevice};
use ethdev_util::IrqSignal;
use semihosting::println;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};
use static_cell::ConstStaticCell;

use crate::board;
use crate::report::Report;

/// The longest frame, without VLAN tag.
pub const FRAME: usize = 1514;
/// Window of the TCP echo, in bytes.
const TCP: usize = 4096;
/// The address of the guest and of the gateway in the user network of QEMU.
const ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24);
const GATEWAY: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);

static STORAGE: ConstStaticCell<Storage<TCP>> = ConstStaticCell::new(Storage::new());
static SLOTS: ConstStaticCell<Slots<'static>> = ConstStaticCell::new(Slots::new());
static ADDRESSES: [IpCidr; 1] = [IpCidr::Ipv4(ADDRESS)];

/// Why a program ended. `E` is the error of the NIC.
#[derive(Debug)]
pub enum Failure<E> {
    /// The board or a static was taken twice.
    Taken,
    /// The NIC did not start.
    Start(E),
    /// The configuration of the node is invalid.
    Config(ConfigError),
    /// The recovery of the NIC failed.
    Recovery(E),
}

impl<E: fmt::Display + fmt::Debug> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("board taken twice"),
            Self::Start(e) => write!(f, "NIC start failed: {e}"),
            Self::Config(e) => fmt::Display::fmt(e, f),
            Self::Recovery(e) => write!(f, "NIC recovery failed: {e}"),
        }
    }
}

/// When to call [`App::turn`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Immediately.
    Now,
    /// When the interrupt signal is set, or after this time.
    Wait(Duration),
}

/// The node on a NIC. It never waits: the scheduler calls [`turn`](Self::turn).
pub struct App<D: EthernetDevice, M> {
    nic: SmoltcpDevice<'static, D, M>,
    irq_signal: &'static IrqSignal,
    node: Node<'static>,
    next_service: fn(&mut D) -> Duration,
    report: Report,
}

impl<D: EthernetDevice + Rearm, M: Mode<D>> App<D, M> {
    /// Creates the node on `nic`. The interrupt of the NIC sets `irq_signal`; `next_service`
    /// returns the longest time until the NIC must be serviced. There can be one node, because
    /// its memory is static.
    ///
    /// # Errors
    ///
    /// There is a node already, or its configuration is invalid.
    pub fn new(
        name: &'static str,
        mut nic: SmoltcpDevice<'static, D, M>,
        irq_signal: &'static IrqSignal,
        next_service: fn(&mut D) -> Duration,
    ) -> Result<Self, Failure<D::Error>> {
        let mac = nic.inner().mac_address();
        let config = Config {
            name,
            addresses: &ADDRESSES,
            gateway: Some(GATEWAY),
            seed: seed(mac, board::now()),
        };
        let storage = STORAGE.try_take().ok_or(Failure::Taken)?;
        let slots = SLOTS.try_take().ok_or(Failure::Taken)?;
        let node = Node::new(&config, &mut nic, instant(board::now()), storage, slots).map_err(Failure::Config)?;
        println!("serving on {} as {mac}", ADDRESS.address());
        Ok(Self {
            nic,
            irq_signal,
            node,
            next_service,
            report: Report::default(),
        })
    }

    /// Does all pending work, and arms the interrupt of the NIC.
    ///
    /// # Errors
    ///
    /// The NIC failed: call [`recover`](Self::recover).
    pub fn turn(&mut self) -> Result<Next, D::Error> {
        self.irq_signal.try_take();
        self.nic.disarm()?;
        self.node.poll(instant(board::now()), &mut self.nic)?;
        if let Some(e) = self.nic.take_error() {
            println!("NIC: {e}");
        }
        let now = board::now();
        let (link, stats, errors) = (self.nic.link(), self.nic.stats(), self.nic.errors().total());
        self.report.print(now, link, &stats, errors);
        let poll_at = self.node.poll_at(instant(now), &mut self.nic);
        let PollAt::Wait { interest, .. } = poll_at else {
            return Ok(Next::Now);
        };
        match self.nic.rearm(interest) {
            Ok(RearmOutcome::WorkPending) => return Ok(Next::Now),
            Ok(RearmOutcome::Armed) => {}
            // The next turn returns the fault.
            Err(e) if e.kind() == ErrorKind::Fault => return Ok(Next::Now),
            Err(e) => return Err(e),
        }
        let pause = poll_at.delay(instant(now)).map_or(Duration::MAX, Duration::from);
        Ok(Next::Wait(pause.min((self.next_service)(self.nic.inner_mut()))))
    }

    /// Prints the error of the NIC, and recovers it.
    ///
    /// # Errors
    ///
    /// The recovery failed.
    pub fn recover(&mut self, error: &D::Error) -> Result<(), Failure<D::Error>>
    where
        D: Control,
    {
        println!("NIC: {error}");
        self.nic.recover().map_err(Failure::Recovery)
    }
}

impl<D: EthernetDevice, M> fmt::Debug for App<D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("node", &self.node).finish_non_exhaustive()
    }
}

fn instant(since_start: Duration) -> Instant {
    Instant::from_micros(i64::try_from(since_start.as_micros()).unwrap_or(i64::MAX))
}

/// A seed from the address and the time, without a source of randomness.
pub(crate) fn seed(mac: MacAddress, now: Duration) -> u64 {
    mac.octets().iter().fold(now.as_nanos() as u64, |seed, &octet| {
        seed.rotate_left(8) ^ u64::from(octet)
    })
}
