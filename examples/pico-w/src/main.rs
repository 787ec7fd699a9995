//! Ping, echo and a web page over the Wi-Fi of a Raspberry Pi Pico W. Log messages go to the
//! debugger (RTT), and the LED is on while the link is up.
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
use ethdev::{Control, EthernetDevice, Rearm, RearmOutcome};
use ethdev_cyw43::{Config, Cyw43, Error, FirmwareImages, MIN_RX_QUEUE_LEN, Network, ReconnectPolicy};
use ethdev_examples::apps::{self, ConfigError, Node, Slots, Storage};
use ethdev_smoltcp::{PollAt, SmoltcpDevice};
use panic_probe as _;
use smoltcp::wire::{IpCidr, Ipv4Address, Ipv4Cidr};
use static_cell::{ConstStaticCell, StaticCell};

use crate::bus::{PioBus, PioStopped};

/// The network and the address of the node, set at build time. Without a passphrase, the network is
/// open.
const SSID: &str = match option_env!("WIFI_SSID") {
    Some(ssid) => ssid,
    None => "network",
};
const PASSPHRASE: Option<&str> = option_env!("WIFI_PASSPHRASE");
const ADDRESS: Option<&str> = option_env!("WIFI_ADDRESS");
const DEFAULT_ADDRESS: Ipv4Cidr = Ipv4Cidr::new(Ipv4Address::new(192, 168, 1, 50), 24);

/// The longest frame, without VLAN tag.
const FRAME: usize = 1514;
/// Window of the TCP echo, in bytes.
const TCP: usize = 2048;
/// Length of the receive queue, in frames.
const RX_QUEUE_FRAMES: usize = 4;
/// The GPIO of the chip with the LED.
const LED: u8 = 0;
/// The longest sleep: `service` also checks that the chip is alive.
const MAX_SLEEP: Duration = Duration::from_millis(100);
/// The delay between attempts to join.
const RETRY_DELAY: Duration = Duration::from_secs(1);

type Bus = PioBus<'static, PIO0, 0>;
type Wifi = Cyw43<'static, Bus, Output<'static>, Delay, FirmwareImages<'static>>;
type Nic = SmoltcpDevice<'static, Wifi>;

bind_interrupts!(struct Interrupts {
    PIO0_IRQ_0 => InterruptHandler<PIO0>;
});

static RX_QUEUE: ConstStaticCell<[u8; MIN_RX_QUEUE_LEN + (RX_QUEUE_FRAMES - 1) * (FRAME + 2)]> =
    ConstStaticCell::new([0; MIN_RX_QUEUE_LEN + (RX_QUEUE_FRAMES - 1) * (FRAME + 2)]);
static STORAGE: ConstStaticCell<Storage<TCP>> = ConstStaticCell::new(Storage::new());
static SLOTS: StaticCell<Slots<'static>> = StaticCell::new();
static RX: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
static REPLY: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
static NIC: StaticCell<Nic> = StaticCell::new();
static ADDRESSES: StaticCell<[IpCidr; 1]> = StaticCell::new();

/// Why the program ended.
enum Failure {
    /// The parameters of the driver are invalid, or the chip did not start or recover.
    Chip(Error<PioStopped>),
    /// The configuration of the node is invalid.
    Node(ConfigError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chip(e) => write!(f, "CYW43439: {e}"),
            Self::Node(e) => fmt::Display::fmt(e, f),
        }
    }
}

/// The pins of the chip.
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
        error!("built without the images of the chip, see README");
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

    let config = Config::new()
        .with_reconnect(ReconnectPolicy::PERSISTENT)
        .with_clock(|| core::time::Duration::from_millis(Instant::now().as_millis()));
    let wifi = Wifi::new(bus, power, Delay, images::images(), RX_QUEUE.take(), config).map_err(Failure::Chip)?;
    let nic = NIC.init(SmoltcpDevice::new(wifi, RX.take(), REPLY.take()));

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

/// Joins the network, with retries. Later the driver reconnects by itself.
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
    while let Err(e) = nic.inner_mut().join(&network) {
        error!("{}", Display2Format(&e));
        Timer::after(RETRY_DELAY).await;
    }
}

/// Polls the node, and sleeps until the data line is high or the timeout.
async fn serve(node: &mut Node<'_>, nic: &mut Nic, line: &mut Irq<'static, PIO0, 0>) -> Result<(), Failure> {
    let mut reported = None;
    loop {
        if let Err(e) = node.poll(now(), nic) {
            error!("{}", Display2Format(&e));
            nic.recover().map_err(Failure::Chip)?;
        }
        if let Some(e) = nic.take_error() {
            error!("{}", Display2Format(&e));
        }
        if reported != Some(nic.link()) {
            reported = Some(nic.link());
            info!("link {}", Display2Format(&nic.link()));
            let up = nic.link().is_up();
            // A failure of the LED is ignored.
            let _ = nic.inner_mut().set_gpio(LED, up);
        }
        let poll_at = node.poll_at(now(), nic);
        let PollAt::Wait { interest, .. } = poll_at else {
            continue;
        };
        // The next poll returns an error of this call.
        if matches!(nic.rearm(interest), Ok(RearmOutcome::WorkPending)) {
            continue;
        }
        let pause = poll_at.delay(now()).map_or(MAX_SLEEP, |delay| {
            Duration::from_micros(delay.total_micros()).min(MAX_SLEEP)
        });
        select(line.wait(), Timer::after(pause)).await;
    }
}

fn now() -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(Instant::now().as_micros()).unwrap_or(i64::MAX))
}
