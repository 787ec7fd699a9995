//! Scans: what the firmware hears, one access point after another.

use core::time::Duration;

use super::events::{Event, kind, status};
use super::hardware::Model;
use super::ioctl::{Outcome, error, u16_at, u32_at};
use super::{AccessPoint, Security};

/// Bytes of the parameters before the list of channels.
const PARAMETERS: usize = 72;
const START: u16 = 1;
const ABORT: u16 = 3;
/// Version and length of what describes an access point, before its information elements.
const BSS_VERSION: u32 = 109;
const BSS_LEN: usize = 128;
/// A channel of 20 MHz in the 2.4 GHz band.
const CHANSPEC_20_MHZ: u16 = 0x1000;
const CHANNELS: u32 = 14;

/// The scan under way.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    turn: u64,
    running: Option<u16>,
}

/// What is searched for.
struct Wanted {
    ssid: Vec<u8>,
    bssid: Option<[u8; 6]>,
    channels: Vec<u8>,
    passive: bool,
}

impl Wanted {
    fn parse(value: &[u8]) -> Result<Self, i32> {
        let ssid_len = u32_at(value, 8).ok_or(error::BAD_LENGTH)? as usize;
        let count = usize::from(u16_at(value, 68).ok_or(error::BAD_LENGTH)?);
        if ssid_len > 32 {
            return Err(error::BAD_SSID_LENGTH);
        }
        let bssid: [u8; 6] = value[44..50].try_into().map_err(|_| error::BAD_LENGTH)?;
        let channels = value
            .get(PARAMETERS..PARAMETERS + 2 * count)
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

impl Model {
    pub(super) fn escan(&mut self, value: &[u8]) -> Outcome {
        if value.len() < PARAMETERS {
            return Err(error::BAD_LENGTH);
        }
        let (action, sync_id) = (u16_at(value, 4), u16_at(value, 6));
        let (Some(action), Some(sync_id), Some(1)) = (action, sync_id, u32_at(value, 0)) else {
            return Err(error::BAD_ARGUMENT);
        };
        if !self.is_up() {
            return Err(error::NOT_UP);
        }
        match action {
            START => {
                let wanted = Wanted::parse(value)?;
                self.start_scan(sync_id, &wanted)
            }
            ABORT => {
                self.stop_scan();
                Ok(Vec::new())
            }
            _ => Err(error::BAD_ARGUMENT),
        }
    }

    fn start_scan(&mut self, sync_id: u16, wanted: &Wanted) -> Outcome {
        let Some(firmware) = &mut self.firmware else {
            return Err(error::UNSUPPORTED);
        };
        if firmware.scanner.running.is_some() || firmware.station.joining {
            return Err(error::BUSY);
        }
        firmware.scanner.turn += 1;
        firmware.scanner.running = Some(sync_id);
        let hears = firmware.settings.has_channels();
        let time = self.config.scan_time;
        let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
        for (_, ap) in self.air.present().filter(|(_, ap)| hears && wanted.finds(ap)) {
            let reveal = !ap.hidden || wanted.ssid == ap.ssid;
            found.push((u32::from(ap.channel), describe(ap, reveal)));
        }
        for (channel, bss) in found {
            self.scan_step(time * channel.min(CHANNELS) / (CHANNELS + 1), move |chip| {
                chip.tell_result(status::PARTIAL, sync_id, Some(&bss));
            });
        }
        self.scan_step(time, move |chip| chip.end_scan(status::SUCCESS));
        Ok(Vec::new())
    }

    fn scan_step(&mut self, delay: Duration, act: impl FnOnce(&mut Self) + 'static) {
        let Some(turn) = self.firmware.as_deref().map(|firmware| firmware.scanner.turn) else {
            return;
        };
        self.later(delay, move |chip| {
            let same = chip
                .firmware
                .as_deref()
                .is_some_and(|firmware| firmware.scanner.turn == turn);
            if same && !chip.firmware_halted() {
                act(chip);
            }
        });
    }

    fn tell_result(&mut self, status: u32, sync_id: u16, bss: Option<&[u8]>) {
        let entry = bss.unwrap_or_default();
        let mut data = (12 + entry.len() as u32).to_le_bytes().to_vec();
        data.extend(BSS_VERSION.to_le_bytes());
        data.extend(sync_id.to_le_bytes());
        data.extend(u16::from(bss.is_some()).to_le_bytes());
        data.extend(entry);
        self.tell(Event::new(kind::ESCAN_RESULT, status).with_data(data));
    }

    fn end_scan(&mut self, status: u32) {
        let Some(firmware) = &mut self.firmware else { return };
        firmware.scanner.turn += 1;
        if let Some(sync_id) = firmware.scanner.running.take() {
            self.tell_result(status, sync_id, None);
        }
    }

    /// Ends a scan before its time.
    pub(super) fn stop_scan(&mut self) {
        self.end_scan(status::ABORT);
    }
}

/// What the firmware tells of an access point.
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

/// Name, rates, and what tells of the security (IEEE 802.11, RSN element; Wi-Fi Alliance, WPA).
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
        // Protection of management frames: required, or possible.
        Security::Wpa3(_) => elements.extend(element(48, &[], OUI, 4, &[SAE], &[0xc0, 0])),
        Security::Wpa2Wpa3(_) => elements.extend(element(48, &[], OUI, 4, &[PSK, SAE], &[0x80, 0])),
    }
    elements
}
