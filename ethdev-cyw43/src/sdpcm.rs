//! Frames between host and firmware: the SDPCM header, the BDC header of data and events, and
//! credits. Functions over values.

/// Bytes of an SDPCM header.
pub(crate) const HEADER: usize = 12;
/// Bytes of a BDC header.
pub(crate) const BDC: usize = 4;
/// Bytes before an Ethernet frame that is sent: SDPCM header, two bytes of padding (the firmware
/// wants the IP header aligned), BDC header.
pub(crate) const DATA_OVERHEAD: usize = HEADER + 2 + BDC;

/// What a frame is about: the low nibble of byte 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Requests and answers.
    Control,
    /// What the firmware tells by itself.
    Event,
    /// Ethernet.
    Data,
}

/// An SDPCM header, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the whole frame.
    pub(crate) len: usize,
    /// Counts the chip's frames, whatever the channel.
    pub(crate) sequence: u8,
    /// `None`: a channel that the driver does not know.
    pub(crate) channel: Option<Channel>,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// The chip wants no more data for now.
    pub(crate) flow_stopped: bool,
    /// The first sequence number that the host may not send yet.
    pub(crate) credit: u8,
}

impl Header {
    /// Checks what a frame of `announced` bytes begins with; `None` where it cannot be one.
    pub(crate) fn parse(bytes: &[u8; HEADER], announced: usize) -> Option<Self> {
        let [
            len0,
            len1,
            inverse0,
            inverse1,
            sequence,
            channel,
            _,
            body_at,
            flow,
            credit,
            _,
            _,
        ] = *bytes;
        let len = u16::from_le_bytes([len0, len1]);
        if len != !u16::from_le_bytes([inverse0, inverse1]) {
            return None;
        }
        let (len, body_at) = (usize::from(len), usize::from(body_at));
        if len > announced || body_at < HEADER || body_at > len {
            return None;
        }
        Some(Self {
            len,
            sequence,
            channel: match channel & 0x0f {
                0 => Some(Channel::Control),
                1 => Some(Channel::Event),
                2 => Some(Channel::Data),
                _ => None,
            },
            body_at,
            flow_stopped: flow != 0,
            credit,
        })
    }
}

/// The header of a frame of `len` bytes in all, with its body at `body_at`.
const fn header(len: u16, sequence: u8, channel: u8, body_at: u8) -> [u8; HEADER] {
    let [len0, len1] = len.to_le_bytes();
    [len0, len1, !len0, !len1, sequence, channel, 0, body_at, 0, 0, 0, 0]
}

/// What goes before an Ethernet frame of `len` bytes. Longer ones than a transfer can carry (2,030)
/// have no header; the length is checked before.
pub(crate) fn data_header(len: usize, sequence: u8) -> [u8; DATA_OVERHEAD] {
    const BDC_VERSION_2: u8 = 2 << 4;
    let total = u16::try_from(len.saturating_add(DATA_OVERHEAD)).unwrap_or(u16::MAX);
    let [a, b, c, d, e, f, g, h, i, j, k, l] = header(total, sequence, 2, (HEADER + 2) as u8);
    [a, b, c, d, e, f, g, h, i, j, k, l, 0, 0, BDC_VERSION_2, 0, 0, 0]
}

/// What goes before a request whose CDC header and payload have `len` bytes.
pub(crate) fn control_header(len: usize, sequence: u8) -> [u8; HEADER] {
    let total = u16::try_from(len.saturating_add(HEADER)).unwrap_or(u16::MAX);
    header(total, sequence, 0, HEADER as u8)
}

/// How much a BDC header says there is before the body; `None` where it is no BDC header of version
/// 2.
pub(crate) const fn bdc_skip(bytes: [u8; BDC]) -> Option<usize> {
    let [flags, _, _, words] = bytes;
    if flags >> 4 != 2 {
        return None;
    }
    Some(BDC + 4 * words as usize)
}

/// How many frames the chip takes: it tells up to which sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credits {
    next: u8,
    limit: u8,
    stopped: bool,
}

impl Credits {
    /// More than this ahead, a credit is none. Real chips give some twenty.
    const MOST: u8 = 0x40;
    /// Data leaves so many for control, so that an answer can always be asked for.
    const RESERVE: u8 = 1;

    /// Before anything was heard, one frame may be sent.
    pub(crate) const fn new() -> Self {
        Self {
            next: 0,
            limit: 1,
            stopped: false,
        }
    }

