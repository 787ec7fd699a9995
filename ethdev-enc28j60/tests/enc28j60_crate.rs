//! The bridge to the crate `enc28j60` on the model of the chip, and the documented limits that a
//! test can reach.
#![cfg(feature = "enc28j60-crate")]

use core::time::Duration;

use embedded_hal::digital::InputPin;
use embedded_hal_02 as hal02;
use enc28j60::Unconnected;
use enc28j60_model::{
    ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, IntPin, Revision, SimSpiBus, SpiFault, TxOutcome,
};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, MacAddress, Rearm, RearmOutcome, Speed};
use ethdev_enc28j60::Error;
use ethdev_enc28j60::compat::Bridge;
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

type Driver = enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, Unconnected>;

struct Testbed {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
    wire: Wire,
}

/// A chip without the errata that hang this driver, and a host that raises chip select 1 µs after
/// the last bit.
fn testbed() -> (Testbed, Driver) {
    testbed_with(|_| {})
}

fn testbed_with(change: impl FnOnce(&mut Errata)) -> (Testbed, Driver) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let mut errata = Errata::of(Revision::B7);
    errata.e6_packet_flag = false;
    errata.e13_false_late_collision = false;
    change(&mut errata);
    let config = ChipConfig::new(Revision::B7)
        .with_errata(errata)
        .with_cs_hold(Duration::from_micros(1));
    let testbed = Testbed {
        chip: Enc28j60Chip::new(&clock, port, config),
        peer: Peer::new(peer),
        clock,
        wire,
    };
    testbed.clock.advance(Duration::from_millis(1));
    let (bus, select) = testbed.chip.spi_bus();
    let driver = Driver::new(
        Hal02(bus),
        Hal02(select),
        Hal02(testbed.chip.int_pin()),
        Unconnected,
        &mut Hal02(testbed.clock.clone()),
        0x1a00,
        MAC.octets(),
    );
    testbed.clock.advance(Duration::from_millis(25));
    (testbed, driver.expect("the bus does not fail"))
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

impl Testbed {
    fn ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }
}

#[test]
fn bridge_both_directions_deliver_and_count() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    let mut buf = [0; 1514];
    let lengths = [60, 61, 64, 333, 1000, 1513, 1514].into_iter().cycle().take(40);
    let (mut bytes, mut n) = (0, 0);
    for len in lengths {
        let there = frame(len, n);
        testbed.peer.send(&there);
        testbed.ms(2);
        assert_eq!(
            device.recv_frame(&mut buf).map(|meta| meta.map(|m| m.len)),
            Ok(Some(len))
        );
        assert_eq!(buf[..len], there);
        assert_eq!(device.recv_frame(&mut buf), Ok(None));
        let back = frame(len, !n);
        // In parts, some of them empty.
        let (a, b) = back.split_at(len / 3);
        device.send_vectored(&[a, &[], b]).expect("there is room");
        testbed.ms(2);
        assert_eq!(testbed.peer.recv(), Some(back));
        bytes += len as u32;
        n += 1;
    }
    let events = device.service().expect("the bus does not fail");
    assert_eq!((events.tx_completed, events.tx_failed, events.tx_ready), (40, 0, true));
    let stats = device.stats();
    assert_eq!((stats.rx_frames, stats.rx_bytes), (40, bytes));
    assert_eq!((stats.tx_frames, stats.tx_bytes), (40, bytes));
    assert_eq!((stats.rx_lost(), stats.tx_lost()), (0, 0));
}

#[test]
fn recv_frame_short_buffer_keeps_frame() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    assert_eq!(device.recv_frame(&mut []), Ok(None));
    for n in 0..3 {
        testbed.peer.send(&frame(700, n));
    }
    testbed.ms(3);
    let mut buf = [0; 1514];
    for _ in 0..2 {
        let error = device.recv_frame(&mut buf[..699]).expect_err("too small");
        assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: 700 });
    }
    // Sending in between changes nothing.
    device
        .send_vectored(&[&frame(300, 9)[..20], &frame(300, 9)[20..]])
        .expect("room");
    assert!(device.recv_frame(&mut buf[..700]).expect("it fits").is_some());
    assert_eq!(buf[..700], frame(700, 0));
    assert_eq!(device.discard_frame(), Ok(true));
    assert!(device.recv_frame(&mut buf).expect("it fits").is_some());
    assert_eq!(buf[..700], frame(700, 2));
    assert_eq!(device.discard_frame(), Ok(false));
    let stats = device.stats();
    assert_eq!((stats.rx_frames, stats.rx_discarded), (2, 1));
}

#[test]
fn send_frame_illegal_length_is_rejected() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    let kind = |result: Result<(), Error<SpiFault>>| result.map_err(|e| e.kind());
    assert_eq!(kind(device.send_frame(&[0; 13])), Err(ErrorKind::FrameTooShort));
    assert_eq!(kind(device.send_vectored(&[])), Err(ErrorKind::FrameTooShort));
    let long = kind(device.send_frame(&[0; 1515]));
    assert_eq!(long, Err(ErrorKind::FrameTooLong { max: 1514 }));
    testbed.ms(5);
    assert_eq!(testbed.peer.recv(), None);
    // The shortest there is, padded by the chip.
    assert_eq!(device.send_frame(&frame(14, 0)), Ok(()));
    testbed.ms(5);
    assert_eq!(testbed.peer.recv().map(|frame| frame.len()), Some(60));
}

