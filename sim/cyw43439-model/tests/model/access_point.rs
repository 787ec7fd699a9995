//! The chip as an access point.

use cyw43439_model::ChipConfig;

use crate::host::{MAC, Testbed, ethernet, ms, short};

const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 9];
const PHRASE: &str = "correct horse";
const WPA2: u32 = 0x80;
const SAE: u32 = 0x4_0000;

/// The iovar of a name, and its value.
fn named(index: u32) -> Vec<u8> {
    let mut ssid = index.to_le_bytes().to_vec();
    ssid.extend(3_u32.to_le_bytes());
    ssid.extend(b"own");
    ssid.resize(40, 0);
    ssid
}

/// A testbed with an access point that is configured and not started.
fn prepare(secure: bool) -> Testbed {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.ioctl(true, 3, &[]).unwrap();
    bed.set_u32("apsta", 0).unwrap();
    bed.ioctl(true, 2, &[]).unwrap();
    bed.set_number(118, 1).unwrap();
    bed.set("bsscfg:ssid", &named(0)).unwrap();
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
    bed.set("bsscfg:ssid", &named(1)).unwrap();
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
        let list = bed
            .ioctl(false, 159, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .unwrap();
        assert_eq!(list[..10], [1, 0, 0, 0, 2, 0, 0, 0, 0, 9]);
        assert_eq!(
            bed.ioctl(false, 159, &[1, 0, 0, 0, 0, 0, 0, 0]),
            Err(-14),
            "a short buffer"
        );
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

/// The state of a service set, as the host reads it.
fn get_bss(bed: &mut Testbed, index: u32) -> Result<u32, i32> {
    let mut payload = b"bss\0".to_vec();
    payload.extend(index.to_le_bytes());
    let reply = bed.ioctl(false, 262, &payload)?;
    Ok(u32::from_le_bytes(*reply.first_chunk().unwrap()))
}

#[test]
fn bss_is_read_by_index() {
    let mut bed = prepare(false);
    assert_eq!(get_bss(&mut bed, 0), Ok(0));
    assert_eq!(get_bss(&mut bed, 1), Err(-30), "no such service set");
    bed.set_pair("bss", 0, 1).unwrap();
    assert_eq!(get_bss(&mut bed, 0), Ok(1));
    bed.set_pair("bss", 0, 0).unwrap();
    assert_eq!(get_bss(&mut bed, 0), Ok(0));
    bed.clean();
    assert_eq!(get_bss(&mut bed, 2), Err(-2));
}

#[test]
fn bss_of_second_interface_exists_once_named() {
    let mut bed = Testbed::up(ChipConfig::default());
    bed.set_u32("apsta", 1).unwrap();
    bed.set("bsscfg:ssid", &named(1)).unwrap();
    assert_eq!((get_bss(&mut bed, 0), get_bss(&mut bed, 1)), (Ok(0), Ok(0)));
    bed.set_number(30, 5).unwrap();
    bed.set_pair("bss", 1, 1).unwrap();
    assert_eq!((get_bss(&mut bed, 0), get_bss(&mut bed, 1)), (Ok(0), Ok(1)));
    bed.clean();
}

fn set_password(bed: &mut Testbed, password: &str) -> Result<Vec<u8>, i32> {
    let mut value = (password.len() as u16).to_le_bytes().to_vec();
    value.extend(password.as_bytes());
    value.resize(130, 0);
    bed.set("sae_password", &value)
}

#[test]
fn soft_ap_with_sae_accepts_clients_by_password() {
    let long = "p".repeat(128);
    for (auth, mfp, wpa2, sae) in [
        (SAE, 2, false, true),
        (SAE | WPA2, 1, true, true),
        (WPA2, 1, true, false),
    ] {
        for password in [PHRASE, &long] {
            let mut bed = prepare(false);
            bed.set_pair("bsscfg:wsec", 0, 4).unwrap();
            bed.set_u32("mfp", mfp).unwrap();
            bed.set_pair("bsscfg:wpa_auth", 0, auth).unwrap();
            bed.clock.advance(ms(10));
            if sae {
                set_password(&mut bed, password).unwrap();
            }
            if wpa2 {
                bed.set_key(PHRASE).unwrap();
            }
            start(&mut bed);
            assert!(bed.chip.soft_ap().is_some());
            assert_eq!(bed.chip.connect_sae_client(CLIENT, password), sae, "{auth:#x}");
            bed.chip.disconnect_client(CLIENT);
            assert_eq!(bed.chip.connect_client(CLIENT, Some(PHRASE)), wpa2, "{auth:#x}");
            assert!(!bed.chip.connect_sae_client(CLIENT, "another password"));
            assert!(!bed.chip.connect_client(CLIENT, None));
            bed.clean();
        }
    }
}

#[test]
fn soft_ap_with_sae_without_its_settings_is_rejected() {
    // The authentication, whether frames of management are protected, a password, a passphrase.
    for (auth, mfp, password, key, starts) in [
        (SAE, 2, true, false, true),
        (SAE, 2, false, true, false),
        (SAE, 0, true, false, false),
        (SAE | WPA2, 1, true, false, false),
        (SAE | WPA2, 1, false, true, false),
        (SAE | WPA2, 1, true, true, true),
    ] {
        let mut bed = prepare(false);
        bed.set_pair("bsscfg:wsec", 0, 4).unwrap();
        bed.set_u32("mfp", mfp).unwrap();
        bed.set_pair("bsscfg:wpa_auth", 0, auth).unwrap();
        bed.clock.advance(ms(10));
        if password {
            set_password(&mut bed, PHRASE).unwrap();
        }
        if key {
            bed.set_key(PHRASE).unwrap();
        }
        let expected = if starts { Ok(()) } else { Err(-2) };
        assert_eq!(bed.set_pair("bss", 0, 1).map(drop), expected, "{auth:#x} mfp {mfp}");
    }
}

#[test]
fn soft_ap_with_hashed_key_accepts_clients() {
    let digits = "a5".repeat(32);
    let mut bed = prepare(true);
    let mut value = vec![64, 0, 1, 0];
    value.extend(digits.as_bytes());
    bed.ioctl(true, 268, &value).unwrap();
    start(&mut bed);
    assert!(!bed.chip.connect_client(CLIENT, Some(PHRASE)));
    assert!(!bed.chip.connect_client(CLIENT, Some(&"5a".repeat(32))));
    assert!(bed.chip.connect_client(CLIENT, Some(&digits)));
    bed.clean();
}

#[test]
fn soft_ap_rejects_clients_beyond_maxassoc() {
    let mut bed = prepare(false);
    assert_eq!(bed.get("maxassoc", 4).unwrap(), [10, 0, 0, 0]);
    bed.set_u32("maxassoc", 2).unwrap();
    start(&mut bed);
    let client = |n: u8| [2, 0, 0, 0, 1, n];
    assert!(bed.chip.connect_client(client(0), None));
    assert!(bed.chip.connect_client(client(1), None));
    assert!(!bed.chip.connect_client(client(2), None));
    assert!(bed.chip.connect_client(client(1), None), "it has joined already");
    bed.chip.disconnect_client(client(0));
    assert!(bed.chip.connect_client(client(2), None));
    // The list is limited by the count of the request.
    let ask = |count: u8| {
        let mut payload = vec![count, 0, 0, 0];
        payload.resize(4 + 6 * 10, 0);
        payload
    };
    let list = bed.ioctl(false, 159, &ask(10)).unwrap();
    assert_eq!(list[..16], [2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2]);
    bed.clean();
    assert_eq!(bed.ioctl(false, 159, &ask(1)), Err(-14));
    assert_eq!(bed.ioctl(false, 159, &ask(11)), Err(-14), "more than the buffer holds");
}

/// The station and the access point transfer frames at once, each on its own interface.
#[test]
fn soft_ap_beside_joined_station_transfers_frames_of_both() {
    let mut bed = Testbed::joined(ChipConfig::default());
    bed.set_u32("apsta", 1).unwrap();
    bed.set("bsscfg:ssid", &named(1)).unwrap();
    bed.set_number(30, 11).unwrap();
    bed.set_pair("bss", 1, 1).unwrap();
    bed.pass(ms(60));
    assert!(bed.chip.association().is_some());
    assert_eq!(
        bed.chip.soft_ap(),
        Some((b"own".to_vec(), 6)),
        "on the channel of the station"
    );
    assert!(bed.chip.connect_client(CLIENT, None));
    bed.drain();
    let from = |source: [u8; 6], n: u8| {
        let mut frame = ethernet(MAC, 60, n);
        frame[6..12].copy_from_slice(&source);
        frame
    };
    for (source, interface) in [([2, 0, 0, 0, 0, 1], 0), (CLIENT, 1)] {
        bed.peer.send(&from(source, 3));
        bed.clock.advance(ms(5));
        let frame = bed.recv().expect("a frame is announced");
        assert_eq!((frame.body[2], frame.ethernet()), (interface, from(source, 3)));
    }
    let other = [2, 0, 0, 0, 0, 7];
    for (interface, to, sent) in [
        (0, other, true),
        (1, other, false),
        (1, CLIENT, true),
        (1, [0xff; 6], true),
    ] {
        let mut body = vec![0x20, 0, interface, 0];
        body.extend(ethernet(to, 60, 4));
        let frame = bed.frame(2, 14, &body);
        bed.send_raw(&frame);
        bed.pass(ms(5));
        assert_eq!(
            bed.peer.recv(),
            sent.then(|| ethernet(to, 60, 4)),
            "{to:x?} on {interface}"
        );
    }
    assert_eq!(bed.chip.stats().tx_not_joined, 1);
    // The end of one does not end the other.
    bed.set_pair("bss", 1, 0).unwrap();
    bed.peer.send(&ethernet(MAC, 60, 5));
    bed.pass(ms(5));
    assert_eq!(bed.data.pop_back(), Some(ethernet(MAC, 60, 5)));
    assert!(bed.chip.association().is_some_and(|association| association.keyed));
    bed.clean();
}
