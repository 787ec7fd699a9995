//! What the model reports, each kind once.

use cyw43439_model::{AccessPoint, ChipConfig, ViolationKind};
use embedded_hal::digital::OutputPin;

use crate::host::{ARM, Lab, SOCSRAM, command, ethernet, ms};

fn off() -> Lab {
    Lab::off(ChipConfig::default())
}

fn on() -> Lab {
    Lab::on(ChipConfig::default())
}

/// With the backplane's clock.
fn clocked() -> Lab {
    let mut lab = on();
    lab.request_alp();
    lab
}

fn running() -> Lab {
    Lab::running(ChipConfig::default())
}

/// What each kind takes, but for those of ioctls, networks and pins, which other tests meet.
#[test]
fn each_kind() {
    type Build = fn() -> Lab;
    type Misuse = fn(&mut Lab);
    use ViolationKind as V;
    let cases: [(ViolationKind, Build, Misuse); 25] = [
        (V::BusWithoutPower, off, |lab| {
            lab.swapped_read(0x14);
        }),
        (V::ShortPowerCycle, on, |lab| {
            lab.chip.power_pin().set_low().unwrap();
            lab.chip.power_pin().set_high().unwrap();
        }),
        (V::WordCount, on, |lab| {
            lab.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4), 1, 2]).unwrap();
        }),
        (V::WordCount, on, |lab| {
            lab.bus.cmd_write_blocking(&[command(true, 0, 0x18, 4)]).unwrap();
        }),
        (V::WordCount, on, |lab| {
            let mut words = [0; 3];
            lab.bus
                .cmd_read_blocking(command(false, 0, 0x18, 4), &mut words)
                .unwrap();
        }),
        (V::WrongWordMode, off, |lab| {
            lab.chip.power_pin().set_high().unwrap();
            lab.clock.advance(ms(60));
            lab.swapped_read(0x14);
            let mut word = [0];
            let read = command(false, 0, 0x14, 1).rotate_left(16);
            lab.bus.cmd_read_blocking(read, &mut word).unwrap();
        }),
        (V::BadBusRegister, on, |lab| {
            lab.read(0, 0x40, 4);
        }),
        (V::ReadOnly, on, |lab| {
            lab.write(0, 0x14, 4, 1);
        }),
        (V::BackplaneTooLong, clocked, |lab| {
            let mut data = vec![command(true, 1, 0, 68)];
            data.resize(18, 0);
            lab.bus.cmd_write_blocking(&data).unwrap();
        }),
        (V::BackplaneUnaligned, clocked, |lab| {
            lab.write(1, 2, 4, 1);
        }),
        (V::WindowCrossed, clocked, |lab| {
            let mut data = vec![command(true, 1, 0x7ff0, 32)];
            data.resize(9, 0);
            lab.bus.cmd_write_blocking(&data).unwrap();
        }),
        (V::BadBackplaneAddress, clocked, |lab| {
            lab.backplane_read(0x4000_0000, 4);
        }),
        (V::BadBackplaneAddress, clocked, |lab| {
            lab.read(1, 0x1_0040, 1);
        }),
        (V::ResponseDelay, clocked, |lab| {
            lab.write(0, 0x1d, 1, 0);
            let mut word = [0];
            lab.bus.cmd_read_blocking(command(false, 1, 0, 4), &mut word).unwrap();
        }),
        (V::NoClock, on, |lab| lab.upload(0, &[1; 64])),
        (V::RamNotReady, clocked, |lab| {
            lab.disable(SOCSRAM);
            lab.upload(0, &[1; 64]);
        }),
        (V::RamNotReady, running, |lab| lab.upload(0, &[1; 64])),
        (V::CoreSequence, clocked, |lab| {
            lab.disable(ARM);
            lab.backplane_write(ARM + 0x800, 1, 0);
        }),
        (V::BadWatermark, clocked, |lab| {
            lab.write(1, 0x1_0008, 1, 6);
        }),
        (V::BadWatermark, running, |lab| {
            lab.write(1, 0x1_0008, 1, 0x22);
        }),
        (V::F2NotReady, on, |lab| lab.send_request(true, 2, &[])),
        (V::NothingToRead, running, |lab| {
            lab.recv_bytes(256);
        }),
        (V::WrongReadLength, running, |lab| {
            lab.send_request(true, 2, &[]);
            lab.clock.advance(ms(5));
            lab.recv_bytes(128);
        }),
        (V::BadChannel, running, |lab| {
            let frame = lab.frame(5, 12, &[0; 8]);
            lab.send_raw(&frame);
        }),
        (V::BadSequence, running, |lab| {
            lab.ioctl(true, 2, &[]).unwrap();
            lab.sequence += 1;
            lab.send_request(true, 2, &[]);
        }),
    ];
    for (n, (kind, build, misuse)) in cases.into_iter().enumerate() {
        let mut lab = build();
        lab.clean();
        misuse(&mut lab);
        let violations = lab.chip.violations();
        let first = violations
            .first()
            .unwrap_or_else(|| panic!("case {n}: {kind:?} is not reported"));
        assert_eq!(first.kind, kind, "case {n}: {first}");
        assert!(lab.chip.stats().balanced());
    }
}

