//! The node on a NIC, and what it says about itself: the same under every scheduler.

use core::fmt;
use core::time::Duration;

use ethdev::{Control, ControlError, Error as _, ErrorKind, LendingDevice, Link, MacAddress, Rearm, RearmOutcome};
use ethdev_examples::apps::{Config, ConfigError, Node, Slots, Storage};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::IrqSignal;
use semihosting::println;
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};
use static_cell::ConstStaticCell;

use crate::board::{self, Account};

/// The longest frame, without VLAN tag.
pub const FRAME: usize = 1514;
/// Window of the TCP echo.
const TCP: usize = 4096;
/// Where QEMU's user network expects its guest, and where its gateway is.
const ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(10, 0, 2, 15), 24);
const GATEWAY: Ipv4Address = Ipv4Address::new(10, 0, 2, 2);
/// How often the counters are shown, when they have changed.
const REPORT_EVERY: Duration = Duration::from_millis(500);

static STORAGE: ConstStaticCell<Storage<TCP>> = ConstStaticCell::new(Storage::new());
static SLOTS: ConstStaticCell<Slots<'static>> = ConstStaticCell::new(Slots::new());
static SPARE: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
static ADDRESSES: [IpCidr; 1] = [IpCidr::Ipv4(ADDRESS)];

/// Why a program ended. `E` is the NIC's error.
#[derive(Debug)]
pub enum Failure<E> {
    /// The board or a static was taken twice.
    Taken,
    /// The NIC does not work.
    Start(E),
    /// No such node.
    Config(ConfigError),
    /// The NIC failed, and its recovery did too.
    Recovery(ControlError<E>),
}

impl<E: fmt::Display + fmt::Debug> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("board taken twice"),
            Self::Start(e) => write!(f, "NIC: {e}"),
            Self::Config(e) => fmt::Display::fmt(e, f),
            Self::Recovery(e) => write!(f, "recovery of the NIC: {e}"),
        }
    }
}

/// When to call [`App::turn`] again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once.
    Now,
    /// When the interrupt signal has rung, or after this time.
    Wait(Duration),
}

/// The node on a NIC. It has no loop of its own and never waits: whoever schedules it calls [`turn`](Self::turn).
pub struct App<D: LendingDevice> {
    nic: SmoltcpDevice<'static, D>,
    irq_signal: &'static IrqSignal,
    node: Node<'static>,
    next_service: fn(&mut D) -> Duration,
    report: Report,
}

impl<D: LendingDevice<Error: fmt::Display> + Rearm> App<D> {
    /// The node on `nic`, whose interrupt rings `irq_signal`, and which wants to be looked at after `next_service` at the latest. There can be one, since its memory
    /// is in statics.
    ///
    /// # Errors
    ///
    /// There is one already, or the NIC's address is none.
    pub fn new(
        name: &'static str,
        nic: D,
        irq_signal: &'static IrqSignal,
        next_service: fn(&mut D) -> Duration,
    ) -> Result<Self, Failure<D::Error>> {
        let mut nic = SmoltcpDevice::new(nic, SPARE.try_take().ok_or(Failure::Taken)?);
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

    /// Does all there is to do, and arms the NIC's interrupt for what comes next.
    ///
    /// # Errors
    ///
    /// The NIC failed: it wants its recovery.
    pub fn turn(&mut self) -> Result<Next, D::Error> {
        self.irq_signal.try_take();
        self.nic.disarm()?;
        self.node.poll(instant(board::now()), &mut self.nic)?;
        if let Some(e) = self.nic.take_error() {
            println!("NIC: {e}");
        }
        let now = board::now();
        self.report.show(now, &self.nic);
        let wakeup = self.node.wakeup(instant(now), &mut self.nic);
        let PollAt::Wait { interest, .. } = wakeup else {
            return Ok(Next::Now);
        };
        match self.nic.rearm(interest) {
            Ok(RearmOutcome::WorkPending) => return Ok(Next::Now),
            Ok(RearmOutcome::Armed) => {}
            // The next turn meets it too, and then it is a failure.
            Err(e) if e.kind() == ErrorKind::Fault => return Ok(Next::Now),
            Err(e) => return Err(e),
        }
        let pause = wakeup.delay(instant(now)).map_or(Duration::MAX, Duration::from);
        Ok(Next::Wait(pause.min((self.next_service)(self.nic.inner_mut()))))
    }

    /// Makes the NIC work again after it has failed with `failure`.
    ///
    /// # Errors
    ///
    /// It does not.
    pub fn recover(&mut self, failure: &D::Error) -> Result<(), Failure<D::Error>>
    where
        D: Control,
    {
        println!("NIC: {failure}");
        self.nic.recover().map_err(Failure::Recovery)
    }
}

impl<D: LendingDevice> fmt::Debug for App<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("node", &self.node).finish_non_exhaustive()
    }
}

fn instant(since_start: Duration) -> Instant {
    Instant::from_micros(i64::try_from(since_start.as_micros()).unwrap_or(i64::MAX))
}

/// Nothing here is random. The time that the NIC took to start varies a little on silicon.
fn seed(mac: MacAddress, now: Duration) -> u64 {
    mac.octets().iter().fold(now.as_nanos() as u64, |seed, &octet| {
        seed.rotate_left(8) ^ u64::from(octet)
    })
}

/// What is shown from time to time.
#[derive(Debug, Default)]
struct Report {
    link: Option<Link>,
    next: Duration,
    frames: (u32, u32),
}

impl Report {
    /// One line when the link has changed; one when frames have passed and the last such line is old enough, or the link has changed.
    fn show<D: LendingDevice>(&mut self, now: Duration, nic: &SmoltcpDevice<'_, D>) {
        let changed = self.link != Some(nic.link());
        if changed {
            self.link = Some(nic.link());
            println!("link {}", nic.link());
        }
        let stats = nic.stats();
        let frames = (stats.rx_frames, stats.tx_frames);
        if !changed && (now < self.next || frames == self.frames) {
            return;
        }
        self.next = now + REPORT_EVERY;
        self.frames = frames;
        let account = Account::so_far();
        println!(
            "t_ms={} asleep_ms={} sleeps={} interrupts={} rx={} tx={} rx_dropped={} tx_lost={} errors={}",
            now.as_millis(),
            account.asleep.as_millis(),
            account.sleeps,
            account.interrupts,
            frames.0,
            frames.1,
            stats.rx_lost(),
            stats.tx_lost(),
            nic.errors().total(),
        );
    }
}
