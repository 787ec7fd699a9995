//! Sending: from the descriptors to the medium.

use ethdev::frame::FCS_LEN;

use super::ViolationKind;
use super::bus::{DESCRIPTOR_LEN, Descriptor};
use super::hardware::Model;
use super::map::{ACTIVE, at, eir, flag, mib, tcr};
use ethdev_sim::fcs;

/// What becomes of a transmission in half duplex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxFate {
    /// It goes out.
    Sent,
    /// A collision after the first 64 bytes: given up.
    LateCollision,
    /// Sixteen collisions: given up.
    TooManyCollisions,
}

/// The transmitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    Idle,
    /// A frame is going out, from this many descriptors on from here.
    Sending {
        descriptors: u32,
        fate: TxFate,
        len: u32,
    },
}

impl Model {
    /// TDAR was written.
    pub(super) fn ring_tx(&mut self) {
        if !self.is_enabled() {
            return;
        }
        // The erratum: the uDMA clears the register in this very moment.
        if self.doorbells_to_lose > 0 {
            self.doorbells_to_lose -= 1;
            return;
        }
        self.set(at::TDAR, ACTIVE);
        self.send_next();
    }

    /// TCR was written.
    pub(super) fn control_sender(&mut self, before: u32, after: u32) {
        if after & tcr::GTS != 0 && before & tcr::GTS == 0 && self.sender == Sender::Idle {
            self.raise(eir::GRA);
        }
        if after & tcr::GTS == 0 && before & tcr::GTS != 0 {
            self.send_next();
        }
    }

    pub(super) fn stall_tx(&mut self, stalled: bool) {
        self.tx_stalled = stalled;
        self.send_next();
    }

    /// Takes the next frame, if it may be sent.
    pub(super) fn send_next(&mut self) {
        let held_back = self.tx_stalled || self.now() < self.paused_until || self.get(at::TCR) & tcr::GTS != 0;
        if held_back || self.sender != Sender::Idle || self.get(at::TDAR) == 0 {
            return;
        }
        let Some((frame, descriptors)) = self.fetch_frame() else {
            return;
        };
        let fate = self.fates.pop_front().unwrap_or(TxFate::Sent);
        let len = frame.len() as u32;
        let ends = if fate == TxFate::Sent {
            self.media.transmit(frame)
        } else {
            // What is left of it is of no use to anybody.
            let ends = self.media.transmit(frame);
            self.media.break_off();
            ends
        };
        self.sender = Sender::Sending { descriptors, fate, len };
        self.after(ends.saturating_sub(self.now()), Self::sent);
    }

    /// The next frame as it goes out, and how many descriptors it takes. Without one the uDMA goes to sleep.
    fn fetch_frame(&mut self) -> Option<(Vec<u8>, u32)> {
        let (mut place, mut frame) = (self.tx_at, Vec::new());
        for descriptors in 1..=1024 {
            let Some(descriptor) = Descriptor::fetch(&*self.memory, place, self.is_little_endian()) else {
                self.bus_error();
                return None;
            };
            if !descriptor.has(flag::OWNED) {
                // Also in the middle of a frame: the rest of it is awaited.
                self.set(at::TDAR, 0);
                return None;
            }
            if descriptor.len == 0 || frame.len() + usize::from(descriptor.len) + FCS_LEN > self.max_frame_len() {
                self.raise(eir::BABT);
                self.violation(
                    ViolationKind::BadLength,
                    format!("descriptor {place:#x}: {descriptor:?}"),
                );
            }
            let mut piece = vec![0; descriptor.len.into()];
            if !self.memory.read(descriptor.buffer, &mut piece) {
                self.bus_error();
                return None;
            }
            frame.append(&mut piece);
            if descriptor.has(flag::LAST) {
                if descriptor.has(flag::APPEND_FCS) {
                    return Some((fcs::pad_and_append(&frame), descriptors));
                }
                self.violation(ViolationKind::NoFcs, format!("descriptor {place:#x}: {descriptor:?}"));
                return Some((frame, descriptors));
            }
            place = self.behind(place, descriptor);
        }
        None
    }

    fn behind(&self, place: u32, descriptor: Descriptor) -> u32 {
        if descriptor.has(flag::WRAP) {
            self.get(at::TDSR)
        } else {
            place.wrapping_add(DESCRIPTOR_LEN)
        }
    }

    /// The last bit is out, or it was given up.
    fn sent(&mut self) {
        let Sender::Sending { descriptors, fate, len } = core::mem::replace(&mut self.sender, Sender::Idle) else {
            return;
        };
        self.count(mib::T_PACKETS);
        match fate {
            TxFate::Sent => {
                self.stats.tx_frames += 1;
                self.count(mib::T_FRAME_OK);
                // Octets with FCS.
                self.count_by(mib::WIDE[0], len);
            }
            TxFate::LateCollision => {
                self.stats.tx_given_up += 1;
                self.count(mib::T_LATE);
                self.raise(eir::LC);
            }
            TxFate::TooManyCollisions => {
                self.stats.tx_given_up += 1;
                self.count(mib::T_EXCESSIVE);
                self.raise(eir::RL);
            }
        }
        for _ in 0..descriptors {
            let (place, little_endian) = (self.tx_at, self.is_little_endian());
            let Some(mut descriptor) = Descriptor::fetch(&*self.memory, place, little_endian) else {
                return self.bus_error();
            };
            if !descriptor.has(flag::OWNED) {
                self.violation(
                    ViolationKind::TakenBack,
                    format!("descriptor {place:#x} while its frame was going out"),
                );
            }
            descriptor.flags &= !flag::OWNED;
            if !descriptor.close(&*self.memory, place, little_endian) {
                return self.bus_error();
            }
            self.tx_at = self.behind(place, descriptor);
        }
        self.raise(eir::TXF | eir::TXB);
        if self.get(at::TCR) & tcr::GTS != 0 {
            self.raise(eir::GRA);
        }
        self.send_next();
    }
}
