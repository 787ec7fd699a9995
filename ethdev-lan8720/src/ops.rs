//! What is particular about the family, for the state machine of clause 22.

use core::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::{PhyId, PhyOps, PhyRegisters};

use super::config::{Mdix, PhyConfig};
use super::energy::Energy;
use super::regs::{
    EDPD_NLP_CROSSOVER, EXT_CROSS_TIME, IMR, ISR, MCSR, PSCSR, SCSIR, SMR, int, mcsr, pscsr, scsir, smr,
};
use super::straps::{MODE_POWER_DOWN, Straps};
use super::symbols::Symbols;
use crate::trace::warning;
use crate::variant::{Features, Model};

/// How often an interrupt's cause is read until there is none: an edge-triggered host must not be left with the line low.
const ACKNOWLEDGE_READS: u8 = 4;

#[derive(Debug, Clone)]
pub(crate) struct Smsc {
    pub(crate) config: PhyConfig,
    pub(crate) model: Option<Model>,
    pub(crate) straps: Option<Straps>,
    pub(crate) symbols: Symbols,
    energy: Energy,
    /// What the interrupt mask read after it was written.
    mask: u16,
    /// The straps said power-down, and were corrected.
    corrected: bool,
}

impl Smsc {
    pub(crate) const fn new(config: PhyConfig) -> Self {
        Self {
            config,
            model: None,
            straps: None,
            symbols: Symbols { last: 0, total: 0 },
            energy: Energy::LinkUp,
            mask: 0,
            corrected: false,
        }
    }

    pub(crate) fn features(&self) -> Features {
        self.model.map_or(Features::NONE, Model::features)
    }

    fn energy_detect(&self) -> bool {
        self.config.energy_detect && self.features().energy_detect
    }

    /// There is none for "link up": the completion of auto-negotiation stands for it.
    fn interrupt_mask(&self) -> u16 {
        let energy = if self.energy_detect() { int::ENERGYON } else { 0 };
        int::AUTONEG_COMPLETE | int::LINK_DOWN | energy
    }

    fn set_mdix<M: Mdio + ?Sized>(&self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let bits = match self.config.mdix {
            Mdix::Auto => 0,
            Mdix::Straight => scsir::AMDIXCTRL,
            Mdix::Crossed => scsir::AMDIXCTRL | scsir::CH_SELECT,
        };
        phy.modify(SCSIR, scsir::AMDIXCTRL | scsir::CH_SELECT, bits)
    }
}

impl PhyOps for Smsc {
    fn matches(&mut self, id: PhyId) -> bool {
        self.model = Model::from_id(id);
        self.model.is_some()
    }

    /// A PHY strapped to power-down stays so through every software reset until its mode is changed.
    fn after_reset<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        if !self.features().straps || core::mem::take(&mut self.corrected) {
            return Ok(false);
        }
        let value = phy.read(SMR)?;
        let straps = Straps::from_register(value);
        self.straps = Some(straps);
        if straps.mode != MODE_POWER_DOWN {
            return Ok(false);
        }
        warning!("the PHY is strapped to power-down: its mode is changed");
        phy.write(SMR, value | smr::MODE)?;
        self.corrected = true;
        Ok(true)
    }

    fn configure<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let features = self.features();
        self.energy = Energy::LinkUp;
        if features.energy_detect {
            phy.modify(MCSR, mcsr::EDPWRDOWN | mcsr::FARLOOPBACK | mcsr::ALTINT, 0)?;
        }
        if features.mdix {
            self.set_mdix(phy)?;
        }
        if self.config.extended_crossover && self.model == Some(Model::Lan8720) {
            phy.modify(EDPD_NLP_CROSSOVER, 0, EXT_CROSS_TIME)?;
        }
        if self.interrupts() {
            // What the reset itself raised is of no interest.
            phy.read(ISR)?;
            phy.write(IMR, self.interrupt_mask())?;
            self.mask = phy.read(IMR)?;
        }
        Ok(())
    }

    fn config_valid<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        Ok(!self.interrupts() || phy.read(IMR)? == self.mask)
    }

    fn negotiated<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
    ) -> Result<Option<(Speed, Duplex)>, M::Error> {
        if !self.features().speed {
            return Ok(None);
        }
        Ok(speed_indication(phy.read(PSCSR)?))
    }

    fn link_down_poll<M: Mdio + ?Sized>(
        &mut self,
        phy: &mut PhyRegisters<'_, M>,
        now: Duration,
    ) -> Result<Duration, M::Error> {
        if self.energy_detect() {
            self.energy.turn(phy, now)
        } else {
            Ok(Duration::MAX)
        }
    }

    fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        self.energy.link_up(phy)
    }

    fn ack_interrupt<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        if !self.interrupts() {
            return Ok(());
        }
        for _ in 0..ACKNOWLEDGE_READS {
            let flags = phy.read(ISR)?;
            if flags == u16::MAX || flags & self.mask == 0 {
                break;
            }
        }
        Ok(())
    }

    fn interrupts(&self) -> bool {
        self.config.interrupt && self.features().interrupts
    }
}

/// What register 31 says; `None` where it says nothing that can be believed. There are models (QEMU's among them) in which it reads zero for ever.
fn speed_indication(value: u16) -> Option<(Speed, Duplex)> {
    if value == u16::MAX || value & pscsr::AUTODONE == 0 {
        return None;
    }
    match (value >> pscsr::HCDSPEED_SHIFT) & 0b111 {
        0b001 => Some((Speed::MBPS_10, Duplex::Half)),
        0b101 => Some((Speed::MBPS_10, Duplex::Full)),
        0b010 => Some((Speed::MBPS_100, Duplex::Half)),
        0b110 => Some((Speed::MBPS_100, Duplex::Full)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_four_codes_are_believed() {
        let indicate = |code: u16| speed_indication(pscsr::AUTODONE | 0x0040 | (code << 2));
        assert_eq!(indicate(0b001), Some((Speed::MBPS_10, Duplex::Half)));
        assert_eq!(indicate(0b101), Some((Speed::MBPS_10, Duplex::Full)));
        assert_eq!(indicate(0b010), Some((Speed::MBPS_100, Duplex::Half)));
        assert_eq!(indicate(0b110), Some((Speed::MBPS_100, Duplex::Full)));
        for code in [0b000, 0b011, 0b100, 0b111] {
            assert_eq!(indicate(code), None, "{code:03b}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_believed_before_the_end_of_negotiation(value: u16) {
            prop_assert_eq!(speed_indication(value & !pscsr::AUTODONE), None);
        }
    }
}
