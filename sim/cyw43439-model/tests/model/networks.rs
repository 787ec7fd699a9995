//! Joins, and how they fail or end.

use cyw43439_model::{AccessPoint, ChipConfig, EventOrder, Refusal, Security, ViolationKind};

use crate::host::{Lab, MAC, ethernet, ms};

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

fn wpa2(config: ChipConfig, ap: AccessPoint, phrase: &str) -> Lab {
    let mut lab = Lab::up(config);
    lab.chip.add_ap(ap);
    lab.secure_wpa2(phrase);
    lab.join("lab").unwrap();
    lab
}

fn keyed(lab: &Lab) -> Option<bool> {
    lab.chip.association().map(|association| association.keyed)
}

#[test]
fn an_open_network() {
    let mut lab = Lab::up(ChipConfig::default());
    let ap = lab.chip.add_ap(AccessPoint::open("lab").with_rssi(-44).with_channel(3));
    lab.secure_open();
    let before = lab.clock.now();
    lab.join("lab").unwrap();
    lab.pass(ms(140));
    assert_eq!(lab.chip.association(), None);
    lab.pass(ms(20));
    let association = lab.chip.association().expect("it is in");
    assert_eq!((association.ap, association.keyed), (ap, true));
    assert!(lab.clock.now() - before < ms(170));
    assert_eq!(
        lab.take_events(),
        all(&[&ASSOCIATED, &[(JOIN, 0, 0), (SET_SSID, 0, 0)]])
    );
    assert_eq!(lab.ioctl(false, 127, &[0; 4]).unwrap(), (-44_i32).to_le_bytes());
    assert_eq!(lab.ioctl(false, 23, &[0; 6]).unwrap(), association.bssid);
    assert_eq!(lab.ioctl(false, 25, &[0; 36]).unwrap()[..7], *b"\x03\0\0\0lab");
    assert_eq!(lab.ioctl(false, 29, &[0; 12]).unwrap()[..4], [3, 0, 0, 0]);
    lab.clean();
}

#[test]
fn keys_come_before_or_after_the_end_of_the_join() {
    let joined = [(JOIN, 0, 0), (SET_SSID, 0, 0)];
    let keys = [(PSK_SUP, 6, 0)];
    for (order, expected) in [
        (EventOrder::KeyedLast, all(&[&ASSOCIATED, &joined, &keys])),
        (EventOrder::KeyedFirst, all(&[&ASSOCIATED, &keys, &joined])),
    ] {
        let config = ChipConfig::default().with_event_order(order);
        let mut lab = wpa2(config, AccessPoint::wpa2("lab", PHRASE), PHRASE);
        lab.pass(ms(155));
        assert_eq!(keyed(&lab), Some(false));
        lab.peer.send(&ethernet(MAC, 60, 0));
        lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
        lab.pass(ms(10));
        let stats = lab.chip.stats();
        assert_eq!(
            (stats.not_joined, stats.tx_not_joined),
            (1, 1),
            "nothing passes without keys"
        );
        lab.pass(ms(40));
        assert_eq!(keyed(&lab), Some(true));
        assert_eq!(lab.take_events(), expected);
        lab.clean();
    }
}

#[test]
fn who_gets_in_where() {
    let networks = [
        Security::Open,
        Security::Wpa(PHRASE.into()),
        Security::Wpa2(PHRASE.into()),
        Security::Wpa3(PHRASE.into()),
        Security::Wpa2Wpa3(PHRASE.into()),
    ];
    type Secure = fn(&mut Lab);
    let hosts: [(&str, Secure, [bool; 5]); 4] = [
        ("open", Lab::secure_open, [true, false, false, false, false]),
        ("WPA2", |lab| lab.secure_wpa2(PHRASE), [false, false, true, false, true]),
        ("WPA3", |lab| lab.secure_wpa3(PHRASE), [false, false, false, true, true]),
        (
            "WPA3, with a key of WPA2",
            |lab| {
                lab.secure_wpa2(PHRASE);
                lab.secure_wpa3(PHRASE);
            },
            [false, false, true, true, true],
        ),
    ];
    for (host, secure, expected) in hosts {
        for (network, expected) in networks.iter().zip(expected) {
            let mut lab = Lab::up(ChipConfig::default());
            lab.chip.add_ap(AccessPoint::open("lab").with_security(network.clone()));
            secure(&mut lab);
            lab.join("lab").unwrap();
            lab.pass(ms(400));
            assert_eq!(keyed(&lab) == Some(true), expected, "{host} into {network:?}");
            if !expected {
                assert_eq!(lab.take_events(), [(SET_SSID, 3, 0)], "{host} into {network:?}");
            }
            lab.clean();
        }
    }
}

#[test]
fn a_hashed_key() {
    let key = [0xa5; 32];
    for right in [true, false] {
        let mut lab = Lab::up(ChipConfig::default());
        lab.chip
            .add_ap(AccessPoint::wpa2("lab", PHRASE).with_hashed_key(if right { key } else { [0; 32] }));
        lab.secure_wpa2("some passphrase");
        let mut value = vec![64, 0, 0, 0];
        value.extend("a5".repeat(32).as_bytes());
        lab.ioctl(true, 268, &value).unwrap();
        lab.join("lab").unwrap();
        lab.pass(ms(400));
        assert_eq!(keyed(&lab), Some(right));
        lab.clean();
    }
}

