//! Protocol violations, each kind once.

use cyw43439_model::{AccessPoint, ChipConfig, ViolationKind};
use embedded_hal::digital::OutputPin;

use crate::host::{ARM, SOCSRAM, Testbed, command, ethernet, ms};

fn off() -> Testbed {
    Testbed::off(ChipConfig::default())
}

fn on() -> Testbed {
    Testbed::on(ChipConfig::default())
}

/// With the backplane's clock.
fn clocked() -> Testbed {
    let mut bed = on();
    bed.request_alp();
    bed
}

fn running() -> Testbed {
    Testbed::running(ChipConfig::default())
}

/// Each kind, except those of ioctls, networks and pins, which other tests cover.
#[test]
fn each_violation_kind_is_reported() {
    type Build = fn() -> Testbed;
    type Violate = fn(&mut Testbed);
    use ViolationKind as V;
    let cases: [(ViolationKind, Build, Violate); 25] = [
        (V::BusWithoutPower, off, |bed| {
            bed.swapped_read(0x14);
        }),
        (V::ShortPowerCycle, on, |bed| {
            bed.chip.power_pin().set_low().unwrap();
            bed.chip.power_pin().set_high().unwrap();
        }),
        (V::WordCount, on, |bed| {
            bed.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4), 1, 2]).unwrap();
        }),
        (V::WordCount, on, |bed| {
            bed.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4)]).unwrap();
        }),
        (V::WordCount, on, |bed| {
            let mut words = [0; 3];
            bed.bus
                .cmd_read_blocking(command(false, 0, 0x18, 4), &mut words)
                .unwrap();
        }),
        (V::WrongWordMode, off, |bed| {
            bed.chip.power_pin().set_high().unwrap();
            bed.clock.advance(ms(60));
            bed.swapped_read(0x14);
            let mut word = [0];
            let read = command(false, 0, 0x14, 1).rotate_left(16);
            bed.bus.cmd_read_blocking(read, &mut word).unwrap();
        }),
        (V::BadBusRegister, on, |bed| {
            bed.read(0, 0x40, 4);
        }),
        (V::ReadOnly, on, |bed| {
            bed.write(0, 0x14, 4, 1);
        }),
        (V::BackplaneTooLong, clocked, |bed| {
            let mut data = vec![command(true, 1, 0, 68)];
            data.resize(18, 0);
            bed.bus.cmd_write_blocking(&data).unwrap();
        }),
        (V::BackplaneUnaligned, clocked, |bed| {
            bed.write(1, 2, 4, 1);
        }),
        (V::WindowCrossed, clocked, |bed| {
            let mut data = vec![command(true, 1, 0x7ff0, 32)];
            data.resize(9, 0);
            bed.bus.cmd_write_blocking(&data).unwrap();
        }),
        (V::BadBackplaneAddress, clocked, |bed| {
            bed.backplane_read(0x4000_0000, 4);
        }),
        (V::BadBackplaneAddress, clocked, |bed| {
            bed.read(1, 0x1_0040, 1);
        }),
        (V::ResponseDelay, clocked, |bed| {
            bed.write(0, 0x1d, 1, 0);
            let mut word = [0];
            bed.bus.cmd_read_blocking(command(false, 1, 0, 4), &mut word).unwrap();
        }),
        (V::NoClock, on, |bed| bed.upload(0, &[1; 64])),
        (V::RamNotReady, clocked, |bed| {
            bed.disable(SOCSRAM);
            bed.upload(0, &[1; 64]);
        }),
        (V::RamNotReady, running, |bed| bed.upload(0, &[1; 64])),
        (V::CoreSequence, clocked, |bed| {
            bed.disable(ARM);
            bed.backplane_write(ARM + 0x800, 1, 0);
        }),
        (V::BadWatermark, clocked, |bed| {
            bed.write(1, 0x1_0008, 1, 6);
        }),
        (V::BadWatermark, running, |bed| {
            bed.write(1, 0x1_0008, 1, 0x22);
        }),
        (V::F2NotReady, on, |bed| bed.send_request(true, 2, &[])),
        (V::NothingToRead, running, |bed| {
            bed.recv_bytes(256);
        }),
        (V::WrongReadLength, running, |bed| {
            bed.send_request(true, 2, &[]);
            bed.clock.advance(ms(5));
            bed.recv_bytes(128);
        }),
        (V::BadChannel, running, |bed| {
            let frame = bed.frame(5, 12, &[0; 8]);
            bed.send_raw(&frame);
        }),
        (V::BadSequence, running, |bed| {
            bed.ioctl(true, 2, &[]).unwrap();
            bed.sequence += 1;
            bed.send_request(true, 2, &[]);
        }),
    ];
    for (n, (kind, build, violate)) in cases.into_iter().enumerate() {
        let mut bed = build();
        bed.clean();
        violate(&mut bed);
        let violations = bed.chip.violations();
        let first = violations
            .first()
            .unwrap_or_else(|| panic!("case {n}: {kind:?} is not reported"));
        assert_eq!(first.kind, kind, "case {n}: {first}");
        assert!(bed.chip.stats().balanced());
    }
}

