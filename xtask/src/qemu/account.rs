//! The reports of the firmware: counters and sleep times.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::machine::Qemu;

/// The firmware prints a report at most twice a second, and only after traffic.
const TRIES: usize = 20;
/// The beginning of a report.
pub(super) const START: &str = "t_ms=";

/// A report of the firmware: a line of `name=value`.
#[derive(Debug)]
pub(super) struct CpuStats(pub(super) String);

impl CpuStats {
    pub(super) fn value(&self, name: &str) -> Result<u64> {
        self.0
            .split_whitespace()
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            .with_context(|| format!("no {name} in {:?}", self.0))
    }
}

/// Waits for a new report, with traffic, which causes it.
pub(super) fn account(board: &mut Qemu, mut traffic: impl FnMut() -> Result<()>) -> Result<CpuStats> {
    let mark = board.mark();
    for _ in 0..TRIES {
        traffic()?;
        if let Ok(line) = board.wait_for(mark, START, Duration::from_millis(300)) {
            return Ok(CpuStats(line));
        }
    }
    bail!("no report from the board")
}
