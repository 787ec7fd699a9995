//! What a user may choose.

use ethdev::MacAddress;

/// How the MAC is set up. Start from [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// The station address. What the boot loader wrote to the MAC is lost in its reset; read it before, if it is wanted.
    pub mac_address: MacAddress,
    /// Frequency of the module's clock in hertz, from which MDC is divided: `ipg_clk`, 66 MHz on i.MX 6UL, 150 MHz on i.MX RT1060.
    pub module_clock_hz: u32,
    /// How the PHY is connected.
    pub interface: Interface,
    /// Whether frames may have a VLAN tag: 1518 instead of 1514 bytes.
    pub vlan: bool,
    /// Whether PAUSE is offered to the partner, both ways. A burst then waits in the switch instead of being lost here, together with everybody else's frames
    /// that wait behind it.
    pub pause: bool,
}

/// How the PHY is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Interface {
    /// Two bits at 50 MHz: LAN8720A, LAN8742A, KSZ8081RNA.
    #[default]
    Rmii,
    /// Four bits at 25 or 2.5 MHz: LAN8710A.
    Mii,
}

impl Config {
    /// RMII, no VLAN, no PAUSE.
    #[must_use]
    pub const fn new(mac_address: MacAddress, module_clock_hz: u32) -> Self {
        Self {
            mac_address,
            module_clock_hz,
            interface: Interface::Rmii,
            vlan: false,
            pause: false,
        }
    }

    /// The same with the PHY connected like this.
    #[must_use]
    pub const fn with_interface(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// The same with or without room for a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// The same with or without PAUSE.
    #[must_use]
    pub const fn with_pause(mut self, pause: bool) -> Self {
        self.pause = pause;
        self
    }

    /// `MSCR`: MDC of at most 2.5 MHz (IEEE 802.3 clause 22.2.2.13), MDIO held for at least 10 ns after its edge (clause 22.3.4), with preamble.
    pub(super) const fn mscr(&self) -> u32 {
        // MDC = clock / ((MII_SPEED + 1) * 2), MII_SPEED of 6 bits; 0 would stop MDC. The hold time is HOLDTIME + 1 cycles, of 3 bits.
        let speed = (self.module_clock_hz.saturating_sub(1) / 5_000_000) & 0x3f;
        let speed = if speed == 0 { 1 } else { speed };
        let hold = self.module_clock_hz.saturating_sub(1) / 100_000_000;
        let hold = if hold > 7 { 7 } else { hold };
        (hold << 8) | (speed << 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn mdc_is_within_the_standard(hz in 10_000_000_u32..=320_000_000) {
            let mscr = Config::new(MacAddress::UNSPECIFIED, hz).mscr();
            let divider = (((mscr >> 1) & 0x3f) + 1) * 2;
            // f / divider <= 2.5 MHz, and not needlessly slow: the transaction's bound is computed for half of that.
            prop_assert!(u64::from(hz) <= 2_500_000 * u64::from(divider));
            prop_assert!(hz < 12_000_000 || u64::from(hz) >= 1_250_000 * u64::from(divider));
            let hold = u64::from((mscr >> 8) & 7) + 1;
            prop_assert!(hold * 1_000_000_000 >= 10 * u64::from(hz));
            prop_assert_eq!(mscr & !0x77e, 0);
        }
    }
}
