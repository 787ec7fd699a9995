//! Ports that fail.

use std::time::Duration;

use std::error::Error as _;

use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Link};
use ethdev_rmii::Error;

use crate::mock::{frame, running, with_fcs};

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
