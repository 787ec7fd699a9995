//! The contract, line by line: of the MAC alone, on a bare wire, told its link; and of a whole port, with a LAN8720A.

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
type Nic<const RX: usize, const TX: usize> = EthernetPort<Mac<RX, TX, Nobody>, CablePhy, Now>;

/// The MAC over this hardware, stopped, and the far end of its cable.
fn mac<const RX: usize, const TX: usize, M: Mdio>(
    (clock, wire, station): (&Clock, &Wire, Peer),
    (hardware, phy): (Hardware, Option<Lan8720Chip>),
    mdio: M,
    (depth, len): (usize, usize),
) -> (Mac<RX, TX, M>, WirePeer) {
    let irq_signal = Arc::new(IrqSignal::new());
    let bell = irq_signal.clone();
    let bell = move || bell.signal();
    if let Some(phy) = &phy {
        phy.on_int_falling(bell.clone());
    }
    let (rx, tx, shared) = match depth {
        0 => polled(&hardware, bell),
        _ => queued(&hardware, depth, bell),
    };
    let mac = SoftMac::new((rx, tx), mdio, now(clock), ADDRESS, buffers(len), buffers(len)).unwrap();
    let (stall, forge, watched) = (hardware.clone(), hardware.clone(), hardware.clone());
    let end = WirePeer::new(clock.clone(), wire.clone(), station)
        .with_stall_tx(move |stalled| stall.hold_tx(stalled))
        .with_fault(move || shared.broken.set(true))
        .with_forged_lengths(move |len| forge.override_rx_len(len))
        .with_accesses_and_wire(|watcher| watched.on_access(watcher))
        .with_irq_signal(irq_signal)
        // The PHY's line is another one.
        .with_masks_by_source(phy.is_none())
        .with_link_interrupts(phy.is_some())
        .with_last_look(move || {
            no_misuse("port", &hardware.take_violations());
            no_misuse("PHY", &phy.as_ref().map_or_else(Vec::new, Lan8720Chip::take_violations));
        });
    (mac, end)
}

fn nic<const RX: usize, const TX: usize>(config: RmiiPortConfig, depth: usize, len: usize) -> (Nic<RX, TX>, WirePeer) {
    let clock = Clock::new();
    let (wire, near, far) = Wire::new(&clock, WireConfig::default());
    let hardware = Hardware::new(near, config);
    let (mac, end) = mac((&clock, &wire, Peer::new(far)), (hardware, None), Nobody, (depth, len));
    let cable = CablePhy::new(&wire);
    let nic = EthernetPort::new(mac, cable, now(&clock)).unwrap();
    (nic, end)
}

/// As it should be built: an interrupt handler and a few buffers.
struct Queued;

impl Fixture for Queued {
    type Device = Nic<8, 4>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        nic(RmiiPortConfig::default().with_stray_byte(0.3), 7, 1536)
    }
}

conformance!(queued, Queued; lending, control, rearm);

/// The least that it can be: no handler, two buffers to receive into, one to send from, no VLAN tags.
struct Polled;

impl Fixture for Polled {
    type Device = Nic<2, 1>;
    type LinkPeer = WirePeer;

    fn new() -> (Self::Device, WirePeer) {
        nic(RmiiPortConfig::default().with_stray_byte(0.3), 0, 1520)
    }
}

conformance!(polled, Polled; lending, control, rearm);

/// A whole port: with a LAN8720A, its interrupt wired, and a partner that negotiates.
struct Port;

impl Fixture for Port {
    type Device = Lan8720<Mac<8, 4, SimMdio>, Now, IrqPin<IntPin>>;
    type LinkPeer = WirePeer;

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
        // Auto-negotiation takes its time.
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
