//! Parses a frame of function 2 while it is read, and stores its body directly where it belongs.

use crate::gspi_words::WordSink;
use crate::ioctl::Reply;
use crate::sdpcm::{BDC, Channel, HEADER, Header, bdc_skip};

/// Bytes of a CDC header.
const CDC: usize = crate::ioctl::HEADER;

/// Takes a frame word by word. The chip pads frames in front, so that it is unknown before where
/// the body begins, or how long it is.
pub(crate) struct FrameParser<'a> {
    announced: usize,
    at: usize,
    head: [u8; HEADER],
    header: Option<Header>,
    /// BDC or CDC header.
    inner: [u8; CDC],
    /// Where that begins and ends, and where what is behind it goes.
    inner_at: usize,
    body_at: usize,
    /// No byte from here on matters.
    end: usize,
    data: &'a mut [u8],
    events: &'a mut [u8],
    answer: &'a mut [u8],
}

/// What a frame was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// It contradicts itself.
    Malformed,
    /// A header and nothing else, or an unknown channel.
    Nothing(Header),
    /// An Ethernet frame of so many bytes: what of it fits is in `data`.
    Data(Header, usize),
    /// Headers of a data frame that contradict each other.
    BadData(Header),
    /// An event: its first bytes, so many, are in `events`, and this is how many there were.
    Event(Header, usize),
    /// An answer. What of its payload fits is in `answer`.
    Reply(Header, Reply),
}

impl<'a> FrameParser<'a> {
    /// For a frame of which the status word announced this length.
    pub(crate) fn new(announced: usize, data: &'a mut [u8], events: &'a mut [u8], answer: &'a mut [u8]) -> Self {
        Self {
            announced,
            at: 0,
            head: [0; HEADER],
            header: None,
            inner: [0; CDC],
            inner_at: usize::MAX,
            body_at: usize::MAX,
            end: announced,
            data,
            events,
            answer,
        }
    }

    fn channel(&self) -> Option<Channel> {
        self.header.and_then(|header| header.channel)
    }

    /// How long the header between SDPCM and body is.
    const fn inner_len(channel: Channel) -> usize {
        match channel {
            Channel::Control => CDC,
            Channel::Event | Channel::Data => BDC,
        }
    }

    fn target(&mut self) -> &mut [u8] {
        match self.channel() {
            Some(Channel::Control) => self.answer,
            Some(Channel::Event) => self.events,
            Some(Channel::Data) => self.data,
            None => &mut [],
        }
    }

    fn byte(&mut self, byte: u8) {
        let at = self.at;
        self.at += 1;
        if let Some(slot) = self.head.get_mut(at) {
            *slot = byte;
            if self.at == HEADER {
                self.head_is_complete();
            }
        } else if at >= self.body_at {
            let body_at = self.body_at;
            if let Some(slot) = self.target().get_mut(at - body_at) {
                *slot = byte;
            }
        } else if at >= self.inner_at {
            let within = at - self.inner_at;
            if let Some(slot) = self.inner.get_mut(within) {
                *slot = byte;
            }
            if self.channel().map(Self::inner_len) == Some(within + 1) {
                self.inner_is_complete();
            }
        }
    }

    fn head_is_complete(&mut self) {
        self.header = Header::parse(&self.head, self.announced);
        let Some(header) = self.header else {
            self.end = 0;
            return;
        };
        self.end = header.len;
        if header.channel.is_some() {
            self.inner_at = header.body_at;
        }
    }

    fn inner_is_complete(&mut self) {
        let skip = match self.channel() {
            Some(Channel::Control) => Some(CDC),
            Some(Channel::Event | Channel::Data) => {
                let [a, b, c, d, ..] = self.inner;
                bdc_skip([a, b, c, d])
            }
            None => None,
        };
        self.body_at = skip.map_or(usize::MAX, |skip| self.inner_at + skip);
    }

    /// What it was, when all words came.
    pub(crate) fn finish(self) -> Parsed {
        let Some(header) = self.header.filter(|_| self.at >= self.end) else {
            return Parsed::Malformed;
        };
        if header.body_at == header.len {
            return Parsed::Nothing(header);
        }
        let body = header.len.checked_sub(self.body_at);
        match (header.channel, body) {
            (None, _) => Parsed::Nothing(header),
            (Some(Channel::Data), Some(len)) => Parsed::Data(header, len),
            (Some(Channel::Data), None) => Parsed::BadData(header),
            (Some(Channel::Event), Some(len)) => Parsed::Event(header, len),
            (Some(Channel::Control), Some(len)) => match Reply::parse(&self.inner, len) {
                Some(reply) => Parsed::Reply(header, reply),
                None => Parsed::Nothing(header),
            },
            (Some(Channel::Event | Channel::Control), None) => Parsed::Nothing(header),
        }
    }
}

