//! The memory NIC as the driver of embassy-net, and that driver as a device: both directions of the
//! adapter, one behind the other.

use std::sync::Arc;

use ethdev::MacAddress;
use ethdev_conformance::{Fixture, WirePeer, conformance};
use ethdev_embassy::{EmbassyDevice, EmbassyDriver, State};
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_util::{IrqDevice, IrqSignal};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);

struct RoundTrip;

impl Fixture for RoundTrip {
    type Device = EmbassyDevice<'static, EmbassyDriver<'static, 'static, IrqDevice<'static, RingNic>>>;
    type LinkPeer = WirePeer;
    /// What does not pass the trait of embassy-net: management, and the lengths of the queues.
    /// Accesses are not counted: a poll of a driver is a whole turn, which services the device.
    const MISSING: Option<&'static [&'static str]> = Some(&[
        "accesses",
        "fail_bus",
        "fail_bus_at",
        "inject_fault",
        "override_rx_len",
        "peer_send_before_access",
        "recover",
        "rx_queue_frames",
        "set_link_before_access",
        "set_mac_address",
        "set_rx_filter",
        "sleep",
        "stop",
        "tx_queue_frames",
        "wake",
    ]);

    fn new() -> (Self::Device, WirePeer) {
        let clock = Clock::new();
        let irq_signal = Arc::new(IrqSignal::new());
        let config = RingConfig::new(ADDRESS).with_irq_signal(Arc::clone(&irq_signal));
        let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
        let hardware = nic.hardware();
        let peer = WirePeer::new(clock, wire, peer).with_stall_tx(move |stalled| hardware.stall_tx(stalled));
        // A few kilobytes a check are leaked.
        let irq_signal: &'static Arc<IrqSignal> = Box::leak(Box::new(irq_signal));
        let [reply, next] = [0; 2].map(|_| Box::leak(Box::new([0; 1514])));
        let state = State::new(IrqDevice::new(nic, irq_signal), reply).expect("the NIC works");
        let (driver, _) = Box::leak(Box::new(state)).split();
        (EmbassyDevice::queued(driver, next).expect("an Ethernet driver"), peer)
    }
}

conformance!(round_trip, RoundTrip; control, poll_ready);
