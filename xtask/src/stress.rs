//! Many frames through a driver on a model of its chip, while everything goes wrong that may.

use anyhow::Result;

use crate::tools;

/// Sends many frames through a driver on a model of its chip, while everything goes wrong that may, and holds what arrives against the chip's own books.
///
/// Time is virtual: a million frames take seconds. The same seed makes the same run.
///
/// A violation is: a panic, a call that takes longer than 100 ms, traffic that does not flow again within 100 ms after a fault, a frame delivered damaged, a
/// frame delivered or sent twice, a frame in no counter. What is let pass is shown in the table all the same: frames that an injected reset wiped from the chip
/// may be in no counter; on the noisy bus no frame is looked for in the counters, one may be delivered twice for each 1000 damaged transactions, and one sent
/// twice and one sent altered for each 100.
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
