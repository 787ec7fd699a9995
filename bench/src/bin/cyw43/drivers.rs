//! The drivers under measurement, behind one face.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::{Poll, Waker};
use core::time::Duration;

use cyw43::{A4, Aligned, Control as TheirControl, JoinOptions, NetDriver, PowerManagementMode};
use cyw43439_model::{AccessPoint, ChipConfig, PowerPin, WordBus};
use embassy_net_driver::{Driver as _, RxToken as _, TxToken as _};
use embassy_time_driver::Driver;
use ethdev::asynch::{Control, EthernetDevice};
use ethdev_bench::cyw43::{Host, Lab, PASSPHRASE, SSID};
use ethdev_bench::enc28j60::number;
use ethdev_cyw43::asynch::Cyw43;
use ethdev_cyw43::{Config, Images, Network, PowerSave};
use ethdev_sim::{Clock, SimDelay, block_on_until};
use futures_lite::future::or;

/// No run takes longer, on the virtual clock.
const PATIENCE: Duration = Duration::from_secs(3600);
/// The longest frame, without FCS.
pub(crate) const LONGEST: usize = 1514;
/// Room for as many frames as an application of either crate usually has.
const MEMORY: usize = 8192;

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

fn clock() -> Clock {
    CLOCK.with_borrow(|clock| clock.clone().expect("the laboratory has set the clock"))
}

/// embassy-time on the virtual clock. A look at it takes a microsecond, so that a loop which waits for the time to pass comes to its end.
struct VirtualTime;

const TICK_NANOS: u128 = 1_000_000_000 / embassy_time_driver::TICK_HZ as u128;

impl Driver for VirtualTime {
    fn now(&self) -> u64 {
        let clock = clock();
        clock.advance(Duration::from_micros(1));
        u64::try_from(clock.now().as_nanos() / TICK_NANOS).unwrap_or(u64::MAX)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        let at = u64::try_from(u128::from(at) * TICK_NANOS).map_or(Duration::MAX, Duration::from_nanos);
        let waker = waker.clone();
        clock().schedule_at(at, move || waker.wake());
    }
}

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);

/// A laboratory with one network, which takes WPA2. embassy-time shows its clock from now on.
pub(crate) fn lab() -> Lab {
    lab_with(ChipConfig::default())
}

/// The same with another chip.
pub(crate) fn lab_with(config: ChipConfig) -> Lab {
    let lab = Lab::new(config);
    CLOCK.set(Some(lab.clock.clone()));
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    lab
}

/// Lets time pass.
pub(crate) async fn sleep(lab: &Lab, time: Duration) {
    SimDelay::new(&lab.clock).until(lab.clock.now() + time).await;
}

/// Receives for so long; the numbers of the frames that came.
pub(crate) async fn listen(lab: &Lab, net: &mut Net<'_, '_>, time: Duration) -> Vec<u64> {
    let mut came = Vec::new();
    let receive = async {
        let mut buf = [0; LONGEST];
        loop {
            let len = net.recv(&mut buf).await;
            came.push(number(&buf[..len], true).expect("frames come as they were sent"));
        }
    };
    or(receive, sleep(lab, time)).await;
    came
}

/// Either driver, once it has joined the network: the workloads are written once.
pub(crate) enum Net<'a, 's> {
    Ours(&'a mut OurNic<'s>),
    Theirs(&'a mut NetDriver<'s>),
}

impl Net<'_, '_> {
    /// Waits for a frame; its length.
    pub(crate) async fn recv(&mut self, buf: &mut [u8; LONGEST]) -> usize {
        match self {
            Self::Ours(nic) => nic.recv(buf).await.expect("the bus does not fail").len,
            Self::Theirs(net) => receive_theirs(net, buf).await,
        }
    }

    /// Waits for room, and sends.
    pub(crate) async fn send(&mut self, frame: &[u8]) {
        match self {
            Self::Ours(nic) => nic.send(frame).await.expect("the bus does not fail"),
            Self::Theirs(net) => send_theirs(net, frame).await,
        }
    }
}

/// A driver, from no power to the network.
pub(crate) trait Subject {
    const NAME: &str;

    /// Starts the chip, with the power save that both know by one name or another, or none; joins the network; and runs an application.
    fn run<T>(lab: &Lab, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T;
}

pub(crate) type OurNic<'m> = Cyw43<'m, Host, PowerPin, SimDelay, Images<'m>>;

/// ethdev's, with everything as it comes.
pub(crate) struct Ours;

impl Subject for Ours {
    const NAME: &str = "ethdev-cyw43";

    fn run<T>(lab: &Lab, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T {
        let power_save = if saves_power {
            PowerSave::Balanced
        } else {
            PowerSave::Off
        };
        let config = Config::new().with_power_save(power_save);
        let mut memory = vec![0; MEMORY];
        let host = Host::new(lab.chip.word_bus(), true);
        let (power, delay) = (lab.chip.power_pin(), lab.chip.delay());
        let mut nic = OurNic::new(host, power, delay, lab.driver_images(), &mut memory, config).expect("enough memory");
        let run = async {
            nic.start().await.expect("it starts");
            let network = Network::wpa2(SSID, PASSPHRASE).expect("a network");
            nic.join(&network).await.expect("it joins");
            app(&mut Net::Ours(&mut nic)).await
        };
        block_on_until(&lab.clock, PATIENCE, run).expect("something is scheduled")
    }
}

/// `cyw43` as published.
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

/// Bytes in a place that the crate accepts.
fn aligned<const N: usize>(bytes: Option<&[u8]>) -> Box<Aligned<A4, [u8; N]>> {
    let mut image = Box::new(Aligned([0; N]));
    image.copy_from_slice(bytes.unwrap_or_default());
    image
}

impl Subject for Crate {
    const NAME: &str = "cyw43 0.7.0";

    fn run<T>(lab: &Lab, saves_power: bool, app: impl AsyncFnOnce(&mut Net<'_, '_>) -> T) -> T {
        let firmware = aligned::<231_077>(lab.images.firmware.as_deref());
        let nvram = aligned::<742>(lab.images.nvram.as_deref());
        let clm = lab.images.clm.clone().unwrap_or_default();
        let mut state = cyw43::State::new();
        let bus = Bus(lab.chip.word_bus());
        let mode = if saves_power {
            PowerManagementMode::PowerSave
        } else {
            PowerManagementMode::None
        };
        let run = async {
            let (mut net, mut control, runner) =
                cyw43::new(&mut state, lab.chip.power_pin(), bus, &*firmware, &*nvram).await;
            let app = async {
                join_theirs(&mut control, &clm, mode).await;
                app(&mut Net::Theirs(&mut net)).await
            };
            or(async { runner.run().await }, app).await
        };
        block_on_until(&lab.clock, PATIENCE, run).expect("something is scheduled")
    }
}

/// As the crate's examples do.
async fn join_theirs(control: &mut TheirControl<'_>, clm: &[u8], mode: PowerManagementMode) {
    control.init(clm).await;
    control.set_power_management(mode).await;
    let options = JoinOptions::new(PASSPHRASE.as_bytes());
    control.join(SSID, options).await.expect("it joins");
}

async fn receive_theirs(net: &mut NetDriver<'_>, buf: &mut [u8; LONGEST]) -> usize {
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
