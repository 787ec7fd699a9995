//! Faults of chip, bus and radio: no panic, no hang, nothing delivered twice, every loss counted.

mod support;

use std::time::Duration;

use cyw43439_model::{AccessPoint, ChipConfig, ChipFaults, Corruption, Fault};
use ethdev::{Control, ErrorKind, EthernetDevice};
use ethdev_cyw43::{Config, Network, PowerSave, ReconnectPolicy};
use support::*;

fn config() -> Config {
    Config::new()
        .with_power_save(PowerSave::Off)
        .with_reconnect(ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(5), Duration::from_millis(50)))
        .with_watchdog_polls(16)
        // A lost event takes that many calls of `service`.
        .with_join_timeout(Duration::from_millis(1500))
}

/// A frame from the peer with a sequence number.
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
fn recv_frame_corrupt_frame_is_dropped_and_counted() {
    for corruption in [
        Corruption::LengthZero,
        Corruption::StatusLength(-20),
        Corruption::StatusLength(20),
        Corruption::Complement,
        Corruption::HeaderLength(0),
        Corruption::HeaderLength(11),
        Corruption::HeaderLength(13),
        Corruption::HeaderLength(255),
        Corruption::OddHeaderLength,
        Corruption::DataOffset(255),
        Corruption::Oversize(1600),
        Corruption::Oversize(2047),
        Corruption::Channel(0),
        Corruption::Channel(1),
        Corruption::Channel(3),
        Corruption::Channel(15),
        Corruption::Credit(200),
        Corruption::Sequence(77),
        Corruption::Garbage,
        Corruption::Duplicate,
        Corruption::Lost,
    ] {
        let testbed = Testbed::with_ap();
        let mut nic = testbed.started(config());
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        let before = nic.stats();
        testbed.chip.inject(Fault::DataFrame(corruption));
        let sent = [numbered(&nic, 1, 400), numbered(&nic, 2, 500)];
        for frame in &sent {
            testbed.station.send(frame);
            testbed.pass(3);
        }
        let mut got = vec![];
        for _ in 0..20 {
            let mut buf = [0; 1514];
            match nic.recv_frame(&mut buf) {
                Ok(Some(meta)) => got.push(buf[..meta.len].to_vec()),
                Ok(None) => {}
                Err(e) => panic!("{corruption:?}: {e}"),
            }
            nic.service().unwrap();
        }
        assert!(got.contains(&sent[1]), "{corruption:?}: the good frame is gone");
        let stats = nic.stats().delta_since(&before);
        match corruption {
            // The header of the frame itself is intact, or its data are.
            Corruption::LengthZero | Corruption::Credit(_) | Corruption::Sequence(_) | Corruption::OddHeaderLength => {
                assert!(got.contains(&sent[0]), "{corruption:?}: {stats:?}");
            }
            Corruption::StatusLength(20) => {}
            Corruption::Garbage | Corruption::HeaderLength(13) => {}
            Corruption::Duplicate => assert!(got.len() <= 3),
            _ => assert!(!got.contains(&sent[0]), "{corruption:?}"),
        }
        let lost = 2_u32.saturating_sub(u32::try_from(got.len()).unwrap());
        if !matches!(corruption, Corruption::Channel(_) | Corruption::Lost) {
            assert!(
                stats.rx_lost() >= lost,
                "{corruption:?}: {} delivered, {stats:?}",
                got.len()
            );
        }
        // And the other way it works as before.
        nic.send_frame(&sent[0]).unwrap();
    }
}

#[test]
fn service_stray_events_link_kept() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for kind in 0..160 {
        // Those that end a link do so.
        if [5, 6, 11, 12, 16].contains(&kind) || kind == 46 {
            continue;
        }
        for status in [0, 8, 255] {
            testbed.chip.inject(Fault::StrayEvent {
                kind,
                status,
                reason: 0,
            });
        }
        testbed.pass(2);
        nic.service().unwrap();
    }
    for corruption in [
        Corruption::EventLength(u32::MAX),
        Corruption::EventLength(1000),
        Corruption::Garbage,
        Corruption::Channel(2),
    ] {
        testbed.chip.inject(Fault::Event(corruption));
        testbed.chip.inject(Fault::StrayEvent {
            kind: 6,
            status: 0,
            reason: 2,
        });
        testbed.pass(2);
        nic.service().unwrap();
        while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
        assert!(nic.link().is_up(), "{corruption:?}");
    }
    testbed.frames_cross(&mut nic);
}

#[test]
fn recv_frame_junk_and_credits_are_skipped() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for _ in 0..10 {
        testbed.chip.inject(Fault::JunkFrame);
        testbed.chip.inject(Fault::CreditUpdate);
        testbed.chip.inject(Fault::SpuriousInterrupt);
        testbed.pass(2);
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        testbed.frames_cross(&mut nic);
    }
    testbed.assert_no_violations();
}

