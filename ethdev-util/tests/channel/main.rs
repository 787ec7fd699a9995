//! The pump: cancelled at every await, full in both directions, failing, lied to.
#![cfg(feature = "channel")]

mod cancel;
mod chip;
mod endpoint;
mod flow;
mod schedules;
