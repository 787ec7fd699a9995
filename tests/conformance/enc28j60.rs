//! The driver of the ENC28J60 on the model of its chip, with all errata of the revision, over a watched SPI bus.
//!
//! Every fixture ends with a look at what the model has to complain about: a check that passed with misuse of the chip is a failed check.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use embedded_hal::spi::{self, ErrorType, Operation};
use enc28j60_model::{ChipConfig, Enc28j60Chip, IntPin, ResetPin, Revision, SimSpi, SpiFault, ViolationKind};
use ethdev::asynch::EthernetDevice as _;
use ethdev::{Duplex, EthernetDevice as _, Interest, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer, Loss, Power, Unsupported};
use ethdev_enc28j60::asynch::{self, Edge, Interrupt, Level, Polled};
use ethdev_enc28j60::{Config, Enc28j60, NoReset, Reset};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig, block_on};
use ethdev_util::IrqSignal;

use crate::support::{self, Probe, no_misuse};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

/// The chip's SPI device under the probe's eyes.
struct Probed {
    spi: SimSpi,
    probe: Rc<Probe>,
    cable: Rc<Cable>,
}

/// What the far end and the bus both need.
struct Cable {
    clock: Clock,
    wire: Wire,
    station: Peer,
}

type BusError = support::BusError<SpiFault>;

impl spi::Error for BusError {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl ErrorType for Probed {
    type Error = BusError;
}

impl Probed {
    fn before(&self) -> Result<(), BusError> {
        self.probe.before(|frame| {
            self.cable.station.send(frame);
            self.cable
                .clock
                .advance(self.cable.wire.frame_time(frame.len().max(60)) * 2);
        })
    }
}

impl spi::SpiDevice for Probed {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), BusError> {
        self.before()?;
        spi::SpiDevice::transaction(&mut self.spi, operations).map_err(BusError::Chip)
    }
}

impl embedded_hal_async::spi::SpiDevice for Probed {
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), BusError> {
        self.before()?;
        embedded_hal_async::spi::SpiDevice::transaction(&mut self.spi, operations)
            .await
            .map_err(BusError::Chip)
    }
}

/// The far end of the cable, and the chip's other pins.
struct Bench {
    cable: Rc<Cable>,
    probe: Rc<Probe>,
    chip: Enc28j60Chip,
    irq_signal: Arc<IrqSignal>,
    full_duplex: bool,
    stalled: bool,
    /// How often it is still to be said that the chip may send: it does not hear that without a link.
    releases: u32,
}

impl Bench {
    fn new(revision: Revision, full_duplex: bool) -> (Self, Probed) {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let chip = Enc28j60Chip::new(&clock, port, ChipConfig::new(revision));
        let irq_signal = Arc::new(IrqSignal::new());
        chip.on_int_falling({
            let irq_signal = irq_signal.clone();
            move || irq_signal.signal()
        });
        let cable = Rc::new(Cable {
            clock,
            wire,
            station: Peer::new(peer),
        });
        let bench = Self {
            cable,
            probe: Rc::default(),
            chip,
            irq_signal,
            full_duplex,
            stalled: false,
            releases: 0,
        };
        let spi = Probed {
            spi: bench.chip.spi_device(),
            probe: bench.probe.clone(),
            cable: bench.cable.clone(),
        };
        (bench, spi)
    }

    fn config(&self) -> Config {
        Config::new(ADDRESS).with_duplex(if self.full_duplex { Duplex::Full } else { Duplex::Half })
    }

    /// The PHY takes its time after a reset. Before that, a driver is told once that the link came up.
    fn wait_for_link(&self, mut changed: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if changed() {
                return;
            }
            self.cable.clock.advance(Duration::from_millis(1));
        }
        panic!("the link does not come up");
    }

    /// A PAUSE frame for the longest time, or for none (IEEE 802.3 annex 31B). When it arrives.
    fn pause(&self) -> Duration {
        let quanta: u16 = if self.stalled { u16::MAX } else { 0 };
        let mut pause = vec![0x01, 0x80, 0xc2, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x88, 0x08, 0, 1];
        pause.extend(quanta.to_be_bytes());
        pause.resize(60, 0);
        self.cable.station.send(&pause).max(self.cable.clock.now())
    }

    fn delay(&self) -> SimDelay {
        self.chip.delay()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        no_misuse("chip", &self.chip.take_violations());
    }
}

impl LinkPeer for Bench {
    fn peer_send(&mut self, frame: &[u8]) {
        self.cable.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.cable.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.cable.clock.advance(by);
        if !self.stalled && self.releases > 0 {
            self.releases -= 1;
            self.pause();
        }
    }

