//! Models of chips, on virtual time: what their data sheets and errata say, seen from the bus on one side and from the wire on the other.
//!
//! They know nothing of the drivers that are tested on them.

pub mod cyw43;
pub mod enc28j60;
pub mod enet;
mod hook;
mod int_line;
pub mod lan8720;
pub mod lan9118;
pub mod oneshot;
mod pins;
mod violation;

pub use violation::Violation;
