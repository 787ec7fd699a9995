//! Frames that the kernel dropped because nobody fetched the ones before them.

/// How many frames fewer than `txqueuelen` the kernel's queue may hold: it clears the slots of its ring in batches (`ptr_ring`: two cache lines of pointers,
/// 16 of them, or 32 where lines have 128 bytes).
const RING_SLACK: u32 = 32;

/// Notices when frames may have been dropped, without asking the kernel all the time.
///
/// Frames are dropped when the queue is full. After that a whole queue of them is read in a row, or they go unread: as long as neither is seen, nothing was
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct DropDetector {
    /// `txqueuelen`.
    queue_frames: u32,
    in_a_row: u32,
    /// Frames were pending when it was last looked, and have been ever since.
    pending: bool,
    suspected: bool,
    /// The kernel's counter when it was last looked at.
    seen: Option<u64>,
}

impl DropDetector {
    /// The kernel's queue has this length now.
    pub(crate) const fn set_queue(&mut self, frames: u32) {
        self.queue_frames = frames;
    }

    /// How many frames the kernel holds for sure.
    pub(crate) const fn holds(&self) -> u32 {
        self.queue_frames.saturating_sub(RING_SLACK)
    }

    /// How many frames one pass over the queue reads, with some that come meanwhile: a flood must not hold it up.
    pub(crate) const fn one_pass(&self) -> u32 {
        self.queue_frames.saturating_mul(2).saturating_add(16)
    }

    /// A frame was read.
    pub(crate) const fn frame(&mut self) {
        self.in_a_row = self.in_a_row.wrapping_add(1);
        if self.in_a_row >= self.holds() {
            self.in_a_row = 0;
            self.suspected = true;
        }
    }

    /// The queue was found empty.
    pub(crate) const fn nothing(&mut self) {
        self.in_a_row = 0;
        self.pending = false;
    }

    /// It was looked whether frames are pending.
    pub(crate) const fn looked(&mut self, pending: bool) {
        self.suspected |= self.pending && pending;
        self.pending = pending;
    }

    /// Whether it is worth asking the kernel for its counter.
    pub(crate) const fn suspected(&self) -> bool {
        self.suspected
    }

    /// The kernel's counter is this now. Returns how many were dropped since it was last looked at.
    pub(crate) fn look(&mut self, counter: Option<u64>) -> u32 {
        self.suspected = false;
        match (core::mem::replace(&mut self.seen, counter), counter) {
            // The lower half: that is what counters have here, and they wrap.
            (Some(seen), Some(now)) => now.wrapping_sub(seen) as u32,
            _ => 0,
        }
    }

    /// Another interface is open now, whose counters begin at `counter`.
    pub(crate) fn begin(&mut self, counter: Option<u64>) {
        self.nothing();
        self.suspected = false;
        self.seen = counter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Any mixture of bursts and reads: a drop is suspected at the latest when the queue is found empty again.
        #[test]
        fn no_drop_goes_unsuspected(
            queue in 0_u32..200,
            slack in 0_u32..=RING_SLACK,
            steps in prop::collection::vec((0_u32..300, 0_u32..300, any::<bool>()), 1..20),
        ) {
            let mut overruns = DropDetector::default();
            overruns.set_queue(queue);
            overruns.begin(Some(0));
            let (mut held, mut dropped, mut counted) = (0, 0_u64, 0);
            for (burst, reads, look) in steps {
                let room = queue.saturating_sub(slack).saturating_sub(held);
                dropped += u64::from(burst.saturating_sub(room));
                held += burst.min(room);
                for _ in 0..reads {
                    if held == 0 {
                        overruns.nothing();
                        break;
                    }
                    held -= 1;
                    overruns.frame();
                }
                if look {
                    overruns.looked(held > 0);
                }
                if overruns.suspected() {
                    counted += u64::from(overruns.look(Some(dropped)));
                }
                // With nothing held at all nothing is ever read, and the kernel has dropped everything.
                if held == 0 && reads > 0 && queue > slack {
                    prop_assert_eq!(counted, dropped);
                }
            }
        }
    }

    #[test]
    fn a_flood_that_nobody_reads_is_noticed() {
        let mut overruns = DropDetector::default();
        overruns.set_queue(1000);
        overruns.begin(Some(5));
        overruns.looked(true);
        assert!(!overruns.suspected(), "it has just begun");
        overruns.looked(true);
        assert!(overruns.suspected());
        assert_eq!(overruns.look(Some(8)), 3);
        overruns.nothing();
        overruns.looked(true);
        assert!(!overruns.suspected(), "it was drained in between");
    }

    #[test]
    fn a_quiet_device_asks_nothing() {
        let mut overruns = DropDetector::default();
        overruns.set_queue(1000);
        for _ in 0..100_000 {
            (0..900).for_each(|_| overruns.frame());
            overruns.nothing();
            overruns.looked(true);
            assert!(!overruns.suspected());
        }
    }
}
