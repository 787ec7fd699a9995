//! Power: `WL_REG_ON`, and the start of the bus.

use core::time::Duration;

/// Minimum time without power after which the chip has lost its state.
const SHORTEST_OFF: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// `WL_REG_ON` is low.
    #[default]
    Off,
    /// `WL_REG_ON` is high, and the bus does not respond yet.
    Rising,
    /// The bus responds.
    Ready,
    /// The chip started with SDIO: this bus does not respond.
    WrongBus,
}

/// The supply, as `WL_REG_ON` switches it.
#[derive(Debug, Default)]
pub(crate) struct Power {
    state: State,
    off_since: Option<Duration>,
    /// Reads that return garbage.
    pub(crate) garbage_reads: u32,
}

impl Power {
    pub(crate) fn is_on(&self) -> bool {
        self.state != State::Off
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state == State::Ready
    }

    /// How long the supply was off, where that was too short.
    pub(crate) fn short_cycle(&self, now: Duration) -> Option<Duration> {
        let off = now - self.off_since?;
        (off < SHORTEST_OFF).then_some(off)
    }

    /// The supply is switched on, with the data line low.
    pub(crate) fn switch_on(&mut self, garbage_reads: u32) {
        self.state = State::Rising;
        self.garbage_reads = garbage_reads;
    }

    /// The supply is switched on, with the data line high.
    pub(crate) fn switch_on_sdio(&mut self) {
        self.state = State::WrongBus;
    }

    /// The bus responds.
    pub(crate) fn ready(&mut self) {
        self.state = State::Ready;
    }

    pub(crate) fn switch_off(&mut self, now: Duration) {
        self.state = State::Off;
        self.off_since = Some(now);
    }
}
