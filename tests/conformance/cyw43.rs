//! The driver of the CYW43439, joined, on the model of its chip.
//!
//! Every fixture ends with a look at what the model has to complain about: a check that passed with misuse of the chip is a failed check.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cyw43439_model::{
    AccessPoint, ApId, BusFault, ChipConfig, Cyw43Chip, Fault, PowerPin, Spoil, ViolationKind, WordBus,
};
use ethdev::{Control as _, EthernetDevice as _};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer, Loss, Power, Unsupported};
use ethdev_cyw43::{Config, Cyw43, Images, Incoming, Network, Outgoing, PowerSave, ReconnectPolicy, asynch};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig, block_on, fcs};
use ethdev_util::IrqSignal;

use crate::support::{self, Probe, no_misuse};

const SSID: &str = "conformance";
const PASSPHRASE: &str = "a wire without a wire";

/// The chip's bus under the probe's eyes.
struct Probed {
    bus: WordBus,
    probe: Rc<Probe>,
    air: Rc<Air>,
    /// Whether the host sees the interrupt.
    sees_interrupt: bool,
}

/// What the far end and the bus both need.
struct Air {
    clock: Clock,
    station: Peer,
}

type BusError = support::BusError<BusFault>;

impl Probed {
    fn before(&self) -> Result<(), BusError> {
        self.probe.before(|frame| {
            self.air.station.send_raw(&fcs::append(frame));
            self.air.clock.advance(FRAME_TIME);
        })
    }

    fn words(command: u32, data: &mut Outgoing<'_>) -> Vec<u32> {
        std::iter::once(command).chain(data).collect()
    }

    fn look(&self) -> Option<bool> {
        self.sees_interrupt.then(|| self.bus.event_pending())
    }
}

impl ethdev_cyw43::Gspi for Probed {
    type Error = BusError;

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, BusError> {
        self.before()?;
        self.bus
            .cmd_write_blocking(&Self::words(command, data))
            .map_err(BusError::Chip)
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, BusError> {
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

/// The same, awaited. `WAITS`: by the interrupt, or by polling.
struct ProbedAsync<const WAITS: bool>(Probed);

impl<const WAITS: bool> asynch::Gspi for ProbedAsync<WAITS> {
    type Error = BusError;
    const CAN_WAIT: bool = WAITS;

    async fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, BusError> {
        self.0.before()?;
        let words = Probed::words(command, data);
        self.0.bus.cmd_write(&words).await.map_err(BusError::Chip)
    }

    async fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, BusError> {
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

/// The far end of the wire behind the access point, and the chip itself.
struct Bench {
    air: Rc<Air>,
    probe: Rc<Probe>,
    chip: Cyw43Chip,
    ap: ApId,
    /// `None` where the driver waits by itself.
    irq_signal: Option<Arc<IrqSignal>>,
    /// Which fault is injected: the power fails, or the firmware stops.
    inject_brownout: bool,
}

impl Bench {
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
        let bench = Self {
            air: Rc::new(Air {
                clock,
                station: Peer::new(peer),
            }),
            probe: Rc::default(),
            chip,
            ap,
            irq_signal: Some(irq_signal),
            inject_brownout: !sees_interrupt,
        };
        let bus = Probed {
            bus: bench.chip.word_bus(),
            probe: bench.probe.clone(),
            air: bench.air.clone(),
            sees_interrupt,
        };
        (bench, bus)
    }

    /// Radio always on; a network that is lost is joined again at once, so that the link comes up as a cable's does.
    fn config() -> Config {
        Config::new()
            .with_power_save(PowerSave::Off)
            .with_rejoin(ReconnectPolicy::PERSISTENT.with_pauses_ms(1, 10))
            .with_health_check_every(4)
    }

    fn network() -> Network {
        Network::wpa2(SSID, PASSPHRASE).expect("a network")
    }
}

/// The model does not compare them.
static FIRMWARE: [u8; 50_000] = [0x55; 50_000];
static NVRAM: &[u8] =
    b"manfid=0x2d0\0prodid=0x0727\0vendid=0x14e4\0devid=0x43e2\0boardtype=0x0887\0boardrev=0x1100\0boardnum=22\0\0\0";

fn images() -> Images<'static> {
    Images::new(&FIRMWARE, NVRAM, b"BLOB")
}

fn memory(bytes: usize) -> &'static mut [u8] {
    Box::leak(vec![0; bytes].into_boxed_slice())
}

impl Drop for Bench {
    fn drop(&mut self) {
        no_misuse("chip", &self.chip.take_violations());
    }
}

impl LinkPeer for Bench {
    fn peer_send(&mut self, frame: &[u8]) {
        // Not `send`, which pads as a wired station does: stations in the air do not.
        self.air.station.send_raw(&fcs::append(frame));
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        let mut frame = self.air.station.recv()?;
        if frame.len() == ethdev::frame::MIN_FRAME_LEN {
            // The access point pads what it sends to the wire. The suite's frames have no zeros at their ends.
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

    fn unreported(&self) -> &'static [Loss] {
        // The access point, or the firmware, drops these without a word.
        &[Loss::BadFcs, Loss::BadLength, Loss::Filtered, Loss::Overrun]
    }

    fn set_link(&mut self, up: bool) -> Power {
        if up {
            self.chip.restore_ap(self.ap);
        } else {
            // At once, where a vanished access point is noticed by its missing beacons only.
            self.chip.deauthenticate(3);
            self.chip.remove_ap(self.ap);
        }
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.chip.freeze_credit(stalled);
        if stalled {
            // What was credited before is told, so that nothing more is from here on.
            self.chip.inject(Fault::CreditUpdate);
        }
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.air.station.send_raw(bytes);
        Ok(())
    }

    /// The chip has no length of its own for a frame: a header that points beyond the frame, or a frame that is too long.
    fn override_rx_len(&mut self, len: usize) -> Power {
        let spoil = match u16::try_from(len) {
            Ok(len @ 1515..=2000) => Spoil::Oversize(len + 22),
            Ok(2001..) | Err(_) => Spoil::Oversize(2040),
            Ok(odd) if odd % 2 == 1 => Spoil::HeaderLength(odd as u8),
            Ok(even) => Spoil::DataOffset(u8::MAX - even as u8),
        };
        self.chip.inject(Fault::DataFrame(spoil));
        Ok(())
    }

    fn inject_fault(&mut self) -> Power {
        if self.inject_brownout {
            self.chip.inject_brownout();
        } else {
            self.chip.halt_firmware();
        }
        Ok(())
    }

    fn fail_bus(&mut self, failing: bool) -> Power {
        self.probe.fail(failing);
        Ok(())
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.air.clock.now())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.probe.transactions())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        self.probe.arrive_before(nth, frame);
        Ok(())
    }

    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        self.irq_signal
            .clone()
            .ok_or(Unsupported("the driver waits by itself (`irq_signal`)"))
    }

