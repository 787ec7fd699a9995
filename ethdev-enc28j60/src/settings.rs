//! What the driver keeps of a [`Config`]: enough to set the chip up again, in eight bytes.

use ethdev::{Duplex, MacAddress, MaxFrameLen};

use crate::config::Config;
use crate::regs::phy::{PHLCON_CHOICES, PHLCON_RESERVED_ONES};

/// The bits of PHLCON that are always written the same (register 2-2) have room for other choices.
const FULL_DUPLEX: u16 = 1 << 15;
const VLAN: u16 = 1 << 14;
const _: () = assert!(PHLCON_CHOICES & (FULL_DUPLEX | VLAN) == 0);

/// The part of a [`Config`] that is the chip's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) mac_address: MacAddress,
    /// What is chosen in PHLCON, and in its other bits the other choices.
    bits: u16,
}

impl Settings {
    pub(crate) const fn of(config: &Config) -> Self {
        let mut bits = config.leds.phlcon() & PHLCON_CHOICES;
        if matches!(config.duplex, Duplex::Full) {
            bits |= FULL_DUPLEX;
        }
        if config.vlan {
            bits |= VLAN;
        }
        Self {
            mac_address: config.mac_address,
            bits,
        }
    }

    pub(crate) const fn duplex(&self) -> Duplex {
        if self.is_full_duplex() {
            Duplex::Full
        } else {
            Duplex::Half
        }
    }

    pub(crate) const fn is_full_duplex(&self) -> bool {
        self.bits & FULL_DUPLEX != 0
    }

    /// Longest frame without FCS.
    pub(crate) const fn max_frame_len(&self) -> MaxFrameLen {
        if self.bits & VLAN != 0 {
            MaxFrameLen::VLAN
        } else {
            MaxFrameLen::ETHERNET
        }
    }

    pub(crate) const fn phlcon(&self) -> u16 {
        self.bits & PHLCON_CHOICES | PHLCON_RESERVED_ONES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Led, Leds, Stretch};

    #[test]
    fn nothing_is_lost() {
        let leds = Leds::new(Led::LinkAndTraffic, Led::Collision).with_stretch(Stretch::Ms139);
        for bits in 0..4_u8 {
            let duplex = if bits & 1 == 0 { Duplex::Half } else { Duplex::Full };
            let config = Config::new(MacAddress::new([2, 0, 0, 0, 0, bits]))
                .with_leds(leds)
                .with_duplex(duplex)
                .with_vlan(bits & 2 != 0);
            let kept = Settings::of(&config);
            assert_eq!((kept.mac_address, kept.duplex()), (config.mac_address, duplex));
            assert_eq!(kept.max_frame_len() == MaxFrameLen::VLAN, config.vlan);
            assert_eq!(kept.phlcon(), leds.phlcon());
        }
        assert_eq!(size_of::<Settings>(), 8);
    }
}
