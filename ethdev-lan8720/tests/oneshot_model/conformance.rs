//! The contract, line by line: of the MAC alone, on a bare wire, told its link; and of a whole port, with a LAN8720A.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ethdev::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev::phy::{Abilities, Phy, PhyError, PhyEvent};
use ethdev::{Doorbell, ErrorKind, EthernetDevice, Link, MacAddress};
use ethdev_lan8720::mac::oneshot::OneShot;
use ethdev_lan8720::{Lan8720, Lan8720Phy, MacPhy, PhyConfig, PinLine};
use ethdev_sim::chip::lan8720::{IntPin, Lan8720Chip, Partner, PhyStraps, SimMdio};
use ethdev_sim::chip::oneshot::OneShotConfig;
use ethdev_sim::conformance::{FarEnd, Fixture, Power};
use ethdev_sim::{Clock, Station, Wire, WireConfig, conformance};

use crate::ports::{Hardware, Rx, Shared, Tx, buffers, polled, queued};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x87]);

/// A bus without anybody on it.
struct Nobody;

impl Mdio for Nobody {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Ok(0xffff)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Ok(())
    }
}

/// A link without a PHY: the wire itself is looked at.
struct Cable {
    wire: Wire,
    link: Link,
    due: Duration,
}

impl Phy for Cable {
    fn start<M: Mdio + ?Sized>(&mut self, _: &mut M, _: Abilities, _: Duration) -> Result<(), PhyError<M::Error>> {
        Ok(())
    }

    fn poll<M: Mdio + ?Sized>(&mut self, _: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        self.due = now + Duration::from_millis(1);
        let link = self.wire.link();
        if std::mem::replace(&mut self.link, link) == link {
            return Ok(PhyEvent::None);
        }
        Ok(link.mode().map_or(PhyEvent::Down, PhyEvent::Up))
    }

    fn next_poll(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }

    fn stop<M: Mdio + ?Sized>(&mut self, _: &mut M) -> Result<(), PhyError<M::Error>> {
        Ok(())
    }

    fn link(&self) -> Link {
        self.link
    }
}

/// A frame that arrives just before this access.
type Late = Rc<RefCell<Option<(u64, Vec<u8>)>>>;

struct Bench {
    phy: Option<Lan8720Chip>,
    clock: Clock,
    wire: Wire,
    station: Rc<Station>,
    hardware: Hardware,
    shared: Rc<Shared>,
    doorbell: Arc<Doorbell>,
    accesses: Rc<Cell<u64>>,
    late: Late,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let misuse = self.hardware.take_violations();
        assert!(
            misuse.is_empty() || std::thread::panicking(),
            "the driver misused the port {} times, first: {}",
            misuse.len(),
            misuse[0]
        );
        let misuse = self.phy.as_ref().map_or_else(Vec::new, Lan8720Chip::take_violations);
        assert!(
            misuse.is_empty() || std::thread::panicking(),
            "the driver misused the PHY {} times, first: {}",
            misuse.len(),
            misuse[0]
        );
    }
}

impl FarEnd for Bench {
    fn peer_send(&mut self, frame: &[u8]) {
        self.station.send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.station.recv()
    }

    fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }

    fn frame_time(&self) -> Duration {
        // The suite waits for links in these, and auto-negotiation takes thousands.
        Duration::from_micros(if self.phy.is_some() { 1000 } else { 150 })
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.wire.set_link(up);
        Ok(())
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.hardware.hold_tx(stalled);
        Ok(())
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.station.send_raw(bytes);
        Ok(())
    }

    fn forge_rx_length(&mut self, len: usize) -> Power {
        self.hardware.forge_rx_length(len);
        Ok(())
    }

    fn inject_fault(&mut self) -> Power {
        self.shared.broken.set(true);
        Ok(())
    }

    fn accesses(&self) -> Power<u64> {
        Ok(self.accesses.get())
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        *self.late.borrow_mut() = Some((self.accesses.get() + u64::from(nth), frame.to_vec()));
        Ok(())
    }

    fn doorbell(&self) -> Power<Arc<Doorbell>> {
        Ok(self.doorbell.clone())
    }

    fn masks_by_source(&self) -> bool {
        // The PHY's line is another one.
        self.phy.is_none()
    }

    fn link_interrupts(&self) -> bool {
        self.phy.is_some()
    }
}

type Now = Box<dyn FnMut() -> Duration>;

fn now(clock: &Clock) -> Now {
    let clock = clock.clone();
    Box::new(move || clock.now())
}

