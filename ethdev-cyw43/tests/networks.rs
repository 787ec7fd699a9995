//! Join, disconnect, link loss and scan, on the model of the chip with access points.

mod support;

use std::time::Duration;

use cyw43439_model::{self as model, AccessPoint, ChipConfig, Corruption, EventOrder, Fault, JoinFault};
use ethdev::{Control, ErrorKind, EthernetDevice, Interest, Link, MacAddress, Multicast, Rearm, RxFilter};
use ethdev_cyw43::{
    ApConfig, Config, Error, JoinError, Network, ParamError, PowerSave, ReconnectPolicy, Scan, ScanOptions, Security,
    Ssid,
};
use support::*;

/// A password of WPA3 that is no passphrase.
const PASSWORD: &str = "gr\u{fc}n";
const LONG_PASSWORD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";

fn wpa_access_point() -> AccessPoint {
    let mut ap = AccessPoint::wpa2(SSID, PASSPHRASE);
    ap.security = model::Security::Wpa(PASSPHRASE.into());
    ap
}

fn joins() -> [(AccessPoint, Network); 9] {
    let mut key = [0; 32];
    for (n, byte) in key.iter_mut().enumerate() {
        *byte = (n % 16 * 0x11) as u8;
    }
    [
        (wpa_access_point(), Network::wpa(SSID, PASSPHRASE).unwrap()),
        (
            AccessPoint::wpa2(SSID, PASSPHRASE).with_hashed_key(key),
            Network::wpa2(SSID, KEY).unwrap(),
        ),
        (
            AccessPoint::wpa3(SSID, PASSWORD),
            Network::wpa3(SSID, PASSWORD).unwrap(),
        ),
        (
            AccessPoint::wpa3(SSID, LONG_PASSWORD),
            Network::wpa3(SSID, LONG_PASSWORD).unwrap(),
        ),
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
fn join_each_security_transfers_frames() {
    for order in [EventOrder::KeyedFirst, EventOrder::KeyedLast] {
        for (ap, network) in joins() {
            let testbed = Testbed::with(ChipConfig::default().with_event_order(order));
            let bssid = ap.bssid;
            testbed.chip.add_ap(ap);
            let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
            assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::LinkDown);
            nic.join(&network)
                .unwrap_or_else(|e| panic!("{:?} {order:?}: {e}", network.security()));
            assert_eq!(nic.link(), Link::UP);
            assert!(testbed.chip.association().is_some_and(|a| a.keyed && a.bssid == bssid));
            testbed.frames_cross(&mut nic);
            let bss = nic.current_bss().unwrap().unwrap();
            assert_eq!(bss.bssid, MacAddress::new(bssid));
            assert_eq!(bss.rssi_dbm, -50);
            assert_eq!(nic.last_join_error(), None);
            nic.disconnect().unwrap();
            assert_eq!(nic.link(), Link::Down);
            testbed.pass(100);
            assert!(testbed.chip.association().is_none());
            assert_eq!(nic.current_bss().unwrap(), None);
            testbed.assert_no_violations();
        }
    }
}

#[test]
fn join_each_failure_returns_matching_error() {
    let wpa2 = Network::wpa2(SSID, PASSPHRASE).unwrap();
    let wpa3 = Network::wpa3(SSID, PASSPHRASE).unwrap();
    let there = |refusal| Some(AccessPoint::wpa2(SSID, PASSPHRASE).with_join_fault(refusal));
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
        (there(JoinFault::AuthTimeout), wpa2, JoinError::NoResponse),
        (there(JoinFault::FirstKeyMessageLost), wpa2, JoinError::NoResponse),
        (there(JoinFault::ThirdKeyMessageLost), wpa2, JoinError::WrongPassphrase),
        (there(JoinFault::GroupKeyLost), wpa2, JoinError::NoResponse),
        (there(JoinFault::Silence), wpa2, JoinError::Timeout),
    ];
    for (ap, network, why) in cases {
        let testbed = Testbed::new();
        let shown = format!("{ap:?}");
        let ap = ap.map(|ap| testbed.chip.add_ap(ap));
        let mut nic = testbed.started(Config::new());
        let before = testbed.clock.now();
        assert_eq!(nic.join(&network), Err(Error::Join(why)), "{shown}");
        let took = testbed.clock.now() - before;
        assert!(took < Duration::from_secs(11), "{shown}: {took:?}");
        assert_eq!(nic.last_join_error(), Some(why));
        assert!(!nic.link().is_up());
        // The link stays down, and the next attempt can succeed.
        for _ in 0..50 {
            nic.service().unwrap();
            testbed.pass(100);
        }
        assert!(!nic.link().is_up());
        if let Some(ap) = ap {
            testbed.chip.remove_ap(ap);
        }
        testbed.chip.add_ap(AccessPoint::wpa2("good", PASSPHRASE));
        nic.join(&Network::wpa2("good", PASSPHRASE).unwrap()).unwrap();
        testbed.assert_no_violations();
    }
}

