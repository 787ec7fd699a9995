//! How a check ends.

use super::fixture::Unsupported;
use super::requirement::{self, Requirement};

/// Why a check ended early.
#[derive(Debug)]
pub(super) enum CheckError {
    Fail { requirement: Requirement, reason: String },
    Skip(String),
}

pub(super) type CheckResult<T = ()> = Result<T, CheckError>;

/// Replaces the requirement of a lost, late or wrong frame by `requirement`: that of the operation
/// that caused it.
pub(super) fn attribute<T>(requirement: Requirement, result: CheckResult<T>) -> CheckResult<T> {
    result.map_err(|stop| match stop {
        CheckError::Fail {
            requirement: found,
            reason,
        } if found == requirement::DEVICE_2 => CheckError::Fail { requirement, reason },
        stop => stop,
    })
}

/// Puts the condition before the reason of a failure.
pub(super) fn during<T>(when: &str, result: CheckResult<T>) -> CheckResult<T> {
    result.map_err(|stop| match stop {
        CheckError::Fail { requirement, reason } => CheckError::Fail {
            requirement,
            reason: format!("{when}: {reason}"),
        },
        stop => stop,
    })
}

impl From<Unsupported> for CheckError {
    fn from(hook: Unsupported) -> Self {
        Self::Skip(hook.to_string())
    }
}

/// Ends the check with this result, from inside a call that returns another type. Not a panic of the
/// device: no message is printed.
pub(super) fn raise<T>(result: CheckResult<T>) -> T {
    result.unwrap_or_else(|stop| std::panic::resume_unwind(Box::new(stop)))
}

/// Fails the check with this requirement.
macro_rules! fail {
    ($requirement:expr, $($reason:tt)+) => {
        return Err($crate::outcome::CheckError::Fail { requirement: $requirement, reason: format!($($reason)+) })
    };
}
pub(super) use fail;

/// Fails the check unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $requirement:expr, $($reason:tt)+) => {
        if !$condition {
            $crate::outcome::fail!($requirement, $($reason)+);
        }
    };
}
pub(super) use ensure;
