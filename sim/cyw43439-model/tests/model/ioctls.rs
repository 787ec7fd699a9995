//! Requests: what they set, and how they fail.

use cyw43439_model::{ChipConfig, ViolationKind};

use crate::host::{MAC, Testbed, ms};

#[test]
fn mac_address_is_set_while_down() {
    let mut bed = Testbed::running(ChipConfig::default());
    assert_eq!(bed.get("cur_etheraddr", 6).unwrap(), MAC);
    let other = [0x02, 0, 0, 0, 0, 0x77];
    bed.set("cur_etheraddr", &other).unwrap();
    assert_eq!(bed.get("cur_etheraddr", 6).unwrap(), other);
    assert_eq!((bed.chip.mac_address(), bed.chip.is_up()), (other, false));
    bed.clean();
    bed.turn_up();
    assert!(bed.chip.is_up());
    assert_eq!(bed.set("cur_etheraddr", &MAC), Err(-5));
    assert_eq!(bed.kinds(), [ViolationKind::BadState].into());
}

#[test]
fn iovar_numbers_are_stored() {
    let mut bed = Testbed::running(ChipConfig::default());
    for name in [
        "bus:txglom",
        "apsta",
        "ampdu_ba_wsize",
        "ampdu_mpdu",
        "mfp",
        "bcn_li_dtim",
        "2g_mrate",
    ] {
        bed.set_u32(name, 0x55).unwrap();
        assert_eq!(bed.get(name, 4).unwrap(), [0x55, 0, 0, 0], "{name}");
    }
    bed.set_number(86, 2).unwrap();
    assert_eq!(bed.ioctl(false, 85, &[0; 4]), Ok(vec![2, 0, 0, 0]));
    bed.set_number(64, 3).unwrap();
    assert_eq!(bed.ioctl(false, 63, &[0; 4]), Ok(vec![3, 0, 0, 0]));
    for number in [20, 22, 78, 108, 110, 118, 142, 185] {
        bed.set_number(number, 1).unwrap();
    }
    assert!(bed.get("clmver", 64).is_ok() && bed.get("ver", 64).is_ok());
    bed.clean();
}

#[test]
fn iovar_numbers_of_service_sets_are_stored_by_index() {
    let mut bed = Testbed::running(ChipConfig::default());
    let get = |bed: &mut Testbed, index: u32| {
        let mut payload = b"bsscfg:wsec\0".to_vec();
        payload.extend(index.to_le_bytes());
        bed.ioctl(false, 262, &payload)
            .map(|reply| u32::from_le_bytes(*reply.first_chunk().unwrap()))
    };
    bed.set_pair("bsscfg:wsec", 0, 4).unwrap();
    bed.set_pair("bsscfg:wsec", 1, 6).unwrap();
    assert_eq!((get(&mut bed, 0), get(&mut bed, 1)), (Ok(4), Ok(6)));
    bed.clean();
    assert_eq!(get(&mut bed, 2), Err(-2));
}

#[test]
fn country_is_read_as_set() {
    let mut bed = Testbed::running(ChipConfig::default());
    let country = b"DE\0\0\x05\0\0\0DE\0\0";
    bed.set("country", country).unwrap();
    bed.clock.advance(ms(40));
    assert_eq!(bed.get("country", 12).unwrap(), country);
    bed.clean();
}

#[test]
fn country_makes_ioctls_busy() {
    let mut bed = Testbed::running(ChipConfig::default());
    let country = |a: &[u8; 2], b: &[u8; 2]| {
        let mut value = a.to_vec();
        value.extend([0, 0, 0xff, 0xff, 0xff, 0xff]);
        value.extend(b);
        value.extend([0, 0]);
        value
    };
    bed.set("country", &country(b"XX", b"XX")).unwrap();
    assert_eq!(bed.set_number(64, 0), Err(-16));
    bed.clock.advance(ms(32));
    bed.set_number(64, 0).unwrap();
    bed.clean();
    assert_eq!(bed.set("country", &country(b"xx", b"XX")), Err(-2));
    assert_eq!(bed.set("country", b"DE\0\0"), Err(-24));
    assert_eq!(bed.kinds(), [ViolationKind::BadValue].into());
}

#[test]
fn clmload_accepts_parts_in_order() {
    let part = |flags: u16, data: &[u8]| {
        let mut value = (flags | 0x1000).to_le_bytes().to_vec();
        value.extend([2, 0]);
        value.extend((data.len() as u32).to_le_bytes());
        value.extend([0; 4]);
        value.extend(data);
        value
    };
    let mut bed = Testbed::running(ChipConfig::default());
    assert_eq!(bed.get("clmload_status", 4).unwrap(), [1, 0, 0, 0]);
    let clm = bed.clm.clone();
    bed.set("clmload", &part(2, &clm[..400])).unwrap();
    bed.set("clmload", &part(0, &clm[400..800])).unwrap();
    assert_eq!(bed.chip.uploaded_clm(), None);
    // Some hosts round the length of the request up.
    let mut last = part(4, &clm[800..]);
    last.extend([0; 5]);
    bed.set("clmload", &last).unwrap();
    assert_eq!(bed.get("clmload_status", 4).unwrap(), [0; 4]);
    assert_eq!(bed.chip.uploaded_clm(), Some(clm.clone()));
    bed.clean();

    let corrupted: Vec<u8> = clm.iter().map(|byte| byte ^ 1).collect();
    let wrong: [&[Vec<u8>]; 4] = [
        // Unexpected contents; no first part; two first parts; a missing part.
        &[part(6, &corrupted)],
        &[part(4, &clm)],
        &[part(2, &clm[..9]), part(6, &clm)],
        &[part(2, &clm[..9]), part(4, &clm[10..])],
    ];
    for parts in wrong {
        let mut bed = Testbed::running(ChipConfig::default());
        for part in parts {
            bed.set("clmload", part).unwrap();
        }
        assert_eq!(bed.get("clmload_status", 4).unwrap(), [1, 0, 0, 0]);
        assert_eq!(bed.kinds(), [ViolationKind::BadClm].into());
    }
}

