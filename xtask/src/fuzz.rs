//! Runs the fuzz targets.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::programs::{has, require};
use crate::tools::{command, output, run as must};
use ethdev_cli as cli;

/// The targets in `fuzz/`, and how each is built.
const TARGETS: [(&str, &[&str]); 9] = [
    ("buffered", SAFE),
    ("cyw43", SAFE_BUS),
    ("enc28j60", SAFE_BUS),
    // It reaches `unsafe` code.
    ("enet", &["--sanitizer", "address", "--no-trace-compares"]),
    ("lan8720", SAFE),
    ("lan9118", SAFE),
    ("node", SAFE),
    ("responder", SAFE),
    ("soft_mac", SAFE),
];

/// Without `unsafe` code a sanitizer finds nothing, and halves the speed.
const SAFE: &[&str] = &["--sanitizer", "none"];
/// The compares of a driver that starts its chip over a bus are those of addresses and loops: to
/// trace them halves the speed again.
const SAFE_BUS: &[&str] = &["--sanitizer", "none", "--no-trace-compares"];

/// Runs the fuzz targets, and prints their executions per second.
///
/// Needs a nightly tool chain (rustup toolchain install nightly); installs cargo-fuzz if it is
/// missing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds per target; 60 without --executions.
    #[arg(long)]
    seconds: Option<u32>,
    /// Executions per target, beside those of the stored corpus. With --seconds, whichever ends
    /// first.
    #[arg(long)]
    executions: Option<u64>,
    /// Run this target only; may be given several times.
    #[arg(long, value_name = "NAME", value_parser = TARGETS.map(|(name, _)| name))]
    target: Vec<String>,
}

impl Args {
    /// Short runs, for every run of the tests.
    pub(crate) fn smoke() -> Self {
        Self {
            seconds: Some(10),
            executions: None,
            target: Vec::new(),
        }
    }

    /// The limits of a run, as options of libFuzzer.
    fn limits(&self) -> Vec<String> {
        let seconds = self.seconds.or(if self.executions.is_none() { Some(60) } else { None });
        let seconds = seconds.map(|seconds| format!("-max_total_time={seconds}"));
        let executions = self.executions.map(|executions| format!("-runs={executions}"));
        seconds.into_iter().chain(executions).collect()
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
    let mut table = cli::table();
    table.set_header(["target", "executions", "s", "executions/s"]);
    let chosen = |name: &str| args.target.is_empty() || args.target.iter().any(|target| target == name);
    for (target, options) in TARGETS.into_iter().filter(|(name, _)| chosen(name)) {
        // Starts: cargo-fuzz, and c++ for libFuzzer
        let mut build = command("cargo");
        must(build.args(["+nightly", "fuzz", "build", target]).args(options))?;
        let (executions, time) = fuzz(target, options, &args.limits())?;
        table.add_row([
            target.to_owned(),
            executions.to_string(),
            format!("{:.1}", time.as_secs_f64()),
            format!("{:.0}", executions as f64 / time.as_secs_f64()),
        ]);
        cli::note(format_args!(
            "fuzz target {target}: no failure in {executions} executions"
        ));
    }
    cli::print(table)?;
    Ok(())
}

/// Runs a target that is built. Returns its executions, and their time.
fn fuzz(target: &str, options: &[&str], limits: &[String]) -> Result<(u64, Duration)> {
    let mut cargo = command("cargo");
    cargo
        .args(["+nightly", "fuzz", "run", target])
        .args(options)
        .arg("--")
        .args(limits)
        .args(["-max_len=2048", "-timeout=10", "-verbosity=0", "-print_final_stats=1"])
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let out = cargo.output().context("cannot start cargo fuzz")?;
    let time = start.elapsed();
    let text = String::from_utf8_lossy(&out.stderr);
    if !out.status.success() {
        bail!("fuzz target {target} failed: {}\n{text}", out.status);
    }
    let executions =
        executed_units(&text).with_context(|| format!("fuzz target {target} printed no count:\n{text}"))?;
    Ok((executions, time))
}

/// The number of executions in the final statistics of libFuzzer.
fn executed_units(text: &str) -> Option<u64> {
    let count = |line: &str| {
        line.strip_prefix("stat::number_of_executed_units:")?
            .trim()
            .parse()
            .ok()
    };
    text.lines().find_map(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executed_units_of_final_statistics_are_found() {
        let text = "Done\nstat::number_of_executed_units: 123456\nstat::average_exec_per_sec:     99\n";
        assert_eq!(executed_units(text), Some(123_456));
        assert_eq!(executed_units("Done\n"), None);
    }

    #[test]
    fn limits_default_to_one_minute() {
        let args = |seconds, executions| Args {
            seconds,
            executions,
            target: Vec::new(),
        };
        assert_eq!(args(None, None).limits(), ["-max_total_time=60"]);
        assert_eq!(args(None, Some(5)).limits(), ["-runs=5"]);
        assert_eq!(args(Some(7), Some(5)).limits(), ["-max_total_time=7", "-runs=5"]);
    }
}
