//! The error type of the driver.

use core::fmt;

use embedded_hal::digital;
use ethdev::ErrorKind;

use crate::firmware::FirmwareError;
use crate::join::JoinError;
use crate::network::ParamError;

/// What the driver waited for when it timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WaitFor {
    /// The low-power clock (ALP) or the fast clock (HT).
    Clock,
    /// A core to enter or leave reset.
    Core,
    /// The fast clock after the start of the firmware. Usually the firmware or the NVRAM image is
    /// not for this chip.
    FirmwareStart,
    /// The firmware to accept frames.
    FirmwareReady,
    /// A credit to send another request.
    Credit,
    /// The response to a request.
    Response,
}

impl fmt::Display for WaitFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "a clock",
            Self::Core => "the reset of a core",
            Self::FirmwareStart => "the firmware to start",
            Self::FirmwareReady => "the firmware to accept frames",
            Self::Credit => "a credit",
            Self::Response => "a response of the firmware",
        })
    }
}

/// Why the chip is in fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// The chip lost power or was reset: the bus is not configured as it was.
    Reset,
    /// The firmware stopped: it reported that, or did not respond to two requests in a row.
    FirmwareHalted,
    /// The chip repeatedly sent invalid headers or status words.
    ProtocolError,
    /// The last `start`, `wake` or `recover` failed or was dropped.
    NotStarted,
    /// A call that takes the interface down or up failed or was dropped half way: `stop`, `sleep`,
    /// a change of the address, the start or the end of access point mode. Repeating it ends the
    /// fault too.
    Incomplete,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reset => "chip was reset",
            Self::FirmwareHalted => "firmware halted",
            Self::ProtocolError => "protocol error",
            Self::NotStarted => "last start failed",
            Self::Incomplete => "last change of the interface did not complete",
        })
    }
}

/// An error of the driver. `E` is the error of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error<E> {
    /// An error without a further cause: busy, link down, stopped, wrong length, invalid argument,
    /// unsupported.
    Kind(ErrorKind),
    /// The bus failed. Whether the chip executed the transaction is unknown; the next call finds
    /// out.
    Bus(E),
    /// The pin `WL_REG_ON` failed.
    PowerPin(digital::ErrorKind),
    /// The chip does not respond after power-up, or the bus corrupts words.
    NotResponding {
        /// The value that was read.
        read: u32,
        /// The expected value.
        expected: u32,
    },
    /// The chip is not a CYW43439.
    WrongChip {
        /// Its chip id.
        id: u16,
    },
    /// An image is invalid, or its copy in the chip is.
    Firmware(FirmwareError),
    /// The chip did not finish in time.
    Timeout(WaitFor),
    /// The firmware rejected a request.
    Rejected {
        /// The number of the request; 262 and 263 read and write variables.
        request: u32,
        /// The status of the firmware, negative.
        status: i32,
    },
    /// The response of the firmware is too short or invalid.
    BadResponse {
        /// The number of the request.
        request: u32,
    },
    /// A join failed.
    Join(JoinError),
    /// A parameter is invalid. Nothing was sent to the chip.
    Param(ParamError),
    /// The memory for received frames is shorter than
    /// [`MIN_RX_QUEUE_LEN`](crate::MIN_RX_QUEUE_LEN).
    RxQueueTooSmall {
        /// The required length in bytes.
        needed: usize,
    },
    /// The chip is in fault until [`recover`](ethdev::Control::recover) succeeds.
    Fault(Fault),
    /// A blocking bus returned before its transaction was complete.
    WouldBlock,
}

impl<E: fmt::Debug> ethdev::Error for Error<E> {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Kind(kind) => *kind,
            Self::Bus(_) | Self::PowerPin(_) | Self::WouldBlock => ErrorKind::Bus,
            Self::NotResponding { .. } | Self::WrongChip { .. } => ErrorKind::NotPresent,
            Self::Firmware(FirmwareError::VerifyFailed { .. }) => ErrorKind::Bus,
            Self::Timeout(_) | Self::Join(JoinError::Timeout | JoinError::NoResponse) => ErrorKind::Timeout,
            Self::Join(JoinError::NoSuchNetwork | JoinError::Refused { .. }) => ErrorKind::LinkDown,
            Self::Firmware(_) | Self::Param(_) | Self::RxQueueTooSmall { .. } => ErrorKind::InvalidInput,
            Self::Join(JoinError::WrongPassphrase | JoinError::SecurityMismatch) => ErrorKind::InvalidInput,
            Self::Fault(_) => ErrorKind::Fault,
            Self::Rejected { .. } | Self::BadResponse { .. } | Self::Join(_) => ErrorKind::Other,
        }
    }
}

impl<E> From<ErrorKind> for Error<E> {
    fn from(kind: ErrorKind) -> Self {
        Self::Kind(kind)
    }
}

impl<E> From<ParamError> for Error<E> {
    fn from(e: ParamError) -> Self {
        Self::Param(e)
    }
}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(kind) => kind.fmt(f),
            Self::Bus(e) => write!(f, "bus error: {e:?}"),
            Self::PowerPin(e) => write!(f, "WL_REG_ON pin error: {e}"),
            Self::NotResponding { read, expected } => {
                write!(
                    f,
                    "CYW43439 not responding (read {read:#010x}, expected {expected:#010x})"
                )
            }
            Self::WrongChip { id } => write!(f, "not a CYW43439 (chip id {id:#06x})"),
            Self::Firmware(e) => write!(f, "firmware: {e}"),
            Self::Timeout(wait) => write!(f, "timed out waiting for {wait}"),
            Self::Rejected { request, status } => {
                write!(f, "firmware rejected request {request} (status {status})")
            }
            Self::BadResponse { request } => write!(f, "invalid firmware response to request {request}"),
            Self::Join(e) => write!(f, "join failed: {e}"),
            Self::Param(e) => write!(f, "invalid parameter: {e}"),
            Self::RxQueueTooSmall { needed } => write!(f, "receive queue memory too small, {needed} bytes required"),
            Self::Fault(fault) => write!(f, "device fault: {fault}, recover() required"),
            Self::WouldBlock => f.write_str("blocking bus did not complete a transaction"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Firmware(e) => Some(e),
            Self::Join(e) => Some(e),
            Self::Param(e) => Some(e),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ethdev::Error as _;

    #[test]
    fn from_kind_round_trips() {
        for kind in [
            ErrorKind::Busy,
            ErrorKind::Fault,
            ErrorKind::BufferTooSmall { needed: 60 },
        ] {
            assert_eq!(Error::<()>::from(kind).kind(), kind);
        }
    }
}
