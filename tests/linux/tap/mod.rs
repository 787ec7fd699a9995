//! A TAP interface.

mod conformance;
mod frames;
mod lifecycle;
mod open;
mod poll_ready;
mod readme;
mod wait;
