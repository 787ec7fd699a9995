//! Many frames through a driver on a model of its chip, while everything goes wrong that may.

use anyhow::Result;

use crate::tools;

/// Sends many frames through a driver on a model of its chip, while everything goes wrong that may, and fails where a frame is lost without a reason.
///
/// Time is virtual: a million frames take seconds. The same seed makes the same run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose driver.
    chip: Chip,
    /// How many frames in all, over all revisions of the chip; a tenth as many go over a noisy bus besides.
    #[arg(long, default_value_t = 1_000_000)]
    frames: u64,
    /// Of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Chip {
    Enc28j60,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let program = match args.chip {
        Chip::Enc28j60 => "stress_enc28j60",
    };
    let mut cargo = tools::command("cargo");
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "ethdev-bench",
        "--bin",
        program,
        "--",
    ]);
    cargo.args(["--frames", &args.frames.to_string(), "--seed", &args.seed.to_string()]);
    tools::run(&mut cargo)
}
