//! Scans.

use cyw43439_model::{AccessPoint, ChipConfig, Security};

use crate::host::{Testbed, ms};

const ESCAN_RESULT: u32 = 69;

fn parameters(action: u16, ssid: &str, channels: &[u8]) -> Vec<u8> {
    let mut value = 1_u32.to_le_bytes().to_vec();
    value.extend(action.to_le_bytes());
    value.extend(7_u16.to_le_bytes());
    value.extend((ssid.len() as u32).to_le_bytes());
    value.extend(ssid.as_bytes());
    value.resize(44, 0);
    value.extend([0xff; 6]);
    value.extend([2, 0]);
    value.extend([0xff; 16]);
    value.extend((channels.len() as u32).to_le_bytes());
    for channel in channels {
        value.extend((u16::from(*channel) | 0x1000).to_le_bytes());
    }
    value.resize(value.len().max(76), 0);
    value
}

fn bed() -> Testbed {
    let bed = Testbed::up(ChipConfig::default());
    for (ssid, channel, security) in [
        ("eleven", 11, Security::Wpa3("password".into())),
        ("one", 1, Security::Open),
        ("six", 6, Security::Wpa2("password".into())),
    ] {
        let ap = AccessPoint::open(ssid)
            .with_channel(channel)
            .with_rssi(-30 - i16::from(channel));
        bed.chip
            .add_ap(ap.with_security(security).with_bssid([2, 0, 0, 0, 0, channel]));
    }
    bed.chip.add_ap(AccessPoint::open("secret").with_channel(13).hidden());
    bed
}

/// Names of the results, and the status of the last event.
fn names(bed: &mut Testbed) -> (Vec<String>, u32) {
    let mut names = Vec::new();
    let mut last = 99;
    for (event, data) in bed.events.drain(..).zip(bed.event_data.drain(..)) {
        assert_eq!(event.kind, ESCAN_RESULT);
        assert_eq!(data[..4], (data.len() as u32).to_le_bytes());
        assert_eq!(data[8..10], [7, 0], "the sync id of the scan");
        if event.status == 8 {
            assert_eq!(data[10..12], [1, 0]);
            let len = usize::from(data[12 + 18]);
            names.push(String::from_utf8(data[12 + 19..][..len].to_vec()).unwrap());
        } else {
            assert_eq!(data[10..12], [0, 0]);
        }
        last = event.status;
    }
    (names, last)
}

#[test]
fn scan_reports_access_points_in_range() {
    let mut bed = bed();
    bed.set("escan", &parameters(1, "", &[])).unwrap();
    bed.pass(ms(60));
    assert_eq!(bed.events.len(), 2, "results are reported in order of channels");
    bed.pass(ms(100));
    let all = ["one", "six", "eleven", ""].map(String::from);
    assert_eq!(names(&mut bed), (all.to_vec(), 0));
    bed.clean();
}

#[test]
fn scan_result_describes_access_point() {
    let mut bed = bed();
    bed.set("escan", &parameters(1, "six", &[])).unwrap();
    bed.pass(ms(200));
    let data = bed.event_data.pop_front().expect("the access point is reported");
    let bss = &data[12..];
    let half = |at: usize| u16::from_le_bytes([bss[at], bss[at + 1]]);
    let word = |at: usize| u32::from_le_bytes(bss[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4) as usize), (109, bss.len()));
    assert_eq!(bss[8..14], [2, 0, 0, 0, 0, 6]);
    assert_eq!((half(14), half(16) & 0x10), (100, 0x10));
    assert_eq!((half(72), half(78) as i16, bss[88]), (0x1006, -36, 6));
    let (offset, len) = (usize::from(half(116)), word(120) as usize);
    assert_eq!(offset + len, bss.len());
    let mut elements = &bss[offset..];
    let mut kinds = Vec::new();
    while let [id, len, rest @ ..] = elements {
        kinds.push(*id);
        if *id == 48 {
            assert_eq!(rest[..8], [1, 0, 0x00, 0x0f, 0xac, 4, 1, 0]);
            assert_eq!(rest[12..18], [1, 0, 0x00, 0x0f, 0xac, 2]);
        }
        elements = &rest[usize::from(*len)..];
    }
    assert_eq!(kinds, [0, 1, 3, 48]);
}

#[test]
fn scan_follows_parameters() {
    for (ssid, channels, expected) in [
        ("one", &[][..], &["one"][..]),
        ("nowhere", &[], &[]),
        ("secret", &[], &["secret"]),
        ("", &[6, 11], &["six", "eleven"]),
    ] {
        let mut bed = bed();
        bed.set("escan", &parameters(1, ssid, channels)).unwrap();
        bed.pass(ms(200));
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(names(&mut bed), (expected, 0), "{ssid:?} {channels:?}");
        bed.clean();
    }
}

#[test]
fn scan_during_scan_is_busy() {
    let mut bed = bed();
    bed.set("escan", &parameters(1, "", &[])).unwrap();
    assert_eq!(bed.set("escan", &parameters(1, "", &[])), Err(-16));
    bed.pass(ms(60));
    bed.set("escan", &parameters(3, "", &[])).unwrap();
    bed.pass(ms(200));
    let expected = ["one", "six"].map(String::from).to_vec();
    assert_eq!(names(&mut bed), (expected, 4), "aborted");
    bed.set("escan", &parameters(1, "", &[])).unwrap();
    bed.clean();
    bed.ioctl(true, 3, &[]).unwrap();
    assert_eq!(bed.set("escan", &parameters(1, "", &[])), Err(-4));
}
