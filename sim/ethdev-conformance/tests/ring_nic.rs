//! The reference memory device of `ethdev-sim`, on every API.

use std::sync::Arc;

use ethdev::{MacAddress, MaxFrameLen, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, WirePeer};
use ethdev_sim::{Clock, FaultPlan, Faulty, RingConfig, RingNic, Trigger, WireConfig};
use ethdev_util::IrqSignal;

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);

/// The reference memory device on a wire, with all features of the model of its chip.
fn ring(config: RingConfig, wire: WireConfig) -> (RingNic, WirePeer) {
    let clock = Clock::new();
    let irq_signal = Arc::new(IrqSignal::new());
    let config = config.with_irq_signal(Arc::clone(&irq_signal));
    let (wire, nic, peer) = RingNic::with_peer(&clock, wire, config);
    let (stall, fault, forge, chip) = (nic.hardware(), nic.hardware(), nic.hardware(), nic.hardware());
    let far = WirePeer::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_inject_fault(move || fault.inject_fault())
        .with_override_rx_len(move |len| forge.override_rx_len(len))
        .with_accesses(
            |watcher| nic.hardware().watch_accesses(watcher),
            move |frame| chip.inject_rx(frame),
        )
        .with_irq_signal(irq_signal);
    (nic, far)
}

/// The default configuration.
struct Ring;

impl Fixture for Ring {
    type Device = RingNic;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

    fn new() -> (RingNic, WirePeer) {
        ring(RingConfig::new(ADDRESS), WireConfig::default())
    }
}

conformance!(ring_nic, Ring; lending, control, rearm);

/// The minimum: one descriptor in each direction, a slow wire, and a level-triggered interrupt.
struct SmallRing;

impl Fixture for SmallRing {
    type Device = RingNic;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

    fn new() -> (RingNic, WirePeer) {
        let config = RingConfig::new(ADDRESS).with_slots(1, 1).with_trigger(Trigger::Level);
        ring(config, WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(ring_nic_small, SmallRing; lending, control, rearm);

/// Frames with a VLAN tag.
struct VlanRing;

impl Fixture for VlanRing {
    type Device = RingNic;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

    fn new() -> (RingNic, WirePeer) {
        let config = RingConfig::new(ADDRESS).with_max_frame_len(MaxFrameLen::VLAN);
        ring(config, WireConfig::default())
    }
}

conformance!(ring_nic_vlan, VlanRing; lending, control, rearm);

/// The fault injector with no fault to inject is transparent.
struct Faultless;

impl Fixture for Faultless {
    type Device = Faulty<RingNic>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

    fn new() -> (Faulty<RingNic>, WirePeer) {
        let (nic, far) = Ring::new();
        (Faulty::new(nic, FaultPlan::new()), far)
    }
}

conformance!(faultless, Faultless; lending, control, rearm);
