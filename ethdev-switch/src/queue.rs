//! The receive queue of a port.

use ethdev::RxMeta;
use ethdev::frame::copy_vectored;

/// A queue of frames in buffers of the caller.
pub(crate) struct Queue<'b, const Q: usize> {
    slots: [Slot<'b>; Q],
    /// The slot of the oldest frame.
    first: usize,
    len: usize,
}

struct Slot<'b> {
    buffer: &'b mut [u8],
    meta: RxMeta,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Queued,
    /// Queued in the last free buffer.
    QueuedLast,
    QueueFull,
    /// Longer than a buffer.
    TooLong,
}

impl<'b, const Q: usize> Queue<'b, Q> {
    pub(crate) fn new<const LEN: usize>(buffers: &'b mut [[u8; LEN]; Q]) -> Self {
        Self {
            slots: buffers.each_mut().map(|buffer| Slot {
                buffer,
                meta: RxMeta::new(0),
            }),
            first: 0,
            len: 0,
        }
    }

    /// The length of a buffer in bytes.
    pub(crate) fn buffer_len(&self) -> usize {
        self.slots.first().map_or(0, |slot| slot.buffer.len())
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, parts: &[&[u8]], meta: RxMeta) -> Pushed {
        if self.len >= Q {
            return Pushed::QueueFull;
        }
        let free = self.first.saturating_add(self.len);
        let free = free.checked_sub(Q).unwrap_or(free);
        let Some(slot) = self.slots.get_mut(free) else {
            return Pushed::QueueFull;
        };
        if copy_vectored(parts, slot.buffer).is_none() {
            return Pushed::TooLong;
        }
        slot.meta = meta;
        self.len = self.len.saturating_add(1);
        if self.len == Q {
            Pushed::QueuedLast
        } else {
            Pushed::Queued
        }
    }

    /// The oldest frame.
    pub(crate) fn front(&self) -> Option<(&[u8], RxMeta)> {
        if self.is_empty() {
            return None;
        }
        let slot = self.slots.get(self.first)?;
        Some((slot.buffer.get(..slot.meta.len)?, slot.meta))
    }

    /// Removes the oldest frame. Returns whether there was one.
    pub(crate) const fn pop(&mut self) -> bool {
        if self.is_empty() {
            return false;
        }
        self.len = self.len.saturating_sub(1);
        self.first = self.first.saturating_add(1);
        if self.first >= Q {
            self.first = 0;
        }
        true
    }

    /// Removes all frames and returns how many there were.
    pub(crate) const fn clear(&mut self) -> usize {
        core::mem::replace(&mut self.len, 0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use ethdev_sim::random::Rng;
    use std::collections::VecDeque;
    use std::vec::Vec;

    #[test]
    fn queue_any_sequence_is_first_in_first_out() {
        let mut memory = [[0; 20]; 3];
        let mut queue = Queue::new(&mut memory);
        let mut model = VecDeque::<Vec<u8>>::new();
        let mut rng = Rng::new(7, 0);
        for n in 0..2000_u32 {
            match rng.below(5) {
                0 | 1 => {
                    let frame: Vec<u8> = (0..14 + rng.below(9)).map(|at| (n as usize + at) as u8).collect();
                    let (a, b) = frame.split_at(5);
                    let expected = match (model.len(), frame.len()) {
                        (3, _) => Pushed::QueueFull,
                        (_, 21..) => Pushed::TooLong,
                        (2, _) => Pushed::QueuedLast,
                        _ => Pushed::Queued,
                    };
                    assert_eq!(queue.push(&[a, b], RxMeta::new(frame.len())), expected);
                    if matches!(expected, Pushed::Queued | Pushed::QueuedLast) {
                        model.push_back(frame);
                    }
                }
                2 | 3 => assert_eq!(queue.pop(), model.pop_front().is_some()),
                _ if rng.below(20) == 0 => {
                    assert_eq!(queue.clear(), model.len());
                    model.clear();
                }
                _ => {}
            }
            assert_eq!(queue.front().map(|(frame, _)| frame), model.front().map(Vec::as_slice));
            assert_eq!(queue.is_empty(), model.is_empty());
        }
    }

    #[test]
    fn queue_without_buffers_is_full() {
        let mut memory: [[u8; 20]; 0] = [];
        let mut queue = Queue::new(&mut memory);
        assert_eq!(queue.push(&[&[0; 14]], RxMeta::new(14)), Pushed::QueueFull);
        assert!(queue.is_empty() && !queue.pop() && queue.front().is_none());
    }
}
