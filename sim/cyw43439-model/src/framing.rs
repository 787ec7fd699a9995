//! Frames for the host: how they are built and corrupted.
//!
//! The firmware makes every frame at least 256 bytes long by extending its header, and shifts the
//! contents of events and data by two bytes, so that IP headers are aligned.

use crate::chip::Chip;
use crate::faults::{Corruption, Fault};

/// Minimum length of the first header of a frame.
pub(crate) const HEADER: usize = 12;
/// Bytes between the two headers of a data frame from the host.
pub(crate) const DATA_PAD: usize = 2;
/// Bytes of the second header, of events and data.
pub(crate) const SECOND_HEADER: usize = 4;

/// Channels.
pub(crate) mod channel {
    pub(crate) const CONTROL: u8 = 0;
    pub(crate) const EVENT: u8 = 1;
    pub(crate) const DATA: u8 = 2;
}

/// A frame for the host, before its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parcel {
    /// A reply to an ioctl, its header included.
    Reply(Vec<u8>),
    /// An event, from its Ethernet header on.
    Event(Vec<u8>),
    /// An Ethernet frame, for this interface.
    Data(u8, Vec<u8>),
    /// Random bytes.
    Junk,
    /// A header without contents.
    Credit,
}

impl Parcel {
    pub(crate) const fn channel(&self) -> u8 {
        match self {
            Self::Reply(_) => channel::CONTROL,
            Self::Event(_) | Self::Junk => channel::EVENT,
            Self::Data(..) | Self::Credit => channel::DATA,
        }
    }
}

/// A frame that the bus announces.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) bytes: Vec<u8>,
    pub(crate) announced: u16,
    pub(crate) parcel: Parcel,
    pub(crate) corrupted: bool,
    pub(crate) credit: u8,
    /// A length of zero is announced once; then the frame.
    pub(crate) zero_once: bool,
}

/// Minimum length of frames for the host.
pub(crate) const SHORTEST: usize = 256;
/// Length on the bus of the longest Ethernet frame; buffers of hosts may be this short.
const LONGEST_REGULAR: usize = 1536;
/// The longest frame that a status word can announce.
const LONGEST: usize = 2047;

/// Draws the corruption of the next frame.
pub(crate) fn draw_corruption(chip: &mut Chip, parcel: &Parcel) -> Option<Corruption> {
    if matches!(parcel, Parcel::Junk) {
        return None;
    }
    // Random faults spare frames that only carry credit: without it the host would wait forever.
    let by_chance = !matches!(parcel, Parcel::Credit);
    let asked = chip.take_fault(|fault| match (fault, parcel) {
        (Fault::Frame(corruption), _)
        | (Fault::DataFrame(corruption), Parcel::Data(..))
        | (Fault::Event(corruption), Parcel::Event(_))
        | (Fault::Reply(corruption), Parcel::Reply(_)) => Some(*corruption),
        _ => None,
    });
    let probability = chip.cx.config.faults.corrupted_frame;
    if asked.is_some() || !by_chance || probability == 0.0 || !chip.rng.corruption.chance(probability) {
        return asked;
    }
    Some(random_corruption(chip))
}

fn random_corruption(chip: &mut Chip) -> Corruption {
    let kind = chip.rng.corruption.below(17);
    let mut number = |limit: usize| chip.rng.corruption.below(limit);
    match kind {
        0 => Corruption::LengthZero,
        1 => Corruption::StatusLength(number(200) as i16 - 100),
        2 => Corruption::Complement,
        3 => Corruption::HeaderLength(number(256) as u8),
        4 => Corruption::OddHeaderLength,
        5 => Corruption::DataOffset(number(256) as u8),
        6 => Corruption::Oversize((1537 + number(511)) as u16),
        7 => Corruption::Channel(number(16) as u8),
        8 => Corruption::Credit(number(256) as u8),
        9 => Corruption::Sequence(number(256) as u8),
        10 => Corruption::ReplyLength(number(0x1_0000) as u32),
        11 => Corruption::ReplyId(number(0x1_0000) as u16),
        12 => Corruption::ReplyStatus(-(number(40) as i32)),
        13 => Corruption::EventLength(number(0x1_0000) as u32),
        14 => Corruption::Garbage,
        15 => Corruption::Duplicate,
        _ => Corruption::Lost,
    }
}

