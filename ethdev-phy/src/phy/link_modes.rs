//! Link modes: advertisement, and its resolution between two link partners.

use core::fmt;

use ethdev::{Duplex, LinkMode, Pause, Speed};

/// A set of link modes. The layout is that of bits 5 to 11 of registers 4 and 5 (IEEE 802.3 annex
/// 28B).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LinkModes(u16);

impl LinkModes {
    /// 10BASE-T half duplex.
    pub const T10_HALF: Self = Self(1 << 5);
    /// 10BASE-T full duplex.
    pub const T10_FULL: Self = Self(1 << 6);
    /// 100BASE-TX half duplex.
    pub const TX100_HALF: Self = Self(1 << 7);
    /// 100BASE-TX full duplex.
    pub const TX100_FULL: Self = Self(1 << 8);
    /// PAUSE, symmetric.
    pub const PAUSE: Self = Self(1 << 10);
    /// PAUSE, asymmetric.
    pub const PAUSE_ASYMMETRIC: Self = Self(1 << 11);
    /// All four combinations of speed and duplex, without PAUSE.
    pub const ALL_MODES: Self = Self(0b1111 << 5);
    /// No mode.
    pub const NONE: Self = Self(0);

    const MASK: u16 = Self::ALL_MODES.0 | Self::PAUSE.0 | Self::PAUSE_ASYMMETRIC.0;
    /// Selector field: IEEE 802.3.
    const SELECTOR: u16 = 1;

    /// Creates a set from the value of register 4 or 5.
    #[must_use]
    pub const fn from_register(value: u16) -> Self {
        Self(value & Self::MASK)
    }

    /// Returns the value of register 4 that advertises this set.
    #[must_use]
    pub const fn to_register(self) -> u16 {
        self.0 | Self::SELECTOR
    }

    /// Returns the modes that are in `self` or `other`.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the modes that are in both `self` and `other`.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns whether every mode of `other` is in `self`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Creates a set of one mode; `None` if it has no bit here (1000 Mbit/s for example).
    #[must_use]
    pub const fn from_mode(speed: Speed, duplex: Duplex) -> Option<Self> {
        Some(match (speed.kbps(), duplex) {
            (100_000, Duplex::Full) => Self::TX100_FULL,
            (100_000, Duplex::Half) => Self::TX100_HALF,
            (10_000, Duplex::Full) => Self::T10_FULL,
            (10_000, Duplex::Half) => Self::T10_HALF,
            _ => return None,
        })
    }

    /// Returns the speeds and duplexes of the set, without PAUSE.
    #[must_use]
    pub const fn without_pause(self) -> Self {
        self.intersection(Self::ALL_MODES)
    }

    /// Returns whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the mode of a link between this set and that of the `partner`: the common mode of
    /// the highest priority (annex 28B.3), and PAUSE (table 28B-3); `None` if there is no
    /// common mode.
    #[must_use]
    pub const fn resolve(self, partner: Self) -> Option<LinkMode> {
        let common = self.intersection(partner);
        let (speed, duplex) = if common.contains(Self::TX100_FULL) {
            (Speed::MBPS_100, Duplex::Full)
        } else if common.contains(Self::TX100_HALF) {
            (Speed::MBPS_100, Duplex::Half)
        } else if common.contains(Self::T10_FULL) {
            (Speed::MBPS_10, Duplex::Full)
        } else if common.contains(Self::T10_HALF) {
            (Speed::MBPS_10, Duplex::Half)
        } else {
            return None;
        };
        let pause = match duplex {
            Duplex::Half => Pause { rx: false, tx: false },
            Duplex::Full => self.resolve_pause(partner),
        };
        Some(LinkMode::new(speed, duplex).with_pause(pause))
    }

    const fn resolve_pause(self, partner: Self) -> Pause {
        let asymmetric = self.intersection(partner).contains(Self::PAUSE_ASYMMETRIC);
        match (self.contains(Self::PAUSE), partner.contains(Self::PAUSE)) {
            (true, true) => Pause { rx: true, tx: true },
            (true, false) if asymmetric => Pause { rx: true, tx: false },
            (false, true) if asymmetric => Pause { rx: false, tx: true },
            _ => Pause { rx: false, tx: false },
        }
    }
}

impl fmt::Debug for LinkModes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkModes({:#06x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn resolve_either_side_same_mode(a: u16, b: u16) {
            let (a, b) = (LinkModes::from_register(a), LinkModes::from_register(b));
            let (here, there) = (a.resolve(b), b.resolve(a));
            prop_assert_eq!(here.map(|m| (m.speed, m.duplex)), there.map(|m| (m.speed, m.duplex)));
            if let (Some(here), Some(there)) = (here, there) {
                // PAUSE frames that one end sends are obeyed by the other.
                prop_assert_eq!(here.pause.tx, there.pause.rx);
                prop_assert_eq!(here.pause.rx, there.pause.tx);
            }
        }

        #[test]
        fn resolve_any_highest_common_mode(a: u16, b: u16) {
            let (a, b) = (LinkModes::from_register(a), LinkModes::from_register(b));
            match a.resolve(b) {
                Some(mode) => {
                    let bit = LinkModes::from_mode(mode.speed.unwrap(), mode.duplex.unwrap()).unwrap();
                    prop_assert!(a.contains(bit) && b.contains(bit));
                    // The bits are in the order of annex 28B.3: no common bit is above this one.
                    prop_assert!(a.intersection(b).without_pause().to_register() >> 1 < bit.to_register());
                }
                None => prop_assert!(a.intersection(b).without_pause().is_empty()),
            }
        }

        #[test]
        fn from_register_any_round_trips(value: u16) {
            let set = LinkModes::from_register(value);
            prop_assert_eq!(LinkModes::from_register(set.to_register()), set);
            prop_assert_eq!(set.to_register() & 0x1f, 1);
        }
    }

    /// IEEE 802.3 table 28B-3, row by row. Bit 1 is PAUSE, bit 0 asymmetric PAUSE.
    #[test]
    fn resolve_pause_table_28b_3() {
        let set = |pause: bool, asymmetric: bool| {
            let mut set = LinkModes::TX100_FULL;
            if pause {
                set = set.union(LinkModes::PAUSE);
            }
            if asymmetric {
                set = set.union(LinkModes::PAUSE_ASYMMETRIC);
            }
            set
        };
        for local in 0..4 {
            for partner in 0..4 {
                let here = set(local & 2 != 0, local & 1 != 0);
                let there = set(partner & 2 != 0, partner & 1 != 0);
                let pause = here.resolve(there).unwrap().pause;
                let expected = match (local, partner) {
                    (2 | 3, 2 | 3) => (true, true),
                    (1, 3) => (false, true),
                    (3, 1) => (true, false),
                    _ => (false, false),
                };
                assert_eq!(
                    (pause.rx, pause.tx),
                    expected,
                    "local {local:02b}, partner {partner:02b}"
                );
            }
        }
    }

    #[test]
    fn resolve_half_duplex_no_pause() {
        let both = LinkModes::T10_HALF.union(LinkModes::PAUSE);
        assert_eq!(both.resolve(both).unwrap().pause, Pause::default());
        assert_eq!(LinkModes::T10_HALF.resolve(LinkModes::TX100_FULL), None);
    }

    #[test]
    fn from_mode_gigabit_none() {
        assert_eq!(LinkModes::from_mode(Speed::MBPS_1000, Duplex::Full), None);
        assert_eq!(
            LinkModes::from_mode(Speed::MBPS_10, Duplex::Half),
            Some(LinkModes::T10_HALF)
        );
    }
}
