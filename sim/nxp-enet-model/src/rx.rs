//! Receiving: from the medium through filter and FIFO to the descriptors.

use std::collections::VecDeque;
use std::time::Duration;

use ethdev::MacAddress;
use ethdev::frame::{FCS_LEN, HEADER_LEN, MIN_FRAME_LEN};

use super::ViolationKind;
use super::bus::{DESCRIPTOR_LEN, Descriptor};
use super::hardware::Model;
use super::map::{ACTIVE, at, eir, flag, mib, rcr};
use ethdev_sim::fcs;

/// The address that PAUSE frames are sent to (IEEE 802.3 annex 31B).
const PAUSE: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01];

/// A frame in the FIFO.
#[derive(Debug)]
struct Stored {
    bytes: Vec<u8>,
    flags: u16,
    /// How much of it is in buffers already.
    done: usize,
}

/// The receive FIFO.
#[derive(Debug, Default)]
pub(super) struct RxFifo {
    frames: VecDeque<Stored>,
    used: usize,
}

impl RxFifo {
    /// How many good frames were thrown away.
    pub(super) fn clear(&mut self) -> u64 {
        self.used = 0;
        let lost = self.frames.drain(..).filter(|frame| frame.flags & flag::OVERRUN == 0);
        lost.count() as u64
    }
}

/// What the address filter says.
enum Match {
    Accepted(u16),
    Refused,
}

/// The CRC that the hash of an address is taken from, bit by bit as it comes in: the remainder, most significant coefficient first.
fn remainder(address: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for octet in address {
        for bit in 0..8 {
            let fed_back = (remainder >> 31) as u8 ^ (octet >> bit & 1);
            remainder <<= 1;
            if fed_back == 1 {
                remainder ^= 0x04c1_1db7;
            }
        }
    }
    remainder
}

/// The number of an address in a hash table: the six most significant bits of the CRC as it is sent, lowest coefficient last.
#[must_use]
pub fn hash_index(address: MacAddress) -> u8 {
    (remainder(&address.octets()).reverse_bits() >> 26) as u8
}

impl Model {
    /// A frame from the medium, with its FCS.
    pub(super) fn receive(&mut self, on_wire: &[u8]) {
        if !self.is_enabled() {
            self.stats.rx_unheard += 1;
            return;
        }
        self.stats.rx_frames += 1;
        let good_fcs = fcs::check(on_wire).is_some();
        if on_wire.len() < MIN_FRAME_LEN + FCS_LEN {
            self.stats.rx_runts += 1;
            self.count(mib::R_PACKETS);
            self.count(if good_fcs { mib::R_UNDERSIZE } else { mib::R_FRAGMENT });
            return;
        }
        let long = on_wire.len() > self.max_frame_len();
        if good_fcs && !long && self.is_pause(on_wire) {
            self.pause(on_wire);
            return;
        }
        let Match::Accepted(mut flags) = self.filter(on_wire) else {
            self.stats.rx_filtered += 1;
            return;
        };
        self.count(mib::R_PACKETS);
        if flags & flag::BROADCAST != 0 {
            self.count(mib::R_BROADCAST);
        } else if flags & flag::MULTICAST != 0 {
            self.count(mib::R_MULTICAST);
        }
        if !good_fcs {
            flags |= flag::BAD_FCS;
            self.count(mib::R_CRC);
            self.count(if long { mib::R_JABBER } else { mib::R_CRC_ALIGN });
        } else if long {
            self.count(mib::R_OVERSIZE);
        } else {
            self.count(mib::R_FRAME_OK);
        }
        if long {
            flags |= flag::LONG;
            self.raise(eir::BABR);
        }
        self.store(on_wire, flags);
        self.move_rx();
    }

    fn filter(&self, frame: &[u8]) -> Match {
        let Some(destination) = frame.first_chunk::<6>() else {
            return Match::Refused;
        };
        let (low, high) = (self.get(at::PALR), self.get(at::PAUR));
        let mut own = [0; 6];
        own[..4].copy_from_slice(&low.to_be_bytes());
        own[4..].copy_from_slice(&high.to_be_bytes()[..2]);
        let control = self.get(at::RCR);
        let in_table = |upper: usize, lower: usize| {
            let index = hash_index(MacAddress::new(*destination));
            let table = u64::from(self.get(upper)) << 32 | u64::from(self.get(lower));
            table >> index & 1 == 1
        };
        let promiscuous = control & rcr::PROM != 0;
        let (hit, kind) = if *destination == [0xff; 6] {
            (control & rcr::BC_REJ == 0, flag::BROADCAST)
        } else if destination[0] & 1 == 1 {
            (in_table(at::GAUR, at::GALR), flag::MULTICAST)
        } else {
            (*destination == own || in_table(at::IAUR, at::IALR), 0)
        };
        match (hit, promiscuous) {
            (true, _) => Match::Accepted(kind),
            (false, true) => Match::Accepted(kind | flag::MISS),
            (false, false) => Match::Refused,
        }
    }

    fn is_pause(&self, frame: &[u8]) -> bool {
        let to_us = frame.starts_with(&PAUSE);
        to_us && frame.get(12..16) == Some(&[0x88, 0x08, 0x00, 0x01])
    }

