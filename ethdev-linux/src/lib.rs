#![doc = include_str!("../README.md")]
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]
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
mod checksum;
mod device;
mod drop_detector;
mod error;
mod interface;
mod lifecycle;
mod link_monitor;
mod lookup;
mod name;
mod netlink;
mod packet;
#[cfg(feature = "async-io")]
mod poll_ready;
mod port;
mod rx;
mod rx_filter;
mod tap;
mod tx;
mod wait;

pub use error::InterfaceError;
pub use interface::Interface;
pub use name::NameError;
pub use packet::{PacketConfig, PacketPort, PacketSocket};
#[cfg(feature = "async-io")]
pub use poll_ready::{AsyncIo, AsyncPacketSocket, AsyncTap};
pub use tap::{Tap, TapConfig, TapPort};
