//! Joins, and how they fail or end.

use cyw43439_model::{AccessPoint, ChipConfig, EventOrder, JoinFault, Security, ViolationKind};

use crate::host::{MAC, Testbed, ethernet, ms};

const PHRASE: &str = "correct horse";
const SET_SSID: u32 = 0;
const JOIN: u32 = 1;
const AUTH: u32 = 3;
const DEAUTH_IND: u32 = 6;
const ASSOC: u32 = 7;
const REASSOC: u32 = 9;
const DISASSOC: u32 = 11;
const DISASSOC_IND: u32 = 12;
const LINK: u32 = 16;
const ROAM: u32 = 19;
const PSK_SUP: u32 = 46;
const REQ_IE: u32 = 87;
const RESP_IE: u32 = 88;

type Short = (u32, u32, u32);
const ASSOCIATED: [Short; 5] = [
    (REQ_IE, 0, 0),
    (AUTH, 0, 0),
    (RESP_IE, 0, 0),
    (ASSOC, 0, 0),
    (LINK, 0, 0),
];

fn all(parts: &[&[Short]]) -> Vec<Short> {
    parts.concat()
}

fn wpa2(config: ChipConfig, ap: AccessPoint, phrase: &str) -> Testbed {
    let mut bed = Testbed::up(config);
    bed.chip.add_ap(ap);
    bed.secure_wpa2(phrase);
    bed.join("lab").unwrap();
    bed
}

fn keyed(bed: &Testbed) -> Option<bool> {
    bed.chip.association().map(|association| association.keyed)
}

#[test]
fn join_open_network_succeeds() {
    let mut bed = Testbed::up(ChipConfig::default());
    let ap = bed.chip.add_ap(AccessPoint::open("lab").with_rssi(-44).with_channel(3));
    bed.secure_open();
    let before = bed.clock.now();
    bed.join("lab").unwrap();
    bed.pass(ms(140));
    assert_eq!(bed.chip.association(), None);
    bed.pass(ms(20));
    let association = bed.chip.association().expect("it is in");
    assert_eq!((association.ap, association.keyed), (ap, true));
    assert!(bed.clock.now() - before < ms(170));
    assert_eq!(
        bed.take_events(),
        all(&[&ASSOCIATED, &[(JOIN, 0, 0), (SET_SSID, 0, 0)]])
    );
    assert_eq!(bed.ioctl(false, 127, &[0; 4]).unwrap(), (-44_i32).to_le_bytes());
    assert_eq!(bed.ioctl(false, 23, &[0; 6]).unwrap(), association.bssid);
    assert_eq!(bed.ioctl(false, 25, &[0; 36]).unwrap()[..7], *b"\x03\0\0\0lab");
    assert_eq!(bed.ioctl(false, 29, &[0; 12]).unwrap()[..4], [3, 0, 0, 0]);
    bed.clean();
}

#[test]
fn join_event_order_follows_configuration() {
    let joined = [(JOIN, 0, 0), (SET_SSID, 0, 0)];
    let keys = [(PSK_SUP, 6, 0)];
    for (order, expected) in [
        (EventOrder::KeyedLast, all(&[&ASSOCIATED, &joined, &keys])),
        (EventOrder::KeyedFirst, all(&[&ASSOCIATED, &keys, &joined])),
    ] {
        let config = ChipConfig::default().with_event_order(order);
        let mut bed = wpa2(config, AccessPoint::wpa2("lab", PHRASE), PHRASE);
        bed.pass(ms(155));
        assert_eq!(keyed(&bed), Some(false));
        bed.peer.send(&ethernet(MAC, 60, 0));
        bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
        bed.pass(ms(10));
        let stats = bed.chip.stats();
        assert_eq!(
            (stats.not_joined, stats.tx_not_joined),
            (1, 1),
            "no frame is transferred without keys"
        );
        bed.pass(ms(40));
        assert_eq!(keyed(&bed), Some(true));
        assert_eq!(bed.take_events(), expected);
        bed.clean();
    }
}

