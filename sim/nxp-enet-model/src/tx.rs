//! Transmission: from the descriptors to the medium.

use core::time::Duration;
use std::collections::VecDeque;

use ethdev::frame::FCS_LEN;
use ethdev_sim::fcs;

use crate::bus::{BusError, DESCRIPTOR_LEN, Descriptor, Memory};
use crate::context::{Context, Effect, Timer};
use crate::registers::{Registers, at, eir, flag, mib, tcr};
use crate::violations::ViolationKind;

/// The most descriptors that a frame may take.
const MAX_DESCRIPTORS: u32 = 1024;

/// Outcome of a transmission in half duplex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TxOutcome {
    /// The frame is sent.
    Sent,
    /// A collision after the first 64 bytes: the frame is dropped.
    LateCollision,
    /// Sixteen collisions: the frame is dropped.
    ExcessiveCollisions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Idle,
    /// A frame is being sent, from this many descriptors.
    Sending {
        descriptors: u32,
        outcome: TxOutcome,
        len: u32,
    },
}

/// The transmitter.
#[derive(Debug, Default)]
pub(crate) struct Transmitter {
    state: State,
    /// The next descriptor.
    at: u32,
    stalled: bool,
    paused_until: Duration,
    outcomes: VecDeque<TxOutcome>,
    /// Number of writes to TDAR that are still to be lost (ERR006358).
    lost_doorbells: u32,
    /// Counts resets and disablings: what was started before one has no effect after it.
    era: u64,
}

impl Transmitter {
    pub(crate) const fn reset(&mut self) {
        self.paused_until = Duration::ZERO;
    }

    /// The MAC was enabled: transmission starts at the first descriptor.
    pub(crate) fn enable(&mut self, registers: &Registers) {
        self.at = registers.get(at::TDSR);
    }

    /// The MAC was disabled: the frame that is being sent is broken off.
    pub(crate) fn disable(&mut self, context: &mut Context) {
        self.era += 1;
        if core::mem::take(&mut self.state) != State::Idle {
            context.effect(Effect::BreakOff);
        }
    }

    pub(crate) const fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    pub(crate) const fn lose_doorbells(&mut self, count: u32) {
        self.lost_doorbells = count;
    }

    pub(crate) fn queue_outcomes(&mut self, outcomes: impl IntoIterator<Item = TxOutcome>) {
        self.outcomes.extend(outcomes);
    }

    pub(crate) fn clear_outcomes(&mut self) {
        self.outcomes.clear();
    }

    pub(crate) const fn is_current(&self, era: u64) -> bool {
        self.era == era
    }

    /// `TDAR` was written.
    pub(crate) fn doorbell(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        if !registers.is_enabled() {
            return Ok(());
        }
        // The erratum: the uDMA clears the register at the same time.
        if self.lost_doorbells > 0 {
            self.lost_doorbells -= 1;
            return Ok(());
        }
        registers.set_active(at::TDAR, true);
        self.send_next(context, registers, memory)
    }

    /// `TCR` was written.
    pub(crate) fn control(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
        before: u32,
        after: u32,
    ) -> Result<(), BusError> {
        match (before & tcr::GTS != 0, after & tcr::GTS != 0) {
            (false, true) if self.state == State::Idle => registers.raise(eir::GRA),
            (true, false) => self.send_next(context, registers, memory)?,
            _ => {}
        }
        Ok(())
    }

    /// A PAUSE frame came: no frame is started for this time.
    pub(crate) fn pause(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
        time: Duration,
    ) -> Result<(), BusError> {
        self.paused_until = context.now() + time;
        let era = self.era;
        context.timer_in(time, Timer::PauseOver { era });
        self.send_next(context, registers, memory)
    }

    /// Starts the next frame, if nothing holds it back.
    pub(crate) fn send_next(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        let held_back = self.stalled || context.now() < self.paused_until || registers.get(at::TCR) & tcr::GTS != 0;
        if held_back || self.state != State::Idle || registers.get(at::TDAR) == 0 {
            return Ok(());
        }
        let Some((frame, descriptors)) = self.fetch_frame(context, registers, memory)? else {
            return Ok(());
        };
        let outcome = self.outcomes.pop_front().unwrap_or(TxOutcome::Sent);
        let len = frame.len() as u32;
        self.state = State::Sending {
            descriptors,
            outcome,
            len,
        };
        let collides = outcome != TxOutcome::Sent;
        let era = self.era;
        context.effect(Effect::Transmit { frame, collides, era });
        Ok(())
    }

