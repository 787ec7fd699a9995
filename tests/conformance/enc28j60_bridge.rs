//! The bridge to the crate `enc28j60`, as far as that crate fulfils the contract. Hooks that it
//! does not support are left out.

use std::sync::Arc;
use std::time::Duration;

use ::enc28j60::Unconnected;
use enc28j60_model::{ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, IntPin, Revision, SimSpiBus, ViolationKind};
use ethdev::{MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, HookResult, LinkPeer, Unsupported};
use ethdev_enc28j60::compat::Bridge;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use ethdev_util::IrqSignal;

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

type Device = Bridge<'static, Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, Unconnected>;

/// The link peer.
struct Testbed {
    clock: Clock,
    _wire: Wire,
    station: Peer,
    chip: Enc28j60Chip,
    irq_signal: Arc<IrqSignal>,
}

impl Testbed {
    fn new() -> (Self, Device) {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let mut errata = Errata::of(Revision::B7);
        // Each makes the driver wait indefinitely.
        errata.e6_packet_flag = false;
        errata.e13_false_late_collision = false;
        let config = ChipConfig::new(Revision::B7)
            .with_errata(errata)
            .with_cs_hold(Duration::from_micros(1))
            // It never writes PHCON1.
            .with_allowed_violation(ViolationKind::DuplexMismatch);
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
        let [rx, tx] = Box::leak(Box::new([[0; 1514]; 2]));
        let device = Bridge::new(driver, ADDRESS, rx, tx);
        let testbed = Self {
            clock,
            _wire: wire,
            station: Peer::new(peer),
            chip,
            irq_signal,
        };
        (testbed, device)
    }
}

impl Drop for Testbed {
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

impl LinkPeer for Testbed {
    fn peer_send(&mut self, frame: &[u8]) {
        self.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    fn set_link(&mut self, _: bool) -> HookResult {
        Err(Unsupported("the driver does not read the link state"))
    }

    fn now(&self) -> HookResult<Duration> {
        Ok(self.clock.now())
    }

    fn accesses(&self) -> HookResult<u64> {
        Ok(self.chip.bus().transactions)
    }

    fn irq_signal(&self) -> HookResult<Arc<IrqSignal>> {
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
    type LinkPeer = Testbed;
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "rx_queue_frames",
        "stop",
        "sleep",
        "wake",
        "recover",
        "set_mac_address",
        "set_rx_filter",
        "set_link",
        "link_interrupts",
        "fail_bus",
        "fail_bus_at",
        "set_link_before_access",
        "inject_fault",
        "override_rx_len",
        "peer_send_raw",
        "stall_tx",
        "peer_send_before_access",
    ]);

    fn new() -> (Self::Device, Testbed) {
        let (testbed, device) = Testbed::new();
        (device, testbed)
    }
}

conformance!(bridge, Bridged; control, rearm);