#[test]
fn a_wrong_passphrase_fails_again_and_again() {
    let mut lab = wpa2(ChipConfig::default(), AccessPoint::wpa2("lab", PHRASE), "wrong horse");
    lab.pass(ms(2700));
    let once = [(PSK_SUP, 8, 15)];
    assert_eq!(
        lab.take_events(),
        all(&[&ASSOCIATED, &[(JOIN, 0, 0), (SET_SSID, 0, 0)], &once])
    );
    lab.pass(ms(5000));
    assert_eq!(lab.take_events(), all(&[&once, &once]));
    assert_eq!(keyed(&lab), Some(false));
    lab.ioctl(true, 52, &[]).unwrap();
    lab.pass(ms(5000));
    assert_eq!(lab.take_events(), [(LINK, 0, 2), (DISASSOC, 0, 0)]);
    assert_eq!(lab.chip.association(), None);
    lab.clean();
}

#[test]
fn a_wrong_password_of_wpa3_is_refused() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::wpa3("lab", PHRASE));
    lab.secure_wpa3("wrong horse");
    lab.join("lab").unwrap();
    lab.pass(ms(400));
    assert_eq!(lab.events[0].auth_type, 3);
    assert_eq!(lab.take_events(), [(AUTH, 1, 16), (SET_SSID, 1, 0)]);
    assert_eq!(lab.chip.association(), None);
    lab.clean();
}

#[test]
fn refusals() {
    let cases: [(Refusal, &[Short]); 7] = [
        (Refusal::AuthTimeout, &[(AUTH, 2, 0), (SET_SSID, 1, 0)]),
        (Refusal::AuthRefused, &[(AUTH, 1, 0), (SET_SSID, 1, 0)]),
        (
            Refusal::AssocRefused(17),
            &[(REQ_IE, 0, 0), (AUTH, 0, 0), (ASSOC, 1, 17), (SET_SSID, 1, 0)],
        ),
        (Refusal::FirstKeyMessageLost, &[(PSK_SUP, 4, 15)]),
        (Refusal::ThirdKeyMessageLost, &[(PSK_SUP, 8, 15)]),
        (Refusal::GroupKeyLost, &[(PSK_SUP, 10, 15)]),
        (Refusal::Silence, &[]),
    ];
    for (refusal, expected) in cases {
        let ap = AccessPoint::wpa2("lab", PHRASE).with_refusal(refusal);
        let mut lab = wpa2(ChipConfig::default(), ap, PHRASE);
        lab.pass(ms(2700));
        let events = lab.take_events();
        assert!(events.ends_with(expected), "{refusal:?}: {events:?}");
        assert_ne!(keyed(&lab), Some(true), "{refusal:?}");
        lab.clean();
    }
}

#[test]
fn no_such_network() {
    for ap in [
        AccessPoint::open("other"),
        AccessPoint::open("lab").with_bssid([2, 9, 9, 9, 9, 9]),
    ] {
        let mut lab = Lab::up(ChipConfig::default());
        lab.chip.add_ap(ap.clone());
        lab.secure_open();
        let mut value = 3_u32.to_le_bytes().to_vec();
        value.extend(b"lab");
        value.resize(36 + 4 + 16, 0xff);
        value[7..36].fill(0);
        value.extend([2, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 6, 0x10]);
        lab.set("join", &value).unwrap();
        lab.pass(ms(400));
        assert_eq!(lab.take_events(), [(SET_SSID, 3, 0)]);
        // The right one gets in.
        value[56..62].copy_from_slice(&ap.bssid);
        lab.set("join", &value).unwrap();
        lab.pass(ms(400));
        assert_eq!(keyed(&lab).is_some(), ap.ssid == b"lab");
        lab.clean();
    }
}

#[test]
fn without_its_database_the_radio_hears_nothing() {
    let mut lab = Lab::running(ChipConfig::default());
    let mut mask = vec![0; 4];
    mask.extend([0xff; 24]);
    lab.set("bsscfg:event_msgs", &mask).unwrap();
    lab.ioctl(true, 2, &[]).unwrap();
    lab.chip.add_ap(AccessPoint::open("lab"));
    lab.secure_open();
    lab.join("lab").unwrap();
    lab.pass(ms(400));
    assert_eq!(lab.take_events(), [(SET_SSID, 3, 0)]);
}

#[test]
fn a_key_that_comes_too_early_is_forgotten() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::wpa2("lab", PHRASE));
    lab.set_number(134, 4).unwrap();
    lab.set_pair("bsscfg:sup_wpa", 0, 1).unwrap();
    lab.set_key(PHRASE).unwrap();
    assert_eq!(lab.kinds(), [ViolationKind::KeyTooEarly].into());
    lab.set_number(165, 0x80).unwrap();
    lab.join("lab").unwrap();
    lab.pass(ms(2700));
    assert_eq!(keyed(&lab), Some(false));
}

