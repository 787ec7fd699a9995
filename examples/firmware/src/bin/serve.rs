//! Ping, echo and a web page on the board's Ethernet socket. Progress goes to the debugger (semihosting).
#![no_std]
#![no_main]

use core::convert::Infallible;
use core::fmt;
use core::time::Duration;

use cortex_m_rt::entry;
use ethdev::{
    Buffered, Control, ControlError, Error as _, ErrorKind, EthernetDevice, LayerError, Link, MacAddress, Rearm,
    RearmOutcome,
};
use ethdev_examples::apps::{Config, ConfigError, Node, Slots, Storage};
use ethdev_firmware::board::{self, Board, NicRegisters};
use ethdev_firmware::lan9118::{self, Lan9118};
use ethdev_smoltcp::{Adapter, Wakeup};
use semihosting::{println, process};
use smoltcp::time::Instant;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};
use static_cell::ConstStaticCell;

/// The longest frame, without VLAN tag.
const FRAME: usize = 1514;
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

type Nic = Adapter<'static, Buffered<Lan9118<NicRegisters>, FRAME>>;

/// Why the program ended.
#[derive(Debug)]
enum Failure {
    /// The board or a static was taken twice.
    Taken,
    /// The NIC does not work.
    Start(lan9118::Error),
    /// No such node.
    Config(ConfigError),
    /// The NIC failed, and its recovery did too.
    Recovery(ControlError<LayerError<lan9118::Error>>),
    /// The NIC cannot say whether it is safe to sleep.
    Rearm(LayerError<lan9118::Error>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("board taken twice"),
            Self::Start(e) => write!(f, "NIC: {e}"),
            Self::Config(e) => fmt::Display::fmt(e, f),
            Self::Recovery(e) => write!(f, "recovery of the NIC: {e}"),
            Self::Rearm(e) => write!(f, "interrupt of the NIC: {e}"),
        }
    }
}

#[entry]
fn main() -> ! {
    let Err(failure) = run();
    println!("failed: {failure}");
    process::exit(1)
}

fn run() -> Result<Infallible, Failure> {
    let Board {
        nic,
        mut clock,
        mut sleeper,
    } = Board::take().ok_or(Failure::Taken)?;
    // The one line that names the NIC.
    let device = Buffered::new(Lan9118::new(nic).map_err(Failure::Start)?);
    let mut nic: Nic = Adapter::new(device, SPARE.try_take().ok_or(Failure::Taken)?);
    let mac: MacAddress = nic.inner().mac_address();
    let config = Config {
        name: "ethdev on a Cortex-M3",
        addresses: &ADDRESSES,
        gateway: Some(GATEWAY),
        seed: seed(mac, clock.now()),
    };
    let storage = STORAGE.try_take().ok_or(Failure::Taken)?;
    let slots = SLOTS.try_take().ok_or(Failure::Taken)?;
    let mut node = Node::new(&config, &mut nic, instant(clock.now()), storage, slots).map_err(Failure::Config)?;
    println!("serving on {} as {mac}", ADDRESS.address());

    let mut report = Report::default();
    loop {
        board::NIC.take();
        nic.disarm().map_err(Failure::Rearm)?;
        if let Err(e) = node.poll(instant(clock.now()), &mut nic) {
            println!("NIC: {e}");
            nic.recover().map_err(Failure::Recovery)?;
        }
        if let Some(e) = nic.take_error() {
            println!("NIC: {e}");
        }
        let now = clock.now();
        report.show(now, &nic);
        let wakeup = node.wakeup(instant(now), &mut nic);
        let Wakeup::Wait { interest, .. } = wakeup else {
            continue;
        };
        match nic.rearm(interest) {
            Ok(RearmOutcome::WorkPending) => continue,
            Ok(RearmOutcome::Armed) => {}
            // The next `poll` meets it too, and ends in a recovery.
            Err(e) if e.kind() == ErrorKind::Fault => continue,
            Err(e) => return Err(Failure::Rearm(e)),
        }
        let pause = wakeup.delay(instant(now)).map_or(Duration::MAX, Duration::from);
        sleeper.sleep(pause);
        report.slept(clock.now() - now);
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
    asleep: Duration,
    sleeps: u32,
}

impl Report {
    fn slept(&mut self, time: Duration) {
        self.sleeps = self.sleeps.wrapping_add(1);
        self.asleep += time;
    }

    /// One line when the link has changed; one when frames have passed and the last such line is old enough.
    fn show(&mut self, now: Duration, nic: &Nic) {
        if self.link != Some(nic.link()) {
            self.link = Some(nic.link());
            println!("link {}", nic.link());
        }
        let stats = nic.stats();
        let frames = (stats.rx_frames, stats.tx_frames);
        if now < self.next || frames == self.frames {
            return;
        }
        self.next = now + REPORT_EVERY;
        self.frames = frames;
        println!(
            "t_ms={} asleep_ms={} sleeps={} interrupts={} rx={} tx={} rx_lost={} tx_lost={} errors={}",
            now.as_millis(),
            self.asleep.as_millis(),
            self.sleeps,
            board::interrupts(),
            frames.0,
            frames.1,
            stats.rx_lost(),
            stats.tx_lost(),
            nic.errors().total(),
        );
    }
}