#[test]
fn join_needs_matching_security() {
    let networks = [
        Security::Open,
        Security::Wpa(PHRASE.into()),
        Security::Wpa2(PHRASE.into()),
        Security::Wpa3(PHRASE.into()),
        Security::Wpa2Wpa3(PHRASE.into()),
    ];
    type Secure = fn(&mut Testbed);
    let hosts: [(&str, Secure, [bool; 5]); 4] = [
        ("open", Testbed::secure_open, [true, false, false, false, false]),
        ("WPA2", |bed| bed.secure_wpa2(PHRASE), [false, false, true, false, true]),
        ("WPA3", |bed| bed.secure_wpa3(PHRASE), [false, false, false, true, true]),
        (
            "WPA3, with a key of WPA2",
            |bed| {
                bed.secure_wpa2(PHRASE);
                bed.secure_wpa3(PHRASE);
            },
            [false, false, true, true, true],
        ),
    ];
    for (host, secure, expected) in hosts {
        for (network, expected) in networks.iter().zip(expected) {
            let mut bed = Testbed::up(ChipConfig::default());
            bed.chip.add_ap(AccessPoint::open("lab").with_security(network.clone()));
            secure(&mut bed);
            bed.join("lab").unwrap();
            bed.pass(ms(400));
            assert_eq!(keyed(&bed) == Some(true), expected, "{host} into {network:?}");
            if !expected {
                assert_eq!(bed.take_events(), [(SET_SSID, 3, 0)], "{host} into {network:?}");
            }
            bed.clean();
        }
    }
}

#[test]
fn join_with_hashed_key_succeeds() {
    let key = [0xa5; 32];
    for right in [true, false] {
        let mut bed = Testbed::up(ChipConfig::default());
        bed.chip
            .add_ap(AccessPoint::wpa2("lab", PHRASE).with_hashed_key(if right { key } else { [0; 32] }));
        bed.secure_wpa2("some passphrase");
        let mut value = vec![64, 0, 0, 0];
        value.extend("a5".repeat(32).as_bytes());
        bed.ioctl(true, 268, &value).unwrap();
        bed.join("lab").unwrap();
        bed.pass(ms(400));
        assert_eq!(keyed(&bed), Some(right));
        bed.clean();
    }
}

#[test]
fn join_with_wrong_passphrase_fails_repeatedly() {
    let mut bed = wpa2(ChipConfig::default(), AccessPoint::wpa2("lab", PHRASE), "wrong horse");
    bed.pass(ms(2700));
    let once = [(PSK_SUP, 8, 15)];
    assert_eq!(
        bed.take_events(),
        all(&[&ASSOCIATED, &[(JOIN, 0, 0), (SET_SSID, 0, 0)], &once])
    );
    bed.pass(ms(5000));
    assert_eq!(bed.take_events(), all(&[&once, &once]));
    assert_eq!(keyed(&bed), Some(false));
    bed.ioctl(true, 52, &[]).unwrap();
    bed.pass(ms(5000));
    assert_eq!(bed.take_events(), [(LINK, 0, 2), (DISASSOC, 0, 0)]);
    assert_eq!(bed.chip.association(), None);
    bed.clean();
}

#[test]
fn join_with_wrong_wpa3_password_fails() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.chip.add_ap(AccessPoint::wpa3("lab", PHRASE));
    bed.secure_wpa3("wrong horse");
    bed.join("lab").unwrap();
    bed.pass(ms(400));
    assert_eq!(bed.events[0].auth_type, 3);
    assert_eq!(bed.take_events(), [(AUTH, 1, 16), (SET_SSID, 1, 0)]);
    assert_eq!(bed.chip.association(), None);
    bed.clean();
}

