//! Frames on a wire: sent, lost, delivered.

use core::time::Duration;
use std::rc::Rc;

use ethdev::Link;

use super::side::Side;
use super::state::{Fate, INTER_FRAME_GAP, Inner, Lane, PREAMBLE_LEN};
use crate::capture::{CaptureInterface, Direction, Packet};
use crate::fcs;

impl Inner {
    pub(super) fn link(&self) -> Link {
        self.state.borrow().link
    }

    /// The time of `bytes` at the wire's speed, rounded up to a nanosecond.
    pub(super) fn bytes_time(&self, bytes: usize) -> Duration {
        let bits = bytes as u64 * 8;
        Duration::from_nanos((bits * 1_000_000).div_ceil(u64::from(self.speed.get().kbps())))
    }

    pub(super) fn idle_at(&self, side: Side) -> Duration {
        self.state.borrow().lanes[side.index()].idle_at
    }

    /// Since when a frame has been arriving at `side`.
    pub(super) fn incoming_since(&self, side: Side) -> Option<Duration> {
        let now = self.clock.now();
        let state = self.state.borrow();
        let slots = &state.lanes[side.other().index()].slots;
        let next = slots.partition_point(|(_, end)| *end + self.latency <= now);
        let (first_bit, _) = slots.get(next)?;
        Some(*first_bit + self.latency).filter(|since| *since <= now)
    }

    /// Breaks off the latest frame of `side`, if it is not out yet.
    pub(super) fn break_off(&self, side: Side) {
        let now = self.clock.now();
        let byte_time = self.bytes_time(1);
        let mut state = self.state.borrow_mut();
        let lane = &mut state.lanes[side.index()];
        if let Some((first_bit, last_bit)) = lane.slots.back().copied().filter(|(_, end)| *end > now) {
            let left = last_bit - now.max(first_bit);
            let left = left.as_nanos().div_ceil(byte_time.as_nanos()) as usize;
            lane.broken_off = Some((lane.stats.sent - 1, left));
        }
    }

    /// Puts a frame on the wire after what `side` has sent before; the time of its last bit.
    pub(super) fn transmit(self: &Rc<Self>, side: Side, mut frame: Vec<u8>) -> Duration {
        let now = self.clock.now();
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let up = state.link.is_up();
        let time = self.bytes_time(PREAMBLE_LEN + frame.len());
        let idle_at = state.lanes[side.index()].idle_at.max(now);
        let first_bit = if up { self.defer(state, side, idle_at) } else { idle_at };
        let last_bit = first_bit + time;
        let lane = &mut state.lanes[side.index()];
        while lane.slots.front().is_some_and(|(_, end)| *end + self.latency <= now) {
            lane.slots.pop_front();
        }
        lane.slots.push_back((first_bit, last_bit));
        lane.idle_at = last_bit + self.bytes_time(INTER_FRAME_GAP);
        let number = lane.stats.sent;
        lane.stats.sent += 1;
        lane.stats.sent_bytes += frame.len() as u64;
        if up {
            self.collide(state, side);
        }
        let lane = &mut state.lanes[side.index()];
        let fate = if up { lane.decide() } else { Fate::default() };
        if let Some(capture) = &state.capture {
            self.record(capture.clone(), state.era, up, side, last_bit, &frame, fate);
        }
        if !up {
            lane.stats.cut += 1;
            return last_bit;
        }
        if fate.lost {
            return last_bit;
        }
        if fate.corrupted {
            lane.corrupt(&mut frame);
        }
        let held_back = if fate.held_back {
            lane.faults.reorder_delay
        } else {
            Duration::ZERO
        };
        let arrival = last_bit + self.latency + held_back;
        let era = state.era;
        for _ in 0..fate.copies {
            self.send_off(side, arrival, era, number, frame.clone());
        }
        self.send_off(side, arrival, era, number, frame);
        last_bit
    }

    pub(super) fn send_off(self: &Rc<Self>, from: Side, arrival: Duration, era: u64, number: u64, frame: Vec<u8>) {
        let wire = Rc::downgrade(self);
        self.clock.schedule_at(arrival, move || {
            if let Some(wire) = wire.upgrade() {
                wire.arrive(from, era, number, frame);
            }
        });
    }

