//! What the checks found.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Write;

use super::line::Line;

/// The outcome of one check on one surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The device keeps this line.
    Passed,
    /// It does not.
    Failed {
        /// The line that is broken: that of the check, or a more basic one that got in its way.
        line: Line,
        /// What was seen.
        reason: String,
    },
    /// Not checked.
    Skipped {
        /// What the fixture lacks.
        reason: String,
    },
}

/// One row of a [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The surface that the device was looked at through.
    pub surface: &'static str,
    /// The name of the check.
    pub check: &'static str,
    /// The line of the contract that it checks.
    pub line: Line,
    /// What came of it.
    pub outcome: Outcome,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            surface,
            check,
            line,
            outcome,
        } = self;
        match outcome {
            Outcome::Passed => write!(f, "passed  {line:<13} {surface}::{check}"),
            Outcome::Skipped { reason } => write!(f, "SKIPPED {line:<13} {surface}::{check}: {reason}"),
            Outcome::Failed { line: broken, reason } => write!(
                f,
                "FAILED  {broken:<13} {surface}::{check}: {reason} (the contract: {})",
                broken.text
            ),
        }
    }
}

impl Entry {
    /// Says it on standard error itself: the test harness keeps to itself what tests that pass print.
    pub(super) fn announce(&self) {
        // In one piece, so that lines of tests which run at the same time do not mix. Where nobody can be told, nobody is.
        let _ = std::io::stderr().write_all(format!("{self}\n").as_bytes());
    }
}

/// What all checks found. Prints as a table.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// One for each check on each surface.
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

    /// The lines that are broken, each once.
    #[must_use]
    pub fn broken_lines(&self) -> BTreeSet<&'static str> {
        self.entries
            .iter()
            .filter_map(|e| match &e.outcome {
                Outcome::Failed { line, .. } => Some(line.id),
                _ => None,
            })
            .collect()
    }

    /// Panics with the table unless [`passed`](Self::passed); else writes what was skipped to standard error, past the test harness.
    ///
    /// # Panics
    ///
    /// If a check failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        assert!(self.passed(), "the device breaks its contract\n{self}");
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
