//! Checks that fail because of a driver that is not ours.

use std::collections::BTreeSet;

use ethdev_conformance::Report;

/// Asserts that the known checks fail, on each API on which they run, and no others.
#[track_caller]
pub(crate) fn assert_fails_only(report: &Report, known: &[&str]) {
    let expected: BTreeSet<_> = report
        .entries
        .iter()
        .filter(|entry| known.contains(&entry.check))
        .map(|entry| (entry.api, entry.check))
        .collect();
    let failed: BTreeSet<_> = report.failures().map(|entry| (entry.api, entry.check)).collect();
    assert_eq!(failed, expected, "\n{report}");
    for failure in report.failures() {
        println!("known: {failure}");
    }
}
