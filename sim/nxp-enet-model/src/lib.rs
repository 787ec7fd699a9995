#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod bus;
mod chip;
mod config;
mod context;
mod mdio;
mod model;
mod registers;
mod rx;
mod stats;
mod tx;
mod violations;

pub use bus::BusMemory;
pub use chip::EnetChip;
pub use config::ChipConfig;
pub use rx::hash_index;
pub use stats::ModelStats;
pub use tx::TxOutcome;
pub use violations::{Violation, ViolationKind};
