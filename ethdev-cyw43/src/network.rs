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
    /// A passphrase has 8 to 63 characters, or 64 hexadecimal digits; a password of WPA3 has 1 to
    /// 128 bytes.
    PassphraseLength {
        /// The length in bytes.
        len: usize,
    },
    /// A passphrase consists of printable ASCII characters (IEEE 802.11 annex J.4.1), a key of 64
    /// characters of hexadecimal digits.
    PassphraseCharacter {
        /// Offset of the first invalid byte.
        at: usize,
    },
    /// The security takes another kind of passphrase: WPA and WPA2 a passphrase or 64 hexadecimal
    /// digits, WPA3 a password, transition mode a passphrase only.
    PassphraseKind,
    /// A country code is two upper-case letters.
    Country,
    /// A channel of the 2.4 GHz band is 1 to 14.
    Channel {
        /// The requested channel.
        channel: u8,
    },
    /// The MAC address of a station or an access point is not a group address and not all zeros.
    MacAddress,
    /// Access point mode supports no WPA networks.
    ApSecurity,
    /// The security requires a passphrase.
    PassphraseMissing,
    /// The name of a variable is empty or contains a zero byte.
    IovarName,
    /// Name and value of a variable are too long.
    IovarLength {
        /// The length in bytes, with the zero byte after the name.
        len: usize,
        /// The longest length.
        max: usize,
    },
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SsidLength { len } => write!(f, "SSID of {len} bytes (1 to 32 allowed)"),
            Self::PassphraseLength { len } => write!(f, "passphrase of {len} bytes"),
            Self::PassphraseCharacter { at } => {
                write!(f, "passphrase has an invalid character at offset {at}")
            }
            Self::PassphraseKind => f.write_str("passphrase is of a kind that the security does not take"),
            Self::Country => f.write_str("country code is not two upper-case letters"),
            Self::Channel { channel } => write!(f, "channel {channel} (1 to 14 allowed)"),
            Self::MacAddress => f.write_str("MAC address is a group address or all zeros"),
            Self::ApSecurity => f.write_str("access point security is WPA"),
            Self::PassphraseMissing => f.write_str("passphrase missing"),
            Self::IovarName => f.write_str("variable name is empty or contains a zero byte"),
            Self::IovarLength { len, max } => write!(f, "variable of {len} bytes (at most {max} allowed)"),
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

/// Longest password of WPA3, in bytes: what the firmware takes.
const PASSWORD: usize = 128;

/// A passphrase, key or password. `Debug` and `defmt` output do not contain it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Passphrase {
    bytes: [u8; PASSWORD],
    len: u8,
    kind: PassphraseKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PassphraseKind {
    /// 8 to 63 printable ASCII characters: for every security.
    Ascii,
    /// 64 hexadecimal digits: WPA and WPA2.
    Key,
    /// Anything else: WPA3.
    Password,
}

impl Passphrase {
    /// Creates a passphrase of 8 to 63 printable ASCII characters, or a pre-shared key of 64
    /// hexadecimal digits: the PBKDF2 of passphrase and SSID (IEEE 802.11 annex J.4.1).
    ///
    /// # Errors
    ///
    /// [`ParamError::PassphraseLength`], [`ParamError::PassphraseCharacter`].
    pub fn new(passphrase: &str) -> Result<Self, ParamError> {
        let given = passphrase.as_bytes();
        let (kind, is_valid): (_, fn(&u8) -> bool) = match given.len() {
            8..=63 => (PassphraseKind::Ascii, |byte| (b' '..=b'~').contains(byte)),
            64 => (PassphraseKind::Key, u8::is_ascii_hexdigit),
            len => return Err(ParamError::PassphraseLength { len }),
        };
        match given.iter().position(|byte| !is_valid(byte)) {
            Some(at) => Err(ParamError::PassphraseCharacter { at }),
            None => Self::store(given, kind),
        }
    }

    /// Creates a password of 1 to 128 bytes of any value, usually UTF-8, for WPA3 (SAE, IEEE 802.11
    /// clause 12.4.3). One that is a valid passphrase is accepted for every security.
    ///
    /// # Errors
    ///
    /// [`ParamError::PassphraseLength`].
    pub fn sae(password: &[u8]) -> Result<Self, ParamError> {
        let text = core::str::from_utf8(password).ok();
        match text.map(Self::new) {
            Some(Ok(passphrase)) if passphrase.kind == PassphraseKind::Ascii => Ok(passphrase),
            _ => Self::store(password, PassphraseKind::Password),
        }
    }

