//! The CYW43439 driver on the model of the chip, with a joined network.
//!
//! A check also fails if the model recorded a protocol violation.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cyw43439_model::{
    AccessPoint, ApId, BusFault, ChipConfig, Corruption, Cyw43Chip, Fault, PowerPin, ViolationKind, WordBus,
};
use ethdev::{Control as _, EthernetDevice as _};
use ethdev_conformance::conformance;
use ethdev_conformance::{AccessEvents, Arrival, Fixture, HookResult, LinkPeer, Unsupported};
use ethdev_cyw43::{Config, Cyw43, FirmwareImages, Network, PowerSave, ReconnectPolicy, RxWords, TxWords, asynch};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig, block_on, fcs};
use ethdev_util::IrqSignal;

use crate::support::{self, no_misuse};

const SSID: &str = "conformance";
const PASSPHRASE: &str = "a wire without a wire";

/// The bus of the chip, with its accesses counted.
struct Probed {
    bus: WordBus,
    events: Rc<AccessEvents>,
    air: Rc<Air>,
    /// Whether the host reads the interrupt.
    sees_interrupt: bool,
}

/// Shared by the link peer and the bus.
struct Air {
    clock: Clock,
    station: Peer,
    chip: Cyw43Chip,
    ap: ApId,
}

impl Air {
    fn set_link(&self, up: bool) {
        if up {
            self.chip.restore_ap(self.ap);
        } else {
            // Immediately; a vanished access point is detected by missing beacons only.
            self.chip.deauthenticate(3);
            self.chip.remove_ap(self.ap);
        }
    }
}

type BusError = support::BusError<BusFault>;

impl Probed {
    fn before(&self) -> Result<(), BusError> {
        self.events.next(|arrival| match arrival {
            Arrival::Frame(frame) => {
                self.air.station.send_raw(&fcs::append(&frame));
                self.air.clock.advance(FRAME_TIME);
            }
            Arrival::Link(up) => self.air.set_link(up),
        })?;
        Ok(())
    }

    fn words(command: u32, data: &mut TxWords<'_>) -> Vec<u32> {
        std::iter::once(command).chain(data).collect()
    }

    fn look(&self) -> Option<bool> {
        self.sees_interrupt.then(|| self.bus.event_pending())
    }
}

impl ethdev_cyw43::Gspi for Probed {
    type Error = BusError;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusError> {
        self.before()?;
        self.bus
            .cmd_write_blocking(&Self::words(command, data))
            .map_err(BusError::Chip)
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusError> {
        self.before()?;
        let mut words = vec![0; data.words_left()];
        let status = self
            .bus
            .cmd_read_blocking(command, &mut words)
            .map_err(BusError::Chip)?;
        data.extend(&words);
        Ok(status)
    }

    fn set_strap(&mut self, _: bool) -> Result<(), BusError> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusError> {
        Ok(self.look())
    }
}

/// The async bus. `WAITS`: by the interrupt, otherwise by polling.
struct ProbedAsync<const WAITS: bool>(Probed);

impl<const WAITS: bool> asynch::Gspi for ProbedAsync<WAITS> {
    type Error = BusError;
    const CAN_WAIT: bool = WAITS;

    async fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, BusError> {
        self.0.before()?;
        let words = Probed::words(command, data);
        self.0.bus.cmd_write(&words).await.map_err(BusError::Chip)
    }

    async fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, BusError> {
        self.0.before()?;
        let mut words = vec![0; data.words_left()];
        let status = self.0.bus.cmd_read(command, &mut words).await.map_err(BusError::Chip)?;
        data.extend(&words);
        Ok(status)
    }

    async fn set_strap(&mut self, _: bool) -> Result<(), BusError> {
        Ok(())
    }

    fn interrupt(&mut self) -> Result<Option<bool>, BusError> {
        Ok(self.0.look())
    }

