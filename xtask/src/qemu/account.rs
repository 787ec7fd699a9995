//! What the firmware says about how it spent its time.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::machine::Qemu;

/// The board gives an account at most twice a second, and only after traffic.
const TRIES: usize = 20;
/// How such a line begins.
pub(super) const START: &str = "t_ms=";

/// The firmware's own account of how it spent its time: a line of `name=value`.
#[derive(Debug)]
pub(super) struct Account(pub(super) String);

impl Account {
    pub(super) fn value(&self, name: &str) -> Result<u64> {
        self.0
            .split_whitespace()
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            .with_context(|| format!("no {name} in {:?}", self.0))
    }
}

/// A new account. It comes with traffic, at most twice a second.
pub(super) fn account(board: &mut Qemu, mut traffic: impl FnMut() -> Result<()>) -> Result<Account> {
    let mark = board.mark();
    for _ in 0..TRIES {
        traffic()?;
        if let Ok(line) = board.wait_for(mark, START, Duration::from_millis(300)) {
            return Ok(Account(line));
        }
    }
    bail!("the board gives no account of itself")
}
