//! Stress test of the CYW43439 driver on the model of its chip: frames in both directions, power
//! cycles and joins while faults are injected.
//!
//! Every frame carries a number, and its contents follow from the number. The model counts what
//! happened to every frame, the harness counts which ones were delivered, and the counters of the
//! driver must agree with both.

mod audit;
mod exchange;
mod faults;
mod frame_log;
mod host;
mod joins;
mod management;
mod power_cycles;
mod stats;
mod traffic;

pub use faults::{Family, FaultKind};
pub use joins::{Attempt, Failure, Joins, run as run_joins};
pub use management::{Calls, Management, Operation, Plan as ManagementPlan, run as run_management};
pub use power_cycles::{Cycle, Cycles, run as run_power_cycles};
pub use stats::{MaxDurations, RecoveryTimes, RunStats};
pub use traffic::{Plan, run as run_traffic};
