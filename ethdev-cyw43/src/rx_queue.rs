//! A queue of received frames of any length, in memory that the caller supplied.

/// Bytes before each frame: its length.
const PREFIX: usize = 2;

/// The queue. Frames lie one after another; the space of those that left is won back by moving the
/// rest when it is needed.
pub(crate) struct RxQueue<'m> {
    memory: &'m mut [u8],
    head: usize,
    tail: usize,
    count: u16,
}

impl core::fmt::Debug for RxQueue<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RxQueue")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl<'m> RxQueue<'m> {
    pub(crate) const fn new(memory: &'m mut [u8]) -> Self {
        Self {
            memory,
            head: 0,
            tail: 0,
            count: 0,
        }
    }

    /// How many frames of `len` bytes an empty one holds.
    pub(crate) const fn capacity(&self, len: usize) -> usize {
        self.memory.len() / (len + PREFIX)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether another frame of `len` bytes fits.
    pub(crate) const fn has_room(&self, len: usize) -> bool {
        self.memory.len() + self.head >= self.tail + PREFIX + len
    }

    /// Memory for the next frame, of at most `len` bytes; empty where there is none. It becomes one
    /// with [`push`](Self::push).
    pub(crate) fn room(&mut self, len: usize) -> &mut [u8] {
        if !self.has_room(len) {
            return &mut [];
        }
        if self.tail + PREFIX + len > self.memory.len() {
            // There is room, and it is in front.
            self.memory.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        let at = self.tail + PREFIX;
        self.memory.get_mut(at..at + len).unwrap_or_default()
    }

    /// Makes the first `len` bytes of the room lent last a frame.
    pub(crate) fn push(&mut self, len: usize) {
        let end = self.tail + PREFIX + len;
        let Ok(prefix) = u16::try_from(len) else { return };
        if end > self.memory.len() {
            return;
        }
        if let Some(slot) = self.memory.get_mut(self.tail..self.tail + PREFIX) {
            slot.copy_from_slice(&prefix.to_le_bytes());
            self.tail = end;
            self.count += 1;
        }
    }

    /// The frame that is next.
    pub(crate) fn front(&self) -> Option<&[u8]> {
        if self.is_empty() {
            return None;
        }
        let (prefix, rest) = self.memory.get(self.head..self.tail)?.split_first_chunk::<PREFIX>()?;
        rest.get(..u16::from_le_bytes(*prefix).into())
    }

    /// Removes the frame that is next.
    pub(crate) fn pop(&mut self) {
        let Some(len) = self.front().map(<[u8]>::len) else {
            return;
        };
        self.count -= 1;
        self.head += PREFIX + len;
        if self.is_empty() {
            (self.head, self.tail) = (0, 0);
        }
    }

    /// Removes them all; how many there were.
    pub(crate) const fn clear(&mut self) -> u32 {
        let count = self.count;
        self.head = 0;
        self.tail = 0;
        self.count = 0;
        count as u32
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    #[test]
    fn capacity_counts_frames_with_length() {
        for (bytes, frames) in [(0, 0), (1515, 0), (1516, 1), (3031, 1), (3032, 2)] {
            let mut memory = std::vec![0; bytes];
            assert_eq!(RxQueue::new(&mut memory).capacity(1514), frames, "{bytes} bytes");
        }
    }

    proptest! {
        #[test]
        fn queue_any_steps_matches_model(size in 0_usize..400, steps: Vec<(bool, u8, u8)>) {
            let mut memory = std::vec![0; size];
            let mut queue = RxQueue::new(&mut memory);
            let mut model: VecDeque<Vec<u8>> = VecDeque::new();
            for (push, len, fill) in steps {
                if push {
                    let len = usize::from(len);
                    let used: usize = model.iter().map(|frame| frame.len() + PREFIX).sum();
                    prop_assert_eq!(queue.has_room(len), size >= used + PREFIX + len);
                    if queue.has_room(len) {
                        // Shorter than was asked for, as frames turn out to be.
                        let real = len - usize::from(fill).min(len);
                        let room = queue.room(len);
                        prop_assert_eq!(room.len(), len);
                        room.fill(fill);
                        queue.push(real);
                        model.push_back(std::vec![fill; real]);
                    } else {
                        prop_assert!(queue.room(len).is_empty());
                    }
                } else {
                    queue.pop();
                    model.pop_front();
                }
                prop_assert_eq!(queue.front(), model.front().map(Vec::as_slice));
                prop_assert_eq!(usize::from(queue.count), model.len());
            }
        }
    }
}
