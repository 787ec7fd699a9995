//! The programs that `cargo xtask bench` measures: ours and hand-written peers, in the same workload.

mod by_hand;
pub mod cyw43;
pub mod enc28j60;
mod queues;
mod stack;
mod stress_args;

pub use by_hand::ByHand;
pub use queues::Queues;
pub use stack::{Address, HOST, PEER, Stack};
pub use stress_args::StressArgs;
