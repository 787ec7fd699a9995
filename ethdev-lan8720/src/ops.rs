//! Operations of the family beyond clause 22.

use core::time::Duration;

use ethdev::{Duplex, Speed};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::{PhyId, PhyOps, PhyRegisters};

use super::config::{Mdix, PhyConfig};
use super::energy_detect::EnergyDetect;
use super::regs::{
    EDPD_NLP_CROSSOVER, EXT_CROSS_TIME, IMR, ISR, MCSR, PSCSR, SCSIR, SMR, int, mcsr, pscsr, scsir, smr,
};
use super::straps::{MODE_POWER_DOWN, Straps};
use super::symbol_errors::SymbolErrors;
use crate::trace::warning;
use crate::variant::{Features, Model};

/// Maximum number of reads of the interrupt source until no flag is set: with an edge-triggered
/// host, a line that stays low causes no further interrupt.
const ACKNOWLEDGE_READS: u8 = 4;

#[derive(Debug, Clone)]
pub(crate) struct Lan87xx {
    pub(crate) config: PhyConfig,
    pub(crate) model: Option<Model>,
    pub(crate) straps: Option<Straps>,
    pub(crate) symbol_errors: SymbolErrors,
    energy: EnergyDetect,
    /// The interrupt mask as read back.
    mask: u16,
    /// The mode straps were power-down and have been overridden.
    mode_overridden: bool,
}

impl Lan87xx {
    pub(crate) const fn new(config: PhyConfig) -> Self {
        Self {
            config,
            model: None,
            straps: None,
            symbol_errors: SymbolErrors { last: 0, total: 0 },
            energy: EnergyDetect::LinkUp,
            mask: 0,
            mode_overridden: false,
        }
    }

    pub(crate) fn features(&self) -> Features {
        self.model.map_or(Features::NONE, Model::features)
    }

    fn energy_detect(&self) -> bool {
        self.config.energy_detect && self.features().energy_detect
    }

    /// The chip has no interrupt for "link up": completion of auto-negotiation is used instead.
    fn interrupt_mask(&self) -> u16 {
        let energy = if self.energy_detect() { int::ENERGYON } else { 0 };
        int::AUTONEG_COMPLETE | int::LINK_DOWN | energy
    }

    const fn mdix_bits(&self) -> u16 {
        match self.config.mdix {
            Mdix::Auto => 0,
            Mdix::Mdi => scsir::AMDIXCTRL,
            Mdix::MdiX => scsir::AMDIXCTRL | scsir::CH_SELECT,
        }
    }
}

impl PhyOps for Lan87xx {
    fn matches(&mut self, id: PhyId) -> bool {
        self.model = Model::from_id(id);
        self.model.is_some()
    }

    /// A PHY that is strapped to power-down stays in it after a software reset until its mode is
    /// changed.
    fn after_reset<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        if !self.features().straps || core::mem::take(&mut self.mode_overridden) {
            return Ok(false);
        }
        let value = phy.read(SMR)?;
        let straps = Straps::from_register(value);
        self.straps = Some(straps);
        if straps.mode != MODE_POWER_DOWN {
            return Ok(false);
        }
        warning!("PHY is strapped to power-down, mode overridden");
        phy.write(SMR, value | smr::MODE)?;
        self.mode_overridden = true;
        Ok(true)
    }

    fn configure<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        let features = self.features();
        self.energy = EnergyDetect::LinkUp;
        if features.energy_detect {
            phy.modify(MCSR, mcsr::EDPWRDOWN | mcsr::FARLOOPBACK | mcsr::ALTINT, 0)?;
        }
        if features.mdix {
            phy.modify(SCSIR, scsir::AMDIXCTRL | scsir::CH_SELECT, self.mdix_bits())?;
        }
        if self.config.extended_crossover && self.model == Some(Model::Lan8720) {
            phy.modify(EDPD_NLP_CROSSOVER, 0, EXT_CROSS_TIME)?;
        }
        if self.uses_interrupt() {
            // Clears the flags that the reset set.
            phy.read(ISR)?;
            phy.write(IMR, self.interrupt_mask())?;
            self.mask = phy.read(IMR)?;
        }
        Ok(())
    }

    fn config_valid<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<bool, M::Error> {
        let mdix = scsir::AMDIXCTRL | scsir::CH_SELECT;
        if self.features().mdix && phy.read(SCSIR)? & mdix != self.mdix_bits() {
            return Ok(false);
        }
        Ok(!self.uses_interrupt() || phy.read(IMR)? == self.mask)
    }

    fn negotiated_mode<M: Mdio + ?Sized>(
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
            self.energy.poll(phy, now)
        } else {
            Ok(Duration::MAX)
        }
    }

    fn link_up<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        self.energy.link_up(phy)
    }

    fn ack_interrupt<M: Mdio + ?Sized>(&mut self, phy: &mut PhyRegisters<'_, M>) -> Result<(), M::Error> {
        if !self.uses_interrupt() {
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

    fn uses_interrupt(&self) -> bool {
        self.config.interrupt && self.features().interrupts
    }
}

/// Decodes register 31; `None` if it is invalid. In some models of the chip, QEMU's for example, it
/// always reads as zero.
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
    fn speed_indication_four_valid_codes() {
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
        fn speed_indication_before_autodone_none(value: u16) {
            prop_assert_eq!(speed_indication(value & !pscsr::AUTODONE), None);
        }
    }
}
