//! Arithmetic of the receive buffer, and packet headers. No I/O.

use core::num::NonZeroU16;

/// First byte of the receive buffer. 0 because of erratum 5.
pub(crate) const RX_START: u16 = 0x0000;
/// Last byte of it. Odd because of erratum 14.
pub(crate) const RX_END: u16 = 0x13ff;
/// Its length.
pub(crate) const RX_LEN: u16 = RX_END - RX_START + 1;
/// Where the two frames to send lie: control byte, frame, 7 bytes of status. The low bytes are the
/// same, so that ETXSTL never changes.
pub(crate) const TX_SLOTS: [u16; 2] = [0x1400, 0x1a00];
/// Length of a packet's header: next packet, byte count, status.
pub(crate) const HEADER: u16 = 6;
/// Longest frame with FCS: with a VLAN tag.
pub(crate) const MAX_COUNT: u16 = 1522;
/// Shortest that the chip receives, with FCS (data sheet section 7.2.1).
pub(crate) const MIN_COUNT: u16 = 18;
/// Shortest that Ethernet allows, with FCS.
pub(crate) const MIN_LEGAL_COUNT: u16 = 64;
/// Length of the FCS.
pub(crate) const FCS: u16 = 4;
/// Longest packet, with its header.
const MAX_PACKET: u16 = HEADER + MAX_COUNT;
/// How many of the longest packets the buffer holds, with the odd byte and the one that is never
/// used.
pub(crate) const RX_FRAMES: u16 = (RX_LEN - 2) / MAX_PACKET;
/// How much of what was read may be kept from the chip without breaking the promise of
/// [`RX_FRAMES`], whatever waits.
const KEPT_ALWAYS: u16 = RX_LEN - 2 - RX_FRAMES * MAX_PACKET;
/// The same while so many frames wait that the promise is kept already: most of the buffer is still
/// the chip's.
const KEPT_BUSY: u16 = RX_LEN / 4;
/// ERXRDPT is always the last byte of one of these: only its high byte changes.
const PAGE: u16 = 0x100;
/// The last of them.
pub(crate) const LAST_PAGE: u8 = (RX_END / PAGE) as u8;
const _: () = assert!(KEPT_ALWAYS >= PAGE && KEPT_BUSY >= KEPT_ALWAYS && RX_LEN % PAGE == 0);

/// The position `by` bytes after `at`, round the end of the buffer. `by` is at most the buffer's
/// length.
pub(crate) const fn advance(at: u16, by: u16) -> u16 {
    let sum = at - RX_START + by;
    RX_START + if sum >= RX_LEN { sum - RX_LEN } else { sum }
}

/// How many bytes lie from `from` up to `to`.
pub(crate) const fn distance(from: u16, to: u16) -> u16 {
    if to >= from { to - from } else { to + RX_LEN - from }
}

/// The last page that lies before `next` as a whole: what the chip may fill again ends with it.
pub(crate) const fn page_before(next: u16) -> u8 {
    match (next / PAGE) as u8 {
        0 => LAST_PAGE,
        page => page - 1,
    }
}

/// How much lies between the end of this page and `next`.
pub(crate) const fn kept(page: u8, next: u16) -> u16 {
    distance(advance(end_of(page), 1), next)
}

/// The last byte of a page: odd (erratum 14).
pub(crate) const fn end_of(page: u8) -> u16 {
    page as u16 * PAGE + PAGE - 1
}

/// How much of what was read may be kept from the chip while `waiting` packets wait, the first of
/// which is `first` where that is known: so much that with them the buffer takes [`RX_FRAMES`] of
/// the longest.
pub(crate) fn may_keep(waiting: u8, first: Option<Header>) -> u16 {
    if u16::from(waiting) >= RX_FRAMES {
        return KEPT_BUSY;
    }
    match first {
        Some(first) if waiting > 0 => KEPT_ALWAYS + (MAX_COUNT - first.body().min(MAX_COUNT)),
        _ => KEPT_ALWAYS,
    }
}

