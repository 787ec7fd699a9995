#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]
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

#[cfg(feature = "async-io")]
mod async_io;
mod config;
mod device;
mod drop_detector;
mod error;
mod lifecycle;
mod link_monitor;
mod netlink;
mod open;
#[cfg(feature = "async-io")]
mod poll_ready;
mod rx_filter;
mod tap;
mod wait;

pub use config::{NameError, TapConfig};
pub use error::TapError;
#[cfg(feature = "async-io")]
pub use poll_ready::{AsyncIo, AsyncTap};
pub use tap::Tap;
