//! The time driver of embassy-time, on the clock and the alarm of the board.
//!
//! [`run`] is its task. The queue is the one for any executor: that of embassy's is part of its
//! tasks.
#![allow(unsafe_code)]

use core::cell::RefCell;
use core::convert::Infallible;
use core::task::Waker;
use core::time::Duration;

use critical_section::Mutex;
use embassy_time_driver::{Driver, TICK_HZ};
use embassy_time_queue_utils::Queue;
use ethdev_util::IrqSignal;

use crate::board;

/// Set when the queue has changed, and by the alarm.
static CHANGED: IrqSignal = IrqSignal::new();

struct BoardTime {
    queue: Mutex<RefCell<Queue>>,
}

// The macro exports two functions by their names, which are those that embassy-time calls.
embassy_time_driver::time_driver_impl!(static TIME: BoardTime = BoardTime {
    queue: Mutex::new(RefCell::new(Queue::new())),
});

impl Driver for BoardTime {
    fn now(&self) -> u64 {
        let ticks = board::now().as_nanos() * u128::from(TICK_HZ) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        if critical_section::with(|cs| self.queue.borrow_ref_mut(cs).schedule_wake(at, waker)) {
            CHANGED.signal();
        }
    }
}

/// Wakes tasks at their times, indefinitely.
pub async fn run() -> Infallible {
    loop {
        let now = TIME.now();
        let next = critical_section::with(|cs| TIME.queue.borrow_ref_mut(cs).next_expiration(now));
        if next != u64::MAX {
            let ticks = u128::from(next.saturating_sub(now));
            let nanos = (ticks * 1_000_000_000).div_ceil(u128::from(TICK_HZ));
            board::wake_in(
                u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos),
                &CHANGED,
            );
        }
        CHANGED.wait().await;
    }
}
