#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod cell;
mod chip;
mod config;
mod dma;
mod errata;
mod error;
mod faults;
mod filter;
#[cfg(feature = "embedded-hal-02")]
mod hal02;
mod handle;
mod instruction;
mod model;
mod phy;
mod pins;
mod power;
mod ram;
mod registers;
mod rx;
mod spi;
mod stats;
mod timer;
mod tx;
mod violations;
mod writes;

pub use config::ChipConfig;
pub use errata::{Errata, Probabilities, Revision};
pub use error::SpiFault;
pub use faults::{ChipFaults, MisoFault, TxOutcome};
pub use filter::hash_index;
#[cfg(feature = "embedded-hal-02")]
#[cfg_attr(docsrs, doc(cfg(feature = "embedded-hal-02")))]
pub use hal02::Hal02;
pub use handle::Enc28j60Chip;
pub use pins::{CsPin, IntPin, ResetPin};
pub use spi::{SimSpi, SimSpiBus};
pub use stats::{BusCounters, ModelStats};
pub use violations::{Violation, ViolationKind};
