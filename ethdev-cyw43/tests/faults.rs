//! A chip, a bus and an air that fail: no panic, no hang, nothing delivered twice or damaged beyond what the bus damages, and every loss in some counter.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use cyw43439_model::{AccessPoint, ChipConfig, ChipFaults, Fault, Spoil};
use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_cyw43::{Config, Network, PowerSave, ReconnectPolicy};
use support::*;

fn config() -> Config {
    Config::new()
        .with_power_save(PowerSave::Off)
        .with_rejoin(ReconnectPolicy::PERSISTENT.with_pauses_ms(5, 50))
        .with_health_check_every(16)
        // An event that is lost costs as many calls of `service`.
        .with_join_timeout_ms(1500)
}

/// A frame from the peer that tells its number.
fn numbered(nic: &Nic, n: u32, len: usize) -> Vec<u8> {
    let mut frame = vec![0xa5; len.max(60)];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
    frame[12..14].copy_from_slice(&[0x88, 0xb5]);
    frame[14..18].copy_from_slice(&n.to_be_bytes());
    frame
}

fn number(frame: &[u8]) -> u32 {
    u32::from_be_bytes(frame[14..18].try_into().unwrap())
}

#[test]
fn frames_that_lie_are_dropped_and_counted() {
    for spoil in [
        Spoil::LengthZero,
        Spoil::StatusLength(-20),
        Spoil::StatusLength(20),
        Spoil::Complement,
        Spoil::HeaderLength(0),
        Spoil::HeaderLength(11),
        Spoil::HeaderLength(13),
        Spoil::HeaderLength(255),
        Spoil::OddHeaderLength,
        Spoil::DataOffset(255),
        Spoil::Oversize(1600),
        Spoil::Oversize(2047),
        Spoil::Channel(0),
        Spoil::Channel(1),
        Spoil::Channel(3),
        Spoil::Channel(15),
        Spoil::Credit(200),
        Spoil::Sequence(77),
        Spoil::Garbage,
        Spoil::Duplicate,
        Spoil::Lost,
    ] {
        let lab = Lab::with_ap();
        let mut nic = lab.started(config());
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        let before = nic.stats();
        lab.chip.inject(Fault::DataFrame(spoil));
        let sent = [numbered(&nic, 1, 400), numbered(&nic, 2, 500)];
        for frame in &sent {
            lab.station.send(frame);
            lab.pass(3);
        }
        let mut got = vec![];
        for _ in 0..20 {
            let mut buf = [0; 1514];
            match nic.recv_frame(&mut buf) {
                Ok(Some(meta)) => got.push(buf[..meta.len].to_vec()),
                Ok(None) => {}
                Err(e) => panic!("{spoil:?}: {e}"),
            }
            nic.service().unwrap();
        }
        assert!(got.contains(&sent[1]), "{spoil:?}: the good frame is gone");
        let stats = nic.stats().delta_since(&before);
        match spoil {
            // The header of the frame itself is intact, or its data are.
            Spoil::LengthZero | Spoil::Credit(_) | Spoil::Sequence(_) | Spoil::OddHeaderLength => {
                assert!(got.contains(&sent[0]), "{spoil:?}: {stats:?}");
            }
            Spoil::StatusLength(20) => {}
            Spoil::Garbage | Spoil::HeaderLength(13) => {}
            Spoil::Duplicate => assert!(got.len() <= 3),
            _ => assert!(!got.contains(&sent[0]), "{spoil:?}"),
        }
        let lost = 2_u32.saturating_sub(u32::try_from(got.len()).unwrap());
        if !matches!(spoil, Spoil::Channel(_) | Spoil::Lost) {
            assert!(stats.rx_lost() >= lost, "{spoil:?}: {} delivered, {stats:?}", got.len());
        }
        // And the other way it works as before.
        nic.send_frame(&sent[0]).unwrap();
    }
}

#[test]
fn stray_events_change_nothing_that_they_should_not() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for kind in 0..160 {
        // Those that end a link do so.
        if [5, 6, 11, 12, 16].contains(&kind) || kind == 46 {
            continue;
        }
        for status in [0, 8, 255] {
            lab.chip.inject(Fault::StrayEvent {
                kind,
                status,
                reason: 0,
            });
        }
        lab.pass(2);
        nic.service().unwrap();
    }
    for spoil in [
        Spoil::EventLength(u32::MAX),
        Spoil::EventLength(1000),
        Spoil::Garbage,
        Spoil::Channel(2),
    ] {
        lab.chip.inject(Fault::Event(spoil));
        lab.chip.inject(Fault::StrayEvent {
            kind: 6,
            status: 0,
            reason: 2,
        });
        lab.pass(2);
        nic.service().unwrap();
        while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
        assert!(nic.link().is_up(), "{spoil:?}");
    }
    lab.frames_cross(&mut nic);
}

