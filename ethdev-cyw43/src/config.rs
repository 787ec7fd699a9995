//! What a user may choose.

use ethdev::MacAddress;

use crate::firmware::Verify;
use crate::join::ReconnectPolicy;
use crate::network::Country;

/// How the driver sets the chip up.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Config {
    /// Where the device is used. Some channels are closed without it.
    pub country: Country,
    /// Another address than the chip's own. That is in its fuses; chips without one share the NVRAM's, which no two in a network may have.
    pub mac_address: Option<MacAddress>,
    /// How much the radio sleeps between beacons.
    pub power_save: PowerSave,
    /// What is read back before the firmware is started.
    pub verify: Verify,
    /// What to do by itself when the network is lost: nothing, by default.
    pub rejoin: Option<ReconnectPolicy>,
    /// How long an attempt to join may take, in milliseconds.
    pub join_timeout_ms: u32,
    /// The time in milliseconds, wrapping, from whatever epoch: what attempts to join that go on by themselves are timed by.
    ///
    /// Without it, each call of `service` during such an attempt waits for a millisecond, and that is what is counted: an attempt of which nothing is heard ends
    /// after as many calls of `service` as it may take milliseconds.
    pub now_ms: Option<fn() -> u32>,
    /// How long the firmware may take to answer a request, in milliseconds.
    pub answer_timeout_ms: u32,
    /// After so many calls of `service` during which no frame came, the chip is asked whether it is alive, which is 28 bytes on the bus; 0 = never. A chip that
    /// was reset, or whose firmware stopped, raises no interrupt.
    pub health_check_every: u16,
    /// How often the async driver looks at a chip whose interrupt cannot be waited for, in microseconds.
    pub poll_interval_us: u32,
    /// How often the async driver asks an idle chip whether it is alive, whatever the interrupt says, in milliseconds; 0 = never, which makes idle traffic nothing.
    pub idle_check_ms: u32,
}

impl Config {
    /// Allowed everywhere, the chip's own address, balanced power save, samples read back, no re-join.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            country: Country::WORLD,
            mac_address: None,
            power_save: PowerSave::Balanced,
            verify: Verify::Samples,
            rejoin: None,
            join_timeout_ms: 10_000,
            now_ms: None,
            answer_timeout_ms: 1000,
            health_check_every: 64,
            poll_interval_us: 1000,
            idle_check_ms: 0,
        }
    }

    /// The same in this country.
    #[must_use]
    pub const fn with_country(mut self, country: Country) -> Self {
        self.country = country;
        self
    }

    /// The same with this address instead of the chip's own.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// The same with this power save.
    #[must_use]
    pub const fn with_power_save(mut self, power_save: PowerSave) -> Self {
        self.power_save = power_save;
        self
    }

    /// The same with so much read back.
    #[must_use]
    pub const fn with_verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// The same with a network that is lost joined again by this policy.
    #[must_use]
    pub const fn with_rejoin(mut self, rejoin: ReconnectPolicy) -> Self {
        self.rejoin = Some(rejoin);
        self
    }

    /// The same with so much time for an attempt to join, in milliseconds.
    #[must_use]
    pub const fn with_join_timeout_ms(mut self, ms: u32) -> Self {
        self.join_timeout_ms = ms;
        self
    }

    /// The same with this clock, in milliseconds, wrapping.
    #[must_use]
    pub const fn with_clock(mut self, now_ms: fn() -> u32) -> Self {
        self.now_ms = Some(now_ms);
        self
    }

    /// The same with so much time for an answer of the firmware, in milliseconds.
    #[must_use]
    pub const fn with_answer_timeout_ms(mut self, ms: u32) -> Self {
        self.answer_timeout_ms = ms;
        self
    }

    /// The same with a look at the chip's health every so many calls of `service`; 0 = never.
    #[must_use]
    pub const fn with_health_check_every(mut self, calls: u16) -> Self {
        self.health_check_every = calls;
        self
    }

    /// The same with this interval between polls, in microseconds. 0 counts as 1.
    #[must_use]
    pub const fn with_poll_interval_us(mut self, us: u32) -> Self {
        self.poll_interval_us = us;
        self
    }

    /// The same with this interval between looks at an idle chip, in milliseconds; 0 = never.
    #[must_use]
    pub const fn with_idle_check_ms(mut self, ms: u32) -> Self {
        self.idle_check_ms = ms;
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// How much the radio sleeps between beacons. Frames to a radio that sleeps wait at the access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PowerSave {
    /// Never. The least latency, the most current.
    Off,
    /// After 20 ms without traffic; every beacon is heard.
    Fast,
    /// After 200 ms without traffic; every beacon is heard, the access point keeps frames for ten.
    #[default]
    Balanced,
    /// After two seconds without traffic; every beacon is heard.
    Aggressive,
    /// As much as it can: after two seconds, for as many beacons as the access point allows.
    Deep,
}

/// What a power save consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PowerSettings {
    /// The firmware's mode: 0 off, 2 fast.
    pub(crate) mode: u32,
    /// How long after traffic it sleeps, in milliseconds.
    pub(crate) sleep_after_ms: u32,
    /// Every how many beacons it listens, in beacons and in DTIMs.
    pub(crate) beacons: u32,
    pub(crate) dtims: u32,
    /// What the access point is told of that.
    pub(crate) listen: u32,
}

impl PowerSave {
    pub(crate) const fn settings(self) -> PowerSettings {
        let (mode, sleep_after_ms, beacons, dtims, listen) = match self {
            Self::Off => (0, 200, 1, 1, 10),
            Self::Fast => (2, 20, 1, 1, 1),
            Self::Balanced => (2, 200, 1, 1, 10),
            Self::Aggressive => (2, 2000, 1, 1, 10),
            Self::Deep => (2, 2000, 255, 255, 255),
        };
        PowerSettings {
            mode,
            sleep_after_ms,
            beacons,
            dtims,
            listen,
        }
    }
}
