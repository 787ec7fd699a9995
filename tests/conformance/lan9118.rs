//! The driver of the LAN9118 on the model of its chip: the bare MAC, whose link is told by the fixture, and the port with the chip's own PHY.
//!
//! Every fixture ends with a look at what the models have to complain about: a check that passed with misuse of a chip is a failed check.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::mdio::PhyAddress;
use ethdev::{
    Capabilities, Control, ControlError, Doorbell, Duplex, ErrorType, EthernetDevice, Events, FilterOutcome, Interest,
    Link, LinkMode, MacAddress, Rearm, RearmOutcome, RxFilter, RxMeta, Speed, Stats,
};
use ethdev_lan8720::mac::lan9118::{Config, IrqPin, Lan9118};
use ethdev_lan8720::mac::mmio::Registers;
use ethdev_lan8720::{Lan8720, Lan8720Phy, Mac, MacPhy, PhyConfig};
use ethdev_sim::chip::lan9118::{ChipConfig, Lan9118Chip, Part, SimBus};
use ethdev_sim::conformance::{FarEnd, Fixture, Loss, Power};
use ethdev_sim::{Clock, SimDelay, Station, Wire, WireConfig, conformance};

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

/// What the far end and the bus both need.
struct Cable {
    clock: Clock,
    wire: Wire,
    station: Station,
    /// The frame that arrives just before this access.
    late: RefCell<Option<(u64, Vec<u8>)>>,
    accesses: Cell<u64>,
}

impl Cable {
    fn before_access(&self) {
        let nth = self.accesses.get();
        self.accesses.set(nth + 1);
        let late = self.late.borrow_mut().take_if(|(at, _)| *at <= nth);
        if let Some((_, frame)) = late {
            self.station.send(&frame);
            self.clock.advance(self.wire.frame_time(frame.len().max(60)) * 2);
        }
    }
}

/// The far end of the cable, and the chip's other pins.
struct Bench {
    cable: Rc<Cable>,
    chip: Lan9118Chip,
    doorbell: Arc<Doorbell>,
    unreported: &'static [Loss],
    has_phy: bool,
    /// The host's interrupt is level-triggered: its handler runs again while the line is active.
    by_level: bool,
}

impl Bench {
    fn new(chip: impl FnOnce(&Clock, ethdev_sim::Port) -> Lan9118Chip) -> Self {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let chip = chip(&clock, port);
        let doorbell = Arc::new(Doorbell::new());
        chip.on_irq({
            let doorbell = doorbell.clone();
            move || doorbell.ring()
        });
        let cable = Rc::new(Cable {
            clock,
            wire,
            station: Station::new(peer),
            late: RefCell::new(None),
            accesses: Cell::new(0),
        });
        chip.on_access({
            let cable = cable.clone();
            move || cable.before_access()
        });
        Self {
            cable,
            has_phy: chip.phy().is_some(),
            by_level: false,
            chip,
            doorbell,
            // The chip counts neither what its filter refuses, nor runts unless told to hand them on.
            unreported: &[Loss::Filtered, Loss::BadLength],
        }
    }

    fn driver(&self, config: Config) -> Driver {
        Lan9118::new(Bus(self.chip.bus()), self.chip.delay(), config).expect("the chip does not start")
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
        if let Some(phy) = self.chip.phy() {
            let violations = phy.take_violations();
            assert!(
                violations.is_empty() || std::thread::panicking(),
                "the driver misused the PHY {} times, first: {}",
                violations.len(),
                violations[0]
            );
        }
    }
}

impl FarEnd for Bench {
    fn peer_send(&mut self, frame: &[u8]) {
        self.cable.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.cable.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.cable.clock.advance(by);
        if self.by_level && self.chip.irq_is_active() {
            self.doorbell.ring();
        }
    }

    fn unreported(&self) -> &'static [Loss] {
        self.unreported
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.cable.wire.set_link(up);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.chip.stall_tx(stalled);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.cable.station.send_raw(bytes);
        Ok(())
    }

    fn forge_rx_length(&mut self, len: usize) -> Power {
        self.chip.forge_rx_length(len);
        Ok(())
    }

    fn inject_fault(&mut self) -> Power {
        self.chip.break_down();
        Ok(())
    }

    fn now(&self) -> Power<Duration> {
        Ok(self.cable.clock.now())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.cable.accesses.get())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        let at = self.cable.accesses.get() + u64::from(nth);
        self.cable.late.replace(Some((at, frame.to_vec())));
        Ok(())
    }

    fn doorbell(&self) -> Power<Arc<Doorbell>> {
        Ok(self.doorbell.clone())
    }

    fn link_interrupts(&self) -> bool {
        self.has_phy
    }
}

/// A MAC that is told the state of the cable whenever it is serviced, by somebody who knows it.
struct Told {
    mac: Driver,
    wire: Wire,
    mode: LinkMode,
}

