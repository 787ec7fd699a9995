//! PHYs with clause-22 registers: what every driver of one has in common.
//!
//! A PHY driver does not own the bus and never sleeps: the bus and the time are arguments.

use core::fmt;
use core::time::Duration;

use crate::mdio::{Mdio, PhyAddress, RegisterAddress};
use crate::{Duplex, Error, ErrorKind, LinkMode, Pause, Speed};

/// Registers that the standard names (IEEE 802.3 table 22-6).
pub mod reg {
    use super::RegisterAddress;

    /// Basic mode control (clause 22.2.4.1).
    pub const BMCR: RegisterAddress = RegisterAddress(0);
    /// Basic mode status (clause 22.2.4.2).
    pub const BMSR: RegisterAddress = RegisterAddress(1);
    /// PHY identifier, upper half (clause 22.2.4.3.1).
    pub const PHYID1: RegisterAddress = RegisterAddress(2);
    /// PHY identifier, lower half.
    pub const PHYID2: RegisterAddress = RegisterAddress(3);
    /// Auto-negotiation advertisement (clause 28.2.4.1.3).
    pub const ANAR: RegisterAddress = RegisterAddress(4);
    /// Auto-negotiation link partner ability (clause 28.2.4.1.4).
    pub const ANLPAR: RegisterAddress = RegisterAddress(5);
    /// Auto-negotiation expansion (clause 28.2.4.1.5).
    pub const ANER: RegisterAddress = RegisterAddress(6);
}

/// Bits of the basic mode control register.
pub mod bmcr {
    /// Software reset; clears itself within 0.5 s.
    pub const RESET: u16 = 1 << 15;
    /// Near-end loopback.
    pub const LOOPBACK: u16 = 1 << 14;
    /// 100 Mbit/s, where auto-negotiation is off.
    pub const SPEED_100: u16 = 1 << 13;
    /// Auto-negotiation on.
    pub const AUTONEG_ENABLE: u16 = 1 << 12;
    /// Power down.
    pub const POWER_DOWN: u16 = 1 << 11;
    /// Electrically off the MII.
    pub const ISOLATE: u16 = 1 << 10;
    /// Begin auto-negotiation anew; clears itself.
    pub const AUTONEG_RESTART: u16 = 1 << 9;
    /// Full duplex, where auto-negotiation is off.
    pub const FULL_DUPLEX: u16 = 1 << 8;
}

/// Bits of the basic mode status register.
pub mod bmsr {
    /// Auto-negotiation is complete.
    pub const AUTONEG_COMPLETE: u16 = 1 << 5;
    /// The partner reports a fault; latched high.
    pub const REMOTE_FAULT: u16 = 1 << 4;
    /// The PHY can auto-negotiate.
    pub const AUTONEG_ABLE: u16 = 1 << 3;
    /// The link is up; latched low until read, so that the first of two reads tells of a loss since, the second of now.
    pub const LINK_UP: u16 = 1 << 2;
}

/// The identity of a PHY (registers 2 and 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PhyId(u32);

impl PhyId {
    /// From registers 2 and 3; `None` for all ones and all zeros, which is what a bus without a PHY (or a PHY without a clock) reads.
    #[must_use]
    pub const fn from_registers(id1: u16, id2: u16) -> Option<Self> {
        match ((id1 as u32) << 16) | id2 as u32 {
            0 | 0xffff_ffff => None,
            raw => Some(Self(raw)),
        }
    }

    /// Both registers, register 2 in the upper half.
    #[must_use]
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// Bits 3 to 24 of the manufacturer's OUI, as registers hold them (clause 22.2.4.3.1): 22 bits.
    #[must_use]
    pub const fn oui(self) -> u32 {
        self.0 >> 10
    }

    /// The manufacturer's model number: 6 bits.
    #[must_use]
    pub const fn model(self) -> u8 {
        ((self.0 >> 4) & 0x3f) as u8
    }

    /// The revision: 4 bits.
    #[must_use]
    pub const fn revision(self) -> u8 {
        (self.0 & 0xf) as u8
    }
}

/// A set of link modes, laid out as bits 5 to 11 of registers 4 and 5 (IEEE 802.3 annex 28B).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Abilities(u16);

impl Abilities {
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
    pub const fn or(self, other: Self) -> Self {
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

impl fmt::Debug for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Abilities({:#06x})", self.0)
    }
}

/// What a [`Phy::poll`] noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PhyEvent {
    /// Nothing changed.
    None,
    /// The link came up in this mode, or changed its mode.
    Up(LinkMode),
    /// The link went down.
    Down,
}

/// Why a PHY call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyError<E> {
    /// The bus failed.
    Mdio(E),
    /// All ones or all zeros at this address: no PHY, no clock, or held in reset.
    NotResponding(PhyAddress),
    /// A PHY that this driver does not know.
    UnknownId(PhyId),
    /// The software reset did not end within 0.5 s (clause 22.2.4.1.1).
    ResetTimeout,
    /// The partner and this end have no mode in common, or the MAC cannot do the one they have.
    NoCommonMode,
}

