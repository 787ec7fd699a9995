//! The drivers under test, behind one trait.

use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;

use cyw43::{A4, Aligned, Control as TheirControl, JoinOptions, NetDriver, PowerManagementMode};
use cyw43439_model::{AccessPoint, ChipConfig, PowerPin, WordBus};
use embassy_net_driver::{Driver as _, RxToken as _, TxToken as _};
use ethdev::asynch::{Control, EthernetDevice};
use ethdev_bench::cyw43::{ModelBus, PASSPHRASE, SSID, Testbed};
use ethdev_bench::enc28j60::number;
use ethdev_cyw43::asynch::Cyw43;
use ethdev_cyw43::{Config, FirmwareImages, Network, PowerSave};
use ethdev_sim::{SimDelay, block_on_until, embassy_time};
use futures_lite::future::or;

/// Limit of a run, in simulated time.
const TIMEOUT: Duration = Duration::from_secs(3600);
/// The longest frame, without FCS.
pub(crate) const MAX_LEN: usize = 1514;
/// Length of the receive queue in bytes, as in usual applications.
const RX_QUEUE_LEN: usize = 8192;

/// Creates a testbed with one WPA2 network, and sets the clock of embassy-time.
pub(crate) fn testbed() -> Testbed {
    testbed_with(ChipConfig::default())
}

/// Creates a testbed with this chip and one WPA2 network, and sets the clock of embassy-time.
pub(crate) fn testbed_with(config: ChipConfig) -> Testbed {
    let testbed = Testbed::new(config);
    embassy_time::set_clock(&testbed.clock);
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    testbed
}

/// Waits.
pub(crate) async fn sleep(testbed: &Testbed, time: Duration) {
    SimDelay::new(&testbed.clock).until(testbed.clock.now() + time).await;
}

/// Receives for this time. Returns the numbers of the frames.
pub(crate) async fn recv_all(testbed: &Testbed, net: &mut Net<'_, '_>, time: Duration) -> Vec<u64> {
    let mut received = Vec::new();
    let receive = async {
        let mut buf = [0; MAX_LEN];
        loop {
            let len = net.recv(&mut buf).await;
            received.push(number(&buf[..len], true).expect("no frame is corrupt"));
        }
    };
    or(receive, sleep(testbed, time)).await;
    received
}

/// A driver that has joined the network.
pub(crate) enum Net<'a, 's> {
    Ours(&'a mut OurNic<'s>),
    Theirs(&'a mut NetDriver<'s>),
}

impl Net<'_, '_> {
    /// Waits for a frame. Returns its length.
    pub(crate) async fn recv(&mut self, buf: &mut [u8; MAX_LEN]) -> usize {
        match self {
            Self::Ours(nic) => nic.recv(buf).await.expect("the bus does not fail").len,
            Self::Theirs(net) => receive_theirs(net, buf).await,
        }
    }

    /// Waits for transmit capacity, and sends a frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) {
        match self {
            Self::Ours(nic) => nic.send(frame).await.expect("the bus does not fail"),
            Self::Theirs(net) => send_theirs(net, frame).await,
        }
    }
}

/// A driver under test.
pub(crate) trait Dut {
    const NAME: &str;

    /// Starts the chip with the default power-save mode or none, joins the network, and runs `app`.
    fn run<T>(testbed: &Testbed, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T;
}

pub(crate) type OurNic<'m> = Cyw43<'m, ModelBus, PowerPin, SimDelay, FirmwareImages<'m>>;

/// ethdev's driver in its default configuration.
pub(crate) struct Ours;

impl Dut for Ours {
    const NAME: &str = "ethdev-cyw43";

    fn run<T>(testbed: &Testbed, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T {
        let power_save = if saves_power {
            PowerSave::Balanced
        } else {
            PowerSave::Off
        };
        let config = Config::new().with_power_save(power_save);
        let mut rx_queue = vec![0; RX_QUEUE_LEN];
        let bus = ModelBus::new(testbed.chip.word_bus(), true);
        let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
        let mut nic = OurNic::new(bus, power, delay, testbed.driver_images(), &mut rx_queue, config)
            .expect("the receive queue is long enough");
        let run = async {
            nic.start().await.expect("the driver starts");
            let network = Network::wpa2(SSID, PASSPHRASE).expect("a valid network");
            nic.join(&network).await.expect("the driver joins");
            app(&mut Net::Ours(&mut nic)).await
        };
        block_on_until(&testbed.clock, TIMEOUT, run).expect("an event is scheduled")
    }
}

/// The published crate `cyw43`.
pub(crate) struct Crate;

struct Bus(WordBus);

impl cyw43::SpiBusCyw43 for Bus {
    async fn cmd_write(&mut self, write: &[u32]) -> u32 {
        self.0.cmd_write(write).await.expect("the bus does not fail")
    }

    async fn cmd_read(&mut self, write: u32, read: &mut [u32]) -> u32 {
        self.0.cmd_read(write, read).await.expect("the bus does not fail")
    }

    async fn wait_for_event(&mut self) {
        self.0.wait_for_event().await;
    }
}

/// Copies an image to aligned memory, as the crate requires.
fn aligned<const N: usize>(bytes: Option<&[u8]>) -> Box<Aligned<A4, [u8; N]>> {
    let mut image = Box::new(Aligned([0; N]));
    image.copy_from_slice(bytes.unwrap_or_default());
    image
}

impl Dut for Crate {
    const NAME: &str = "cyw43 0.7.0";

    fn run<T>(testbed: &Testbed, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T {
        let firmware = aligned::<231_077>(testbed.images.firmware.as_deref());
        let nvram = aligned::<742>(testbed.images.nvram.as_deref());
        let clm = testbed.images.clm.clone().unwrap_or_default();
        let mut state = cyw43::State::new();
        let bus = Bus(testbed.chip.word_bus());
        let mode = if saves_power {
            PowerManagementMode::PowerSave
        } else {
            PowerManagementMode::None
        };
        let run = async {
            let (mut net, mut control, runner) =
                cyw43::new(&mut state, testbed.chip.power_pin(), bus, &*firmware, &*nvram).await;
            let app = async {
                join_theirs(&mut control, &clm, mode).await;
                app(&mut Net::Theirs(&mut net)).await
            };
            or(async { runner.run().await }, app).await
        };
        block_on_until(&testbed.clock, TIMEOUT, run).expect("an event is scheduled")
    }
}

/// Joins as the examples of the crate do.
async fn join_theirs(control: &mut TheirControl<'_>, clm: &[u8], mode: PowerManagementMode) {
    control.init(clm).await;
    control.set_power_management(mode).await;
    let options = JoinOptions::new(PASSPHRASE.as_bytes());
    control.join(SSID, options).await.expect("the driver joins");
}

async fn receive_theirs(net: &mut NetDriver<'_>, buf: &mut [u8; MAX_LEN]) -> usize {
    poll_fn(|cx| match net.receive(cx) {
        Some((token, _)) => Poll::Ready(token.consume(|frame| {
            buf[..frame.len()].copy_from_slice(frame);
            frame.len()
        })),
        None => Poll::Pending,
    })
    .await
}

async fn send_theirs(net: &mut NetDriver<'_>, frame: &[u8]) {
    poll_fn(|cx| match net.transmit(cx) {
        Some(token) => {
            token.consume(frame.len(), |buf| buf.copy_from_slice(frame));
            Poll::Ready(())
        }
        None => Poll::Pending,
    })
    .await;
}
