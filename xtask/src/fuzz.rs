//! Runs the fuzz targets for a while.

use anyhow::{Result, bail};

use crate::programs::{has, require};
use crate::tools::{command, output, run as must};
use ethdev_cli as cli;

/// Every target in `fuzz/`, in order.
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

/// Runs the fuzz targets for a while: what hostile bytes reach must not panic, hang, or leave its buffers.
///
/// Needs a nightly tool chain (rustup toolchain install nightly); installs cargo-fuzz where it is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// This target only; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = TARGETS)]
    target: Vec<String>,
}

impl Args {
    /// Long enough to notice that something broke, short enough for every run of the tests.
    pub(crate) fn smoke() -> Self {
        Self {
            seconds: 10,
            target: Vec::new(),
        }
    }
}

/// Why the targets cannot run here, if so.
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
        cli::print(format_args!(
            "fuzz target {target}: {} seconds without a finding",
            args.seconds
        ))?;
    }
    Ok(())
}
