//! The reference memory device of `ethdev-sim` through the table of functions of the C header.

mod support;

use std::sync::Arc;

use ethdev::{MacAddress, Speed};
use ethdev_conformance::{Fixture, WirePeer, conformance};
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_util::IrqSignal;

use support::sys_handle::Handle;
use support::{export, sys_single_thread::SingleThread};

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);

fn fixture(config: RingConfig, wire: WireConfig) -> (Handle, WirePeer) {
    let clock = Clock::new();
    // One that the device signals, and that the handle waits on.
    let irq: &'static IrqSignal = Box::leak(Box::default());
    let config = config.with_irq_signal(irq);
    let (wire, nic, peer) = RingNic::with_peer(&clock, wire, config);
    let (stall, fault, length, chip) = (nic.hardware(), nic.hardware(), nic.hardware(), nic.hardware());
    let far = WirePeer::new(clock, wire, peer)
        .with_stall_tx(move |stalled| stall.stall_tx(stalled))
        .with_inject_fault(move || fault.inject_fault())
        .with_override_rx_len(move |len| length.override_rx_len(len))
        .with_accesses(
            |watcher| nic.hardware().watch_accesses(watcher),
            move |frame| chip.inject_rx(frame),
        );
    let handle = export(SingleThread::new(nic), irq);
    // The suite waits for what the function of `ethdev_set_signal` signals.
    let signaled = Arc::new(IrqSignal::new());
    handle.signal_to(Arc::clone(&signaled));
    (handle, far.with_irq_signal(signaled))
}

const MISSING: Option<&'static [&'static str]> = Some(&["fail_bus", "fail_bus_at"]);

/// The default configuration.
struct Ring;

impl Fixture for Ring {
    type Device = Handle;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (Handle, WirePeer) {
        fixture(RingConfig::new(ADDRESS), WireConfig::default())
    }
}

conformance!(handle, Ring; control, rearm);

/// One descriptor in each direction, a slow wire.
struct SmallRing;

impl Fixture for SmallRing {
    type Device = Handle;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (Handle, WirePeer) {
        let config = RingConfig::new(ADDRESS).with_slots(1, 1);
        fixture(config, WireConfig::default().with_speed(Speed::MBPS_10))
    }
}

conformance!(handle_small, SmallRing; control, rearm);
