//! Frames for the host: how they are built, and how they are spoiled.
//!
//! The firmware makes every frame at least 256 bytes long by making its header longer, and shifts the contents of events and data by two bytes, so that IP
//! headers are aligned.

use super::fifo::{HEADER, Head, Parcel, channel};
use super::hardware::Model;
use super::{Fault, Spoil};

/// Frames for the host are at least this long.
const SHORTEST: usize = 256;
/// What the longest Ethernet frame makes: hosts need no room for more.
const LONGEST_REGULAR: usize = 1536;
/// The longest frame that a status word can announce.
const LONGEST: usize = 2047;

impl Model {
    /// What is wrong with the next frame.
    pub(super) fn draw_spoil(&mut self, parcel: &Parcel) -> Option<Spoil> {
        if matches!(parcel, Parcel::Junk) {
            return None;
        }
        // A host that has no credit left would wait for ever if nobody told it of more: accidents do not hit what is there for that alone.
        let by_chance = !matches!(parcel, Parcel::Credit);
        let asked = self.take_fault(|fault| match (fault, parcel) {
            (Fault::Frame(spoil), _)
            | (Fault::DataFrame(spoil), Parcel::Data(..))
            | (Fault::Event(spoil), Parcel::Event(_))
            | (Fault::Reply(spoil), Parcel::Reply(_)) => Some(*spoil),
            _ => None,
        });
        let odds = self.config.faults.spoiled_frame;
        if asked.is_some() || !by_chance || odds == 0.0 || !self.rng.spoil.chance(odds) {
            return asked;
        }
        Some(self.random_spoil())
    }

    fn random_spoil(&mut self) -> Spoil {
        let kind = self.rng.spoil.below(17);
        let mut number = |limit: usize| self.rng.spoil.below(limit);
        match kind {
            0 => Spoil::LengthZero,
            1 => Spoil::StatusLength(number(200) as i16 - 100),
            2 => Spoil::Complement,
            3 => Spoil::HeaderLength(number(256) as u8),
            4 => Spoil::OddHeaderLength,
            5 => Spoil::DataOffset(number(256) as u8),
            6 => Spoil::Oversize((1537 + number(511)) as u16),
            7 => Spoil::Channel(number(16) as u8),
            8 => Spoil::Credit(number(256) as u8),
            9 => Spoil::Sequence(number(256) as u8),
            10 => Spoil::ReplyLength(number(0x1_0000) as u32),
            11 => Spoil::ReplyId(number(0x1_0000) as u16),
            12 => Spoil::ReplyStatus(-(number(40) as i32)),
            13 => Spoil::EventLength(number(0x1_0000) as u32),
            14 => Spoil::Garbage,
            15 => Spoil::Duplicate,
            _ => Spoil::Lost,
        }
    }

    /// Builds the next frame, where none is announced.
    pub(super) fn announce(&mut self) {
        if self.fifo.head.is_some() {
            return;
        }
        let Some((parcel, spoil)) = self.fifo.queue.pop_front() else {
            return;
        };
        let credit = self.fifo.credit(self.config.credit_window);
        let sequence = self.fifo.sequence;
        self.fifo.sequence = sequence.wrapping_add(1);
        let mut head = match &parcel {
            Parcel::Junk => {
                let mut bytes = self.rng.noise_bytes(SHORTEST);
                put_header(&mut bytes, HEADER, sequence, channel::EVENT, 0, 0);
                head(bytes, parcel, 0)
            }
            Parcel::Credit => {
                let mut bytes = vec![0; HEADER];
                let flow_control = self.fifo.flow_control;
                put_header(&mut bytes, HEADER, sequence, channel::DATA, flow_control, credit);
                head(bytes, parcel, credit)
            }
            _ => {
                let bytes = frame(&parcel, sequence, self.fifo.flow_control, credit);
                head(bytes, parcel, credit)
            }
        };
        if let Some(spoil) = spoil {
            let before = (head.bytes.clone(), head.announced);
            self.spoil(&mut head, spoil);
            // By chance what is wrong may be right.
            head.spoiled &= before != (head.bytes.clone(), head.announced);
        }
        self.fifo.head = Some(head);
    }