#[test]
fn ioctl_invalid_fails_with_status() {
    let mut bed = Testbed::running(ChipConfig::default());
    let mut ssid = 3_u32.to_le_bytes().to_vec();
    ssid.extend(b"lab");
    ssid.resize(36, 0);
    type Ask<'a> = &'a dyn Fn(&mut Testbed) -> Result<Vec<u8>, i32>;
    let cases: [(Ask<'_>, i32, Option<ViolationKind>); 15] = [
        (
            &|bed| bed.set_u32("no_such_thing", 1),
            -23,
            Some(ViolationKind::UnknownIoctl),
        ),
        (
            &|bed| bed.get("no_such_thing", 4),
            -23,
            Some(ViolationKind::UnknownIoctl),
        ),
        (&|bed| bed.set_number(9999, 1), -23, Some(ViolationKind::UnknownIoctl)),
        (&|bed| bed.set("apsta", &[1]), -24, Some(ViolationKind::BadValue)),
        (&|bed| bed.ioctl(true, 86, &[1]), -24, Some(ViolationKind::BadValue)),
        (&|bed| bed.set_number(86, 3), -29, Some(ViolationKind::BadValue)),
        (
            &|bed| bed.set_u32("pm2_sleep_ret", 15),
            -29,
            Some(ViolationKind::BadValue),
        ),
        (&|bed| bed.set_number(30, 15), -20, Some(ViolationKind::BadValue)),
        (&|bed| bed.join("lab"), -4, Some(ViolationKind::BadState)),
        (&|bed| bed.ioctl(false, 127, &[0; 4]), -17, None),
        (&|bed| bed.ioctl(false, 23, &[0; 6]), -17, None),
        (
            &|bed| bed.set("mcast_list", &[11, 0, 0, 0]),
            -29,
            Some(ViolationKind::BadValue),
        ),
        (
            &|bed| bed.set("mcast_list", &[1, 0, 0, 0, 1]),
            -24,
            Some(ViolationKind::BadValue),
        ),
        (&|bed| bed.set_key("seven77"), -2, Some(ViolationKind::BadValue)),
        (
            &|bed| bed.ioctl(false, 262, b"ver\0"),
            -14,
            Some(ViolationKind::BadValue),
        ),
    ];
    for (n, (ask, status, kind)) in cases.iter().enumerate() {
        assert_eq!(ask(&mut bed), Err(*status), "case {n}");
        let kinds = bed.kinds();
        assert_eq!(kinds.into_iter().next(), *kind, "case {n}");
        bed.chip.take_violations();
    }
    bed.turn_up();
    ssid[0] = 33;
    assert_eq!(bed.ioctl(true, 26, &ssid), Err(-18));
    assert_eq!(bed.ioctl(true, 26, &ssid[..8]), Err(-24));
}

#[test]
fn gpio_outputs_and_inputs_have_levels() {
    let mut bed = Testbed::running(ChipConfig::default());
    bed.set_pair("gpioout", 1, 1).unwrap();
    assert!(bed.chip.gpio(0) && !bed.chip.gpio(1));
    assert_eq!(bed.get("ccgpioin", 4).unwrap(), [1, 0, 0, 0]);
    bed.chip.drive_gpio(2, true);
    assert_eq!(bed.get("ccgpioin", 4).unwrap(), [5, 0, 0, 0]);
    bed.set_pair("gpioout", 1, 0).unwrap();
    assert!(!bed.chip.gpio(0) && bed.chip.gpio(2));
    bed.clean();
}

#[test]
fn ioctl_header_invalid_is_violation() {
    let mut bed = Testbed::running(ChipConfig::default());
    // Two requests at once.
    bed.ioctl(true, 2, &[]).unwrap();
    bed.send_request(true, 2, &[]);
    bed.send_request(true, 2, &[]);
    assert_eq!(bed.kinds(), [ViolationKind::IoctlOverlap].into());
    bed.pass(ms(5));
    bed.chip.take_violations();
    // The same id again.
    bed.id -= 1;
    bed.ioctl(true, 2, &[]).unwrap();
    assert_eq!(bed.kinds(), [ViolationKind::IoctlIdRepeated].into());
    bed.chip.take_violations();
    // A get with the flag of a set.
    assert_eq!(bed.ioctl(true, 85, &[0; 4]), Err(-2));
    assert_eq!(bed.kinds(), [ViolationKind::BadIoctl].into());
    bed.chip.take_violations();
    // A length beyond the request.
    bed.id += 1;
    let mut body = vec![2, 0, 0, 0, 9, 0, 0, 0, 2, 0];
    body.extend(bed.id.to_le_bytes());
    body.extend([0; 8]);
    let frame = bed.frame(0, 12, &body);
    bed.send_raw(&frame);
    assert_eq!(bed.kinds(), [ViolationKind::BadIoctl].into());
}

#[test]
fn events_enabled_are_reported() {
    let mut bed = Testbed::up(ChipConfig::default());
    let mut mask = vec![0; 4 + 24];
    mask[4] = 1;
    bed.set("bsscfg:event_msgs", &mask).unwrap();
    bed.chip.add_ap(cyw43439_model::AccessPoint::open("lab"));
    bed.secure_open();
    bed.join("lab").unwrap();
    bed.pass(ms(300));
    assert_eq!(bed.take_events(), [(0, 0, 0)], "SET_SSID alone");
    bed.clean();
}
