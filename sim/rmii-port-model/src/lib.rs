#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod config;
mod context;
mod event;
mod model;
mod port;
mod rx;
mod stats;
mod tx;
mod violations;

pub use config::{FalseCarrier, MidFrame, RmiiPortConfig};
pub use event::Event;
pub use port::RmiiPort;
pub use rx::RxDone;
pub use stats::ModelStats;
pub use violations::{Violation, ViolationKind};