    fn link_interrupts(&self) -> bool {
        // A network that is lost does not come back by itself: the driver joins it again, from `service`.
        false
    }

    fn masks_by_source(&self) -> bool {
        // One interrupt for frames, events and credits.
        false
    }
}

type Nic = Cyw43<'static, Probed, PowerPin, SimDelay, Images<'static>>;

fn blocking(sees_interrupt: bool, bytes: usize) -> (Nic, Bench) {
    let (bench, bus) = Bench::new(sees_interrupt);
    let (power, delay) = (bench.chip.power_pin(), bench.chip.delay());
    let mut nic = Cyw43::new(bus, power, delay, images(), memory(bytes), Bench::config()).expect("a device");
    nic.start().expect("the chip does not start");
    nic.join(&Bench::network()).expect("the network is not joined");
    nic.service().expect("the chip fails");
    (nic, bench)
}

/// The common case: the host sees the interrupt, and there is memory for a few frames.
struct Joined;

impl Fixture for Joined {
    type Device = Nic;
    type LinkPeer = Bench;

    fn new() -> (Nic, Bench) {
        blocking(true, 8192)
    }
}

conformance!(joined, Joined; control, rearm);

/// The least: memory for one frame, and a host that cannot see the interrupt in its code.
struct Least;

impl Fixture for Least {
    type Device = Nic;
    type LinkPeer = Bench;

    fn new() -> (Nic, Bench) {
        blocking(false, ethdev_cyw43::MIN_RX_QUEUE_LEN)
    }
}

conformance!(least, Least; control, rearm);

type Awaited<const WAITS: bool> = asynch::Cyw43<'static, ProbedAsync<WAITS>, PowerPin, SimDelay, Images<'static>>;

fn awaited<const WAITS: bool>() -> (Awaited<WAITS>, Bench) {
    use ethdev::asynch::Control as _;
    let (mut bench, bus) = Bench::new(WAITS);
    bench.irq_signal = None;
    // The suite drops futures: a transaction that is cut off, and what follows of it, is the drop's, not the driver's.
    bench.chip.allow(ViolationKind::CutOff);
    let (power, delay) = (bench.chip.power_pin(), bench.chip.delay());
    let bus = ProbedAsync(bus);
    let mut nic = asynch::Cyw43::new(bus, power, delay, images(), memory(8192), Bench::config()).expect("a device");
    let clock = bench.air.clock.clone();
    block_on(&clock, nic.start())
        .expect("the driver waits for ever")
        .expect("the chip does not start");
    block_on(&clock, nic.join(&Bench::network()))
        .expect("the driver waits for ever")
        .expect("the network is not joined");
    (nic, bench)
}

/// Async, told by the interrupt.
struct ByInterrupt;

impl Fixture for ByInterrupt {
    type Device = Awaited<true>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        awaited()
    }
}

conformance!(async with_interrupt, ByInterrupt; control);

/// Async, without an interrupt.
struct Polled;

impl Fixture for Polled {
    type Device = Awaited<false>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        awaited()
    }
}

conformance!(async polled, Polled; control);
