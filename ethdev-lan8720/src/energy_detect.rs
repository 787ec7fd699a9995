//! Energy-detect power-down.
//!
//! In this power-down the PHY transmits nothing and wakes on a signal. Some chips do not detect
//! every signal, and two PHYs in power-down never wake each other: the driver powers it down and
//! wakes it alternately.

use core::time::Duration;

use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::PhyRegisters;

use super::regs::{MCSR, mcsr};

/// Time that the PHY stays awake to detect its partner and to be detected. 640 ms is known to be
/// too short on some boards.
pub(crate) const AWAKE: Duration = Duration::from_millis(1500);
/// Longest time in power-down.
pub(crate) const ASLEEP: Duration = Duration::from_millis(2000);

/// ```text
///            link lost            no energy for AWAKE
/// LinkUp ──────────────> Awake ────────────────────────> Asleep
///   ^                    │  ^                              │
///   └────────────────────┘  └──────────────────────────────┘
///            link up                energy, or after ASLEEP
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnergyDetect {
    LinkUp,
    Awake { until: Duration },
    Asleep { until: Duration },
}

impl EnergyDetect {
    /// Advances the state while the link is down, and returns the longest time until the next call.
    pub(crate) fn poll<M: Mdio + ?Sized>(
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

    /// Leaves power-down, because the link is up.
    pub(crate) fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        if let Self::Asleep { .. } = self {
            phy.modify(MCSR, mcsr::EDPWRDOWN, 0)?;
        }
        *self = Self::LinkUp;
        Ok(())
    }
}