/// All faults at once, by seed.
#[test]
fn driver_random_faults_recovers() {
    for seed in 0..6 {
        let faults = ChipFaults::default()
            .with_invalid_status(0.002)
            .with_bus_failure(0.001)
            .with_corrupted_frame(0.02)
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

/// Runs traffic through a chip with these faults. `whole`: the bus corrupts no bits, so that
/// received frames are intact.
fn soak(seed: u64, faults: ChipFaults, whole: bool) {
    let testbed = Testbed::with(ChipConfig::default().with_seed(seed));
    let ap = testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let mut nic = testbed.started(config());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.chip.set_faults(faults);
    let (mut seen, mut repeated, mut altered, mut last, mut sent) = (0, 0, 0, None, 0);
    let (mut recoveries, mut accepted) = (0, 0_u32);
    let mut rng = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for n in 0..4000_u32 {
        rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let len = 60 + (rng >> 33) as usize % 1455;
        let frame = numbered(&nic, n, len);
        if n % 3 == 0 {
            testbed.station.send(&frame);
            sent += 1;
        }
        testbed.pass(u64::from(n % 3 == 0));
        let call = testbed.clock.now();
        let mut buf = [0; 1600];
        let result = match (rng >> 40) % 16 {
            0..=7 => nic.recv_frame(&mut buf).map(|meta| {
                if let Some(meta) = meta {
                    assert!((14..=1514).contains(&meta.len));
                    if whole {
                        let got = number(&buf[..meta.len]);
                        if buf[..meta.len] == numbered(&nic, got, meta.len) {
                            assert!(last <= Some(got), "seed {seed}: frame {got} after {last:?}");
                            repeated += u64::from(last == Some(got));
                            seen += u64::from(last != Some(got));
                            last = Some(got);
                        } else {
                            altered += 1;
                        }
                    }
                }
            }),
            8..=11 => {
                // To the peer: the access point would return a frame to this station.
                let mut frame = frame;
                frame[..12].rotate_left(6);
                nic.send_frame(&frame).map(|()| accepted += 1)
            }
            12 => nic.rssi_dbm().map(drop),
            13 => nic.tx_ready().map(drop),
            14 => nic.recv_frame(&mut buf[..20]).map(drop),
            _ => nic.service().map(drop),
        };
        assert!(
            testbed.clock.now() - call < Duration::from_secs(15),
            "seed {seed}: a call took {:?}",
            testbed.clock.now() - call
        );
        if result.is_err_and(|e| ethdev::Error::kind(&e) == ErrorKind::Fault) {
            while nic.recover().is_err() {
                recoveries += 1;
                assert!(recoveries < 400, "seed {seed}");
            }
            recoveries += 1;
        }
        if n % 700 == 699 {
            testbed.chip.deauthenticate(7);
        }
        if n % 1900 == 1899 {
            testbed.chip.remove_ap(ap);
            testbed.pass(50);
            testbed.chip.restore_ap(ap);
        }
    }
    // No more faults.
    testbed.chip.set_faults(ChipFaults::NONE);
    testbed.pass(4000);
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
        testbed.pass(5);
    }
    assert!(settled, "seed {seed}: no link any more, {:?}", nic.last_join_error());
    testbed.pass(200);
    while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
    nic.service().unwrap();
    while testbed.station.recv().is_some() {}
    testbed.frames_cross(&mut nic);
    let model = testbed.chip.stats();
    assert!(model.balanced());
    let stats = nic.stats();
    let delivered = u64::from(stats.rx_frames);
    assert!(
        delivered <= model.delivered + model.delivered_corrupted,
        "seed {seed}: delivered twice, {stats:?}"
    );
    assert!(
        delivered + u64::from(stats.rx_lost()) >= model.delivered,
        "seed {seed}: {} frames were read from the chip, {stats:?}",
        model.delivered
    );
    if whole {
        assert!(seen > 200, "seed {seed}: {seen} frames");
        // Only what the model altered or duplicated may be wrong. Two frames arrived in the exchange
        // at the end.
        assert!(
            altered <= model.delivered_corrupted && repeated <= model.arrived - sent - 2,
            "seed {seed}: {altered} frames were altered, {repeated} repeated, {model:?}"
        );
    }
    assert!(
        u64::from(accepted) <= model.tx_accepted + model.tx_malformed + model.tx_no_credit + 2,
        "seed {seed}"
    );
    println!(
        "seed {seed}: {recoveries} recoveries, {} delivered, {:?}",
        model.delivered,
        nic.stats()
    );
}
