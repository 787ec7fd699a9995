//! Ping, echo and a web page over the Wi-Fi of a Raspberry Pi Pico W. Progress goes to the debugger (RTT), and the LED is on while the network is there.
#![no_std]
#![no_main]

mod bus;
mod images;

use core::fmt;

use defmt::{Display2Format, error, info};
use defmt_rtt as _;
use embassy_executor::Spawner;
use embassy_futures::select::select;
use embassy_rp::Peri;
use embassy_rp::bind_interrupts;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::peripherals::{PIN_23, PIN_24, PIN_25, PIN_29, PIO0};
use embassy_rp::pio::{InterruptHandler, Irq, Pio};
use embassy_time::{Delay, Duration, Instant, Timer};
use ethdev::{Control, ControlError, EthernetDevice, LayerError, Rearm, RearmOutcome};
use ethdev_cyw43::{Config, Cyw43, Error, Images, MIN_RX_QUEUE_LEN, Network, ReconnectPolicy};
use ethdev_examples::apps::{self, ConfigError, Node, Slots, Storage};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use ethdev_util::Buffered;
use panic_probe as _;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};
use static_cell::{ConstStaticCell, StaticCell};

use crate::bus::{PioBus, Stuck};

/// The network, and where this node is in it, as they were when this was compiled. Without a passphrase, the network is open.
const SSID: &str = match option_env!("WIFI_SSID") {
    Some(ssid) => ssid,
    None => "network",
};
const PASSPHRASE: Option<&str> = option_env!("WIFI_PASSPHRASE");
const ADDRESS: Option<&str> = option_env!("WIFI_ADDRESS");
const DEFAULT_ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(192, 168, 1, 50), 24);

/// The longest frame, without VLAN tag.
const FRAME: usize = 1514;
/// Window of the TCP echo.
const TCP: usize = 2048;
/// Frames that wait while the driver waits for the firmware.
const FRAMES: usize = 4;
/// The pin of the chip that the LED is connected to.
const LED: u8 = 0;
/// How long the program sleeps at most: now and then the chip's health is looked at.
const NAP: Duration = Duration::from_millis(100);
/// How long it pauses after a failure.
const PAUSE: Duration = Duration::from_secs(1);

type Bus = PioBus<'static, PIO0, 0>;
type Wifi = Cyw43<'static, Bus, Output<'static>, Delay, Images<'static>>;
type Nic = SmoltcpDevice<'static, Buffered<Wifi, FRAME>>;

bind_interrupts!(struct Interrupts {
    PIO0_IRQ_0 => InterruptHandler<PIO0>;
});

static MEMORY: ConstStaticCell<[u8; MIN_RX_QUEUE_LEN + (FRAMES - 1) * (FRAME + 2)]> =
    ConstStaticCell::new([0; MIN_RX_QUEUE_LEN + (FRAMES - 1) * (FRAME + 2)]);
static STORAGE: ConstStaticCell<Storage<TCP>> = ConstStaticCell::new(Storage::new());
static SLOTS: StaticCell<Slots<'static>> = StaticCell::new();
static SPARE: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
static NIC: StaticCell<Nic> = StaticCell::new();
static ADDRESSES: StaticCell<[IpCidr; 1]> = StaticCell::new();

/// Why the program ends.
enum Failure {
    /// The driver was not made.
    Driver(Error<Stuck>),
    /// The chip does not start, or does not come back.
    Chip(ControlError<LayerError<Error<Stuck>>>),
    /// There can be no such node.
    Node(ConfigError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Driver(e) => write!(f, "driver: {e}"),
            Self::Chip(e) => write!(f, "chip: {e}"),
            Self::Node(e) => fmt::Display::fmt(e, f),
        }
    }
}

/// What the chip is connected to.
struct Pins {
    power: Peri<'static, PIN_23>,
    data: Peri<'static, PIN_24>,
    select: Peri<'static, PIN_25>,
    clock: Peri<'static, PIN_29>,
    pio: Peri<'static, PIO0>,
}

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_rp::init(embassy_rp::config::Config::default());
    if images::ARE_STUBS {
        error!("compiled without the chip's images: see the README");
        return;
    }
    let pins = Pins {
        power: p.PIN_23,
        data: p.PIN_24,
        select: p.PIN_25,
        clock: p.PIN_29,
        pio: p.PIO0,
    };
    if let Err(failure) = run(pins).await {
        error!("{}", Display2Format(&failure));
    }
}