#[test]
fn join_faults_report_their_events() {
    let cases: [(JoinFault, &[Short]); 7] = [
        (JoinFault::AuthTimeout, &[(AUTH, 2, 0), (SET_SSID, 1, 0)]),
        (JoinFault::AuthRefused, &[(AUTH, 1, 0), (SET_SSID, 1, 0)]),
        (
            JoinFault::AssocRefused(17),
            &[(REQ_IE, 0, 0), (AUTH, 0, 0), (ASSOC, 1, 17), (SET_SSID, 1, 0)],
        ),
        (JoinFault::FirstKeyMessageLost, &[(PSK_SUP, 4, 15)]),
        (JoinFault::ThirdKeyMessageLost, &[(PSK_SUP, 8, 15)]),
        (JoinFault::GroupKeyLost, &[(PSK_SUP, 10, 15)]),
        (JoinFault::Silence, &[]),
    ];
    for (refusal, expected) in cases {
        let ap = AccessPoint::wpa2("lab", PHRASE).with_join_fault(refusal);
        let mut bed = wpa2(ChipConfig::default(), ap, PHRASE);
        bed.pass(ms(2700));
        let events = bed.take_events();
        assert!(events.ends_with(expected), "{refusal:?}: {events:?}");
        assert_ne!(keyed(&bed), Some(true), "{refusal:?}");
        bed.clean();
    }
}

#[test]
fn join_unknown_network_fails() {
    for ap in [
        AccessPoint::open("other"),
        AccessPoint::open("lab").with_bssid([2, 9, 9, 9, 9, 9]),
    ] {
        let mut bed = Testbed::up(ChipConfig::default());
        bed.chip.add_ap(ap.clone());
        bed.secure_open();
        let mut value = 3_u32.to_le_bytes().to_vec();
        value.extend(b"lab");
        value.resize(36 + 4 + 16, 0xff);
        value[7..36].fill(0);
        value.extend([2, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 6, 0x10]);
        bed.set("join", &value).unwrap();
        bed.pass(ms(400));
        assert_eq!(bed.take_events(), [(SET_SSID, 3, 0)]);
        // The right passphrase is accepted.
        value[56..62].copy_from_slice(&ap.bssid);
        bed.set("join", &value).unwrap();
        bed.pass(ms(400));
        assert_eq!(keyed(&bed).is_some(), ap.ssid == b"lab");
        bed.clean();
    }
}

#[test]
fn radio_without_clm_receives_nothing() {
    let mut bed = Testbed::running(ChipConfig::default());
    let mut mask = vec![0; 4];
    mask.extend([0xff; 24]);
    bed.set("bsscfg:event_msgs", &mask).unwrap();
    bed.ioctl(true, 2, &[]).unwrap();
    bed.chip.add_ap(AccessPoint::open("lab"));
    bed.secure_open();
    bed.join("lab").unwrap();
    bed.pass(ms(400));
    assert_eq!(bed.take_events(), [(SET_SSID, 3, 0)]);
}

#[test]
fn key_set_early_is_discarded() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.chip.add_ap(AccessPoint::wpa2("lab", PHRASE));
    bed.set_number(134, 4).unwrap();
    bed.set_pair("bsscfg:sup_wpa", 0, 1).unwrap();
    bed.set_key(PHRASE).unwrap();
    assert_eq!(bed.kinds(), [ViolationKind::KeyTooEarly].into());
    bed.set_number(165, 0x80).unwrap();
    bed.join("lab").unwrap();
    bed.pass(ms(2700));
    assert_eq!(keyed(&bed), Some(false));
}

/// Any iovar that changes the ciphers of a service set makes the radio unready.
#[test]
fn key_set_early_after_service_set_security_is_discarded() {
    for name in ["bsscfg:wsec", "bsscfg:wpa_auth", "bsscfg:sup_wpa"] {
        let mut bed = Testbed::up(ChipConfig::default());
        bed.set_pair(name, 0, 4).unwrap();
        bed.set_key(PHRASE).unwrap();
        assert_eq!(bed.kinds(), [ViolationKind::KeyTooEarly].into(), "{name}");
        bed.chip.take_violations();
        bed.clock.advance(ms(2));
        bed.set_key(PHRASE).unwrap();
        bed.clean();
    }
}

fn join_value(bssid: [u8; 6], channels: &[u16]) -> Vec<u8> {
    let mut value = 3_u32.to_le_bytes().to_vec();
    value.extend(b"lab");
    value.resize(36 + 4, 0);
    value.resize(36 + 4 + 16, 0xff);
    value.extend(bssid);
    value.extend([0, 0]);
    value.extend((channels.len() as u32).to_le_bytes());
    for channel in channels {
        value.extend(channel.to_le_bytes());
    }
    value.resize(value.len().max(70), 0);
    value
}

