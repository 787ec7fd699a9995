//! Management: start and stop, address, filter, recovery, power.

use core::fmt;

use crate::{Error, ErrorKind, ErrorType, MacAddress};

/// Which frames the device is to deliver. Frames to its own address always pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct RxFilter<'a> {
    /// Frames to `ff:ff:ff:ff:ff:ff`.
    pub broadcast: bool,
    /// Frames to group addresses.
    pub multicast: Multicast<'a>,
    /// Every good frame, whomever it is for.
    pub promiscuous: bool,
}

impl<'a> RxFilter<'a> {
    /// Own address and broadcast: what a device starts with.
    pub const DEFAULT: RxFilter<'static> = RxFilter {
        broadcast: true,
        multicast: Multicast::None,
        promiscuous: false,
    };
    /// Everything.
    pub const PROMISCUOUS: RxFilter<'static> = RxFilter {
        broadcast: true,
        multicast: Multicast::All,
        promiscuous: true,
    };

    /// The same with or without broadcast.
    #[must_use]
    pub const fn with_broadcast(mut self, broadcast: bool) -> Self {
        self.broadcast = broadcast;
        self
    }

    /// The same with these groups.
    #[must_use]
    pub const fn with_multicast<'b>(self, multicast: Multicast<'b>) -> RxFilter<'b> {
        RxFilter {
            broadcast: self.broadcast,
            multicast,
            promiscuous: self.promiscuous,
        }
    }

    /// Whether a perfect filter of this setting passes a frame for `destination` to a station that has the address `own`.
    #[must_use]
    pub fn passes(&self, destination: MacAddress, own: MacAddress) -> bool {
        if self.promiscuous || destination == own {
            true
        } else if destination.is_broadcast() {
            self.broadcast
        } else if destination.is_multicast() {
            match self.multicast {
                Multicast::None => false,
                Multicast::List(groups) => groups.contains(&destination),
                Multicast::All => true,
            }
        } else {
            false
        }
    }
}

impl Default for RxFilter<'_> {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Which group addresses to receive on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Multicast<'a> {
    /// None.
    None,
    /// These. The device keeps what it needs of the list; it need not outlive the call.
    List(&'a [MacAddress]),
    /// All of them.
    All,
}

/// How closely the device's filter follows what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FilterOutcome {
    /// What was asked for, and nothing else.
    Exact,
    /// What was asked for, and more (a hash table, all-multicast): the stack has to look at the destination itself.
    Superset,
}

/// Why a management call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ControlError<E> {
    /// This device has no such function.
    Unsupported,
    /// The argument is not one the device can take: a group address as its own, more groups than it can hold.
    InvalidInput,
    /// The device failed.
    Device(E),
}

impl<E> ControlError<E> {
    /// The same with the device's error changed by `f`.
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> ControlError<F> {
        match self {
            Self::Unsupported => ControlError::Unsupported,
            Self::InvalidInput => ControlError::InvalidInput,
            Self::Device(e) => ControlError::Device(f(e)),
        }
    }
}

impl<E: Error> Error for ControlError<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unsupported => ErrorKind::Unsupported,
            Self::InvalidInput => ErrorKind::InvalidInput,
            Self::Device(e) => e.kind(),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for ControlError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("not supported by this device"),
            Self::InvalidInput => f.write_str("invalid argument"),
            Self::Device(e) => write!(f, "device failed: {e:?}"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for ControlError<E> {}

/// Management of a device. What a device cannot do answers [`Unsupported`](ControlError::Unsupported); that is each method's default.
///
/// # Contract
///
/// - [`start`](Self::start) and [`stop`](Self::stop) are idempotent. Whether a device is started on construction is in its documentation.
/// - A stop loses what is pending: received frames are counted in `rx_reset`, unsent ones in `tx_reset`.
/// - A device that is stopped or asleep has its [`link`](crate::EthernetDevice::link) down.
/// - Address, filter and mode survive `stop`/`start`, `sleep`/`wake` and [`recover`](Self::recover).
/// - After `recover` returns `Ok`, the device works as freshly started, and frames lost by it are counted in `rx_reset` and `tx_reset`.
///
/// ```
/// use ethdev::{Control, EthernetDevice, FilterOutcome, MacAddress, Multicast, RxFilter};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
/// # let (_wire, _peer, mut nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// let group = MacAddress::from_ipv4_multicast([224, 0, 0, 251].into());
/// let outcome = nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[group])))?;
/// if outcome == FilterOutcome::Superset { /* frames for other groups come too: look at the destination */ }
///
/// nic.stop()?;
/// assert!(!nic.link().is_up());
/// nic.start()?; // with the same filter
/// # Ok::<(), ethdev::ControlError<RingError>>(())
/// ```
///
/// # For stack authors
///
/// A stack needs none of this but the filter, for the groups that it joins. Take it where it is offered (`D: LendingDevice + Control`), and do without where
/// it is `Unsupported`: what the filter cannot do, the device delivers or not as it is documented.
///
/// # For driver authors
///
/// The trait stands beside [`EthernetDevice`](crate::EthernetDevice), not on top of it, so that layers which deliver frames in another way (callback,
/// pump) still pass management through. Joining a Wi-Fi network is specific to the chip and stays in the driver; its outcome is what `link()` tells.
pub trait Control: ErrorType {
    /// Begins to receive and to send.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// Ends receiving and sending.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// Gives the device another address to receive on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a group address or all zeros, `Unsupported`, or the device failed.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        let _ = address;
        Err(ControlError::Unsupported)
    }

    /// Chooses what is received.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed. A filter that the device cannot do exactly is no error: see [`FilterOutcome::Superset`].
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        let _ = filter;
        Err(ControlError::Unsupported)
    }

    /// Resets the chip and replays address, filter and mode.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed again.
    fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// Goes to the state of least power from which [`wake`](Self::wake) returns. Nothing is received.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// Ends [`sleep`](Self::sleep).
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
    const OTHER: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 2]);
    const GROUP: MacAddress = MacAddress::new([0x01, 0, 0x5e, 0, 0, 1]);

    #[test]
    fn own_address_always_passes() {
        assert!(RxFilter::DEFAULT.with_broadcast(false).passes(OWN, OWN));
    }

    #[test]
    fn broadcast_is_no_listed_group() {
        let filter = RxFilter::DEFAULT.with_broadcast(false).with_multicast(Multicast::All);
        assert!(!filter.passes(MacAddress::BROADCAST, OWN));
        assert!(filter.passes(GROUP, OWN));
    }

    #[test]
    fn lists_and_promiscuity() {
        assert!(
            RxFilter::DEFAULT
                .with_multicast(Multicast::List(&[GROUP]))
                .passes(GROUP, OWN)
        );
        assert!(!RxFilter::DEFAULT.passes(GROUP, OWN));
        assert!(!RxFilter::DEFAULT.passes(OTHER, OWN));
        assert!(RxFilter::PROMISCUOUS.passes(OTHER, OWN));
    }
}
