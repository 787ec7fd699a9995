//! Stress test of the ENC28J60 driver on the model of its chip: frames in both directions while
//! faults are injected.
//!
//! Every frame carries a number, and its contents follow from the number. Corrupt or duplicate
//! frames are violations, and so are counters that do not balance: the model counts what happened
//! to every frame, and the counters of the driver must agree. For each frame that was sent, the
//! outcome according to the driver is compared with whether it arrived.
//!
//! One exception: a frame in flight when the chip is reset (a brownout, or a reset by itself) may
//! be delivered corrupt, because the driver delivers a frame as soon as it is read and its header
//! is validated. Such frames are counted. More of them than brownouts and resets are a violation.

mod audit;
mod frame_log;
mod host;
mod operations;
mod run;
mod scenario;
mod stats;

pub use operations::{OperationStats, OperationsPlan, OperationsScenario, run_operations};
pub use run::run;
pub use scenario::{Plan, Scenario};
pub use stats::RunStats;
