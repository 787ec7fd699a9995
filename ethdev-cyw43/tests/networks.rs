//! Joining, leaving, losing and scanning, on the model of the chip among access points.

mod support;

use std::time::Duration;

use cyw43439_model::{self as model, AccessPoint, ChipConfig, EventOrder, Fault, Refusal, Spoil};
use ethdev::{Control, ErrorKind, EthernetDevice, Interest, Link, MacAddress, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{
    ApConfig, Config, Error, JoinError, Network, PowerSave, ReconnectPolicy, Scan, ScanOptions, Security, Ssid,
};
use support::*;

fn joins() -> [(AccessPoint, Network); 5] {
    [
        (AccessPoint::open(SSID), Network::open(SSID).unwrap()),
        (
            AccessPoint::wpa2(SSID, PASSPHRASE),
            Network::wpa2(SSID, PASSPHRASE).unwrap(),
        ),
        (
            AccessPoint::wpa3(SSID, PASSPHRASE),
            Network::wpa3(SSID, PASSPHRASE).unwrap(),
        ),
        (
            AccessPoint::wpa2_wpa3(SSID, PASSPHRASE),
            Network::wpa2_wpa3(SSID, PASSPHRASE).unwrap(),
        ),
        (
            AccessPoint::wpa2_wpa3(SSID, PASSPHRASE),
            Network::wpa2(SSID, PASSPHRASE).unwrap(),
        ),
    ]
}

#[test]
fn every_kind_of_network_is_joined_and_carries_frames() {
    for order in [EventOrder::KeyedFirst, EventOrder::KeyedLast] {
        for (ap, network) in joins() {
            let lab = Lab::with(ChipConfig::default().with_event_order(order));
            let bssid = ap.bssid;
            lab.chip.add_ap(ap);
            let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
            assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::LinkDown);
            nic.join(&network)
                .unwrap_or_else(|e| panic!("{:?} {order:?}: {e}", network.security()));
            assert_eq!(nic.link(), Link::UP);
            assert!(lab.chip.association().is_some_and(|a| a.keyed && a.bssid == bssid));
            lab.frames_cross(&mut nic);
            let association = nic.association().unwrap().unwrap();
            assert_eq!(association.bssid, MacAddress::new(bssid));
            assert_eq!(association.rssi_dbm, -50);
            assert_eq!(nic.last_join_error(), None);
            nic.leave().unwrap();
            assert_eq!(nic.link(), Link::Down);
            lab.pass(100);
            assert!(lab.chip.association().is_none());
            assert_eq!(nic.association().unwrap(), None);
            lab.assert_clean();
        }
    }
}

#[test]
fn each_failure_has_its_reason_in_time() {
    let wpa2 = Network::wpa2(SSID, PASSPHRASE).unwrap();
    let wpa3 = Network::wpa3(SSID, PASSPHRASE).unwrap();
    let there = |refusal| Some(AccessPoint::wpa2(SSID, PASSPHRASE).with_refusal(refusal));
    let cases = [
        (None, wpa2, JoinError::NoSuchNetwork),
        (
            Some(AccessPoint::wpa2("other", PASSPHRASE)),
            wpa2,
            JoinError::NoSuchNetwork,
        ),
        (
            Some(AccessPoint::wpa2(SSID, "another passphrase")),
            wpa2,
            JoinError::WrongPassphrase,
        ),
        (
            Some(AccessPoint::wpa3(SSID, "another passphrase")),
            wpa3,
            JoinError::WrongPassphrase,
        ),
        (there(Refusal::AuthTimeout), wpa2, JoinError::NoAnswer),
        (there(Refusal::FirstKeyMessageLost), wpa2, JoinError::NoAnswer),
        (there(Refusal::ThirdKeyMessageLost), wpa2, JoinError::WrongPassphrase),
        (there(Refusal::GroupKeyLost), wpa2, JoinError::NoAnswer),
        (there(Refusal::Silence), wpa2, JoinError::Timeout),
    ];
    for (ap, network, why) in cases {
        let lab = Lab::new();
        let shown = format!("{ap:?}");
        let ap = ap.map(|ap| lab.chip.add_ap(ap));
        let mut nic = lab.started(Config::new());
        let before = lab.clock.now();
        assert_eq!(nic.join(&network), Err(Error::Join(why)), "{shown}");
        let took = lab.clock.now() - before;
        assert!(took < Duration::from_secs(11), "{shown}: {took:?}");
        assert_eq!(nic.last_join_error(), Some(why));
        assert!(!nic.link().is_up());
        // It stays that way, and the next attempt can succeed.
        for _ in 0..50 {
            nic.service().unwrap();
            lab.pass(100);
        }
        assert!(!nic.link().is_up());
        if let Some(ap) = ap {
            lab.chip.remove_ap(ap);
        }
        lab.chip.add_ap(AccessPoint::wpa2("good", PASSPHRASE));
        nic.join(&Network::wpa2("good", PASSPHRASE).unwrap()).unwrap();
        lab.assert_clean();
    }
}

