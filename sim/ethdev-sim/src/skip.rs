use std::fs::OpenOptions;
use std::io::{Write, stderr};

/// Reports that a test cannot run here, on standard error itself: the test harness keeps to itself
/// what tests that pass print.
///
/// The line is also appended to the file that the variable `ETHDEV_SKIP_LOG` names, if it is set.
///
/// # Panics
///
/// If that file cannot be written.
pub fn report_skip(test: &str, reason: &str) {
    // In one piece, so that lines of tests which run at the same time do not mix. Standard error
    // may be closed.
    let _ = stderr().write_all(format!("SKIPPED {test}: {reason}\n").as_bytes());
    if let Some(path) = std::env::var_os("ETHDEV_SKIP_LOG") {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut log| log.write_all(format!("{test}: {reason}\n").as_bytes()))
            .expect("the skip log is written");
    }
}
