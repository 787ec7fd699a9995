//! The host on embassy-net.

use core::pin::Pin;
use core::task::{Context, Waker};
use core::time::Duration;
use std::sync::Arc;

use ethdev::{Coverage, LendingDevice, Link, Stats};
use ethdev_embassy::Handle;
use ethdev_sim::Clock;
use ethdev_util::IrqSignal;

use super::failure::Failure;
use super::host::Host;
use super::wake_flag::WakeFlag;

/// The device below embassy-net, which owns it.
pub(super) trait Observed {
    /// Reports to the driver that its device may need it: there is no interrupt line.
    fn signal(&self);
    /// Returns the last error.
    ///
    /// # Errors
    ///
    /// The device failed.
    fn check(&self) -> Result<(), Failure>;
    fn link(&self) -> Link;
    fn stats(&self) -> Stats;
    fn coverage(&self) -> Coverage;
    fn dropped(&self) -> u32;
}

/// The tasks of the application as one future, and their device.
pub(super) struct EmbassyHost<'a, F, O> {
    tasks: Pin<&'a mut F>,
    device: &'a O,
    clock: Clock,
    /// Time of the last poll's begin.
    polled: Duration,
    woken: Arc<WakeFlag>,
    waker: Waker,
}

impl<'a, F: Future, O: Observed> EmbassyHost<'a, F, O> {
    pub(super) fn new(tasks: Pin<&'a mut F>, device: &'a O, clock: Clock) -> Self {
        let woken = Arc::new(WakeFlag::set());
        Self {
            tasks,
            device,
            clock,
            polled: Duration::ZERO,
            waker: Waker::from(woken.clone()),
            woken,
        }
    }

    /// Polls the tasks if they were woken: a lost wake-up stalls them, as on an executor.
    fn run(&mut self) {
        self.device.signal();
        if self.woken.take() {
            // They never end.
            let _ = self.tasks.as_mut().poll(&mut Context::from_waker(&self.waker));
        }
    }
}

impl<F: Future, O: Observed> Host for EmbassyHost<'_, F, O> {
    fn poll(&mut self, now: Duration) -> Result<(), Failure> {
        self.polled = now;
        self.run();
        self.device.check()
    }

    fn poll_at(&mut self, now: Duration) -> Option<Duration> {
        if self.clock.now() > self.polled {
            // The driver took time on a bus: events may have happened after its checks.
            self.run();
        }
        self.woken.is_set().then_some(now)
    }

    fn link(&self) -> Link {
        self.device.link()
    }

    fn stats(&self) -> Stats {
        self.device.stats()
    }

    fn coverage(&self) -> Coverage {
        self.device.coverage()
    }

    fn dropped(&self) -> u32 {
        self.device.dropped()
    }
}

/// A device of ethdev, which the adapter owns.
pub(super) struct Adapted<'s, 'b, D: LendingDevice> {
    pub(super) handle: Handle<'s, 'b, D>,
    pub(super) irq: &'s IrqSignal,
}

impl<D: LendingDevice> Adapted<'_, '_, D> {
    /// The tasks run between two turns of the stack, when the handle has access to the device.
    fn read<T>(result: Result<T, D::Error>) -> T {
        result.unwrap_or_else(|e| panic!("no access to the device between two turns of the stack: {e}"))
    }
}

impl<D: LendingDevice> Observed for Adapted<'_, '_, D> {
    fn signal(&self) {
        self.irq.signal();
    }

    fn check(&self) -> Result<(), Failure> {
        match Self::read(self.handle.take_error()) {
            None => Ok(()),
            Some(e) => Err(Failure::device(&e)),
        }
    }

    fn link(&self) -> Link {
        Self::read(self.handle.link())
    }

    fn stats(&self) -> Stats {
        Self::read(self.handle.stats())
    }

    fn coverage(&self) -> Coverage {
        Self::read(self.handle.with(|device| Ok(device.capabilities().coverage)))
    }

    fn dropped(&self) -> u32 {
        let drops = Self::read(self.handle.drops());
        drops.tx_lost() + drops.rx_too_short
    }
}

/// The device of a driver that counts nothing, by the counters of its chip.
pub(super) struct Uncounted<F>(pub(super) F);

impl<F: Fn() -> Stats> Observed for Uncounted<F> {
    fn signal(&self) {}

    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn link(&self) -> Link {
        Link::UP
    }

    fn stats(&self) -> Stats {
        (self.0)()
    }

    fn coverage(&self) -> Coverage {
        Coverage::EXACT
    }

    fn dropped(&self) -> u32 {
        0
    }
}
