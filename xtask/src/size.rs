//! Prints flash and RAM that ethdev and the smoltcp adapter take on thumbv7m.

use anyhow::{Result, bail};

/// Prints flash and RAM that ethdev and the smoltcp adapter take on thumbv7m.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
