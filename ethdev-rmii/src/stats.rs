//! Counters that both directions share.

use ethdev::Stats;

/// Counts a fault when a port begins to fail. `failed` is whether its previous call failed.
pub(crate) fn count_fault<T, E>(result: &Result<T, E>, failed: &mut bool, stats: &mut Stats) {
    let before = core::mem::replace(failed, result.is_err());
    if result.is_err() && !before {
        stats.faults = stats.faults.wrapping_add(1);
    }
}