#[test]
fn refusals_keep_their_reason() {
    for (refusal, expected) in [(Refusal::AuthRefused, None), (Refusal::AssocRefused(17), Some(17))] {
        let lab = Lab::new();
        lab.chip
            .add_ap(AccessPoint::wpa2(SSID, PASSPHRASE).with_refusal(refusal));
        let mut nic = lab.started(Config::new());
        match nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()) {
            Err(Error::Join(JoinError::Refused { reason })) => assert!(expected.is_none_or(|r| r == reason)),
            other => panic!("{refusal:?}: {other:?}"),
        }
    }
}

#[test]
fn the_link_follows_what_happens_in_the_air() {
    let lab = Lab::new();
    let ap = lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    let mut nic = lab.started(Config::new());
    for what in ["vanish", "deauthenticate", "disassociate"] {
        nic.join(&network).unwrap();
        assert!(nic.link().is_up());
        let changes = nic.stats().link_changes;
        match what {
            "vanish" => lab.chip.remove_ap(ap),
            "deauthenticate" => lab.chip.deauthenticate(7),
            _ => lab.chip.disassociate(8),
        }
        lab.wait_link(&mut nic, false);
        assert_eq!(nic.stats().link_changes, changes + 1);
        assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::LinkDown);
        assert_eq!(nic.tx_ready(), Ok(false));
        if what == "vanish" {
            lab.chip.restore_ap(ap);
        }
        // Off by default: nothing is done about it.
        for _ in 0..20 {
            lab.pass(100);
            nic.service().unwrap();
        }
        assert!(!nic.link().is_up(), "{what}");
    }
    lab.assert_clean();
}

#[test]
fn roaming_keeps_the_link() {
    let lab = Lab::new();
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let other = AccessPoint::wpa2(SSID, PASSPHRASE)
        .with_bssid([2, 0xa9, 0, 0, 0, 2])
        .with_rssi(-80);
    let other = lab.chip.add_ap(other);
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.chip.roam_to(other);
    for _ in 0..100 {
        lab.pass(10);
        nic.service().unwrap();
    }
    assert!(nic.link().is_up());
    lab.frames_cross(&mut nic);
    assert_eq!(
        nic.association().unwrap().unwrap().bssid,
        MacAddress::new([2, 0xa9, 0, 0, 0, 2])
    );
    lab.assert_clean();
}

