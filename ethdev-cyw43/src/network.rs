//! Network parameters, validated before anything is sent to the chip.

use core::fmt;

use ethdev::MacAddress;

/// Why a parameter is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ParamError {
    /// An SSID has 1 to 32 bytes.
    SsidLength {
        /// The length in bytes.
        len: usize,
    },
    /// A passphrase has 8 to 63 characters.
    PassphraseLength {
        /// The length in bytes.
        len: usize,
    },
    /// A passphrase consists of printable ASCII characters (IEEE 802.11 annex J.4.1).
    PassphraseCharacter {
        /// Offset of the first invalid byte.
        at: usize,
    },
    /// A country code is two upper-case letters.
    Country,
    /// A channel of the 2.4 GHz band is 1 to 14.
    Channel {
        /// The requested channel.
        channel: u8,
    },
    /// The MAC address of a station is not a group address and not all zeros.
    MacAddress,
    /// Access point mode supports open and WPA2 networks.
    ApSecurity,
    /// The security requires a passphrase.
    PassphraseMissing,
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SsidLength { len } => write!(f, "SSID of {len} bytes (1 to 32 allowed)"),
            Self::PassphraseLength { len } => write!(f, "passphrase of {len} bytes (8 to 63 allowed)"),
            Self::PassphraseCharacter { at } => {
                write!(f, "passphrase is not printable ASCII at offset {at}")
            }
            Self::Country => f.write_str("country code is not two upper-case letters"),
            Self::Channel { channel } => write!(f, "channel {channel} (1 to 14 allowed)"),
            Self::MacAddress => f.write_str("MAC address is a group address or all zeros"),
            Self::ApSecurity => f.write_str("access point security is not open or WPA2"),
            Self::PassphraseMissing => f.write_str("passphrase missing"),
        }
    }
}

impl core::error::Error for ParamError {}

/// The name of a network: 1 to 32 bytes of any value, usually UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ssid {
    bytes: [u8; 32],
    len: u8,
}

impl Ssid {
    /// Creates an SSID.
    ///
    /// # Errors
    ///
    /// [`ParamError::SsidLength`].
    pub fn new(name: &[u8]) -> Result<Self, ParamError> {
        match Self::received(name) {
            Some(ssid) if !name.is_empty() => Ok(ssid),
            _ => Err(ParamError::SsidLength { len: name.len() }),
        }
    }

    /// The SSID of a beacon: empty if the network is hidden.
    pub(crate) fn received(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            bytes,
            len: u8::try_from(name.len()).ok()?,
        })
    }

    /// Returns the bytes of the name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Returns the name as text if it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }

    /// Length and name, as the firmware takes it.
    pub(crate) fn wire(&self) -> [u8; 36] {
        let mut wire = [0; 36];
        let (len, name) = wire.split_at_mut(4);
        len.copy_from_slice(&u32::from(self.len).to_le_bytes());
        name.copy_from_slice(&self.bytes);
        wire
    }
}

/// Formats the name, with everything but printable ASCII escaped.
impl fmt::Display for Ssid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Ssid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ssid(\"{self}\")")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Ssid {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Ssid({=[u8]:a})", self.as_bytes());
    }
}

/// A passphrase. `Debug` and `defmt` output do not contain it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passphrase {
    bytes: [u8; 63],
    len: u8,
}

impl Passphrase {
    /// Creates a passphrase of 8 to 63 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// [`ParamError::PassphraseLength`], [`ParamError::PassphraseCharacter`].
    pub fn new(passphrase: &str) -> Result<Self, ParamError> {
        let given = passphrase.as_bytes();
        let len = given.len();
        if len < 8 {
            return Err(ParamError::PassphraseLength { len });
        }
        let mut bytes = [0; 63];
        bytes
            .get_mut(..len)
            .ok_or(ParamError::PassphraseLength { len })?
            .copy_from_slice(given);
        if let Some(at) = given.iter().position(|byte| !(b' '..=b'~').contains(byte)) {
            return Err(ParamError::PassphraseCharacter { at });
        }
        Ok(Self {
            bytes,
            len: u8::try_from(len).map_err(|_| ParamError::PassphraseLength { len })?,
        })
    }

    pub(crate) const fn len(&self) -> u8 {
        self.len
    }

    pub(crate) const fn bytes(&self) -> &[u8; 63] {
        &self.bytes
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Passphrase {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Passphrase(..)");
    }
}

/// The security of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Security {
    /// No security.
    Open,
    /// WPA2-Personal: a pre-shared key.
    Wpa2,
    /// WPA3-Personal: SAE, with protected management frames.
    Wpa3,
    /// WPA2 and WPA3 (transition mode).
    Wpa2Wpa3,
}

impl Security {
    /// Whether keys are exchanged before frames cross.
    pub(crate) const fn is_keyed(self) -> bool {
        !matches!(self, Self::Open)
    }

    pub(crate) const fn has_psk(self) -> bool {
        matches!(self, Self::Wpa2 | Self::Wpa2Wpa3)
    }

    pub(crate) const fn has_sae(self) -> bool {
        matches!(self, Self::Wpa3 | Self::Wpa2Wpa3)
    }
}

/// A network to join: SSID, security, passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Network {
    pub(crate) ssid: Ssid,
    pub(crate) security: Security,
    pub(crate) passphrase: Option<Passphrase>,
    pub(crate) access_point: Option<(MacAddress, u8)>,
}

