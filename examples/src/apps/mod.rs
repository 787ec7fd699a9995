//! The applications: independent of device and board.
//!
//! - [`Node`]: a small host on smoltcp. It replies to pings, echoes UDP and TCP on port 7, and
//!   serves a page about its device on port 80.
//! - `embassy` (feature `embassy`): the same host as async functions on embassy-net.
//! - [`responder`]: ARP and ping on the callback API, without a stack.

pub mod echo;
#[cfg(feature = "embassy")]
pub mod embassy;
pub mod http;
mod node;
pub mod responder;
mod status;
mod storage;

pub use node::{Config, ConfigError, Node, Served};
pub use status::Status;
pub use storage::{HTTP_CONNECTIONS, Slots, Storage, socket_slots};
