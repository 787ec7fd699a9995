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
mod callback;
mod capabilities;
mod control;
mod device;
mod error;
mod forward;
pub mod frame;
pub mod lending;
mod link;
mod mac_address;
mod rearm;
mod stats;

pub use callback::{CallbackDevice, FrameHandler, Polled, Transmit};
pub use capabilities::{Capabilities, ChecksumOffload, IpMtu, MaxFrameLen, Offload};
pub use control::{Control, ControlError, FilterOutcome, Multicast, RxFilter};
pub use device::{EthernetDevice, validate_tx_len};
pub use error::{Error, ErrorClass, ErrorKind, ErrorType, LayerError};
pub use frame::{RxFrame, RxMeta};
pub use lending::{LendingDevice, RxHalf, TxHalf};
pub use link::{Duplex, Link, LinkMode, Pause, Speed};
pub use mac_address::{MacAddress, ParseMacAddressError};
pub use rearm::{Interest, Rearm, RearmOutcome};
pub use stats::{Events, Stats};