#[test]
fn the_clock_of_the_bus_has_a_limit() {
    let lab = Lab::on(ChipConfig::default().with_bus_hz(50_000_000));
    lab.clean();
    let lab = Lab::on(ChipConfig::default().with_bus_hz(50_000_001));
    assert_eq!(lab.kinds(), [ViolationKind::ClockTooFast].into());
}

#[test]
fn headers_that_do_not_hold() {
    type Spoil = fn(&mut Vec<u8>);
    let cases: [Spoil; 5] = [
        |frame| frame[2] ^= 1,
        |frame| frame[7] = 11,
        |frame| frame[7] = 200,
        |frame| frame.extend([0; 8]),
        |frame| frame.truncate(8),
    ];
    for (n, spoil) in cases.into_iter().enumerate() {
        let mut lab = running();
        let mut frame = lab.frame(0, 12, &[0; 16]);
        spoil(&mut frame);
        lab.send_raw(&frame);
        assert_eq!(lab.kinds(), [ViolationKind::BadFrame].into(), "case {n}");
        assert_eq!(lab.chip.stats().tx_malformed, 1, "case {n}");
    }
}

#[test]
fn frames_that_ethernet_does_not_allow() {
    for len in [13, 1515] {
        let mut lab = Lab::joined(ChipConfig::default());
        let mut frame = ethernet([2, 0, 0, 0, 0, 7], len.max(14), 0);
        frame.truncate(len);
        lab.send_data(&frame);
        lab.pass(ms(5));
        assert_eq!(lab.kinds(), [ViolationKind::BadFrameLength].into());
        assert_eq!(lab.chip.stats().tx_bad_length, 1);
        assert_eq!(lab.peer.recv(), None);
    }
}

#[test]
fn a_network_with_a_key_and_no_supplicant() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::wpa2("lab", "correct horse"));
    lab.secure_wpa2("correct horse");
    lab.set_pair("bsscfg:sup_wpa", 0, 0).unwrap();
    lab.join("lab").unwrap();
    lab.pass(ms(400));
    assert_eq!(lab.kinds(), [ViolationKind::BadValue].into());
    assert!(lab.chip.association().is_some_and(|association| !association.keyed));
}

#[test]
fn a_violation_tells_of_its_transaction() {
    let mut lab = on();
    lab.write(0, 0x14, 4, 0x55);
    let violation = lab.chip.take_violations().remove(0);
    assert_eq!(violation.words, [command(true, 0, 0x14, 4), 0x55]);
    assert!(
        violation.to_string().contains("write F0 0x00014, 4 bytes"),
        "{violation}"
    );
    assert_eq!(violation.at, lab.clock.now());
    lab.chip.allow(ViolationKind::ReadOnly);
    lab.write(0, 0x14, 4, 0x55);
    lab.clean();
}

/// The bus belongs to one transaction at a time.
#[test]
fn two_at_once() {
    let lab = on();
    let clock = lab.clock.clone();
    let (mut first, mut second) = (lab.chip.word_bus(), lab.chip.word_bus());
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
    assert_eq!(lab.kinds(), [ViolationKind::BusReentered].into());
}
