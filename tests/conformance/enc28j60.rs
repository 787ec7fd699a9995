//! The ENC28J60 driver on the model of the chip, with all errata of the revision, over an SPI bus
//! that counts accesses and fails.
//!
//! A check also fails if the model recorded a protocol violation.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use embedded_hal::spi::{self, ErrorType, Operation};
use enc28j60_model::{ChipConfig, Enc28j60Chip, IntPin, ResetPin, Revision, SimSpi, SpiFault, ViolationKind};
use ethdev::asynch::EthernetDevice as _;
use ethdev::{Duplex, EthernetDevice as _, Interest, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{AccessEvents, Arrival, Fixture, HookResult, LinkPeer, Unsupported};
use ethdev_enc28j60::asynch::{self, EdgeIrq, Interrupt, LevelIrq, Polled};
use ethdev_enc28j60::{Config, Enc28j60, NoReset, Reset};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig, block_on};
use ethdev_util::IrqSignal;

use crate::support::{self, no_misuse};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

/// The SPI device of the chip, with its accesses counted.
struct Probed {
    spi: SimSpi,
    events: Rc<AccessEvents>,
    cable: Rc<Cable>,
}

/// Shared by the link peer and the bus.
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
        self.events.next(|arrival| match arrival {
            Arrival::Frame(frame) => {
                self.cable.station.send(&frame);
                let time = self.cable.wire.frame_time(frame.len().max(60));
                self.cable.clock.advance(time * 2);
            }
            Arrival::Link(up) => self.cable.wire.set_link(up),
        })?;
        Ok(())
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

/// The link peer, and the other pins of the chip.
struct Testbed {
    cable: Rc<Cable>,
    events: Rc<AccessEvents>,
    chip: Enc28j60Chip,
    irq_signal: Arc<IrqSignal>,
    full_duplex: bool,
    stalled: bool,
    /// How many more PAUSE frames release the transmitter: it receives none while the link is down.
    releases: u32,
}

impl Testbed {
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
        let testbed = Self {
            cable,
            events: Rc::default(),
            chip,
            irq_signal,
            full_duplex,
            stalled: false,
            releases: 0,
        };
        let spi = Probed {
            spi: testbed.chip.spi_device(),
            events: testbed.events.clone(),
            cable: testbed.cable.clone(),
        };
        (testbed, spi)
    }

    fn config(&self) -> Config {
        Config::new(ADDRESS).with_duplex(if self.full_duplex { Duplex::Full } else { Duplex::Half })
    }

    /// Waits until the PHY reports the link after a reset.
    fn wait_for_link(&self, mut changed: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if changed() {
                return;
            }
            self.cable.clock.advance(Duration::from_millis(1));
        }
        panic!("the link does not come up");
    }

    /// Sends a PAUSE frame with the longest time, or with zero (IEEE 802.3 annex 31B). Returns when
    /// it arrives.
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

impl Drop for Testbed {
    fn drop(&mut self) {
        no_misuse("chip", &self.chip.take_violations());
    }
}

impl LinkPeer for Testbed {
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

    fn set_link(&mut self, up: bool) -> HookResult {
        self.cable.wire.set_link(up);
        self.releases = if up && self.full_duplex { 100 } else { 0 };
        Ok(())
    }

    /// By PAUSE frames, in full duplex.
    fn stall_tx(&mut self, stalled: bool) -> HookResult {
        if !self.full_duplex {
            return Err(Unsupported("no flow control in half duplex"));
        }
        self.stalled = stalled;
        let arrives = self.pause();
        self.cable.clock.advance_to(arrives + Duration::from_micros(1));
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> HookResult {
        self.cable.station.send_raw(bytes);
        Ok(())
    }

    fn override_rx_len(&mut self, len: usize) -> HookResult {
        // The chip counts the FCS, in 16 bits.
        self.chip.override_rx_len((len as u16).wrapping_add(4));
        Ok(())
    }

    fn inject_fault(&mut self) -> HookResult {
        self.chip.inject_brownout();
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
        Ok(self.cable.clock.now())
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
        Ok(self.irq_signal.clone())
    }
}

/// Half duplex, the current revision.
struct Half;

impl Fixture for Half {
    type Device = Enc28j60<Probed, SimDelay>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["stall_tx"]);

