#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]
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

#[cfg(feature = "async-io")]
mod asynch;
mod config;
mod control;
mod error;
mod netlink;
mod open;
mod overruns;
mod tap;
mod wait;
mod watch;

#[cfg(feature = "async-io")]
pub use asynch::{AsyncIo, AsyncTap};
pub use config::{NameError, TapConfig};
pub use error::TapError;
pub use tap::Tap;
