//! The driver, called as embassy-net calls it, on the memory NIC.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Waker};
use core::time::Duration;
use std::boxed::Box;
use std::sync::Arc;
use std::task::Wake;
use std::vec::Vec;

use embassy_net_driver::{Driver as _, HardwareAddress, LinkState, RxToken as _, TxToken as _};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice as _, MacAddress};
use ethdev_sim::{Clock, Peer, RingConfig, RingHandle, RingNic, Wire, WireConfig};
use ethdev_util::stack::{DropStats, MIN_BUFFER_LEN};
use ethdev_util::{IrqDevice, IrqSignal};

use super::{EmbassyDriver, Handle, RX_BUDGET, State};

type Nic = IrqDevice<'static, RingNic>;

const MAC: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
/// More than the time of the frames of a test on the wire.
const A_WHILE: Duration = Duration::from_millis(10);

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A NIC with `slots` for (received, sent) frames, the peer at the other end, and the number of
/// wake-ups of the stack.
struct Testbed {
    clock: Clock,
    wire: Wire,
    peer: Peer,
    hardware: RingHandle,
    driver: EmbassyDriver<'static, 'static, Nic>,
    handle: Handle<'static, 'static, Nic>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

/// Tests leak their memory: it is as `'static` as that of firmware.
fn testbed((rx, tx): (usize, usize)) -> Testbed {
    let clock = Clock::new();
    let irq: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
    let config = RingConfig::new(MAC).with_slots(rx, tx).with_irq_signal(irq);
    let (wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let hardware = nic.hardware();
    let reply = Box::leak(Box::new([0; 1514]));
    let state = Box::leak(Box::new(State::new(IrqDevice::new(nic, irq), reply).unwrap()));
    let (driver, handle) = state.split();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    Testbed {
        clock,
        wire,
        peer,
        hardware,
        driver,
        handle,
        wakes,
        waker,
    }
}

impl Testbed {
    /// Ends a turn. Returns whether the link is up.
    fn end_turn(&mut self) -> bool {
        self.driver.link_state(&mut Context::from_waker(&self.waker)) == LinkState::Up
    }

    /// Returns the number of wake-ups since the last call.
    fn wakes(&self) -> usize {
        self.wakes.0.swap(0, Ordering::Relaxed)
    }

    /// Receives a frame; `reply` is sent with its token.
    fn receive(&mut self, reply: Option<u8>) -> Option<Vec<u8>> {
        let (rx, tx) = self.driver.receive(&mut Context::from_waker(&self.waker))?;
        Some(rx.consume(|frame| {
            if let Some(fill) = reply {
                tx.consume(60, |buffer| buffer.copy_from_slice(&frame_of(fill)));
            }
            frame.to_vec()
        }))
    }

    /// Sends a frame. Returns whether there was a token.
    fn transmit(&mut self, fill: u8) -> bool {
        let Some(tx) = self.driver.transmit(&mut Context::from_waker(&self.waker)) else {
            return false;
        };
        tx.consume(60, |buffer| buffer.copy_from_slice(&frame_of(fill)));
        true
    }

    /// Lets time pass and returns the last byte of each frame that the peer received.
    fn sent(&self) -> Vec<u8> {
        self.clock.advance(A_WHILE);
        core::iter::from_fn(|| self.peer.recv())
            .map(|frame| frame[59])
            .collect()
    }

    fn drops(&self) -> DropStats {
        self.handle.drops().unwrap()
    }
}

fn frame_of(fill: u8) -> [u8; 60] {
    let mut frame = [fill; 60];
    frame[..6].copy_from_slice(&MAC.octets());
    frame
}

#[test]
fn receive_lends_memory_of_device() {
    let mut bed = testbed((4, 4));
    bed.peer.send(&frame_of(7));
    bed.clock.advance(A_WHILE);
    assert_eq!(bed.receive(None).as_deref(), Some(&frame_of(7)[..]));
    assert_eq!(bed.receive(None), None);
    assert!(bed.end_turn());
    assert_eq!(bed.handle.stats().unwrap().rx_frames, 1);
}

#[test]
fn receive_dropped_token_leaves_frame_pending() {
    let mut bed = testbed((4, 4));
    bed.peer.send(&frame_of(7));
    bed.clock.advance(A_WHILE);
    let tokens = bed.driver.receive(&mut Context::from_waker(&bed.waker));
    assert!(std::format!("{tokens:?}").starts_with("Some((RxToken"));
    assert_eq!(bed.receive(None).as_deref(), Some(&frame_of(7)[..]));
}

#[test]
fn link_state_wakes_for_frame_once() {
    let mut bed = testbed((4, 4));
    bed.end_turn();
    bed.clock.advance(Duration::from_secs(3600));
    assert_eq!(bed.wakes(), 0);
    bed.peer.send(&frame_of(1));
    bed.clock.advance(A_WHILE);
    assert_eq!(bed.wakes(), 1);
    bed.receive(None);
    bed.end_turn();
    bed.clock.advance(Duration::from_secs(3600));
    assert_eq!(bed.wakes(), 0);
}

#[test]
fn link_state_frame_during_turn_wakes_at_once() {
    let mut bed = testbed((4, 4));
    assert_eq!(bed.receive(None), None);
    bed.peer.send(&frame_of(1));
    bed.clock.advance(A_WHILE);
    bed.wakes();
    bed.end_turn();
    assert_eq!(bed.wakes(), 1);
}

#[test]
fn link_state_reports_lost_and_returned_link() {
    let mut bed = testbed((4, 4));
    assert!(bed.end_turn());
    for up in [false, true] {
        bed.wakes();
        bed.wire.set_link(up);
        bed.clock.advance(A_WHILE);
        assert_eq!(bed.wakes(), 1);
        assert_eq!(bed.end_turn(), up);
        assert_eq!(bed.handle.link().unwrap().is_up(), up);
    }
}

#[test]
fn transmit_link_down_drops_and_counts() {
    let mut bed = testbed((4, 4));
    bed.wire.set_link(false);
    bed.clock.advance(A_WHILE);
    bed.end_turn();
    for _ in 0..20 {
        assert!(bed.transmit(1), "embassy-net runs no timer after a refused token");
    }
    bed.end_turn();
    assert_eq!(bed.drops().tx_link_down, 20);
    assert_eq!(bed.handle.take_error().unwrap(), None);
    bed.wire.set_link(true);
    bed.clock.advance(A_WHILE);
    bed.end_turn();
    assert!(bed.transmit(2));
    bed.end_turn();
    assert_eq!(bed.sent(), [2]);
}

#[test]
fn transmit_queue_full_is_refused_and_wakes_when_free() {
    let mut bed = testbed((4, 1));
    assert!(bed.transmit(1));
    assert!(!bed.transmit(2));
    bed.end_turn();
    assert_eq!(bed.wakes(), 0);
    assert_eq!(bed.sent(), [1]);
    assert!(bed.wakes() >= 1);
    assert!(bed.transmit(3));
    bed.end_turn();
    assert_eq!(bed.sent(), [3]);
    assert_eq!(bed.drops(), DropStats::ZERO);
}

#[test]
fn why_not_ready_waits_only_for_working_device_with_link() {
    let bed = testbed((4, 4));
    let mut inner = bed.driver.state.inner.borrow_mut();
    let kind = |inner: &super::Inner<'_, Nic>| inner.why_not_ready(Ok(false)).map(|e| e.kind());
    assert_eq!(kind(&inner), None);
    inner.failed = true;
    assert_eq!(kind(&inner), Some(ErrorKind::Fault));
    bed.wire.set_link(false);
    bed.clock.advance(A_WHILE);
    inner.device.service().unwrap();
    assert_eq!(kind(&inner), Some(ErrorKind::LinkDown));
}

/// After a refused token embassy-net runs no timer: the next turn must follow, and must get tokens.
#[test]
fn transmit_refused_then_link_found_down_wakes_and_drops() {
    let mut bed = testbed((4, 1));
    bed.hardware.stall_tx(true);
    assert!(bed.transmit(1));
    assert!(!bed.transmit(2));
    bed.wire.set_link(false);
    bed.clock.advance(A_WHILE);
    bed.wakes();
    assert!(!bed.end_turn());
    assert_eq!(bed.wakes(), 1);
    assert!(bed.transmit(2));
    bed.end_turn();
    assert_eq!(bed.wakes(), 0);
    assert_eq!(bed.drops().tx_link_down, 1);
}

#[test]
fn transmit_refused_then_device_fails_wakes_once_and_drops() {
    let mut bed = testbed((4, 1));
    bed.hardware.stall_tx(true);
    assert!(bed.transmit(1));
    assert!(!bed.transmit(2));
    bed.hardware.inject_fault();
    bed.wakes();
    bed.end_turn();
    assert_eq!(bed.wakes(), 1);
    assert!(bed.transmit(2));
    bed.end_turn();
    assert_eq!(
        bed.wakes(),
        0,
        "a device that stays in its fault is not polled in a loop"
    );
    assert_eq!(bed.drops().tx_refused, 1);
}

#[test]
fn service_link_change_or_frame_wakes() {
    let mut bed = testbed((4, 4));
    for happens in [
        (|bed: &Testbed| bed.wire.set_link(false)) as fn(&Testbed),
        |bed| bed.wire.set_link(true),
        |bed| {
            bed.peer.send(&frame_of(1));
        },
    ] {
        bed.end_turn();
        happens(&bed);
        bed.clock.advance(A_WHILE);
        // As if the interrupt had been lost.
        bed.driver.state.register(&bed.waker);
        bed.wakes();
        bed.handle.service().unwrap();
        assert_eq!(bed.wakes(), 1);
    }
}

#[test]
fn service_capacity_for_refused_frame_wakes() {
    let mut bed = testbed((4, 1));
    assert!(bed.transmit(1));
    assert!(!bed.transmit(2));
    bed.end_turn();
    bed.clock.advance(A_WHILE);
    // As if the interrupt had been lost.
    bed.driver.state.register(&bed.waker);
    bed.wakes();
    bed.handle.service().unwrap();
    assert_eq!(bed.wakes(), 1);
    bed.end_turn();
    bed.wakes();
    bed.handle.service().unwrap();
    assert_eq!(bed.wakes(), 0, "capacity that nothing waits for");
}

#[test]
fn transmit_not_refused_does_not_wake_for_capacity() {
    let mut bed = testbed((4, 4));
    assert!(bed.transmit(1));
    bed.end_turn();
    assert_eq!(bed.sent(), [1]);
    assert_eq!(bed.wakes(), 0);
}

#[test]
fn receive_with_full_queue_keeps_reply() {
    let mut bed = testbed((4, 1));
    assert!(bed.transmit(1));
    bed.peer.send(&frame_of(0));
    bed.hardware.stall_tx(true);
    bed.clock.advance(A_WHILE);
    assert!(bed.receive(Some(2)).is_some());
    // The reply is older than what a socket sends.
    assert!(!bed.transmit(3));
    bed.end_turn();
    bed.hardware.stall_tx(false);
    bed.wakes();
    bed.clock.advance(A_WHILE);
    assert!(bed.wakes() >= 1);
    bed.end_turn();
    assert_eq!(bed.sent(), [1, 2]);
    assert_eq!(bed.drops(), DropStats::ZERO);
}

#[test]
fn transmit_pending_reply_goes_first() {
    let mut bed = testbed((4, 2));
    bed.hardware.stall_tx(true);
    assert!(bed.transmit(1) && bed.transmit(2));
    bed.peer.send(&frame_of(0));
    bed.clock.advance(A_WHILE);
    assert!(bed.receive(Some(3)).is_some());
    bed.hardware.stall_tx(false);
    bed.clock.advance(A_WHILE);
    assert!(bed.transmit(4));
    assert_eq!(bed.sent(), [1, 2, 3, 4]);
}

#[test]
fn receive_second_reply_replaces_first_and_counts() {
    let mut bed = testbed((4, 1));
    bed.hardware.stall_tx(true);
    assert!(bed.transmit(1));
    bed.peer.send(&frame_of(0));
    bed.peer.send(&frame_of(0));
    bed.clock.advance(A_WHILE);
    assert!(bed.receive(Some(2)).is_some() && bed.receive(Some(3)).is_some());
    bed.hardware.stall_tx(false);
    bed.clock.advance(A_WHILE);
    bed.end_turn();
    assert_eq!(bed.sent(), [1, 3]);
    assert_eq!(bed.drops().tx_replies_dropped, 1);
}

#[test]
fn receive_flood_ends_turn_after_budget() {
    let mut bed = testbed((100, 4));
    for _ in 0..100 {
        bed.peer.send(&frame_of(0));
    }
    bed.clock.advance(A_WHILE);
    let received = core::iter::from_fn(|| bed.receive(None)).count();
    assert_eq!(received, usize::from(RX_BUDGET));
    bed.wakes();
    bed.end_turn();
    assert_eq!(bed.wakes(), 1);
    assert_eq!(core::iter::from_fn(|| bed.receive(None)).count(), 100 - received);
}

#[test]
fn fault_is_latched_and_recover_through_handle_wakes() {
    let mut bed = testbed((4, 4));
    bed.end_turn();
    bed.hardware.inject_fault();
    assert!(bed.transmit(1));
    bed.end_turn();
    assert!(bed.handle.errors().unwrap().total() > 0);
    assert_eq!(bed.drops().tx_lost(), 1);
    let error = bed.handle.take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::Fault);
    // It does not poll a device in fault.
    bed.wakes();
    bed.clock.advance(Duration::from_secs(60));
    assert_eq!(bed.wakes(), 0);
    bed.handle.with(Control::recover).unwrap();
    assert_eq!(bed.wakes(), 1);
    assert!(bed.end_turn());
    assert!(bed.transmit(2));
    bed.end_turn();
    assert_eq!(bed.sent(), [2]);
}

#[test]
fn with_new_mac_address_is_that_of_the_stack() {
    let mut bed = testbed((4, 4));
    let other = MacAddress::new([2, 0, 0, 0, 0, 9]);
    assert_eq!(bed.driver.hardware_address(), HardwareAddress::Ethernet(MAC.octets()));
    bed.end_turn();
    bed.wakes();
    bed.handle.with(|nic| nic.set_mac_address(other)).unwrap();
    assert_eq!(bed.wakes(), 1);
    assert_eq!(bed.driver.hardware_address(), HardwareAddress::Ethernet(other.octets()));
}

#[test]
fn with_inside_with_or_turn_is_busy() {
    let mut bed = testbed((4, 4));
    let nested = bed.handle.with(|_| {
        assert!(bed.driver.transmit(&mut Context::from_waker(&bed.waker)).is_none());
        bed.handle.stats()
    });
    assert_eq!(nested.unwrap_err().kind(), ErrorKind::Busy);
    assert!(bed.driver.transmit(&mut Context::from_waker(&bed.waker)).is_some());
    assert_eq!(bed.handle.service().unwrap_err().kind(), ErrorKind::Busy);
    bed.end_turn();
    assert!(bed.handle.service().is_ok());
}

#[test]
fn stop_through_handle_takes_link_down() {
    let mut bed = testbed((4, 4));
    bed.end_turn();
    bed.handle.with(Control::stop).unwrap();
    assert!(!bed.end_turn());
    assert!(bed.transmit(1));
    bed.end_turn();
    assert_eq!(bed.drops().tx_link_down, 1);
    bed.handle.with(Control::start).unwrap();
    assert!(bed.end_turn());
}

#[test]
fn new_short_reply_buffer_is_rejected() {
    let irq: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
    let config = RingConfig::new(MAC).with_irq_signal(irq);
    let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), config);
    let mut reply = [0; MIN_BUFFER_LEN - 1];
    let error = State::new(IrqDevice::new(nic, irq), &mut reply).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: MIN_BUFFER_LEN });
}

#[test]
fn state_returns_device() {
    let irq: &'static IrqSignal = Box::leak(Box::new(IrqSignal::new()));
    let config = RingConfig::new(MAC).with_irq_signal(irq);
    let (_wire, nic, _peer) = RingNic::with_peer(&Clock::new(), WireConfig::default(), config);
    let mut reply = [0; 1514];
    let mut state = State::new(IrqDevice::new(nic, irq), &mut reply).unwrap();
    let (driver, handle) = state.split();
    assert!(std::format!("{driver:?} {handle:?}").starts_with("EmbassyDriver { capabilities"));
    drop(driver);
    let _nic: Nic = state.into_inner();
}
