//! Why a driver cannot be wrapped.

use core::fmt;

use embassy_net_driver::HardwareAddress;

/// Why [`EmbassyDevice`](crate::EmbassyDevice) was not constructed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EmbassyDeviceError {
    /// The driver transfers IP packets or frames of another medium than Ethernet.
    NotEthernet(HardwareAddress),
    /// The buffer is shorter than the longest frame of the driver.
    BufferTooSmall {
        /// Length of the longest frame in bytes, without FCS.
        needed: usize,
    },
}

impl fmt::Display for EmbassyDeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotEthernet(address) => write!(f, "driver is not for Ethernet, its address is {address:?}"),
            Self::BufferTooSmall { needed } => write!(f, "buffer too small, the longest frame has {needed} bytes"),
        }
    }
}

impl core::error::Error for EmbassyDeviceError {}
