//! Variables of the firmware, by name.

use crate::chip::Chip;
use crate::fifo::Fifo;
use crate::firmware::Firmware;
use crate::request::{Outcome, Request, error, pair, u32_at};

/// Variables of one number. Those that are not mentioned elsewhere only store it.
const NUMBERS: [&str; 22] = [
    "2g_mrate",
    "allmulti",
    "ampdu_ba_wsize",
    "ampdu_mpdu",
    "ampdu_rx_factor",
    "apsta",
    "assoc_listen",
    "auth",
    "bcn_li_bcn",
    "bcn_li_dtim",
    "bcn_timeout",
    "bus:txglom",
    "infra",
    "maxassoc",
    "mfp",
    "mpc",
    "pm2_sleep_ret",
    "roam_off",
    "sae_max_pwe_loop",
    "wpa_auth",
    "wsec",
    "sup_wpa",
];

/// Variables of one number for each service set, whose index precedes it.
const INDEXED: [&str; 5] = [
    "bsscfg:sup_wpa",
    "bsscfg:sup_wpa2_eapver",
    "bsscfg:sup_wpa_tmo",
    "bsscfg:wpa_auth",
    "bsscfg:wsec",
];

impl Firmware {
    /// Reads a variable.
    pub(crate) fn get_variable(&self, request: &Request) -> Outcome {
        let (name, argument) = split(&request.payload)?;
        let settings = &self.settings;
        // The index of a service set; hosts may leave out that of the first one.
        let index = || match u32_at(argument, 0).unwrap_or(0) {
            index @ 0..=1 => Ok(index),
            _ => Err(error::BAD_ARGUMENT),
        };
        let value = match settings.variable(name) {
            Some(value) => value,
            None if name == "country" => self.parts.ioctls.country.clone(),
            None if name == "bss" => self.parts.soft_ap.bss(index()?)?,
            None if INDEXED.contains(&name) => {
                let key = format!("{name}/{}", index()?);
                settings.number(&key).to_le_bytes().to_vec()
            }
            None if NUMBERS.contains(&name) => settings.number(name).to_le_bytes().to_vec(),
            None => return Err(error::UNSUPPORTED),
        };
        if value.len() > request.payload.len() {
            return Err(error::BUFFER_TOO_SHORT);
        }
        Ok(value)
    }

    /// Sets a variable.
    pub(crate) fn set_variable(&mut self, chip: &mut Chip, fifo: &mut Fifo, request: &Request) -> Outcome {
        let (name, value) = split(&request.payload)?;
        let done = Ok(Vec::new());
        let (rt, parts) = self.split(chip, fifo);
        let settings = &mut *rt.settings;
        match name {
            "clmload" => return settings.load_clm(rt.chip, value),
            "country" => return parts.ioctls.set_country(rt.chip, value),
            "escan" => return parts.scanner.request(rt, parts.station.is_joining(), value),
            "join" => return parts.station.join_bss(rt, value),
            "bss" => return parts.soft_ap.set_bss(rt, value),
            "bsscfg:ssid" => return parts.soft_ap.set_ssid(value),
            "cur_etheraddr" => return settings.set_address(value),
            "mcast_list" => return settings.set_multicast_list(value),
            "sae_password" => return settings.set_sae_password(rt.chip, value),
            "bsscfg:event_msgs" if u32_at(value, 0).is_some_and(|index| index > 1) => return Err(error::BAD_ARGUMENT),
            "bsscfg:event_msgs" => return settings.set_events(value.get(4..)),
            "event_msgs" => return settings.set_events(Some(value)),
            "gpioout" => {
                let (mask, levels) = pair(value)?;
                settings.set_gpio(mask, levels);
                return done;
            }
            "mkeep_alive" | "pmkid_info" => return done,
            _ => {}
        }
        if INDEXED.contains(&name) {
            let (index, number) = pair(value)?;
            if index > 1 {
                return Err(error::BAD_ARGUMENT);
            }
            let key = format!("{name}/{index}");
            settings.set_number(&key, number);
            if matches!(name, "bsscfg:sup_wpa" | "bsscfg:wpa_auth" | "bsscfg:wsec") {
                settings.security_changed(rt.chip.cx.now());
            }
            return done;
        }
        if !NUMBERS.contains(&name) {
            return Err(error::UNSUPPORTED);
        }
        let number = if value.len() == 4 { u32_at(value, 0) } else { None };
        let number = number.ok_or(error::BAD_LENGTH)?;
        if name == "pm2_sleep_ret" && (number % 10 != 0 || !(10..=2000).contains(&number)) {
            return Err(error::RANGE);
        }
        settings.set_number(name, number);
        done
    }
}

/// Name and value of a variable.
fn split(payload: &[u8]) -> Result<(&str, &[u8]), i32> {
    let end = payload.iter().position(|byte| *byte == 0).ok_or(error::BAD_ARGUMENT)?;
    let name = core::str::from_utf8(&payload[..end]).map_err(|_| error::BAD_ARGUMENT)?;
    Ok((name, &payload[end + 1..]))
}
