//! Builds the firmware and runs it in QEMU, with curl as its client.

use anyhow::{Result, bail};

/// Builds the firmware and runs it in QEMU, with curl as its client.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    bail!("not written yet")
}
