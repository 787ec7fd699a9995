//! Ends that send only while nothing arrives: half duplex, and the duplex mismatch.

use core::time::Duration;

use super::side::Side;
use super::state::{INTER_FRAME_GAP, Inner, State};

impl Inner {
    pub(super) fn set_half_duplex(&self, side: Side, here: bool, there: bool) {
        let half_duplex = &mut self.state.borrow_mut().half_duplex;
        half_duplex[side.index()] = here;
        half_duplex[side.other().index()] = there;
    }

    /// When a frame of `side` starts that could start at `first_bit`, were it alone.
    pub(super) fn defer(&self, state: &State, side: Side, mut first_bit: Duration) -> Duration {
        let other = &state.lanes[side.other().index()];
        let gap = self.bytes_time(INTER_FRAME_GAP);
        match (state.half_duplex[side.index()], state.half_duplex[side.other().index()]) {
            (false, _) => first_bit,
            (true, true) => first_bit.max(other.idle_at),
            (true, false) => {
                for (begins, ends) in &other.slots {
                    if *begins + self.latency <= first_bit {
                        first_bit = first_bit.max(*ends + self.latency + gap);
                    }
                }
                first_bit
            }
        }
    }

    /// In a duplex mismatch, the latest frame of `side` and what it meets destroy each other.
    pub(super) fn collide(&self, state: &mut State, side: Side) {
        if state.half_duplex[0] == state.half_duplex[1] {
            return;
        }
        let (mine, other) = match (side, &mut state.lanes) {
            (Side::A, [a, b]) => (a, b),
            (Side::B, [a, b]) => (b, a),
        };
        let Some((begins, ends)) = mine.slots.back().copied() else {
            return;
        };
        // Frames collide at the end in half duplex, where frames of the other end arrive later by
        // the latency.
        let (late, early) = if state.half_duplex[side.index()] {
            (Duration::ZERO, self.latency)
        } else {
            (self.latency, Duration::ZERO)
        };
        let oldest = other.stats.sent - other.slots.len() as u64;
        for (number, (from, to)) in (oldest..).zip(&other.slots) {
            if *from + early < ends + late && begins + late < *to + early {
                other.collided.insert(number);
                mine.collided.insert(mine.stats.sent - 1);
            }
        }
    }
}
