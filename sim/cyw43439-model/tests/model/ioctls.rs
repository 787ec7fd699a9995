//! Requests: what they set, and how they fail.

use cyw43439_model::{ChipConfig, ViolationKind};

use crate::host::{Lab, MAC, ms};

#[test]
fn addresses() {
    let mut lab = Lab::running(ChipConfig::default());
    assert_eq!(lab.get("cur_etheraddr", 6).unwrap(), MAC);
    let other = [0x02, 0, 0, 0, 0, 0x77];
    lab.set("cur_etheraddr", &other).unwrap();
    assert_eq!(lab.get("cur_etheraddr", 6).unwrap(), other);
    lab.clean();
    lab.turn_up();
    assert_eq!(lab.set("cur_etheraddr", &MAC), Err(-5));
    assert_eq!(lab.kinds(), [ViolationKind::BadState].into());
}

#[test]
fn numbers_are_kept() {
    let mut lab = Lab::running(ChipConfig::default());
    for name in [
        "bus:txglom",
        "apsta",
        "ampdu_ba_wsize",
        "ampdu_mpdu",
        "mfp",
        "bcn_li_dtim",
        "2g_mrate",
    ] {
        lab.set_u32(name, 0x55).unwrap();
        assert_eq!(lab.get(name, 4).unwrap(), [0x55, 0, 0, 0], "{name}");
    }
    lab.set_number(86, 2).unwrap();
    assert_eq!(lab.ioctl(false, 85, &[0; 4]), Ok(vec![2, 0, 0, 0]));
    lab.set_number(64, 3).unwrap();
    assert_eq!(lab.ioctl(false, 63, &[0; 4]), Ok(vec![3, 0, 0, 0]));
    for number in [20, 22, 78, 108, 110, 118, 142, 185] {
        lab.set_number(number, 1).unwrap();
    }
    assert!(lab.get("clmver", 64).is_ok() && lab.get("ver", 64).is_ok());
    lab.clean();
}

#[test]
fn the_country_keeps_the_firmware_busy() {
    let mut lab = Lab::running(ChipConfig::default());
    let country = |a: &[u8; 2], b: &[u8; 2]| {
        let mut value = a.to_vec();
        value.extend([0, 0, 0xff, 0xff, 0xff, 0xff]);
        value.extend(b);
        value.extend([0, 0]);
        value
    };
    lab.set("country", &country(b"XX", b"XX")).unwrap();
    assert_eq!(lab.set_number(64, 0), Err(-16));
    lab.clock.advance(ms(32));
    lab.set_number(64, 0).unwrap();
    lab.clean();
    assert_eq!(lab.set("country", &country(b"xx", b"XX")), Err(-2));
    assert_eq!(lab.set("country", b"DE\0\0"), Err(-24));
    assert_eq!(lab.kinds(), [ViolationKind::BadValue].into());
}

#[test]
fn the_database_comes_in_parts() {
    let part = |flags: u16, data: &[u8]| {
        let mut value = (flags | 0x1000).to_le_bytes().to_vec();
        value.extend([2, 0]);
        value.extend((data.len() as u32).to_le_bytes());
        value.extend([0; 4]);
        value.extend(data);
        value
    };
    let mut lab = Lab::running(ChipConfig::default());
    assert_eq!(lab.get("clmload_status", 4).unwrap(), [1, 0, 0, 0]);
    let clm = lab.clm.clone();
    lab.set("clmload", &part(2, &clm[..400])).unwrap();
    lab.set("clmload", &part(0, &clm[400..800])).unwrap();
    assert_eq!(lab.chip.uploaded_clm(), None);
    // Some hosts round the length of the request up.
    let mut last = part(4, &clm[800..]);
    last.extend([0; 5]);
    lab.set("clmload", &last).unwrap();
    assert_eq!(lab.get("clmload_status", 4).unwrap(), [0; 4]);
    assert_eq!(lab.chip.uploaded_clm(), Some(clm.clone()));
    lab.clean();

    let spoiled: Vec<u8> = clm.iter().map(|byte| byte ^ 1).collect();
    let wrong: [&[Vec<u8>]; 4] = [
        // Not what is expected; no beginning; two of them; a gap.
        &[part(6, &spoiled)],
        &[part(4, &clm)],
        &[part(2, &clm[..9]), part(6, &clm)],
        &[part(2, &clm[..9]), part(4, &clm[10..])],
    ];
    for parts in wrong {
        let mut lab = Lab::running(ChipConfig::default());
        for part in parts {
            lab.set("clmload", part).unwrap();
        }
        assert_eq!(lab.get("clmload_status", 4).unwrap(), [1, 0, 0, 0]);
        assert_eq!(lab.kinds(), [ViolationKind::BadClm].into());
    }
}

