//! The laboratory: the same application over every NIC that the workspace has, each on a simulated wire.
//!
//! [`NICS`] is the table of them; [`run`] puts one on a wire with an independent peer at the other end and measures.

mod bench;
pub mod enet;
mod fetch;
mod flag;
mod gspi;
mod lan9118;
mod meter;
mod nics;
mod peer;
mod ping;
mod report;
pub mod rmii;
mod spi_meter;
mod tcp_echo;
#[cfg(test)]
mod tests;
mod world;

use core::time::Duration;

use smoltcp::time::Instant;

pub use bench::{Bench, Settings, Slot, run};
pub use gspi::GspiHost;
pub(crate) use gspi::images;
pub use meter::{Meter, Tally};
pub use nics::{NICS, Nic};
pub use report::{Figures, Row, table};
pub use tcp_echo::ECHO_LEN;
pub use world::Failure;

/// Virtual time as smoltcp wants it: whole microseconds, rounded down.
fn micros(time: Duration) -> Instant {
    Instant::from_micros(i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// smoltcp's time as virtual time.
fn virtual_time(instant: Instant) -> Duration {
    Duration::from_micros(u64::try_from(instant.total_micros()).unwrap_or(0))
}
