//! Runs everything that can run here.

use anyhow::Result;

/// Runs everything that can run here, and installs or names what is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result<()> {
    crate::tools::run(crate::tools::command("cargo").args(["test", "--workspace"]))
}
