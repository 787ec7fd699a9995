//! The channel: cancellation at every await, full queues, device errors, wrong results of the
//! device.
#![cfg(feature = "channel")]

mod cancel;
mod chip;
mod endpoint;
mod flow;
mod schedules;
