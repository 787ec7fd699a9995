//! Builds the no_std crates for the bare-metal targets.

use anyhow::{Result, bail};

/// Builds the no_std crates for the bare-metal targets.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
