#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod audit;
mod bench;
mod checks_async;
mod checks_callback;
mod checks_control;
mod checks_lend;
mod checks_link;
mod checks_rearm;
mod checks_rx;
mod checks_tx;
mod fixture;
pub mod line;
#[macro_use]
mod macros;
mod report;
mod subject;
mod subject_async;
mod suite;
mod wire_peer;

pub use fixture::{Fixture, LinkPeer, Loss, Power, Unsupported};
pub use line::Line;
pub use report::{Entry, Outcome, Report};
pub use suite::Suite;
pub use wire_peer::WirePeer;

/// Runs every check on the device itself: line by line what a driver keeps. For more surfaces, and fewer, see [`Suite`].
#[must_use]
pub fn run<F: Fixture>() -> Report
where
    F::Device: ethdev::EthernetDevice,
{
    Suite::<F>::new().pull().run()
}