impl Network {
    fn keyed(ssid: &str, security: Security, passphrase: &str) -> Result<Self, ParamError> {
        Ok(Self {
            ssid: Ssid::new(ssid.as_bytes())?,
            security,
            passphrase: Some(Passphrase::new(passphrase)?),
            access_point: None,
        })
    }

    /// Creates a network from its parts.
    ///
    /// # Errors
    ///
    /// [`ParamError::PassphraseMissing`] if the security requires one and none is given.
    pub const fn new(ssid: Ssid, security: Security, passphrase: Option<Passphrase>) -> Result<Self, ParamError> {
        if security.is_keyed() && passphrase.is_none() {
            return Err(ParamError::PassphraseMissing);
        }
        Ok(Self {
            ssid,
            security,
            passphrase,
            access_point: None,
        })
    }

    /// Creates a network without security.
    ///
    /// # Errors
    ///
    /// [`ParamError::SsidLength`].
    pub fn open(ssid: &str) -> Result<Self, ParamError> {
        Ok(Self {
            ssid: Ssid::new(ssid.as_bytes())?,
            security: Security::Open,
            passphrase: None,
            access_point: None,
        })
    }

    /// Creates a WPA2-Personal network.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa2(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa2, passphrase)
    }

    /// Creates a WPA3-Personal network.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa3(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa3, passphrase)
    }

    /// Creates a network in WPA2/WPA3 transition mode.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa2_wpa3(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa2Wpa3, passphrase)
    }

    /// Sets the access point to use, by its BSSID and its channel, 1 to 14.
    ///
    /// # Errors
    ///
    /// [`ParamError::Channel`].
    pub const fn with_bss(mut self, bssid: MacAddress, channel: u8) -> Result<Self, ParamError> {
        if channel < 1 || channel > 14 {
            return Err(ParamError::Channel { channel });
        }
        self.access_point = Some((bssid, channel));
        Ok(self)
    }

    /// Returns the SSID.
    #[must_use]
    pub const fn ssid(&self) -> &Ssid {
        &self.ssid
    }

    /// Returns the security.
    #[must_use]
    pub const fn security(&self) -> Security {
        self.security
    }
}

/// A country, which decides on channels and transmit power: two upper-case letters (ISO 3166-1), or
/// [`WORLD`](Self::WORLD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Country {
    code: [u8; 2],
    revision: Option<u16>,
}

impl Country {
    /// The settings that are allowed everywhere.
    pub const WORLD: Self = Self {
        code: *b"XX",
        revision: None,
    };

    /// Creates a country from its code, for example `"DE"`.
    ///
    /// # Errors
    ///
    /// [`ParamError::Country`].
    pub const fn new(code: &str) -> Result<Self, ParamError> {
        match *code.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self {
                code: [a, b],
                revision: None,
            }),
            _ => Err(ParamError::Country),
        }
    }

    /// Sets the revision of the regulatory rules in the CLM. Without it, the CLM selects one.
    #[must_use]
    pub const fn with_revision(mut self, revision: u16) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Abbreviation, revision, code, as the firmware takes it.
    pub(crate) fn wire(self) -> [u8; 12] {
        let [a, b] = self.code;
        let revision = self.revision.map_or(-1, i32::from);
        let [r0, r1, r2, r3] = revision.to_le_bytes();
        [a, b, 0, 0, r0, r1, r2, r3, a, b, 0, 0]
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    proptest! {
        #[test]
        fn debug_network_hides_passphrase(secret in "[ -~]{8,63}") {
            let network = Network::wpa2("net", &secret).unwrap();
            let shown = format!("{network:?} {:?}", network.passphrase);
            prop_assert!(!shown.contains(&secret));
            let passphrase = network.passphrase.unwrap();
            prop_assert_eq!(&passphrase.bytes()[..passphrase.len().into()], secret.as_bytes());
        }

        #[test]
        fn new_invalid_passphrase_is_rejected(text: String) {
            let good = (8..=63).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            prop_assert_eq!(Passphrase::new(&text).is_ok(), good);
        }
    }

    #[test]
    fn new_length_limits_are_exact() {
        assert_eq!(Passphrase::new("1234567"), Err(ParamError::PassphraseLength { len: 7 }));
        assert!(Passphrase::new("12345678").is_ok());
        assert!(Passphrase::new(&"x".repeat(63)).is_ok());
        let long = Passphrase::new(&"x".repeat(64));
        assert_eq!(long, Err(ParamError::PassphraseLength { len: 64 }));
        assert_eq!(
            Passphrase::new("pass\u{e4}word"),
            Err(ParamError::PassphraseCharacter { at: 4 })
        );
        assert_eq!(Ssid::new(b""), Err(ParamError::SsidLength { len: 0 }));
        assert!(Ssid::new(&[0xff; 32]).is_ok());
        assert_eq!(Ssid::new(&[b'x'; 33]), Err(ParamError::SsidLength { len: 33 }));
        assert_eq!(Country::new("de"), Err(ParamError::Country));
        assert_eq!(Country::new("DE").unwrap().wire(), *b"DE\0\0\xff\xff\xff\xffDE\0\0");
        assert_eq!(Country::WORLD.with_revision(7).wire(), *b"XX\0\0\x07\0\0\0XX\0\0");
    }
}
