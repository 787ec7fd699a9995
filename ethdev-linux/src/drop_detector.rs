//! Decides when to read the kernel's counter of dropped frames.

/// Detects when frames may have been dropped, so that the counter is not read on every poll.
///
/// The kernel drops frames when its queue is full. Afterwards either a whole queue of frames is
/// read without a gap, or frames stay pending. If neither is observed, nothing was dropped.
#[derive(Debug, Default)]
pub(crate) struct DropDetector {
    /// Frames that the kernel queues at least.
    capacity: u32,
    /// Frames read since the queue was last empty.
    consecutive: u32,
    /// Frames were pending at the last poll, and the queue was not empty since.
    pending: bool,
    suspected: bool,
    /// The last value of the kernel's counter.
    last: Option<u64>,
}

impl DropDetector {
    /// Sets the number of frames that the kernel queues at least.
    pub(crate) const fn set_capacity(&mut self, frames: u32) {
        self.capacity = frames;
    }

    /// Records that a frame was read.
    pub(crate) const fn frame_read(&mut self) {
        self.consecutive = self.consecutive.wrapping_add(1);
        if self.consecutive >= self.capacity {
            self.consecutive = 0;
            self.suspected = true;
        }
    }

    /// Records that the queue was found empty.
    pub(crate) const fn queue_empty(&mut self) {
        self.consecutive = 0;
        self.pending = false;
    }

    /// Records the result of a poll: whether frames are pending.
    pub(crate) const fn polled(&mut self, pending: bool) {
        self.suspected |= self.pending && pending;
        self.pending = pending;
    }

    /// Returns whether frames may have been dropped since the last [`update`](Self::update).
    pub(crate) const fn suspected(&self) -> bool {
        self.suspected
    }

    /// Takes the present value of the kernel's counter. Returns the number of frames dropped since
    /// the last one.
    pub(crate) fn update(&mut self, counter: Option<u64>) -> u32 {
        self.suspected = false;
        match (core::mem::replace(&mut self.last, counter), counter) {
            // Truncated: `Stats` counters have 32 bits and wrap.
            (Some(last), Some(now)) => now.wrapping_sub(last) as u32,
            _ => 0,
        }
    }

    /// Restarts for a newly opened interface whose counter is at `counter`.
    pub(crate) fn restart(&mut self, counter: Option<u64>) {
        self.queue_empty();
        self.suspected = false;
        self.last = counter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any sequence of bursts and reads: a drop is suspected before the queue is found empty
        /// again.
        #[test]
        fn suspected_any_drop_is_counted_when_queue_is_empty(
            queue in 0_u32..200,
            slack in 0_u32..=32,
            steps in prop::collection::vec((0_u32..300, 0_u32..300, any::<bool>()), 1..20),
        ) {
            let mut detector = DropDetector::default();
            detector.set_capacity(queue.saturating_sub(32));
            detector.restart(Some(0));
            let (mut queued, mut dropped, mut counted) = (0, 0_u64, 0);
            for (burst, reads, poll) in steps {
                let free = queue.saturating_sub(slack).saturating_sub(queued);
                dropped += u64::from(burst.saturating_sub(free));
                queued += burst.min(free);
                for _ in 0..reads {
                    if queued == 0 {
                        detector.queue_empty();
                        break;
                    }
                    queued -= 1;
                    detector.frame_read();
                }
                if poll {
                    detector.polled(queued > 0);
                }
                if detector.suspected() {
                    counted += u64::from(detector.update(Some(dropped)));
                }
                // A queue without capacity delivers nothing: the kernel has dropped every frame.
                if queued == 0 && reads > 0 && queue > slack {
                    prop_assert_eq!(counted, dropped);
                }
            }
        }
    }

    #[test]
    fn suspected_frames_pending_at_two_polls_true() {
        let mut detector = DropDetector::default();
        detector.set_capacity(968);
        detector.restart(Some(5));
        detector.polled(true);
        assert!(!detector.suspected(), "one poll");
        detector.polled(true);
        assert!(detector.suspected());
        assert_eq!(detector.update(Some(8)), 3);
        detector.queue_empty();
        detector.polled(true);
        assert!(!detector.suspected(), "drained in between");
    }

    #[test]
    fn suspected_bursts_below_capacity_false() {
        let mut detector = DropDetector::default();
        detector.set_capacity(968);
        for _ in 0..100_000 {
            (0..900).for_each(|_| detector.frame_read());
            detector.queue_empty();
            detector.polled(true);
            assert!(!detector.suspected());
        }
    }
}
