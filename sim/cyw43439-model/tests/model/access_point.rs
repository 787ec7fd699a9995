//! The chip as an access point.

use cyw43439_model::ChipConfig;

use crate::host::{MAC, Testbed, ethernet, ms, short};

const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 9];
const PHRASE: &str = "correct horse";

/// A testbed with an access point that is configured and not started.
fn prepare(secure: bool) -> Testbed {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.ioctl(true, 3, &[]).unwrap();
    bed.set_u32("apsta", 0).unwrap();
    bed.ioctl(true, 2, &[]).unwrap();
    bed.set_number(118, 1).unwrap();
    let mut ssid = 0_u32.to_le_bytes().to_vec();
    ssid.extend(3_u32.to_le_bytes());
    ssid.extend(b"own");
    ssid.resize(40, 0);
    bed.set("bsscfg:ssid", &ssid).unwrap();
    bed.set_number(30, 5).unwrap();
    bed.set_pair("bsscfg:wsec", 0, if secure { 4 } else { 0 }).unwrap();
    if secure {
        bed.set_pair("bsscfg:wpa_auth", 0, 0x84).unwrap();
        bed.clock.advance(ms(10));
        bed.set_key(PHRASE).unwrap();
    }
    bed
}

fn start(bed: &mut Testbed) {
    bed.set_pair("bss", 0, 1).unwrap();
    bed.pass(ms(60));
}

#[test]
fn soft_ap_starts_and_stops() {
    let mut bed = prepare(false);
    bed.set_pair("bss", 0, 1).unwrap();
    assert_eq!(bed.chip.soft_ap(), None, "not on the air yet");
    bed.pass(ms(60));
    assert_eq!(bed.chip.soft_ap(), Some((b"own".to_vec(), 5)));
    let link = bed.events.pop_front().expect("an event");
    assert_eq!((short(&link), link.flags), ((16, 0, 0), 1));
    bed.set_pair("bss", 0, 0).unwrap();
    let link = bed.events.pop_front().expect("an event");
    assert_eq!((short(&link), link.flags), ((16, 0, 0), 0));
    assert_eq!(bed.chip.soft_ap(), None);
    bed.clean();
}

#[test]
fn soft_ap_without_settings_is_rejected() {
    let mut bed = Testbed::up(ChipConfig::default());
    assert_eq!(bed.set_pair("bss", 0, 1), Err(-2));
    let mut bed = prepare(false);
    bed.set_pair("bsscfg:wsec", 0, 4).unwrap();
    bed.set_pair("bsscfg:wpa_auth", 0, 0x84).unwrap();
    assert_eq!(bed.set_pair("bss", 0, 1), Err(-2), "security without a key");
    bed.ioctl(true, 3, &[]).unwrap();
    assert_eq!(bed.set_pair("bss", 0, 1), Err(-4));
}

/// Beside the station, on the second interface.
#[test]
fn soft_ap_on_second_interface_reports_it() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.set_u32("apsta", 1).unwrap();
    let mut ssid = 1_u32.to_le_bytes().to_vec();
    ssid.extend(3_u32.to_le_bytes());
    ssid.extend(b"own");
    ssid.resize(40, 0);
    bed.set("bsscfg:ssid", &ssid).unwrap();
    bed.set_number(30, 5).unwrap();
    bed.set_pair("bss", 1, 1).unwrap();
    bed.pass(ms(60));
    assert!(bed.chip.connect_client(CLIENT, None));
    bed.drain();
    bed.peer.send(&ethernet(MAC, 60, 0));
    bed.clock.advance(ms(5));
    let frame = bed.recv().expect("a frame is announced");
    assert_eq!((frame.body[2], frame.ethernet()), (1, ethernet(MAC, 60, 0)));
    bed.clean();
}

#[test]
fn soft_ap_accepts_clients_with_passphrase() {
    for secure in [false, true] {
        let mut bed = prepare(secure);
        assert!(!bed.chip.connect_client(CLIENT, None), "not on the air");
        start(&mut bed);
        assert_eq!(bed.chip.connect_client(CLIENT, None), !secure);
        assert_eq!(bed.chip.connect_client(CLIENT, Some(PHRASE)), secure);
        assert!(!bed.chip.connect_client(CLIENT, Some("wrong horse")));
        let list = bed.ioctl(false, 159, &[0; 16]).unwrap();
        assert_eq!(list[..10], [1, 0, 0, 0, 2, 0, 0, 0, 0, 9]);
        assert_eq!(bed.ioctl(false, 159, &[0; 8]), Err(-14));
        bed.take_events();
        bed.chip.disconnect_client(CLIENT);
        bed.chip.disconnect_client(CLIENT);
        bed.drain();
        assert_eq!(bed.take_events(), [(12, 0, 8)]);
    }
}

#[test]
fn soft_ap_transfers_frames_of_clients() {
    let mut bed = prepare(true);
    start(&mut bed);
    bed.peer.send(&ethernet(MAC, 100, 0));
    bed.send_data(&ethernet(CLIENT, 100, 0));
    bed.pass(ms(5));
    let stats = bed.chip.stats();
    assert_eq!((stats.not_joined, stats.tx_not_joined), (1, 1), "no client");
    assert!(bed.chip.connect_client(CLIENT, Some(PHRASE)));
    bed.peer.send(&ethernet(MAC, 100, 1));
    for to in [CLIENT, [0xff; 6], [2, 0, 0, 0, 0, 8]] {
        bed.send_data(&ethernet(to, 100, 2));
    }
    bed.pass(ms(5));
    assert_eq!(bed.data.pop_front(), Some(ethernet(MAC, 100, 1)));
    assert_eq!(bed.peer.recv(), Some(ethernet(CLIENT, 100, 2)));
    assert_eq!(bed.peer.recv(), Some(ethernet([0xff; 6], 100, 2)));
    assert_eq!(bed.peer.recv(), None);
    assert_eq!(bed.chip.stats().tx_not_joined, 2);
    bed.clean();
}
