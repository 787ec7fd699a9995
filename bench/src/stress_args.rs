//! The arguments of the stress programs.

use clap::Parser;

/// Sends frames through a driver on the model of its chip while faults are injected, and checks what became of each.
#[derive(Debug, Clone, Copy, Parser)]
#[command(version)]
pub struct StressArgs {
    /// How many frames in all
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub frames: u64,
    /// Seed of everything random: the same seed makes the same run
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}
