//! The configuration of the driver.

use core::time::Duration;

use ethdev::MacAddress;

use crate::firmware::Verify;
use crate::join::ReconnectPolicy;
use crate::network::Country;

/// The configuration of the driver. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Config {
    /// The country of operation. It decides which channels are available.
    pub country: Country,
    /// A MAC address instead of the chip's own, which is in its fuses. Chips without one take the
    /// address in the NVRAM image, which is then the same for every device.
    pub mac_address: Option<MacAddress>,
    /// The power-save mode of the radio.
    pub power_save: PowerSave,
    /// How much of the images is read back before the firmware is started.
    pub verify: Verify,
    /// Whether and how `service` reconnects to a network that was lost. `None`: not at all.
    pub reconnect: Option<ReconnectPolicy>,
    /// The timeout of a join, at most one hour.
    pub join_timeout: Duration,
    /// A monotonic clock with any epoch, for attempts to reconnect.
    ///
    /// Without it, each call of `service` during such an attempt waits for 1 ms, and that is the
    /// time that counts. While a clock stands still, attempts do not time out; no call waits for
    /// it.
    pub now: Option<fn() -> Duration>,
    /// The timeout of a firmware request (IOCTL), at most one hour.
    pub ioctl_timeout: Duration,
    /// After this number of calls of `service` without a received frame, the driver checks that the
    /// chip is alive, which takes 28 bytes on the bus; 0 for no check. A chip that was reset,
    /// or whose firmware stopped, raises no interrupt.
    pub watchdog_polls: u16,
    /// The poll interval of the async driver if the bus cannot wait for the interrupt, at least 1
    /// µs, at most 71 minutes.
    pub poll_interval: Duration,
    /// The interval at which the async driver checks that an idle chip is alive, at least 1 ms;
    /// `None` for no check, and then no idle traffic.
    pub watchdog_interval: Option<Duration>,
}

impl Config {
    /// Creates a configuration: [`Country::WORLD`], the address of the chip,
    /// [`PowerSave::Balanced`], [`Verify::Samples`], no reconnect, 10 s for a join and 1 s for
    /// a request, a check at every 64th poll, polls every 1 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            country: Country::WORLD,
            mac_address: None,
            power_save: PowerSave::Balanced,
            verify: Verify::Samples,
            reconnect: None,
            join_timeout: Duration::from_secs(10),
            now: None,
            ioctl_timeout: Duration::from_secs(1),
            watchdog_polls: 64,
            poll_interval: Duration::from_millis(1),
            watchdog_interval: None,
        }
    }

    /// Sets the country of operation.
    #[must_use]
    pub const fn with_country(mut self, country: Country) -> Self {
        self.country = country;
        self
    }

    /// Sets the MAC address, instead of the chip's own.
    #[must_use]
    pub const fn with_mac_address(mut self, address: MacAddress) -> Self {
        self.mac_address = Some(address);
        self
    }

    /// Sets the power-save mode.
    #[must_use]
    pub const fn with_power_save(mut self, power_save: PowerSave) -> Self {
        self.power_save = power_save;
        self
    }

    /// Sets how much of the images is read back.
    #[must_use]
    pub const fn with_verify(mut self, verify: Verify) -> Self {
        self.verify = verify;
        self
    }

    /// Sets how `service` reconnects to a network that was lost.
    #[must_use]
    pub const fn with_reconnect(mut self, policy: ReconnectPolicy) -> Self {
        self.reconnect = Some(policy);
        self
    }

    /// Sets the timeout of a join.
    #[must_use]
    pub const fn with_join_timeout(mut self, timeout: Duration) -> Self {
        self.join_timeout = timeout;
        self
    }

    /// Sets the clock for attempts to reconnect: monotonic, with any epoch.
    #[must_use]
    pub const fn with_clock(mut self, now: fn() -> Duration) -> Self {
        self.now = Some(now);
        self
    }

    /// Sets the timeout of a firmware request.
    #[must_use]
    pub const fn with_ioctl_timeout(mut self, timeout: Duration) -> Self {
        self.ioctl_timeout = timeout;
        self
    }

    /// Sets after how many calls of `service` without a received frame the chip is checked; 0 for
    /// no check.
    #[must_use]
    pub const fn with_watchdog_polls(mut self, polls: u16) -> Self {
        self.watchdog_polls = polls;
        self
    }

    /// Sets the poll interval of the async driver if the bus cannot wait for the interrupt.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the interval at which the async driver checks an idle chip.
    #[must_use]
    pub const fn with_watchdog_interval(mut self, interval: Duration) -> Self {
        self.watchdog_interval = Some(interval);
        self
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// A [`Config`] with its times in integers: the clock of the bus counts microseconds in 32 bits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) country: Country,
    pub(crate) mac_address: Option<MacAddress>,
    pub(crate) power_save: PowerSave,
    pub(crate) verify: Verify,
    pub(crate) reconnect: Option<ReconnectPolicy>,
    pub(crate) join_timeout_ms: u32,
    now: Option<fn() -> Duration>,
    pub(crate) ioctl_timeout_ms: u32,
    pub(crate) watchdog_polls: u16,
    pub(crate) poll_interval_us: u32,
    /// 0 for no check.
    pub(crate) watchdog_ms: u32,
}

