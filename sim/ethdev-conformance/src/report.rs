//! The result of a run.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;

use super::requirement::Requirement;

/// The outcome of one check on one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The device meets the requirement.
    Passed,
    /// The device does not meet the requirement.
    Failed {
        /// The requirement that failed: that of the check, or a more basic one.
        requirement: Requirement,
        /// The expected and the actual behavior.
        reason: String,
    },
    /// Not checked.
    Skipped {
        /// The missing capability of the fixture.
        reason: String,
    },
}

/// One row of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The API through which the device was checked.
    pub api: &'static str,
    /// The name of the check.
    pub check: &'static str,
    /// The requirement that it verifies.
    pub requirement: Requirement,
    /// The outcome.
    pub outcome: Outcome,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            api,
            check,
            requirement,
            outcome,
        } = self;
        match outcome {
            Outcome::Passed => write!(f, "passed  {requirement:<13} {api}::{check}"),
            Outcome::Skipped { reason } => write!(f, "SKIPPED {requirement:<13} {api}::{check}: {reason}"),
            Outcome::Failed {
                requirement: broken,
                reason,
            } => write!(
                f,
                "FAILED  {broken:<13} {api}::{check}: {reason} (the contract: {})",
                broken.text
            ),
        }
    }
}

impl Entry {
    /// Writes the entry to standard error directly: the test harness captures the output of tests
    /// that pass.
    pub(super) fn announce(&self) {
        // In one write, so that lines of concurrent tests do not mix. A closed standard error is
        // ignored.
        let _ = std::io::stderr().write_all(format!("{self}\n").as_bytes());
    }
}

/// The results of all checks. Displayed as a table.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// One for each check on each API.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Whether no check failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|e| matches!(e.outcome, Outcome::Failed { .. }))
    }

    /// The checks that were skipped.
    pub fn skips(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|e| matches!(e.outcome, Outcome::Skipped { .. }))
    }

    /// Returns the requirements that failed, each once.
    #[must_use]
    pub fn failed_requirements(&self) -> BTreeSet<&'static str> {
        self.entries
            .iter()
            .filter_map(|e| match &e.outcome {
                Outcome::Failed { requirement, .. } => Some(requirement.id),
                _ => None,
            })
            .collect()
    }

    /// Panics with the table unless [`passed`](Self::passed); else writes what was skipped to
    /// standard error, past the test harness.
    ///
    /// # Panics
    ///
    /// If a check failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.passed(), "the device violates the contract\n{self}");
        for skip in self.skips() {
            skip.announce();
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
        }
        let (failed, skipped) = (self.failures().count(), self.skips().count());
        let passed = self.entries.len() - failed - skipped;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
