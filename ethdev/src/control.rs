//! Management: start and stop, address, receive filter, recovery, power.

use crate::{ErrorKind, ErrorType, MacAddress};

/// Which frames the device delivers. Frames to its own address always pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct RxFilter<'a> {
    /// Frames to `ff:ff:ff:ff:ff:ff`.
    pub broadcast: bool,
    /// Frames to group addresses.
    pub multicast: Multicast<'a>,
    /// Every good frame, whatever its destination.
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

    /// Sets whether broadcast frames pass.
    #[must_use]
    pub const fn with_broadcast(mut self, broadcast: bool) -> Self {
        self.broadcast = broadcast;
        self
    }

    /// Sets which group addresses pass.
    #[must_use]
    pub const fn with_multicast<'b>(self, multicast: Multicast<'b>) -> RxFilter<'b> {
        RxFilter {
            broadcast: self.broadcast,
            multicast,
            promiscuous: self.promiscuous,
        }
    }

    /// Returns whether an exact filter of this setting passes a frame for `destination` to a device
    /// with the address `own`.
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

/// The group addresses to receive on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Multicast<'a> {
    /// No group address.
    None,
    /// These. The device copies what it needs; the list need not outlive the call.
    List(&'a [MacAddress]),
    /// All of them.
    All,
}

/// How closely the filter of the device follows the requested one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum FilterOutcome {
    /// The device delivers what was requested, and nothing else.
    Exact,
    /// The device delivers what was requested and more (hash table, all-multicast): the stack must
    /// check the destination.
    Superset,
}

/// Management of a device. A function that the device does not have returns
/// [`Unsupported`](ErrorKind::Unsupported), which is the default of each method.
///
/// # Contract
///
/// A device is stopped, running or asleep. `from` is the state before the call:
///
/// | call | state after it |
/// |---|---|
/// | [`start`](Self::start) | running |
/// | [`stop`](Self::stop) | stopped |
/// | [`sleep`](Self::sleep) | asleep, remembering `from` |
/// | [`wake`](Self::wake) | the remembered state; no change if the device was not asleep |
/// | [`recover`](Self::recover) | `from`, after a reset of the hardware |
///
/// - Every call is idempotent. The documentation of the device says whether it is running on
///   construction.
/// - A call that failed, or whose future was dropped, may be repeated, and then has its whole
///   effect or returns an error. Until then the device is in the last state that it reached, and in
///   fault: other calls return [`Fault`](ErrorKind::Fault) or repair it, and
///   [`recover`](Self::recover) ends it.
/// - Stopping drops pending frames: received ones are counted in `rx_reset`, unsent ones in
///   `tx_reset`.
/// - The [`link`](crate::EthernetDevice::link) of a device that is stopped or asleep is down.
/// - Address, filter and mode survive `stop`/`start`, `sleep`/`wake` and `recover`.
/// - A setter whose argument is rejected (`InvalidInput`, `Unsupported`) changes nothing. Any other
///   stores the value, and getters report it. On a device that is stopped or asleep, `start` and
///   `wake` apply it or fail. On a running device the setter applies it; if that fails, a repeated
///   call, `start` and `recover` apply it or fail.
/// - Frames lost by `recover` are counted in `rx_reset` and `tx_reset`.
///
/// ```
/// use ethdev::{Control, EthernetDevice, FilterOutcome, MacAddress, Multicast, RxFilter};
/// # use ethdev_sim::{Clock, RingConfig, RingError, RingNic, WireConfig};
/// # let clock = Clock::new();
/// # let [a, b] = [1, 2].map(|n| RingConfig::new(MacAddress::new([2, 0, 0, 0, 0, n])));
/// # let (_wire, _peer, mut nic) = RingNic::pair(&clock, WireConfig::default(), a, b);
/// let group = MacAddress::from_ipv4_multicast([224, 0, 0, 251].into());
/// let outcome = nic.set_rx_filter(RxFilter::DEFAULT.with_multicast(Multicast::List(&[group])))?;
/// if outcome == FilterOutcome::Superset { /* frames for other groups pass too: check the destination */ }
///
/// nic.stop()?;
/// assert!(!nic.link().is_up());
/// nic.start()?; // with the same filter
/// # Ok::<(), RingError>(())
/// ```
///
/// # For stack authors
///
/// A stack needs only the filter, for the groups that it joins. Use it where it is offered (`D:
/// LendingDevice + Control`) and continue without it on `Unsupported`.
///
/// # For driver authors
///
/// The trait stands beside [`EthernetDevice`](crate::EthernetDevice), not on top of it, so that
/// layers which deliver frames in another way (callback, channel) still pass management on. Joining
/// a Wi-Fi network is specific to the chip and stays in its driver; the outcome is visible through
/// `link()`.
pub trait Control: ErrorType {
    /// Starts reception and transmission.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn start(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Stops reception and transmission.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn stop(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Changes the address that the device receives on.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a group address or all zeros, `Unsupported`, or the device failed.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        let _ = address;
        Err(ErrorKind::Unsupported.into())
    }

    /// Changes which frames the device receives.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed. A filter that the hardware cannot match exactly is no
    /// error: see [`FilterOutcome::Superset`].
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        let _ = filter;
        Err(ErrorKind::Unsupported.into())
    }

    /// Resets the hardware and restores address, filter, mode and state.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed again.
    fn recover(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Enters the lowest-power state that [`wake`](Self::wake) can leave. Nothing is received.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn sleep(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// Leaves the state that [`sleep`](Self::sleep) entered.
    ///
    /// # Errors
    ///
    /// `Unsupported`, or the device failed.
    fn wake(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 1]);
    const OTHER: MacAddress = MacAddress::new([2, 0, 0, 0, 0, 2]);
    const GROUP: MacAddress = MacAddress::new([0x01, 0, 0x5e, 0, 0, 1]);

    #[test]
    fn passes_own_address_true() {
        assert!(RxFilter::DEFAULT.with_broadcast(false).passes(OWN, OWN));
    }

    #[test]
    fn passes_broadcast_not_multicast_group() {
        let filter = RxFilter::DEFAULT.with_broadcast(false).with_multicast(Multicast::All);
        assert!(!filter.passes(MacAddress::BROADCAST, OWN));
        assert!(filter.passes(GROUP, OWN));
    }

    #[test]
    fn builders_keep_the_rest() {
        let filter = RxFilter::PROMISCUOUS.with_broadcast(false);
        assert!(filter.promiscuous && !filter.broadcast && filter.multicast == Multicast::All);
        let filter = filter.with_multicast(Multicast::None);
        assert!(filter.promiscuous && !filter.broadcast && filter.multicast == Multicast::None);
        assert_eq!(RxFilter::default(), RxFilter::DEFAULT);
    }

    #[test]
    fn passes_group_list_and_promiscuous() {
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