#[test]
fn join_refused_has_reason_code() {
    for (refusal, expected) in [(JoinFault::AuthRefused, None), (JoinFault::AssocRefused(17), Some(17))] {
        let testbed = Testbed::new();
        testbed
            .chip
            .add_ap(AccessPoint::wpa2(SSID, PASSPHRASE).with_join_fault(refusal));
        let mut nic = testbed.started(Config::new());
        match nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()) {
            Err(Error::Join(JoinError::Refused { reason })) => assert!(expected.is_none_or(|r| r == reason)),
            other => panic!("{refusal:?}: {other:?}"),
        }
    }
}

#[test]
fn link_lost_association_is_down() {
    let testbed = Testbed::new();
    let ap = testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    let mut nic = testbed.started(Config::new());
    for what in ["vanish", "deauthenticate", "disassociate"] {
        nic.join(&network).unwrap();
        assert!(nic.link().is_up());
        let changes = nic.stats().link_changes;
        match what {
            "vanish" => testbed.chip.remove_ap(ap),
            "deauthenticate" => testbed.chip.deauthenticate(7),
            _ => testbed.chip.disassociate(8),
        }
        testbed.wait_link(&mut nic, false);
        assert_eq!(nic.stats().link_changes, changes + 1);
        assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::LinkDown);
        assert_eq!(nic.tx_ready(), Ok(false));
        if what == "vanish" {
            testbed.chip.restore_ap(ap);
        }
        // Without a policy the driver does not reconnect.
        for _ in 0..20 {
            testbed.pass(100);
            nic.service().unwrap();
        }
        assert!(!nic.link().is_up(), "{what}");
    }
    testbed.assert_no_violations();
}

#[test]
fn link_roaming_stays_up() {
    let testbed = Testbed::new();
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let other = AccessPoint::wpa2(SSID, PASSPHRASE)
        .with_bssid([2, 0xa9, 0, 0, 0, 2])
        .with_rssi(-80);
    let other = testbed.chip.add_ap(other);
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.chip.roam_to(other);
    for _ in 0..100 {
        testbed.pass(10);
        nic.service().unwrap();
    }
    assert!(nic.link().is_up());
    testbed.frames_cross(&mut nic);
    assert_eq!(
        nic.current_bss().unwrap().unwrap().bssid,
        MacAddress::new([2, 0xa9, 0, 0, 0, 2])
    );
    testbed.assert_no_violations();
}

#[test]
fn reconnect_policy_rejoins() {
    let testbed = Testbed::new();
    let ap = testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let policy = ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(20), Duration::from_millis(50));
    let mut nic = testbed.started(Config::new().with_reconnect(policy).with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    for _ in 0..3 {
        testbed.chip.remove_ap(ap);
        testbed.wait_link(&mut nic, false);
        for _ in 0..500 {
            nic.service().unwrap();
            testbed.pass(10);
        }
        assert_eq!(nic.last_join_error(), Some(JoinError::NoSuchNetwork));
        testbed.chip.restore_ap(ap);
        testbed.wait_link(&mut nic, true);
        testbed.frames_cross(&mut nic);
        testbed.chip.deauthenticate(2);
        testbed.wait_link(&mut nic, false);
        testbed.wait_link(&mut nic, true);
    }
    testbed.assert_no_violations();
}

