//! Link modes: what is advertised, and what two partners make of it.

use core::fmt;

use ethdev::{Duplex, LinkMode, Pause, Speed};

/// A set of link modes, laid out as bits 5 to 11 of registers 4 and 5 (IEEE 802.3 annex 28B).
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
    /// All four speeds and duplexes, no PAUSE.
    pub const ALL_MODES: Self = Self(0b1111 << 5);
    /// Nothing.
    pub const NONE: Self = Self(0);

    const MASK: u16 = Self::ALL_MODES.0 | Self::PAUSE.0 | Self::PAUSE_ASYMMETRIC.0;
    /// Selector field: IEEE 802.3.
    const SELECTOR: u16 = 1;

    /// What register 4 or 5 tells.
    #[must_use]
    pub const fn from_register(value: u16) -> Self {
        Self(value & Self::MASK)
    }

    /// What to write to register 4 to advertise this set.
    #[must_use]
    pub const fn to_register(self) -> u16 {
        self.0 | Self::SELECTOR
    }

    /// Those of either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` are in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The one mode of this speed and duplex; `None` where there is no bit for it.
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

    /// The speeds and duplexes in it, without PAUSE.
    #[must_use]
    pub const fn modes(self) -> Self {
        self.common(Self::ALL_MODES)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What two partners agree on: the best common mode (annex 28B.3), and PAUSE (table 28B-3); `None` where they have no mode in common.
    #[must_use]
    pub const fn resolve(self, partner: Self) -> Option<LinkMode> {
        let common = self.common(partner);
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
        let asymmetric = self.common(partner).contains(Self::PAUSE_ASYMMETRIC);
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
        fn both_partners_resolve_alike(a: u16, b: u16) {
            let (a, b) = (LinkModes::from_register(a), LinkModes::from_register(b));
            let (here, there) = (a.resolve(b), b.resolve(a));
            prop_assert_eq!(here.map(|m| (m.speed, m.duplex)), there.map(|m| (m.speed, m.duplex)));
            if let (Some(here), Some(there)) = (here, there) {
                // What one end sends, the other honours.
                prop_assert_eq!(here.pause.tx, there.pause.rx);
                prop_assert_eq!(here.pause.rx, there.pause.tx);
            }
        }

        #[test]
        fn the_mode_agreed_on_is_one_of_both(a: u16, b: u16) {
            let (a, b) = (LinkModes::from_register(a), LinkModes::from_register(b));
            match a.resolve(b) {
                Some(mode) => {
                    let bit = LinkModes::from_mode(mode.speed.unwrap(), mode.duplex.unwrap()).unwrap();
                    prop_assert!(a.contains(bit) && b.contains(bit));
                    // The bits stand in annex 28B.3's order: none above this one is common.
                    prop_assert!(a.common(b).modes().to_register() >> 1 < bit.to_register());
                }
                None => prop_assert!(a.common(b).modes().is_empty()),
            }
        }

        #[test]
        fn registers_and_back(value: u16) {
            let set = LinkModes::from_register(value);
            prop_assert_eq!(LinkModes::from_register(set.to_register()), set);
            prop_assert_eq!(set.to_register() & 0x1f, 1);
        }
    }

    /// IEEE 802.3 table 28B-3, row by row: local PAUSE and asymmetric, the partner's, who then sends and who honours.
    #[test]
    fn pause_as_table_28b_3_has_it() {
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
    fn half_duplex_has_no_pause() {
        let both = LinkModes::T10_HALF.union(LinkModes::PAUSE);
        assert_eq!(both.resolve(both).unwrap().pause, Pause::default());
        assert_eq!(LinkModes::T10_HALF.resolve(LinkModes::TX100_FULL), None);
    }

    #[test]
    fn a_mode_has_a_bit_or_none() {
        assert_eq!(LinkModes::from_mode(Speed::MBPS_1000, Duplex::Full), None);
        assert_eq!(
            LinkModes::from_mode(Speed::MBPS_10, Duplex::Half),
            Some(LinkModes::T10_HALF)
        );
    }
}
