//! The applications: independent of device and board.
//!
//! - [`Node`]: a small host on smoltcp. It replies to pings, echoes UDP and TCP on port 7, and
//!   serves a page about its device on port 80.
//! - `daemon` (feature `embassy`): smoltcp and its services in one async function.
//! - `embassy` (feature `embassy`): the same host as async functions on embassy-net.
//! - `report` (feature `embassy`): samples at regular times, for a client that reports them.
//! - [`responder`]: ARP and ping on the callback API, without a stack.

#[cfg(feature = "embassy")]
pub mod daemon;
pub mod echo;
#[cfg(feature = "embassy")]
pub mod embassy;
pub mod http;
mod node;
#[cfg(feature = "embassy")]
pub mod report;
pub mod responder;
mod status;
mod storage;

pub use node::{Config, ConfigError, Node, Served};
pub use status::Status;
pub use storage::{HTTP_CONNECTIONS, Slots, Storage, socket_slots};
