//! The applications, written once: they know neither the device nor the board.
//!
//! - [`Node`]: a small host on smoltcp. It answers pings, echoes UDP and TCP on port 7, and serves a page about its device on port 80.
//! - [`responder`]: ARP and ping by hand on the callback surface, without any stack.

pub mod echo;
pub mod http;
mod node;
pub mod responder;
mod status;
mod storage;

pub use node::{Config, ConfigError, Node, Served};
pub use status::Status;
pub use storage::{HTTP_CONNECTIONS, Slots, Storage, socket_slots};