#[test]
fn a_policy_joins_again() {
    let lab = Lab::new();
    let ap = lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let policy = ReconnectPolicy::PERSISTENT.with_pauses_ms(20, 50);
    let mut nic = lab.started(Config::new().with_rejoin(policy).with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for _ in 0..3 {
        lab.chip.remove_ap(ap);
        lab.wait_link(&mut nic, false);
        for _ in 0..500 {
            nic.service().unwrap();
            lab.pass(10);
        }
        assert_eq!(nic.last_join_error(), Some(JoinError::NoSuchNetwork));
        lab.chip.restore_ap(ap);
        lab.wait_link(&mut nic, true);
        lab.frames_cross(&mut nic);
        lab.chip.deauthenticate(2);
        lab.wait_link(&mut nic, false);
        lab.wait_link(&mut nic, true);
    }
    // Not for ever with a passphrase that was changed.
    lab.chip
        .change_ap(ap, |ap| ap.security = model::Security::Wpa2("something else".into()));
    lab.chip.deauthenticate(2);
    lab.wait_link(&mut nic, false);
    for _ in 0..4000 {
        nic.service().unwrap();
        lab.pass(5);
    }
    assert_eq!(nic.last_join_error(), Some(JoinError::WrongPassphrase));
    let ioctls = lab.chip.bus().ioctls;
    for _ in 0..1000 {
        nic.service().unwrap();
        lab.pass(5);
    }
    assert_eq!(lab.chip.bus().ioctls, ioctls, "it has given up");
    lab.assert_clean();
}

#[test]
fn what_was_joined_is_joined_again_by_start_wake_and_recover() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for what in ["stop", "sleep", "recover"] {
        match what {
            "stop" => {
                nic.stop().unwrap();
                assert!(!nic.link().is_up());
                nic.start().unwrap();
            }
            "sleep" => {
                nic.sleep().unwrap();
                assert_eq!(lab.chip.boot(), model::Boot::Off);
                assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::Stopped);
                nic.wake().unwrap();
            }
            _ => nic.recover().unwrap(),
        }
        lab.wait_link(&mut nic, true);
        lab.frames_cross(&mut nic);
    }
    // But not what was left.
    nic.leave().unwrap();
    nic.recover().unwrap();
    for _ in 0..200 {
        nic.service().unwrap();
        lab.pass(10);
    }
    assert!(!nic.link().is_up());
    lab.assert_clean();
}

#[test]
fn a_scan_tells_of_everybody() {
    let lab = Lab::new();
    lab.chip
        .add_ap(AccessPoint::open("open").with_bssid([2, 0, 0, 0, 1, 1]).with_channel(1));
    lab.chip.add_ap(
        AccessPoint::wpa2("two", PASSPHRASE)
            .with_bssid([2, 0, 0, 0, 1, 2])
            .with_rssi(-71),
    );
    lab.chip.add_ap(
        AccessPoint::wpa3("three", PASSPHRASE)
            .with_bssid([2, 0, 0, 0, 1, 3])
            .with_channel(11),
    );
    lab.chip
        .add_ap(AccessPoint::wpa2_wpa3("both", PASSPHRASE).with_bssid([2, 0, 0, 0, 1, 4]));
    let mut nic = lab.started(Config::new());
    for passive in [false, true] {
        let mut found = vec![];
        nic.scan(&ScanOptions::new().with_passive(passive), |ap| found.push(ap))
            .unwrap();
        found.sort_by_key(|ap| ap.bssid);
        found.dedup_by_key(|ap| ap.bssid);
        let names: Vec<_> = found.iter().map(|ap| ap.ssid.as_str().unwrap()).collect();
        assert_eq!(names, ["open", "two", "three", "both"]);
        let security: Vec<_> = found.iter().map(|ap| ap.security).collect();
        assert_eq!(
            security,
            [Security::Open, Security::Wpa2, Security::Wpa3, Security::Wpa2Wpa3].map(Some)
        );
        assert_eq!((found[0].channel, found[1].rssi_dbm, found[2].channel), (1, -71, 11));
    }
    // One by one, at one's own pace, with frames asked for in between.
    let name = Ssid::new(b"two").unwrap();
    nic.start_scan(&ScanOptions::new().with_ssid(name)).unwrap();
    let mut found = 0;
    let missed = loop {
        match nic.next_result().unwrap() {
            Scan::Found(ap) => {
                assert_eq!(ap.ssid, name);
                found += 1;
            }
            Scan::Pending => {
                lab.pass(10);
            }
            Scan::Done { missed, aborted } => {
                assert!(!aborted);
                break missed;
            }
        }
    };
    assert_eq!((found, missed), (1, 0));
    lab.assert_clean();
}