/// What stands in front of a received frame, checked: the length of the frame with FCS, and whether
/// it was received well. It has a length, so that an `Option` of it takes no more than two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header(NonZeroU16);

/// What became of a frame by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    Good,
    BadLength,
    Error,
}

impl Header {
    /// Above the length.
    const GOOD: u16 = 1 << 15;
    /// Bits of the status vector, from its bit 16 on (table 7-3).
    const CRC_ERROR: u16 = 1 << 4;
    const RECEIVED_OK: u16 = 1 << 7;

    /// The header of the packet at `start`; `None` where the chip cannot mean it.
    ///
    /// The position of the next packet follows from this one's and its length (section 7.2.2): both
    /// have to agree.
    pub(crate) fn parse(bytes: [u8; HEADER as usize], start: u16) -> Option<Self> {
        let [next_low, next_high, count_low, count_high, status_low, status_high] = bytes;
        let next = u16::from_le_bytes([next_low, next_high]);
        let count = u16::from_le_bytes([count_low, count_high]);
        let status = u16::from_le_bytes([status_low, status_high]);
        let good = status & (Self::CRC_ERROR | Self::RECEIVED_OK) == Self::RECEIVED_OK;
        let header = Self(NonZeroU16::new(if good { count | Self::GOOD } else { count })?);
        let plausible =
            (MIN_COUNT..=MAX_COUNT).contains(&count) && next == header.next(start) && status_high & 0x80 == 0;
        plausible.then_some(header)
    }

    /// Length of the frame with FCS.
    pub(crate) const fn count(self) -> u16 {
        self.0.get() & !Self::GOOD
    }

    /// How many bytes follow the header: frame, FCS and padding to an even length.
    pub(crate) const fn body(self) -> u16 {
        self.count() + (self.count() & 1)
    }

    /// Where the next packet begins, if this one does at `start`.
    pub(crate) const fn next(self, start: u16) -> u16 {
        advance(start, HEADER + self.body())
    }

    /// Length of the frame without FCS.
    pub(crate) const fn len(self) -> u16 {
        self.count().saturating_sub(FCS)
    }