#[test]
fn junk_and_credits_between_frames_are_no_frames() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for _ in 0..10 {
        lab.chip.inject(Fault::JunkFrame);
        lab.chip.inject(Fault::CreditUpdate);
        lab.chip.inject(Fault::SpuriousInterrupt);
        lab.pass(2);
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        lab.frames_cross(&mut nic);
    }
    lab.assert_clean();
}

/// Every knob at once, by seed.
#[test]
fn everything_fails_a_little() {
    for seed in 0..6 {
        let faults = ChipFaults::default()
            .with_invalid_status(0.002)
            .with_bus_failure(0.001)
            .with_spoiled_frame(0.02)
            .with_replies(0.01, 0.02, 0.01)
            .with_refused_ioctl(0.01)
            .with_air_loss(0.01, 0.01);
        soak(seed, faults, true);
    }
    for seed in 10..14 {
        soak(
            seed,
            ChipFaults::default().with_read_bit_error(0.005).with_lost_edge(0.1),
            false,
        );
    }
}

/// Runs traffic through a chip with these faults. `whole`: no bit is damaged on the bus, so that what comes is what was sent.
fn soak(seed: u64, faults: ChipFaults, whole: bool) {
    let lab = Lab::with(ChipConfig::default().with_seed(seed));
    let ap = lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut nic = lab.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.chip.set_faults(faults);
    let (mut seen, mut recoveries, mut accepted) = (HashSet::new(), 0, 0_u32);
    let mut rng = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for n in 0..4000_u32 {
        rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let len = 60 + (rng >> 33) as usize % 1455;
        let frame = numbered(&nic, n, len);
        if n % 3 == 0 {
            lab.station.send(&frame);
        }
        lab.pass(u64::from(n % 3 == 0));
        let call = lab.clock.now();
        let mut buf = [0; 1600];
        let result = match (rng >> 40) % 16 {
            0..=7 => nic.recv_frame(&mut buf).map(|meta| {
                if let Some(meta) = meta {
                    assert!((14..=1514).contains(&meta.len));
                    if whole && buf[..meta.len].len() >= 60 && buf[12..14] == [0x88, 0xb5] {
                        let got = number(&buf[..meta.len]);
                        if buf[18..meta.len].iter().all(|&byte| byte == 0xa5) {
                            seen.insert(got);
                        }
                    }
                }
            }),
            8..=11 => nic.send_frame(&frame).map(|()| accepted += 1),
            12 => nic.rssi_dbm().map(drop),
            13 => nic.tx_ready().map(drop),
            14 => nic.recv_frame(&mut buf[..20]).map(drop),
            _ => nic.service().map(drop),
        };
        assert!(
            lab.clock.now() - call < Duration::from_secs(15),
            "seed {seed}: a call took {:?}",
            lab.clock.now() - call
        );
        if result.is_err_and(|e| ethdev::Error::kind(&e) == ErrorKind::Fault) {
            while nic.recover().is_err() {
                recoveries += 1;
                assert!(recoveries < 400, "seed {seed}");
            }
            recoveries += 1;
        }
        if n % 700 == 699 {
            lab.chip.deauthenticate(7);
        }
        if n % 1900 == 1899 {
            lab.chip.remove_ap(ap);
            lab.pass(50);
            lab.chip.restore_ap(ap);
        }
    }
    // All is well again.
    lab.chip.set_faults(ChipFaults::NONE);
    lab.pass(4000);
    let mut settled = false;
    for _ in 0..4000 {
        match nic.service() {
            Ok(_) => {
                while nic.recv_frame(&mut [0; 1514]).unwrap_or(None).is_some() {}
                if nic.link().is_up() {
                    settled = true;
                    break;
                }
            }
            Err(_) => {
                if nic.recover().is_err() {
                    continue;
                }
            }
        }
        lab.pass(5);
    }
    assert!(settled, "seed {seed}: no link any more, {:?}", nic.last_join_error());
    lab.pass(200);
    while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
    nic.service().unwrap();
    while lab.station.recv().is_some() {}
    lab.frames_cross(&mut nic);
    let truth = lab.chip.stats();
    assert!(truth.balanced());
    let stats = nic.stats();
    let delivered = u64::from(stats.rx_frames);
    assert!(
        delivered <= truth.delivered + truth.delivered_spoiled,
        "seed {seed}: delivered twice, {stats:?}"
    );
    assert!(
        delivered + u64::from(stats.rx_lost()) >= truth.delivered,
        "seed {seed}: {} frames were read from the chip, {stats:?}",
        truth.delivered
    );
    if whole {
        assert!(seen.len() > 200, "seed {seed}: {} frames", seen.len());
    }
    assert!(
        u64::from(accepted) <= truth.tx_accepted + truth.tx_malformed + truth.tx_no_credit + 2,
        "seed {seed}"
    );
    println!(
        "seed {seed}: {recoveries} recoveries, {} delivered, {:?}",
        truth.delivered,
        nic.stats()
    );
}
