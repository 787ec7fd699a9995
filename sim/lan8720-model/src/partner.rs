//! The link partner at the other end of the cable, and the resolution of the two ends' modes
//! (IEEE 802.3 clause 28 and annex 28B).

use core::time::Duration;

use ethdev::{Duplex, LinkMode, Pause, Speed};
use ethdev_phy::phy::LinkModes;

use crate::registers::ability;

/// The four modes of 10/100 copper, best first (annex 28B.3).
const PRIORITIES: [(u16, Speed, Duplex); 4] = [
    (ability::TX_FULL, Speed::MBPS_100, Duplex::Full),
    (ability::TX_HALF, Speed::MBPS_100, Duplex::Half),
    (ability::T_FULL, Speed::MBPS_10, Duplex::Full),
    (ability::T_HALF, Speed::MBPS_10, Duplex::Half),
];

/// The abilities and their bits in registers 4 and 5 (section 4.2.5), lowest first.
const ABILITIES: [(LinkModes, u16); 6] = [
    (LinkModes::T10_HALF, ability::T_HALF),
    (LinkModes::T10_FULL, ability::T_FULL),
    (LinkModes::TX100_HALF, ability::TX_HALF),
    (LinkModes::TX100_FULL, ability::TX_FULL),
    (LinkModes::PAUSE, ability::PAUSE),
    (LinkModes::PAUSE_ASYMMETRIC, ability::ASYM_PAUSE),
];

/// The bits of these abilities in registers 4 and 5.
fn ability_bits(abilities: LinkModes) -> u16 {
    ABILITIES
        .iter()
        .filter(|(modes, _)| abilities.contains(*modes))
        .fold(0, |all, (_, bit)| all | bit)
}

/// How an end of the cable finds its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Negotiates, advertising these abilities.
    Negotiating(LinkModes),
    /// Has a fixed mode, without auto-negotiation.
    Forced(Speed, Duplex),
}

/// The link partner.
///
/// ```
/// use ethdev_phy::phy::LinkModes;
/// use ethdev::{Duplex, Speed};
/// use lan8720_model::Partner;
///
/// let switch = Partner::negotiating(LinkModes::ALL_MODES.union(LinkModes::PAUSE));
/// let old_hub = Partner::forced(Speed::MBPS_10, Duplex::Half);
/// assert_ne!(switch, old_hub);
/// assert_eq!(Partner::all().count(), 15 * 4 + 4);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Partner {
    /// How it finds its mode.
    pub setting: Setting,
    /// How much longer than usual the link takes to come up.
    pub delay: Duration,
    /// Whether its base page reports a remote fault.
    pub remote_fault: bool,
    /// Whether it sends nothing until it receives something, as this PHY does with EDPD.
    pub sleeps: bool,
    /// Whether its pairs must be crossed, which takes an MDI-X at one of the two ends.
    pub crossed: bool,
    /// Whether it crosses its pairs by itself where needed.
    pub auto_mdix: bool,
    /// Whether its pair is wired with reversed polarity.
    pub reversed: bool,
    /// Whether its signal looks like two modes at once, which is a parallel detection fault. Only
    /// without auto-negotiation.
    pub ambiguous: bool,
}

impl Default for Partner {
    /// Negotiates all four modes, without PAUSE.
    fn default() -> Self {
        Self::negotiating(LinkModes::ALL_MODES)
    }
}

impl Partner {
    const fn new(setting: Setting) -> Self {
        Self {
            setting,
            delay: Duration::ZERO,
            remote_fault: false,
            sleeps: false,
            crossed: false,
            auto_mdix: true,
            reversed: false,
            ambiguous: false,
        }
    }

    /// Creates a partner that negotiates, and advertises these abilities.
    #[must_use]
    pub const fn negotiating(abilities: LinkModes) -> Self {
        Self::new(Setting::Negotiating(abilities))
    }

    /// Creates a partner of a fixed mode, which does not negotiate.
    ///
    /// # Panics
    ///
    /// At another speed than 10 or 100 Mbit/s.
    #[must_use]
    pub fn forced(speed: Speed, duplex: Duplex) -> Self {
        assert!(
            speed == Speed::MBPS_10 || speed == Speed::MBPS_100,
            "the speed of a partner is 10 or 100 Mbit/s, not {speed}"
        );
        Self::new(Setting::Forced(speed, duplex))
    }

    /// All partners that differ in modes and PAUSE: those that negotiate, with any modes and any
    /// PAUSE, and those of a fixed mode.
    pub fn all() -> impl Iterator<Item = Self> {
        let union = |subset: u16| {
            let members = ABILITIES.iter().enumerate().filter(|(n, _)| subset >> n & 1 != 0);
            members.fold(LinkModes::NONE, |all, (_, (modes, _))| all.union(*modes))
        };
        let negotiating = (1..16_u16).flat_map(move |modes| {
            let pauses = 0..4_u16;
            pauses.map(move |pause| Self::negotiating(union(pause << 4 | modes)))
        });
        let forced = PRIORITIES
            .into_iter()
            .map(|(_, speed, duplex)| Self::forced(speed, duplex));
        negotiating.chain(forced)
    }

