//! Descriptor rings: buffers whose ownership alternates between driver and chip. No I/O, no time.

use ethdev::RxMeta;
use ethdev::frame::HEADER_LEN;

/// One descriptor: the owner and the content of its buffer.
#[derive(Debug)]
enum Slot<M> {
    /// The driver has the buffer.
    Away,
    /// The ring has the buffer, and it is empty.
    Empty(Box<[u8]>),
    /// The ring has the buffer, and it contains a frame.
    Full(Box<[u8]>, M),
}

/// Receive descriptors. Each goes `Empty` -fill-> `Full` -take-> `Away` -give-> `Empty`, in turn:
///
/// ```text
///  give          take          fill          give
///   |    Away     |    Full     |    Empty    |
/// ```
#[derive(Debug)]
pub(super) struct RxRing {
    slots: Vec<Slot<RxMeta>>,
    fill: usize,
    take: usize,
    give: usize,
    full: usize,
    buffer_len: usize,
    /// Frames skipped because of an invalid length.
    pub(super) refused: u32,
}

impl RxRing {
    pub(super) fn new(slots: usize, buffer_len: usize) -> Self {
        Self {
            slots: empty(slots, buffer_len),
            fill: 0,
            take: 0,
            give: 0,
            full: 0,
            buffer_len,
            refused: 0,
        }
    }

    /// Chip: stores a frame in the next empty buffer. `false`: no buffer is empty.
    pub(super) fn fill(&mut self, frame: &[u8], meta: RxMeta) -> bool {
        let slot = &mut self.slots[self.fill];
        let Slot::Empty(buffer) = slot else { return false };
        let Some(place) = buffer.get_mut(..frame.len()) else {
            return false;
        };
        place.copy_from_slice(frame);
        let buffer = core::mem::take(buffer);
        *slot = Slot::Full(buffer, meta);
        self.fill = self.after(self.fill);
        self.full += 1;
        true
    }

    /// Driver: takes the next frame with its buffer. A frame with an invalid length is skipped and
    /// counted in `refused`.
    #[inline]
    pub(super) fn take(&mut self) -> Option<(Box<[u8]>, RxMeta)> {
        let slot = &mut self.slots[self.take];
        let Slot::Full(buffer, meta) = slot else { return None };
        if !(HEADER_LEN..=buffer.len()).contains(&meta.len) {
            return self.refuse();
        }
        let (buffer, meta) = (core::mem::take(buffer), *meta);
        *slot = Slot::Away;
        self.take = self.after(self.take);
        self.full -= 1;
        Some((buffer, meta))
    }

    /// Skips the next frame and takes the one after it. Bounded by the number of slots.
    #[cold]
    fn refuse(&mut self) -> Option<(Box<[u8]>, RxMeta)> {
        let Slot::Full(buffer, _) = core::mem::replace(&mut self.slots[self.take], Slot::Away) else {
            return None;
        };
        self.take = self.after(self.take);
        self.full -= 1;
        self.refused = self.refused.wrapping_add(1);
        // Its place is there: a slot was emptied just now.
        let _ = self.give(buffer);
        self.take()
    }

    /// Driver: gives a buffer back. Refused where no buffer is away, or where this one is too
    /// short.
    #[inline]
    pub(super) fn give(&mut self, buffer: Box<[u8]>) -> Result<(), Box<[u8]>> {
        let slot = &mut self.slots[self.give];
        if !matches!(slot, Slot::Away) || buffer.len() < self.buffer_len {
            return Err(buffer);
        }
        *slot = Slot::Empty(buffer);
        self.give = self.after(self.give);
        Ok(())
    }

    /// Number of pending frames.
    pub(super) const fn pending(&self) -> usize {
        self.full
    }

