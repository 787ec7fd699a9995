//! Access points and their networks.

/// How an access point is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// No security.
    Open,
    /// WPA with a pre-shared key, and TKIP.
    Wpa(String),
    /// WPA2 with a pre-shared key, and AES.
    Wpa2(String),
    /// WPA3: SAE with this password, management frames protected.
    Wpa3(String),
    /// WPA3 and WPA2 with the same passphrase (transition mode).
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

/// A fault that affects each station that joins an access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum JoinFault {
    /// No fault.
    #[default]
    None,
    /// It does not respond to the authentication: `AUTH` with status 2, `SET_SSID` with status 1.
    AuthTimeout,
    /// It rejects the authentication: `AUTH` with status 1, `SET_SSID` with status 1.
    AuthRefused,
    /// It rejects the association: `ASSOC` with status 1 and this reason, `SET_SSID` with status 1.
    AssocRefused(u16),
    /// The first message of the key exchange is lost: `PSK_SUP` with status 4, reason 15.
    FirstKeyMessageLost,
    /// The third message of the key exchange is lost, as with a wrong key: `PSK_SUP` with status 8,
    /// reason 15.
    ThirdKeyMessageLost,
    /// The message with the group key is lost: `PSK_SUP` with status 10, reason 15.
    GroupKeyLost,
    /// It does not respond, and the firmware reports no event.
    Silence,
}

/// An access point: one basic service set, bridged to the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccessPoint {
    /// Name of the network, up to 32 bytes.
    pub ssid: Vec<u8>,
    /// MAC address of the access point.
    pub bssid: [u8; 6],
    /// Channel in the 2.4 GHz band, 1 to 14.
    pub channel: u8,
    /// Signal strength at the chip in dBm.
    pub rssi: i16,
    /// Security.
    pub security: Security,
    /// PBKDF2 of passphrase and name, for hosts that set it instead of the passphrase. `None`: such
    /// hosts are rejected.
    pub hashed_key: Option<[u8; 32]>,
    /// Beacon interval in units of 1024 µs.
    pub beacon_interval: u16,
    /// Stored group frames are announced every N-th beacon.
    pub dtim_period: u8,
    /// Whether its beacons omit its name.
    pub hidden: bool,
    /// Fault of stations that join.
    pub join_fault: JoinFault,
}

impl AccessPoint {
    /// Creates an open network of this name: on channel 6, at -50 dBm, a beacon every 102.4 ms.
    ///
    /// # Panics
    ///
    /// Where the name is longer than 32 bytes.
    #[must_use]
    pub fn open(ssid: &str) -> Self {
        assert!(ssid.len() <= 32, "the name of a network has at most 32 bytes");
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
            join_fault: JoinFault::None,
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

    /// Sets the security.
    #[must_use]
    pub fn with_security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Sets the MAC address of the access point.
    #[must_use]
    pub const fn with_bssid(mut self, bssid: [u8; 6]) -> Self {
        self.bssid = bssid;
        self
    }

    /// Sets the PBKDF2 of passphrase and name.
    #[must_use]
    pub const fn with_hashed_key(mut self, key: [u8; 32]) -> Self {
        self.hashed_key = Some(key);
        self
    }

    /// Sets the channel, 1 to 14.
    #[must_use]
    pub const fn with_channel(mut self, channel: u8) -> Self {
        self.channel = channel;
        self
    }

    /// Sets the signal strength at the chip in dBm.
    #[must_use]
    pub const fn with_rssi(mut self, dbm: i16) -> Self {
        self.rssi = dbm;
        self
    }

    /// Sets the beacon interval in units of 1024 µs, and after how many beacons stored group frames
    /// are announced.
    #[must_use]
    pub const fn with_beacons(mut self, interval: u16, dtim_period: u8) -> Self {
        self.beacon_interval = interval;
        self.dtim_period = dtim_period;
        self
    }

    /// Sets the beacons to omit the name.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    /// Sets the fault of stations that join.
    #[must_use]
    pub const fn with_join_fault(mut self, fault: JoinFault) -> Self {
        self.join_fault = fault;
        self
    }
}

/// Identifies an access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApId(pub(crate) usize);

/// The association of the chip with an access point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Association {
    /// The access point.
    pub ap: ApId,
    /// MAC address of the access point.
    pub bssid: [u8; 6],
    /// Whether frames are transferred: the keys are installed, or none are needed.
    pub keyed: bool,
}
