#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod capture;
pub mod chip;
mod clock;
pub mod conformance;
mod delay;
mod executor;
mod fault;
pub mod fcs;
mod random;
mod ring_nic;
mod skip;
mod station;
mod wire;

pub use capture::{Capture, CaptureInterface, Direction, Packet};
pub use clock::{Clock, EventId};
pub use delay::{SimDelay, Sleep};
pub use executor::{Stalled, block_on, block_on_until};
pub use fault::{FaultPlan, Faulty, FaultyRx, FaultyTx, Injected, When};
pub use ring_nic::{RingConfig, RingError, RingHandle, RingNic, RingRx, RingTx, Trigger};
#[doc(hidden)]
pub use skip::report_skip;
pub use station::Station;
pub use wire::{
    CablePhy, CableWatcher, INTER_FRAME_GAP, LinkWatcher, MediaSide, PREAMBLE_LEN, Port, Receiver, Side, Wire,
    WireConfig, WireFaults, WireStats,
};
