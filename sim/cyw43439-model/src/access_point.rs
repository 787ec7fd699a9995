//! What is on the air.

/// How an access point is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Not at all.
    Open,
    /// WPA with a pre-shared key, and TKIP.
    Wpa(String),
    /// WPA2 with a pre-shared key, and AES.
    Wpa2(String),
    /// WPA3: SAE with this password, management frames protected.
    Wpa3(String),
    /// WPA3 for those who can, WPA2 for the rest, with the same passphrase.
    Wpa2Wpa3(String),
}

impl Security {
    /// The passphrase.
    #[must_use]
    pub fn passphrase(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Wpa(phrase) | Self::Wpa2(phrase) | Self::Wpa3(phrase) | Self::Wpa2Wpa3(phrase) => Some(phrase),
        }
    }
}

/// An accident that an access point makes happen to each station that joins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Refusal {
    /// None.
    #[default]
    None,
    /// It does not answer the authentication: `AUTH` with status 2, `SET_SSID` with status 1.
    AuthTimeout,
    /// It refuses the authentication: `AUTH` with status 1, `SET_SSID` with status 1.
    AuthRefused,
    /// It refuses the association: `ASSOC` with status 1 and this reason, `SET_SSID` with status 1.
    AssocRefused(u16),
    /// Its first message of the key exchange gets lost: `PSK_SUP` with status 4, reason 15.
    FirstKeyMessageLost,
    /// Its third one gets lost, as with a wrong key: `PSK_SUP` with status 8, reason 15.
    ThirdKeyMessageLost,
    /// The one with the group key gets lost: `PSK_SUP` with status 10, reason 15.
    GroupKeyLost,
    /// It answers nothing, and the firmware reports nothing.
    Silence,
}

/// An access point: one basic service set, bridging to the wire behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessPoint {
    /// Name of the network, up to 32 bytes.
    pub ssid: Vec<u8>,
    /// The access point's own address.
    pub bssid: [u8; 6],
    /// Channel in the 2.4 GHz band, 1 to 14.
    pub channel: u8,
    /// How strongly the chip receives it, in dBm.
    pub rssi: i16,
    /// How it is secured.
    pub security: Security,
    /// What PBKDF2 makes of passphrase and name, for hosts that give that instead of the passphrase. Without it no such host gets in.
    pub hashed_key: Option<[u8; 32]>,
    /// Beacons come this often, in units of 1024 µs.
    pub beacon_interval: u16,
    /// Every this many beacons, what is stored for sleeping stations is announced.
    pub dtim_period: u8,
    /// Whether its beacons do not tell its name.
    pub hidden: bool,
    /// What goes wrong for those who join.
    pub refusal: Refusal,
}

impl AccessPoint {
    /// An open network of this name: on channel 6, at -50 dBm, a beacon every 102.4 ms.
    ///
    /// # Panics
    ///
    /// Where the name is longer than 32 bytes.
    #[must_use]
    pub fn open(ssid: &str) -> Self {
        assert!(ssid.len() <= 32, "the name of a network has up to 32 bytes");
        Self {
            ssid: ssid.into(),
            bssid: [0x02, 0xa9, 0x00, 0x00, 0x00, 0x01],
            channel: 6,
            rssi: -50,
            security: Security::Open,
            hashed_key: None,
            beacon_interval: 100,
            dtim_period: 1,
            hidden: false,
            refusal: Refusal::None,
        }
    }

    /// As [`open`](Self::open), with WPA2.
    #[must_use]
    pub fn wpa2(ssid: &str, passphrase: &str) -> Self {
        Self::open(ssid).with_security(Security::Wpa2(passphrase.into()))
    }

    /// As [`open`](Self::open), with WPA3.
    #[must_use]
    pub fn wpa3(ssid: &str, passphrase: &str) -> Self {
        Self::open(ssid).with_security(Security::Wpa3(passphrase.into()))
    }

    /// As [`open`](Self::open), with WPA2 and WPA3.
    #[must_use]
    pub fn wpa2_wpa3(ssid: &str, passphrase: &str) -> Self {
        Self::open(ssid).with_security(Security::Wpa2Wpa3(passphrase.into()))
    }

    /// The same, secured in this way.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// The same with this address.
    #[must_use]
    pub const fn with_bssid(mut self, bssid: [u8; 6]) -> Self {
        self.bssid = bssid;
        self
    }

    /// The same, with this as the hash of its passphrase and name.
    #[must_use]
    pub const fn with_hashed_key(mut self, key: [u8; 32]) -> Self {
        self.hashed_key = Some(key);
        self
    }

    /// The same on this channel.
    #[must_use]
    pub const fn with_channel(mut self, channel: u8) -> Self {
        self.channel = channel;
        self
    }

    /// The same, received this strongly, in dBm.
    #[must_use]
    pub const fn with_rssi(mut self, dbm: i16) -> Self {
        self.rssi = dbm;
        self
    }

    /// The same with a beacon every `interval` units of 1024 µs, every `dtim_period`th of which announces stored frames.
    #[must_use]
    pub const fn with_beacons(mut self, interval: u16, dtim_period: u8) -> Self {
        self.beacon_interval = interval;
        self.dtim_period = dtim_period;
        self
    }

    /// The same, not telling its name.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// The same, refusing whoever joins.
    #[must_use]
    pub const fn with_refusal(mut self, refusal: Refusal) -> Self {
        self.refusal = refusal;
        self
    }
}

/// One access point of a chip's surroundings, to speak of it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApId(pub(super) usize);

/// To which access point the chip belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Association {
    /// Which one.
    pub ap: ApId,
    /// Its address.
    pub bssid: [u8; 6],
    /// Whether frames may pass: keys are in place, or none are needed.
    pub keyed: bool,
}
