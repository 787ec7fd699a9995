//! The driver of the NXP ENET on the model of its chip, over memory that is as incoherent as it can be.
//!
//! Every fixture ends with a look at what the models have to complain about: a check that passed with misuse of a chip is a failed check.

use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::frame::FCS_LEN;
use ethdev::{EthernetDevice as _, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{FarEnd as _, Fixture, Loss, WireEnd};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_examples::lab::enet::{Memory, Registers};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::{MacPhy, PinLine};
use ethdev_sim::{Clock, SimDelay, Station, Wire, WireConfig};
use ethdev_util::Doorbell;
use lan8720_model::{IntPin, Lan8720Chip, Partner, PhyStraps};
use nxp_enet_model::{ChipConfig, EnetChip};

use crate::support::{Now, no_misuse, now};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);

type Mac = Enet<Registers, SimDelay, HostMemory>;

/// The far end of the cable, and the models' other sides.
fn far_end(clock: Clock, wire: Wire, peer: Station, chip: EnetChip, phy: Option<Lan8720Chip>) -> WireEnd {
    let doorbell = Arc::new(Doorbell::new());
    let bell = doorbell.clone();
    chip.on_interrupt(move || bell.ring());
    if let Some(phy) = &phy {
        let bell = doorbell.clone();
        phy.on_int_falling(move || bell.ring());
    }
    let (stall, fault, forge, watched, late) = (chip.clone(), chip.clone(), chip.clone(), chip.clone(), chip.clone());
    WireEnd::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_fault(move || fault.bus_error())
        // The chip's lengths count the FCS.
        .with_forged_lengths(move |len| forge.forge_rx_length(u16::try_from(len + FCS_LEN).unwrap_or(u16::MAX)))
        .with_accesses(|watcher| watched.on_access(watcher), move |frame| late.inject_rx(frame))
        .with_doorbell(doorbell)
        // The MAC drops these without a trace.
        .with_unreported(&[Loss::Filtered])
        // The PHY's line is another one.
        .with_masks_by_source(phy.is_none())
        .with_link_interrupts(phy.is_some())
        .with_last_look(move || {
            no_misuse("MAC", &chip.take_violations());
            no_misuse("PHY", &phy.as_ref().map_or_else(Vec::new, Lan8720Chip::take_violations));
        })
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

fn bare<const RX: usize, const TX: usize>(config: Config, wire: WireConfig) -> (MacPhy<Mac, CablePhy, Now>, WireEnd) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, wire);
    let (mac, chip) = mac::<RX, TX>(config, |memory| EnetChip::new(port, memory, ChipConfig::default()));
    let cable = CablePhy::new(&wire);
    let device = MacPhy::new(mac, cable, now(&clock)).expect("the port does not start");
    let end = far_end(clock, wire, Station::new(peer), chip, None);
    (device, end)
}

const CONFIG: Config = Config::new(ADDRESS, 66_000_000);

/// The MAC alone, told its link.
struct Bare;

impl Fixture for Bare {
    type Device = MacPhy<Mac, CablePhy, Now>;
    type FarEnd = WireEnd;

    fn new() -> (Self::Device, WireEnd) {
        bare::<8, 4>(CONFIG, WireConfig::default())
    }
}

conformance!(bare, Bare; lending, control, rearm);

/// The smallest rings, 10 Mbit/s, VLAN tags.
struct Small;

impl Fixture for Small {
    type Device = MacPhy<Mac, CablePhy, Now>;
    type FarEnd = WireEnd;

    fn new() -> (Self::Device, WireEnd) {
        bare::<2, 2>(CONFIG.with_vlan(true), WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(small, Small; lending, control, rearm);

/// A whole port: with a LAN8720A, its interrupt wired, on a cable with a partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac, Now, PinLine<IntPin>>;
    type FarEnd = WireEnd;

    fn new() -> (Self::Device, WireEnd) {
        Self::with(Partner::default())
    }
}

impl Port {
    fn with(partner: Partner) -> (<Self as Fixture>::Device, WireEnd) {
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
        (device, far_end(clock, wire, Station::new(peer), chip, Some(phy)))
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
