//! The common parts of all chip models: the cell that wraps a model's state, pins, interrupt lines,
//! handlers, and records of protocol violations.
//!
//! A model is a [`ChipModel`]: a struct of parts, of which each owns its state, calls only what is
//! below it, and queues timers and effects in the [`Context`] that it is handed. A [`ModelCell`]
//! wraps it, schedules the timers and has the effects carried out while nothing is borrowed.

mod cell;
mod context;
mod hook;
mod int_line;
mod phy;
pub mod pins;
mod violation;

pub use cell::{ChipModel, ModelCell, WeakModel, methods};
pub use context::{Context, ModelTypes};
pub use hook::Hook;
pub use int_line::{Line, Until};
pub use phy::PhyModel;
pub use violation::{Violation, Violations, keep};