#[test]
fn the_strongest_access_point_wins() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.chip.add_ap(AccessPoint::open("lab").with_rssi(-80));
    let near = lab.chip.add_ap(AccessPoint::open("lab").with_rssi(-30));
    lab.chip.add_ap(AccessPoint::open("lab").with_rssi(-50));
    lab.secure_open();
    lab.join("lab").unwrap();
    lab.pass(ms(400));
    assert_eq!(lab.chip.association().map(|association| association.ap), Some(near));
}

#[test]
fn thrown_out() {
    type Throw = fn(&Lab);
    let cases: [(Throw, u32); 2] = [
        (|lab| lab.chip.deauthenticate(3), DEAUTH_IND),
        (|lab| lab.chip.disassociate(3), DISASSOC_IND),
    ];
    for (throw, kind) in cases {
        let mut lab = Lab::joined(ChipConfig::default());
        throw(&lab);
        lab.pass(ms(5));
        let flags: Vec<u16> = lab.events.iter().map(|event| event.flags).collect();
        assert_eq!(flags, [0, 0]);
        assert_eq!(lab.take_events(), [(kind, 0, 3), (LINK, 0, 2)]);
        assert_eq!(lab.chip.association(), None);
        throw(&lab);
        lab.pass(ms(5));
        assert_eq!(lab.take_events(), []);
        lab.clean();
    }
}

#[test]
fn an_access_point_that_falls_silent() {
    let mut lab = Lab::up(ChipConfig::default());
    let ap = lab.chip.add_ap(AccessPoint::open("lab"));
    lab.secure_open();
    lab.join("lab").unwrap();
    lab.pass(ms(300));
    lab.take_events();
    lab.chip.remove_ap(ap);
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.send_data(&ethernet([2, 0, 0, 0, 0, 7], 60, 0));
    lab.pass(ms(500));
    let stats = lab.chip.stats();
    assert_eq!((stats.lost_in_air, stats.tx_lost_in_air), (1, 1));
    assert_eq!(lab.take_events(), [], "a few beacons may be missed");
    lab.chip.restore_ap(ap);
    lab.pass(ms(1000));
    assert_eq!(keyed(&lab), Some(true));
    lab.chip.remove_ap(ap);
    lab.pass(ms(1100));
    assert_eq!(lab.take_events(), [(LINK, 0, 1)]);
    assert_eq!(lab.chip.association(), None);
    lab.clean();
}

#[test]
fn an_access_point_that_goes_while_it_is_joined() {
    for (after, expected) in [
        (100, vec![(SET_SSID, 3, 0)]),
        (130, vec![(AUTH, 2, 0), (SET_SSID, 1, 0)]),
        (145, all(&[&ASSOCIATED[..2], &[(ASSOC, 2, 0), (SET_SSID, 1, 0)]])),
    ] {
        let mut lab = Lab::up(ChipConfig::default());
        let ap = lab.chip.add_ap(AccessPoint::wpa2("lab", PHRASE));
        lab.secure_wpa2(PHRASE);
        lab.join("lab").unwrap();
        lab.pass(ms(after));
        lab.chip.remove_ap(ap);
        lab.pass(ms(400));
        assert_eq!(lab.take_events(), expected, "after {after} ms");
        lab.clean();
    }
}

#[test]
fn roaming() {
    let mut lab = Lab::up(ChipConfig::default());
    let first = lab.chip.add_ap(AccessPoint::wpa2("lab", PHRASE).with_rssi(-40));
    let second = lab.chip.add_ap(
        AccessPoint::wpa2("lab", PHRASE)
            .with_rssi(-60)
            .with_bssid([2, 0, 0, 0, 0, 2]),
    );
    lab.secure_wpa2(PHRASE);
    lab.join("lab").unwrap();
    lab.pass(ms(300));
    lab.take_events();
    let moved = [
        (PSK_SUP, 4, 14),
        (AUTH, 0, 0),
        (REASSOC, 0, 0),
        (ROAM, 0, 0),
        (PSK_SUP, 6, 0),
    ];
    lab.chip.roam_to(second);
    assert_eq!(keyed(&lab), Some(false));
    lab.pass(ms(50));
    assert_eq!(lab.take_events(), moved);
    assert_eq!(lab.chip.association().map(|association| association.ap), Some(second));
    // And by itself, where the access point is gone.
    lab.chip.remove_ap(second);
    lab.pass(ms(1200));
    assert_eq!(lab.take_events(), moved);
    assert_eq!(
        lab.chip
            .association()
            .map(|association| (association.ap, association.keyed)),
        Some((first, true))
    );
    lab.clean();
}

#[test]
fn going_down_leaves() {
    let mut lab = Lab::joined(ChipConfig::default());
    lab.ioctl(true, 3, &[]).unwrap();
    assert_eq!(lab.chip.association(), None);
    assert_eq!(lab.take_events(), [(LINK, 0, 2)]);
    lab.clean();
}
