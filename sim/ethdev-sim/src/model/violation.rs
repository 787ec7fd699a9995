//! Protocol violations that a model has seen.

use core::fmt;
use core::time::Duration;

/// How many violations a model keeps.
const MAX_KEPT: usize = 1000;

/// One protocol violation by a host, of a kind that the model knows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation<K> {
    /// Simulated time of the violation.
    pub at: Duration,
    /// The rule that was violated.
    pub kind: K,
    /// The values in question.
    pub detail: String,
}

impl<K> Violation<K> {
    /// Creates a violation of `kind` at the simulated time `at`.
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

/// The violations that a model has seen, the kinds that it does not report, and whether it reports
/// at all.
///
/// `V` is what is kept of each: [`Violation`], or a model's own type with more in it.
#[derive(Debug)]
pub struct Violations<K, V = Violation<K>> {
    allowed: Vec<K>,
    kept: Vec<V>,
    suspended: bool,
}

impl<K: PartialEq, V> Violations<K, V> {
    /// Creates an empty record that does not report the kinds in `allowed`.
    pub const fn new(allowed: Vec<K>) -> Self {
        Self {
            allowed,
            kept: Vec::new(),
            suspended: false,
        }
    }

    /// Stops reporting violations of this kind.
    pub fn allow(&mut self, kind: K) {
        self.allowed.push(kind);
    }

    /// Stops reporting altogether until [`resume`](Self::resume): a fault was injected, and the
    /// host cannot know the state of the chip before it resets it.
    pub const fn suspend(&mut self) {
        self.suspended = true;
    }

    /// Reports again: the chip was reset.
    pub const fn resume(&mut self) {
        self.suspended = false;
    }

    /// Whether a violation of this kind is reported now.
    pub fn is_reported(&self, kind: &K) -> bool {
        !self.suspended && !self.allowed.contains(kind)
    }

    /// Adds a violation of any kind. Keeps the first thousand.
    pub fn push(&mut self, violation: V) {
        keep(&mut self.kept, violation);
    }

    /// The violations so far, in order.
    pub fn kept(&self) -> &[V] {
        &self.kept
    }

    /// Returns the violations so far and clears the record.
    pub fn take(&mut self) -> Vec<V> {
        core::mem::take(&mut self.kept)
    }
}

/// Adds `violation` to those that a model keeps, unless there are a thousand already.
pub fn keep<V>(violations: &mut Vec<V>, violation: V) {
    if violations.len() < MAX_KEPT {
        violations.push(violation);
    }
}