    fn spoil(&mut self, head: &mut Head, spoil: Spoil) {
        let control = matches!(head.parcel, Parcel::Reply(_));
        let event = matches!(head.parcel, Parcel::Event(_));
        let bytes = &mut head.bytes;
        let body = usize::from(bytes.get(7).copied().unwrap_or(0));
        head.spoiled = true;
        match spoil {
            Spoil::LengthZero => {
                head.zero_once = true;
                head.spoiled = false;
                head.announced = 0;
            }
            Spoil::StatusLength(by) => {
                let len = (bytes.len() as i32 + i32::from(by)).clamp(1, LONGEST as i32);
                head.announced = len as u16;
                bytes.resize(len as usize, 0);
            }
            Spoil::Complement => bytes[2] ^= 0x10,
            Spoil::HeaderLength(len) => bytes[7] = len,
            Spoil::OddHeaderLength => {
                bytes.insert(HEADER, 0);
                bytes[7] = bytes[7].wrapping_add(1);
                let len = bytes.len();
                put_len(bytes, len);
                head.announced = len as u16;
                // Nothing is wrong with such a frame, it only looks unusual; as long as it is not too long.
                head.spoiled = len > LONGEST_REGULAR;
            }
            Spoil::DataOffset(words) if !control => set(bytes, body + 3, &[words]),
            Spoil::Oversize(len) => {
                let len = usize::from(len).clamp(bytes.len(), LONGEST);
                bytes.resize(len, 0xa5);
                put_len(bytes, len);
                head.announced = len as u16;
            }
            Spoil::Channel(channel) => bytes[5] = channel,
            Spoil::Credit(credit) => {
                bytes[9] = credit;
                head.credit = credit;
                head.spoiled = false;
                self.fifo.told_nonsense = true;
            }
            Spoil::Sequence(sequence) => {
                bytes[4] = sequence;
                head.spoiled = false;
            }
            Spoil::ReplyLength(len) if control => set(bytes, body + 4, &len.to_le_bytes()),
            Spoil::ReplyId(id) if control => set(bytes, body + 10, &id.to_le_bytes()),
            Spoil::ReplyStatus(status) if control => set(bytes, body + 12, &status.to_le_bytes()),
            // After the second header with its offset of one word: the length field of the event.
            Spoil::EventLength(len) if event => set(bytes, body + 8 + 14 + 10 + 20, &len.to_be_bytes()),
            Spoil::Garbage => {
                let noise = self.rng.noise_bytes(bytes.len().saturating_sub(HEADER));
                set(bytes, HEADER, &noise);
            }
            // What does not fit this kind of frame, and what was done before.
            _ => head.spoiled = false,
        }
    }
}

fn head(bytes: Vec<u8>, parcel: Parcel, credit: u8) -> Head {
    Head {
        announced: bytes.len() as u16,
        bytes,
        parcel,
        spoiled: false,
        credit,
        zero_once: false,
    }
}

/// A frame for the host, padded at its front.
fn frame(parcel: &Parcel, sequence: u8, flow_control: u8, credit: u8) -> Vec<u8> {
    let (body, shift) = match parcel {
        Parcel::Reply(reply) => (reply.clone(), 0),
        Parcel::Event(frame) => (with_second_header(0, frame), 2),
        Parcel::Data(interface, frame) => (with_second_header(*interface, frame), 2),
        Parcel::Junk | Parcel::Credit => (Vec::new(), 0),
    };
    let pad = SHORTEST.saturating_sub(HEADER + body.len()).next_multiple_of(4);
    let header = HEADER + pad + shift;
    let mut bytes = vec![0; header];
    bytes.extend(body);
    put_header(&mut bytes, header, sequence, parcel.channel(), flow_control, credit);
    bytes
}

/// A second header whose data begin one word after it.
fn with_second_header(interface: u8, frame: &[u8]) -> Vec<u8> {
    let mut body = vec![0x20, 0, interface, 1, 0, 0, 0, 0];
    body.extend(frame);
    body
}

fn put_header(bytes: &mut [u8], header: usize, sequence: u8, channel: u8, flow_control: u8, credit: u8) {
    let len = bytes.len();
    put_len(bytes, len);
    bytes[4] = sequence;
    bytes[5] = channel;
    bytes[6] = 0;
    bytes[7] = header as u8;
    bytes[8] = flow_control;
    bytes[9] = credit;
    bytes[10] = 0;
    bytes[11] = 0;
}

fn put_len(bytes: &mut [u8], len: usize) {
    bytes[..2].copy_from_slice(&(len as u16).to_le_bytes());
    bytes[2..4].copy_from_slice(&(!(len as u16)).to_le_bytes());
}

/// Overwrites what is there, and nothing beyond the end.
fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (byte, value) in bytes.iter_mut().skip(at).zip(value) {
        *byte = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of frames that were seen on real chips: of the Ethernet frame, and on the bus.
    #[test]
    fn lengths_seen_in_the_field() {
        for (len, expected) in [
            (60, 258),
            (86, 260),
            (121, 259),
            (175, 261),
            (243, 265),
            (342, 364),
            (343, 365),
            (1514, 1536),
        ] {
            let bytes = frame(&Parcel::Data(0, vec![0; len]), 0, 0, 0);
            assert_eq!(bytes.len(), expected, "{len}");
            let body = usize::from(bytes[7]);
            assert_eq!(bytes.len() - body - 8, len);
            assert_eq!((body + 8) % 4, 2, "IP headers are aligned");
        }
        for (len, expected) in [(10, 258), (15, 259), (36, 256), (676, 704), (1044, 1072)] {
            let bytes = frame(&Parcel::Reply(vec![0; 16 + len]), 0, 0, 0);
            assert_eq!(bytes.len(), expected, "{len}");
        }
        assert_eq!(frame(&Parcel::Event(vec![0; 72]), 0, 0, 0).len(), 258);
    }

    /// A reply that was seen on a real chip.
    #[test]
    fn a_reply_byte_for_byte() {
        let mut reply = vec![0x06, 0x01, 0, 0, 0x0f, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
        reply.extend([0, 0, 0, 0]);
        reply.extend(b"oad_status\0");
        let bytes = frame(&Parcel::Reply(reply.clone()), 2, 0, 6);
        assert_eq!(bytes[..12], [0x03, 0x01, 0xfc, 0xfe, 2, 0, 0, 0xe4, 0, 6, 0, 0]);
        assert_eq!(bytes[12..228], [0; 216]);
        assert_eq!(bytes[228..], reply);
    }
}
