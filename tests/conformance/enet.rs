//! The driver of the NXP ENET on the model of its chip, over memory that is as incoherent as it can be.
//!
//! Every fixture ends with a look at what the models have to complain about: a check that passed with misuse of a chip is a failed check.

use std::sync::Arc;
use std::time::Duration;

use ethdev::frame::FCS_LEN;
use ethdev::mdio::{Mdio, PhyAddress};
use ethdev::phy::{Abilities, Phy, PhyError, PhyEvent};
use ethdev::{Doorbell, EthernetDevice as _, Link, MacAddress, Speed};
use ethdev_examples::lab::enet::{Memory, Registers};
use ethdev_lan8720::mac::dma::HostMemory;
use ethdev_lan8720::mac::enet::{Config, Enet, Rings};
use ethdev_lan8720::{Lan8720, Lan8720Phy, MacPhy, PhyConfig, PinLine};
use ethdev_sim::chip::enet::{ChipConfig, EnetChip};
use ethdev_sim::chip::lan8720::{IntPin, Lan8720Chip, Partner, PhyStraps};
use ethdev_sim::conformance::{FarEnd, Fixture, Loss, Power, WireEnd};
use ethdev_sim::{Clock, SimDelay, Station, Wire, WireConfig, conformance};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);

type Mac = Enet<Registers, SimDelay, HostMemory>;
/// Virtual time, for a PHY.
type Now = Box<dyn FnMut() -> Duration>;

fn now(clock: &Clock) -> Now {
    let clock = clock.clone();
    Box::new(move || clock.now())
}

/// A link without a PHY: the wire itself is looked at.
struct Cable {
    wire: Wire,
    link: Link,
    due: Duration,
}

impl Cable {
    const INTERVAL: Duration = Duration::from_millis(1);
}

impl Phy for Cable {
    fn start<M: Mdio + ?Sized>(&mut self, _: &mut M, _: Abilities, _: Duration) -> Result<(), PhyError<M::Error>> {
        Ok(())
    }