#[test]
fn reconnect_policy_limited_gives_up() {
    let testbed = Testbed::new();
    let ap = testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let policy = ReconnectPolicy::PERSISTENT
        .with_delays(Duration::from_millis(20), Duration::from_millis(50))
        .with_max_attempts(3);
    let mut nic = testbed.started(Config::new().with_reconnect(policy).with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed
        .chip
        .change_ap(ap, |ap| ap.security = model::Security::Wpa2("something else".into()));
    testbed.chip.deauthenticate(2);
    testbed.wait_link(&mut nic, false);
    for _ in 0..6000 {
        nic.service().unwrap();
        testbed.pass(5);
    }
    assert_eq!(nic.last_join_error(), Some(JoinError::WrongPassphrase));
    let ioctls = testbed.chip.bus().ioctls;
    for _ in 0..1000 {
        nic.service().unwrap();
        testbed.pass(5);
    }
    assert_eq!(testbed.chip.bus().ioctls, ioctls, "it has given up");
    testbed.assert_no_violations();
}

#[test]
fn reconnect_lost_key_messages_do_not_end_it() {
    let testbed = Testbed::new();
    let ap = testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE));
    let policy = ReconnectPolicy::PERSISTENT.with_delays(Duration::from_millis(20), Duration::from_millis(50));
    let mut nic = testbed.started(Config::new().with_reconnect(policy));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed
        .chip
        .change_ap(ap, |ap| ap.join_fault = JoinFault::ThirdKeyMessageLost);
    testbed.chip.deauthenticate(2);
    for _ in 0..6000 {
        nic.service().unwrap();
        testbed.pass(5);
    }
    assert_eq!(nic.last_join_error(), Some(JoinError::WrongPassphrase));
    testbed.chip.change_ap(ap, |ap| ap.join_fault = JoinFault::None);
    testbed.wait_link(&mut nic, true);
    assert_eq!(nic.last_join_error(), None);
}

/// Numbers of events, and statuses.
const SET_SSID: u32 = 0;
const AUTH: u32 = 3;
const ASSOC: u32 = 7;
const PRUNE: u32 = 23;
const TIMEOUT: u32 = 2;

#[test]
fn link_failed_roam_stays_up() {
    for kind in [SET_SSID, AUTH, ASSOC] {
        for status in [1, TIMEOUT, 3, 5] {
            let testbed = Testbed::with_ap();
            let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
            nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
            let changes = nic.stats().link_changes;
            testbed.chip.inject(Fault::StrayEvent {
                kind,
                status,
                reason: 0,
            });
            for _ in 0..20 {
                testbed.pass(5);
                nic.service().unwrap();
            }
            assert!(nic.link().is_up(), "event {kind}, status {status}");
            assert_eq!(nic.stats().link_changes, changes);
            testbed.frames_cross(&mut nic);
            // Where the association is gone, and the events that reported it are lost, it is down.
            for _ in 0..2 {
                testbed.chip.inject(Fault::Event(Corruption::Lost));
            }
            testbed.chip.deauthenticate(3);
            testbed.pass(5);
            nic.service().unwrap();
            assert!(nic.link().is_up(), "nothing was reported");
            testbed.chip.inject(Fault::StrayEvent {
                kind,
                status,
                reason: 0,
            });
            testbed.pass(5);
            nic.service().unwrap();
            assert!(!nic.link().is_up(), "event {kind}, status {status}");
        }
    }
}

/// Injects an event while a network is joined.
fn join_with_event(kind: u32, status: u32, reason: u32, at_ms: u64, network: &Network) -> Result<(), NicError> {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new());
    let chip = testbed.chip.clone();
    testbed.clock.schedule_in(Duration::from_millis(at_ms), move || {
        chip.inject(Fault::StrayEvent { kind, status, reason });
    });
    nic.join(network)
}

#[test]
fn join_unanswered_step_on_the_way_succeeds() {
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    for kind in [AUTH, ASSOC] {
        for status in [TIMEOUT, 5] {
            for at_ms in [60, 115, 125] {
                let result = join_with_event(kind, status, 0, at_ms, &network);
                assert_eq!(result, Ok(()), "event {kind}, status {status}, after {at_ms} ms");
            }
        }
    }
}

#[test]
fn join_pruned_is_security_mismatch_for_its_reasons_only() {
    let network = Network::open("nowhere").unwrap();
    for (reason, why) in [
        (1, JoinError::SecurityMismatch),
        (3, JoinError::NoSuchNetwork),
        (8, JoinError::SecurityMismatch),
    ] {
        let result = join_with_event(PRUNE, 0, reason, 60, &network);
        assert_eq!(result, Err(Error::Join(why)), "reason {reason}");
    }
}

