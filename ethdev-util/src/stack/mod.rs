//! For authors of stack adapters: what is the same between any device and any stack that takes
//! tokens, as smoltcp and embassy-net do.
//!
//! - [`TxPath`]: a reply waits for a busy device in a buffer of the caller, so that receiving never
//!   depends on transmit capacity.
//! - [`read_frame`] and [`write_frame`]: the tokens of a lending device, without a copy.
//! - [`ErrorLog`] and [`DropStats`]: errors and frames that the traits of the stack cannot report.

mod lending;
mod limits;
mod stats;
mod tx;

pub use lending::{is_tx_ready, read_frame, write_frame};
pub use limits::{MIN_BUFFER_LEN, max_burst_size, max_transmission_unit};
pub use stats::{DropStats, ErrorCounts, ErrorLog, increment};
pub use tx::{FrameOrigin, TxPath, TxState};
