//! The timers of the chip.

use core::time::Duration;

use crate::access_point::ApId;

/// A timer that a part of the chip has started.
///
/// Those with a number belong to an operation: where that was cancelled, they have no effect.
#[derive(Debug)]
pub(crate) enum Timer {
    /// The bus responds.
    PowerReady,
    /// The ALP clock is available.
    AlpReady,
    /// The HT clock is available.
    HtReady,
    /// The firmware takes frames.
    F2Ready,
    /// A spurious interrupt is over.
    SpuriousIrqOver,
    /// The firmware has processed a frame from the host.
    Processed(HostFrame),
    /// The firmware executes an ioctl.
    Ioctl(Vec<u8>),
    /// A late reply to an ioctl.
    LateReply(Vec<u8>),
    /// A frame arrives from the air.
    FrameFromAir,
    /// A step of the station.
    Station { attempt: u64, step: StationStep },
    /// A step of a scan.
    Scan { scan: u64, step: ScanStep },
    /// The chip's own access point transmits.
    SoftApReady { start: u64 },
}

/// A frame from the host.
#[derive(Debug)]
pub(crate) enum HostFrame {
    /// An Ethernet frame.
    Data(DataFrame),
    /// An ioctl, from its header on.
    Ioctl(Vec<u8>),
}

/// An Ethernet frame from the host.
#[derive(Debug)]
pub(crate) struct DataFrame {
    /// 0 for the station, 1 for an access point beside it.
    pub(crate) interface: u8,
    pub(crate) bytes: Vec<u8>,
}

/// The network that frames are transferred through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// An access point, since this time, in this attempt of the station.
    Network { ap: ApId, since: Duration, attempt: u64 },
    /// The chip's own access point.
    SoftAp,
}

/// How the station authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthMethod {
    Open,
    Psk,
    Sae,
}

/// The network that the station searches for.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) ssid: Vec<u8>,
    /// The access point; `None` for any.
    pub(crate) bssid: Option<[u8; 6]>,
    /// The channels; none for all.
    pub(crate) channels: Vec<u8>,
}

/// A step of the station.
#[derive(Debug)]
pub(crate) enum StationStep {
    /// The search for a network ends.
    Choose(Target),
    /// The authentication ends.
    Authenticate { ap: ApId, method: AuthMethod },
    /// The association ends.
    Associate { ap: ApId, method: AuthMethod },
    /// The exchange of keys ends.
    ExchangeKeys {
        ap: ApId,
        method: AuthMethod,
        /// Whether the end of the join is reported after it.
        join_follows: bool,
        /// Timeout of the supplicant.
        timeout: Duration,
    },
    /// The supplicant times out in this state.
    SupplicantTimeout {
        timeout: Duration,
        state: u32,
        bssid: [u8; 6],
    },
    /// Beacons of this access point were missing for too long.
    BeaconsLost { ap: ApId },
}

/// A step of a scan.
#[derive(Debug)]
pub(crate) enum ScanStep {
    /// An access point is reported, by this description.
    Found { sync_id: u16, bss: Vec<u8> },
    /// The scan ends.
    Done,
}
