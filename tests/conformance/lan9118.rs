//! The driver of the LAN9118 on the model of its chip: the bare MAC, whose link is told by the fixture, and the port with the chip's own PHY.
//!
//! Every fixture ends with a look at what the models have to complain about: a check that passed with misuse of a chip is a failed check.

use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::{Duplex, EthernetDevice as _, LinkMode, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, Loss, WirePeer};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_lan9118::{Config, IrqPin, Lan9118};
use ethdev_phy::EthernetPort;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::mmio::Registers;
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use ethdev_util::IrqSignal;
use lan8720_model::Lan8720Chip;
use lan9118_model::{ChipConfig, Lan9118Chip, Part, SimBus};

use crate::support::{Now, no_misuse, now};

/// The chip's registers as the driver sees them.
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

/// The chip, and the cable behind it.
struct Bench {
    clock: Clock,
    wire: Wire,
    station: Peer,
    chip: Lan9118Chip,
}

impl Bench {
    fn new(chip: impl FnOnce(&Clock, ethdev_sim::Port) -> Lan9118Chip) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        Self {
            chip: chip(&clock, port),
            clock,
            wire,
            station: Peer::new(peer),
        }
    }

    fn driver(&self, config: Config) -> Driver {
        Lan9118::new(Bus(self.chip.bus()), self.chip.delay(), config).expect("the chip does not start")
    }

    /// The MAC by itself, in this mode.
    fn bare(&self, config: Config, duplex: Duplex) -> Told {
        let phy = CablePhy::new(&self.wire).with_mode(LinkMode::new(Speed::MBPS_100, duplex));
        let mut device =
            EthernetPort::new(self.driver(config), phy, now(&self.clock)).expect("the port does not start");
        assert!(device.service().expect("the chip fails").link_changed);
        device
    }

    fn far_end(self) -> WirePeer {
        let irq_signal = Arc::new(IrqSignal::new());
        let bell = irq_signal.clone();
        self.chip.on_irq(move || bell.signal());
        let chip = self.chip;
        let (stall, fault, forge, watched) = (chip.clone(), chip.clone(), chip.clone(), chip.clone());
        WirePeer::new(self.clock, self.wire, self.station)
            .with_stall_tx(move |stalled| stall.stall_tx(stalled))
            .with_fault(move || fault.break_down())
            .with_forged_lengths(move |len| forge.override_rx_len(len))
            .with_accesses_and_wire(|watcher| watched.on_access(watcher))
            .with_irq_signal(irq_signal)
            // The chip counts neither what its filter refuses, nor runts unless told to hand them on.
            .with_unreported(&[Loss::Filtered, Loss::BadLength])
            .with_link_interrupts(chip.phy().is_some())
            .with_last_look(move || {
                no_misuse("chip", &chip.take_violations());
                no_misuse("PHY", &chip.phy().map_or_else(Vec::new, Lan8720Chip::take_violations));
            })
    }
}

/// A MAC that is told the state of the cable, by somebody who knows it.
type Told = EthernetPort<Driver, CablePhy, Now>;

/// The MAC by itself, with everything as it is by default.
struct Bare;

impl Fixture for Bare {
    type Device = Told;
    type LinkPeer = WirePeer;

    fn new() -> (Told, WirePeer) {
        let bench = Bench::new(|_, port| Lan9118Chip::on_media(port, ChipConfig::new(Part::Lan9118)));
        (bench.bare(Config::new(), Duplex::Full), bench.far_end())
    }
}

conformance!(bare, Bare; control, rearm);

/// The slow relative without an EEPROM, half duplex, VLAN tags, runts counted, the least memory for sending, and interrupts of levels that come again while
/// they are exceeded.
struct Other;

impl Fixture for Other {
    type Device = Told;
    type LinkPeer = WirePeer;

    fn new() -> (Told, WirePeer) {
        let chip = ChipConfig::new(Part::Lan9220)
            .with_eeprom(None)
            .with_staging(Duration::ZERO)
            .with_levels_that_persist();
        let bench = Bench::new(|_, port| Lan9118Chip::on_media(port, chip));
        let config = Config::new()
            .with_mac_address(MacAddress::new([0x02, 0, 0, 0, 0, 0x20]))
            .with_irq(IrqPin::ActiveHigh)
            .with_vlan(true)
            .with_count_runts(true)
            .with_tx_fifo_kib(2);
        let device = bench.bare(config, Duplex::Half);
        let chip = bench.chip.clone();
        let far = bench.far_end().with_unreported(&[Loss::Filtered]);
        // The host's interrupt is level-triggered: its handler runs again while the line is active.
        (device, far.with_level(move || chip.irq_is_active()))
    }
}

conformance!(other, Other; control, rearm);

/// The MAC and its own PHY: a whole port, whose PHY interrupts through the MAC.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Driver, Now>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        let bench = Bench::new(|clock, port| Lan9118Chip::new(clock, port, ChipConfig::new(Part::Lan9118)));
        let address = PhyAddress::new(1).expect("an address");
        let phy = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let mut device =
            EthernetPort::new(bench.driver(Config::new()), phy, now(&bench.clock)).expect("the port does not start");
        for _ in 0..1000 {
            if device.service().expect("the port fails").link_changed {
                return (device, bench.far_end());
            }
            bench.clock.advance(Duration::from_millis(10));
        }
        panic!("the link does not come up");
    }
}

conformance!(port, Port; control, rearm);