    /// Drops every frame that was not taken and returns their number.
    pub(super) fn reset(&mut self) -> usize {
        for slot in &mut self.slots {
            make_empty(slot);
        }
        // The slots between `take` and `fill` are empty now; the chip continues with the first of
        // them.
        self.fill = self.take;
        core::mem::take(&mut self.full)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        after(at, self.slots.len())
    }
}

/// Transmit descriptors. Each goes `Empty` -take-> `Away` -submit-> `Full` -complete-> `Empty`, in
/// turn:
///
/// ```text
///  complete      submit        take          complete
///   |    Full     |    Away     |    Empty    |
/// ```
#[derive(Debug)]
pub(super) struct TxRing {
    slots: Vec<Slot<usize>>,
    take: usize,
    submit: usize,
    complete: usize,
    full: usize,
    buffer_len: usize,
}

impl TxRing {
    pub(super) fn new(slots: usize, buffer_len: usize) -> Self {
        Self {
            slots: empty(slots, buffer_len),
            take: 0,
            submit: 0,
            complete: 0,
            full: 0,
            buffer_len,
        }
    }

    /// Driver: whether a buffer is free.
    #[inline]
    pub(super) fn has_free(&self) -> bool {
        matches!(self.slots[self.take], Slot::Empty(_))
    }

    /// Driver: takes a free buffer for a frame.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Box<[u8]>> {
        let slot = &mut self.slots[self.take];
        let Slot::Empty(buffer) = slot else { return None };
        let buffer = core::mem::take(buffer);
        *slot = Slot::Away;
        self.take = self.after(self.take);
        Some(buffer)
    }

    /// Driver: submits a buffer with a frame of `len` bytes. Returns the buffer if the driver owns
    /// none, or if it is too short.
    #[inline]
    pub(super) fn submit(&mut self, buffer: Box<[u8]>, len: usize) -> Result<(), Box<[u8]>> {
        let slot = &mut self.slots[self.submit];
        if !matches!(slot, Slot::Away) || buffer.len() < self.buffer_len || len > self.buffer_len {
            return Err(buffer);
        }
        *slot = Slot::Full(buffer, len);
        self.submit = self.after(self.submit);
        self.full += 1;
        Ok(())
    }

    /// Chip: the next frame to send.
    pub(super) fn next(&self) -> Option<&[u8]> {
        match &self.slots[self.complete] {
            Slot::Full(buffer, len) => buffer.get(..*len),
            _ => None,
        }
    }

    /// Chip: is through with the next frame; its length.
    pub(super) fn complete(&mut self) -> Option<usize> {
        let len = make_empty(&mut self.slots[self.complete])?;
        self.complete = self.after(self.complete);
        self.full -= 1;
        Some(len)
    }

    /// Frames that the chip is not through with.
    pub(super) const fn queued(&self) -> usize {
        self.full
    }

    /// Drops every frame that the chip is not through with; how many.
    pub(super) fn reset(&mut self) -> usize {
        let dropped = self.full;
        while self.complete().is_some() {}
        dropped
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        after(at, self.slots.len())
    }
}

fn empty<M>(slots: usize, buffer_len: usize) -> Vec<Slot<M>> {
    core::iter::repeat_with(|| Slot::Empty(vec![0; buffer_len].into()))
        .take(slots)
        .collect()
}

/// Empties a full slot; what was known of its frame.
fn make_empty<M: Copy>(slot: &mut Slot<M>) -> Option<M> {
    let Slot::Full(buffer, about) = slot else { return None };
    let (buffer, about) = (core::mem::take(buffer), *about);
    *slot = Slot::Empty(buffer);
    Some(about)
}