#[test]
fn join_by_bssid_searches_listed_channels_only() {
    let bssid = |n: u8| [2, 0, 0, 0, 0, n];
    // What is asked for, and the number of the access point that is joined.
    let cases: [([u8; 6], &[u16], Option<u8>); 6] = [
        (bssid(1), &[0x1001], Some(1)),
        (bssid(2), &[0x100b], Some(2)),
        (bssid(2), &[0x1001], None),
        (bssid(2), &[0x1001, 0x100b], Some(2)),
        (bssid(1), &[], Some(1)),
        // Any access point of that name on this channel.
        ([0xff; 6], &[0x100b], Some(2)),
    ];
    for (wanted, channels, joined) in cases {
        let mut bed = Testbed::up(ChipConfig::default());
        for (n, channel, rssi) in [(1, 1, -40), (2, 11, -70)] {
            let ap = AccessPoint::open("lab").with_channel(channel).with_rssi(rssi);
            bed.chip.add_ap(ap.with_bssid(bssid(n)));
        }
        bed.secure_open();
        bed.set("join", &join_value(wanted, channels)).unwrap();
        bed.pass(ms(400));
        let association = bed.chip.association().map(|association| association.bssid);
        assert_eq!(association, joined.map(bssid), "{wanted:x?} on {channels:x?}");
        bed.clean();
    }
}

#[test]
fn join_with_invalid_channel_list_is_rejected() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.secure_open();
    let mut short = join_value([0xff; 6], &[0x1001, 0x1006]);
    short.pop();
    assert_eq!(bed.set("join", &short), Err(-24));
    for channel in [0x1000, 0x100f, 0xd001] {
        assert_eq!(
            bed.set("join", &join_value([0xff; 6], &[channel])),
            Err(-20),
            "{channel:#x}"
        );
    }
    assert_eq!(bed.kinds(), [ViolationKind::BadValue].into());
}

#[test]
fn join_wpa_network_with_tkip_succeeds() {
    for (wsec, auth, mfp, joins) in [(2, 4, 0, true), (6, 4, 0, true), (4, 4, 0, false), (2, 0x80, 0, false)] {
        let mut bed = Testbed::up(ChipConfig::default());
        bed.chip
            .add_ap(AccessPoint::open("lab").with_security(Security::Wpa(PHRASE.into())));
        bed.set_number(134, wsec).unwrap();
        bed.set_pair("bsscfg:sup_wpa", 0, 1).unwrap();
        bed.clock.advance(ms(10));
        bed.set_key(PHRASE).unwrap();
        bed.set_number(22, 0).unwrap();
        bed.set_u32("mfp", mfp).unwrap();
        bed.set_number(165, auth).unwrap();
        bed.join("lab").unwrap();
        bed.pass(ms(400));
        assert_eq!(keyed(&bed) == Some(true), joins, "wsec {wsec}, wpa_auth {auth:#x}");
        bed.clean();
    }
}

#[test]
fn join_with_long_sae_password_succeeds() {
    for len in [1, 64, 128] {
        let password = "p".repeat(len);
        let mut bed = Testbed::up(ChipConfig::default());
        bed.chip.add_ap(AccessPoint::wpa3("lab", &password));
        bed.secure_wpa3(&password);
        bed.join("lab").unwrap();
        bed.pass(ms(400));
        assert_eq!(keyed(&bed), Some(true), "{len} bytes");
        bed.clean();
        let mut value = vec![129, 0];
        value.resize(131, b'p');
        assert_eq!(bed.set("sae_password", &value), Err(-24));
    }
}

#[test]
fn join_chooses_strongest_access_point() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.chip.add_ap(AccessPoint::open("lab").with_rssi(-80));
    let near = bed.chip.add_ap(AccessPoint::open("lab").with_rssi(-30));
    bed.chip.add_ap(AccessPoint::open("lab").with_rssi(-50));
    bed.secure_open();
    bed.join("lab").unwrap();
    bed.pass(ms(400));
    assert_eq!(bed.chip.association().map(|association| association.ap), Some(near));
}

