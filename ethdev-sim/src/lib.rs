#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod capture;
mod clock;
mod delay;
mod executor;
pub mod fcs;
mod random;
mod station;
mod wire;

pub use capture::{Capture, CaptureInterface, Direction, Packet};
pub use clock::{Clock, EventId};
pub use delay::{SimDelay, Sleep};
pub use executor::{Stalled, block_on, block_on_until};
pub use station::Station;
pub use wire::{INTER_FRAME_GAP, PREAMBLE_LEN, Port, Side, Wire, WireConfig, WireFaults, WireStats};
