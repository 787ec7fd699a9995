use core::cell::Cell;
use std::rc::Rc;

use ethdev::asynch::EthernetDevice as _;
use ethdev_util::IrqSignal;
use ethdev_util::asynch::BlockingAsync;

use super::*;
use crate::block_on;

/// A device whose interrupts are counted.
fn counted(trigger: Trigger) -> (Testbed, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let rings = count.clone();
    let config = RingConfig::new(OWN)
        .with_slots(4, 4)
        .with_trigger(trigger)
        .with_interrupt(Rc::new(move || rings.set(rings.get() + 1)));
    (Testbed::new(config), count)
}

#[test]
fn rearm_masks_by_source() {
    let (mut b, count) = counted(Trigger::Edge);
    b.arrive(&frame(OWN, 60));
    assert_eq!(count.get(), 0, "masked from the start");
    assert_eq!(b.nic.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
    b.arrive(&frame(OWN, 60));
    assert_eq!(count.get(), 0);
    b.kind_of_send(60).unwrap();
    b.settle();
    assert_eq!(count.take(), 1);
    assert_eq!(b.nic.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    b.kind_of_send(60).unwrap();
    b.settle();
    b.wire.set_link(false);
    assert_eq!(count.take(), 1);
    b.nic.disarm().unwrap();
    b.wire.set_link(true);
    assert_eq!(count.take(), 0);
    assert_eq!(b.nic.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    b.nic.hardware().inject_fault();
    assert_eq!(count.take(), 1, "a fault interrupts the host");
}

#[test]
fn rearm_edge_before_unmask_no_interrupt() {
    let (mut b, count) = counted(Trigger::Edge);
    b.arrive(&frame(OWN, 60));
    assert_eq!(b.nic.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    assert_eq!(count.get(), 0);
    let (mut b, count) = counted(Trigger::Level);
    b.arrive(&frame(OWN, 60));
    assert_eq!(b.nic.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    assert_eq!(count.get(), 1);
}

#[test]
fn rearm_armed_next_event_interrupts() {
    let (mut b, count) = counted(Trigger::Edge);
    assert_eq!(b.nic.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    b.arrive(&frame(OWN, 60));
    assert_eq!(count.take(), 1);
    // A frame that is lent and not released is pending still.
    b.nic.split().0.peek().unwrap().unwrap();
    assert_eq!(b.nic.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    b.recv();
    b.fill();
    assert_eq!(b.nic.rearm(Interest::TX), Ok(RearmOutcome::Armed));
    b.nic.hardware().stall_tx(false);
    b.settle();
    assert_eq!(count.take(), 4);
    b.wire.set_link(false);
    b.nic.service().unwrap();
    assert_eq!(
        b.nic.rearm(Interest::TX),
        Ok(RearmOutcome::Armed),
        "no capacity without a carrier"
    );
    b.wire.set_link(true);
    assert_eq!(count.take(), 1, "now it is room");
}

#[test]
fn rearm_link_change_not_serviced_work_pending() {
    let (mut b, _) = counted(Trigger::Edge);
    b.wire.set_link(false);
    assert_eq!(b.nic.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(b.nic.service().unwrap().link_changed);
    assert_eq!(b.nic.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
}

#[test]
fn ready_with_interrupt_completes() {
    let bell = Rc::new(IrqSignal::new());
    let b = Testbed::new(RingConfig::new(OWN).with_irq_signal(bell.clone()));
    let mut nic = BlockingAsync::with_interrupt(b.nic, &bell);
    let at = Duration::from_millis(30);
    let peer = b.peer;
    b.clock.schedule_at(at, move || {
        peer.send(&frame(OWN, 60));
    });
    let mut buf = [0; 1514];
    let meta = block_on(&b.clock, nic.recv(&mut buf)).unwrap().unwrap();
    assert_eq!(meta.timestamp, Some(at + Duration::from_nanos(72 * 80)));
    assert_eq!(
        b.clock.now(),
        meta.timestamp.unwrap(),
        "woken by the frame, not by a timer"
    );
}

#[test]
fn rearm_frame_at_any_access_not_missed() {
    // 0: before unmasking. 1: between unmasking and the check. 2: after both.
    for nth in 0..3 {
        let (mut b, count) = counted(Trigger::Edge);
        let (accesses, hardware) = (Rc::new(Cell::new(0)), b.nic.hardware());
        let counter = accesses.clone();
        b.nic.hardware().watch_accesses(move || {
            if counter.get() == nth {
                hardware.inject_rx(&frame(OWN, 60));
            }
            counter.set(counter.get() + 1);
        });
        let outcome = b.nic.rearm(Interest::RX).unwrap();
        assert_eq!(accesses.get(), 2);
        let _ = b.nic.service();
        let noticed = count.get() > 0 || outcome == RearmOutcome::WorkPending;
        assert!(noticed, "the frame came before access {nth}");
        assert_eq!(
            (outcome == RearmOutcome::WorkPending, count.get()),
            [(true, 0), (true, 1), (false, 1)][nth]
        );
    }
}

#[test]
fn cached_values_read_no_access() {
    let b = testbed();
    b.nic.hardware().watch_accesses(|| panic!("touched"));
    let _ = (b.nic.mac_address(), b.nic.capabilities(), b.nic.link(), b.nic.stats());
}