    /// The medium has the frame, and sends its last bit at `end`.
    pub(crate) fn transmitting_until(context: &mut Context, end: Duration, era: u64) {
        context.timer_at(end, Timer::TxEnd { era });
    }

    /// The next frame with its FCS, and the number of its descriptors. Without one, the uDMA stops.
    fn fetch_frame(
        &self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<Option<(Vec<u8>, u32)>, BusError> {
        let (mut place, mut frame) = (self.at, Vec::new());
        for descriptors in 1..=MAX_DESCRIPTORS {
            let descriptor = Descriptor::fetch(memory, place, registers.is_little_endian())?;
            if !descriptor.has(flag::OWNED) {
                // In the middle of a frame too: the uDMA waits for the rest of it.
                registers.set_active(at::TDAR, false);
                return Ok(None);
            }
            if descriptor.len == 0 || frame.len() + usize::from(descriptor.len) + FCS_LEN > registers.max_frame_len() {
                registers.raise(eir::BABT);
                context.violation(
                    ViolationKind::BadLength,
                    format!("descriptor {place:#x}: {descriptor:?}"),
                );
            }
            let mut piece = vec![0; descriptor.len.into()];
            memory.read(descriptor.buffer, &mut piece)?;
            frame.append(&mut piece);
            if descriptor.has(flag::LAST) {
                if descriptor.has(flag::APPEND_FCS) {
                    return Ok(Some((fcs::pad_and_append(&frame), descriptors)));
                }
                context.violation(ViolationKind::NoFcs, format!("descriptor {place:#x}: {descriptor:?}"));
                return Ok(Some((frame, descriptors)));
            }
            place = next_place(registers, place, descriptor);
        }
        Ok(None)
    }

    /// The last bit is out, or the frame was dropped.
    pub(crate) fn frame_ends(
        &mut self,
        context: &mut Context,
        registers: &mut Registers,
        memory: &Memory,
    ) -> Result<(), BusError> {
        let State::Sending {
            descriptors,
            outcome,
            len,
        } = core::mem::take(&mut self.state)
        else {
            return Ok(());
        };
        registers.count(mib::T_PACKETS);
        match outcome {
            TxOutcome::Sent => {
                context.stats.tx_frames += 1;
                registers.count(mib::T_FRAME_OK);
                registers.count_by(mib::T_OCTETS, len);
            }
            TxOutcome::LateCollision => {
                context.stats.tx_aborted += 1;
                registers.count(mib::T_LATE);
                registers.raise(eir::LC);
            }
            TxOutcome::ExcessiveCollisions => {
                context.stats.tx_aborted += 1;
                registers.count(mib::T_EXCESSIVE);
                registers.raise(eir::RL);
            }
        }
        for _ in 0..descriptors {
            let (place, little_endian) = (self.at, registers.is_little_endian());
            let mut descriptor = Descriptor::fetch(memory, place, little_endian)?;
            if !descriptor.has(flag::OWNED) {
                context.violation(
                    ViolationKind::TakenBack,
                    format!("descriptor {place:#x} while its frame was being sent"),
                );
            }
            descriptor.flags &= !flag::OWNED;
            descriptor.close(memory, place, little_endian)?;
            self.at = next_place(registers, place, descriptor);
        }
        registers.raise(eir::TXF | eir::TXB);
        if registers.get(at::TCR) & tcr::GTS != 0 {
            registers.raise(eir::GRA);
        }
        self.send_next(context, registers, memory)
    }
}

/// The address of the descriptor after the one at `place`.
fn next_place(registers: &Registers, place: u32, descriptor: Descriptor) -> u32 {
    if descriptor.has(flag::WRAP) {
        registers.get(at::TDSR)
    } else {
        place.wrapping_add(DESCRIPTOR_LEN)
    }
}