impl Settings {
    // Inlined, so that the compiler evaluates the conversions of a constant `Config`.
    #[inline(always)]
    pub(crate) fn new(config: &Config) -> Self {
        /// Below the 71 minutes after which the clock of the bus wraps.
        const MAX_TIMEOUT_MS: u32 = 3_600_000;
        Self {
            country: config.country,
            mac_address: config.mac_address,
            power_save: config.power_save,
            verify: config.verify,
            reconnect: config.reconnect,
            join_timeout_ms: millis(config.join_timeout).min(MAX_TIMEOUT_MS),
            now: config.now,
            ioctl_timeout_ms: millis(config.ioctl_timeout).min(MAX_TIMEOUT_MS),
            watchdog_polls: config.watchdog_polls,
            poll_interval_us: micros(config.poll_interval).max(1),
            watchdog_ms: config.watchdog_interval.map_or(0, |interval| millis(interval).max(1)),
        }
    }

    pub(crate) const fn has_clock(&self) -> bool {
        self.now.is_some()
    }

    /// The time of the caller's clock in milliseconds, wrapping.
    pub(crate) fn now_ms(&self) -> Option<u32> {
        let now = self.now?();
        Some(
            (now.as_secs() as u32)
                .wrapping_mul(1000)
                .wrapping_add(now.subsec_millis()),
        )
    }
}

/// Milliseconds, saturating.
#[inline]
pub(crate) const fn millis(time: Duration) -> u32 {
    if time.as_secs() >= u32::MAX as u64 / 1000 {
        return u32::MAX;
    }
    time.as_secs() as u32 * 1000 + time.subsec_millis()
}

/// Microseconds, saturating.
#[inline]
const fn micros(time: Duration) -> u32 {
    if time.as_secs() >= u32::MAX as u64 / 1_000_000 {
        return u32::MAX;
    }
    time.as_secs() as u32 * 1_000_000 + time.subsec_micros()
}

/// The power-save mode: when the radio sleeps between beacons. Frames to a sleeping radio wait at
/// the access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PowerSave {
    /// Always on: lowest latency, highest current.
    Off,
    /// Sleeps after 20 ms without traffic. Receives every beacon.
    Fast,
    /// Sleeps after 200 ms without traffic. Receives every beacon; the access point keeps frames
    /// for ten.
    #[default]
    Balanced,
    /// Sleeps after 2 s without traffic. Receives every beacon.
    Aggressive,
    /// Sleeps after 2 s without traffic, for as many beacons as the access point allows. Group
    /// traffic is missed.
    Deep,
}

