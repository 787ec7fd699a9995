//! What models note of misuse.

use core::fmt;
use core::time::Duration;

/// How many violations a model keeps.
const MAX_KEPT: usize = 1000;

/// One misuse of a chip, of a kind that its model knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation<K> {
    /// When.
    pub at: Duration,
    /// What is wrong.
    pub kind: K,
    /// The values in question.
    pub detail: String,
}

impl<K> Violation<K> {
    /// A violation of `kind` at the simulated time `at`.
    pub fn new(at: Duration, kind: K, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { at, kind, detail }
    }
}

impl<K: fmt::Debug> fmt::Display for Violation<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:?}: {}", self.kind, self.at, self.detail)
    }
}

/// Adds one to those that a model keeps, if there are not too many.
pub fn keep<V>(violations: &mut Vec<V>, violation: V) {
    if violations.len() < MAX_KEPT {
        violations.push(violation);
    }
}
