//! The conformance suite on the MAC without a PHY, and on a port with a LAN8720A.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cable_phy_model::CablePhy;
use ethdev::{ErrorKind, EthernetDevice, MacAddress};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, WirePeer};
use ethdev_lan8720::{Lan8720, Lan8720Phy, PhyConfig};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::{EthernetPort, IrqPin};
use ethdev_rmii::SoftMac;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};
use ethdev_util::IrqSignal;
use lan8720_model::{IntPin, Lan8720Chip, Partner, PhyStraps, SimMdio};
use rmii_port_model::RmiiPortConfig;

use crate::ports::{Hardware, Rx, Tx, buffers, polled, queued};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x87]);

/// An MDIO bus without a PHY.
struct NoPhy;

impl Mdio for NoPhy {
    type Error = ErrorKind;

    fn read(&mut self, _: PhyAddress, _: RegisterAddress) -> Result<u16, ErrorKind> {
        Ok(0xffff)
    }

    fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> {
        Ok(())
    }
}

fn no_misuse<V: fmt::Display>(of: &str, violations: &[V]) {
    if let Some(first) = violations.first() {
        panic!("the driver misused the {of} {} times, first: {first}", violations.len());
    }
}

type Now = Box<dyn FnMut() -> Duration>;

fn now(clock: &Clock) -> Now {
    let clock = clock.clone();
    Box::new(move || clock.now())
}

type Mac<const RX: usize, const TX: usize, M> = SoftMac<Rx, Tx, M, Now, RX, TX>;
type Nic<const RX: usize, const TX: usize> = EthernetPort<Mac<RX, TX, NoPhy>, CablePhy, Now>;

/// A stopped MAC over this hardware, and its link peer.
fn mac<const RX: usize, const TX: usize, M: Mdio>(
    (clock, wire, peer): (&Clock, &Wire, Peer),
    (hardware, phy): (Hardware, Option<Lan8720Chip>),
    mdio: M,
    (depth, len): (usize, usize),
) -> (Mac<RX, TX, M>, WirePeer) {
    let irq_signal = Arc::new(IrqSignal::new());
    let signal = irq_signal.clone();
    let signal = move || signal.signal();
    if let Some(phy) = &phy {
        phy.on_int_falling(signal.clone());
    }
    let (rx, tx, shared) = match depth {
        0 => polled(&hardware, signal),
        _ => queued(&hardware, depth, signal),
    };
    let mac = SoftMac::new((rx, tx), mdio, now(clock), ADDRESS, buffers(len), buffers(len)).unwrap();
    let (stall, forge, watched) = (hardware.clone(), hardware.clone(), hardware.clone());
    let end = WirePeer::new(clock.clone(), wire.clone(), peer)
        .with_stall_tx(move |stalled| stall.hold_tx(stalled))
        .with_inject_fault(move || shared.broken.set(true))
        .with_override_rx_len(move |len| forge.override_rx_len(len))
        .with_accesses_and_wire(|watcher| watched.on_access(watcher))
        .with_irq_signal(irq_signal)
        // The interrupt of the PHY is another line.
        .with_masks_by_source(phy.is_none())
        .with_link_interrupts(phy.is_some())
        .with_final_check(move || {
            no_misuse("port", &hardware.take_violations());
            no_misuse("PHY", &phy.as_ref().map_or_else(Vec::new, Lan8720Chip::take_violations));
        });
    (mac, end)
}

fn nic<const RX: usize, const TX: usize>(config: RmiiPortConfig, depth: usize, len: usize) -> (Nic<RX, TX>, WirePeer) {
    let clock = Clock::new();
    let (wire, near, far) = Wire::new(&clock, WireConfig::default());
    let hardware = Hardware::new(near, config);
    let (mac, end) = mac((&clock, &wire, Peer::new(far)), (hardware, None), NoPhy, (depth, len));
    let cable = CablePhy::new(&wire);
    let nic = EthernetPort::new(mac, cable, now(&clock)).unwrap();
    (nic, end)
}

/// A port with an interrupt handler and several buffers.
struct Queued;

impl Fixture for Queued {
    type Device = Nic<8, 4>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Self::Device, WirePeer) {
        nic(RmiiPortConfig::default().with_stray_byte(0.3), 7, 1536)
    }
}

conformance!(queued, Queued; lending, control, rearm);

/// The minimum: a polled port, two receive buffers, one transmit buffer, no VLAN tags.
struct Polled;

impl Fixture for Polled {
    type Device = Nic<2, 1>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "link_interrupts"]);

    fn new() -> (Self::Device, WirePeer) {
        nic(RmiiPortConfig::default().with_stray_byte(0.3), 0, 1520)
    }
}

conformance!(polled, Polled; lending, control, rearm);

/// A port with a LAN8720A whose interrupt is connected, and a link partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac<8, 4, SimMdio>, Now, IrqPin<IntPin>>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at", "masks_by_source"]);

    fn new() -> (Self::Device, WirePeer) {
        let clock = Clock::new();
        let (wire, near, far) = Wire::new(&clock, WireConfig::default());
        let straps = PhyStraps::default().with_address(1);
        let phy = Lan8720Chip::with_partner(&clock, near, straps, Partner::default());
        let hardware = Hardware::new(phy.rmii(), RmiiPortConfig::default().with_stray_byte(0.3));
        let (mdio, line) = (phy.mdio(), IrqPin(phy.int_pin()));
        let (mac, end) = mac((&clock, &wire, Peer::new(far)), (hardware, Some(phy)), mdio, (7, 1536));
        let driver = Lan8720Phy::new(PhyAddress::from_low_bits(1), PhyConfig::new().with_interrupt(true));
        let mut nic = EthernetPort::new(mac, driver, now(&clock)).unwrap().with_phy_irq(line);
        // Waits for auto-negotiation.
        for _ in 0..100 {
            if nic.service().unwrap().link_changed {
                break;
            }
            clock.advance(Duration::from_millis(100));
        }
        (nic, end)
    }
}

conformance!(port, Port; lending, control, rearm);
