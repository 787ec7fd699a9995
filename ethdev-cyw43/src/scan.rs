//! Scan parameters and results. No I/O.

use core::time::Duration;

use ethdev::MacAddress;

use crate::config::millis;
use crate::network::{Security, Ssid};

/// The options of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ScanOptions {
    /// Only networks with this SSID. Hidden networks are found in no other way.
    pub ssid: Option<Ssid>,
    /// Whether to listen only: slower, and required on some channels in some countries.
    pub passive: bool,
    /// The time on each channel, in steps of 1 ms, at most 65 s; `None`: selected by the firmware.
    pub dwell: Option<Duration>,
}

impl ScanOptions {
    /// Creates the options of an active scan for all networks.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ssid: None,
            passive: false,
            dwell: None,
        }
    }

    /// Sets the SSID to scan for.
    #[must_use]
    pub const fn with_ssid(mut self, ssid: Ssid) -> Self {
        self.ssid = Some(ssid);
        self
    }

    /// Sets whether to listen only.
    #[must_use]
    pub const fn with_passive(mut self, passive: bool) -> Self {
        self.passive = passive;
        self
    }

    /// Sets the time on each channel.
    #[must_use]
    pub const fn with_dwell(mut self, dwell: Duration) -> Self {
        self.dwell = Some(dwell);
        self
    }

    /// The parameters of `escan`.
    pub(crate) fn wire(&self, id: u16) -> [u8; PARAMETERS] {
        const VERSION: u32 = 1;
        const START: u16 = 1;
        const ANY_BSS: u8 = 2;
        const DEFAULT: [u8; 4] = [0xff; 4];
        let ssid = self.ssid.map_or([0; 36], |ssid| ssid.wire());
        let dwell = self
            .dwell
            .map_or(DEFAULT, |dwell| millis(dwell).min(u16::MAX.into()).to_le_bytes());
        let mut wire = [0; PARAMETERS];
        let fields: [&[u8]; 12] = [
            &VERSION.to_le_bytes(),
            &START.to_le_bytes(),
            &id.to_le_bytes(),
            &ssid,
            &MacAddress::BROADCAST.octets(),
            &[ANY_BSS],
            &[self.passive.into()],
            &DEFAULT,
            &dwell,
            &dwell,
            &DEFAULT,
            // No list of channels: all of them.
            &[0; 4],
        ];
        let _ = ethdev::frame::copy_vectored(&fields, &mut wire);
        wire
    }
}

/// Bytes of the parameters of `escan`.
const PARAMETERS: usize = 76;

/// A scan result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct AccessPoint {
    /// SSID of the network; empty if it is hidden.
    pub ssid: Ssid,
    /// Address of the access point.
    pub bssid: MacAddress,
    /// Channel, 1 to 14.
    pub channel: u8,
    /// Signal strength in dBm.
    pub rssi_dbm: i16,
    /// Security; `None` if it is another one (WEP, enterprise) or unknown. An access point with WPA
    /// and WPA2 is WPA2.
    pub security: Option<Security>,
}

/// The next step of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Scan {
    /// An access point. The same one can be reported several times.
    Found(AccessPoint),
    /// No result yet.
    Pending,
    /// The scan is complete.
    Done {
        /// Number of results that were lost because they were not fetched in time.
        missed: u16,
        /// Whether the firmware ended the scan early.
        aborted: bool,
    },
}

/// Offsets within the record of one access point.
mod at {
    pub(super) const LENGTH: usize = 4;
    pub(super) const BSSID: usize = 8;
    pub(super) const CAPABILITY: usize = 16;
    pub(super) const SSID_LEN: usize = 18;
    pub(super) const SSID: usize = 19;
    pub(super) const CHANSPEC: usize = 72;
    pub(super) const RSSI: usize = 78;
    pub(super) const CONTROL_CHANNEL: usize = 88;
    pub(super) const IE_OFFSET: usize = 116;
    pub(super) const IE_LENGTH: usize = 120;
}