/// The firmware settings of a power-save mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PowerSettings {
    /// The firmware's mode: 0 off, 2 fast.
    pub(crate) mode: u32,
    /// Time without traffic after which it sleeps, in milliseconds.
    pub(crate) sleep_after_ms: u32,
    /// Every how many beacons it listens, in beacons and in DTIMs.
    pub(crate) beacons: u32,
    pub(crate) dtims: u32,
    /// The listen interval that is announced to the access point, in beacons.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_saturate() {
        let config = Config::new()
            .with_join_timeout(Duration::MAX)
            .with_poll_interval(Duration::ZERO)
            .with_watchdog_interval(Duration::from_micros(1));
        let settings = Settings::new(&config);
        assert_eq!(settings.join_timeout_ms, 3_600_000);
        assert_eq!((settings.poll_interval_us, settings.watchdog_ms), (1, 1));
        assert_eq!(Settings::new(&Config::new()).watchdog_ms, 0);
        assert_eq!((millis(Duration::MAX), micros(Duration::MAX)), (u32::MAX, u32::MAX));
    }

    #[test]
    fn with_each_setting_sets_its_field() {
        let country = Country::new("DE").unwrap();
        let address = MacAddress::new([2, 0, 0, 0, 0, 1]);
        let policy = ReconnectPolicy::PERSISTENT.with_max_attempts(3);
        let seconds = Duration::from_secs;
        let config = Config::default()
            .with_country(country)
            .with_mac_address(address)
            .with_power_save(PowerSave::Deep)
            .with_verify(Verify::Everything)
            .with_reconnect(policy)
            .with_join_timeout(seconds(2))
            .with_ioctl_timeout(seconds(3))
            .with_watchdog_polls(4)
            .with_poll_interval(Duration::from_micros(5))
            .with_watchdog_interval(seconds(6));
        assert_eq!((config.country, config.mac_address), (country, Some(address)));
        assert_eq!(
            (config.power_save, config.verify),
            (PowerSave::Deep, Verify::Everything)
        );
        assert_eq!(config.reconnect, Some(policy));
        let settings = Settings::new(&config);
        assert_eq!((settings.join_timeout_ms, settings.ioctl_timeout_ms), (2000, 3000));
        assert_eq!((settings.watchdog_polls, settings.poll_interval_us), (4, 5));
        assert_eq!(settings.watchdog_ms, 6000);
        assert!(!settings.has_clock() && settings.now_ms().is_none());
        assert_eq!(millis(Duration::new(3, 7_999_999)), 3007);
        assert_eq!(micros(Duration::new(2, 5_999)), 2_000_005);
    }

    #[test]
    fn settings_sleep_longer_in_deeper_modes() {
        let of = |power_save: PowerSave| power_save.settings();
        assert_eq!(of(PowerSave::Off).mode, 0);
        for power_save in [
            PowerSave::Fast,
            PowerSave::Balanced,
            PowerSave::Aggressive,
            PowerSave::Deep,
        ] {
            let settings = of(power_save);
            // The firmware takes multiples of 10 ms up to 2 s.
            assert!(settings.mode == 2 && settings.sleep_after_ms % 10 == 0 && settings.sleep_after_ms <= 2000);
        }
        assert!(of(PowerSave::Fast).sleep_after_ms < of(PowerSave::Balanced).sleep_after_ms);
        assert!(of(PowerSave::Balanced).sleep_after_ms < of(PowerSave::Aggressive).sleep_after_ms);
        assert!(of(PowerSave::Deep).listen > of(PowerSave::Aggressive).listen);
    }

    #[test]
    fn now_ms_beyond_32_bits_wraps() {
        let config = Config::new().with_clock(|| Duration::from_millis((1 << 32) + 7));
        assert_eq!(Settings::new(&config).now_ms(), Some(7));
    }
}
