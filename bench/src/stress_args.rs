//! Command line of the stress programs.

use clap::Parser;

/// Sends frames through a driver on the model of its chip, injects faults, and checks that every
/// frame is accounted for
#[derive(Debug, Clone, Copy, Parser)]
#[command(version)]
pub struct StressArgs {
    /// Total number of frames
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub frames: u64,
    /// Random seed; the same seed reproduces the run
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}