    fn poll<M: Mdio + ?Sized>(&mut self, _: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        self.due = now + Self::INTERVAL;
        let link = self.wire.link();
        if core::mem::replace(&mut self.link, link) == link {
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

/// The far end of the cable, and the models' other sides.
struct End {
    wire: WireEnd,
    chip: EnetChip,
    phy: Option<Lan8720Chip>,
}

impl End {
    fn new(clock: Clock, wire: Wire, peer: Station, chip: EnetChip, phy: Option<Lan8720Chip>) -> Self {
        let doorbell = Arc::new(Doorbell::new());
        let bell = doorbell.clone();
        chip.on_interrupt(move || bell.ring());
        if let Some(phy) = &phy {
            let bell = doorbell.clone();
            phy.on_int_falling(move || bell.ring());
        }
        let (stall, fault, forge, watched, late) =
            (chip.clone(), chip.clone(), chip.clone(), chip.clone(), chip.clone());
        let wire = WireEnd::new(clock, wire, peer)
            .with_stall_tx(move |stalled| stall.stall_tx(stalled))
            .with_fault(move || fault.bus_error())
            // The chip's lengths count the FCS.
            .with_forged_lengths(move |len| forge.forge_rx_length(u16::try_from(len + FCS_LEN).unwrap_or(u16::MAX)))
            .with_accesses(|watcher| watched.on_access(watcher), move |frame| late.inject_rx(frame))
            .with_doorbell(doorbell);
        Self { wire, chip, phy }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let misuse = self.chip.take_violations();
        assert!(
            misuse.is_empty() || std::thread::panicking(),
            "the driver misused the MAC {} times, first: {}",
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

impl FarEnd for End {
    fn peer_send(&mut self, frame: &[u8]) {
        self.wire.peer_send(frame);
    }

    fn peer_recv(&mut self) -> Option<Vec<u8>> {
        self.wire.peer_recv()
    }

    fn advance(&mut self, by: Duration) {
        self.wire.advance(by);
    }

    fn unreported(&self) -> &'static [Loss] {
        // The MAC drops these without a trace.
        &[Loss::Filtered]
    }

    fn set_link(&mut self, up: bool) -> Power {
        self.wire.set_link(up)
    }

    fn stall_tx(&mut self, stalled: bool) -> Power {
        self.wire.stall_tx(stalled)
    }

    fn peer_send_raw(&mut self, bytes: &[u8]) -> Power {
        self.wire.peer_send_raw(bytes)
    }

    fn forge_rx_length(&mut self, len: usize) -> Power {
        self.wire.forge_rx_length(len)
    }

    fn inject_fault(&mut self) -> Power {
        self.wire.inject_fault()
    }

    fn now(&self) -> Power<Duration> {
        self.wire.now()
    }

    fn accesses(&self) -> Power<u64> {
        self.wire.accesses()
    }

    fn peer_send_before_access(&mut self, nth: u32, frame: &[u8]) -> Power {
        self.wire.peer_send_before_access(nth, frame)
    }

    fn doorbell(&self) -> Power<Arc<Doorbell>> {
        self.wire.doorbell()
    }

    fn masks_by_source(&self) -> bool {
        // The PHY's line is another one.
        self.phy.is_none()
    }

    fn link_interrupts(&self) -> bool {
        self.phy.is_some()
    }
}

/// The MAC with rings of this size, and its chip.
fn mac<const RX: usize, const TX: usize>(config: Config, chip: impl FnOnce(Memory) -> EnetChip) -> (Mac, EnetChip) {
    let memory = HostMemory::new();
    let chip = chip(Memory(memory.clone()));
    let rings: &'static mut Rings<RX, TX> = Box::leak(Box::new(Rings::new()));
    let mac =
        Enet::with_dma(Registers(chip.clone()), rings, chip.delay(), memory, config).expect("the MAC does not start");
    (mac, chip)
}

fn bare<const RX: usize, const TX: usize>(config: Config, wire: WireConfig) -> (MacPhy<Mac, Cable, Now>, End) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, wire);
    let (mac, chip) = mac::<RX, TX>(config, |memory| EnetChip::new(port, memory, ChipConfig::default()));
    let cable = Cable {
        wire: wire.clone(),
        link: Link::Down,
        due: Duration::ZERO,
    };
    let device = MacPhy::new(mac, cable, now(&clock)).expect("the port does not start");
    let end = End::new(clock, wire, Station::new(peer), chip, None);
    (device, end)
}

const CONFIG: Config = Config::new(ADDRESS, 66_000_000);

/// The MAC alone, told its link.
struct Bare;

impl Fixture for Bare {
    type Device = MacPhy<Mac, Cable, Now>;
    type FarEnd = End;

    fn new() -> (Self::Device, End) {
        bare::<8, 4>(CONFIG, WireConfig::default())
    }
}

conformance!(bare, Bare; lending, control, rearm);

/// The smallest rings, 10 Mbit/s, VLAN tags.
struct Small;

impl Fixture for Small {
    type Device = MacPhy<Mac, Cable, Now>;
    type FarEnd = End;

    fn new() -> (Self::Device, End) {
        bare::<2, 2>(CONFIG.with_vlan(true), WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(small, Small; lending, control, rearm);

/// A whole port: with a LAN8720A, its interrupt wired, on a cable with a partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac, Now, PinLine<IntPin>>;
    type FarEnd = End;

    fn new() -> (Self::Device, End) {
        Self::with(Partner::default())
    }
}

impl Port {
    fn with(partner: Partner) -> (<Self as Fixture>::Device, End) {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let straps = PhyStraps::default().with_address(1);
        let phy = Lan8720Chip::with_partner(&clock, port, straps, partner);
        let (mac, chip) = mac::<8, 4>(CONFIG.with_pause(true), |memory| {
            EnetChip::with_phy(&phy, memory, ChipConfig::default())
        });
        let address = PhyAddress::new(1).expect("a PHY's address");
        let driver = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let mut device = MacPhy::new(mac, driver, now(&clock))
            .expect("the port does not start")
            .with_phy_line(PinLine(phy.int_pin()));
        // Auto-negotiation takes its time. Before that, a device is told once that the link came up.
        for _ in 0..100 {
            if device.service().expect("the port fails").link_changed {
                break;
            }
            clock.advance(Duration::from_millis(100));
        }
        (device, End::new(clock, wire, Station::new(peer), chip, Some(phy)))
    }
}

conformance!(port, Port; lending, control, rearm);

/// What the suite does not ask: that the mode of the link reaches the MAC. (The model of the PHY complains about every frame of another mode.)
#[test]
fn every_mode_of_the_link_reaches_the_mac() {
    for partner in Partner::all() {
        let (mut device, mut far) = Port::with(partner);
        for len in [60, 1514] {
            let frame = vec![0x55; len];
            device.send_frame(&frame).expect("the device fails");
            far.advance(Duration::from_millis(10));
            assert_eq!(far.peer_recv(), Some(frame), "{partner:?}");
        }
    }
}
