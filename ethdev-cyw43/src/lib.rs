#![doc = include_str!("../README.md")]
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
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
mod backplane;
mod bitbang;
mod boot;
mod bus;
mod chip;
mod config;
mod device;
mod error;
mod events;
mod firmware;
mod frame_parser;
mod gspi;
mod gspi_words;
mod ioctl;
mod ioctl_client;
mod join;
mod lifecycle;
mod network;
mod regs;
mod rx;
mod rx_queue;
mod scan;
mod sdpcm;
mod soft_ap;
mod trace;
mod tx;
mod wifi;
mod wifi_methods;

pub use bitbang::{BitBang, DataPin, PinError};
pub use bus::{Gspi, RxWords, TxWords};
pub use config::{Config, PowerSave};
pub use device::Cyw43;
pub use error::{Error, Fault, WaitFor};
pub use firmware::{FirmwareError, FirmwareImages, FirmwareSource, Image, SourceError, Verify};
pub use join::{JoinError, ReconnectPolicy};
pub use network::{Country, Network, ParamError, Passphrase, Security, Ssid};
pub use scan::{AccessPoint, Scan, ScanOptions};
pub use soft_ap::ApConfig;
pub use wifi::BssInfo;

/// Shortest memory for received frames, in bytes: one event and one frame of the longest length.
pub const MIN_RX_QUEUE_LEN: usize = chip::MIN_RX_QUEUE_LEN;