    async fn wait_for_interrupt(&mut self) -> Result<(), BusError> {
        self.0.bus.wait_for_event().await;
        Ok(())
    }
}

/// Longer than a frame takes through the air, and through the firmware.
const FRAME_TIME: Duration = Duration::from_millis(3);

/// The link peer on the wire behind the access point, and the chip.
struct Testbed {
    air: Rc<Air>,
    events: Rc<AccessEvents>,
    chip: Cyw43Chip,
    /// `None` for the async driver.
    irq_signal: Option<Arc<IrqSignal>>,
    /// Whether the injected fault is a brown-out; otherwise the firmware halts.
    inject_brownout: bool,
}

impl Testbed {
    fn new(sees_interrupt: bool) -> (Self, Probed) {
        let clock = Clock::new();
        let (_, port, peer) = Wire::new(&clock, WireConfig::default());
        let chip = Cyw43Chip::new(&clock, port, ChipConfig::default());
        let ap = chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
        let irq_signal = Arc::new(IrqSignal::new());
        chip.on_irq_rising({
            let irq_signal = irq_signal.clone();
            move || irq_signal.signal()
        });
        let testbed = Self {
            air: Rc::new(Air {
                clock,
                station: Peer::new(peer),
                chip: chip.clone(),
                ap,
            }),
            events: Rc::default(),
            chip,
            irq_signal: Some(irq_signal),
            inject_brownout: !sees_interrupt,
        };
        let bus = Probed {
            bus: testbed.chip.word_bus(),
            events: testbed.events.clone(),
            air: testbed.air.clone(),
            sees_interrupt,
        };
        (testbed, bus)
    }

    /// Radio always on; reconnects immediately, so that the link comes up like that of a cable.
    fn config() -> Config {
        Config::new()
            .with_power_save(PowerSave::Off)
            .with_reconnect(
                ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(1), Duration::from_millis(10)),
            )
            .with_watchdog_polls(4)
    }

    fn network() -> Network {
        Network::wpa2(SSID, PASSPHRASE).expect("a network")
    }
}

/// The model does not compare them. Short, because checks start the chip thousands of times.
static FIRMWARE: [u8; 2048] = [0x55; 2048];
static NVRAM: &[u8] =
    b"manfid=0x2d0\0prodid=0x0727\0vendid=0x14e4\0devid=0x43e2\0boardtype=0x0887\0boardrev=0x1100\0boardnum=22\0\0\0";

fn images() -> FirmwareImages<'static> {
    FirmwareImages::new(&FIRMWARE, NVRAM, b"BLOB")
}

fn memory(bytes: usize) -> &'static mut [u8] {
    Box::leak(vec![0; bytes].into_boxed_slice())
}

impl Drop for Testbed {
    fn drop(&mut self) {
        no_misuse("chip", &self.chip.take_violations());
    }
}

impl LinkPeer for Testbed {
    fn peer_send(&mut self, frame: &[u8]) {
        // Not `send`, which pads as a wired station does: a wireless station does not.
        self.air.station.send_raw(&fcs::append(frame));
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        let mut frame = self.air.station.recv()?;
        if frame.len() == ethdev::frame::MIN_FRAME_LEN {
            // The access point pads frames to the wire. The frames of the suite do not end with
            // zeros.
            let len = frame.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
            frame.truncate(len.max(ethdev::frame::HEADER_LEN));
        }
        Some(frame)
    }

    fn advance(&mut self, by: Duration) {
        self.air.clock.advance(by);
    }

    fn frame_time(&self) -> Duration {
        FRAME_TIME
    }

    fn medium_min_frame_len(&self) -> usize {
        ethdev::frame::HEADER_LEN
    }

    fn set_link(&mut self, up: bool) -> HookResult {
        self.air.set_link(up);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        self.chip.freeze_credit(stalled);
        if stalled {
            // Reports the credits given so far, so that none follow.
            self.chip.inject(Fault::CreditUpdate);
        }
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        self.air.station.send_raw(bytes);
        Ok(())
    }

    /// By a header that points beyond the frame, or by a frame that is too long.
    fn override_rx_len(&mut self, len: usize) -> HookResult {
        let corruption = match u16::try_from(len) {
            Ok(len @ 1515..=2000) => Corruption::Oversize(len + 22),
            Ok(2001..) | Err(_) => Corruption::Oversize(2040),
            Ok(odd) if odd % 2 == 1 => Corruption::HeaderLength(odd as u8),
            Ok(even) => Corruption::DataOffset(u8::MAX - even as u8),
        };
        self.chip.inject(Fault::DataFrame(corruption));
        Ok(())
    }