#[test]
fn scan_under_traffic_misses_nothing() {
    let testbed = Testbed::with_ap();
    for n in 0..12 {
        let ap = AccessPoint::open(&format!("other {n}"))
            .with_bssid([2, 0, 0, 1, 0, n])
            .with_channel(1 + n / 4 * 5);
        testbed.chip.add_ap(ap);
    }
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    let mut frame = vec![0x11; 400];
    frame[..6].copy_from_slice(&nic.mac_address().octets());
    nic.start_scan(&ScanOptions::new()).unwrap();
    let (mut found, mut received) = (0, 0);
    let missed = loop {
        testbed.station.send(&frame);
        nic.service().unwrap();
        while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {
            received += 1;
        }
        match nic.next_result().unwrap() {
            Scan::Found(_) => found += 1,
            Scan::Pending => testbed.pass(1),
            Scan::Done { missed, .. } => break missed,
        }
    };
    assert_eq!((found, missed), (13, 0));
    assert!(received > 50, "{received} frames");
}

/// The time between a key and the request before it, when `call` sends one.
fn key_pause(testbed: &Testbed, nic: &mut Nic, call: impl FnOnce(&mut Nic)) -> Duration {
    /// SDPCM and CDC header, and the key.
    const KEY: usize = 12 + 16 + 68;
    testbed.chip.record(true);
    call(nic);
    let record = testbed.chip.take_record();
    let writes: Vec<_> = record.iter().filter(|t| t.write && t.function == 2).collect();
    let key = writes.iter().position(|t| t.len == KEY).expect("a key");
    writes[key].at - writes[key - 1].at
}

#[test]
fn set_keys_radio_has_time_before_each_key() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new());
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    let station = key_pause(&testbed, &mut nic, |nic| nic.join(&network).unwrap());
    let own = ApConfig::new(network, 6).unwrap();
    let access_point = key_pause(&testbed, &mut nic, |nic| nic.start_ap(&own).unwrap());
    let enough = Duration::from_millis(3);
    assert!(
        station >= enough && access_point >= enough,
        "{station:?}, {access_point:?}"
    );
}

#[test]
fn request_after_lost_reply_does_not_wait_again() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new());
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.chip.inject(Fault::Reply(Corruption::Lost));
    assert_eq!(kind(nic.rssi_dbm()), ErrorKind::Timeout);
    let before = testbed.clock.now();
    assert_eq!(nic.rssi_dbm(), Ok(-50));
    let took = testbed.clock.now() - before;
    assert!(took < Duration::from_millis(10), "{took:?}");
}

#[test]
fn join_waits_for_repeated_key_messages() {
    // An access point repeats a key message until 3.1 s after the first.
    let testbed = Testbed::new();
    let lost = AccessPoint::wpa2(SSID, PASSPHRASE).with_join_fault(JoinFault::FirstKeyMessageLost);
    testbed.chip.add_ap(lost);
    let mut nic = testbed.started(Config::new());
    let before = testbed.clock.now();
    let result = nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap());
    assert_eq!(result, Err(Error::Join(JoinError::NoResponse)));
    let took = testbed.clock.now() - before;
    assert!(
        (Duration::from_millis(3200)..Duration::from_secs(6)).contains(&took),
        "{took:?}"
    );
}

#[test]
fn start_wake_recover_reconnect_last_network() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
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
                assert_eq!(testbed.chip.boot(), model::Boot::Off);
                assert_eq!(kind(nic.send_frame(&[0; 60])), ErrorKind::Stopped);
                nic.wake().unwrap();
            }
            _ => nic.recover().unwrap(),
        }
        testbed.wait_link(&mut nic, true);
        testbed.frames_cross(&mut nic);
    }
    // Not after a disconnect.
    nic.disconnect().unwrap();
    nic.recover().unwrap();
    for _ in 0..200 {
        nic.service().unwrap();
        testbed.pass(10);
    }
    assert!(!nic.link().is_up());
    testbed.assert_no_violations();
}

