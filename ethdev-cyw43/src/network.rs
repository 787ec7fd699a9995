//! Networks as the user names them: everything is checked here, before any of it reaches the chip.

use core::fmt;

use ethdev::MacAddress;

/// Why something that the user said cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Invalid {
    /// A network's name has 1 to 32 bytes.
    SsidLength {
        /// How many it had.
        len: usize,
    },
    /// A passphrase has 8 to 63 characters.
    PassphraseLength {
        /// How many bytes it had.
        len: usize,
    },
    /// A passphrase consists of printable ASCII characters (IEEE 802.11 annex J.4.1).
    PassphraseCharacter {
        /// Where the first other one is, in bytes from the beginning.
        at: usize,
    },
    /// A country is two capital letters.
    Country,
    /// A channel of the 2.4 GHz band is 1 to 14.
    Channel {
        /// What was asked for.
        channel: u8,
    },
    /// A station's own address is no group address, and not all zeros.
    MacAddress,
    /// The access point of this driver is open or WPA2.
    ApSecurity,
    /// This kind of security needs a passphrase.
    PassphraseMissing,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SsidLength { len } => write!(f, "a network name has 1 to 32 bytes, not {len}"),
            Self::PassphraseLength { len } => write!(f, "a passphrase has 8 to 63 characters, not {len}"),
            Self::PassphraseCharacter { at } => {
                write!(f, "the passphrase has a character at {at} that is not printable ASCII")
            }
            Self::Country => f.write_str("a country is two capital letters"),
            Self::Channel { channel } => write!(f, "there is no channel {channel} in the 2.4 GHz band"),
            Self::MacAddress => f.write_str("a group address, or all zeros, is no station's own"),
            Self::ApSecurity => f.write_str("the access point is open or WPA2"),
            Self::PassphraseMissing => f.write_str("this kind of security needs a passphrase"),
        }
    }
}

impl core::error::Error for Invalid {}

/// The name of a network: 1 to 32 bytes of any value, UTF-8 by custom.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ssid {
    bytes: [u8; 32],
    len: u8,
}

impl Ssid {
    /// Checks and takes a name.
    ///
    /// # Errors
    ///
    /// [`Invalid::SsidLength`].
    pub fn new(name: &[u8]) -> Result<Self, Invalid> {
        match Self::received(name) {
            Some(ssid) if !name.is_empty() => Ok(ssid),
            _ => Err(Invalid::SsidLength { len: name.len() }),
        }
    }

    /// What a beacon says: nothing, where the network hides.
    pub(crate) fn received(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self {
            bytes,
            len: u8::try_from(name.len()).ok()?,
        })
    }

    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name as text, where it is UTF-8.
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

/// The name, with what is not printable ASCII escaped.
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

/// A passphrase. It shows itself to nobody: neither `Debug` nor a record has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passphrase {
    bytes: [u8; 63],
    len: u8,
}

