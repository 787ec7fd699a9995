//! The bridge from the crate `enc28j60`, as far as that crate lets the contract hold: what it does not is withheld from the suite, with the reason.

use std::sync::Arc;
use std::time::Duration;

use ::enc28j60::Unconnected;
use enc28j60_model::{ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, IntPin, Revision, SimSpiBus, ViolationKind};
use ethdev::{MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer, Loss, Power, Unsupported};
use ethdev_enc28j60::compat::{Bridge, Memory};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use ethdev_util::IrqSignal;

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

type Device = Bridge<'static, Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, Unconnected>;

/// The far end of the cable.
struct Bench {
    clock: Clock,
    _wire: Wire,
    station: Peer,
    chip: Enc28j60Chip,
    irq_signal: Arc<IrqSignal>,
}

impl Bench {
    fn new() -> (Self, Device) {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let mut errata = Errata::of(Revision::B7);
        // Each makes the driver hang, or wait for what does not come.
        errata.e6_packet_flag = false;
        errata.e13_false_late_collision = false;
        let config = ChipConfig::new(Revision::B7)
            .with_errata(errata)
            .with_cs_hold(Duration::from_micros(1))
            // It selects banks by reading ECON1 and writing it back whole, and never writes PHCON1.
            .allowing(ViolationKind::WholeWriteEcon1)
            .allowing(ViolationKind::DuplexMismatch);
        let chip = Enc28j60Chip::new(&clock, port, config);
        let irq_signal = Arc::new(IrqSignal::new());
        chip.on_int_falling({
            let irq_signal = irq_signal.clone();
            move || irq_signal.signal()
        });
        clock.advance(Duration::from_millis(1));
        let (bus, select) = chip.spi_bus();
        let driver = ::enc28j60::Enc28j60::new(
            Hal02(bus),
            Hal02(select),
            Hal02(chip.int_pin()),
            Unconnected,
            &mut Hal02(clock.clone()),
            0x1a00,
            ADDRESS.octets(),
        );
        clock.advance(Duration::from_millis(25));
        let driver = driver.expect("the bus does not fail");
        let device = Bridge::new(driver, ADDRESS, Box::leak(Box::new(Memory::new())));
        let bench = Self {
            clock,
            _wire: wire,
            station: Peer::new(peer),
            chip,
            irq_signal,
        };
        (bench, device)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let violations = self.chip.take_violations();
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "the driver misused the chip {} times, first: {}",
            violations.len(),
            violations[0]
        );
    }
}

impl LinkPeer for Bench {
    fn peer_send(&mut self, frame: &[u8]) {
        self.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    fn unreported(&self) -> &'static [Loss] {
        // The chip drops them without a trace, and the driver does not ask about overruns.
        &[Loss::BadFcs, Loss::BadLength, Loss::Filtered, Loss::Overrun]
    }

    fn set_link(&mut self, _: bool) -> Power {
        Err(Unsupported("the driver knows nothing of the link"))
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.clock.now())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.chip.bus().transactions)
    }

    fn irq_signal(&self) -> Power<Arc<IrqSignal>> {
        Ok(self.irq_signal.clone())
    }

    fn masks_by_source(&self) -> bool {
        true
    }

    fn link_interrupts(&self) -> bool {
        false
    }
}

struct Bridged;

impl Fixture for Bridged {
    type Device = Device;
    type LinkPeer = Bench;

    fn new() -> (Self::Device, Bench) {
        let (bench, device) = Bench::new();
        (device, bench)
    }
}

conformance!(bridge, Bridged; control, rearm);
