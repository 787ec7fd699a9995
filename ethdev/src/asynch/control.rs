//! Management of a device on an async bus.

use crate::{ErrorKind, ErrorType, FilterOutcome, MacAddress, RxFilter};

/// The async mirror of [`Control`](crate::Control): same contract, same defaults.
///
/// # Cancellation
///
/// A call whose future was dropped may be repeated, and then has its whole effect or returns an
/// error. Until then the device may be in fault: [`recover`](Self::recover) restores the last state
/// that was reached.
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send depends on the device: see the documentation of the module"
)]
pub trait Control: ErrorType {
    /// As [`Control::start`](crate::Control::start).
    async fn start(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::stop`](crate::Control::stop).
    async fn stop(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::set_mac_address`](crate::Control::set_mac_address).
    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Self::Error> {
        let _ = address;
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::set_rx_filter`](crate::Control::set_rx_filter).
    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Self::Error> {
        let _ = filter;
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::recover`](crate::Control::recover).
    async fn recover(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::sleep`](crate::Control::sleep).
    async fn sleep(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }

    /// As [`Control::wake`](crate::Control::wake).
    async fn wake(&mut self) -> Result<(), Self::Error> {
        Err(ErrorKind::Unsupported.into())
    }
}
