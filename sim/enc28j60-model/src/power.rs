//! Oscillator, reset and sleep (DS39662E sections 2, 11 and 14).

use core::time::Duration;

/// 7500 periods of the oscillator.
const OSCILLATOR_START: Duration = Duration::from_micros(300);
/// Erratum 2: how long MAC and PHY are not ready after the system reset instruction.
const RESET_READY: Duration = Duration::from_millis(1);
/// How long the PHY is not ready after any reset (section 11.2).
const PHY_READY: Duration = Duration::from_micros(50);
/// Shorter pulses on the RESET pin are filtered out.
const SHORTEST_RESET: Duration = Duration::from_nanos(400);

/// The end of a pulse on the RESET pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResetPulse {
    /// Long enough: the chip resets.
    Valid,
    /// Too short, of this length: filtered out.
    TooShort(Duration),
}

/// What is powered and clocked.
#[derive(Debug, Default)]
pub(crate) struct Power {
    /// The chip is in power-save.
    pub(crate) asleep: bool,
    /// Time from which on the MAC responds.
    pub(crate) mac_ready_at: Duration,
    /// Time from which on MII and PHY respond.
    pub(crate) phy_ready_at: Duration,
    /// Time from which on the oscillator runs.
    oscillator_ready_at: Duration,
    /// Time since which the RESET pin has been low.
    held_since: Option<Duration>,
    /// Counts starts of the oscillator.
    starts: u64,
}

impl Power {
    /// Whether a part of the chip that is ready at this time responds.
    pub(crate) fn is_ready(&self, now: Duration, ready_at: Duration) -> bool {
        !self.asleep && now >= ready_at
    }

    pub(crate) const fn is_held_in_reset(&self) -> bool {
        self.held_since.is_some()
    }

    /// Starts the oscillator. Returns when it runs, and the number of the start.
    pub(crate) fn start_oscillator(&mut self, now: Duration) -> (Duration, u64) {
        let ready = now + OSCILLATOR_START;
        (self.oscillator_ready_at, self.mac_ready_at, self.phy_ready_at) = (ready, ready, ready);
        self.starts += 1;
        (ready, self.starts)
    }

    /// Whether this start of the oscillator is the latest one and was not stopped.
    pub(crate) const fn is_current(&self, start: u64) -> bool {
        self.starts == start && !self.asleep
    }

    /// A system reset: MAC and PHY are not ready for a while.
    pub(crate) fn delay_mac(&mut self, now: Duration, erratum_2: bool) {
        let (mac, phy) = if erratum_2 {
            (RESET_READY, RESET_READY)
        } else {
            (Duration::ZERO, PHY_READY)
        };
        self.mac_ready_at = (now + mac).max(self.oscillator_ready_at);
        self.phy_ready_at = (now + phy).max(self.oscillator_ready_at);
    }

    /// The level of the RESET pin. Returns the pulse that ends.
    pub(crate) fn drive_reset(&mut self, now: Duration, low: bool) -> Option<ResetPulse> {
        if low {
            self.held_since.get_or_insert(now);
            return None;
        }
        let held = now - self.held_since.take()?;
        Some(if held < SHORTEST_RESET {
            ResetPulse::TooShort(held)
        } else {
            ResetPulse::Valid
        })
    }
}
