//! The pump: cancelled at every await, full in both directions, failing, lied to.
#![cfg(feature = "pump")]

mod cancel;
mod chip;
mod flow;
mod schedules;
mod stack_side;