/// Reads the data of an event of a scan: `None` where it is none of scan `id`, or not well formed.
pub(crate) fn parse(data: &[u8], id: u16) -> Option<AccessPoint> {
    const HEADER: usize = 12;
    let (header, record) = data.split_first_chunk::<HEADER>()?;
    let [_, _, _, _, _, _, _, _, i0, i1, n0, n1] = *header;
    if u16::from_le_bytes([i0, i1]) != id || u16::from_le_bytes([n0, n1]) != 1 {
        return None;
    }
    let length = usize::try_from(u32_at(record, at::LENGTH)?).ok()?;
    let said = length.min(record.len());
    let record = record.get(..said)?;
    let ssid_len = usize::from(*record.get(at::SSID_LEN)?);
    if ssid_len > 32 {
        return None;
    }
    let ssid = Ssid::received(record.get(at::SSID..at::SSID + ssid_len)?)?;
    let bssid = record.get(at::BSSID..)?.first_chunk::<6>()?;
    let [rssi0, rssi1] = *record.get(at::RSSI..)?.first_chunk::<2>()?;
    let [chanspec, _] = *record.get(at::CHANSPEC..)?.first_chunk::<2>()?;
    let channel = match record.get(at::CONTROL_CHANNEL) {
        Some(&channel) if (1..=14).contains(&channel) => channel,
        _ => chanspec,
    };
    let capability = u16_at(record, at::CAPABILITY)?;
    Some(AccessPoint {
        ssid,
        bssid: MacAddress::new(*bssid),
        channel,
        rssi_dbm: i16::from_le_bytes([rssi0, rssi1]),
        security: security(capability, elements(record, length)),
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// The information elements of a record that said it has `length` bytes; `None` where not all of
/// them are there.
fn elements(record: &[u8], length: usize) -> Option<&[u8]> {
    let offset = usize::from(u16_at(record, at::IE_OFFSET)?);
    let len = usize::try_from(u32_at(record, at::IE_LENGTH)?).ok()?;
    let end = offset.checked_add(len)?;
    if end > length {
        return None;
    }
    record.get(offset..end)
}

/// What a beacon says of security: its privacy bit, its RSN element (IEEE 802.11 clause 9.4.2.24),
/// and without one its WPA element, the vendor's forerunner of the same layout.
fn security(capability: u16, elements: Option<&[u8]>) -> Option<Security> {
    const PRIVACY: u16 = 1 << 4;
    const RSN: u8 = 48;
    const VENDOR: u8 = 221;
    const WPA: [u8; 4] = [0x00, 0x50, 0xf2, 1];
    const PSK: u8 = 2;
    const PSK_SHA256: u8 = 6;
    const SAE: u8 = 8;
    let is_open = capability & PRIVACY == 0;
    let Some(mut rest) = elements else {
        return is_open.then_some(Security::Open);
    };
    let (mut has_wpa, mut wpa) = (false, None);
    while let [id, len, tail @ ..] = rest {
        let (body, next) = tail.split_at_checked(usize::from(*len))?;
        rest = next;
        if *id == RSN {
            let (mut psk, mut sae) = (false, false);
            for kind in key_managements(body, [0x00, 0x0f, 0xac])? {
                psk |= matches!(kind, PSK | PSK_SHA256);
                sae |= kind == SAE;
            }
            return match (psk, sae) {
                (true, false) => Some(Security::Wpa2),
                (false, true) => Some(Security::Wpa3),
                (true, true) => Some(Security::Wpa2Wpa3),
                (false, false) => None,
            };
        }
        if let Some(body) = body.strip_prefix(&WPA).filter(|_| *id == VENDOR) {
            has_wpa = true;
            let [a, b, c, _] = WPA;
            if key_managements(body, [a, b, c])?.any(|kind| kind == PSK) {
                wpa = Some(Security::Wpa);
            }
        }
    }
    if has_wpa {
        wpa
    } else {
        is_open.then_some(Security::Open)
    }
}

/// The key managements in the body of an RSN or WPA element, by the number behind this prefix.
fn key_managements(body: &[u8], suites: [u8; 3]) -> Option<impl Iterator<Item = u8>> {
    // Version, group cipher, then a list of pairwise ciphers, then one of key managements.
    let pairwise = usize::from(u16_at(body, 6)?);
    let list = body.get(8 + 4 * pairwise..)?;
    let count = usize::from(u16_at(list, 0)?);
    let list = list.get(2..)?.chunks_exact(4).take(count);
    Some(list.filter_map(move |suite| match *suite {
        [a, b, c, kind] if [a, b, c] == suites => Some(kind),
        _ => None,
    }))
}

/// Number of results that are kept. The access points of one channel come within some 40 ms.
const KEPT: usize = 8;

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// It is over, or was never requested.
    Over,
    /// The request is not confirmed: one that was dropped is no scan.
    Requested,
    Running,
}

/// A scan under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanning {
    pub(crate) id: u16,
    progress: Progress,
    aborted: bool,
    missed: u16,
    /// Results that are not fetched yet, oldest first.
    found: [Option<AccessPoint>; KEPT],
}

impl Scanning {
    pub(crate) const fn new() -> Self {
        Self {
            id: 0,
            progress: Progress::Over,
            aborted: false,
            missed: 0,
            found: [None; KEPT],
        }
    }

    /// The next one is requested.
    pub(crate) const fn begin(&mut self) {
        let id = self.id.wrapping_add(1);
        *self = Self::new();
        self.id = id;
        self.progress = Progress::Requested;
        self.aborted = true;
    }

    /// The firmware confirmed the request.
    pub(crate) fn confirm(&mut self) {
        // Unless the end was faster.
        if self.progress == Progress::Requested {
            self.progress = Progress::Running;
        }
    }

    /// Ends it, complete or not.
    pub(crate) fn abort(&mut self) {
        if self.progress != Progress::Over {
            self.progress = Progress::Over;
            self.aborted = true;
        }
    }

    /// Takes an event of a scan.
    pub(crate) fn on_event(&mut self, status: u32, data: &[u8]) {
        use crate::events::status::{PARTIAL, SUCCESS};
        if self.progress == Progress::Over {
            return;
        }
        if status == PARTIAL {
            if let Some(found) = parse(data, self.id) {
                match self.found.iter_mut().find(|slot| slot.is_none()) {
                    Some(slot) => *slot = Some(found),
                    None => self.missed = self.missed.saturating_add(1),
                }
            }
            return;
        }
        // The end of another scan, which was aborted for this one.
        if u16_at(data, 8).is_some_and(|id| id != self.id) {
            return;
        }
        self.progress = Progress::Over;
        self.aborted = status != SUCCESS;
    }

    /// What is there to tell.
    pub(crate) fn take(&mut self) -> Scan {
        let [first, ..] = &mut self.found;
        match first.take() {
            Some(found) => {
                self.found.rotate_left(1);
                Scan::Found(found)
            }
            None if self.progress == Progress::Running => Scan::Pending,
            None => Scan::Done {
                missed: self.missed,
                aborted: self.aborted,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn record(ssid: &[u8], elements: &[u8]) -> Vec<u8> {
        let mut data = std::vec![0; 12 + 128];
        data[8] = 5;
        data[10] = 1;
        let record = &mut data[12..];
        record[4] = 128 + elements.len() as u8;
        record[8..14].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        record[16] = 0x10;
        record[18] = ssid.len() as u8;
        record[19..19 + ssid.len()].copy_from_slice(ssid);
        record[72] = 6;
        record[78..80].copy_from_slice(&(-42_i16).to_le_bytes());
        record[116] = 128;
        record[120] = elements.len() as u8;
        data.extend(elements);
        data
    }

    /// An RSN element with CCMP and these key managements.
    fn rsn(kinds: &[u8]) -> Vec<u8> {
        let mut body = std::vec![1, 0, 0, 0x0f, 0xac, 4, 1, 0, 0, 0x0f, 0xac, 4, kinds.len() as u8, 0];
        for kind in kinds {
            body.extend([0, 0x0f, 0xac, *kind]);
        }
        [std::vec![0, 3, b'n', b'e', b't', 48, body.len() as u8], body].concat()
    }

    /// A WPA element with TKIP and these key managements.
    fn wpa(kinds: &[u8]) -> Vec<u8> {
        let mut body = std::vec![
            0,
            0x50,
            0xf2,
            1,
            1,
            0,
            0,
            0x50,
            0xf2,
            2,
            1,
            0,
            0,
            0x50,
            0xf2,
            2,
            kinds.len() as u8,
            0
        ];
        for kind in kinds {
            body.extend([0, 0x50, 0xf2, *kind]);
        }
        [std::vec![221, body.len() as u8], body].concat()
    }

    #[test]
    fn parse_beacon_record_is_access_point() {
        let found = parse(&record(b"net", &rsn(&[2])), 5).unwrap();
        assert_eq!(found.ssid.as_bytes(), b"net");
        assert_eq!((found.channel, found.rssi_dbm), (6, -42));
        assert_eq!(found.security, Some(Security::Wpa2));
        assert_eq!(
            parse(&record(b"net", &rsn(&[8])), 5).unwrap().security,
            Some(Security::Wpa3)
        );
        let both = parse(&record(b"net", &rsn(&[2, 8])), 5).unwrap();
        assert_eq!(both.security, Some(Security::Wpa2Wpa3));
        assert_eq!(
            parse(&record(b"net", &rsn(&[1])), 5).unwrap().security,
            None,
            "enterprise"
        );
        assert_eq!(parse(&record(b"net", &[]), 5).unwrap().security, None, "WEP");
        let security = |elements: &[&[u8]]| parse(&record(b"net", &elements.concat()), 5).unwrap().security;
        assert_eq!(security(&[&wpa(&[2])]), Some(Security::Wpa));
        assert_eq!(security(&[&wpa(&[1])]), None, "enterprise");
        assert_eq!(security(&[&wpa(&[2]), &rsn(&[2])]), Some(Security::Wpa2));
        // Another element of the vendor, and one of the form of WPA that is not the vendor's.
        let wmm = [221, 7, 0, 0x50, 0xf2, 2, 0, 1, 0];
        assert_eq!(security(&[&wmm, &rsn(&[8])]), Some(Security::Wpa3));
        let mut other = wpa(&[2]);
        other[0] = 220;
        assert_eq!(security(&[&other]), None);
        assert_eq!(parse(&record(b"net", &[]), 6), None, "another scan's");
    }

    #[test]
    fn scanning_unfetched_results_are_kept_then_counted() {
        let mut scanning = Scanning::new();
        scanning.begin();
        scanning.id = 5;
        scanning.confirm();
        assert_eq!(scanning.take(), Scan::Pending);
        for n in 0..KEPT as u8 + 2 {
            scanning.on_event(8, &record(&[b'a' + n], &[]));
        }
        for n in 0..KEPT as u8 {
            let Scan::Found(found) = scanning.take() else {
                panic!("result {n} is gone");
            };
            assert_eq!(found.ssid.as_bytes(), [b'a' + n], "oldest first");
        }
        assert_eq!(scanning.take(), Scan::Pending);
        scanning.on_event(8, &record(b"late", &[]));
        scanning.on_event(0, &[]);
        assert!(matches!(scanning.take(), Scan::Found(_)), "before the end");
        let done = Scan::Done {
            missed: 2,
            aborted: false,
        };
        assert_eq!([scanning.take(), scanning.take()], [done; 2]);
    }

    #[test]
    fn scanning_end_before_confirmation_is_done() {
        let mut scanning = Scanning::new();
        scanning.begin();
        scanning.on_event(0, &[]);
        scanning.confirm();
        let done = |aborted| Scan::Done { missed: 0, aborted };
        assert_eq!(scanning.take(), done(false));
        scanning.abort();
        assert_eq!(scanning.take(), done(false), "it was complete");
        scanning.begin();
        assert_eq!(scanning.take(), done(true), "not confirmed");
        scanning.confirm();
        scanning.abort();
        assert_eq!(scanning.take(), done(true));
        scanning.on_event(8, &record(b"net", &[]));
        assert_eq!(scanning.take(), done(true), "after the end");
    }

    #[test]
    fn wire_fields_at_expected_offsets() {
        let wire = ScanOptions::new()
            .with_passive(true)
            .with_dwell(Duration::from_millis(100))
            .wire(0x1234);
        assert_eq!(wire[..8], [1, 0, 0, 0, 1, 0, 0x34, 0x12]);
        assert_eq!(wire[44..52], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 1]);
        assert_eq!(
            wire[52..],
            [
                0xff, 0xff, 0xff, 0xff, 100, 0, 0, 0, 100, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0
            ]
        );
    }

    proptest! {
        #[test]
        fn parse_any_bytes_is_valid_or_none(mut data: Vec<u8>, elements: Vec<u8>, good: bool, at: usize, value: u8) {
            if good {
                data = record(b"a network with a name of 32 byte", &elements[..elements.len().min(100)]);
                let at = at % data.len();
                data[at] = value;
            }
            let _ = parse(&data, 5);
        }
    }
}
