//! The bridge from the crate `enc28j60`, on the model of the chip: what works, and each limit that its documentation names and a test can reach.
#![cfg(feature = "enc28j60-crate")]

use core::time::Duration;

use embedded_hal::digital::InputPin;
use embedded_hal_02 as hal02;
use enc28j60::Unconnected;
use enc28j60_model::{ChipConfig, CsPin, Enc28j60Chip, Errata, Hal02, IntPin, Revision, SimSpiBus, SpiFault, TxFate};
use ethdev::{Control, Error as _, ErrorKind, EthernetDevice, Interest, MacAddress, Rearm, RearmOutcome, Speed};
use ethdev_enc28j60::Error;
use ethdev_enc28j60::compat::{Bridge, Memory};
use ethdev_sim::{Clock, Peer, Wire, WireConfig};

const MAC: MacAddress = MacAddress::new([0x02, 0, 0, 0, 0, 0x28]);

type Driver = enc28j60::Enc28j60<Hal02<SimSpiBus>, Hal02<CsPin>, Hal02<IntPin>, Unconnected>;

struct Lab {
    clock: Clock,
    chip: Enc28j60Chip,
    peer: Peer,
    wire: Wire,
}

/// A chip without the errata that this driver hangs by, and a host whose software raises chip select a microsecond after the last bit.
fn lab() -> (Lab, Driver) {
    lab_with(|_| {})
}

fn lab_with(change: impl FnOnce(&mut Errata)) -> (Lab, Driver) {
    let clock = Clock::new();
    let (wire, port, peer) = Wire::new(&clock, WireConfig::default().with_speed(Speed::MBPS_10));
    let mut errata = Errata::of(Revision::B7);
    errata.e6_packet_flag = false;
    errata.e13_false_late_collision = false;
    change(&mut errata);
    let config = ChipConfig::new(Revision::B7)
        .with_errata(errata)
        .with_cs_hold(Duration::from_micros(1));
    let lab = Lab {
        chip: Enc28j60Chip::new(&clock, port, config),
        peer: Peer::new(peer),
        clock,
        wire,
    };
    lab.clock.advance(Duration::from_millis(1));
    let (bus, select) = lab.chip.spi_bus();
    let driver = Driver::new(
        Hal02(bus),
        Hal02(select),
        Hal02(lab.chip.int_pin()),
        Unconnected,
        &mut Hal02(lab.clock.clone()),
        0x1a00,
        MAC.octets(),
    );
    lab.clock.advance(Duration::from_millis(25));
    (lab, driver.expect("the bus does not fail"))
}

fn frame(len: usize, n: u8) -> Vec<u8> {
    let mut frame = MAC.octets().to_vec();
    frame.extend([0x02, 0, 0, 0, 0, 0x01, 0x88, 0xb5]);
    frame.extend((14..len).map(|at| (at as u8).wrapping_mul(7) ^ n));
    frame
}

impl Lab {
    fn ms(&self, ms: u64) {
        self.clock.advance(Duration::from_millis(ms));
    }
}

#[test]
fn frames_cross_both_ways_and_are_counted() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    let mut buf = [0; 1514];
    let lengths = [60, 61, 64, 333, 1000, 1513, 1514].into_iter().cycle().take(40);
    let (mut bytes, mut n) = (0, 0);
    for len in lengths {
        let there = frame(len, n);
        lab.peer.send(&there);
        lab.ms(2);
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
        lab.ms(2);
        assert_eq!(lab.peer.recv(), Some(back));
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
fn a_frame_that_does_not_fit_stays_next() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    assert_eq!(device.recv_frame(&mut []), Ok(None));
    for n in 0..3 {
        lab.peer.send(&frame(700, n));
    }
    lab.ms(3);
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
fn what_is_no_frame_is_refused_and_nothing_goes_out() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    let kind = |result: Result<(), Error<SpiFault>>| result.map_err(|e| e.kind());
    assert_eq!(kind(device.send_frame(&[0; 13])), Err(ErrorKind::FrameTooShort));
    assert_eq!(kind(device.send_vectored(&[])), Err(ErrorKind::FrameTooShort));
    let long = kind(device.send_frame(&[0; 1515]));
    assert_eq!(long, Err(ErrorKind::FrameTooLong { max: 1514 }));
    lab.ms(5);
    assert_eq!(lab.peer.recv(), None);
    // The shortest there is, padded by the chip.
    assert_eq!(device.send_frame(&frame(14, 0)), Ok(()));
    lab.ms(5);
    assert_eq!(lab.peer.recv().map(|frame| frame.len()), Some(60));
}

