//! Management of a device on an async bus.

use crate::{ControlError, ErrorType, FilterOutcome, MacAddress, RxFilter};

/// The async mirror of [`Control`](crate::Control): same contract, same defaults.
///
/// # Cancellation
///
/// A call that was dropped half way leaves the device in an unknown mode: call [`recover`](Self::recover).
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send is the device's matter: see the module's documentation"
)]
pub trait Control: ErrorType {
    /// As [`Control::start`](crate::Control::start).
    async fn start(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// As [`Control::stop`](crate::Control::stop).
    async fn stop(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// As [`Control::set_mac_address`](crate::Control::set_mac_address).
    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Self::Error>> {
        let _ = address;
        Err(ControlError::Unsupported)
    }

    /// As [`Control::set_rx_filter`](crate::Control::set_rx_filter).
    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Self::Error>> {
        let _ = filter;
        Err(ControlError::Unsupported)
    }

    /// As [`Control::recover`](crate::Control::recover).
    async fn recover(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// As [`Control::sleep`](crate::Control::sleep).
    async fn sleep(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }

    /// As [`Control::wake`](crate::Control::wake).
    async fn wake(&mut self) -> Result<(), ControlError<Self::Error>> {
        Err(ControlError::Unsupported)
    }
}

impl<T: Control + ?Sized> Control for &mut T {
    async fn start(&mut self) -> Result<(), ControlError<T::Error>> {
        (**self).start().await
    }

    async fn stop(&mut self) -> Result<(), ControlError<T::Error>> {
        (**self).stop().await
    }

    async fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<T::Error>> {
        (**self).set_mac_address(address).await
    }

    async fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<T::Error>> {
        (**self).set_rx_filter(filter).await
    }

    async fn recover(&mut self) -> Result<(), ControlError<T::Error>> {
        (**self).recover().await
    }

    async fn sleep(&mut self) -> Result<(), ControlError<T::Error>> {
        (**self).sleep().await
    }

    async fn wake(&mut self) -> Result<(), ControlError<T::Error>> {
        (**self).wake().await
    }
}
