//! What the programs that `cargo xtask bench` and `cargo xtask stress` run have in common.

mod baseline;
pub mod cyw43;
mod embassy_baseline;
pub mod enc28j60;
mod frame_queues;
mod stack;
mod stress_args;

pub use baseline::Baseline;
pub use embassy_baseline::EmbassyBaseline;
pub use frame_queues::FrameQueues;
pub use stack::{Address, HOST, PEER, Stack};
pub use stress_args::StressArgs;
