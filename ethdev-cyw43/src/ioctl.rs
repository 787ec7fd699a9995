//! Requests to the firmware and their answers: the CDC header, the numbers of requests, and the
//! names of variables. Functions over values.

/// Bytes of a CDC header.
pub(crate) const HEADER: usize = 16;

/// The number of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Command {
    Up = 2,
    Down = 3,
    SetInfra = 20,
    SetAuth = 22,
    GetBssid = 23,
    SetSsid = 26,
    GetChannel = 29,
    SetChannel = 30,
    Disassoc = 52,
    SetAntDiv = 64,
    SetPm = 86,
    SetGmode = 110,
    SetAp = 118,
    GetRssi = 127,
    SetWsec = 134,
    SetBand = 142,
    GetAssocList = 159,
    SetWpaAuth = 165,
    GetVar = 262,
    SetVar = 263,
    SetWsecPmk = 268,
}

/// Statuses of answers that the driver acts on ("BCME" codes).
pub(crate) mod status {
    /// The interface is not up.
    pub(crate) const NOT_UP: i32 = -4;
    /// Busy.
    pub(crate) const BUSY: i32 = -16;
    /// Not associated.
    pub(crate) const NOT_ASSOCIATED: i32 = -17;
    /// Not ready.
    pub(crate) const NOT_READY: i32 = -25;

    /// Whether the same request may succeed a little later.
    pub(crate) const fn passes(status: i32) -> bool {
        matches!(status, NOT_UP | BUSY | NOT_READY)
    }
}

const FLAG_ERROR: u16 = 1 << 0;
const FLAG_SET: u16 = 1 << 1;

/// What goes before the payload of a request, `len` bytes.
pub(crate) fn request_header(command: Command, set: bool, id: u16, len: usize) -> [u8; HEADER] {
    let [c0, c1, c2, c3] = (command as u32).to_le_bytes();
    let [l0, l1, l2, l3] = u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes();
    let [f0, f1] = (if set { FLAG_SET } else { 0 }).to_le_bytes();
    let [i0, i1] = id.to_le_bytes();
    [c0, c1, c2, c3, l0, l1, l2, l3, f0, f1, i0, i1, 0, 0, 0, 0]
}

/// The header of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    /// Of which request.
    pub(crate) id: u16,
    /// What the firmware made of it: 0 is success.
    pub(crate) status: i32,
    /// Bytes of payload that are there.
    pub(crate) len: usize,
}

impl Reply {
    /// Reads the header of an answer that has `there` bytes behind it.
    pub(crate) fn parse(bytes: &[u8; HEADER], there: usize) -> Option<Self> {
        let [_, _, _, _, l0, l1, l2, l3, f0, f1, i0, i1, s0, s1, s2, s3] = *bytes;
        let said = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).ok()?;
        let status = i32::from_le_bytes([s0, s1, s2, s3]);
        let failed = u16::from_le_bytes([f0, f1]) & FLAG_ERROR != 0;
        Some(Self {
            id: u16::from_le_bytes([i0, i1]),
            // An error without a code is one all the same.
            status: if failed && status == 0 { -1 } else { status },
            len: said.min(there),
        })
    }
}

/// The variables of the firmware that the driver reads or writes.
pub(crate) mod var {
    pub(crate) const ALLMULTI: &str = "allmulti";
    pub(crate) const AMPDU_BA_WSIZE: &str = "ampdu_ba_wsize";
    pub(crate) const AMPDU_MPDU: &str = "ampdu_mpdu";
    pub(crate) const APSTA: &str = "apsta";
    pub(crate) const ASSOC_LISTEN: &str = "assoc_listen";
    pub(crate) const BCN_LI_BCN: &str = "bcn_li_bcn";
    pub(crate) const BCN_LI_DTIM: &str = "bcn_li_dtim";
    pub(crate) const BSS: &str = "bss";
    pub(crate) const CCGPIOIN: &str = "ccgpioin";
    pub(crate) const CLMLOAD: &str = "clmload";
    pub(crate) const CLMLOAD_STATUS: &str = "clmload_status";
    pub(crate) const COUNTRY: &str = "country";
    pub(crate) const CUR_ETHERADDR: &str = "cur_etheraddr";
    pub(crate) const ESCAN: &str = "escan";
    pub(crate) const EVENT_MSGS: &str = "bsscfg:event_msgs";
    pub(crate) const GPIOOUT: &str = "gpioout";
    pub(crate) const JOIN: &str = "join";
    pub(crate) const MCAST_LIST: &str = "mcast_list";
    pub(crate) const MFP: &str = "mfp";
    pub(crate) const MRATE_2G: &str = "2g_mrate";
    pub(crate) const PM2_SLEEP_RET: &str = "pm2_sleep_ret";
    pub(crate) const SAE_MAX_PWE_LOOP: &str = "sae_max_pwe_loop";
    pub(crate) const SAE_PASSWORD: &str = "sae_password";
    pub(crate) const SSID: &str = "bsscfg:ssid";
    pub(crate) const SUP_WPA: &str = "bsscfg:sup_wpa";
    pub(crate) const SUP_WPA2_EAPVER: &str = "bsscfg:sup_wpa2_eapver";
    pub(crate) const SUP_WPA_TMO: &str = "bsscfg:sup_wpa_tmo";
    pub(crate) const TXGLOM: &str = "bus:txglom";
    pub(crate) const WPA_AUTH: &str = "bsscfg:wpa_auth";
    pub(crate) const WSEC: &str = "bsscfg:wsec";
}

/// Two little-endian words, as many variables take them.
pub(crate) fn words(a: u32, b: u32) -> [u8; 8] {
    let [a0, a1, a2, a3] = a.to_le_bytes();
    let [b0, b1, b2, b3] = b.to_le_bytes();
    [a0, a1, a2, a3, b0, b1, b2, b3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn request_header_matches_other_drivers() {
        let up = [2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0];
        assert_eq!(request_header(Command::Up, true, 1, 0), up);
        let get = [6, 1, 0, 0, 15, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
        assert_eq!(request_header(Command::GetVar, false, 2, 15), get);
    }

    #[test]
    fn reply_parse_matches_logs_of_real_chips() {
        let bytes = [6, 1, 0, 0, 15, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
        let reply = Reply {
            id: 2,
            status: 0,
            len: 15,
        };
        assert_eq!(Reply::parse(&bytes, 15), Some(reply));
    }

    #[test]
    fn reply_parse_error_flag_without_status_is_error() {
        let bytes = [6, 1, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0];
        assert_eq!(Reply::parse(&bytes, 0).unwrap().status, -1);
    }

    proptest! {
        #[test]
        fn reply_parse_any_bytes_length_in_bounds(bytes: [u8; HEADER], there in 0_usize..2048) {
            if let Some(reply) = Reply::parse(&bytes, there) {
                prop_assert!(reply.len <= there);
            }
        }
    }
}
