//! The clock of embassy-time, for the blocking delays of drivers.

use core::cell::RefCell;
use core::task::Waker;
use core::time::Duration;

use embassy_time_driver::{Driver, TICK_HZ};
use ethdev_sim::Clock;

thread_local! {
    static CLOCK: RefCell<Option<Clock>> = const { RefCell::new(None) };
}

/// Sets the clock of embassy-time in this thread.
pub(crate) fn set_clock(clock: &Clock) {
    CLOCK.set(Some(clock.clone()));
}

/// Reading it takes 1 µs, so that a loop that polls it ends.
struct VirtualTime;

impl Driver for VirtualTime {
    fn now(&self) -> u64 {
        CLOCK.with_borrow(|clock| {
            let clock = clock.as_ref().expect("the test has set the clock");
            clock.advance(Duration::from_micros(1));
            u64::try_from(clock.now().as_nanos() * u128::from(TICK_HZ) / 1_000_000_000)
                .expect("the simulated time fits")
        })
    }

    fn schedule_wake(&self, _at: u64, _waker: &Waker) {
        unreachable!("the drivers use blocking delays only");
    }
}

embassy_time_driver::time_driver_impl!(static TIME: VirtualTime = VirtualTime);