#[test]
fn limit_after_a_late_collision_frames_go_out_and_count_as_aborted() {
    let (lab, driver) = lab_with(|errata| errata.e15_latecol = false);
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    lab.chip.next_transmissions([TxFate::LateCollision]);
    assert_eq!(device.send_frame(&frame(100, 1)), Ok(()));
    assert_eq!(device.send_frame(&frame(100, 2)), Ok(()));
    lab.ms(2);
    let events = device.service().expect("the bus does not fail");
    assert_eq!((events.tx_completed, events.tx_failed), (0, 2));
    let stats = device.stats();
    assert_eq!((stats.tx_frames, stats.tx_aborted), (0, 2));
    let arrived: Vec<_> = core::iter::from_fn(|| lab.peer.recv()).collect();
    assert_eq!(arrived, [frame(100, 2)]);
}

#[test]
#[should_panic(expected = "not implemented")]
fn limit_a_late_collision_that_estat_hides_is_a_panic_of_the_driver() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    lab.chip.next_transmissions([TxFate::LateCollision]);
    device.send_frame(&frame(100, 1)).expect("room");
    let _ = device.service();
}

#[test]
#[should_panic(expected = "not implemented")]
fn limit_any_other_abort_is_a_panic_of_the_driver() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    lab.chip.next_transmissions([TxFate::ExcessiveCollisions]);
    device.send_frame(&frame(100, 1)).expect("room");
    let _ = device.service();
}

#[test]
fn limit_after_a_bus_error_there_is_only_the_fault() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    device.send_frame(&frame(100, 1)).expect("room");
    lab.peer.send(&frame(100, 0));
    lab.ms(2);
    lab.chip.fail_bus_at(40);
    let mut buf = [0; 1514];
    let error = device.recv_frame(&mut buf).expect_err("the bus fails");
    assert!(matches!(error, Error::Spi(SpiFault::AtByte(_))), "{error}");
    assert_eq!(device.recv_frame(&mut buf), Err(Error::Fault));
    assert_eq!(device.discard_frame(), Err(Error::Fault));
    assert_eq!(device.send_frame(&frame(100, 2)), Err(Error::Fault));
    assert_eq!(device.tx_ready(), Err(Error::Fault));
    assert_eq!(device.service(), Err(Error::Fault));
    assert_eq!(device.recover().map_err(|e| e.kind()), Err(ErrorKind::Unsupported));
    let stats = device.stats();
    assert_eq!((stats.rx_reset, stats.tx_reset, stats.faults), (1, 1, 1));
    let (_, mut select, int, _) = device.release().free();
    // The way out: all anew.
    #[allow(deprecated, reason = "the driver asks for the first version of the trait")]
    hal02::digital::OutputPin::set_high(&mut select);
    let (bus, _) = lab.chip.spi_bus();
    let mut delay = Hal02(lab.clock.clone());
    let driver = Driver::new(Hal02(bus), select, int, Unconnected, &mut delay, 0x1a00, MAC.octets());
    let mut device = Bridge::new(driver.expect("it fails once"), MAC, &mut memory);
    lab.ms(25);
    lab.peer.send(&frame(100, 3));
    lab.ms(2);
    assert!(device.recv_frame(&mut buf).expect("the bus works").is_some());
    assert_eq!(buf[..100], frame(100, 3));
}

#[test]
fn limit_the_link_is_always_up() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    lab.wire.set_link(false);
    lab.ms(50);
    assert_eq!(device.service().map(|events| events.link_changed), Ok(false));
    assert!(device.link().is_up());
}

#[test]
fn the_int_line_tells_of_frames_and_no_edge_is_lost() {
    let (lab, driver) = lab();
    let mut memory = Memory::new();
    let mut device = Bridge::new(driver, MAC, &mut memory);
    let mut int = lab.chip.int_pin();
    assert_eq!(device.rearm(Interest::RX), Ok(RearmOutcome::Armed));
    assert_eq!(int.is_high(), Ok(true));
    lab.peer.send(&frame(100, 0));
    lab.ms(2);
    assert_eq!(int.is_low(), Ok(true));
    assert_eq!(device.disarm(), Ok(()));
    assert_eq!(int.is_high(), Ok(true));
    // One is there already.
    assert_eq!(device.rearm(Interest::RX), Ok(RearmOutcome::WorkPending));
    assert!(device.recv_frame(&mut [0; 1514]).expect("the bus works").is_some());
    assert_eq!(device.rearm(Interest::LINK), Ok(RearmOutcome::Armed));
    lab.peer.send(&frame(100, 0));
    lab.ms(2);
    assert_eq!(int.is_high(), Ok(true), "woken for what is of no interest");
    assert_eq!(device.rearm(Interest::TX), Ok(RearmOutcome::WorkPending));
}
