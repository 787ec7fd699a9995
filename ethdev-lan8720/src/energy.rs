//! Energy-detect power-down.
//!
//! While the PHY sleeps it sends nothing, and wakes on a signal. Some chips do not notice every signal, and two sleepers never wake each other: so the driver
//! lets it sleep and wakes it in turns.

use core::time::Duration;

use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::PhyRegisters;

use super::regs::{MCSR, mcsr};

/// How long the PHY is kept awake to be found, and to find. Boards are known where 640 ms were too short.
pub(crate) const AWAKE: Duration = Duration::from_millis(1500);
/// How long it sleeps, if nothing wakes it.
pub(crate) const ASLEEP: Duration = Duration::from_millis(2000);

/// ```text
///            link lost            no energy for AWAKE
/// LinkUp ──────────────> Awake ────────────────────────> Asleep
///   ^                    │  ^                              │
///   └────────────────────┘  └──────────────────────────────┘
///            link up                energy, or ASLEEP is over
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Energy {
    LinkUp,
    Awake { until: Duration },
    Asleep { until: Duration },
}

impl Energy {
    /// Goes on, and tells after how long at most it wants to be asked again.
    pub(crate) fn turn<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<Duration, M::Error> {
        let until = match *self {
            Self::LinkUp => {
                let until = now.saturating_add(AWAKE);
                *self = Self::Awake { until };
                until
            }
            Self::Awake { until } if now < until => until,
            Self::Awake { .. } => {
                if phy.read(MCSR)? & mcsr::ENERGYON != 0 {
                    let until = now.saturating_add(AWAKE);
                    *self = Self::Awake { until };
                    until
                } else {
                    phy.modify(MCSR, 0, mcsr::EDPWRDOWN)?;
                    let until = now.saturating_add(ASLEEP);
                    *self = Self::Asleep { until };
                    until
                }
            }
            Self::Asleep { until } => {
                if now < until && phy.read(MCSR)? & mcsr::ENERGYON == 0 {
                    until
                } else {
                    phy.modify(MCSR, mcsr::EDPWRDOWN, 0)?;
                    let until = now.saturating_add(AWAKE);
                    *self = Self::Awake { until };
                    until
                }
            }
        };
        Ok(until.saturating_sub(now))
    }

    /// The link is up: nothing sleeps.
    pub(crate) fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        if let Self::Asleep { .. } = self {
            phy.modify(MCSR, mcsr::EDPWRDOWN, 0)?;
        }
        *self = Self::LinkUp;
        Ok(())
    }
}