    pub(super) fn arrive(&self, from: Side, era: u64, number: u64, mut frame: Vec<u8>) {
        let to = from.other();
        {
            let mut state = self.state.borrow_mut();
            let state = &mut *state;
            let lane = &mut state.lanes[from.index()];
            lane.stats.in_flight -= 1;
            if era != state.era {
                lane.stats.cut += 1;
                return;
            }
            if lane.collided.remove(&number) {
                lane.stats.collided += 1;
                return;
            }
            if let Some((_, missing)) = lane.broken_off.filter(|(broken, _)| *broken == number) {
                frame.truncate(frame.len().saturating_sub(missing));
                if frame.is_empty() {
                    lane.stats.cut += 1;
                    return;
                }
            }
            let end = &mut state.ends[to.index()];
            if end.receiver.is_none() && !end.delivering {
                lane.stats.unheard += 1;
                return;
            }
            lane.stats.delivered += 1;
            if number + 1 < lane.arrived {
                lane.stats.reordered += 1;
            }
            lane.arrived = lane.arrived.max(number + 1);
            end.inbox.push_back(frame);
            if end.delivering {
                return;
            }
            end.delivering = true;
        }
        self.hand_over(to);
    }

    /// Runs the receiver of `side` for everything in its inbox. Nothing is borrowed while it runs.
    pub(super) fn hand_over(&self, side: Side) {
        loop {
            let (mut receiver, turn, frame) = {
                let mut state = self.state.borrow_mut();
                let end = &mut state.ends[side.index()];
                match (end.receiver.take(), end.inbox.pop_front()) {
                    (Some(receiver), Some(frame)) => (receiver, end.receivers, frame),
                    (receiver, left) => {
                        // Left over where the receiver took itself away.
                        let unheard = (end.inbox.drain(..).len() + usize::from(left.is_some())) as u64;
                        end.receiver = receiver;
                        end.delivering = false;
                        let stats = &mut state.lanes[side.other().index()].stats;
                        stats.delivered -= unheard;
                        stats.unheard += unheard;
                        return;
                    }
                }
            };
            receiver(&frame);
            let mut state = self.state.borrow_mut();
            let end = &mut state.ends[side.index()];
            if end.receivers == turn {
                end.receiver = Some(receiver);
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what is known of one frame, used in one place")]
    pub(super) fn record(
        self: &Rc<Self>,
        capture: CaptureInterface,
        era: u64,
        up: bool,
        side: Side,
        last_bit: Duration,
        frame: &[u8],
        fate: Fate,
    ) {
        let frame = frame.to_vec();
        let wire = Rc::downgrade(self);
        self.clock.schedule_at(last_bit, move || {
            let cut = !up || wire.upgrade().is_some_and(|wire| wire.state.borrow().era != era);
            let notes = [
                (cut, "cut off: the link went down"),
                (fate.lost, "lost on the wire"),
                (fate.copies > 0, "duplicated on the wire"),
                (fate.held_back, "held back on the wire"),
                (fate.corrupted, "corrupted on the wire"),
            ];
            let comment: Vec<&str> = notes.iter().filter(|(so, _)| *so).map(|(_, note)| *note).collect();
            capture.record(&Packet {
                time: last_bit,
                direction: match side {
                    Side::A => Direction::Outbound,
                    Side::B => Direction::Inbound,
                },
                bad_fcs: fcs::check(&frame).is_none(),
                frame: &frame,
                comment: &comment.join("; "),
            });
        });
    }
}

impl Lane {
    /// Decides the faults of one frame at random and counts them.
    pub(super) fn decide(&mut self) -> Fate {
        let fate = Fate {
            lost: self.loss.chance(self.faults.loss),
            copies: u32::from(self.duplication.chance(self.faults.duplication)),
            held_back: self.reorder.chance(self.faults.reorder),
            corrupted: self.corruption.chance(self.faults.corruption),
        };
        if fate.lost {
            self.stats.lost += 1;
            return Fate {
                lost: true,
                ..Fate::default()
            };
        }
        self.stats.duplicated += u64::from(fate.copies);
        self.stats.held_back += u64::from(fate.held_back);
        self.stats.in_flight += u64::from(1 + fate.copies);
        fate
    }

    pub(super) fn corrupt(&mut self, frame: &mut [u8]) {
        let bits = frame.len() * 8;
        if bits == 0 {
            return;
        }
        self.stats.corrupted += 1;
        let flips = 1 + self.corruption.below(3);
        let mut flipped = Vec::with_capacity(flips);
        while flipped.len() < flips {
            let bit = self.corruption.below(bits);
            // A bit that is flipped twice is unchanged.
            if !flipped.contains(&bit) {
                frame[bit / 8] ^= 1 << (bit % 8);
                flipped.push(bit);
            }
        }
    }
}
