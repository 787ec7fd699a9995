#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod chip;
mod config;
mod context;
mod energy;
mod faults;
mod link;
mod mdio;
mod mdio_bits;
mod mdio_bus;
mod mii;
mod model;
mod partner;
mod phy;
mod pins;
mod power;
mod register_file;
mod registers;
mod rmii;
mod stats;
mod violations;

pub use chip::Lan8720Chip;
pub use config::{Mode, Part, PhyConfig, PhyStraps, PhyTimes, Quirks, ResetWiring};
pub use faults::{MdioFault, MdioFaults, MdioLine};
pub use mdio_bus::SimMdio;
pub use partner::{Partner, Setting};
pub use pins::{IntPin, MdcPin, MdioPin, ResetPin};
pub use rmii::Rmii;
pub use stats::{MdioCounters, ModelStats};
pub use violations::{Violation, ViolationKind};