    /// Sets how much longer than usual the link takes to come up.
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the remote fault bit of its base page.
    #[must_use]
    pub const fn with_remote_fault(mut self) -> Self {
        self.remote_fault = true;
        self
    }

    /// Sets that it sends nothing until it receives something.
    #[must_use]
    pub const fn asleep(mut self) -> Self {
        self.sleeps = true;
        self
    }

    /// Sets that it has no auto-MDIX, at a cable that is crossed or not.
    #[must_use]
    pub const fn without_auto_mdix(mut self, crossed: bool) -> Self {
        self.auto_mdix = false;
        self.crossed = crossed;
        self
    }

    /// Sets that its pair is wired with reversed polarity.
    #[must_use]
    pub const fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// Sets that its signal looks like two modes at once.
    #[must_use]
    pub const fn ambiguous(mut self) -> Self {
        self.ambiguous = true;
        self
    }

    /// Register 5 of this PHY after the base page came.
    fn base_page(&self, abilities: LinkModes) -> u16 {
        let fault = if self.remote_fault { ability::REMOTE_FAULT } else { 0 };
        ability_bits(abilities) | ability::IEEE_802_3 | fault | ability::ACK
    }
}

/// The mode that two ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    pub(crate) mode: LinkMode,
    pub(crate) speed: Speed,
    pub(crate) duplex: Duplex,
    pub(crate) partner_duplex: Duplex,
    /// Register 5, where this end negotiated; with its acknowledge bit where the partner negotiated
    /// too.
    pub(crate) partner_page: Option<u16>,
}

/// Outcome for two ends that receive each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Link(Agreement),
    /// Both negotiate, without a common mode. The partner's page came.
    NoCommonMode(u16),
    /// Two modes at once.
    ParallelFault,
    /// The ends are fixed to different speeds, and do not detect each other's signal.
    NoSignal,
}

/// Resolves the mode of this end, which advertises `Ok` abilities or has an `Err` fixed mode, with
/// the partner's.
pub(crate) fn resolve(ours: Result<u16, (Speed, Duplex)>, partner: &Partner) -> Outcome {
    let link = |speed, duplex, partner_duplex, pause, partner_page| {
        Outcome::Link(Agreement {
            mode: LinkMode::new(speed, duplex).with_pause(pause),
            speed,
            duplex,
            partner_duplex,
            partner_page,
        })
    };
    match (ours, partner.setting) {
        (Ok(ours), Setting::Negotiating(theirs)) => {
            let page = partner.base_page(theirs);
            match best(ours & page) {
                Some((speed, duplex)) => link(speed, duplex, duplex, pause(ours, page, duplex), Some(page)),
                None => Outcome::NoCommonMode(page),
            }
        }
        // Parallel detection presumes half duplex (clause 28.2.3.1).
        (Ok(_), Setting::Forced(..)) if partner.ambiguous => Outcome::ParallelFault,
        (Ok(_), Setting::Forced(speed, theirs)) => {
            let seen = if speed == Speed::MBPS_100 {
                ability::TX_HALF
            } else {
                ability::T_HALF
            };
            let page = seen | ability::IEEE_802_3;
            link(speed, Duplex::Half, theirs, Pause::default(), Some(page))
        }
        (Err((speed, duplex)), Setting::Negotiating(theirs)) => {
            let theirs = ability_bits(theirs);
            if PRIORITIES.iter().any(|(bit, at, _)| *at == speed && theirs & bit != 0) {
                link(speed, duplex, Duplex::Half, Pause::default(), None)
            } else {
                Outcome::NoSignal
            }
        }
        (Err((speed, duplex)), Setting::Forced(at, theirs)) if at == speed => {
            link(speed, duplex, theirs, Pause::default(), None)
        }
        (Err(_), Setting::Forced(..)) => Outcome::NoSignal,
    }
}

fn best(common: u16) -> Option<(Speed, Duplex)> {
    PRIORITIES
        .iter()
        .find(|(bit, ..)| common & bit != 0)
        .map(|(_, speed, duplex)| (*speed, *duplex))
}

/// PAUSE by table 28B-3, as this end sees it.
fn pause(ours: u16, theirs: u16, duplex: Duplex) -> Pause {
    let has = |page: u16| (page & ability::PAUSE != 0, page & ability::ASYM_PAUSE != 0);
    let (rx, tx) = match (has(ours), has(theirs)) {
        _ if duplex == Duplex::Half => (false, false),
        ((true, _), (true, _)) => (true, true),
        ((true, true), (false, true)) => (true, false),
        ((false, true), (true, true)) => (false, true),
        _ => (false, false),
    };
    Pause { rx, tx }
}
