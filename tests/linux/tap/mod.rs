//! A TAP interface.

mod conformance;
mod embassy;
mod frames;
mod lifecycle;
mod open;
mod poll_ready;
mod readme;
mod wait;