    /// `max` is the longest frame that may be, with FCS.
    pub(crate) const fn quality(self, max: u16) -> Quality {
        if self.count() < MIN_LEGAL_COUNT || self.count() > max {
            Quality::BadLength
        } else if self.0.get() & Self::GOOD == 0 {
            Quality::Error
        } else {
            Quality::Good
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: u8 = 0x80;

    fn bytes(next: u16, count: u16, status: [u8; 2]) -> [u8; 6] {
        let ([n0, n1], [c0, c1]) = (next.to_le_bytes(), count.to_le_bytes());
        [n0, n1, c0, c1, status[0], status[1]]
    }

    proptest! {
        #[test]
        fn advance_any_stays_in_the_buffer(at in 0..RX_LEN, by in 0..=RX_LEN) {
            let to = advance(at, by);
            prop_assert!(to < RX_LEN);
            prop_assert_eq!(distance(at, to), by % RX_LEN);
            prop_assert_eq!((u32::from(at) + u32::from(by)) % u32::from(RX_LEN), u32::from(to));
        }

        #[test]
        fn page_before_any_frees_only_what_was_read(next in 0..RX_LEN / 2) {
            let (next, page) = (next * 2, page_before(next * 2));
            prop_assert!(end_of(page) <= RX_END && end_of(page) % 2 == 1);
            prop_assert!(kept(page, next) < PAGE);
            prop_assert_eq!(advance(end_of(page), 1 + kept(page, next)), next);
        }

        #[test]
        fn parse_any_bytes_is_valid_or_none(raw: [u8; 6], start in 0..RX_LEN / 2) {
            let start = start * 2;
            if let Some(header) = Header::parse(raw, start) {
                prop_assert!(header.next(start) % 2 == 0 && header.next(start) <= RX_END);
                prop_assert!(header.len() <= MAX_COUNT - FCS);
                prop_assert_eq!(distance(start, header.next(start)), HEADER + header.body());
            }
        }

        #[test]
        fn parse_chip_header_is_some(start in 0..RX_LEN / 2, count in MIN_COUNT..=MAX_COUNT, status: [u8; 2]) {
            let start = start * 2;
            let next = (u32::from(start) + 6 + u32::from(count) + u32::from(count % 2)) % u32::from(RX_LEN);
            let raw = bytes(next as u16, count, [status[0], status[1] & 0x7f]);
            let header = Header::parse(raw, start).unwrap();
            prop_assert_eq!((u32::from(header.next(start)), header.len()), (next, count - 4));
        }

        #[test]
        fn parse_flipped_bit_in_pointer_or_length_is_none(start in 0..RX_LEN / 2, count in 64_u16..=1518, bit in 0_usize..32) {
            let start = start * 2;
            let next = advance(start, 6 + count + count % 2);
            let mut raw = bytes(next, count, [GOOD, 0]);
            raw[bit / 8] ^= 1_u8 << (bit % 8);
            prop_assert_eq!(Header::parse(raw, start), None);
        }
    }

    #[test]
    fn parse_data_sheet_example() {
        // Section 7.2.2: a packet at 1020h, the next at 106Eh, in a larger buffer than ours; moved
        // to 0020h here.
        let header = Header::parse(bytes(0x006e, 0x48, [GOOD, 0]), 0x0020).unwrap();
        assert_eq!((header.len(), header.quality(1518)), (0x44, Quality::Good));
    }

    #[test]
    fn quality_by_status_and_length() {
        let of = |count, status| {
            Header::parse(bytes(advance(0, 6 + count + count % 2), count, [status, 0]), 0)
                .unwrap()
                .quality(1518)
        };
        // Bit 22, "length out of range", is set on every frame with an EtherType: no error.
        assert_eq!(of(64, 0xc0), Quality::Good);
        assert_eq!(of(63, 0x80), Quality::BadLength);
        assert_eq!(of(1519, 0x80), Quality::BadLength);
        // The chip does not let a wrong FCS through; if it says so all the same, that is an error
        // like others.
        assert_eq!(of(64, 0x90), Quality::Error);
        assert_eq!(of(64, 0x00), Quality::Error);
    }

    proptest! {
        #[test]
        fn may_keep_any_leaves_capacity_for_promised_frames(waiting in 0..3_u8, count in MIN_COUNT..=MAX_COUNT) {
            let first = Header(NonZeroU16::new(count | Header::GOOD).unwrap());
            // The others that wait may be the longest.
            let known = if waiting > 0 { HEADER + first.body() } else { 0 };
            let unknown = u16::from(waiting).saturating_sub(1) * MAX_PACKET;
            let free = RX_LEN - 2 - known - unknown - may_keep(waiting, Some(first));
            prop_assert!(free >= (RX_FRAMES - u16::from(waiting)) * MAX_PACKET);
            prop_assert_eq!(may_keep(waiting, None), KEPT_ALWAYS);
        }
    }

    #[test]
    fn buffer_layout_follows_errata() {
        assert_eq!((RX_START, RX_END % 2), (0, 1));
        assert_eq!((RX_FRAMES, KEPT_ALWAYS, KEPT_BUSY), (3, 534, 1280));
        for slot in TX_SLOTS {
            // Control byte, the longest frame without FCS, status.
            assert!(slot > RX_END && slot + 1 + MAX_COUNT - FCS + 7 <= 0x1fff + 1);
            assert_eq!(slot % 2, 0);
        }
        assert_eq!(size_of::<Option<Header>>(), 2);
        assert!(TX_SLOTS[0] + 1 + MAX_COUNT - FCS + 7 <= TX_SLOTS[1]);
        assert_eq!(TX_SLOTS[0] & 0xff, TX_SLOTS[1] & 0xff);
    }
}