#[test]
fn limit_after_late_collision_sent_frames_count_as_aborted() {
    let (testbed, driver) = testbed_with(|errata| errata.e15_latecol = false);
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    testbed.chip.set_tx_outcomes([TxOutcome::LateCollision]);
    assert_eq!(device.send_frame(&frame(100, 1)), Ok(()));
    assert_eq!(device.send_frame(&frame(100, 2)), Ok(()));
    testbed.ms(2);
    let events = device.service().expect("the bus does not fail");
    assert_eq!((events.tx_completed, events.tx_failed), (0, 2));
    let stats = device.stats();
    assert_eq!((stats.tx_frames, stats.tx_aborted), (0, 2));
    let arrived: Vec<_> = core::iter::from_fn(|| testbed.peer.recv()).collect();
    assert_eq!(arrived, [frame(100, 2)]);
}

#[test]
#[should_panic(expected = "not implemented")]
fn limit_late_collision_hidden_by_estat_panics() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    testbed.chip.set_tx_outcomes([TxOutcome::LateCollision]);
    device.send_frame(&frame(100, 1)).expect("room");
    let _ = device.service();
}

#[test]
#[should_panic(expected = "not implemented")]
fn limit_other_abort_panics() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    testbed.chip.set_tx_outcomes([TxOutcome::ExcessiveCollisions]);
    device.send_frame(&frame(100, 1)).expect("room");
    let _ = device.service();
}

#[test]
fn limit_bus_error_is_permanent_fault() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    device.send_frame(&frame(100, 1)).expect("room");
    testbed.peer.send(&frame(100, 0));
    testbed.ms(2);
    testbed.chip.fail_bus_at(40);
    let mut buf = [0; 1514];
    let error = device.recv_frame(&mut buf).expect_err("the bus fails");
    assert!(matches!(error, Error::Spi(SpiFault::AtByte(_))), "{error}");
    assert_eq!(device.recv_frame(&mut buf), Err(Error::Kind(ErrorKind::Fault)));
    assert_eq!(device.discard_frame(), Err(Error::Kind(ErrorKind::Fault)));
    assert_eq!(device.send_frame(&frame(100, 2)), Err(Error::Kind(ErrorKind::Fault)));
    assert_eq!(device.tx_ready(), Err(Error::Kind(ErrorKind::Fault)));
    assert_eq!(device.service(), Err(Error::Kind(ErrorKind::Fault)));
    assert_eq!(device.recover().map_err(|e| e.kind()), Err(ErrorKind::Unsupported));
    let stats = device.stats();
    assert_eq!((stats.rx_reset, stats.tx_reset, stats.faults), (1, 1, 1));
    let (_, mut select, int, _) = device.release().free();
    // Construct everything again.
    #[allow(deprecated, reason = "the driver requires the first version of the trait")]
    hal02::digital::OutputPin::set_high(&mut select);
    let (bus, _) = testbed.chip.spi_bus();
    let mut delay = Hal02(testbed.clock.clone());
    let driver = Driver::new(Hal02(bus), select, int, Unconnected, &mut delay, 0x1a00, MAC.octets());
    let mut device = Bridge::new(driver.expect("it fails once"), MAC, &mut rx, &mut tx);
    testbed.ms(25);
    testbed.peer.send(&frame(100, 3));
    testbed.ms(2);
    assert!(device.recv_frame(&mut buf).expect("the bus works").is_some());
    assert_eq!(buf[..100], frame(100, 3));
}

#[test]
fn limit_link_is_always_up() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    testbed.wire.set_link(false);
    testbed.ms(50);
    assert_eq!(device.service().map(|events| events.link_changed), Ok(false));
    assert!(device.link().is_up());
}

#[test]
fn rearm_frames_raise_int_and_pending_is_work() {
    let (testbed, driver) = testbed();
    let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
    let mut device = Bridge::new(driver, MAC, &mut rx, &mut tx);
    let mut int = testbed.chip.int_pin();
    assert_eq!(device.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    assert_eq!(int.is_high(), Ok(true));
    testbed.peer.send(&frame(100, 0));
    testbed.ms(2);
    assert_eq!(int.is_low(), Ok(true));
    assert_eq!(device.disarm(), Ok(()));
    assert_eq!(int.is_high(), Ok(true));
    // One frame is pending already.
    assert_eq!(device.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    assert!(device.recv_frame(&mut [0; 1514]).expect("the bus works").is_some());
    assert_eq!(device.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    testbed.peer.send(&frame(100, 0));
    testbed.ms(2);
    assert_eq!(int.is_high(), Ok(true), "interrupt without interest");
    assert_eq!(device.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
}