    fn unreported(&self) -> &'static [Loss] {
        // The chip drops these without a trace.
        &[Loss::BadFcs, Loss::BadLength, Loss::Filtered]
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.cable.wire.set_link(up);
        self.releases = if up && self.full_duplex { 100 } else { 0 };
        Ok(())
    }

    /// By the only means that the medium has: PAUSE frames, in full duplex.
    fn stall_tx(&mut self, stalled: bool) -> Power {
        if !self.full_duplex {
            return Err(Unsupported("nobody can hold a half-duplex chip back"));
        }
        self.stalled = stalled;
        let arrives = self.pause();
        self.cable.clock.advance_to(arrives + Duration::from_micros(1));
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.cable.station.send_raw(bytes);
        Ok(())
    }

    fn override_rx_len(&mut self, len: usize) -> Power {
        // The chip counts the FCS, in 16 bits.
        self.chip.forge_next_count((len as u16).wrapping_add(4));
        Ok(())
    }

    fn inject_fault(&mut self) -> Power {
        self.chip.inject_brownout();
        Ok(())
    }

    fn fail_bus(&mut self, failing: bool) -> Power {
        self.probe.fail(failing);
        Ok(())
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.cable.clock.now())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.probe.transactions())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        self.probe.arrive_before(nth, frame);
        Ok(())
    }

    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        Ok(self.irq_signal.clone())
    }
}

/// The common case: half duplex, the revision that is sold.
struct Half;

impl Fixture for Half {
    type Device = Enc28j60<Probed, SimDelay>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        let (bench, spi) = Bench::new(Revision::B7, false);
        let mut device = Enc28j60::new(spi, bench.delay(), bench.config()).expect("the chip does not start");
        bench.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, bench)
    }
}

conformance!(half_duplex, Half; control, rearm);

/// Full duplex with PAUSE, so that the transmitter can be held back.
struct Full;

impl Fixture for Full {
    type Device = Enc28j60<Probed, SimDelay>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        let (bench, spi) = Bench::new(Revision::B5, true);
        let mut device = Enc28j60::new(spi, bench.delay(), bench.config()).expect("the chip does not start");
        bench.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, bench)
    }
}

conformance!(full_duplex, Full; control, rearm);

/// The oldest silicon, the RESET pin wired, and VLAN tags.
struct OldestWithReset;

impl Fixture for OldestWithReset {
    type Device = Enc28j60<Probed, SimDelay, Reset<ResetPin>>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        let (bench, spi) = Bench::new(Revision::B1, false);
        let config = bench.config().with_vlan(true);
        let reset = Reset(bench.chip.reset_pin());
        let mut device = Enc28j60::with_reset(spi, bench.delay(), reset, config).expect("the chip does not start");
        bench.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, bench)
    }
}

conformance!(oldest_with_reset, OldestWithReset; control, rearm);

type Awaited<INT> = asynch::Enc28j60<Probed, SimDelay, INT, NoReset>;

fn awaited<INT: Interrupt>(full_duplex: bool, interrupt: impl FnOnce(IntPin) -> INT) -> (Awaited<INT>, Bench) {
    let (bench, spi) = Bench::new(Revision::B7, full_duplex);
    // The suite drops futures: an instruction that is cut off is the drop's, not the driver's.
    bench.chip.allow(ViolationKind::Incomplete);
    bench.chip.allow(ViolationKind::ShortHold);
    let device = asynch::Enc28j60::new(spi, bench.delay(), interrupt(bench.chip.int_pin()), bench.config());
    let mut device = block_on(&bench.cable.clock, device)
        .expect("the driver waits for ever")
        .expect("the chip does not start");
    let up = block_on(&bench.cable.clock, device.ready(Interest::LINK));
    assert!(matches!(up, Ok(Ok(_))), "the link does not come up");
    (device, bench)
}

/// Async, told by the level of the INT line.
struct ByLevel;

impl Fixture for ByLevel {
    type Device = Awaited<Level<IntPin>>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        awaited(false, Level)
    }
}

conformance!(async by_level, ByLevel; control);

/// Async, told by edges of the INT line; full duplex, so that waiting for room is looked at too.
struct ByEdge;

impl Fixture for ByEdge {
    type Device = Awaited<Edge<IntPin>>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        awaited(true, Edge)
    }
}

conformance!(async by_edge, ByEdge; control);

/// Async, without an INT line.
struct PolledNic;

impl Fixture for PolledNic {
    type Device = Awaited<Polled>;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        awaited(false, |_| Polled)
    }
}

conformance!(async polled, PolledNic; control);