#[test]
fn scan_reports_each_access_point() {
    let testbed = Testbed::new();
    testbed
        .chip
        .add_ap(AccessPoint::open("open").with_bssid([2, 0, 0, 0, 1, 1]).with_channel(1));
    testbed.chip.add_ap(
        AccessPoint::wpa2("two", PASSPHRASE)
            .with_bssid([2, 0, 0, 0, 1, 2])
            .with_rssi(-71),
    );
    testbed.chip.add_ap(
        AccessPoint::wpa3("three", PASSPHRASE)
            .with_bssid([2, 0, 0, 0, 1, 3])
            .with_channel(11),
    );
    testbed
        .chip
        .add_ap(AccessPoint::wpa2_wpa3("both", PASSPHRASE).with_bssid([2, 0, 0, 0, 1, 4]));
    let mut nic = testbed.started(Config::new());
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
    // One result at a time.
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
                testbed.pass(10);
            }
            Scan::Done { missed, aborted } => {
                assert!(!aborted);
                break missed;
            }
        }
    };
    assert_eq!((found, missed), (1, 0));
    testbed.assert_no_violations();
}

#[test]
fn set_rx_filter_groups_survive_recover() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    let groups = [
        MacAddress::new([1, 0, 0x5e, 0, 0, 0xfb]),
        MacAddress::new([0x33, 0x33, 0, 0, 0, 1]),
    ];
    nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&groups)))
        .unwrap();
    assert_eq!(testbed.chip.multicast_list(), groups.map(MacAddress::octets));
    nic.recover().unwrap();
    assert_eq!(testbed.chip.multicast_list(), groups.map(MacAddress::octets));
    nic.set_rx_filter(RxFilter::DEFAULT).unwrap();
    assert_eq!(testbed.chip.multicast_list(), [[0; 6]; 0]);
    testbed.assert_no_violations();
}

#[test]
fn gpio_country_and_power_save_are_accepted() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new());
    nic.set_led(true).unwrap();
    assert!(testbed.chip.gpio(0));
    nic.set_led(false).unwrap();
    assert!(!testbed.chip.gpio(0));
    testbed.chip.drive_gpio(2, true);
    assert!(nic.gpio(2).unwrap());
    testbed.chip.drive_gpio(2, false);
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
    testbed.assert_no_violations();
}

#[test]
fn start_ap_accepts_clients() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    for network in [
        Network::open("pico").unwrap(),
        Network::wpa2("pico", PASSPHRASE).unwrap(),
    ] {
        nic.start_ap(&ApConfig::new(network, 3).unwrap()).unwrap();
        assert!(nic.link().is_up());
        assert_eq!(testbed.chip.soft_ap(), Some((b"pico".to_vec(), 3)));
        let clients = [[2, 0, 0, 0, 0, 0x77], [2, 0, 0, 0, 0, 0x78]];
        let passphrase = (network.security() != Security::Open).then_some(PASSPHRASE);
        let mut stations = [MacAddress::UNSPECIFIED; 3];
        assert_eq!(nic.ap_stations(&mut stations), Ok(0));
        for (n, client) in clients.into_iter().enumerate() {
            assert!(testbed.chip.connect_client(client, passphrase));
            assert_eq!(nic.ap_stations(&mut stations), Ok(n + 1));
            assert_eq!(stations[n].octets(), client);
        }
        assert_eq!(nic.ap_stations(&mut stations[..1]), Ok(1), "as many as fit");
        for client in clients {
            testbed.chip.disconnect_client(client);
        }
        assert_eq!(nic.ap_stations(&mut stations), Ok(0));
    }
    nic.recover().unwrap();
    assert!(testbed.chip.soft_ap().is_some());
    nic.stop().unwrap();
    assert_eq!(testbed.chip.soft_ap(), None);
    assert_eq!(kind(nic.stop_ap()), ErrorKind::Stopped);
    nic.start().unwrap();
    assert!(testbed.chip.soft_ap().is_some() && nic.link().is_up());
    nic.stop_ap().unwrap();
    assert!(!nic.link().is_up());
    assert_eq!(testbed.chip.soft_ap(), None);
    // Station mode again.
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.frames_cross(&mut nic);
    testbed.assert_no_violations();
}