impl Passphrase {
    /// Checks and takes a passphrase: 8 to 63 printable ASCII characters.
    ///
    /// # Errors
    ///
    /// [`Invalid::PassphraseLength`], [`Invalid::PassphraseCharacter`].
    pub fn new(passphrase: &str) -> Result<Self, Invalid> {
        let given = passphrase.as_bytes();
        let len = given.len();
        if len < 8 {
            return Err(Invalid::PassphraseLength { len });
        }
        let mut bytes = [0; 63];
        bytes
            .get_mut(..len)
            .ok_or(Invalid::PassphraseLength { len })?
            .copy_from_slice(given);
        if let Some(at) = given.iter().position(|byte| !(b' '..=b'~').contains(byte)) {
            return Err(Invalid::PassphraseCharacter { at });
        }
        Ok(Self {
            bytes,
            len: u8::try_from(len).map_err(|_| Invalid::PassphraseLength { len })?,
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

/// How a network is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Security {
    /// Not at all.
    Open,
    /// WPA2-Personal: a pre-shared key.
    Wpa2,
    /// WPA3-Personal: SAE, with protected management frames.
    Wpa3,
    /// An access point that takes both.
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

/// A network to join: its name, how it is secured, and the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Network {
    pub(crate) ssid: Ssid,
    pub(crate) security: Security,
    pub(crate) passphrase: Option<Passphrase>,
    pub(crate) access_point: Option<(MacAddress, u8)>,
}

impl Network {
    fn keyed(ssid: &str, security: Security, passphrase: &str) -> Result<Self, Invalid> {
        Ok(Self {
            ssid: Ssid::new(ssid.as_bytes())?,
            security,
            passphrase: Some(Passphrase::new(passphrase)?),
            access_point: None,
        })
    }

    /// From parts.
    ///
    /// # Errors
    ///
    /// [`Invalid::PassphraseMissing`] where the security needs one and none is given.
    pub const fn new(ssid: Ssid, security: Security, passphrase: Option<Passphrase>) -> Result<Self, Invalid> {
        if security.is_keyed() && passphrase.is_none() {
            return Err(Invalid::PassphraseMissing);
        }
        Ok(Self {
            ssid,
            security,
            passphrase,
            access_point: None,
        })
    }

    /// A network without security.
    ///
    /// # Errors
    ///
    /// [`Invalid::SsidLength`].
    pub fn open(ssid: &str) -> Result<Self, Invalid> {
        Ok(Self {
            ssid: Ssid::new(ssid.as_bytes())?,
            security: Security::Open,
            passphrase: None,
            access_point: None,
        })
    }

    /// WPA2-Personal.
    ///
    /// # Errors
    ///
    /// Name or passphrase is none.
    pub fn wpa2(ssid: &str, passphrase: &str) -> Result<Self, Invalid> {
        Self::keyed(ssid, Security::Wpa2, passphrase)
    }

    /// WPA3-Personal.
    ///
    /// # Errors
    ///
    /// Name or passphrase is none.
    pub fn wpa3(ssid: &str, passphrase: &str) -> Result<Self, Invalid> {
        Self::keyed(ssid, Security::Wpa3, passphrase)
    }

    /// An access point that takes WPA2 and WPA3.
    ///
    /// # Errors
    ///
    /// Name or passphrase is none.
    pub fn wpa2_wpa3(ssid: &str, passphrase: &str) -> Result<Self, Invalid> {
        Self::keyed(ssid, Security::Wpa2Wpa3, passphrase)
    }

    /// The same by this access point only, on this channel (1 to 14).
    ///
    /// # Errors
    ///
    /// [`Invalid::Channel`].
    pub const fn at(mut self, access_point: MacAddress, channel: u8) -> Result<Self, Invalid> {
        if channel < 1 || channel > 14 {
            return Err(Invalid::Channel { channel });
        }
        self.access_point = Some((access_point, channel));
        Ok(self)
    }

    /// Its name.
    #[must_use]
    pub const fn ssid(&self) -> &Ssid {
        &self.ssid
    }

    /// How it is secured.
    #[must_use]
    pub const fn security(&self) -> Security {
        self.security
    }
}

/// A country, which decides on channels and power: two capital letters (ISO 3166-1), or [`WORLD`](Self::WORLD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Country {
    code: [u8; 2],
    revision: Option<u16>,
}

impl Country {
    /// What is allowed everywhere.
    pub const WORLD: Self = Self {
        code: *b"XX",
        revision: None,
    };

    /// From its code: `"DE"`.
    ///
    /// # Errors
    ///
    /// [`Invalid::Country`].
    pub const fn new(code: &str) -> Result<Self, Invalid> {
        match *code.as_bytes() {
            [a, b] if a.is_ascii_uppercase() && b.is_ascii_uppercase() => Ok(Self {
                code: [a, b],
                revision: None,
            }),
            _ => Err(Invalid::Country),
        }
    }

    /// The same with a revision of its rules that the CLM knows. Without one, the CLM's own choice.
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
        fn no_passphrase_shows(secret in "[ -~]{8,63}") {
            let network = Network::wpa2("net", &secret).unwrap();
            let shown = format!("{network:?} {:?}", network.passphrase);
            prop_assert!(!shown.contains(&secret));
            let passphrase = network.passphrase.unwrap();
            prop_assert_eq!(&passphrase.bytes()[..passphrase.len().into()], secret.as_bytes());
        }

        #[test]
        fn what_is_no_passphrase_is_refused(text: String) {
            let good = (8..=63).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            prop_assert_eq!(Passphrase::new(&text).is_ok(), good);
        }
    }

    #[test]
    fn the_edges_of_lengths() {
        assert_eq!(Passphrase::new("1234567"), Err(Invalid::PassphraseLength { len: 7 }));
        assert!(Passphrase::new("12345678").is_ok());
        assert!(Passphrase::new(&"x".repeat(63)).is_ok());
        let long = Passphrase::new(&"x".repeat(64));
        assert_eq!(long, Err(Invalid::PassphraseLength { len: 64 }));
        assert_eq!(
            Passphrase::new("pass\u{e4}word"),
            Err(Invalid::PassphraseCharacter { at: 4 })
        );
        assert_eq!(Ssid::new(b""), Err(Invalid::SsidLength { len: 0 }));
        assert!(Ssid::new(&[0xff; 32]).is_ok());
        assert_eq!(Ssid::new(&[b'x'; 33]), Err(Invalid::SsidLength { len: 33 }));
        assert_eq!(Country::new("de"), Err(Invalid::Country));
        assert_eq!(Country::new("DE").unwrap().wire(), *b"DE\0\0\xff\xff\xff\xffDE\0\0");
        assert_eq!(Country::WORLD.with_revision(7).wire(), *b"XX\0\0\x07\0\0\0XX\0\0");
    }
}