    fn inject_fault(&mut self) -> HookResult {
        if self.inject_brownout {
            self.chip.inject_brownout();
        } else {
            self.chip.halt_firmware();
        }
        Ok(())
    }

    fn fail_bus(&mut self, failing: bool) -> HookResult {
        self.events.fail(failing);
        Ok(())
    }

    fn fail_bus_at(&mut self, nth: u32) -> HookResult {
        self.events.fail_at(nth);
        Ok(())
    }

    fn now(&self) -> HookResult<Duration> {
        Ok(self.air.clock.now())
    }

    fn accesses(&self) -> HookResult<u64> {
        Ok(self.events.accesses())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> HookResult {
        self.events.arrive_before(nth, Arrival::Frame(frame.to_vec()));
        Ok(())
    }

    fn set_link_before_access(&mut self, nth: u32, up: bool) -> HookResult {
        self.events.arrive_before(nth, Arrival::Link(up));
        Ok(())
    }

    fn cancel_access_events(&mut self) {
        self.events.cancel();
    }

    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
        self.irq_signal
            .clone()
            .ok_or(Unsupported("the async driver waits by itself (`irq_signal`)"))
    }

    fn link_interrupts(&self) -> bool {
        // `service` reconnects to a lost network.
        false
    }

    fn masks_by_source(&self) -> bool {
        // One interrupt for frames, events and credits.
        false
    }
}

type Nic = Cyw43<'static, Probed, PowerPin, SimDelay, FirmwareImages<'static>>;

fn blocking(sees_interrupt: bool, bytes: usize) -> (Nic, Testbed) {
    let (testbed, bus) = Testbed::new(sees_interrupt);
    let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
    let mut nic = Cyw43::new(bus, power, delay, images(), memory(bytes), Testbed::config()).expect("a device");
    nic.start().expect("the chip does not start");
    nic.join(&Testbed::network()).expect("the network is not joined");
    nic.service().expect("the chip fails");
    (nic, testbed)
}

/// The host reads the interrupt; a queue for a few frames.
struct Joined;

impl Fixture for Joined {
    type Device = Nic;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["tx_queue_frames", "link_interrupts", "masks_by_source"]);

    fn new() -> (Nic, Testbed) {
        blocking(true, 8192)
    }
}

conformance!(joined, Joined; control, rearm);

/// The minimum: a queue for one frame, and a host that cannot read the interrupt.
struct Minimum;

impl Fixture for Minimum {
    type Device = Nic;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["tx_queue_frames", "link_interrupts", "masks_by_source"]);

    fn new() -> (Nic, Testbed) {
        blocking(false, ethdev_cyw43::MIN_RX_QUEUE_LEN)
    }
}

conformance!(minimum, Minimum; control, rearm);

type Awaited<const WAITS: bool> =
    asynch::Cyw43<'static, ProbedAsync<WAITS>, PowerPin, SimDelay, FirmwareImages<'static>>;

fn awaited<const WAITS: bool>() -> (Awaited<WAITS>, Testbed) {
    use ethdev::asynch::Control as _;
    let (mut testbed, bus) = Testbed::new(WAITS);
    testbed.irq_signal = None;
    // The suite drops futures: the drop cuts off a transaction, not the driver.
    testbed.chip.allow_violation(ViolationKind::CutOff);
    let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
    let bus = ProbedAsync(bus);
    let mut nic = asynch::Cyw43::new(bus, power, delay, images(), memory(8192), Testbed::config()).expect("a device");
    let clock = testbed.air.clock.clone();
    block_on(&clock, nic.start())
        .expect("the future never completes")
        .expect("the chip does not start");
    block_on(&clock, nic.join(&Testbed::network()))
        .expect("the future never completes")
        .expect("the network is not joined");
    (nic, testbed)
}

/// Async, with the interrupt.
struct ByInterrupt;

impl Fixture for ByInterrupt {
    type Device = Awaited<true>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["tx_queue_frames"]);

    fn new() -> (Self::Device, Testbed) {
        awaited()
    }
}

conformance!(async with_interrupt, ByInterrupt; control);

/// Async, without an interrupt.
struct Polled;

impl Fixture for Polled {
    type Device = Awaited<false>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["tx_queue_frames"]);

    fn new() -> (Self::Device, Testbed) {
        awaited()
    }
}

conformance!(async polled, Polled; control);