#[test]
fn start_ap_wpa3_accepts_sae_clients() {
    let clients = [[2, 0, 0, 0, 0, 0x77], [2, 0, 0, 0, 0, 0x78]];
    for (network, secret, psk, sae) in [
        (Network::wpa2("pico", KEY).unwrap(), KEY, true, false),
        (Network::wpa3("pico", PASSPHRASE).unwrap(), PASSPHRASE, false, true),
        (Network::wpa3("pico", PASSWORD).unwrap(), PASSWORD, false, true),
        (Network::wpa2_wpa3("pico", PASSPHRASE).unwrap(), PASSPHRASE, true, true),
    ] {
        let testbed = Testbed::with_ap();
        let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
        nic.start_ap(&ApConfig::new(network, 3).unwrap()).unwrap();
        for restarted in [false, true] {
            assert!(nic.link().is_up());
            assert_eq!(
                testbed.chip.connect_client(clients[0], Some(secret)),
                psk,
                "{network:?}"
            );
            assert_eq!(testbed.chip.connect_sae_client(clients[1], secret), sae, "{network:?}");
            assert!(!testbed.chip.connect_client(clients[0], Some("another one")));
            assert!(!testbed.chip.connect_sae_client(clients[0], "another one"));
            assert!(!testbed.chip.connect_client([2, 0, 0, 0, 0, 0x79], None));
            let connected = usize::from(psk) + usize::from(sae);
            assert_eq!(nic.ap_stations(&mut [MacAddress::UNSPECIFIED; 4]), Ok(connected));
            if !restarted {
                nic.recover().unwrap();
            }
        }
        nic.stop_ap().unwrap();
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        testbed.frames_cross(&mut nic);
        testbed.assert_no_violations();
    }
}

#[test]
fn start_ap_rejected_is_station_again() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    nic.join(&network).unwrap();
    let own = ApConfig::new(Network::wpa3("pico", PASSWORD).unwrap(), 3).unwrap();
    // DISASSOC is the first request, whose refusal has no meaning; then that of each other one.
    let chip = testbed.chip.clone();
    let before = testbed.chip.bus().ioctls;
    watch(&testbed.clock, move || {
        let due = chip.bus().ioctls >= before + 6;
        if due {
            chip.inject(Fault::RefuseIoctl(-23));
        }
        due
    });
    let result = nic.start_ap(&own);
    assert!(matches!(result, Err(Error::Rejected { status: -23, .. })), "{result:?}");
    assert_eq!(testbed.chip.soft_ap(), None);
    assert!(!nic.link().is_up());
    nic.service().unwrap();
    // A station without a network.
    nic.join(&network).unwrap();
    testbed.frames_cross(&mut nic);
    nic.start_ap(&own).unwrap();
    assert!(nic.link().is_up());
}

/// Calls `step` every 20 µs until it returns true.
fn watch(clock: &ethdev_sim::Clock, mut step: impl FnMut() -> bool + 'static) {
    if !step() {
        let again = clock.clone();
        clock.schedule_in(Duration::from_micros(20), move || watch(&again, step));
    }
}

#[test]
fn service_event_from_air_delivered_as_frame() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    // DEAUTH_IND: on the event channel it would take the link down.
    testbed.chip.inject(Fault::EventFromAir { kind: 6, status: 0 });
    testbed.pass(10);
    nic.service().unwrap();
    assert!(nic.link().is_up());
    assert!(nic.recv_frame(&mut [0; 1514]).unwrap().is_some());
}

#[test]
fn service_idle_with_interrupt_has_no_traffic() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_watchdog_polls(0));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    nic.service().unwrap();
    let _ = nic.rearm(Interest::ALL).unwrap();
    let before = testbed.chip.bus();
    for _ in 0..1000 {
        testbed.pass(10);
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        nic.service().unwrap();
    }
    assert_eq!(testbed.chip.bus().transactions, before.transactions);
}

#[test]
fn frame_cost_is_minimal() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.frames_cross(&mut nic);
    for len in [14, 60, 61, 590, 1514_usize] {
        let before = testbed.chip.bus();
        nic.send_vectored(&[&[2; 6], &nic.mac_address().octets(), &vec![0x11; len - 12]])
            .unwrap();
        let after = testbed.chip.bus();
        assert_eq!(after.transactions - before.transactions, 1);
        assert_eq!(after.bytes - before.bytes, 8 + (18 + len as u64).next_multiple_of(4));
        testbed.pass(5);
    }
    for (len, burst, bytes) in [(60, 1, 280), (1514, 1, 1556), (60, 3, 816), (1514, 3, 4644)] {
        let mut frame = vec![3; len];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for _ in 0..burst {
            testbed.station.send(&frame);
        }
        testbed.pass(20);
        let before = testbed.chip.bus();
        for _ in 0..burst {
            assert!(nic.recv_frame(&mut [0; 1514]).unwrap().is_some());
        }
        assert_eq!(nic.recv_frame(&mut [0; 1514]).unwrap(), None);
        let after = testbed.chip.bus();
        assert_eq!(after.transactions - before.transactions, 1 + burst);
        assert_eq!(after.bytes - before.bytes, bytes, "{burst} frames of {len}");
    }
    testbed.assert_no_violations();
}