    fn store(given: &[u8], kind: PassphraseKind) -> Result<Self, ParamError> {
        let len = given.len();
        let mut bytes = [0; PASSWORD];
        match (bytes.get_mut(..len), u8::try_from(len)) {
            (Some(slot @ [_, ..]), Ok(short)) => {
                slot.copy_from_slice(given);
                Ok(Self {
                    bytes,
                    len: short,
                    kind,
                })
            }
            _ => Err(ParamError::PassphraseLength { len }),
        }
    }

    /// Whether a network of this security takes it.
    const fn fits(&self, security: Security) -> bool {
        match self.kind {
            PassphraseKind::Ascii => true,
            PassphraseKind::Key => !security.has_sae(),
            PassphraseKind::Password => !security.has_psk(),
        }
    }

    pub(crate) const fn len(&self) -> u8 {
        self.len
    }

    pub(crate) const fn bytes(&self) -> &[u8; PASSWORD] {
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
    /// WPA-Personal with TKIP or AES. Insecure: TKIP is broken, and deprecated since IEEE
    /// 802.11-2012. Only for access points that have nothing better.
    Wpa,
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
        matches!(self, Self::Wpa | Self::Wpa2 | Self::Wpa2Wpa3)
    }

    pub(crate) const fn has_sae(self) -> bool {
        matches!(self, Self::Wpa3 | Self::Wpa2Wpa3)
    }

    /// `wsec`: the ciphers. A WPA2 access point may have TKIP for its group key; WPA3 excludes it.
    pub(crate) const fn wsec(self) -> u32 {
        const TKIP: u32 = 2;
        const AES: u32 = 4;
        match self {
            Self::Open => 0,
            Self::Wpa | Self::Wpa2 => AES | TKIP,
            Self::Wpa3 | Self::Wpa2Wpa3 => AES,
        }
    }

    /// `wpa_auth`: the key managements.
    pub(crate) const fn wpa_auth(self) -> u32 {
        const WPA_PSK: u32 = 0x04;
        const WPA2_PSK: u32 = 0x80;
        const WPA3_SAE: u32 = 0x4_0000;
        match self {
            Self::Open => 0,
            Self::Wpa => WPA_PSK,
            Self::Wpa2 => WPA2_PSK,
            Self::Wpa3 => WPA3_SAE,
            Self::Wpa2Wpa3 => WPA3_SAE | WPA2_PSK,
        }
    }

    /// `mfp`: protected management frames.
    pub(crate) const fn mfp(self) -> u32 {
        const NONE: u32 = 0;
        const CAPABLE: u32 = 1;
        const REQUIRED: u32 = 2;
        match self {
            Self::Open | Self::Wpa => NONE,
            Self::Wpa2 | Self::Wpa2Wpa3 => CAPABLE,
            Self::Wpa3 => REQUIRED,
        }
    }
}

/// A network to join: SSID, security, passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Network {
    pub(crate) ssid: Ssid,
    pub(crate) security: Security,
    pub(crate) passphrase: Option<Passphrase>,
    pub(crate) access_point: Option<(MacAddress, Option<u8>)>,
}

impl Network {
    fn keyed(ssid: &str, security: Security, passphrase: Passphrase) -> Result<Self, ParamError> {
        Self::new(Ssid::new(ssid.as_bytes())?, security, Some(passphrase))
    }

    /// Creates a network from its parts.
    ///
    /// # Errors
    ///
    /// [`ParamError::PassphraseMissing`] if the security requires one and none is given,
    /// [`ParamError::PassphraseKind`] if it takes another kind.
    pub const fn new(ssid: Ssid, security: Security, passphrase: Option<Passphrase>) -> Result<Self, ParamError> {
        match &passphrase {
            None if security.is_keyed() => return Err(ParamError::PassphraseMissing),
            Some(passphrase) if !passphrase.fits(security) => return Err(ParamError::PassphraseKind),
            _ => {}
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

    /// Creates a WPA-Personal network, which is insecure: see [`Security::Wpa`].
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa, Passphrase::new(passphrase)?)
    }