    /// Takes what a received frame says. What cannot be meant is ignored.
    pub(crate) const fn update(&mut self, header: &Header) {
        self.stopped = header.flow_stopped;
        if header.credit.wrapping_sub(self.next) <= Self::MOST {
            self.limit = header.credit;
        }
    }

    /// How many frames may go.
    const fn open(self) -> u8 {
        self.limit.wrapping_sub(self.next)
    }

    /// Whether a request may go.
    pub(crate) const fn for_control(self) -> bool {
        self.open() > 0
    }

    /// Whether a frame of data may go.
    pub(crate) const fn for_data(self) -> bool {
        !self.stopped && self.open() > Self::RESERVE
    }

    /// The sequence number of the next frame.
    pub(crate) const fn sequence(self) -> u8 {
        self.next
    }

    /// One frame went.
    pub(crate) const fn spend(&mut self) {
        // Never beyond the limit: what is open is checked before.
        if self.open() > 0 {
            self.next = self.next.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn data_header_matches_other_drivers() {
        let up = [0x1c, 0, 0xe3, 0xff, 0, 0, 0, 0x0c, 0, 0, 0, 0];
        assert_eq!(control_header(16, 0), up);
        let data = data_header(60, 7);
        assert_eq!(data, [78, 0, !78, 0xff, 7, 2, 0, 14, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0]);
    }

    #[test]
    fn header_parse_matches_logs_of_real_chips() {
        let reply = [0x03, 0x01, 0xfc, 0xfe, 0x02, 0, 0, 0xe4, 0, 0x06, 0, 0];
        let header = Header::parse(&reply, 259).unwrap();
        assert_eq!(
            header,
            Header {
                len: 259,
                sequence: 2,
                channel: Some(Channel::Control),
                body_at: 0xe4,
                flow_stopped: false,
                credit: 6
            }
        );
        assert_eq!(Header::parse(&reply, 258), None, "longer than announced");
        let event = [0x02, 0x01, 0xfd, 0xfe, 0x09, 0x01, 0, 0xb2, 0, 0x14, 0, 0];
        let header = Header::parse(&event, 258).unwrap();
        assert_eq!(
            (header.channel, header.body_at, header.credit),
            (Some(Channel::Event), 178, 20)
        );
    }

    #[test]
    fn credits_junk_frame_is_ignored() {
        let mut credits = Credits::new();
        credits.spend();
        let junk = [0, 1, 0xff, 0xfe, 0, 1, 0, 12, 0, 0, 0, 0];
        credits.update(&Header::parse(&junk, 256).unwrap());
        assert!(!credits.for_control());
        let good = [12, 0, !12, 0xff, 0, 0, 0, 12, 0, 5, 0, 0];
        credits.update(&Header::parse(&good, 12).unwrap());
        assert!(credits.for_control() && credits.for_data());
    }

    #[test]
    fn credits_last_one_is_for_control() {
        let mut credits = Credits::new();
        assert!(credits.for_control() && !credits.for_data());
        let mut header = Header::parse(&[12, 0, !12, 0xff, 0, 0, 0, 12, 0, 3, 0, 0], 12).unwrap();
        credits.update(&header);
        let mut sent = 0;
        while credits.for_data() {
            credits.spend();
            sent += 1;
        }
        assert_eq!(sent, 2);
        assert!(credits.for_control());
        header.credit = 10;
        header.flow_stopped = true;
        credits.update(&header);
        assert!(credits.for_control() && !credits.for_data());
    }

    proptest! {
        #[test]
        fn header_parse_any_bytes_in_bounds(bytes: [u8; HEADER], announced in 0_usize..2100) {
            if let Some(header) = Header::parse(&bytes, announced) {
                prop_assert!(HEADER <= header.body_at && header.body_at <= header.len && header.len <= announced);
            }
        }

        #[test]
        fn credits_any_steps_never_exceeded(steps: std::vec::Vec<(u8, bool)>) {
            let mut credits = Credits::new();
            for (credit, stopped) in steps {
                let header = Header {
                    len: 12, sequence: 0, channel: Some(Channel::Data), body_at: 12, flow_stopped: stopped, credit,
                };
                let before = credits;
                credits.update(&header);
                prop_assert!(credits.limit == credit || credits.limit == before.limit);
                prop_assert!(credits.open() <= Credits::MOST);
                while credits.for_data() {
                    credits.spend();
                }
                if credits.for_control() {
                    credits.spend();
                }
                prop_assert!(credits.open() <= Credits::MOST);
            }
        }
    }
}