    /// PAUSE frames end here, honoured or not.
    fn pause(&mut self, frame: &[u8]) {
        self.count(mib::R_PAUSE);
        self.stats.rx_pauses += 1;
        let quanta = frame
            .get(HEADER_LEN + 2..)
            .and_then(|rest| rest.first_chunk())
            .map_or(0, |bytes| u16::from_be_bytes(*bytes));
        if self.get(at::RCR) & rcr::FCE == 0 {
            return;
        }
        let bit = if self.get(at::RCR) & rcr::RMII_10T != 0 {
            100
        } else {
            10
        };
        let time = Duration::from_nanos(u64::from(quanta) * 512 * bit);
        self.paused_until = self.now() + time;
        self.after(time, Self::send_next);
        self.send_next();
    }

    /// Into the FIFO, as far as there is room.
    fn store(&mut self, on_wire: &[u8], mut flags: u16) {
        let strip = self.get(at::RCR) & rcr::CRCFWD != 0;
        let cut = self.get(at::FTRL) as usize;
        let mut bytes = on_wire.to_vec();
        if bytes.len() > cut {
            bytes.truncate(cut);
            flags |= flag::TRUNCATED | flag::LONG;
        } else if strip {
            bytes.truncate(bytes.len() - FCS_LEN);
        }
        let room = self.config.rx_fifo_bytes.saturating_sub(self.rx_fifo.used);
        if bytes.len() > room {
            self.stats.rx_overruns += 1;
            self.count(mib::R_FIFO_OVERFLOW);
            if room < MIN_FRAME_LEN {
                return;
            }
            // What is there of it is closed with the mark.
            bytes.truncate(room);
            flags |= flag::OVERRUN;
        }
        self.rx_fifo.used += bytes.len();
        self.rx_fifo.frames.push_back(Stored { bytes, flags, done: 0 });
    }

    /// RDAR was written.
    pub(super) fn ring_rx(&mut self) {
        if self.is_enabled() {
            self.set(at::RDAR, ACTIVE);
            self.poll_rx();
            self.move_rx();
        }
    }

    /// The uDMA looks at the next descriptor, and goes to sleep where it is not empty.
    fn poll_rx(&mut self) {
        let at_descriptor = self.rx_at;
        match Descriptor::fetch(&*self.memory, at_descriptor, self.is_little_endian()) {
            None => self.bus_error(),
            Some(descriptor) => self.set(at::RDAR, Self::active(descriptor.has(flag::OWNED))),
        }
    }

    /// From the FIFO to the buffers, as long as there are empty ones.
    fn move_rx(&mut self) {
        while self.get(at::RDAR) != 0 && !self.rx_fifo.frames.is_empty() {
            self.fill_descriptor();
            if self.is_enabled() {
                self.poll_rx();
            }
        }
    }

    /// One descriptor's worth of the oldest frame.
    fn fill_descriptor(&mut self) {
        let (place, little_endian) = (self.rx_at, self.is_little_endian());
        let Some(mut descriptor) = Descriptor::fetch(&*self.memory, place, little_endian) else {
            return self.bus_error();
        };
        let Some(mut frame) = self.rx_fifo.frames.pop_front() else {
            return;
        };
        if descriptor.buffer % 64 != 0 {
            self.violation(
                ViolationKind::Misaligned,
                format!("a receive buffer at {:#x}", descriptor.buffer),
            );
        }
        let room = self.get(at::MRBR) as usize;
        let left = frame.bytes.len() - frame.done;
        let piece = &frame.bytes[frame.done..][..left.min(room)];
        if !self.memory.write(descriptor.buffer, piece) {
            return self.bus_error();
        }
        let last = left <= room;
        self.rx_fifo.used -= piece.len();
        frame.done += piece.len();
        descriptor.flags &= !(flag::OWNED | flag::STATUS);
        // The last one of a frame has the length of the whole.
        descriptor.len = if last { frame.bytes.len() } else { room } as u16;
        if last {
            descriptor.flags |= flag::LAST | frame.flags;
            if let Some(len) = self.forged_len.take() {
                descriptor.len = len;
            }
        }
        if !descriptor.close(&*self.memory, place, little_endian) {
            return self.bus_error();
        }
        self.rx_at = if descriptor.has(flag::WRAP) {
            self.get(at::RDSR)
        } else {
            place.wrapping_add(DESCRIPTOR_LEN)
        };
        if last {
            self.stats.rx_closed += 1;
            self.raise(eir::RXF);
        } else {
            self.rx_fifo.frames.push_front(frame);
            self.raise(eir::RXB);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ColdFire` MCF5282 User's Manual, table 17-7.
    #[test]
    fn hash_of_the_table() {
        for (first, index) in [
            (0x15, 2),
            (0x35, 3),
            (0xf5, 7),
            (0x8b, 11),
            (0x3b, 13),
            (0x77, 19),
            (0x97, 22),
        ] {
            assert_eq!(hash_index(MacAddress::new([first, 255, 255, 255, 255, 255])), index);
        }
    }
}
