//! The driver of the NXP ENET on the model of the MAC, with incoherent memory.
//!
//! A check also fails if a model recorded a protocol violation.

use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::frame::FCS_LEN;
use ethdev::{EthernetDevice as _, MacAddress, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, LinkPeer as _, WirePeer};
use ethdev_enet::{Config, Enet, Rings};
use ethdev_examples::testbed::enet::{Memory, Registers};
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

/// The link peer, with the hooks of the models.
fn link_peer(clock: Clock, wire: Wire, peer: Peer, chip: EnetChip, phy: Option<Lan8720Chip>) -> WirePeer {
    let irq_signal = Arc::new(IrqSignal::new());
    let signal = irq_signal.clone();
    chip.on_interrupt(move || signal.signal());
    if let Some(phy) = &phy {
        let signal = irq_signal.clone();
        phy.on_int_falling(move || signal.signal());
    }
    let (stall, fault, forge, watched, late) = (chip.clone(), chip.clone(), chip.clone(), chip.clone(), chip.clone());
    WirePeer::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_inject_fault(move || fault.inject_bus_error())
        // Lengths in descriptors include the FCS.
        .with_override_rx_len(move |len| forge.override_rx_len(u16::try_from(len + FCS_LEN).unwrap_or(u16::MAX)))
        .with_accesses(|watcher| watched.on_access(watcher), move |frame| late.inject_rx(frame))
        .with_irq_signal(irq_signal)
        // The interrupt of the PHY is another line.
        .with_masks_by_source(phy.is_none())
        .with_link_interrupts(phy.is_some())
        .with_final_check(move || {
            no_misuse("MAC", &chip.take_violations());
            no_misuse("PHY", &phy.as_ref().map_or_else(Vec::new, Lan8720Chip::take_violations));
        })
}

/// A MAC with rings of this size, and its model.
fn mac<const RX: usize, const TX: usize>(config: Config, chip: impl FnOnce(Memory) -> EnetChip) -> (Mac, EnetChip) {
    let memory = HostMemory::new();
    let chip = chip(Memory(memory.clone()));
    let rings: &'static mut Rings<RX, TX> = Box::leak(Box::new(Rings::new()));
    let mac = Enet::with_dma(Registers(chip.clone()), rings, chip.delay(), memory, config).expect("new failed");
    (mac, chip)
}

fn bare<const RX: usize, const TX: usize>(
    config: Config,
    wire: WireConfig,
) -> (EthernetPort<Mac, CablePhy, Now>, WirePeer) {
    let clock = Clock::new();
    let (wire, port, end) = Wire::new(&clock, wire);
    let (mac, chip) = mac::<RX, TX>(config, |memory| EnetChip::new(port, memory, ChipConfig::default()));
    let cable = CablePhy::new(&wire);
    let device = EthernetPort::new(mac, cable, now(&clock)).expect("new failed");
    let peer = link_peer(clock, wire, Peer::new(end), chip, None);
    (device, peer)
}

const CONFIG: Config = Config::new(ADDRESS, 66_000_000);

/// The MAC without a PHY.
struct Bare;

impl Fixture for Bare {
    type Device = EthernetPort<Mac, CablePhy, Now>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Self::Device, WirePeer) {
        bare::<8, 4>(CONFIG, WireConfig::default())
    }
}

conformance!(bare, Bare; lending, control, rearm);

/// The shortest rings, 10 Mbit/s, VLAN tags.
struct Small;

impl Fixture for Small {
    type Device = EthernetPort<Mac, CablePhy, Now>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Self::Device, WirePeer) {
        bare::<2, 2>(CONFIG.with_vlan(true), WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(small, Small; lending, control, rearm);

/// A port with a LAN8720A whose interrupt is connected, and a link partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac, Now, IrqPin<IntPin>>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "masks_by_source"]);

    fn new() -> (Self::Device, WirePeer) {
        Self::with(Partner::default())
    }
}

impl Port {
    fn with(partner: Partner) -> (<Self as Fixture>::Device, WirePeer) {
        let clock = Clock::new();
        let (wire, port, end) = Wire::new(&clock, WireConfig::default());
        let straps = PhyStraps::default().with_address(1);
        let phy = Lan8720Chip::with_partner(&clock, port, straps, partner);
        let (mac, chip) = mac::<8, 4>(CONFIG.with_pause(true), |memory| {
            EnetChip::with_phy(&phy, memory, ChipConfig::default())
        });
        let address = PhyAddress::new(1).expect("an address below 32");
        let driver = Lan8720Phy::new(address, PhyConfig::new().with_interrupt(true));
        let mut device = EthernetPort::new(mac, driver, now(&clock))
            .expect("new failed")
            .with_phy_irq(IrqPin(phy.int_pin()));
        // Waits for auto-negotiation.
        for _ in 0..100 {
            if device.service().expect("service failed").link_changed {
                break;
            }
            clock.advance(Duration::from_millis(100));
        }
        (device, link_peer(clock, wire, Peer::new(end), chip, Some(phy)))
    }
}

conformance!(port, Port; lending, control, rearm);

/// Not part of the suite. The model of the PHY records each frame in another mode as a violation.
#[test]
fn send_frame_any_link_partner_uses_negotiated_mode() {
    for partner in Partner::all() {
        let (mut device, mut peer) = Port::with(partner);
        for len in [60, 1514] {
            let frame = vec![0x55; len];
            device.send_frame(&frame).expect("send_frame failed");
            peer.advance(Duration::from_millis(10));
            assert_eq!(peer.peer_recv(), Some(frame), "{partner:?}");
        }
    }
}