#[test]
fn recv_frame_during_requests_is_queued_or_counted() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off));
    nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
    testbed.frames_cross(&mut nic);
    let before = nic.stats();
    let mut sent = 0;
    for round in 0..30 {
        for n in 0..4_u8 {
            let mut frame = vec![n; 900];
            frame[..6].copy_from_slice(&nic.mac_address().octets());
            testbed.station.send(&frame);
            sent += 1;
        }
        testbed.pass(round % 7);
        nic.rssi_dbm().unwrap();
        nic.set_led(round % 2 == 0).unwrap();
        if round % 3 == 0 {
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
        }
    }
    testbed.pass(50);
    while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {}
    let stats = nic.stats().delta_since(&before);
    let model = testbed.chip.stats();
    assert_eq!(
        u64::from(stats.rx_frames + stats.rx_overrun) + model.overflowed,
        sent,
        "{stats:?}"
    );
    assert!(stats.rx_overrun > 0 && stats.rx_frames > 30, "{stats:?}");
}

#[test]
fn request_corrupt_response_is_error() {
    for corruption in [
        Corruption::ReplyLength(u32::MAX),
        Corruption::ReplyLength(0),
        Corruption::ReplyId(0x7777),
        Corruption::ReplyStatus(-5),
        Corruption::Lost,
        Corruption::Complement,
        Corruption::HeaderLength(3),
        Corruption::HeaderLength(255),
        Corruption::Garbage,
        Corruption::Channel(1),
        Corruption::Channel(9),
    ] {
        let testbed = Testbed::with_ap();
        let mut nic = testbed.started(Config::new());
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        testbed.chip.inject(Fault::Reply(corruption));
        let before = testbed.clock.now();
        let result = nic.rssi_dbm();
        assert!(testbed.clock.now() - before < Duration::from_secs(3));
        if corruption != Corruption::ReplyLength(u32::MAX) {
            assert!(result.is_err(), "{corruption:?}: {result:?}");
        }
        // The next request succeeds.
        assert_eq!(nic.rssi_dbm(), Ok(-50), "{corruption:?}");
        nic.service().unwrap();
    }
}

#[test]
fn join_offers_ciphers_and_key_management_of_network() {
    for (network, wsec, wpa_auth, mfp) in [
        (Network::open(SSID).unwrap(), 0, 0, None),
        (Network::wpa(SSID, PASSPHRASE).unwrap(), 6, 4, Some(0)),
        (Network::wpa2(SSID, PASSPHRASE).unwrap(), 6, 0x80, Some(1)),
        (Network::wpa3(SSID, PASSPHRASE).unwrap(), 4, 0x4_0000, Some(2)),
        (Network::wpa2_wpa3(SSID, PASSPHRASE).unwrap(), 4, 0x4_0000, Some(1)),
    ] {
        let testbed = Testbed::new();
        let mut nic = testbed.started(Config::new());
        assert_eq!(nic.join(&network), Err(Error::Join(JoinError::NoSuchNetwork)));
        let mut read = |name: &str| {
            let mut value = [0; 4];
            assert_eq!(nic.iovar_get(name, &[], &mut value), Ok(4));
            u32::from_le_bytes(value)
        };
        assert_eq!((read("wsec"), read("wpa_auth")), (wsec, wpa_auth), "{network:?}");
        assert!(mfp.is_none_or(|mfp| read("mfp") == mfp), "{network:?}");
    }
}