impl<E: Error> Error for PhyError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Mdio(e) => e.kind(),
            Self::NotResponding(_) | Self::UnknownId(_) => ErrorKind::NotPresent,
            Self::ResetTimeout => ErrorKind::Timeout,
            Self::NoCommonMode => ErrorKind::LinkDown,
        }
    }
}

impl<E: fmt::Debug> fmt::Display for PhyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mdio(e) => write!(f, "MDIO failed: {e:?}"),
            Self::NotResponding(address) => write!(f, "no PHY answers at MDIO address {address}"),
            Self::UnknownId(id) => write!(f, "unknown PHY {:#010x}", id.raw()),
            Self::ResetTimeout => f.write_str("PHY reset did not end"),
            Self::NoCommonMode => f.write_str("no common link mode with the partner"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for PhyError<E> {}

/// A PHY behind an [`Mdio`] bus, as a state machine that is polled.
///
/// # Contract
///
/// - No method waits: what takes time is continued by the next [`poll`](Self::poll). `now` is any clock that only goes forward, from any epoch.
/// - A loss of the link between two polls is reported even if the link is up again: `Down`, and `Up` from the poll after it.
/// - [`next_poll`](Self::next_poll) tells how long a caller may sleep when no interrupt wakes it.
///
/// ```
/// use core::time::Duration;
/// use ethdev::{Link, mdio::Mdio, phy::{Phy, PhyError, PhyEvent}};
///
/// /// What a MAC's `service` does with its PHY. The bus is a part of the MAC; that is why it is passed in.
/// fn service<P: Phy, M: Mdio>(phy: &mut P, mdio: &mut M, link: &mut Link, now: Duration) -> Result<(), PhyError<M::Error>> {
///     match phy.poll(mdio, now)? {
///         PhyEvent::None => {}
///         PhyEvent::Up(mode) => *link = Link::Up(mode), // and set the MAC's speed and duplex
///         PhyEvent::Down => *link = Link::Down,
///     }
///     Ok(())
/// }
/// ```
///
/// # For stack authors
///
/// A stack never sees it: [`link`](crate::EthernetDevice::link) is what comes of it.
///
/// # For driver authors
///
/// Resolve the mode by the PHY's own status where it has one that can be believed, and by [`Abilities::resolve`] where not. Read the latching link bit twice.
pub trait Phy {
    /// Begins anew: identifies the PHY, resets it, and advertises `advertise`.
    ///
    /// # Errors
    ///
    /// The bus failed, or nobody this driver knows answers.
    fn start<M: Mdio>(&mut self, mdio: &mut M, advertise: Abilities, now: Duration) -> Result<(), PhyError<M::Error>>;

    /// Goes on with what was begun, and looks at the link.
    ///
    /// # Errors
    ///
    /// The bus failed; `ResetTimeout`; `NoCommonMode`, with the link reported down.
    fn poll<M: Mdio>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>>;

    /// How long from `now` until the next [`poll`](Self::poll) is due.
    fn next_poll(&self, now: Duration) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_partners_resolve_alike(a: u16, b: u16) {
            let (a, b) = (Abilities::from_register(a), Abilities::from_register(b));
            let (here, there) = (a.resolve(b), b.resolve(a));
            prop_assert_eq!(here.map(|m| (m.speed, m.duplex)), there.map(|m| (m.speed, m.duplex)));
            if let (Some(here), Some(there)) = (here, there) {
                // What one end sends, the other honours.
                prop_assert_eq!(here.pause.tx, there.pause.rx);
                prop_assert_eq!(here.pause.rx, there.pause.tx);
            }
        }

        #[test]
        fn registers_and_back(value: u16) {
            let set = Abilities::from_register(value);
            prop_assert_eq!(Abilities::from_register(set.to_register()), set);
            prop_assert_eq!(set.to_register() & 0x1f, 1);
        }
    }

    #[test]
    fn identity_of_a_lan8720a() {
        let id = PhyId::from_registers(0x0007, 0xc0f1).unwrap();
        // SMSC, 00-80-0F: octets reversed bit by bit, its first two bits left out.
        assert_eq!((id.oui(), id.model(), id.revision()), (0x0001f0, 0x0f, 1));
        assert_eq!(PhyId::from_registers(0xffff, 0xffff), None);
        assert_eq!(PhyId::from_registers(0, 0), None);
    }

    #[test]
    fn half_duplex_has_no_pause() {
        let both = Abilities::T10_HALF.or(Abilities::PAUSE);
        assert_eq!(both.resolve(both).unwrap().pause, Pause::default());
        assert_eq!(Abilities::T10_HALF.resolve(Abilities::TX100_FULL), None);
    }

    #[test]
    fn addresses_end_at_31() {
        assert_eq!(PhyAddress::all().count(), 32);
        assert!(PhyAddress::new(32).is_none() && RegisterAddress::new(32).is_none());
    }
}
