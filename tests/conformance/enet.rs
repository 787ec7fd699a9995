//! The driver of the NXP ENET on the model of its chip, over memory that is as incoherent as it can be.
//!
//! Every fixture ends with a look at what the models have to complain about: a check that passed with misuse of a chip is a failed check.

use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::frame::FCS_LEN;
use ethdev::{EthernetDevice as _, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer as _, Loss, WirePeer};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_examples::lab::enet::{Memory, Registers};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::dma::HostMemory;
use ethdev_phy::mdio::PhyAddress;
use ethdev_phy::{EthernetPort, IrqPin};
use ethdev_sim::{Clock, Peer, SimDelay, Wire, WireConfig};
use ethdev_util::IrqSignal;
use lan8720_model::{IntPin, Lan8720Chip, Partner, PhyStraps};
use nxp_enet_model::{ChipConfig, EnetChip};

use crate::support::{Now, no_misuse, now};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x60]);

type Mac = Enet<Registers, SimDelay, HostMemory>;

/// The far end of the cable, and the models' other sides.
fn far_end(clock: Clock, wire: Wire, peer: Peer, chip: EnetChip, phy: Option<Lan8720Chip>) -> WirePeer {
    let irq_signal = Arc::new(IrqSignal::new());
    let bell = irq_signal.clone();
    chip.on_interrupt(move || bell.signal());
    if let Some(phy) = &phy {
        let bell = irq_signal.clone();
        phy.on_int_falling(move || bell.signal());
    }
    let (stall, fault, forge, watched, late) = (chip.clone(), chip.clone(), chip.clone(), chip.clone(), chip.clone());
    WirePeer::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_fault(move || fault.bus_error())
        // The chip's lengths count the FCS.
        .with_forged_lengths(move |len| forge.override_rx_len(u16::try_from(len + FCS_LEN).unwrap_or(u16::MAX)))
        .with_accesses(|watcher| watched.on_access(watcher), move |frame| late.inject_rx(frame))
        .with_irq_signal(irq_signal)
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

fn bare<const RX: usize, const TX: usize>(
    config: Config,
    wire: WireConfig,
) -> (EthernetPort<Mac, CablePhy, Now>, WirePeer) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, wire);
    let (mac, chip) = mac::<RX, TX>(config, |memory| EnetChip::new(port, memory, ChipConfig::default()));
    let cable = CablePhy::new(&wire);
    let device = EthernetPort::new(mac, cable, now(&clock)).expect("the port does not start");
    let end = far_end(clock, wire, Peer::new(peer), chip, None);
    (device, end)
}

const CONFIG: Config = Config::new(ADDRESS, 66_000_000);

/// The MAC alone, told its link.
struct Bare;

impl Fixture for Bare {
    type Device = EthernetPort<Mac, CablePhy, Now>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        bare::<8, 4>(CONFIG, WireConfig::default())
    }
}

conformance!(bare, Bare; lending, control, rearm);

/// The smallest rings, 10 Mbit/s, VLAN tags.
struct Small;

impl Fixture for Small {
    type Device = EthernetPort<Mac, CablePhy, Now>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        bare::<2, 2>(CONFIG.with_vlan(true), WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(small, Small; lending, control, rearm);

/// A whole port: with a LAN8720A, its interrupt wired, on a cable with a partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac, Now, IrqPin<IntPin>>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        Self::with(Partner::default())
    }
}

impl Port {
    fn with(partner: Partner) -> (<Self as Fixture>::Device, WirePeer) {
        let clock = Clock::new();
        let (wire, port, peer) = Wire::new(&clock, WireConfig::default());
        let straps = PhyStraps::default().with_address(1);
        let phy = Lan8720Chip::with_partner(&clock, port, straps, partner);
        let (mac, chip) = mac::<8, 4>(CONFIG.with_pause(true), |memory| {
            EnetChip::with_phy(&phy, memory, ChipConfig::default())
        });
        let address = PhyAddress::new(1).expect("a PHY's address");
        let driver = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let mut device = EthernetPort::new(mac, driver, now(&clock))
            .expect("the port does not start")
            .with_phy_irq(IrqPin(phy.int_pin()));
        // Auto-negotiation takes its time. Before that, a device is told once that the link came up.
        for _ in 0..100 {
            if device.service().expect("the port fails").link_changed {
                break;
            }
            clock.advance(Duration::from_millis(100));
        }
        (device, far_end(clock, wire, Peer::new(peer), chip, Some(phy)))
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