#[test]
fn bus_clock_above_50_mhz_is_violation() {
    let bed = Testbed::on(ChipConfig::default().with_bus_hz(50_000_000));
    bed.clean();
    let bed = Testbed::on(ChipConfig::default().with_bus_hz(50_000_001));
    assert_eq!(bed.kinds(), [ViolationKind::ClockTooFast].into());
}

#[test]
fn frame_with_invalid_header_is_violation() {
    type Corruption = fn(&mut Vec<u8>);
    let cases: [Corruption; 5] = [
        |frame| frame[2] ^= 1,
        |frame| frame[7] = 11,
        |frame| frame[7] = 200,
        |frame| frame.extend([0; 8]),
        |frame| frame.truncate(8),
    ];
    for (n, corrupt) in cases.into_iter().enumerate() {
        let mut bed = running();
        let mut frame = bed.frame(0, 12, &[0; 16]);
        corrupt(&mut frame);
        bed.send_raw(&frame);
        assert_eq!(bed.kinds(), [ViolationKind::BadFrame].into(), "case {n}");
        assert_eq!(bed.chip.stats().tx_malformed, 1, "case {n}");
    }
}

#[test]
fn frame_with_invalid_length_is_violation() {
    for len in [13, 1515] {
        let mut bed = Testbed::joined(ChipConfig::default());
        let mut frame = ethernet([2, 0, 0, 0, 0, 7], len.max(14), 0);
        frame.truncate(len);
        bed.send_data(&frame);
        bed.pass(ms(5));
        assert_eq!(bed.kinds(), [ViolationKind::BadFrameLength].into());
        assert_eq!(bed.chip.stats().tx_bad_length, 1);
        assert_eq!(bed.peer.recv(), None);
    }
}

#[test]
fn join_with_key_without_supplicant_is_violation() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.chip.add_ap(AccessPoint::wpa2("lab", "correct horse"));
    bed.secure_wpa2("correct horse");
    bed.set_pair("bsscfg:sup_wpa", 0, 0).unwrap();
    bed.join("lab").unwrap();
    bed.pass(ms(400));
    assert_eq!(bed.kinds(), [ViolationKind::BadValue].into());
    assert!(bed.chip.association().is_some_and(|association| !association.keyed));
}

#[test]
fn violation_describes_transaction() {
    let mut bed = on();
    bed.write(0, 0x14, 4, 0x55);
    let violation = bed.chip.take_violations().remove(0);
    assert_eq!(violation.words, [command(true, 0, 0x14, 4), 0x55]);
    assert!(
        violation.to_string().contains("write F0 0x00014, 4 bytes"),
        "{violation}"
    );
    assert_eq!(violation.at, bed.clock.now());
    bed.chip.allow_violation(ViolationKind::ReadOnly);
    bed.write(0, 0x14, 4, 0x55);
    bed.clean();
}

/// The bus carries one transaction at a time.
#[test]
fn bus_reentered_returns_busy() {
    let bed = on();
    let clock = bed.clock.clone();
    let (mut first, mut second) = (bed.chip.word_bus(), bed.chip.word_bus());
    let (mut a, mut b) = ([0], [0]);
    let results = ethdev_sim::block_on(&clock, async {
        let mut one = core::pin::pin!(first.cmd_read(command(false, 0, 0x14, 4), &mut a));
        let mut two = core::pin::pin!(second.cmd_read(command(false, 0, 0x14, 4), &mut b));
        let (mut left, mut right) = (None, None);
        core::future::poll_fn(|cx| {
            if left.is_none() {
                if let core::task::Poll::Ready(result) = one.as_mut().poll(cx) {
                    left = Some(result);
                }
            }
            if right.is_none() {
                if let core::task::Poll::Ready(result) = two.as_mut().poll(cx) {
                    right = Some(result);
                }
            }
            if left.is_some() && right.is_some() {
                core::task::Poll::Ready(())
            } else {
                core::task::Poll::Pending
            }
        })
        .await;
        (left, right)
    })
    .expect("both end");
    assert!(matches!(results, (Some(Ok(_)), Some(Err(_)))), "{results:?}");
    assert_eq!(bed.kinds(), [ViolationKind::BusReentered].into());
}
