//! The calls of `Control` as values.

use ethdev::{Control, ErrorKind, FilterOutcome, MacAddress, Multicast, RxFilter};

pub(super) const NEW_ADDRESS: MacAddress = MacAddress::new([0x02, 0x12, 0x34, 0x56, 0x78, 0x9a]);
/// A filter with a mode of the hardware.
pub(super) const ALL_MULTICAST: RxFilter<'static> = RxFilter::DEFAULT.with_multicast(Multicast::All);

/// A call of [`Control`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ControlCall {
    Start,
    Stop,
    Sleep,
    Wake,
    Recover,
    SetMacAddress(MacAddress),
    SetRxFilter(RxFilter<'static>),
}

impl ControlCall {
    pub(super) const ALL: [Self; 7] = [
        Self::Start,
        Self::Stop,
        Self::Sleep,
        Self::Wake,
        Self::Recover,
        Self::SetMacAddress(NEW_ADDRESS),
        Self::SetRxFilter(ALL_MULTICAST),
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Sleep => "sleep",
            Self::Wake => "wake",
            Self::Recover => "recover",
            Self::SetMacAddress(_) => "set_mac_address",
            Self::SetRxFilter(_) => "set_rx_filter",
        }
    }

    /// `Superset` unless a filter was set.
    pub(super) fn run(self, device: &mut dyn Control<Error = ErrorKind>) -> Result<FilterOutcome, ErrorKind> {
        match self {
            Self::Start => device.start(),
            Self::Stop => device.stop(),
            Self::Sleep => device.sleep(),
            Self::Wake => device.wake(),
            Self::Recover => device.recover(),
            Self::SetMacAddress(address) => device.set_mac_address(address),
            Self::SetRxFilter(filter) => return device.set_rx_filter(filter),
        }
        .map(|()| FilterOutcome::Superset)
    }
}
