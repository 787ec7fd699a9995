//! Runs the fuzz targets.

use anyhow::{Result, bail};

use crate::programs::{has, require};
use crate::tools::{command, output, run as must};
use ethdev_cli as cli;

/// The targets in `fuzz/`.
const TARGETS: [&str; 9] = [
    "buffered",
    "cyw43",
    "enc28j60",
    "enet",
    "lan8720",
    "lan9118",
    "node",
    "soft_mac",
    "responder",
];

/// Runs the fuzz targets, each for a limited time.
///
/// Needs a nightly tool chain (rustup toolchain install nightly); installs cargo-fuzz if it is
/// missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds per target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Run this target only; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = TARGETS)]
    target: Vec<String>,
}

impl Args {
    /// Short runs, for every run of the tests.
    pub(crate) fn smoke() -> Self {
        Self {
            seconds: 10,
            target: Vec::new(),
        }
    }
}

/// Returns why the targets cannot run here, if so.
pub(crate) fn obstacle() -> Option<&'static str> {
    let nightly = has("rustup")
        && output(command("rustup").args(["toolchain", "list"])).is_ok_and(|list| list.contains("nightly"));
    (!nightly).then_some("no nightly tool chain: rustup toolchain install nightly")
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(obstacle) = obstacle() {
        bail!("{obstacle}");
    }
    require(&["fuzz"])?;
    for target in TARGETS
        .iter()
        .filter(|name| args.target.is_empty() || args.target.iter().any(|t| t == *name))
    {
        // Starts: cargo-fuzz, and c++ for libFuzzer
        let mut cargo = command("cargo");
        cargo.args(["+nightly", "fuzz", "run", target, "--"]);
        cargo.args([
            &format!("-max_total_time={}", args.seconds),
            "-max_len=4096",
            "-timeout=10",
            "-verbosity=0",
        ]);
        must(&mut cargo)?;
        cli::print(format_args!("fuzz target {target}: no failure in {} s", args.seconds))?;
    }
    Ok(())
}
