//! The testbed: the same application on every NIC of the workspace, each on a simulated wire.
//!
//! [`NICS`] is the table of NICs. [`run`] connects one to an independent peer by a wire and
//! measures it under one of the stacks.

mod embassy_host;
pub mod enet;
mod failure;
mod fetch;
mod gspi;
mod harness;
mod host;
mod lan9118;
#[cfg(feature = "lwip")]
mod lwip_host;
mod meter;
mod nics;
mod peer;
mod ping;
mod polled;
mod report;
pub mod rmii;
mod run;
mod simulation;
mod smoltcp_host;
mod spi_meter;
mod stack;
mod tcp_echo;
#[cfg(test)]
mod tests;
mod wake_flag;

use core::time::Duration;

use smoltcp::time::Instant;

pub use failure::Failure;
pub use gspi::GspiHost;
pub(crate) use gspi::images;
pub use harness::{Harness, Slot};
pub use meter::{CopyCounter, Meter};
pub use nics::{NICS, Nic, enc28j60_with};
pub use peer::StackPeer;
pub use report::{Figures, Row, table};
pub use run::{Settings, run};
pub use stack::Stack;
pub use tcp_echo::ECHO_LEN;

/// Converts simulated time to an instant of smoltcp, rounded down to whole microseconds.
fn micros(time: Duration) -> Instant {
    Instant::from_micros(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// Converts an instant of smoltcp to simulated time.
fn simulated_time(instant: Instant) -> Duration {
    Duration::from_micros(u64::try_from(instant.total_micros()).unwrap_or(0))
}
