//! The configuration.

use ethdev::MacAddress;

/// The configuration of the MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// MAC address. An address that the boot loader wrote to the MAC is lost by the reset; read it
    /// before.
    pub mac_address: MacAddress,
    /// Frequency of the module clock `ipg_clk` in hertz, from which MDC is divided: 66 MHz on i.MX
    /// 6UL, 150 MHz on i.MX RT1060.
    pub module_clock_hz: u32,
    /// Interface to the PHY.
    pub interface: Interface,
    /// Whether frames may have a VLAN tag: at most 1518 instead of 1514 bytes.
    pub vlan: bool,
    /// Whether PAUSE is advertised, in both directions. A burst then waits in the switch instead of
    /// overrunning the receiver, and blocks other traffic in the switch meanwhile.
    pub pause: bool,
}

/// An interface to the PHY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Interface {
    /// RMII, two bits at 50 MHz: LAN8720A, LAN8742A, KSZ8081RNA.
    #[default]
    Rmii,
    /// MII, four bits at 25 or 2.5 MHz: LAN8710A.
    Mii,
}

impl Config {
    /// Creates a configuration with RMII, without VLAN and PAUSE.
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

    /// Sets the interface to the PHY.
    #[must_use]
    pub const fn with_interface(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }

    /// Sets whether frames may have a VLAN tag.
    #[must_use]
    pub const fn with_vlan(mut self, vlan: bool) -> Self {
        self.vlan = vlan;
        self
    }

    /// Sets whether PAUSE is advertised.
    #[must_use]
    pub const fn with_pause(mut self, pause: bool) -> Self {
        self.pause = pause;
        self
    }

    /// Returns the content of `MSCR`: MDC of at most 2.5 MHz (IEEE 802.3 clause 22.2.2.13), MDIO
    /// held for at least 10 ns after its edge (clause 22.3.4), with preamble.
    pub(crate) const fn mscr(&self) -> u32 {
        // MDC = clock / ((MII_SPEED + 1) * 2), MII_SPEED has 6 bits; 0 would stop MDC. The hold
        // time is HOLDTIME + 1 cycles, HOLDTIME has 3 bits.
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
        fn mscr_any_clock_within_standard(hz in 10_000_000_u32..=320_000_000) {
            let mscr = Config::new(MacAddress::UNSPECIFIED, hz).mscr();
            let divider = (((mscr >> 1) & 0x3f) + 1) * 2;
            // f / divider <= 2.5 MHz, and at least half of it: the MDIO timeout is computed for
            // that.
            prop_assert!(u64::from(hz) <= 2_500_000 * u64::from(divider));
            prop_assert!(hz < 12_000_000 || u64::from(hz) >= 1_250_000 * u64::from(divider));
            let hold = u64::from((mscr >> 8) & 7) + 1;
            prop_assert!(hold * 1_000_000_000 >= 10 * u64::from(hz));
            prop_assert_eq!(mscr & !0x77e, 0);
        }
    }
}
