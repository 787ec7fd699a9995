//! Scans: the firmware reports one access point after another.

use core::time::Duration;

use crate::access_point::{AccessPoint, Security};
use crate::events::{Event, kind, status};
use crate::request::{Outcome, error, u16_at, u32_at};
use crate::runtime::Runtime;
use crate::timer::{ScanStep, Timer};

/// Bytes of the parameters before the list of channels.
const PARAMETERS_LEN: usize = 72;
const START: u16 = 1;
const ABORT: u16 = 3;
/// Version and length of the description of an access point, before its information elements.
const BSS_VERSION: u32 = 109;
const BSS_LEN: usize = 128;
/// A channel of 20 MHz in the 2.4 GHz band.
const CHANSPEC_20_MHZ: u16 = 0x1000;
const CHANNELS: u32 = 14;

/// The scanner.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Counts scans and their ends, so that a scan that has ended does not go on.
    scan: u64,
    /// The id of the scan that runs.
    running: Option<u16>,
}

/// The parameters of a scan.
struct Parameters {
    ssid: Vec<u8>,
    bssid: Option<[u8; 6]>,
    channels: Vec<u8>,
    passive: bool,
}

impl Parameters {
    fn parse(value: &[u8]) -> Result<Self, i32> {
        let ssid_len = u32_at(value, 8).ok_or(error::BAD_LENGTH)? as usize;
        let count = usize::from(u16_at(value, 68).ok_or(error::BAD_LENGTH)?);
        if ssid_len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        let bssid: [u8; 6] = value[44..50].try_into().map_err(|_| error::BAD_LENGTH)?;
        let channels = value
            .get(PARAMETERS_LEN..PARAMETERS_LEN + 2 * count)
            .ok_or(error::BAD_LENGTH)?
            .chunks(2)
            .map(|channel| channel[0])
            .collect();
        Ok(Self {
            ssid: value[12..12 + ssid_len].to_vec(),
            bssid: (bssid != [0xff; 6]).then_some(bssid),
            channels,
            passive: value[51] != 0,
        })
    }

    fn finds(&self, ap: &AccessPoint) -> bool {
        let directed = self.ssid == ap.ssid && !self.passive;
        (self.ssid.is_empty() || self.ssid == ap.ssid)
            && self.bssid.is_none_or(|bssid| bssid == ap.bssid)
            && (self.channels.is_empty() || self.channels.contains(&ap.channel))
            && (!ap.hidden || self.ssid.is_empty() || directed)
    }
}

impl Scanner {
    /// The iovar `escan`. `joining`: whether the station is joining a network.
    pub(crate) fn request(&mut self, mut rt: Runtime<'_>, joining: bool, value: &[u8]) -> Outcome {
        if value.len() < PARAMETERS_LEN {
            return Err(error::BAD_LENGTH);
        }
        let (action, sync_id) = (u16_at(value, 4), u16_at(value, 6));
        let (Some(action), Some(sync_id), Some(1)) = (action, sync_id, u32_at(value, 0)) else {
            return Err(error::BAD_ARGUMENT);
        };
        if !rt.settings.up {
            return Err(error::NOT_UP);
        }
        match action {
            START => {
                let parameters = Parameters::parse(value)?;
                if self.running.is_some() || joining {
                    return Err(error::BUSY);
                }
                self.start(&mut rt, sync_id, &parameters);
                Ok(Vec::new())
            }
            ABORT => {
                self.stop(&mut rt);
                Ok(Vec::new())
            }
            _ => Err(error::BAD_ARGUMENT),
        }
    }

    fn start(&mut self, rt: &mut Runtime<'_>, sync_id: u16, parameters: &Parameters) {
        self.scan += 1;
        self.running = Some(sync_id);
        let receives = rt.settings.has_channels();
        let time = rt.chip.cx.config.scan_time;
        let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
        let in_range = rt.chip.air.present();
        for (_, ap) in in_range.filter(|(_, ap)| receives && parameters.finds(ap)) {
            let reveal = !ap.hidden || parameters.ssid == ap.ssid;
            found.push((u32::from(ap.channel), describe(ap, reveal)));
        }
        for (channel, bss) in found {
            let delay = time * channel.min(CHANNELS) / (CHANNELS + 1);
            self.step_in(rt, delay, ScanStep::Found { sync_id, bss });
        }
        self.step_in(rt, time, ScanStep::Done);
    }

    fn step_in(&self, rt: &mut Runtime<'_>, delay: Duration, step: ScanStep) {
        rt.chip.timer_in(delay, Timer::Scan { scan: self.scan, step });
    }

    /// The next step of a scan, unless it has ended.
    pub(crate) fn step(&mut self, rt: &mut Runtime<'_>, scan: u64, step: ScanStep) {
        if self.scan != scan || !rt.chip.firmware.runs() {
            return;
        }
        match step {
            ScanStep::Found { sync_id, bss } => report(rt, status::PARTIAL, sync_id, Some(&bss)),
            ScanStep::Done => self.end(rt, status::SUCCESS),
        }
    }

