//! Reception: from the medium through filter and FIFO to the descriptors.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::MacAddress;
use ethdev::frame::{FCS_LEN, HEADER_LEN, MIN_FRAME_LEN};
use ethdev_sim::fcs;

use crate::bus::{BusError, DESCRIPTOR_LEN, Descriptor, Memory};
use crate::context::Context;
use crate::registers::{Registers, at, eir, flag, mib, rcr};
use crate::violations::ViolationKind;

/// The destination of PAUSE frames (IEEE 802.3 annex 31B).
const PAUSE_ADDRESS: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01];

/// A frame in the FIFO.
#[derive(Debug)]
struct Stored {
    bytes: Vec<u8>,
    flags: u16,
    /// Bytes that were moved to buffers.
    done: usize,
}

/// The receiver: its FIFO, and its place in the ring.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    frames: VecDeque<Stored>,
    used: usize,
    /// The next descriptor.
    at: u32,
    len_override: Option<u16>,
}

/// Outcome of the address filter.
enum Match {
    /// With flags of the descriptor.
    Accepted(u16),
    Refused,
}

/// Remainder of the CRC that the hash of an address is taken from, most significant coefficient
/// first.
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

/// Bit number of an address in a hash table, 0 to 63: the six most significant bits of the CRC as
/// it is sent, lowest coefficient last.
#[must_use]
pub fn hash_index(address: MacAddress) -> u8 {
    (remainder(&address.octets()).reverse_bits() >> 26) as u8
}

impl Receiver {
    /// The MAC was enabled: reception starts at the first descriptor.
    pub(crate) fn enable(&mut self, registers: &Registers) {
        self.at = registers.get(at::RDSR);
    }

    /// The MAC was disabled: the FIFO is cleared.
    pub(crate) fn disable(&mut self, context: &mut Context) {
        self.used = 0;
        let good = self.frames.drain(..).filter(|frame| frame.flags & flag::OVERRUN == 0);
        context.stats.rx_fifo_lost += good.count() as u64;
    }

    pub(crate) const fn override_len(&mut self, len: u16) {
        self.len_override = Some(len);
    }

    /// A frame from the medium, with its FCS. Returns the time for which a PAUSE frame stops the
    /// transmitter.
    pub(crate) fn receive(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
        on_wire: &[u8],
    ) -> Result<Option<Duration>, BusError> {
        if !registers.is_enabled() {
            context.stats.rx_disabled += 1;
            return Ok(None);
        }
        context.stats.rx_frames += 1;
        let good_fcs = fcs::check(on_wire).is_some();
        if on_wire.len() < MIN_FRAME_LEN + FCS_LEN {
            context.stats.rx_runts += 1;
            registers.count(mib::R_PACKETS);
            registers.count(if good_fcs { mib::R_UNDERSIZE } else { mib::R_FRAGMENT });
            return Ok(None);
        }
        let long = on_wire.len() > registers.max_frame_len();
        if good_fcs && !long && is_pause(on_wire) {
            context.stats.rx_pauses += 1;
            registers.count(mib::R_PAUSE);
            return Ok(pause_time(registers, on_wire));
        }
        let Match::Accepted(mut flags) = filter(registers, on_wire) else {
            context.stats.rx_filtered += 1;
            return Ok(None);
        };
        registers.count(mib::R_PACKETS);
        if flags & flag::BROADCAST != 0 {
            registers.count(mib::R_BROADCAST);
        } else if flags & flag::MULTICAST != 0 {
            registers.count(mib::R_MULTICAST);
        }
        if !good_fcs {
            flags |= flag::BAD_FCS;
            registers.count(mib::R_CRC);
            registers.count(if long { mib::R_JABBER } else { mib::R_CRC_ALIGN });
        } else if long {
            registers.count(mib::R_OVERSIZE);
        } else {
            registers.count(mib::R_FRAME_OK);
        }
        if long {
            flags |= flag::LONG;
            registers.raise(eir::BABR);
        }
        self.store(context, registers, on_wire, flags);
        self.move_frames(context, registers, memory)?;
        Ok(None)
    }

    /// Puts a frame into the FIFO, as far as it fits.
    fn store(&mut self, context: &mut Context, registers: &mut Registers, on_wire: &[u8], mut flags: u16) {
        let strip = registers.get(at::RCR) & rcr::CRCFWD != 0;
        let truncation = registers.get(at::FTRL) as usize;
        let mut bytes = on_wire.to_vec();
        if bytes.len() > truncation {
            bytes.truncate(truncation);
            flags |= flag::TRUNCATED | flag::LONG;
        } else if strip {
            bytes.truncate(bytes.len() - FCS_LEN);
        }
        let free = context.config.rx_fifo_bytes.saturating_sub(self.used);
        if bytes.len() > free {
            context.stats.rx_overruns += 1;
            registers.count(mib::R_FIFO_OVERFLOW);
            if free < MIN_FRAME_LEN {
                return;
            }
            // The part that fits gets a descriptor with the overrun flag.
            bytes.truncate(free);
            flags |= flag::OVERRUN;
        }
        self.used += bytes.len();
        self.frames.push_back(Stored { bytes, flags, done: 0 });
    }

