//! Many frames both ways through the driver and the model of its chip, many power cycles and many joins, while everything goes wrong that may.
//!
//! Each frame says its number and has contents that follow from it. The model knows what became of every frame, the harness which of them came, and the driver's
//! counters have to agree with both.

mod audit;
mod books;
mod exchange;
mod frames;
mod host;
mod joins;
mod knobs;
mod ledger;
mod power;

pub use books::{Books, Healing};
pub use frames::run as run_frames;
pub use host::Longest;
pub use joins::{Attempt, Failure, Joins, run as run_joins};
pub use knobs::{Family, Knob};
pub use power::{Cycle, Cycles, run as run_power};

/// One run with frames.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What goes wrong.
    pub family: Family,
    /// Whether the host sees the interrupt on the data line, and the radio never sleeps; or polls, and the radio does.
    pub sees_line: bool,
    /// How many frames are offered: half of them each way.
    pub frames: u64,
    /// Of everything random.
    pub seed: u64,
}
