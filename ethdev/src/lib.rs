#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

#[cfg(test)]
extern crate std;

pub mod asynch;
mod buffered;
mod callback;
mod caps;
mod control;
mod device;
#[cfg(feature = "critical-section")]
mod doorbell;
mod erased;
mod error;
mod forward;
pub mod frame;
pub mod lend;
mod link;
mod mac;
pub mod mdio;
pub mod phy;
#[cfg(feature = "pump")]
pub mod pump;
mod rearm;
#[cfg(feature = "critical-section")]
mod shared;
mod stats;
mod trace;

pub use buffered::{Buffered, BufferedRx, BufferedTx};
pub use callback::{Callback, CallbackDevice, FrameHandler, Polled, Transmit};
pub use caps::{Capabilities, ChecksumOffload, IpMtu, MaxFrameLen, Offload};
pub use control::{Control, ControlError, FilterOutcome, Multicast, RxFilter};
pub use device::{EthernetDevice, check_frame};
#[cfg(feature = "critical-section")]
pub use doorbell::{Doorbell, Wait};
pub use erased::{Erased, ErasedDevice};
pub use error::{Error, ErrorClass, ErrorKind, ErrorType, LayerError};
pub use frame::{RxFrame, RxMeta};
pub use lend::{LendingDevice, RxHalf, TxHalf};
pub use link::{Duplex, Link, LinkMode, Pause, Speed};
pub use mac::{MacAddress, ParseMacAddressError};
pub use rearm::{Interest, Rearm, RearmOutcome};
pub use stats::{Events, Stats};