type Mac<const RX: usize, const TX: usize, M> = OneShot<Rx, Tx, M, Now, RX, TX>;
type Nic<const RX: usize, const TX: usize> = MacPhy<Mac<RX, TX, Nobody>, Cable, Now>;

/// The MAC over this hardware, stopped, and everything about it.
fn mac<const RX: usize, const TX: usize, M: Mdio>(
    (clock, wire, station): (&Clock, &Wire, Station),
    (hardware, phy): (Hardware, Option<Lan8720Chip>),
    mdio: M,
    (depth, len): (usize, usize),
) -> (Mac<RX, TX, M>, Bench) {
    let doorbell = Arc::new(Doorbell::new());
    let bell = doorbell.clone();
    let bell = move || bell.ring();
    if let Some(phy) = &phy {
        phy.on_int_falling(bell.clone());
    }
    let (rx, tx, shared) = match depth {
        0 => polled(&hardware, bell),
        _ => queued(&hardware, depth, bell),
    };
    let bench = Bench {
        phy,
        station: Rc::new(station),
        hardware: hardware.clone(),
        shared,
        doorbell,
        accesses: Rc::default(),
        late: Rc::default(),
        clock: clock.clone(),
        wire: wire.clone(),
    };
    let (accesses, late) = (bench.accesses.clone(), bench.late.clone());
    let (station, on_wire, time) = (bench.station.clone(), wire.clone(), clock.clone());
    hardware.on_access(move || {
        let nth = accesses.get();
        accesses.set(nth + 1);
        let due = late.borrow_mut().take_if(|(at, _)| *at <= nth);
        if let Some((_, frame)) = due {
            station.send(&frame);
            time.advance(on_wire.frame_time(frame.len().max(60) + 4) * 2);
        }
    });
    let mac = OneShot::new((rx, tx), mdio, now(clock), ADDRESS, buffers(len), buffers(len)).unwrap();
    (mac, bench)
}

fn nic<const RX: usize, const TX: usize>(config: OneShotConfig, depth: usize, len: usize) -> (Nic<RX, TX>, Bench) {
    let clock = Clock::new();
    let (wire, near, far) = Wire::new(&clock, WireConfig::default());
    let hardware = Hardware::new(near, config);
    let (mac, bench) = mac(
        (&clock, &wire, Station::new(far)),
        (hardware, None),
        Nobody,
        (depth, len),
    );
    let cable = Cable {
        wire,
        link: Link::Down,
        due: Duration::ZERO,
    };
    let nic = MacPhy::new(mac, cable, now(&clock)).unwrap();
    (nic, bench)
}

/// As it should be built: an interrupt handler and a few buffers.
struct Queued;

impl Fixture for Queued {
    type Device = Nic<8, 4>;
    type FarEnd = Bench;

    fn new() -> (Self::Device, Bench) {
        nic(OneShotConfig::default().with_stray_byte(0.3), 7, 1536)
    }
}

conformance!(queued, Queued; lending, control, rearm);

/// The least that it can be: no handler, two buffers to receive into, one to send from, no VLAN tags.
struct Polled;

impl Fixture for Polled {
    type Device = Nic<2, 1>;
    type FarEnd = Bench;

    fn new() -> (Self::Device, Bench) {
        nic(OneShotConfig::default().with_stray_byte(0.3), 0, 1520)
    }
}

conformance!(polled, Polled; lending, control, rearm);

/// A whole port: with a LAN8720A, its interrupt wired, and a partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac<8, 4, SimMdio>, Now, PinLine<IntPin>>;
    type FarEnd = Bench;

    fn new() -> (Self::Device, Bench) {
        let clock = Clock::new();
        let (wire, near, far) = Wire::new(&clock, WireConfig::default());
        let straps = PhyStraps::default().with_address(1);
        let phy = Lan8720Chip::with_partner(&clock, near, straps, Partner::default());
        let hardware = Hardware::new(phy.rmii(), OneShotConfig::default().with_stray_byte(0.3));
        let (mdio, line) = (phy.mdio(), PinLine(phy.int_pin()));
        let (mac, bench) = mac(
            (&clock, &wire, Station::new(far)),
            (hardware, Some(phy)),
            mdio,
            (7, 1536),
        );
        let driver = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new().with_interrupt(true));
        let mut nic = MacPhy::new(mac, driver, now(&clock)).unwrap().with_phy_line(line);
        // Auto-negotiation takes its time.
        for _ in 0..100 {
            if nic.service().unwrap().link_changed {
                break;
            }
            clock.advance(Duration::from_millis(100));
        }
        (nic, bench)
    }
}

conformance!(port, Port; lending, control, rearm);
