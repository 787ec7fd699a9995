//! A TAP interface.

mod conformance;
mod embassy;
mod frames;
mod lifecycle;
mod lwip;
mod open;
mod poll_ready;
mod readme;
mod wait;