    /// `RDAR` was written.
    pub(crate) fn doorbell(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        if registers.is_enabled() {
            registers.set_active(at::RDAR, true);
            self.poll_descriptor(registers, memory)?;
            self.move_frames(context, registers, memory)?;
        }
        Ok(())
    }

    /// Checks the next descriptor, and clears `RDAR` where it is not empty.
    fn poll_descriptor(&self, registers: &mut Registers, memory: &Memory) -> Result<(), BusError> {
        let descriptor = Descriptor::fetch(memory, self.at, registers.is_little_endian())?;
        registers.set_active(at::RDAR, descriptor.has(flag::OWNED));
        Ok(())
    }

    /// Moves frames from the FIFO to the buffers while there are empty ones.
    fn move_frames(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        while registers.get(at::RDAR) != 0 && !self.frames.is_empty() {
            self.fill_descriptor(context, registers, memory)?;
            self.poll_descriptor(registers, memory)?;
        }
        Ok(())
    }

    /// Moves as much of the oldest frame as one descriptor takes.
    fn fill_descriptor(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        let (place, little_endian) = (self.at, registers.is_little_endian());
        let mut descriptor = Descriptor::fetch(memory, place, little_endian)?;
        let Some(mut frame) = self.frames.pop_front() else {
            return Ok(());
        };
        if descriptor.buffer % 64 != 0 {
            context.violation(
                ViolationKind::Misaligned,
                format!("a receive buffer at {:#x}", descriptor.buffer),
            );
        }
        let capacity = registers.get(at::MRBR) as usize;
        let left = frame.bytes.len() - frame.done;
        let piece = &frame.bytes[frame.done..][..left.min(capacity)];
        memory.write(descriptor.buffer, piece)?;
        let last = left <= capacity;
        self.used -= piece.len();
        frame.done += piece.len();
        descriptor.flags &= !(flag::OWNED | flag::STATUS);
        // The last descriptor of a frame has the length of the whole frame.
        descriptor.len = if last { frame.bytes.len() } else { capacity } as u16;
        if last {
            descriptor.flags |= flag::LAST | frame.flags;
            if let Some(len) = self.len_override.take() {
                descriptor.len = len;
            }
        }
        descriptor.close(memory, place, little_endian)?;
        self.at = if descriptor.has(flag::WRAP) {
            registers.get(at::RDSR)
        } else {
            place.wrapping_add(DESCRIPTOR_LEN)
        };
        if last {
            context.stats.rx_closed += 1;
            registers.raise(eir::RXF);
        } else {
            self.frames.push_front(frame);
            registers.raise(eir::RXB);
        }
        Ok(())
    }
}

fn filter(registers: &Registers, frame: &[u8]) -> Match {
    let Some(destination) = frame.first_chunk::<6>() else {
        return Match::Refused;
    };
    let (low, high) = (registers.get(at::PALR), registers.get(at::PAUR));
    let mut own = [0; 6];
    own[..4].copy_from_slice(&low.to_be_bytes());
    own[4..].copy_from_slice(&high.to_be_bytes()[..2]);
    let control = registers.get(at::RCR);
    let in_table = |upper: usize, lower: usize| {
        let index = hash_index(MacAddress::new(*destination));
        let table = u64::from(registers.get(upper)) << 32 | u64::from(registers.get(lower));
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

fn is_pause(frame: &[u8]) -> bool {
    frame.starts_with(&PAUSE_ADDRESS) && frame.get(12..16) == Some(&[0x88, 0x08, 0x00, 0x01])
}

/// The time that a PAUSE frame asks for; `None` where the MAC ignores it.
fn pause_time(registers: &Registers, frame: &[u8]) -> Option<Duration> {
    let quanta = frame
        .get(HEADER_LEN + 2..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |bytes| u16::from_be_bytes(*bytes));
    let control = registers.get(at::RCR);
    let bit_ns = if control & rcr::RMII_10T != 0 { 100 } else { 10 };
    (control & rcr::FCE != 0).then(|| Duration::from_nanos(u64::from(quanta) * 512 * bit_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ColdFire` MCF5282 User's Manual, table 17-7.
    #[test]
    fn hash_index_documented_addresses_match_table() {
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
