//! embassy-net-enc28j60 on the model of the chip.
//!
//! The driver has one receive and one transmit buffer for all its instances, in statics: there must
//! be one instance at a time, so all checks run in one test, one after another.

use std::rc::Rc;
use std::time::Duration;

use embedded_hal::spi::{self, Operation};
use enc28j60_model::{ChipConfig, Enc28j60Chip, Errata, ResetPin, Revision, SimSpi, SpiFault, ViolationKind};
use ethdev::Speed;
use ethdev_conformance::{AccessEvents, Arrival, Fixture, InjectedFailure, Suite, WirePeer};
use ethdev_embassy::EmbassyDevice;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

use crate::known::assert_fails_only;
use ethdev_sim::embassy_time::set_clock;

const ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x28];

type Driver = embassy_net_enc28j60::Enc28j60<Bus, ResetPin>;

/// The SPI device of the chip, with its accesses counted.
struct Bus {
    spi: SimSpi,
    events: Rc<AccessEvents>,
    arrive: Box<dyn Fn(Arrival)>,
}

/// The error of a transaction.
#[derive(Debug)]
enum BusError {
    Injected,
    Chip(#[allow(dead_code, reason = "printed by the driver's panic")] SpiFault),
}

impl From<InjectedFailure> for BusError {
    fn from(InjectedFailure: InjectedFailure) -> Self {
        Self::Injected
    }
}

impl spi::Error for BusError {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl spi::ErrorType for Bus {
    type Error = BusError;
}

impl spi::SpiDevice for Bus {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), BusError> {
        self.events.next(&self.arrive)?;
        self.spi.transaction(operations).map_err(BusError::Chip)
    }
}

/// The driver on its chip.
struct Enc28j60;

impl Fixture for Enc28j60 {
    type Device = EmbassyDevice<'static, Driver>;
    type LinkPeer = WirePeer;
    /// What the trait of embassy-net does not offer, and a transmitter that stalls: the driver does
    /// not use the flow control of the chip.
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "recover",
        "rx_queue_frames",
        "set_mac_address",
        "set_rx_filter",
        "sleep",
        "stall_tx",
        "stop",
        "tx_queue_frames",
        "wake",
    ]);

    fn new() -> (Self::Device, WirePeer) {
        let clock = Clock::new();
        set_clock(&clock);
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
        let mut errata = Errata::of(Revision::B7);
        // The driver does not send a frame again that this erratum aborts: any check that sends
        // would fail.
        errata.e13_false_late_collision = false;
        let config = ChipConfig::new(Revision::B7)
            .with_errata(errata)
            .with_cs_hold(Duration::from_micros(1))
            // It never writes PHCON1.
            .with_allowed_violation(ViolationKind::DuplexMismatch);
        let chip = Enc28j60Chip::new(&clock, port, config);
        let events = Rc::new(AccessEvents::default());
        let (length, fault, misuse) = (chip.clone(), chip.clone(), chip.clone());
        let peer = WirePeer::new(clock.clone(), wire, Peer::new(peer))
            .with_bus(Rc::clone(&events))
            // The chip counts the FCS, in 16 bits.
            .with_override_rx_len(move |len| length.override_rx_len((len as u16).wrapping_add(4)))
            .with_inject_fault(move || fault.inject_brownout())
            .with_final_check(move || {
                let violations = misuse.take_violations();
                assert!(
                    violations.is_empty(),
                    "the driver violated the protocol of the chip {} times, first: {}",
                    violations.len(),
                    violations[0]
                );
            });
        let bus = Bus {
            spi: chip.spi_device(),
            events,
            arrive: Box::new(peer.arrivals()),
        };
        let driver = Driver::new(bus, None, ADDRESS);
        clock.advance(Duration::from_millis(25));
        let buf = Box::leak(Box::new([0; 1514]));
        (EmbassyDevice::new(driver, buf).expect("an Ethernet driver"), peer)
    }
}

/// Defects of the driver, and what its trait cannot report.
const KNOWN: &[&str] = &[
    // It delivers runts whose FCS is correct.
    "recv_frame_bad_frames_dropped_and_counted",
    // It accepts lengths up to 1596 from the chip, and panics on a slice of its buffer of 1514.
    "recv_frame_invalid_chip_length_no_frame",
    // It panics on an error of the bus.
    "any_call_bus_failure_returns_error",
    // It does not notice that the chip was reset, and its trait has no errors: frames and link are
    // gone without a report.
    "any_call_chip_fault_returns_error",
    "recover_after_fault_resumes",
    // It has no interrupt: it wakes the waker at each call, and each poll reads the chip.
    "poll_ready_foreign_wake_no_access",
];

#[test]
fn enc28j60_conformance_fails_known_checks_only() {
    // Without the layers, which the channel checks: each call takes a dozen transactions.
    let report = Suite::<Enc28j60>::new().pull().control().poll_ready().run();
    assert_fails_only(&report, KNOWN);
}
