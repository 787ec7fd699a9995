//! Wires: full duplex, with transmission times and faults.

mod cable;
mod config;
mod duplex;
mod handlers;
mod link;
mod media;
mod port;
mod side;
mod state;
mod stats;
#[cfg(test)]
mod tests;
mod transmit;

pub use cable::Wire;
pub use config::{WireConfig, WireFaults};
pub use handlers::{CableWatcher, LinkWatcher, Receiver};
pub use media::MediaSide;
pub use port::Port;
pub use side::Side;
pub use state::{INTER_FRAME_GAP, PREAMBLE_LEN};
pub use stats::WireStats;