    /// Creates a WPA2-Personal network, with a passphrase of 8 to 63 characters or a key of 64
    /// hexadecimal digits.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa2(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa2, Passphrase::new(passphrase)?)
    }

    /// Creates a WPA3-Personal network, with a password of 1 to 128 bytes.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa3(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa3, Passphrase::sae(passphrase.as_bytes())?)
    }

    /// Creates a network in WPA2/WPA3 transition mode.
    ///
    /// # Errors
    ///
    /// The SSID or the passphrase is invalid.
    pub fn wpa2_wpa3(ssid: &str, passphrase: &str) -> Result<Self, ParamError> {
        Self::keyed(ssid, Security::Wpa2Wpa3, Passphrase::new(passphrase)?)
    }

    /// Sets the access point to use, by its BSSID, and its channel, 1 to 14; `None` to look for it
    /// on all channels.
    ///
    /// # Errors
    ///
    /// [`ParamError::Channel`], or [`ParamError::MacAddress`] for a group address or all zeros.
    pub fn with_bss(mut self, bssid: MacAddress, channel: Option<u8>) -> Result<Self, ParamError> {
        if let Some(channel @ (0 | 15..)) = channel {
            return Err(ParamError::Channel { channel });
        }
        if !bssid.is_unicast() {
            return Err(ParamError::MacAddress);
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
            let good = (8..=63).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
                || text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(Passphrase::new(&text).is_ok(), good);
        }
    }

    #[test]
    fn new_passphrase_of_another_kind_is_rejected() {
        let ssid = Ssid::new(b"net").unwrap();
        let key = Passphrase::new(&"0123456789abcdefABCDEF0123456789".repeat(2)).unwrap();
        let ascii = Passphrase::sae(b"correct horse").unwrap();
        assert_eq!(ascii, Passphrase::new("correct horse").unwrap());
        let long = Passphrase::sae(&[0xe4; 128]).unwrap();
        assert_eq!(long.bytes(), &[0xe4; 128]);
        let short = Passphrase::sae(b"x").unwrap();
        for (passphrase, fits) in [
            (ascii, [true; 4]),
            (key, [true, true, false, false]),
            (long, [false, false, true, false]),
            (short, [false, false, true, false]),
        ] {
            let all = [Security::Wpa, Security::Wpa2, Security::Wpa3, Security::Wpa2Wpa3];
            let result = all.map(|security| Network::new(ssid, security, Some(passphrase)).map(|_| ()));
            assert_eq!(
                result,
                fits.map(|fits| if fits { Ok(()) } else { Err(ParamError::PassphraseKind) })
            );
        }
        assert_eq!(Passphrase::sae(b""), Err(ParamError::PassphraseLength { len: 0 }));
        assert_eq!(
            Passphrase::sae(&[1; 129]),
            Err(ParamError::PassphraseLength { len: 129 })
        );
        // Digits that are a key for WPA2 are a password for WPA3.
        assert!(Network::wpa3("net", &"0".repeat(64)).is_ok());
        assert_eq!(
            Network::new(ssid, Security::Wpa3, None),
            Err(ParamError::PassphraseMissing)
        );
    }

    #[test]
    fn with_bss_invalid_address_or_channel_is_rejected() {
        let network = Network::open("net").unwrap();
        let bssid = MacAddress::new([2, 0, 0, 0, 0, 9]);
        assert!(network.with_bss(bssid, None).is_ok());
        assert!(network.with_bss(bssid, Some(14)).is_ok());
        for channel in [0, 15, 255] {
            assert_eq!(
                network.with_bss(bssid, Some(channel)),
                Err(ParamError::Channel { channel })
            );
        }
        for bssid in [MacAddress::BROADCAST, MacAddress::UNSPECIFIED] {
            assert_eq!(network.with_bss(bssid, Some(1)), Err(ParamError::MacAddress));
        }
    }

    #[test]
    fn new_length_limits_are_exact() {
        assert_eq!(Passphrase::new("1234567"), Err(ParamError::PassphraseLength { len: 7 }));
        assert!(Passphrase::new("12345678").is_ok());
        assert!(Passphrase::new(&"x".repeat(63)).is_ok());
        let long = Passphrase::new(&"x".repeat(64));
        assert_eq!(long, Err(ParamError::PassphraseCharacter { at: 0 }));
        let long = Passphrase::new(&"a".repeat(65));
        assert_eq!(long, Err(ParamError::PassphraseLength { len: 65 }));
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
