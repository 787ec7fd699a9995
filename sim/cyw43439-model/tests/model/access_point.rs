//! The chip as an access point.

use cyw43439_model::ChipConfig;

use crate::host::{Lab, MAC, ethernet, ms, short};

const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 9];
const PHRASE: &str = "correct horse";

/// An access point, short of its start.
fn prepare(secure: bool) -> Lab {
    let mut lab = Lab::up(ChipConfig::default());
    lab.ioctl(true, 3, &[]).unwrap();
    lab.set_u32("apsta", 0).unwrap();
    lab.ioctl(true, 2, &[]).unwrap();
    lab.set_number(118, 1).unwrap();
    let mut ssid = 0_u32.to_le_bytes().to_vec();
    ssid.extend(3_u32.to_le_bytes());
    ssid.extend(b"own");
    ssid.resize(40, 0);
    lab.set("bsscfg:ssid", &ssid).unwrap();
    lab.set_number(30, 5).unwrap();
    lab.set_pair("bsscfg:wsec", 0, if secure { 4 } else { 0 }).unwrap();
    if secure {
        lab.set_pair("bsscfg:wpa_auth", 0, 0x84).unwrap();
        lab.clock.advance(ms(10));
        lab.set_key(PHRASE).unwrap();
    }
    lab
}

fn start(lab: &mut Lab) {
    lab.set_pair("bss", 0, 1).unwrap();
    lab.pass(ms(60));
}

#[test]
fn starts_and_stops() {
    let mut lab = prepare(false);
    lab.set_pair("bss", 0, 1).unwrap();
    assert_eq!(lab.chip.own_ap(), None, "not on the air yet");
    lab.pass(ms(60));
    assert_eq!(lab.chip.own_ap(), Some((b"own".to_vec(), 5)));
    let link = lab.events.pop_front().expect("it tells");
    assert_eq!((short(&link), link.flags), ((16, 0, 0), 1));
    lab.set_pair("bss", 0, 0).unwrap();
    let link = lab.events.pop_front().expect("it tells");
    assert_eq!((short(&link), link.flags), ((16, 0, 0), 0));
    assert_eq!(lab.chip.own_ap(), None);
    lab.clean();
}

#[test]
fn needs_its_settings() {
    let mut lab = Lab::up(ChipConfig::default());
    assert_eq!(lab.set_pair("bss", 0, 1), Err(-2));
    let mut lab = prepare(false);
    lab.set_pair("bsscfg:wsec", 0, 4).unwrap();
    lab.set_pair("bsscfg:wpa_auth", 0, 0x84).unwrap();
    assert_eq!(lab.set_pair("bss", 0, 1), Err(-2), "secured, and without a key");
    lab.ioctl(true, 3, &[]).unwrap();
    assert_eq!(lab.set_pair("bss", 0, 1), Err(-4));
}

/// Beside the station, on the second interface.
#[test]
fn with_an_interface_of_its_own() {
    let mut lab = Lab::up(ChipConfig::default());
    lab.set_u32("apsta", 1).unwrap();
    let mut ssid = 1_u32.to_le_bytes().to_vec();
    ssid.extend(3_u32.to_le_bytes());
    ssid.extend(b"own");
    ssid.resize(40, 0);
    lab.set("bsscfg:ssid", &ssid).unwrap();
    lab.set_number(30, 5).unwrap();
    lab.set_pair("bss", 1, 1).unwrap();
    lab.pass(ms(60));
    assert!(lab.chip.client_joins(CLIENT, None));
    lab.drain();
    lab.peer.send(&ethernet(MAC, 60, 0));
    lab.clock.advance(ms(5));
    let frame = lab.recv().expect("it is there");
    assert_eq!((frame.body[2], frame.ethernet()), (1, ethernet(MAC, 60, 0)));
    lab.clean();
}

#[test]
fn who_joins() {
    for secure in [false, true] {
        let mut lab = prepare(secure);
        assert!(!lab.chip.client_joins(CLIENT, None), "not on the air");
        start(&mut lab);
        assert_eq!(lab.chip.client_joins(CLIENT, None), !secure);
        assert_eq!(lab.chip.client_joins(CLIENT, Some(PHRASE)), secure);
        assert!(!lab.chip.client_joins(CLIENT, Some("wrong horse")));
        let list = lab.ioctl(false, 159, &[0; 16]).unwrap();
        assert_eq!(list[..10], [1, 0, 0, 0, 2, 0, 0, 0, 0, 9]);
        assert_eq!(lab.ioctl(false, 159, &[0; 8]), Err(-14));
        lab.take_events();
        lab.chip.client_leaves(CLIENT);
        lab.chip.client_leaves(CLIENT);
        lab.drain();
        assert_eq!(lab.take_events(), [(12, 0, 8)]);
    }
}

#[test]
fn frames_pass_between_clients_and_host() {
    let mut lab = prepare(true);
    start(&mut lab);
    lab.peer.send(&ethernet(MAC, 100, 0));
    lab.send_data(&ethernet(CLIENT, 100, 0));
    lab.pass(ms(5));
    let stats = lab.chip.stats();
    assert_eq!((stats.not_joined, stats.tx_not_joined), (1, 1), "nobody is there");
    assert!(lab.chip.client_joins(CLIENT, Some(PHRASE)));
    lab.peer.send(&ethernet(MAC, 100, 1));
    for to in [CLIENT, [0xff; 6], [2, 0, 0, 0, 0, 8]] {
        lab.send_data(&ethernet(to, 100, 2));
    }
    lab.pass(ms(5));
    assert_eq!(lab.data.pop_front(), Some(ethernet(MAC, 100, 1)));
    assert_eq!(lab.peer.recv(), Some(ethernet(CLIENT, 100, 2)));
    assert_eq!(lab.peer.recv(), Some(ethernet([0xff; 6], 100, 2)));
    assert_eq!(lab.peer.recv(), None);
    assert_eq!(lab.chip.stats().tx_not_joined, 2);
    lab.clean();
}