    fn new() -> (Self::Device, Testbed) {
        let (testbed, spi) = Testbed::new(Revision::B7, false);
        let mut device = Enc28j60::new(spi, testbed.delay(), testbed.config()).expect("the chip does not start");
        testbed.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, testbed)
    }
}

conformance!(half_duplex, Half; control, rearm);

/// Full duplex with PAUSE, so that the transmitter can be stalled.
struct Full;

impl Fixture for Full {
    type Device = Enc28j60<Probed, SimDelay>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&[]);

    fn new() -> (Self::Device, Testbed) {
        let (testbed, spi) = Testbed::new(Revision::B5, true);
        let mut device = Enc28j60::new(spi, testbed.delay(), testbed.config()).expect("the chip does not start");
        testbed.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, testbed)
    }
}

conformance!(full_duplex, Full; control, rearm);

/// The oldest revision, with the RESET pin and VLAN tags.
struct OldestWithReset;

impl Fixture for OldestWithReset {
    type Device = Enc28j60<Probed, SimDelay, Reset<ResetPin>>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["stall_tx"]);

    fn new() -> (Self::Device, Testbed) {
        let (testbed, spi) = Testbed::new(Revision::B1, false);
        let config = testbed.config().with_vlan(true);
        let reset = Reset(testbed.chip.reset_pin());
        let mut device = Enc28j60::with_reset(spi, testbed.delay(), reset, config).expect("the chip does not start");
        testbed.wait_for_link(|| device.service().expect("the chip fails").link_changed);
        (device, testbed)
    }
}

conformance!(oldest_with_reset, OldestWithReset; control, rearm);

type Awaited<INT> = asynch::Enc28j60<Probed, SimDelay, INT, NoReset>;

fn awaited<INT: Interrupt>(full_duplex: bool, interrupt: impl FnOnce(IntPin) -> INT) -> (Awaited<INT>, Testbed) {
    let (testbed, spi) = Testbed::new(Revision::B7, full_duplex);
    // The suite drops futures: the drop cuts off an instruction, not the driver.
    testbed.chip.allow_violation(ViolationKind::Incomplete);
    testbed.chip.allow_violation(ViolationKind::ShortHold);
    let device = asynch::Enc28j60::new(
        spi,
        testbed.delay(),
        interrupt(testbed.chip.int_pin()),
        testbed.config(),
    );
    let mut device = block_on(&testbed.cable.clock, device)
        .expect("the future never completes")
        .expect("the chip does not start");
    let up = block_on(&testbed.cable.clock, device.ready(Interest::LINK));
    assert!(matches!(up, Ok(Ok(_))), "the link does not come up");
    (device, testbed)
}

/// Async, with the level of the INT line.
struct ByLevel;

impl Fixture for ByLevel {
    type Device = Awaited<LevelIrq<IntPin>>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["stall_tx"]);

    fn new() -> (Self::Device, Testbed) {
        awaited(false, LevelIrq)
    }
}

conformance!(async by_level, ByLevel; control);

/// Async, with edges of the INT line; full duplex, so that waiting for transmit capacity is checked
/// too.
struct ByEdge;

impl Fixture for ByEdge {
    type Device = Awaited<EdgeIrq<IntPin>>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&[]);

    fn new() -> (Self::Device, Testbed) {
        awaited(true, EdgeIrq)
    }
}

conformance!(async by_edge, ByEdge; control);

/// Async, without an INT line.
struct PolledNic;

impl Fixture for PolledNic {
    type Device = Awaited<Polled>;
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&["stall_tx"]);

    fn new() -> (Self::Device, Testbed) {
        awaited(false, |_| Polled)
    }
}

conformance!(async polled, PolledNic; control);