#[test]
fn groups_are_listened_to() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    let groups = [
        MacAddress::new([1, 0, 0x5e, 0, 0, 0xfb]),
        MacAddress::new([0x33, 0x33, 0, 0, 0, 1]),
    ];
    nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&groups)))
        .unwrap();
    assert_eq!(lab.chip.multicast_list(), groups.map(MacAddress::octets));
    nic.recover().unwrap();
    assert_eq!(lab.chip.multicast_list(), groups.map(MacAddress::octets));
    nic.set_rx_filter(RxFilter::DEFAULT).unwrap();
    assert_eq!(lab.chip.multicast_list(), [[0; 6]; 0]);
    lab.assert_clean();
}

#[test]
fn pins_and_country_and_power() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new());
    nic.set_led(true).unwrap();
    assert!(lab.chip.gpio(0));
    nic.set_led(false).unwrap();
    assert!(!lab.chip.gpio(0));
    lab.chip.drive_gpio(2, true);
    assert!(nic.gpio(2).unwrap());
    lab.chip.drive_gpio(2, false);
    assert!(!nic.gpio(2).unwrap());
    assert_eq!(kind(nic.set_gpio(32, true)), ErrorKind::InvalidInput);
    nic.set_country(ethdev_cyw43::Country::new("DE").unwrap()).unwrap();
    for power_save in [
        PowerSave::Off,
        PowerSave::Fast,
        PowerSave::Balanced,
        PowerSave::Aggressive,
        PowerSave::Deep,
    ] {
        nic.set_power_save(power_save).unwrap();
    }
    lab.assert_clean();
}

#[test]
fn an_access_point_of_its_own() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    let own = [
        Network::open("pico").unwrap(),
        Network::wpa2("pico", PASSPHRASE).unwrap(),
    ];
    for network in own {
        nic.start_ap(&ApConfig::new(network, 3).unwrap()).unwrap();
        assert!(nic.link().is_up());
        assert_eq!(lab.chip.own_ap(), Some((b"pico".to_vec(), 3)));
        let client = [2, 0, 0, 0, 0, 0x77];
        let passphrase = (network.security() != Security::Open).then_some(PASSPHRASE);
        assert!(lab.chip.client_joins(client, passphrase));
        lab.chip.client_leaves(client);
    }
    nic.recover().unwrap();
    assert!(lab.chip.own_ap().is_some());
    nic.stop_ap().unwrap();
    assert!(!nic.link().is_up());
    assert_eq!(lab.chip.own_ap(), None);
    // And a station again.
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.frames_cross(&mut nic);
    lab.assert_clean();
}

#[test]
fn events_from_the_air_are_frames() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    // DEAUTH_IND: believed, it would take the link down.
    lab.chip.inject(Fault::EventFromAir { kind: 6, status: 0 });
    lab.pass(10);
    nic.service().unwrap();
    assert!(nic.link().is_up());
    assert!(nic.recv_frame(&mut [0; 1514]).unwrap().is_some());
}

#[test]
fn idle_costs_nothing() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_health_check_every(0));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    nic.service().unwrap();
    let _ = nic.rearm(Interest::ALL).unwrap();
    let before = lab.chip.bus();
    for _ in 0..1000 {
        lab.pass(10);
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        nic.service().unwrap();
    }
    assert_eq!(lab.chip.bus().transactions, before.transactions);
}

#[test]
fn frames_cost_what_they_must() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.frames_cross(&mut nic);
    for len in [14, 60, 61, 590, 1514_usize] {
        let before = lab.chip.bus();
        nic.send_vectored(&[&[2; 6], &nic.mac_address().octets(), &vec![0x11; len - 12]])
            .unwrap();
        let after = lab.chip.bus();
        assert_eq!(after.transactions - before.transactions, 1);
        assert_eq!(after.bytes - before.bytes, 8 + (18 + len as u64).next_multiple_of(4));
        lab.pass(5);
    }
    for (len, burst, bytes) in [(60, 1, 280), (1514, 1, 1556), (60, 3, 816), (1514, 3, 4644)] {
        let mut frame = vec![3; len];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for _ in 0..burst {
            lab.station.send(&frame);
        }
        lab.pass(20);
        let before = lab.chip.bus();
        for _ in 0..burst {
            assert!(nic.recv_frame(&mut [0; 1514]).unwrap().is_some());
        }
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        let after = lab.chip.bus();
        assert_eq!(after.transactions - before.transactions, 1 + burst);
        assert_eq!(after.bytes - before.bytes, bytes, "{burst} frames of {len}");
    }
    lab.assert_clean();
}