impl WordSink for FrameParser<'_> {
    fn word(&mut self, word: u32) {
        let bytes = word.to_le_bytes();
        if self.at >= self.body_at && self.at + 4 <= self.end {
            // The bulk of every long frame.
            let at = self.at - self.body_at;
            self.at += 4;
            if let Some(slot) = self.target().get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
                *slot = bytes;
                return;
            }
            for (offset, byte) in bytes.into_iter().enumerate() {
                if let Some(slot) = self.target().get_mut(at + offset) {
                    *slot = byte;
                }
            }
            return;
        }
        for byte in bytes {
            if self.at < self.end {
                self.byte(byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::gspi_words::TxWords;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn header(len: usize, channel: u8, body_at: usize) -> Vec<u8> {
        let [a, b] = (len as u16).to_le_bytes();
        std::vec![a, b, !a, !b, 3, channel, 0, body_at as u8, 0, 9, 0, 0]
    }

    fn parse(bytes: &[u8], announced: usize, data: &mut [u8], events: &mut [u8], answer: &mut [u8]) -> Parsed {
        let mut parser = FrameParser::new(announced, data, events, answer);
        for word in TxWords::new(bytes, &[]) {
            parser.word(word);
        }
        parser.finish()
    }

    proptest! {
        #[test]
        fn finish_valid_frame_stores_body(
            body in proptest::collection::vec(any::<u8>(), 0..1600),
            padding in 0_usize..200,
            words in 0_u8..3,
            channel in 1_u8..3,
            slack in 0_usize..4,
            room in 0_usize..1700,
        ) {
            let body_at = HEADER + padding;
            let len = body_at + BDC + 4 * usize::from(words) + body.len();
            let mut bytes = header(len, channel, body_at);
            bytes.resize(body_at, 0xee);
            bytes.extend([0x20, 0, 0, words]);
            bytes.resize(len - body.len(), 0xdd);
            bytes.extend(&body);
            bytes.resize(len + slack, 0xcc);
            let (mut data, mut events) = (std::vec![0; room], std::vec![0; room]);
            let parsed = parse(&bytes, len + slack, &mut data, &mut events, &mut []);
            let (parsed_len, target) = match parsed {
                Parsed::Data(_, len) if channel == 2 => (len, &data),
                Parsed::Event(_, len) if channel == 1 => (len, &events),
                other => return Err(TestCaseError::fail(std::format!("{other:?}"))),
            };
            prop_assert_eq!(parsed_len, body.len());
            let got = body.len().min(room);
            prop_assert_eq!(&target[..got], &body[..got]);
            prop_assert!(target[got..].iter().all(|&byte| byte == 0), "beyond the frame's end");
        }

        #[test]
        fn finish_any_bytes_lengths_are_consistent(bytes in proptest::collection::vec(any::<u8>(), 0..600), announced in 0_usize..2048, honest: bool) {
            let mut bytes = bytes;
            if honest && bytes.len() >= 4 {
                // Past the first check, so that those behind it are reached.
                let [a, b] = (bytes.len() as u16).to_le_bytes();
                bytes[..4].copy_from_slice(&[a, b, !a, !b]);
            }
            let announced = if honest { bytes.len() } else { announced };
            let (mut data, mut events, mut answer) = ([0; 64], [0; 32], [0; 16]);
            match parse(&bytes, announced, &mut data, &mut events, &mut answer) {
                Parsed::Data(header, len) | Parsed::Event(header, len) => {
                    prop_assert!(header.body_at + BDC + len <= header.len);
                }
                Parsed::Reply(header, reply) => {
                    prop_assert!(header.body_at + CDC + reply.len <= header.len);
                }
                Parsed::Malformed | Parsed::Nothing(_) | Parsed::BadData(_) => {}
            }
        }
    }

    #[test]
    fn finish_incomplete_frame_is_malformed() {
        let bytes = header(300, 2, 12);
        assert_eq!(parse(&bytes, 300, &mut [], &mut [], &mut []), Parsed::Malformed);
    }

    #[test]
    fn finish_header_only_reports_credit() {
        let bytes = header(12, 0, 12);
        assert!(matches!(parse(&bytes, 12, &mut [], &mut [], &mut []), Parsed::Nothing(h) if h.credit == 9));
    }
}
