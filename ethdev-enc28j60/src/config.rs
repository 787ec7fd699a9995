//! The configuration of the driver.

use core::time::Duration;

use ethdev::{Duplex, MacAddress, MaxFrameLen};

/// The configuration of the driver. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The MAC address. The chip has none of its own.
    pub mac_address: MacAddress,
    /// Half duplex unless the link partner is fixed to 10 Mbit/s full duplex: the chip does not
    /// negotiate, and a partner that does falls back to half duplex. A mismatch loses frames
    /// under load.
    pub duplex: Duplex,
    /// The functions of the LEDs.
    pub leds: Leds,
    /// Whether frames may have a VLAN tag: 1518 instead of 1514 bytes without FCS.
    pub vlan: bool,
    /// The poll interval of the async driver without an INT line, at least 1 µs, at most 71
    /// minutes. It bounds the receive latency. A poll takes 6 bytes on the bus; with the
    /// settings check at every 32nd poll, under 10 bytes on average.
    pub poll_interval: Duration,
    /// The interval at which the async driver checks an idle chip with an INT line, 1 µs to 71
    /// minutes; `None` for no check, and then no idle traffic. A chip that lost its registers
    /// in a brown-out raises no interrupt.
    pub watchdog_interval: Option<Duration>,
}

impl Config {
    /// Creates a configuration: half duplex, LEDA for the link and LEDB for traffic, no VLAN, polls
    /// every 1 ms, no watchdog.
    #[must_use]
    pub const fn new(mac_address: MacAddress) -> Self {
        Self {
            mac_address,
            duplex: Duplex::Half,
            leds: Leds::LINK_AND_TRAFFIC,
            vlan: false,
            poll_interval: Duration::from_millis(1),
            watchdog_interval: None,
        }
    }

    /// Sets the duplex mode.
    #[must_use]
    pub const fn with_duplex(mut self, duplex: Duplex) -> Self {
        self.duplex = duplex;
        self
    }

    /// Sets the functions of the LEDs.
    #[must_use]
    pub const fn with_leds(mut self, leds: Leds) -> Self {
        self.leds = leds;
        self
    }

    /// Sets whether frames may have a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// Sets the poll interval of the async driver without an INT line.
    #[must_use]
    pub const fn with_poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = interval;
        self
    }

    /// Sets the interval at which the async driver checks an idle chip with an INT line.
    #[must_use]
    pub const fn with_watchdog_interval(mut self, interval: Duration) -> Self {
        self.watchdog_interval = Some(interval);
        self
    }
}

/// The part of a [`Config`] that is needed to set up the chip again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mac_address: MacAddress,
    pub(crate) duplex: Duplex,
    pub(crate) leds: Leds,
    vlan: bool,
}

/// Microseconds for a delay, at least 1 and at most 71 minutes.
pub(crate) const fn delay_us(interval: Duration) -> u32 {
    if interval.as_secs() >= 4294 {
        return u32::MAX;
    }
    match interval.as_secs() as u32 * 1_000_000 + interval.subsec_micros() {
        0 => 1,
        us => us,
    }
}

impl Settings {
    pub(crate) const fn new(config: &Config) -> Self {
        Self {
            mac_address: config.mac_address,
            duplex: config.duplex,
            leds: config.leds,
            vlan: config.vlan,
        }
    }

    pub(crate) const fn is_full_duplex(&self) -> bool {
        matches!(self.duplex, Duplex::Full)
    }

    /// Longest frame without FCS.
    pub(crate) const fn max_frame_len(&self) -> MaxFrameLen {
        if self.vlan {
            MaxFrameLen::VLAN
        } else {
            MaxFrameLen::ETHERNET
        }
    }
}

/// The functions of the two LEDs (data sheet register 2-2, PHLCON).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leds {
    /// LEDA.
    pub a: Led,
    /// LEDB.
    pub b: Led,
    /// How long short events light an LED.
    pub stretch: LedStretch,
}

impl Leds {
    /// LEDA for the link, LEDB for traffic, events stretched to 40 ms.
    pub const LINK_AND_TRAFFIC: Self = Self::new(Led::Link, Led::Traffic);

    /// Creates a setting with events stretched to 40 ms.
    #[must_use]
    pub const fn new(a: Led, b: Led) -> Self {
        Self {
            a,
            b,
            stretch: LedStretch::Normal,
        }
    }

    /// Sets how long short events light an LED.
    #[must_use]
    pub const fn with_stretch(mut self, stretch: LedStretch) -> Self {
        self.stretch = stretch;
        self
    }

    pub(crate) const fn phlcon(self) -> u16 {
        let (length, on) = match self.stretch {
            LedStretch::Off => (0, 0),
            LedStretch::Normal => (0, crate::regs::phy::PHLCON_STRCH),
            LedStretch::Medium => (1, crate::regs::phy::PHLCON_STRCH),
            LedStretch::Long => (2, crate::regs::phy::PHLCON_STRCH),
        };
        crate::regs::phy::PHLCON_RESERVED_ONES | ((self.a as u16) << 8) | ((self.b as u16) << 4) | (length << 2) | on
    }
}

/// The function of one LED. Code 14 (duplex and collisions) is left out, because it does not work
/// (erratum 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum Led {
    /// Sending.
    Transmit = 0x1,
    /// Receiving.
    Receive = 0x2,
    /// Collisions.
    Collision = 0x3,
    /// Link up.
    Link = 0x4,
    /// Full duplex.
    Duplex = 0x5,
    /// Sending or receiving.
    Traffic = 0x7,
    /// Always on.
    On = 0x8,
    /// Always off.
    Off = 0x9,
    /// Blinking fast.
    BlinkFast = 0xa,
    /// Blinking slowly.
    BlinkSlow = 0xb,
    /// Link up, and receiving.
    LinkAndReceive = 0xc,
    /// Link up, and traffic.
    LinkAndTraffic = 0xd,
}

/// How long a short event lights an LED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedStretch {
    /// For the time of the event.
    Off,
    /// About 40 ms (TNSTRCH).
    Normal,
    /// About 73 ms (TMSTRCH).
    Medium,
    /// About 139 ms (TLSTRCH).
    Long,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_us_out_of_range_saturates() {
        assert_eq!(delay_us(Duration::ZERO), 1);
        assert_eq!(delay_us(Duration::from_millis(1)), 1000);
        assert_eq!(delay_us(Duration::from_micros(4_293_999_999)), 4_293_999_999);
        assert_eq!(delay_us(Duration::MAX), u32::MAX);
    }

    #[test]
    fn phlcon_matches_microchips_stack() {
        assert_eq!(Leds::LINK_AND_TRAFFIC.phlcon(), 0x3472);
        let shown = Leds::new(Led::LinkAndTraffic, Led::Collision).with_stretch(LedStretch::Long);
        assert_eq!(shown.phlcon(), 0x3d3a);
    }
}