#[inline]
const fn after(at: usize, slots: usize) -> usize {
    if at + 1 == slots { 0 } else { at + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    /// What a driver and a chip may do, in any order.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Chip,
        Take,
        Give,
        Reset,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => Just(Step::Chip),
            6 => Just(Step::Take),
            6 => Just(Step::Give),
            1 => Just(Step::Reset),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        /// Compared with a simple queue: first in, first out, never more than `slots` buffers, none
        /// lost, invalid lengths skipped.
        #[test]
        fn rx_ring_any_steps_is_bounded_queue(slots in 1_usize..5, steps in steps(), garbage in 1_u32..10) {
            let mut ring = RxRing::new(slots, 14);
            let (mut queue, mut away, mut refused) = (VecDeque::new(), Vec::new(), 0);
            for (n, step) in (0_u32..).zip(steps) {
                match step {
                    Step::Chip => {
                        let room = queue.len() + away.len() < slots;
                        let bad = n % garbage == 0;
                        let len = if bad { [0, 13, 15, usize::MAX][n as usize % 4] } else { 14 };
                        prop_assert_eq!(ring.fill(&[n as u8; 14], RxMeta::new(len)), room);
                        if room {
                            queue.push_back((n as u8, bad));
                        }
                    }
                    Step::Take => {
                        let taken = ring.take();
                        let expected = loop {
                            match queue.pop_front() {
                                Some((_, true)) => refused += 1,
                                Some((n, false)) => break Some(vec![n; 14]),
                                None => break None,
                            }
                        };
                        prop_assert_eq!(taken.as_ref().map(|(b, m)| b[..m.len].to_vec()), expected);
                        prop_assert_eq!(ring.refused, refused);
                        away.extend(taken.map(|(buffer, _)| buffer));
                    }
                    Step::Give => match away.pop() {
                        Some(buffer) => prop_assert!(ring.give(buffer).is_ok()),
                        None => prop_assert!(ring.give(vec![0; 14].into()).is_err()),
                    },
                    Step::Reset => {
                        prop_assert_eq!(ring.reset(), queue.len());
                        queue.clear();
                    }
                }
                prop_assert_eq!(ring.pending(), queue.len());
            }
        }

        #[test]
        fn tx_ring_any_steps_is_bounded_queue(slots in 1_usize..5, steps in steps()) {
            let mut ring = TxRing::new(slots, 4);
            let (mut queue, mut away) = (VecDeque::new(), Vec::new());
            for (n, step) in (0_u32..).zip(steps) {
                match step {
                    Step::Chip => {
                        prop_assert_eq!(ring.next().map(<[u8]>::to_vec), queue.front().map(|n: &u32| n.to_le_bytes().to_vec()));
                        prop_assert_eq!(ring.complete(), queue.pop_front().map(|_| 4));
                    }
                    Step::Take => {
                        let room = queue.len() + away.len() < slots;
                        prop_assert_eq!(ring.has_free(), room);
                        let taken = ring.take();
                        prop_assert_eq!(taken.is_some(), room);
                        away.extend(taken);
                    }
                    Step::Give => match away.pop() {
                        Some(mut buffer) => {
                            buffer.copy_from_slice(&n.to_le_bytes());
                            prop_assert!(ring.submit(buffer, 4).is_ok());
                            queue.push_back(n);
                        }
                        None => prop_assert!(ring.submit(vec![0; 4].into(), 4).is_err()),
                    },
                    Step::Reset => {
                        prop_assert_eq!(ring.reset(), queue.len());
                        queue.clear();
                    }
                }
                prop_assert_eq!(ring.queued(), queue.len());
            }
        }
    }

    #[test]
    fn ring_wrong_buffer_or_length_rejected() {
        let mut rx = RxRing::new(1, 20);
        assert!(!rx.fill(&[0; 21], RxMeta::new(21)), "longer than its buffer");
        assert!(rx.fill(&[0; 20], RxMeta::new(20)));
        assert!(rx.take().is_some());
        assert!(rx.give(vec![0; 19].into()).is_err());
        let mut tx = TxRing::new(1, 4);
        let buffer = tx.take().unwrap();
        let buffer = tx.submit(buffer, 5).unwrap_err();
        assert!(tx.submit(buffer, 4).is_ok());
    }
}
