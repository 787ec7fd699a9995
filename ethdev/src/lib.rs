#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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
mod coverage;
mod device;
mod error;
pub mod forward;
pub mod frame;
pub mod lending;
mod link;
mod mac_address;
mod poll_ready;
mod rearm;
mod stats;

pub use callback::{CallbackDevice, FrameHandler, Polled, Transmit};
pub use capabilities::{Capabilities, ChecksumOffload, IpMtu, MaxFrameLen, Offload};
pub use control::{Control, FilterOutcome, Multicast, RxFilter};
pub use coverage::{Counted, Coverage, LossReason};
pub use device::{EthernetDevice, validate_tx_len};
pub use error::{Error, ErrorKind, ErrorType};
pub use frame::{RxFrame, RxMeta};
pub use lending::{LendingDevice, RxHalf, TxHalf};
pub use link::{Duplex, Link, LinkMode, Pause, Speed};
pub use mac_address::{MacAddress, ParseMacAddressError};
pub use poll_ready::PollReady;
pub use rearm::{Interest, Rearm, RearmOutcome};
pub use stats::{Events, Stats};
