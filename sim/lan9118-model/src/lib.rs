#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod access;
mod bus;
mod bus_timing;
mod chip;
mod config;
mod context;
mod filter;
mod mac;
mod model;
mod power;
mod registers;
mod rx;
mod stats;
mod system;
mod tx;
mod violations;

pub use bus::SimBus;
pub use chip::Lan9118Chip;
pub use config::{ChipConfig, DeviceState, Part};
pub use filter::hash_index;
pub use stats::{BusCounters, ModelStats};
pub use tx::TxOutcome;
pub use violations::{Violation, ViolationKind};
