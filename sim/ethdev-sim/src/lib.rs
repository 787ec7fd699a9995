#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "embassy-time"), forbid(unsafe_code))]
#![deny(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod capture;
mod clock;
mod delay;
#[cfg(feature = "embassy-time")]
pub mod embassy_time;
mod executor;
mod fault;
pub mod fcs;
mod memory_nic;
pub mod model;
mod peer;
pub mod random;
mod skip;
mod wire;

pub use capture::{Capture, CaptureInterface, Direction, Packet};
pub use clock::{Clock, EventId};
pub use delay::{SimDelay, Sleep};
pub use executor::{Deadlock, block_on, block_on_until};
pub use fault::{FaultPlan, Faulty, FaultyRx, FaultyTx, Injected, When};
pub use memory_nic::{RingConfig, RingError, RingHandle, RingNic, RingRx, RingTx, Trigger};
pub use peer::Peer;
#[doc(hidden)]
pub use skip::report_skip;
pub use wire::{
    CableWatcher, INTER_FRAME_GAP, LinkWatcher, MediaSide, PREAMBLE_LEN, Port, Receiver, Side, Wire, WireConfig,
    WireFaults, WireStats,
};