#[test]
fn no_frame_is_lost_while_a_request_waits() {
    let lab = Lab::with_ap();
    let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    lab.frames_cross(&mut nic);
    let before = nic.stats();
    let mut sent = 0;
    for round in 0..30 {
        for n in 0..4_u8 {
            let mut frame = vec![n; 900];
            frame[..6].copy_from_slice(&nic.mac_address().octets());
            lab.station.send(&frame);
            sent += 1;
        }
        lab.pass(round % 7);
        nic.rssi_dbm().unwrap();
        nic.set_led(round % 2 == 0).unwrap();
        if round % 3 == 0 {
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
        }
    }
    lab.pass(50);
    while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
    let stats = nic.stats().delta_since(&before);
    let truth = lab.chip.stats();
    assert_eq!(
        u64::from(stats.rx_frames + stats.rx_overrun) + truth.overflowed,
        sent,
        "{stats:?}"
    );
    assert!(stats.rx_overrun > 0 && stats.rx_frames > 30, "{stats:?}");
}

#[test]
fn replies_that_lie_are_errors_and_nothing_more() {
    for spoil in [
        Spoil::ReplyLength(u32::MAX),
        Spoil::ReplyLength(0),
        Spoil::ReplyId(0x7777),
        Spoil::ReplyStatus(-5),
        Spoil::Lost,
        Spoil::Complement,
        Spoil::HeaderLength(3),
        Spoil::HeaderLength(255),
        Spoil::Garbage,
        Spoil::Channel(1),
        Spoil::Channel(9),
    ] {
        let lab = Lab::with_ap();
        let mut nic = lab.started(Config::new());
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        lab.chip.inject(Fault::Reply(spoil));
        let before = lab.clock.now();
        let result = nic.rssi_dbm();
        assert!(lab.clock.now() - before < Duration::from_secs(3));
        if spoil != Spoil::ReplyLength(u32::MAX) {
            assert!(result.is_err(), "{spoil:?}: {result:?}");
        }
        // The next one is answered, whatever came of the last.
        assert_eq!(nic.rssi_dbm(), Ok(-50), "{spoil:?}");
        nic.service().unwrap();
    }
}

#[test]
fn one_access_point_of_several_is_joined() {
    let lab = Lab::new();
    lab.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE).with_rssi(-30));
    let far = [2, 0xa9, 0, 0, 0, 7];
    lab.chip.add_ap(
        AccessPoint::wpa2(SSID, PASSPHRASE)
            .with_bssid(far)
            .with_rssi(-80)
            .with_channel(11),
    );
    let mut nic = lab.started(Config::new());
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    nic.join(&network.at(MacAddress::new(far), 11).unwrap()).unwrap();
    let association = nic.association().unwrap().unwrap();
    assert_eq!((association.bssid.octets(), association.channel), (far, Some(11)));
    assert!(association.rssi_dbm <= -79);
    lab.assert_clean();
}

#[test]
fn a_line_that_is_stuck_makes_nobody_deaf() {
    for level in [false, true] {
        let lab = Lab::with_ap();
        lab.chip.stick_irq(Some(level));
        let mut nic = lab.started(Config::new().with_power_save(PowerSave::Off).with_health_check_every(4));
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        assert_eq!(nic.rssi_dbm(), Ok(-50));
        let mut frame = vec![1; 300];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for _ in 0..5 {
            lab.station.send(&frame);
        }
        lab.pass(10);
        let mut received = 0;
        for _ in 0..8 {
            nic.service().unwrap();
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {
                received += 1;
            }
        }
        assert_eq!(received, 5, "stuck at {level}");
        lab.assert_clean();
    }
}
