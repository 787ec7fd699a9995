//! Both ends of the wire on one virtual clock.

use core::fmt;
use core::time::Duration;

use ethdev::{LendingDevice, RxHalf};
use ethdev_cli::Causes;
use ethdev_sim::Clock;
use ethdev_smoltcp::{PollAt, SmoltcpDevice};

use super::peer::StackPeer;
use super::{micros, virtual_time};
use crate::apps::Node;

/// So many turns without the clock moving are no progress.
const MAX_TURNS_AT_ONCE: u32 = 10_000;

/// Why a row of the table failed, in words.
#[derive(Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

/// A node on a device at one end, a peer at the other.
///
/// Software costs no simulated time here: wires do, and buses do whose drivers advance the clock.
pub(super) struct World<'w, 'n, 's, D: LendingDevice> {
    pub(super) clock: Clock,
    pub(super) node: Node<'n>,
    pub(super) device: SmoltcpDevice<'s, D>,
    pub(super) peer: StackPeer,
    /// Another task that the device needs. Whether it is to run again at once.
    pub(super) background: &'w mut dyn FnMut() -> Result<bool, Failure>,
}

impl<D: LendingDevice<Error: core::error::Error>> World<'_, '_, '_, D> {
    /// Turns until `step` has a result or an error.
    ///
    /// # Errors
    ///
    /// That error; or `limit` of virtual time has passed; or nothing will ever happen any more; or the device failed.
    pub(super) fn run<T>(
        &mut self,
        limit: Duration,
        mut step: impl FnMut(&mut StackPeer, &Clock) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = self.clock.now() + limit;
        let mut turns_at_once = 0;
        let mut idle = false;
        loop {
            if let Some(result) = step(&mut self.peer, &self.clock)? {
                return Ok(result);
            }
            let before = self.clock.now();
            let next = self.turn()?;
            match next {
                None if idle => return Err(Failure("nothing will ever happen any more".into())),
                // The step has not seen yet what came of this turn.
                None => idle = true,
                Some(at) if at > end => return Err(Failure(format!("not done after {limit:?} of simulated time"))),
                Some(at) => {
                    idle = false;
                    self.pass_time(at);
                }
            }
            turns_at_once = if self.clock.now() > before {
                0
            } else {
                turns_at_once + 1
            };
            if turns_at_once > MAX_TURNS_AT_ONCE {
                return Err(Failure(format!("busy for ever at {before:?}: nobody lets time pass")));
            }
        }
    }

    /// Turns for `time`, or what is left of it once nothing happens any more.
    pub(super) fn settle(&mut self, time: Duration) -> Result<(), Failure> {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            let next = self.turn()?.unwrap_or(end);
            self.pass_time(next.min(end));
        }
        Ok(())
    }

    /// Lets everybody do what can be done now. When there will be more to do.
    fn turn(&mut self) -> Result<Option<Duration>, Failure> {
        self.run_background()?;
        self.peer.poll(micros(self.clock.now()));
        self.node
            .poll(micros(self.clock.now()), &mut self.device)
            .map_err(|e| Failure(format!("the device failed: {}", Causes(&e))))?;
        if let Some(e) = self.device.take_error() {
            return Err(Failure(format!("the device failed: {}", Causes(&e))));
        }
        self.run_background()?;
        // From here on everybody looks for the last time: what happens meanwhile (looking may take time on a bus) is not to be slept over.
        let next = self.clock.next_event();
        let now = micros(self.clock.now());
        let node = match self.node.wakeup(now, &mut self.device) {
            PollAt::Now => Some(now),
            // Nobody is interrupted here: look again.
            PollAt::Wait { .. } if self.is_pending() => Some(now),
            PollAt::Wait { until, .. } => until,
        };
        let peer = if self.peer.is_pending() {
            Some(now)
        } else {
            self.peer.wakeup(now)
        };
        if next.is_some_and(|at| at <= self.clock.now()) {
            return Ok(Some(self.clock.now()));
        }
        let due = [node, peer].into_iter().flatten().min();
        Ok([due.map(virtual_time), self.clock.next_event()]
            .into_iter()
            .flatten()
            .min())
    }

    fn is_pending(&mut self) -> bool {
        matches!(self.device.inner_mut().split().0.pending(), Ok(true))
    }

    fn run_background(&mut self) -> Result<(), Failure> {
        for _ in 0..MAX_TURNS_AT_ONCE {
            if !(self.background)()? {
                return Ok(());
            }
        }
        Err(Failure("the device's task never waits".into()))
    }

    /// Goes to `at`, but no further than one event: after each, everybody looks.
    fn pass_time(&mut self, at: Duration) {
        if self.clock.next_event().is_some_and(|event| event <= at) {
            self.clock.step();
        } else {
            self.clock.advance_to(at);
        }
    }
}