    fn end(&mut self, rt: &mut Runtime<'_>, status: u32) {
        self.scan += 1;
        if let Some(sync_id) = self.running.take() {
            report(rt, status, sync_id, None);
        }
    }

    /// Aborts the scan that runs.
    pub(crate) fn stop(&mut self, rt: &mut Runtime<'_>) {
        self.end(rt, status::ABORT);
    }
}

fn report(rt: &mut Runtime<'_>, status: u32, sync_id: u16, bss: Option<&[u8]>) {
    let entry = bss.unwrap_or_default();
    let mut data = (12 + entry.len() as u32).to_le_bytes().to_vec();
    data.extend(BSS_VERSION.to_le_bytes());
    data.extend(sync_id.to_le_bytes());
    data.extend(u16::from(bss.is_some()).to_le_bytes());
    data.extend(entry);
    rt.report(&Event::new(kind::ESCAN_RESULT, status).with_data(data));
}

/// The description of an access point, with its name where `reveal`.
fn describe(ap: &AccessPoint, reveal: bool) -> Vec<u8> {
    let ssid: &[u8] = if reveal { &ap.ssid } else { &[] };
    let elements = information_elements(ap, ssid);
    let mut bss = vec![0; BSS_LEN];
    let mut put = |at: usize, value: &[u8]| bss[at..at + value.len()].copy_from_slice(value);
    put(0, &BSS_VERSION.to_le_bytes());
    put(4, &((BSS_LEN + elements.len()) as u32).to_le_bytes());
    put(8, &ap.bssid);
    put(14, &ap.beacon_interval.to_le_bytes());
    let privacy = if ap.security == Security::Open { 0 } else { 0x10 };
    put(16, &(0x0401_u16 | privacy).to_le_bytes());
    put(18, &[ssid.len() as u8]);
    put(19, ssid);
    let rates = [0x82, 0x84, 0x8b, 0x96, 0x0c, 0x12, 0x18, 0x24];
    put(52, &(rates.len() as u32).to_le_bytes());
    put(56, &rates);
    put(72, &(CHANSPEC_20_MHZ | u16::from(ap.channel)).to_le_bytes());
    put(76, &[ap.dtim_period]);
    put(78, &ap.rssi.to_le_bytes());
    put(80, &[-92_i8 as u8, 1]);
    put(88, &[ap.channel]);
    put(116, &(BSS_LEN as u16).to_le_bytes());
    put(120, &(elements.len() as u32).to_le_bytes());
    let snr = ap.rssi.saturating_add(92);
    put(124, &snr.to_le_bytes());
    bss.extend(elements);
    bss
}

/// The information elements of name, rates and security (IEEE 802.11, RSN element; Wi-Fi Alliance,
/// WPA).
fn information_elements(ap: &AccessPoint, ssid: &[u8]) -> Vec<u8> {
    const OUI: [u8; 3] = [0x00, 0x0f, 0xac];
    const WPA_OUI: [u8; 3] = [0x00, 0x50, 0xf2];
    const PSK: u8 = 2;
    const SAE: u8 = 8;
    let mut elements = vec![0, ssid.len() as u8];
    elements.extend(ssid);
    elements.extend([1, 4, 0x82, 0x84, 0x8b, 0x96, 3, 1, ap.channel]);
    let element = |id: u8, prefix: &[u8], oui: [u8; 3], cipher: u8, methods: &[u8], tail: &[u8]| {
        let suite = |kind: u8| [oui[0], oui[1], oui[2], kind];
        let mut body = prefix.to_vec();
        body.extend(1_u16.to_le_bytes());
        body.extend(suite(cipher));
        body.extend(1_u16.to_le_bytes());
        body.extend(suite(cipher));
        body.extend((methods.len() as u16).to_le_bytes());
        body.extend(methods.iter().flat_map(|method| suite(*method)));
        body.extend(tail);
        let mut element = vec![id, body.len() as u8];
        element.extend(body);
        element
    };
    match &ap.security {
        Security::Open => {}
        Security::Wpa(_) => elements.extend(element(
            221,
            &[WPA_OUI[0], WPA_OUI[1], WPA_OUI[2], 1],
            WPA_OUI,
            2,
            &[PSK],
            &[],
        )),
        Security::Wpa2(_) => elements.extend(element(48, &[], OUI, 4, &[PSK], &[0, 0])),
        // Protection of management frames: required here, optional below.
        Security::Wpa3(_) => elements.extend(element(48, &[], OUI, 4, &[SAE], &[0xc0, 0])),
        Security::Wpa2Wpa3(_) => elements.extend(element(48, &[], OUI, 4, &[PSK, SAE], &[0x80, 0])),
    }
    elements
}
