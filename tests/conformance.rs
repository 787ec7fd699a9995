//! Every simulated device of this repository, on every surface, against every line of the contracts. (The TAP device: see `linux_tap`.)

#[path = "conformance/cyw43.rs"]
mod cyw43;
#[path = "conformance/enc28j60.rs"]
mod enc28j60;
#[path = "conformance/enc28j60_bridge.rs"]
mod enc28j60_bridge;
#[path = "conformance/enet.rs"]
mod enet;
#[path = "conformance/lan9118.rs"]
mod lan9118;
#[path = "conformance/support.rs"]
mod support;

use std::sync::Arc;

use ethdev::{MacAddress, MaxFrameLen, Speed};
use ethdev_conformance::conformance;
use ethdev_conformance::{Fixture, WireEnd};
use ethdev_sim::{Clock, FaultPlan, Faulty, RingConfig, RingNic, Trigger, WireConfig};
use ethdev_util::Doorbell;

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);

/// The reference memory device on a wire, with everything that the model of its chip can do.
fn ring(config: RingConfig, wire: WireConfig) -> (RingNic, WireEnd) {
    let clock = Clock::new();
    let doorbell = Arc::new(Doorbell::new());
    let config = config.with_doorbell(Arc::clone(&doorbell));
    let (wire, nic, station) = RingNic::with_station(&clock, wire, config);
    let (stall, fault, forge, chip) = (nic.hardware(), nic.hardware(), nic.hardware(), nic.hardware());
    let far = WireEnd::new(clock, wire, station)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_fault(move || fault.inject_fault())
        .with_forged_lengths(move |len| forge.forge_rx_length(len))
        .with_accesses(
            |watcher| nic.hardware().watch_accesses(watcher),
            move |frame| chip.inject_rx(frame),
        )
        .with_doorbell(doorbell);
    (nic, far)
}

/// As it is by default.
struct Ring;

impl Fixture for Ring {
    type Device = RingNic;
    type FarEnd = WireEnd;

    fn new() -> (RingNic, WireEnd) {
        ring(RingConfig::new(ADDRESS), WireConfig::default())
    }
}

conformance!(ring_nic, Ring; lending, control, rearm);

/// The least that it can be: one descriptor each way, a slow wire, and a level-triggered interrupt.
struct SmallRing;

impl Fixture for SmallRing {
    type Device = RingNic;
    type FarEnd = WireEnd;

    fn new() -> (RingNic, WireEnd) {
        let config = RingConfig::new(ADDRESS).with_slots(1, 1).with_trigger(Trigger::Level);
        ring(config, WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(ring_nic_small, SmallRing; lending, control, rearm);

/// Frames with a VLAN tag.
struct VlanRing;

impl Fixture for VlanRing {
    type Device = RingNic;
    type FarEnd = WireEnd;

    fn new() -> (RingNic, WireEnd) {
        let config = RingConfig::new(ADDRESS).with_max_frame_len(MaxFrameLen::VLAN);
        ring(config, WireConfig::default())
    }
}

conformance!(ring_nic_vlan, VlanRing; lending, control, rearm);

/// The fault injector with no fault to inject is transparent.
struct Faultless;

impl Fixture for Faultless {
    type Device = Faulty<RingNic>;
    type FarEnd = WireEnd;

    fn new() -> (Faulty<RingNic>, WireEnd) {
        let (nic, far) = Ring::new();
        (Faulty::new(nic, FaultPlan::new()), far)
    }
}

conformance!(faultless, Faultless; lending, control, rearm);