/// Corrupts a frame.
pub(crate) fn corrupt(chip: &mut Chip, head: &mut Head, corruption: Corruption) {
    let control = matches!(head.parcel, Parcel::Reply(_));
    let event = matches!(head.parcel, Parcel::Event(_));
    let bytes = &mut head.bytes;
    let body = usize::from(bytes.get(7).copied().unwrap_or(0));
    head.corrupted = true;
    match corruption {
        Corruption::LengthZero => {
            head.zero_once = true;
            head.corrupted = false;
            head.announced = 0;
        }
        Corruption::StatusLength(by) => {
            let len = (bytes.len() as i32 + i32::from(by)).clamp(1, LONGEST as i32);
            head.announced = len as u16;
            bytes.resize(len as usize, 0);
        }
        Corruption::Complement => bytes[2] ^= 0x10,
        Corruption::HeaderLength(len) => bytes[7] = len,
        Corruption::OddHeaderLength => {
            bytes.insert(HEADER, 0);
            bytes[7] = bytes[7].wrapping_add(1);
            let len = bytes.len();
            put_len(bytes, len);
            head.announced = len as u16;
            // Such a frame is unusual and valid, unless it is too long.
            head.corrupted = len > LONGEST_REGULAR;
        }
        Corruption::DataOffset(words) if !control => set(bytes, body + 3, &[words]),
        Corruption::Oversize(len) => {
            let len = usize::from(len).clamp(bytes.len(), LONGEST);
            bytes.resize(len, 0xa5);
            put_len(bytes, len);
            head.announced = len as u16;
        }
        Corruption::Channel(channel) => bytes[5] = channel,
        Corruption::Credit(credit) => {
            bytes[9] = credit;
            head.credit = credit;
            head.corrupted = false;
        }
        Corruption::Sequence(sequence) => {
            bytes[4] = sequence;
            head.corrupted = false;
        }
        Corruption::ReplyLength(len) if control => set(bytes, body + 4, &len.to_le_bytes()),
        Corruption::ReplyId(id) if control => set(bytes, body + 10, &id.to_le_bytes()),
        Corruption::ReplyStatus(status) if control => set(bytes, body + 12, &status.to_le_bytes()),
        // After the second header with its offset of one word: the length field of the event.
        Corruption::EventLength(len) if event => set(bytes, body + 8 + 14 + 10 + 20, &len.to_be_bytes()),
        Corruption::Garbage => {
            let noise = chip.rng.noise_bytes(bytes.len().saturating_sub(HEADER));
            set(bytes, HEADER, &noise);
        }
        // Kinds that do not apply to this frame, and those that `push` handles.
        _ => head.corrupted = false,
    }
}

pub(crate) fn head(bytes: Vec<u8>, parcel: Parcel, credit: u8) -> Head {
    Head {
        announced: bytes.len() as u16,
        bytes,
        parcel,
        corrupted: false,
        credit,
        zero_once: false,
    }
}

/// Builds a frame for the host, padded at its front.
pub(crate) fn frame(parcel: &Parcel, sequence: u8, flow_control: u8, credit: u8) -> Vec<u8> {
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

pub(crate) fn put_header(bytes: &mut [u8], header: usize, sequence: u8, channel: u8, flow_control: u8, credit: u8) {
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

/// Overwrites bytes up to the end.
fn set(bytes: &mut [u8], at: usize, value: &[u8]) {
    for (byte, value) in bytes.iter_mut().skip(at).zip(value) {
        *byte = *value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of frames of real chips: of the Ethernet frame, and on the bus.
    #[test]
    fn frame_lengths_match_real_chip() {
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

    /// A reply of a real chip.
    #[test]
    fn frame_of_reply_matches_real_chip() {
        let mut reply = vec![0x06, 0x01, 0, 0, 0x0f, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0];
        reply.extend([0, 0, 0, 0]);
        reply.extend(b"oad_status\0");
        let bytes = frame(&Parcel::Reply(reply.clone()), 2, 0, 6);
        assert_eq!(bytes[..12], [0x03, 0x01, 0xfc, 0xfe, 2, 0, 0, 0xe4, 0, 6, 0, 0]);
        assert_eq!(bytes[12..228], [0; 216]);
        assert_eq!(bytes[228..], reply);
    }
}
