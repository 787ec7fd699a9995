//! Events of the firmware. Only the event channel is parsed: a data frame that looks like an event
//! comes from the air.

/// Bytes of a frame of an event before its own data: Ethernet header, vendor header, message.
pub(crate) const FIXED: usize = 14 + 10 + 48;
/// How much of an event's frame is kept. Scan results are the long ones; of those that are longer,
/// the security may stay unknown.
pub(crate) const KEPT: usize = 512;

/// The kinds of events that the driver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    SetSsid = 0,
    Join = 1,
    Auth = 3,
    Deauth = 5,
    DeauthInd = 6,
    Assoc = 7,
    Disassoc = 11,
    DisassocInd = 12,
    Link = 16,
    Prune = 23,
    PskSup = 46,
    EscanResult = 69,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::SetSsid,
        Self::Join,
        Self::Auth,
        Self::Deauth,
        Self::DeauthInd,
        Self::Assoc,
        Self::Disassoc,
        Self::DisassocInd,
        Self::Link,
        Self::Prune,
        Self::PskSup,
        Self::EscanResult,
    ];
}

/// Bytes of the mask that says which events are sent.
const MASK: usize = 24;

/// `bsscfg:event_msgs`: interface 0, then a bit for each event that is wanted. The others cost no
/// bus time.
pub(crate) fn mask() -> [u8; 4 + MASK] {
    let mut value = [0; 4 + MASK];
    for kind in Kind::ALL {
        let bit = kind as usize;
        if let Some(byte) = value.get_mut(4 + bit / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
    value
}

/// Statuses of events.
pub(crate) mod status {
    pub(crate) const SUCCESS: u32 = 0;
    pub(crate) const TIMEOUT: u32 = 2;
    pub(crate) const NO_NETWORKS: u32 = 3;
    pub(crate) const NO_ACK: u32 = 5;
    pub(crate) const UNSOLICITED: u32 = 6;
    pub(crate) const PARTIAL: u32 = 8;
}

/// An event, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event<'a> {
    pub(crate) kind: Kind,
    pub(crate) flags: u16,
    pub(crate) status: u32,
    pub(crate) reason: u32,
    pub(crate) auth_type: u32,
    /// What of its data was kept.
    pub(crate) data: &'a [u8],
}

impl<'a> Event<'a> {
    /// Reads a frame of the event channel: `kept` is its beginning, `len` the length that it had.
    /// `None` where it is no event, or none of interest.
    ///
    /// All numbers are big-endian, unlike everything else that the firmware says.
    pub(crate) fn parse(kept: &'a [u8], len: usize) -> Option<Self> {
        const ETHERTYPE: [u8; 2] = [0x88, 0x6c];
        const SUBTYPE: [u8; 2] = [0x80, 0x01];
        const OUI: [u8; 3] = [0x00, 0x10, 0x18];
        const USER_SUBTYPE: [u8; 2] = [0x00, 0x01];
        let (fixed, data) = kept.split_first_chunk::<FIXED>()?;
        let (ethernet, rest) = fixed.split_first_chunk::<14>()?;
        let (vendor, message) = rest.split_first_chunk::<10>()?;
        let [.., t0, t1] = *ethernet;
        let [s0, s1, _, _, _, o0, o1, o2, u0, u1] = *vendor;
        if [t0, t1] != ETHERTYPE || [s0, s1] != SUBTYPE || [o0, o1, o2] != OUI || [u0, u1] != USER_SUBTYPE {
            return None;
        }
        let (_version, message) = message.split_first_chunk::<2>()?;
        let (flags, message) = message.split_first_chunk::<2>()?;
        let (number, message) = u32_be(message)?;
        let (status, message) = u32_be(message)?;
        let (reason, message) = u32_be(message)?;
        let (auth_type, message) = u32_be(message)?;
        let (data_len, _) = u32_be(message)?;
        let data_len = usize::try_from(data_len).ok()?;
        if data_len > len.checked_sub(FIXED)? {
            return None;
        }
        Some(Self {
            kind: Kind::ALL.into_iter().find(|&kind| kind as u32 == number)?,
            flags: u16::from_be_bytes(*flags),
            status,
            reason,
            auth_type,
            data: data.get(..data_len.min(data.len()))?,
        })
    }
}

impl Event<'_> {
    /// Of LINK: whether it came up.
    pub(crate) const fn is_link_up(&self) -> bool {
        self.flags & 1 != 0
    }
}

fn u32_be(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (word, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*word), rest))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// An event with these numbers, as a chip sends it.
    pub(crate) fn frame(number: u32, flags: u16, status: u32, reason: u32, data_len: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend([0x28, 0xcd, 0xc1, 1, 2, 3, 0x28, 0xcd, 0xc1, 1, 2, 3, 0x88, 0x6c]);
        bytes.extend([0x80, 0x01, 0, 0x34, 0, 0, 0x10, 0x18, 0, 1]);
        bytes.extend([0, 2]);
        bytes.extend(flags.to_be_bytes());
        for word in [number, status, reason, 0, data_len] {
            bytes.extend(word.to_be_bytes());
        }
        bytes.extend([2, 0, 0, 0, 0, 1]);
        bytes.extend(b"wl0");
        bytes.resize(FIXED, 0);
        bytes.extend(data);
        bytes
    }

    #[test]
    fn parse_psk_sup_of_real_chip() {
        let bytes = frame(46, 0, 6, 0, 0, &[]);
        let event = Event::parse(&bytes, bytes.len()).unwrap();
        assert_eq!((event.kind, event.status, event.reason), (Kind::PskSup, 6, 0));
    }

    #[test]
    fn mask_has_one_bit_per_kind() {
        let mask = mask();
        assert_eq!(mask[..4], [0; 4]);
        assert_eq!(mask[4], 0b1110_1011);
        assert_eq!(mask[4 + 46 / 8], 1 << (46 % 8));
        assert_eq!(
            mask.iter().map(|byte| byte.count_ones()).sum::<u32>(),
            Kind::ALL.len() as u32
        );
    }

    #[test]
    fn parse_data_length_beyond_frame_is_none() {
        let bytes = frame(0, 0, 0, 0, 5, b"four");
        assert_eq!(Event::parse(&bytes, bytes.len()), None);
        let bytes = frame(0, 0, 0, 0, u32::MAX, b"four");
        assert_eq!(Event::parse(&bytes, bytes.len()), None);
        let bytes = frame(0, 0, 0, 0, 4, b"four and padding");
        assert_eq!(Event::parse(&bytes, bytes.len()).unwrap().data, b"four");
    }

    proptest! {
        #[test]
        fn parse_any_bytes_data_in_bounds(mut bytes: Vec<u8>, len: usize, keep_header: bool) {
            if keep_header && bytes.len() > FIXED {
                let good = frame(69, 0, 0, 0, 0, &[]);
                bytes[..24].copy_from_slice(&good[..24]);
            }
            if let Some(event) = Event::parse(&bytes, len) {
                prop_assert!(event.data.len() <= bytes.len() - FIXED);
            }
        }
    }
}
