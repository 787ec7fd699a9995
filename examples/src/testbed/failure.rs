//! The reason why a row of the table failed.

use core::error::Error;
use core::fmt;

use ethdev_cli::Causes;

/// The reason why a row of the table failed.
#[derive(Debug)]
pub struct Failure(pub String);

impl Failure {
    /// The device failed with `error`.
    pub(super) fn device(error: &dyn Error) -> Self {
        Self(format!("the device failed: {}", Causes(error)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}
