//! What a user may choose.

use ethdev::{Duplex, MacAddress, MaxFrameLen};

/// How the chip is set up. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The station address. The chip has none of its own.
    pub mac_address: MacAddress,
    /// Half unless the partner was set to 10 Mbit/s full duplex by hand: the chip does not negotiate, and every partner that does takes it for half
    /// duplex. A mismatch loses frames under load.
    pub duplex: Duplex,
    /// What the LEDs show.
    pub leds: Leds,
    /// Whether frames may have a VLAN tag: 1518 instead of 1514 bytes.
    pub vlan: bool,
    /// How often the async driver looks at a chip without INT line while it waits, in microseconds. This is the latency, and one poll of 6 bytes per interval,
    /// with a check of the chip's settings at every 32nd, is all the idle traffic: under 10 bytes per interval.
    pub poll_interval_us: u32,
    /// How often the async driver looks after an idle chip that has an INT line, in milliseconds; 0 = never, which makes idle traffic nothing. A chip that lost its
    /// registers in a brown-out raises no interrupt.
    pub idle_check_ms: u32,
}

impl Config {
    /// Half duplex, LED A for the link and B for traffic, no VLAN, polls every 1 ms, no idle check.
    #[must_use]
    pub const fn new(mac_address: MacAddress) -> Self {
        Self {
            mac_address,
            duplex: Duplex::Half,
            leds: Leds::LINK_AND_TRAFFIC,
            vlan: false,
            poll_interval_us: 1000,
            idle_check_ms: 0,
        }
    }

    /// The same with this duplex.
    #[must_use]
    pub const fn with_duplex(mut self, duplex: Duplex) -> Self {
        self.duplex = duplex;
        self
    }

    /// The same with these LEDs.
    #[must_use]
    pub const fn with_leds(mut self, leds: Leds) -> Self {
        self.leds = leds;
        self
    }

    /// The same with or without room for a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// The same with this interval between polls, in microseconds. 0 counts as 1.
    #[must_use]
    pub const fn with_poll_interval_us(mut self, us: u32) -> Self {
        self.poll_interval_us = us;
        self
    }

    /// The same with this interval between looks at an idle chip with INT line, in milliseconds; 0 = never.
    #[must_use]
    pub const fn with_idle_check_ms(mut self, ms: u32) -> Self {
        self.idle_check_ms = ms;
        self
    }
}

/// What the driver keeps of a [`Config`] to set the chip up again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mac_address: MacAddress,
    pub(crate) duplex: Duplex,
    pub(crate) leds: Leds,
    vlan: bool,
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

/// What the two LEDs show, and for how long (data sheet register 2-2, PHLCON).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leds {
    /// LEDA.
    pub a: Led,
    /// LEDB.
    pub b: Led,
    /// How long short events are shown.
    pub stretch: LedStretch,
}

impl Leds {
    /// LEDA for the link, LEDB for traffic, events shown for 40 ms.
    pub const LINK_AND_TRAFFIC: Self = Self::new(Led::Link, Led::Traffic);

    /// These, events shown for 40 ms.
    #[must_use]
    pub const fn new(a: Led, b: Led) -> Self {
        Self {
            a,
            b,
            stretch: LedStretch::Normal,
        }
    }

    /// The same with events shown for so long.
    #[must_use]
    pub const fn with_stretch(mut self, stretch: LedStretch) -> Self {
        self.stretch = stretch;
        self
    }

    pub(crate) const fn phlcon(self) -> u16 {
        let (length, on) = match self.stretch {
            LedStretch::Off => (0, 0),
            LedStretch::Normal => (0, crate::regs::phy::PHLCON_STRCH),
            LedStretch::Ms73 => (1, crate::regs::phy::PHLCON_STRCH),
            LedStretch::Ms139 => (2, crate::regs::phy::PHLCON_STRCH),
        };
        crate::regs::phy::PHLCON_RESERVED_ONES | ((self.a as u16) << 8) | ((self.b as u16) << 4) | (length << 2) | on
    }
}

/// What one LED shows. Code 14 (duplex and collisions) is missing: it does not work (erratum 11).
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

/// How long an LED shows a short event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedStretch {
    /// As long as it is.
    Off,
    /// About 40 ms.
    Normal,
    /// About 73 ms.
    Ms73,
    /// About 139 ms.
    Ms139,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leds_as_microchips_stack_has_them() {
        assert_eq!(Leds::LINK_AND_TRAFFIC.phlcon(), 0x3472);
        let shown = Leds::new(Led::LinkAndTraffic, Led::Collision).with_stretch(LedStretch::Ms139);
        assert_eq!(shown.phlcon(), 0x3d3a);
    }
}
