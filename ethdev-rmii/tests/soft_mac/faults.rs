//! Ports that fail.

use std::time::Duration;

use std::error::Error as _;

use ethdev::{
    Control, Error as _, ErrorKind, EthernetDevice, FilterOutcome, Interest, LendingDevice, Link, MacAddress,
    Multicast, Rearm, RearmOutcome, RxFilter, RxHalf, TxHalf,
};
use ethdev_phy::Mac as _;
use ethdev_rmii::Error;

use crate::mock::{Nic, OWN, Shared, frame, running, with_fcs};

#[test]
fn service_hung_transmitter_aborts_after_timeout() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().stuck = true;
    nic.send_frame(&frame(60, 0)).unwrap();
    nic.send_frame(&frame(60, 1)).unwrap();
    line.0.borrow_mut().advance(Duration::from_millis(100));
    assert!(!nic.tx_ready().unwrap());
    line.0.borrow_mut().advance(Duration::from_nanos(1));
    let events = nic.service().unwrap();
    assert!(events.recovered && events.tx_ready);
    assert_eq!(events.tx_failed, 2);
    let stats = nic.stats();
    assert_eq!((stats.tx_aborted, stats.faults, stats.recoveries), (2, 1, 1));

    nic.send_frame(&frame(60, 2)).unwrap();
    line.0.borrow_mut().advance(Duration::from_millis(1));
    nic.service().unwrap();
    assert_eq!(line.0.borrow().sent, [with_fcs(&frame(60, 2))]);
}

#[test]
fn service_late_call_no_fault() {
    let (mut nic, line) = running(2);
    nic.send_frame(&frame(60, 0)).unwrap();
    line.0.borrow_mut().advance(Duration::from_secs(60));
    nic.send_frame(&frame(60, 1)).unwrap();
    line.0.borrow_mut().advance(Duration::from_secs(60));
    assert_eq!(nic.service().unwrap().tx_completed, 2);
    assert_eq!((nic.stats().faults, nic.stats().tx_frames), (0, 2));
}

#[test]
fn service_port_keeps_buffer_fault_until_recovery() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().stuck = true;
    line.0.borrow_mut().keeps = 1;
    nic.send_frame(&frame(60, 0)).unwrap();
    line.0.borrow_mut().advance(Duration::from_millis(101));
    assert_eq!(nic.service().unwrap_err().kind(), ErrorKind::Fault);
    assert_eq!(nic.tx_ready().unwrap_err(), Error::BuffersLost);
    assert_eq!(nic.send_frame(&frame(60, 0)).unwrap_err(), Error::BuffersLost);
    assert_eq!(nic.stats().tx_aborted, 1);
    assert_eq!(nic.recover(), Err(Error::BuffersLost));
    assert_eq!(nic.link(), Link::Down, "not restarted");

    line.0.borrow_mut().keeps = 0;
    nic.recover().unwrap();
    assert_eq!(nic.link(), Link::UP, "running, as before");
    nic.send_frame(&frame(60, 1)).unwrap();
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 2)));
    assert!(nic.recv_frame(&mut [0; 1518]).unwrap().is_some());
}

#[test]
fn recv_frame_port_error_keeps_cause() {
    let (mut nic, line) = running(1);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    line.0.borrow_mut().rx_fails = true;
    let error = nic.recv_frame(&mut [0; 1518]).unwrap_err();
    assert_eq!(error, Error::Port(ErrorKind::Bus));
    assert_eq!(
        (error.kind(), error.source().unwrap().to_string()),
        (ErrorKind::Bus, ErrorKind::Bus.to_string())
    );
    line.0.borrow_mut().rx_fails = false;
    assert!(nic.recv_frame(&mut [0; 1518]).unwrap().is_some(), "nothing was lost");

    nic.send_frame(&frame(60, 0)).unwrap();
    line.0.borrow_mut().tx_fails = true;
    assert_eq!(nic.tx_ready(), Err(Error::Port(ErrorKind::Bus)));
    line.0.borrow_mut().tx_fails = false;
    line.0.borrow_mut().advance(Duration::from_millis(1));
    assert!(nic.tx_ready().unwrap());
}

/// A MAC whose `stop` failed.
fn stop_failed() -> (Nic, Shared) {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().rx_fails = true;
    assert_eq!(nic.stop(), Err(Error::Port(ErrorKind::Bus)));
    let fault = Error::Kind(ErrorKind::Fault);
    assert_eq!(nic.service(), Err(fault));
    assert_eq!(nic.recv_frame(&mut [0; 1518]), Err(fault));
    assert_eq!(nic.discard_frame(), Err(fault));
    assert_eq!(nic.tx_ready(), Err(fault));
    assert_eq!(nic.send_frame(&frame(60, 0)), Err(fault));
    assert_eq!(nic.rearm(Interest::ALL), Err(fault));
    let (mut rx, mut tx) = nic.split();
    assert_eq!(rx.peek().map(drop), Err(fault));
    assert_eq!(tx.reserve(60).map(drop), Err(fault));
    assert_eq!((nic.link(), nic.stats().faults), (Link::Down, 1));
    line.0.borrow_mut().rx_fails = false;
    (nic, line)
}

