#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod access_point;
mod air;
mod backplane;
mod bits;
mod bus_registers;
mod cell;
mod chip;
mod command;
mod config;
mod data;
mod error;
mod events;
mod faults;
mod fifo;
mod firmware;
mod framing;
mod gspi;
mod handle;
mod ioctl;
mod iovar;
mod model;
mod pins;
mod power;
mod request;
mod runtime;
mod scan;
mod settings;
mod soft_ap;
mod station;
mod stats;
mod timer;
mod violations;
mod word_bus;

pub use access_point::{AccessPoint, ApId, Association, JoinFault, Security};
pub use config::{ChipConfig, EventOrder, Images};
pub use error::BusFault;
pub use faults::{ChipFaults, Corruption, DataLine, Fault};
pub use handle::Cyw43Chip;
pub use model::Boot;
pub use pins::{ClockPin, DataPin, IrqPin, Pins, PowerPin, SelectPin};
pub use stats::{BusCounters, ModelStats, Transaction};
pub use violations::{Violation, ViolationKind};
pub use word_bus::WordBus;
