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

mod ap;
pub mod asynch;
mod backplane;
mod bitbang;
mod boot;
mod bus;
mod chip;
mod config;
mod control;
mod device;
mod error;
mod events;
mod firmware;
mod ioctl;
mod join;
mod landing;
mod manage;
mod network;
mod port;
mod radio;
mod regs;
mod request;
mod rx;
mod scan;
mod sdpcm;
mod store;
mod trace;
mod tx;
mod words;

pub use ap::ApConfig;
pub use bitbang::{BitBang, DataPin, PinError};
pub use bus::{Gspi, Incoming, Outgoing};
pub use config::{Config, PowerSave};
pub use control::Association;
pub use device::Cyw43;
pub use error::{Error, Fault, Wait};
pub use firmware::{FirmwareError, Images, Part, Source, SourceError, Verify};
pub use join::{JoinError, ReconnectPolicy};
pub use network::{Country, Invalid, Network, Passphrase, Security, Ssid};
pub use scan::{AccessPoint, Scan, ScanOptions};

/// Bytes of memory that a device needs at least: for an event, and for one frame of the greatest length.
pub const MIN_RX_QUEUE_LEN: usize = chip::MIN_RX_QUEUE_LEN;