async fn run(pins: Pins) -> Result<(), Failure> {
    let Pio {
        mut common,
        irq0: mut line,
        irq_flags,
        sm0,
        ..
    } = Pio::new(pins.pio, Interrupts);
    let power = Output::new(pins.power, Level::Low);
    let select = Output::new(pins.select, Level::High);
    let bus = PioBus::new(&mut common, sm0, irq_flags, select, pins.data, pins.clock);
    info!("gSPI at {} Hz", Bus::bits_per_second());

    // The lines that name the NIC.
    let config = Config::new()
        .with_rejoin(ReconnectPolicy::PERSISTENT)
        .with_clock(|| Instant::now().as_millis() as u32);
    let wifi = Wifi::new(bus, power, Delay, images::images(), MEMORY.take(), config).map_err(Failure::Driver)?;
    let nic = NIC.init(SmoltcpDevice::new(Buffered::new(wifi), SPARE.take()));

    nic.start().map_err(Failure::Chip)?;
    join(nic).await;
    let address = ADDRESS.and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_ADDRESS);
    let mac = nic.inner().mac_address();
    let config = apps::Config {
        name: "ethdev on a Pico W",
        addresses: ADDRESSES.init([IpCidr::Ipv4(address)]),
        gateway: None,
        seed: mac.octets().iter().fold(Instant::now().as_ticks(), |seed, &octet| {
            seed.rotate_left(8) ^ u64::from(octet)
        }),
    };
    let slots = SLOTS.init(Slots::new());
    let mut node = Node::new(&config, nic, now(), STORAGE.take(), slots).map_err(Failure::Node)?;
    info!("serving on {} as {}", Display2Format(&address), Display2Format(&mac));
    serve(&mut node, nic, &mut line).await
}

/// Joins the network, again and again until that works. From then on the driver does it by itself.
async fn join(nic: &mut Nic) {
    let network = match PASSPHRASE {
        Some(passphrase) => Network::wpa2_wpa3(SSID, passphrase),
        None => Network::open(SSID),
    };
    let network = match network {
        Ok(network) => network,
        Err(e) => {
            error!("WIFI_SSID or WIFI_PASSPHRASE: {}", Display2Format(&e));
            return;
        }
    };
    info!("joining {}", SSID);
    while let Err(e) = nic.inner_mut().inner_mut().join(&network) {
        error!("{}", Display2Format(&e));
        Timer::after(PAUSE).await;
    }
}

/// Polls, and sleeps until the data line is high or time has come.
async fn serve(node: &mut Node<'_>, nic: &mut Nic, line: &mut Irq<'static, PIO0, 0>) -> Result<(), Failure> {
    let mut shown = None;
    loop {
        if let Err(e) = node.poll(now(), nic) {
            error!("{}", Display2Format(&e));
            nic.recover().map_err(Failure::Chip)?;
        }
        if let Some(e) = nic.take_error() {
            error!("{}", Display2Format(&e));
        }
        if shown != Some(nic.link()) {
            shown = Some(nic.link());
            info!("link {}", Display2Format(&nic.link()));
            let up = nic.link().is_up();
            // The light is no reason to stop.
            let _ = nic.inner_mut().inner_mut().set_gpio(LED, up);
        }
        let wakeup = node.wakeup(now(), nic);
        let PollAt::Wait { interest, .. } = wakeup else {
            continue;
        };
        // What fails here, the next poll meets too.
        if matches!(nic.rearm(interest), Ok(RearmOutcome::WorkPending)) {
            continue;
        }
        let pause = wakeup
            .delay(now())
            .map_or(NAP, |delay| Duration::from_micros(delay.total_micros()).min(NAP));
        select(line.wait(), Timer::after(pause)).await;
    }
}

fn now() -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(Instant::now().as_micros()).unwrap_or(i64::MAX))
}
