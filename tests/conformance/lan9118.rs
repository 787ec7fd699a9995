//! The driver of the LAN9118 on the model of the chip: the MAC without its PHY, and the port with
//! the built-in PHY.
//!
//! A check also fails if a model recorded a protocol violation.

use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::{Duplex, EthernetDevice as _, LinkMode, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, WirePeer};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_lan9118::{Config, IrqOutput, Lan9118};
use ethdev_phy::EthernetPort;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use ethdev_util::IrqSignal;
use lan8720_model::Lan8720Chip;
use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus};

use crate::support::{Now, no_misuse, now};

/// The bus of the model as `Registers`.
struct Bus(SimBus);

impl Registers for Bus {
    fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

type Driver = Lan9118<Bus, SimDelay>;

/// The chip, and the wire behind it.
struct Testbed {
    clock: Clock,
    wire: Wire,
    peer: Peer,
    chip: Lan9118Chip,
}

impl Testbed {
    fn new(chip: impl FnOnce(&Clock, ethdev_sim::Port) -> Lan9118Chip) -> Self {
        let clock = Clock::new();
        let (wire, port, end) = Wire::new(&clock, WireConfig::default());
        Self {
            chip: chip(&clock, port),
            clock,
            wire,
            peer: Peer::new(end),
        }
    }

    fn driver(&self, config: Config) -> Driver {
        Lan9118::new(Bus(self.chip.bus()), self.chip.delay(), config).expect("new failed")
    }

    /// The MAC without a PHY, in this duplex mode.
    fn bare(&self, config: Config, duplex: Duplex) -> Bare {
        let phy = CablePhy::new(&self.wire).with_mode(LinkMode::new(Speed::MBPS_100, duplex));
        let mut device = EthernetPort::new(self.driver(config), phy, now(&self.clock)).expect("new failed");
        assert!(device.service().expect("service failed").link_changed);
        device
    }

    fn link_peer(self) -> WirePeer {
        let irq_signal = Arc::new(IrqSignal::new());
        let signal = irq_signal.clone();
        self.chip.on_irq(move || signal.signal());
        let chip = self.chip;
        let (stall, fault, forge, watched) = (chip.clone(), chip.clone(), chip.clone(), chip.clone());
        WirePeer::new(self.clock, self.wire, self.peer)
            .with_stall_tx(move |stalled| stall.stall_tx(stalled))
            .with_inject_fault(move || fault.inject_failure())
            .with_override_rx_len(move |len| forge.override_rx_len(len))
            .with_accesses_and_wire(|watcher| watched.on_access(watcher))
            .with_irq_signal(irq_signal)
            .with_link_interrupts(chip.phy().is_some())
            .with_final_check(move || {
                no_misuse("chip", &chip.take_violations());
                no_misuse("PHY", &chip.phy().map_or_else(Vec::new, Lan8720Chip::take_violations));
            })
    }
}

/// A MAC whose link is that of the wire.
type Bare = EthernetPort<Driver, CablePhy, Now>;

/// The MAC without a PHY, with the default configuration.
struct DefaultConfig;

impl Fixture for DefaultConfig {
    type Device = Bare;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Bare, WirePeer) {
        let testbed = Testbed::new(|_, port| Lan9118Chip::on_media(port, ChipConfig::new(Part::Lan9118)));
        (testbed.bare(Config::new(), Duplex::Full), testbed.link_peer())
    }
}

conformance!(bare, DefaultConfig; control, rearm);

/// A LAN9220 without EEPROM, half duplex, VLAN tags, runts counted, the smallest transmit FIFO, and
/// level interrupts that persist while the level is exceeded.
struct Other;

impl Fixture for Other {
    type Device = Bare;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Bare, WirePeer) {
        let chip = ChipConfig::new(Part::Lan9220)
            .with_eeprom(None)
            .with_staging(Duration::ZERO)
            .with_persistent_levels();
        let testbed = Testbed::new(|_, port| Lan9118Chip::on_media(port, chip));
        let config = Config::new()
            .with_mac_address(MacAddress::new([0x02, 0, 0, 0, 0, 0x20]))
            .with_irq(IrqOutput::ActiveHigh)
            .with_vlan(true)
            .with_count_runts(true)
            .with_tx_fifo_kib(2);
        let device = testbed.bare(config, Duplex::Half);
        let chip = testbed.chip.clone();
        // The interrupt of the host is level-triggered.
        (device, testbed.link_peer().with_irq_level(move || chip.irq_is_active()))
    }
}

conformance!(other, Other; control, rearm);

/// The port with the built-in PHY, which interrupts through the MAC.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Driver, Now>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

    fn new() -> (Self::Device, WirePeer) {
        let testbed = Testbed::new(|clock, port| Lan9118Chip::new(clock, port, ChipConfig::new(Part::Lan9118)));
        let address = PhyAddress::new(1).expect("an address below 32");
        let phy = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let mut device =
            EthernetPort::new(testbed.driver(Config::new()), phy, now(&testbed.clock)).expect("new failed");
        for _ in 0..1000 {
            if device.service().expect("service failed").link_changed {
                return (device, testbed.link_peer());
            }
            testbed.clock.advance(Duration::from_millis(10));
        }
        panic!("the link does not come up");
    }
}

conformance!(port, Port; control, rearm);