impl ErrorType for Told {
    type Error = <Driver as ErrorType>::Error;
}

impl EthernetDevice for Told {
    fn mac_address(&self) -> MacAddress {
        self.mac.mac_address()
    }
    fn capabilities(&self) -> Capabilities {
        self.mac.capabilities()
    }
    fn link(&self) -> Link {
        self.mac.link()
    }
    fn stats(&self) -> Stats {
        self.mac.stats()
    }
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Self::Error> {
        self.mac.recv_frame(buf)
    }
    fn discard_frame(&mut self) -> Result<bool, Self::Error> {
        self.mac.discard_frame()
    }
    fn tx_ready(&mut self) -> Result<bool, Self::Error> {
        self.mac.tx_ready()
    }
    fn send_gather(&mut self, parts: &[&[u8]]) -> Result<(), Self::Error> {
        self.mac.send_gather(parts)
    }
    fn service(&mut self) -> Result<Events, Self::Error> {
        let up = self.wire.link().is_up();
        self.mac.set_link(if up { Link::Up(self.mode) } else { Link::Down })?;
        self.mac.service()
    }
}

type Answer<T> = Result<T, ControlError<<Driver as ErrorType>::Error>>;

impl Control for Told {
    fn start(&mut self) -> Answer<()> {
        self.mac.start()
    }
    fn stop(&mut self) -> Answer<()> {
        self.mac.stop()
    }
    fn set_mac_address(&mut self, address: MacAddress) -> Answer<()> {
        self.mac.set_mac_address(address)
    }
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Answer<FilterOutcome> {
        self.mac.set_rx_filter(filter)
    }
    fn recover(&mut self) -> Answer<()> {
        self.mac.recover()
    }
    fn sleep(&mut self) -> Answer<()> {
        self.mac.sleep()
    }
    fn wake(&mut self) -> Answer<()> {
        self.mac.wake()
    }
}

impl Rearm for Told {
    fn disarm(&mut self) -> Result<(), Self::Error> {
        self.mac.disarm()
    }
    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Self::Error> {
        self.mac.rearm(interest)
    }
}

fn told(bench: &Bench, config: Config, duplex: Duplex) -> Told {
    let mut device = Told {
        mac: bench.driver(config),
        wire: bench.cable.wire.clone(),
        mode: LinkMode::new(Speed::MBPS_100, duplex),
    };
    assert!(device.service().expect("the chip fails").link_changed);
    device
}

/// The MAC by itself, with everything as it is by default.
struct Bare;

impl Fixture for Bare {
    type Device = Told;
    type FarEnd = Bench;

    fn new() -> (Told, Bench) {
        let bench = Bench::new(|_, port| Lan9118Chip::on_media(port, ChipConfig::new(Part::Lan9118)));
        (told(&bench, Config::new(), Duplex::Full), bench)
    }
}

conformance!(bare, Bare; control, rearm);

/// The slow relative without an EEPROM, half duplex, VLAN tags, runts counted, the least memory for sending, and interrupts of levels that come again while
/// they are exceeded.
struct Other;

impl Fixture for Other {
    type Device = Told;
    type FarEnd = Bench;

    fn new() -> (Told, Bench) {
        let chip = ChipConfig::new(Part::Lan9220)
            .with_eeprom(None)
            .with_staging(Duration::ZERO)
            .with_levels_that_persist();
        let mut bench = Bench::new(|_, port| Lan9118Chip::on_media(port, chip));
        bench.unreported = &[Loss::Filtered];
        bench.by_level = true;
        let config = Config::new()
            .with_mac_address(MacAddress::new([0x02, 0, 0, 0, 0, 0x20]))
            .with_irq(IrqPin::ActiveHigh)
            .with_vlan(true)
            .with_count_runts(true)
            .with_tx_fifo_kib(2);
        (told(&bench, config, Duplex::Half), bench)
    }
}

conformance!(other, Other; control, rearm);

/// The MAC and its own PHY: a whole port, whose PHY interrupts through the MAC.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Driver, Box<dyn FnMut() -> Duration>>;
    type FarEnd = Bench;

    fn new() -> (Self::Device, Bench) {
        let bench = Bench::new(|clock, port| Lan9118Chip::new(clock, port, ChipConfig::new(Part::Lan9118)));
        let address = PhyAddress::new(1).expect("an address");
        let phy = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let clock = bench.cable.clock.clone();
        let now: Box<dyn FnMut() -> Duration> = Box::new(move || clock.now());
        let mut device = MacPhy::new(bench.driver(Config::new()), phy, now).expect("the port does not start");
        for _ in 0..1000 {
            if device.service().expect("the port fails").link_changed {
                return (device, bench);
            }
            bench.cable.clock.advance(Duration::from_millis(10));
        }
        panic!("the link does not come up");
    }
}

conformance!(port, Port; control, rearm);
