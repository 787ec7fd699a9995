//! embassy-net-driver-channel. Its runner is fed by the memory NIC.

use std::time::Duration;

use embassy_net_driver::{HardwareAddress, LinkState};
use embassy_net_driver_channel::{Device, Runner, State};
use ethdev::{EthernetDevice as _, MacAddress};
use ethdev_conformance::{Fixture, Suite, WirePeer};
use ethdev_embassy::EmbassyDevice;
use ethdev_sim::{Clock, RingConfig, RingNic, WireConfig};
use ethdev_util::asynch::{BlockingAsync, KeptWaker};

use crate::known::assert_fails_only;

const ADDRESS: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x01]);
const MTU: usize = 1514;

type ChannelDevice = EmbassyDevice<'static, Device<'static, MTU>>;

/// The driver task of a NIC.
struct Driver {
    nic: RingNic,
    runner: Runner<'static, MTU>,
}

impl Driver {
    fn run(&mut self) {
        if self.nic.service().expect("the NIC fails").link_changed {
            self.publish_link();
        }
        while let Some(buf) = self.runner.try_rx_buf() {
            let Some(meta) = self.nic.recv_frame(buf).expect("the NIC fails") else {
                break;
            };
            self.runner.rx_done(meta.len);
        }
        while let Some(frame) = self.runner.try_tx_buf() {
            match self.nic.send_frame(frame) {
                Err(e) if ethdev::Error::kind(&e) == ethdev::ErrorKind::Busy => break,
                // Also without a link: the frame is dropped, as the drivers do it.
                _ => self.runner.tx_done(),
            }
        }
    }

    fn publish_link(&mut self) {
        self.runner.set_link_state(if self.nic.link().is_up() {
            LinkState::Up
        } else {
            LinkState::Down
        });
    }
}

/// The device, and the peer of its NIC. The driver task runs while time passes.
pub(crate) fn channel() -> (Device<'static, MTU>, WirePeer) {
    const STEP: Duration = Duration::from_micros(100);
    let clock = Clock::new();
    // Not more than the channel queues: after a flood, the checks read each queue once.
    let config = RingConfig::new(ADDRESS).with_slots(4, 4);
    let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let hardware = nic.hardware();
    // A few kilobytes a check.
    let state = Box::leak(Box::new(State::<MTU, 4, 4>::new()));
    let (runner, device) = embassy_net_driver_channel::new(state, HardwareAddress::Ethernet(ADDRESS.octets()));
    let mut driver = Driver { nic, runner };
    driver.publish_link();
    let peer = WirePeer::new(clock.clone(), wire, peer)
        .with_stall_tx(move |stalled| hardware.stall_tx(stalled))
        .with_advance(move |by| {
            let end = clock.now() + by;
            driver.run();
            while clock.now() < end {
                clock.advance(STEP.min(end - clock.now()));
                driver.run();
            }
        });
    (device, peer)
}

fn buffer() -> &'static mut [u8] {
    Box::leak(Box::new([0; MTU]))
}

/// What the trait of embassy-net does not offer: management, the lengths of the queues. The driver
/// has no registers and no bus, and the faults of the NIC are those of its own driver.
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

/// `EmbassyDevice::queued`.
struct Queued;

impl Fixture for Queued {
    type Device = ChannelDevice;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (ChannelDevice, WirePeer) {
        let (driver, peer) = channel();
        (
            EmbassyDevice::queued(driver, buffer()).expect("an Ethernet driver"),
            peer,
        )
    }
}

/// `EmbassyDevice::new`, which is for any driver.
struct Any;

impl Fixture for Any {
    type Device = ChannelDevice;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (ChannelDevice, WirePeer) {
        let (driver, peer) = channel();
        (EmbassyDevice::new(driver, buffer()).expect("an Ethernet driver"), peer)
    }
}

/// The async form.
struct Async;

impl Fixture for Async {
    type Device = BlockingAsync<ChannelDevice, KeptWaker>;
    type LinkPeer = WirePeer;
    const MISSING: Option<&'static [&'static str]> = MISSING;

    fn new() -> (Self::Device, WirePeer) {
        let (device, peer) = Queued::new();
        (BlockingAsync::with_poll_ready(device), peer)
    }
}

/// The driver receives a frame only together with a transmit buffer, so nothing while its transmit
/// queue is full.
const KNOWN: &[&str] = &[
    "recv_frame_tx_queue_full_delivered",
    "transmit_in_handler_queue_full_busy",
    "ready_any_interest_returns_what_holds",
];

#[test]
fn channel_queued_conformance_fails_known_checks_only() {
    let report = Suite::<Queued>::new().pull().layers().control().poll_ready().run();
    assert_fails_only(&report, KNOWN);
}

#[test]
fn channel_any_conformance_fails_known_checks_only() {
    let report = Suite::<Any>::new().pull().layers().control().poll_ready().run();
    assert_fails_only(&report, KNOWN);
}

#[test]
fn channel_async_conformance_fails_known_checks_only() {
    let report = Suite::<Async>::new().asynch().run();
    assert_fails_only(&report, KNOWN);
}