#[test]
fn deauthentication_ends_association() {
    type Throw = fn(&Testbed);
    let cases: [(Throw, u32); 2] = [
        (|bed| bed.chip.deauthenticate(3), DEAUTH_IND),
        (|bed| bed.chip.disassociate(3), DISASSOC_IND),
    ];
    for (throw, kind) in cases {
        let mut bed = Testbed::joined(ChipConfig::default());
        throw(&bed);
        bed.pass(ms(5));
        let flags: Vec<u16> = bed.events.iter().map(|event| event.flags).collect();
        assert_eq!(flags, [0, 0]);
        assert_eq!(bed.take_events(), [(kind, 0, 3), (LINK, 0, 2)]);
        assert_eq!(bed.chip.association(), None);
        throw(&bed);
        bed.pass(ms(5));
        assert_eq!(bed.take_events(), []);
        bed.clean();
    }
}

#[test]
fn beacon_loss_ends_association() {
    let mut bed = Testbed::up(ChipConfig::default());
    let ap = bed.chip.add_ap(AccessPoint::open("lab"));
    bed.secure_open();
    bed.join("lab").unwrap();
    bed.pass(ms(300));
    bed.take_events();
    bed.chip.remove_ap(ap);
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    bed.pass(ms(500));
    let stats = bed.chip.stats();
    assert_eq!((stats.lost_in_air, stats.tx_lost_in_air), (1, 1));
    assert_eq!(bed.take_events(), [], "a few beacons may be missed");
    bed.chip.restore_ap(ap);
    bed.pass(ms(1000));
    assert_eq!(keyed(&bed), Some(true));
    bed.chip.remove_ap(ap);
    bed.pass(ms(1100));
    assert_eq!(bed.take_events(), [(LINK, 0, 1)]);
    assert_eq!(bed.chip.association(), None);
    bed.clean();
}

#[test]
fn access_point_removed_during_join_fails_it() {
    for (after, expected) in [
        (100, vec![(SET_SSID, 3, 0)]),
        (130, vec![(AUTH, 2, 0), (SET_SSID, 1, 0)]),
        (145, all(&[&ASSOCIATED[..2], &[(ASSOC, 2, 0), (SET_SSID, 1, 0)]])),
    ] {
        let mut bed = Testbed::up(ChipConfig::default());
        let ap = bed.chip.add_ap(AccessPoint::wpa2("lab", PHRASE));
        bed.secure_wpa2(PHRASE);
        bed.join("lab").unwrap();
        bed.pass(ms(after));
        bed.chip.remove_ap(ap);
        bed.pass(ms(400));
        assert_eq!(bed.take_events(), expected, "after {after} ms");
        bed.clean();
    }
}

#[test]
fn roam_to_other_access_point_reports_events() {
    let mut bed = Testbed::up(ChipConfig::default());
    let first = bed.chip.add_ap(AccessPoint::wpa2("lab", PHRASE).with_rssi(-40));
    let second = bed.chip.add_ap(
        AccessPoint::wpa2("lab", PHRASE)
            .with_rssi(-60)
            .with_bssid([2, 0, 0, 0, 0, 2]),
    );
    bed.secure_wpa2(PHRASE);
    bed.join("lab").unwrap();
    bed.pass(ms(300));
    bed.take_events();
    let moved = [
        (PSK_SUP, 4, 14),
        (AUTH, 0, 0),
        (REASSOC, 0, 0),
        (ROAM, 0, 0),
        (PSK_SUP, 6, 0),
    ];
    bed.chip.roam_to(second);
    assert_eq!(keyed(&bed), Some(false));
    bed.pass(ms(50));
    assert_eq!(bed.take_events(), moved);
    assert_eq!(bed.chip.association().map(|association| association.ap), Some(second));
    // Without a request, where the access point was removed.
    bed.chip.remove_ap(second);
    bed.pass(ms(1200));
    assert_eq!(bed.take_events(), moved);
    assert_eq!(
        bed.chip
            .association()
            .map(|association| (association.ap, association.keyed)),
        Some((first, true))
    );
    bed.clean();
}

#[test]
fn radio_down_leaves_network() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.ioctl(true, 3, &[]).unwrap();
    assert_eq!(bed.chip.association(), None);
    assert_eq!(bed.take_events(), [(LINK, 0, 2)]);
    bed.clean();
}
