//! Compares instructions, frames and system calls with hand-written peers, and prints a table.

use anyhow::{Result, bail};

/// Compares instructions, frames and system calls with hand-written peers, and prints a table.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
