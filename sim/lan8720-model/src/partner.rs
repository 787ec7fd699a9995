//! Who is at the other end of the cable, and what the two ends make of each other (IEEE 802.3 clause 28 and annex 28B).

use core::time::Duration;

use ethdev::{Duplex, LinkMode, Pause, Speed};
use ethdev_phy::phy::LinkModes;

use super::registers::ability;

/// The four modes of 10/100 copper, best first (annex 28B.3).
const PRIORITIES: [(u16, Speed, Duplex); 4] = [
    (ability::TX_FULL, Speed::MBPS_100, Duplex::Full),
    (ability::TX_HALF, Speed::MBPS_100, Duplex::Half),
    (ability::T_FULL, Speed::MBPS_10, Duplex::Full),
    (ability::T_HALF, Speed::MBPS_10, Duplex::Half),
];

/// What an end of the cable does to find its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Negotiates, advertising these abilities.
    Negotiating(LinkModes),
    /// Has a fixed mode, and negotiates nothing.
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
    /// How much longer than usual it takes for the link to come up.
    pub delay: Duration,
    /// Whether its base page reports a remote fault.
    pub remote_fault: bool,
    /// Whether it sleeps until it hears something, as this PHY does with EDPD.
    pub sleeps: bool,
    /// Whether its pairs have to be crossed, which takes an MDI-X at one of the two ends.
    pub crossed: bool,
    /// Whether it crosses its pairs by itself where needed.
    pub auto_mdix: bool,
    /// Whether its pair is wired with the wrong polarity.
    pub reversed: bool,
    /// Whether what it sends looks like two modes at once: a parallel detection fault. Only without auto-negotiation.
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

    /// One that negotiates, and advertises these abilities.
    #[must_use]
    pub const fn negotiating(abilities: LinkModes) -> Self {
        Self::new(Setting::Negotiating(abilities))
    }

    /// One of a fixed mode, which does not negotiate.
    ///
    /// # Panics
    ///
    /// At another speed than 10 or 100 Mbit/s.
    #[must_use]
    pub fn forced(speed: Speed, duplex: Duplex) -> Self {
        assert!(
            speed == Speed::MBPS_10 || speed == Speed::MBPS_100,
            "this cable carries 10 or 100 Mbit/s"
        );
        Self::new(Setting::Forced(speed, duplex))
    }

    /// Every partner there is, as far as modes and PAUSE go: those that negotiate, with any modes and any PAUSE, and those of a fixed mode.
    pub fn all() -> impl Iterator<Item = Self> {
        let negotiating = (1..16_u16).flat_map(|modes| {
            (0..4_u16).map(move |pause| Self::negotiating(LinkModes::from_register(modes << 5 | pause << 10)))
        });
        let forced = PRIORITIES
            .into_iter()
            .map(|(_, speed, duplex)| Self::forced(speed, duplex));
        negotiating.chain(forced)
    }

    /// The same, taking this much longer than usual.
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same, reporting a remote fault.
    #[must_use]
    pub const fn with_remote_fault(mut self) -> Self {
        self.remote_fault = true;
        self
    }

    /// The same, asleep until it hears something.
    #[must_use]
    pub const fn asleep(mut self) -> Self {
        self.sleeps = true;
        self
    }

    /// The same without auto-MDIX, at a cable that is crossed or not.
    #[must_use]
    pub const fn without_auto_mdix(mut self, crossed: bool) -> Self {
        self.auto_mdix = false;
        self.crossed = crossed;
        self
    }

    /// The same with its pair reversed.
    #[must_use]
    pub const fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// The same, looking like two modes at once.
    #[must_use]
    pub const fn ambiguous(mut self) -> Self {
        self.ambiguous = true;
        self
    }

    /// What this PHY's register 5 holds after the base page came.
    const fn base_page(&self, abilities: LinkModes) -> u16 {
        let fault = if self.remote_fault { ability::REMOTE_FAULT } else { 0 };
        abilities.to_register() | fault | ability::ACK
    }
}

/// What two ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) mode: LinkMode,
    pub(super) speed: Speed,
    pub(super) duplex: Duplex,
    pub(super) partner_duplex: Duplex,
    /// Register 5, where this end negotiated; with its bit for "acknowledged" where the partner did so too.
    pub(super) partner_page: Option<u16>,
}

/// What becomes of two ends that hear each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Link(Agreement),
    /// Both negotiate, in vain. The partner's page came.
    NoCommonMode(u16),
    /// Two modes at once.
    ParallelFault,
    /// Both have a mode of their own, and not the same.
    Deaf,
}

/// What this end, advertising `ours` or of a fixed mode, and the partner make of each other.
pub(super) fn meet(ours: Result<u16, (Speed, Duplex)>, partner: &Partner) -> Outcome {
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
        // Parallel detection presumes half duplex, whatever the partner does (clause 28.2.3.1).
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
            let theirs = theirs.to_register();
            if PRIORITIES.iter().any(|(bit, at, _)| *at == speed && theirs & bit != 0) {
                link(speed, duplex, Duplex::Half, Pause::default(), None)
            } else {
                Outcome::Deaf
            }
        }
        (Err((speed, duplex)), Setting::Forced(at, theirs)) if at == speed => {
            link(speed, duplex, theirs, Pause::default(), None)
        }
        (Err(_), Setting::Forced(..)) => Outcome::Deaf,
    }
}

fn best(common: u16) -> Option<(Speed, Duplex)> {
    PRIORITIES
        .iter()
        .find(|(bit, ..)| common & bit != 0)
        .map(|(_, speed, duplex)| (*speed, *duplex))
}

/// Table 28B-3, as it reads from this end.
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
