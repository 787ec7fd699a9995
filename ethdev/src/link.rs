//! Link state: up or down, speed, duplex and PAUSE.

use core::fmt;

/// The state of the link, as cached by the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Link {
    /// No cable, no association, no common mode: frames cannot cross.
    #[default]
    Down,
    /// Frames can cross.
    Up(LinkMode),
}

impl Link {
    /// A link that is up in an unknown mode (a TAP device, Wi-Fi).
    pub const UP: Self = Self::Up(LinkMode::UNKNOWN);

    /// Returns whether frames can cross.
    #[must_use]
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Up(_))
    }

    /// Returns the mode if the link is up.
    #[must_use]
    pub const fn mode(self) -> Option<LinkMode> {
        match self {
            Self::Up(mode) => Some(mode),
            Self::Down => None,
        }
    }
}

/// `down`, or `up` with what is known of the mode: `up 100 Mbit/s full duplex`.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("down"),
            Self::Up(mode) => {
                f.write_str("up")?;
                if let Some(speed) = mode.speed {
                    write!(f, " {speed}")?;
                }
                match mode.duplex {
                    Some(Duplex::Half) => f.write_str(" half duplex"),
                    Some(Duplex::Full) => f.write_str(" full duplex"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The mode of a link that is up. Properties that the device cannot know are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct LinkMode {
    /// Bits per second on the medium.
    pub speed: Option<Speed>,
    /// Whether both ends may send at once.
    pub duplex: Option<Duplex>,
    /// Whether PAUSE frames (IEEE 802.3 annex 31B) are honoured and sent.
    pub pause: Pause,
}

impl LinkMode {
    /// Nothing is known about the mode.
    pub const UNKNOWN: Self = Self {
        speed: None,
        duplex: None,
        pause: Pause { rx: false, tx: false },
    };

    /// A mode of known speed and duplex, without PAUSE.
    #[must_use]
    pub const fn new(speed: Speed, duplex: Duplex) -> Self {
        Self {
            speed: Some(speed),
            duplex: Some(duplex),
            pause: Pause { rx: false, tx: false },
        }
    }

    /// Sets the PAUSE resolution.
    #[must_use]
    pub const fn with_pause(mut self, pause: Pause) -> Self {
        self.pause = pause;
        self
    }
}

/// Bits per second on the medium, in units of 1 kbit/s (1 kbit/s to 4.2 Tbit/s).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Speed(u32);

impl Speed {
    /// 10 Mbit/s.
    pub const MBPS_10: Self = Self::from_mbps(10);
    /// 100 Mbit/s.
    pub const MBPS_100: Self = Self::from_mbps(100);
    /// 1000 Mbit/s.
    pub const MBPS_1000: Self = Self::from_mbps(1000);

    /// From kbit/s.
    #[must_use]
    pub const fn from_kbps(kbps: u32) -> Self {
        Self(kbps)
    }

    /// From Mbit/s. Saturates above 4 294 967 Mbit/s.
    #[must_use]
    pub const fn from_mbps(mbps: u32) -> Self {
        Self(mbps.saturating_mul(1000))
    }

    /// In kbit/s.
    #[must_use]
    pub const fn kbps(self) -> u32 {
        self.0
    }

    /// In whole Mbit/s, rounded down.
    #[must_use]
    pub const fn mbps(self) -> u32 {
        self.0 / 1000
    }
}

/// In Mbit/s, or in kbit/s below one.
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            write!(f, "{} kbit/s", self.0)
        } else {
            write!(f, "{} Mbit/s", self.mbps())
        }
    }
}

/// Whether both ends may send at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Duplex {
    /// One end at a time (CSMA/CD).
    Half,
    /// Both at once.
    Full,
}

/// PAUSE resolution (IEEE 802.3 annex 28B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pause {
    /// The device stops sending when the partner asks it to.
    pub rx: bool,
    /// The device asks the partner to stop when its receive queue is full.
    pub tx: bool,
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn display_link_is_readable() {
        assert_eq!(Link::Down.to_string(), "down");
        assert_eq!(Link::UP.to_string(), "up");
        let mode = LinkMode::new(Speed::MBPS_100, Duplex::Full);
        assert_eq!(Link::Up(mode).to_string(), "up 100 Mbit/s full duplex");
        assert_eq!(Speed::from_kbps(500).to_string(), "500 kbit/s");
    }

    #[test]
    fn display_speed_below_one_mbit_is_in_kbit() {
        assert_eq!(Speed::from_kbps(999).to_string(), "999 kbit/s");
        assert_eq!(Speed::from_kbps(1000).to_string(), "1 Mbit/s");
        assert_eq!(Speed::from_kbps(2500).to_string(), "2 Mbit/s");
    }

    #[test]
    fn mode_link_up_is_returned() {
        let pause = Pause { rx: true, tx: false };
        let mode = LinkMode::new(Speed::MBPS_10, Duplex::Half).with_pause(pause);
        assert_eq!(
            (mode.speed, mode.duplex, mode.pause),
            (Some(Speed::MBPS_10), Some(Duplex::Half), pause)
        );
        assert_eq!(Link::Up(mode).mode(), Some(mode));
        assert!(Link::Up(mode).is_up());
        assert_eq!(Link::Down.mode(), None);
        assert!(!Link::Down.is_up());
    }

    #[test]
    fn mbps_rounds_down() {
        assert_eq!(Speed::MBPS_100.kbps(), 100_000);
        assert_eq!(Speed::MBPS_100.mbps(), 100);
        assert_eq!(Speed::from_kbps(1999).mbps(), 1);
    }

    #[test]
    fn from_mbps_large_saturates() {
        assert_eq!(Speed::from_mbps(u32::MAX).kbps(), u32::MAX);
    }
}