#[test]
fn iovar_set_value_reads_back() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.nic(Config::new());
    assert_eq!(kind(nic.iovar_set("mpc", &[0; 4])), ErrorKind::Stopped);
    nic.start().unwrap();
    for level in [7_u32, 0x0102_0304] {
        nic.iovar_set("roam_off", &level.to_le_bytes()).unwrap();
        let mut value = [0; 4];
        assert_eq!(nic.iovar_get("roam_off", &[], &mut value), Ok(4));
        assert_eq!(value, level.to_le_bytes());
    }
    // Longer than the blocks of padding, and as long as possible.
    let text = b"wl0: simulated firmware";
    for len in [41, 64, 65, 400, 1536 - 4] {
        let mut value = vec![0xee; len];
        assert_eq!(
            nic.iovar_get("ver", &[], &mut value).map(|got| got >= text.len()),
            Ok(true),
            "{len} bytes"
        );
        assert!(value.starts_with(text), "{len}");
    }
    nic.stop().unwrap();
    assert!(nic.iovar_get("ver", &[], &mut [0; 64]).is_ok(), "the firmware runs");
    testbed.assert_no_violations();
}

#[test]
fn iovar_get_errors_are_kept() {
    let testbed = Testbed::with_ap();
    let mut nic = testbed.started(Config::new());
    let rejected = |status| Error::Rejected { request: 262, status };
    assert_eq!(nic.iovar_get("no such thing", &[], &mut [0; 8]), Err(rejected(-23)));
    assert_eq!(nic.iovar_get("ver", &[], &mut [0; 8]), Err(rejected(-14)));
    let before = testbed.chip.bus().transactions;
    for name in ["", "a\0b"] {
        assert_eq!(
            nic.iovar_get(name, &[], &mut [0; 8]),
            Err(Error::Param(ParamError::IovarName))
        );
        assert_eq!(nic.iovar_set(name, &[]), Err(Error::Param(ParamError::IovarName)));
    }
    let too_long = Err(Error::Param(ParamError::IovarLength { len: 1537, max: 1536 }));
    assert_eq!(nic.iovar_get("ver", &[], &mut [0; 1533]), too_long);
    assert_eq!(nic.iovar_get("ver", &[0; 1533], &mut []), too_long);
    assert_eq!(nic.iovar_set("ver", &[0; 1533]).map(|()| 0), too_long);
    assert_eq!(testbed.chip.bus().transactions, before);
}

#[test]
fn join_with_bss_selects_access_point() {
    for channel in [None, Some(11)] {
        join_with_bss(channel);
    }
}

fn join_with_bss(channel: Option<u8>) {
    let testbed = Testbed::new();
    testbed.chip.add_ap(AccessPoint::wpa2(SSID, PASSPHRASE).with_rssi(-30));
    let far = [2, 0xa9, 0, 0, 0, 7];
    testbed.chip.add_ap(
        AccessPoint::wpa2(SSID, PASSPHRASE)
            .with_bssid(far)
            .with_rssi(-80)
            .with_channel(11),
    );
    let mut nic = testbed.started(Config::new());
    let network = Network::wpa2(SSID, PASSPHRASE).unwrap();
    nic.join(&network.with_bss(MacAddress::new(far), channel).unwrap())
        .unwrap();
    let bss = nic.current_bss().unwrap().unwrap();
    assert_eq!((bss.bssid.octets(), bss.channel), (far, Some(11)));
    assert!(bss.rssi_dbm <= -79);
    testbed.assert_no_violations();
}

#[test]
fn recv_frame_stuck_interrupt_still_receives() {
    for level in [false, true] {
        let testbed = Testbed::with_ap();
        testbed.chip.force_irq(Some(level));
        let mut nic = testbed.started(Config::new().with_power_save(PowerSave::Off).with_watchdog_polls(4));
        nic.join(&Network::wpa2(SSID, PASSPHRASE).unwrap()).unwrap();
        assert_eq!(nic.rssi_dbm(), Ok(-50));
        let mut frame = vec![1; 300];
        frame[..6].copy_from_slice(&nic.mac_address().octets());
        for _ in 0..5 {
            testbed.station.send(&frame);
        }
        testbed.pass(10);
        let mut received = 0;
        for _ in 0..8 {
            nic.service().unwrap();
            while nic.recv_frame(&mut [0; 1514]).unwrap().is_some() {
                received += 1;
            }
        }
        assert_eq!(received, 5, "stuck at {level}");
        testbed.assert_no_violations();
    }
}
