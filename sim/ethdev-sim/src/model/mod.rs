//! What all chip models are made of: pins, interrupt lines, hooks for the host, and records of violations.

mod hook;
mod int_line;
pub mod pins;
mod violation;

pub use hook::Hook;
pub use int_line::{Line, Until};
pub use violation::{Violation, keep};