#[test]
fn what_is_refused() {
    let mut lab = Lab::running(ChipConfig::default());
    let mut ssid = 3_u32.to_le_bytes().to_vec();
    ssid.extend(b"lab");
    ssid.resize(36, 0);
    type Ask<'a> = &'a dyn Fn(&mut Lab) -> Result<Vec<u8>, i32>;
    let cases: [(Ask<'_>, i32, Option<ViolationKind>); 15] = [
        (
            &|lab| lab.set_u32("no_such_thing", 1),
            -23,
            Some(ViolationKind::UnknownIoctl),
        ),
        (
            &|lab| lab.get("no_such_thing", 4),
            -23,
            Some(ViolationKind::UnknownIoctl),
        ),
        (&|lab| lab.set_number(9999, 1), -23, Some(ViolationKind::UnknownIoctl)),
        (&|lab| lab.set("apsta", &[1]), -24, Some(ViolationKind::BadValue)),
        (&|lab| lab.ioctl(true, 86, &[1]), -24, Some(ViolationKind::BadValue)),
        (&|lab| lab.set_number(86, 3), -29, Some(ViolationKind::BadValue)),
        (
            &|lab| lab.set_u32("pm2_sleep_ret", 15),
            -29,
            Some(ViolationKind::BadValue),
        ),
        (&|lab| lab.set_number(30, 15), -20, Some(ViolationKind::BadValue)),
        (&|lab| lab.join("lab"), -4, Some(ViolationKind::BadState)),
        (&|lab| lab.ioctl(false, 127, &[0; 4]), -17, None),
        (&|lab| lab.ioctl(false, 23, &[0; 6]), -17, None),
        (
            &|lab| lab.set("mcast_list", &[11, 0, 0, 0]),
            -29,
            Some(ViolationKind::BadValue),
        ),
        (
            &|lab| lab.set("mcast_list", &[1, 0, 0, 0, 1]),
            -24,
            Some(ViolationKind::BadValue),
        ),
        (&|lab| lab.set_key("seven77"), -2, Some(ViolationKind::BadValue)),
        (
            &|lab| lab.ioctl(false, 262, b"ver\0"),
            -14,
            Some(ViolationKind::BadValue),
        ),
    ];
    for (n, (ask, status, kind)) in cases.iter().enumerate() {
        assert_eq!(ask(&mut lab), Err(*status), "case {n}");
        let kinds = lab.kinds();
        assert_eq!(kinds.into_iter().next(), *kind, "case {n}");
        lab.chip.take_violations();
    }
    lab.turn_up();
    ssid[0] = 33;
    assert_eq!(lab.ioctl(true, 26, &ssid), Err(-18));
    assert_eq!(lab.ioctl(true, 26, &ssid[..8]), Err(-24));
}

#[test]
fn gpio() {
    let mut lab = Lab::running(ChipConfig::default());
    lab.set_pair("gpioout", 1, 1).unwrap();
    assert!(lab.chip.gpio(0) && !lab.chip.gpio(1));
    assert_eq!(lab.get("ccgpioin", 4).unwrap(), [1, 0, 0, 0]);
    lab.chip.drive_gpio(2, true);
    assert_eq!(lab.get("ccgpioin", 4).unwrap(), [5, 0, 0, 0]);
    lab.set_pair("gpioout", 1, 0).unwrap();
    assert!(!lab.chip.gpio(0) && lab.chip.gpio(2));
    lab.clean();
}

#[test]
fn what_is_wrong_with_requests() {
    let mut lab = Lab::running(ChipConfig::default());
    // Two at once.
    lab.ioctl(true, 2, &[]).unwrap();
    lab.send_request(true, 2, &[]);
    lab.send_request(true, 2, &[]);
    assert_eq!(lab.kinds(), [ViolationKind::IoctlOverlap].into());
    lab.pass(ms(5));
    lab.chip.take_violations();
    // The same id again.
    lab.id -= 1;
    lab.ioctl(true, 2, &[]).unwrap();
    assert_eq!(lab.kinds(), [ViolationKind::IoctlIdRepeated].into());
    lab.chip.take_violations();
    // A get that claims to be a set.
    assert_eq!(lab.ioctl(true, 85, &[0; 4]), Err(-2));
    assert_eq!(lab.kinds(), [ViolationKind::BadIoctl].into());
    lab.chip.take_violations();
    // A length that is not there.
    lab.id += 1;
    let mut body = vec![2, 0, 0, 0, 9, 0, 0, 0, 2, 0];
    body.extend(lab.id.to_le_bytes());
    body.extend([0; 8]);
    let frame = lab.frame(0, 12, &body);
    lab.send_raw(&frame);
    assert_eq!(lab.kinds(), [ViolationKind::BadIoctl].into());
}

#[test]
fn events_come_where_they_are_wanted() {
    let mut lab = Lab::up(ChipConfig::default());
    let mut mask = vec![0; 4 + 24];
    mask[4] = 1;
    lab.set("bsscfg:event_msgs", &mask).unwrap();
    lab.chip.add_ap(cyw43439_model::AccessPoint::open("lab"));
    lab.secure_open();
    lab.join("lab").unwrap();
    lab.pass(ms(300));
    assert_eq!(lab.take_events(), [(0, 0, 0)], "SET_SSID alone");
    lab.clean();
}
