#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod access_events;
mod accounting;
#[macro_use]
mod check_list;
mod checks_arrival;
mod checks_async;
mod checks_callback;
mod checks_control;
mod checks_failure;
mod checks_filter;
mod checks_lending;
mod checks_lifecycle;
mod checks_link;
mod checks_rearm;
mod checks_rx;
mod checks_tx;
mod control_call;
mod dut;
mod dut_async;
mod dut_callback;
mod dut_lending;
mod dut_pull;
mod executor;
mod fixture;
mod frames;
mod kinds;
mod lifecycle;
mod observed;
mod outcome;
mod page;
mod report;
pub mod requirement;
mod strike;
mod suite;
mod testbed;
mod watchdog;
mod wire_peer;

#[doc = include_str!("../CHECKS.md")]
pub mod checks {}

pub use access_events::{AccessEvents, Arrival, InjectedFailure};
pub use fixture::{Fixture, HookResult, LinkPeer, Unsupported};
pub use page::checks_page;
pub use report::{Entry, Outcome, Report};
pub use requirement::Requirement;
pub use suite::Suite;
pub use wire_peer::WirePeer;

/// Runs every check on the pull API of a device. For other APIs see [`Suite`].
#[must_use]
pub fn run<F: Fixture>() -> Report
where
    F::Device: ethdev::EthernetDevice,
{
    Suite::<F>::new().pull().run()
}
