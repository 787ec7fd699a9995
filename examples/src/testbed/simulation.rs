//! The simulation loop: both ends of the wire on one virtual clock.

use core::time::Duration;

use ethdev_sim::Clock;

use super::failure::Failure;
use super::host::Host;
use super::peer::StackPeer;
use super::{micros, simulated_time};

/// Limit of iterations without progress of the clock.
const MAX_ITERATIONS: u32 = 10_000;

/// A host at one end of a wire, and a peer at the other end.
///
/// Software takes no simulated time. Wires do, and buses whose drivers advance the clock.
pub(super) struct Simulation<'w, H> {
    pub(super) clock: Clock,
    pub(super) host: H,
    pub(super) peer: StackPeer,
    /// Another task that the device needs. Returns whether it must run again immediately.
    pub(super) background: &'w mut dyn FnMut() -> Result<bool, Failure>,
}

impl<H: Host> Simulation<'_, H> {
    /// Runs until `step` returns a result or an error.
    ///
    /// # Errors
    ///
    /// The error of `step`; `limit` of simulated time has passed; no event is left; or the device
    /// failed.
    pub(super) fn run<T>(
        &mut self,
        limit: Duration,
        mut step: impl FnMut(&mut StackPeer, &Clock) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = self.clock.now() + limit;
        let mut iterations = 0;
        let mut idle = false;
        loop {
            if let Some(result) = step(&mut self.peer, &self.clock)? {
                return Ok(result);
            }
            let before = self.clock.now();
            let next = self.iterate()?;
            match next {
                None if idle => return Err(Failure("deadlock: no event is left".into())),
                // `step` has not seen the result of this iteration yet.
                None => idle = true,
                Some(at) if at > end => return Err(Failure(format!("timed out after {limit:?} of simulated time"))),
                Some(at) => {
                    idle = false;
                    self.advance_to(at);
                }
            }
            iterations = if self.clock.now() > before { 0 } else { iterations + 1 };
            if iterations > MAX_ITERATIONS {
                return Err(Failure(format!("simulated time does not advance beyond {before:?}")));
            }
        }
    }

    /// Runs for `time`.
    pub(super) fn settle(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            let next = self.iterate()?.unwrap_or(end);
            self.advance_to(next.min(end));
        }
        Ok(())
    }

    /// Polls both ends once. Returns when the next poll is due.
    fn iterate(&mut self) -> Result<Option<Duration>, Failure> {
        self.run_background()?;
        self.peer.poll(micros(self.clock.now()));
        self.host.poll(self.clock.now())?;
        self.run_background()?;
        // Read before the last checks: these may take time on a bus, and an event during them must
        // not be missed.
        let next = self.clock.next_event();
        let now = self.clock.now();
        let host = self.host.poll_at(now);
        let peer = if self.peer.is_pending() {
            Some(now)
        } else {
            self.peer.poll_at(micros(now)).map(simulated_time)
        };
        if next.is_some_and(|at| at <= self.clock.now()) {
            return Ok(Some(self.clock.now()));
        }
        Ok([host, peer, self.clock.next_event()].into_iter().flatten().min())
    }

    fn run_background(&mut self) -> Result<(), Failure> {
        for _ in 0..MAX_ITERATIONS {
            if !(self.background)()? {
                return Ok(());
            }
        }
        Err(Failure("the background task never waits".into()))
    }

    /// Advances the clock to `at`, but at most by one event: both ends are polled after each.
    fn advance_to(&mut self, at: Duration) {
        if self.clock.next_event().is_some_and(|event| event <= at) {
            self.clock.step();
        } else {
            self.clock.advance_to(at);
        }
    }
}
