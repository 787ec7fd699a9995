//! 48-bit MAC addresses (IEEE 802-2014, clause 8).

use core::fmt;
use core::str::FromStr;

/// A 48-bit MAC address, octets in the order in which they are sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct MacAddress([u8; 6]);

impl MacAddress {
    /// The broadcast address, `ff:ff:ff:ff:ff:ff`.
    pub const BROADCAST: Self = Self([0xff; 6]);
    /// All zeros: never the address of a device.
    pub const UNSPECIFIED: Self = Self([0; 6]);

    /// An address from its octets, first on the wire first.
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The octets, first on the wire first.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Returns whether the group bit is set (bit 0 of the first octet). The broadcast address is a
    /// group address too.
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 != 0
    }

    /// Returns whether this is `ff:ff:ff:ff:ff:ff`.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Returns whether a device can have this address: no group address, not all zeros.
    #[must_use]
    pub fn is_unicast(self) -> bool {
        !self.is_multicast() && self != Self::UNSPECIFIED
    }

    /// Returns whether the address was given locally (bit 1 of the first octet), not by a
    /// manufacturer.
    #[must_use]
    pub const fn is_local(self) -> bool {
        self.0[0] & 2 != 0
    }

    /// The group address that an IPv4 multicast group maps to (RFC 1112, section 6.4).
    #[must_use]
    pub const fn from_ipv4_multicast(group: core::net::Ipv4Addr) -> Self {
        let o = group.octets();
        Self([0x01, 0x00, 0x5e, o[1] & 0x7f, o[2], o[3]])
    }

    /// The group address that an IPv6 multicast group maps to (RFC 2464, section 7).
    #[must_use]
    pub const fn from_ipv6_multicast(group: core::net::Ipv6Addr) -> Self {
        let o = group.octets();
        Self([0x33, 0x33, o[12], o[13], o[14], o[15]])
    }
}

impl From<[u8; 6]> for MacAddress {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl From<MacAddress> for [u8; 6] {
    fn from(address: MacAddress) -> Self {
        address.0
    }
}

/// Lower-case hexadecimal with colons, `02:00:00:00:00:01`.
impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for MacAddress {
    fn format(&self, f: defmt::Formatter<'_>) {
        let [a, b, c, d, e, g] = self.0;
        defmt::write!(
            f,
            "{=u8:02x}:{=u8:02x}:{=u8:02x}:{=u8:02x}:{=u8:02x}:{=u8:02x}",
            a,
            b,
            c,
            d,
            e,
            g
        );
    }
}

/// The text was not six two-digit hexadecimal octets, all separated by `:` or all by `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseMacAddressError(());

impl fmt::Display for ParseMacAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a MAC address is six two-digit hexadecimal octets, like 02:00:00:00:00:01")
    }
}

impl core::error::Error for ParseMacAddressError {}

/// Takes `02:00:00:00:00:01` and `02-00-00-00-00-01`, in either case.
impl FromStr for MacAddress {
    type Err = ParseMacAddressError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let separator = if s.contains('-') { '-' } else { ':' };
        let mut octets = [0; 6];
        let mut parts = s.split(separator);
        for octet in &mut octets {
            let part = parts.next().ok_or(ParseMacAddressError(()))?;
            // `from_str_radix` alone would take "+1".
            if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(ParseMacAddressError(()));
            }
            *octet = u8::from_str_radix(part, 16).map_err(|_| ParseMacAddressError(()))?;
        }
        match parts.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(ParseMacAddressError(())),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    proptest! {
        #[test]
        fn parse_displayed_round_trips(octets: [u8; 6]) {
            let address = MacAddress::new(octets);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            prop_assert_eq!(address.to_string().replace(':', "-").to_uppercase().parse(), Ok(address));
        }

        #[test]
        fn parse_any_text_no_panic(text in ".{0,40}") {
            let _ = text.parse::<MacAddress>();
        }
    }

    #[test]
    fn parse_malformed_is_rejected() {
        for text in [
            "",
            "02",
            "02:00:00:00:00",
            "02:00:00:00:00:01:02",
            "2:0:0:0:0:1",
            "02:00:00:00:00:0g",
            "02:00-00:00:00:01",
            "+2:00:00:00:00:01",
        ] {
            assert!(text.parse::<MacAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn is_unicast_group_false() {
        assert!(MacAddress::BROADCAST.is_multicast() && MacAddress::BROADCAST.is_broadcast());
        assert!(!MacAddress::UNSPECIFIED.is_unicast());
        let device = MacAddress::new([2, 0, 0, 0, 0, 1]);
        assert!(device.is_unicast() && device.is_local() && !device.is_multicast());
    }

    #[test]
    fn predicates_read_bits_of_the_first_octet() {
        for first in 0..=u8::MAX {
            let address = MacAddress::new([first, 0, 0, 0, 0, 1]);
            assert_eq!(address.is_multicast(), first % 2 == 1, "{first}");
            assert_eq!(address.is_unicast(), first % 2 == 0, "{first}");
            assert_eq!(address.is_local(), first / 2 % 2 == 1, "{first}");
            assert!(!address.is_broadcast());
        }
    }

    #[test]
    fn octets_are_in_wire_order() {
        let octets = [2, 1, 3, 5, 7, 9];
        let address = MacAddress::from(octets);
        assert_eq!((address.octets(), <[u8; 6]>::from(address)), (octets, octets));
        assert_eq!(std::format!("{address:?}"), "02:01:03:05:07:09");
        let error = "02".parse::<MacAddress>().unwrap_err();
        assert!(error.to_string().contains("six two-digit hexadecimal octets"));
    }

    #[test]
    fn from_multicast_group_maps_low_bits() {
        // RFC 1112: the low 23 bits only, so 224.129.2.3 and 224.1.2.3 share an address.
        let a = MacAddress::from_ipv4_multicast([224, 129, 2, 3].into());
        assert_eq!(a, MacAddress::new([0x01, 0, 0x5e, 1, 2, 3]));
        let b = MacAddress::from_ipv6_multicast("ff02::1:ff00:1234".parse().unwrap());
        assert_eq!(b, MacAddress::new([0x33, 0x33, 0xff, 0, 0x12, 0x34]));
    }
}