fn assert_running(nic: &mut Nic, line: &Shared) {
    assert_eq!(nic.link(), Link::UP);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 2)));
    assert!(nic.recv_frame(&mut [0; 1518]).unwrap().is_some());
    nic.send_frame(&frame(60, 1)).unwrap();
}

#[test]
fn stop_port_error_fault_until_repeated() {
    let (mut nic, line) = stop_failed();
    nic.stop().unwrap();
    nic.service().unwrap();
    assert_eq!(nic.send_frame(&frame(60, 0)), Err(Error::Kind(ErrorKind::Stopped)));
    nic.recover().unwrap();
    assert_eq!(nic.link(), Link::Down);
    nic.start().unwrap();
    assert_running(&mut nic, &line);
}

#[test]
fn recover_after_failed_stop_restores_running() {
    let (mut nic, line) = stop_failed();
    nic.recover().unwrap();
    assert_running(&mut nic, &line);
    assert_eq!((nic.stats().faults, nic.stats().recoveries), (1, 1));
}

#[test]
fn start_after_failed_stop_resets_ports() {
    let (mut nic, line) = stop_failed();
    nic.start().unwrap();
    assert_eq!(line.0.borrow().resets, 2);
    assert_running(&mut nic, &line);
}

#[test]
fn start_running_drops_nothing() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.send_frame(&frame(60, 0)).unwrap();
    nic.start().unwrap();
    assert!(nic.recv_frame(&mut [0; 1518]).unwrap().is_some());
    line.0.borrow_mut().advance(Duration::from_millis(1));
    assert_eq!(nic.service().unwrap().tx_completed, 1);
}

#[test]
fn settings_while_stopped_applied_by_start() {
    const GROUP: MacAddress = MacAddress::new([0x01, 0, 0x5e, 0, 0, 0xfb]);
    let (mut nic, line) = running(2);
    nic.stop().unwrap();
    let filter = RxFilter::DEFAULT.with_multicast(Multicast::List(&[GROUP]));
    assert_eq!(nic.set_rx_filter(filter), Ok(FilterOutcome::Exact));
    let address = MacAddress::new([2, 0, 0, 0, 0, 0x99]);
    nic.set_mac_address(address).unwrap();
    nic.start().unwrap();
    for (to, received) in [(GROUP, true), (address, true), (OWN, false)] {
        let mut bytes = frame(60, 0);
        bytes[..6].copy_from_slice(&to.octets());
        line.0.borrow_mut().arrive(&with_fcs(&bytes));
        assert_eq!(nic.recv_frame(&mut [0; 1518]).unwrap().is_some(), received, "{to}");
    }
}

/// The transmit timeout needs a clock, the calls do not.
#[test]
fn service_clock_stands_still_no_timeout() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().stuck = true;
    nic.send_frame(&frame(60, 0)).unwrap();
    for _ in 0..1000 {
        assert_eq!(nic.service().unwrap().tx_completed, 0);
    }
    assert_eq!(nic.stats().faults, 0);
    nic.stop().unwrap();
    assert_eq!(nic.stats().tx_reset, 1);
}

#[test]
fn rearm_link_change_not_reported_yet_work_pending() {
    let (mut nic, _line) = running(2);
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
    assert!(nic.service().unwrap().link_changed);
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    nic.set_link(Link::Down).unwrap();
    assert_eq!(nic.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    assert_eq!(nic.rearm(Interest::LINK), Ok(RearmOutcome::WorkPending));
}

#[test]
fn recover_resets_ports_and_restores_state() {
    let (mut nic, line) = running(2);
    line.0.borrow_mut().arrive(&with_fcs(&frame(60, 0)));
    nic.send_frame(&frame(60, 0)).unwrap();
    let before = nic.stats();
    nic.recover().unwrap();
    let since = nic.stats().delta_since(&before);
    assert_eq!(
        (since.rx_reset, since.tx_reset, since.recoveries, since.link_changes),
        (1, 1, 1, 0)
    );
    assert_eq!((nic.link(), line.0.borrow().resets), (Link::UP, 2));

    nic.stop().unwrap();
    nic.recover().unwrap();
    assert_eq!(
        (nic.link(), line.0.borrow().armed.len()),
        (Link::Down, 0),
        "still stopped"
    );
}
