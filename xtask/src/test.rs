//! Runs all tests that can run on this machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::cross::{Preference, ToolChain};
use crate::programs::{self, closed_path};
use crate::tools::{command, run as must};
use ethdev_cli as cli;

/// Runs all tests that can run on this machine, and installs or names missing programs.
///
/// Without arguments all steps run. A table reports the outcome of each: SKIPPED with number and
/// reason if a part of a step could not run on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run this step only; may be given several times.
    #[arg(long, value_name = "STEP", value_parser = names())]
    only: Vec<String>,
    /// List the steps and stop.
    #[arg(long)]
    list: bool,
}

/// The environment variable with the path of a file to which skipped tests append a line: `test:
/// reason`.
const SKIP_LOG: &str = "ETHDEV_SKIP_LOG";

/// Something that could not run on this machine.
#[derive(Debug)]
pub(crate) struct Skip {
    what: String,
    reason: String,
}

impl Skip {
    pub(crate) fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        let (what, reason) = (what.into(), reason.into());
        cli::note(format_args!("SKIPPED {what}: {reason}"));
        Self { what, reason }
    }
}

/// The parts that a step skipped.
pub(crate) type Outcome = Vec<Skip>;

/// A step: its name, its description, its function.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "rustfmt, no changes",
        run: format,
    },
    Step {
        name: "lint",
        about: "clippy, all targets and features, no warnings",
        run: lint,
    },
    Step {
        name: "circles",
        about: "no import cycles between the files of a crate",
        run: circles,
    },
    Step {
        name: "deny",
        about: "licences, sources and advisories of the dependencies",
        run: deny,
    },
    Step {
        name: "test",
        about: "unit, integration and documentation tests of the workspace",
        run: test,
    },
    Step {
        name: "loom",
        about: "model check of IrqSignal and Rearm",
        run: loom,
    },
    Step {
        name: "miri",
        about: "tests that reach unsafe code, in Miri",
        run: crate::miri::run,
    },
    Step {
        name: "docs",
        about: "documentation builds without warnings",
        run: docs,
    },
    Step {
        name: "msrv",
        about: "each library compiles with the Rust version it states",
        run: msrv,
    },
    Step {
        name: "targets",
        about: "no_std crates build for three bare-metal targets",
        run: targets,
    },
    Step {
        name: "qemu",
        about: "the firmware on QEMU, with each scheduler",
        run: qemu,
    },
    Step {
        name: "fuzz",
        about: "each fuzz target for ten seconds",
        run: fuzz,
    },
    Step {
        name: "swap",
        about: "the same application on every NIC of the workspace",
        run: swap,
    },
];

fn names() -> PossibleValuesParser {
    STEPS
        .iter()
        .map(|step| PossibleValue::new(step.name).help(step.about))
        .collect::<Vec<_>>()
        .into()
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        for step in STEPS {
            cli::print(format_args!("{:10} {}", step.name, step.about))?;
        }
        return Ok(());
    }
    if let Some(unknown) = args
        .only
        .iter()
        .find(|name| STEPS.iter().all(|step| step.name != name.as_str()))
    {
        bail!("unknown step {unknown:?}, see cargo xtask test --list");
    }
    let chosen = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let steps: Vec<&Step> = STEPS.iter().filter(chosen).collect();
    // Without a nightly tool chain, the programs of the fuzz step are not needed.
    let names = steps.iter().map(|step| step.name);
    let names: Vec<&str> = names
        .filter(|name| *name != "fuzz" || crate::fuzz::obstacle().is_none())
        .collect();
    if let Err(missing) = programs::require(&names) {
        cli::note(missing);
    }
    let mut rows = Vec::new();
    for step in steps {
        cli::note(format_args!("\n== {}: {}", step.name, step.about));
        let begin = Instant::now();
        let outcome = match programs::missing(&[step.name]) {
            // Tests skip without their programs; the fuzz step reports its tool chain first.
            Some(missing) if !["test", "fuzz"].contains(&step.name) => Ok(vec![Skip::new(step.name, missing)]),
            _ => (step.run)(),
        };
        if let Err(e) = &outcome {
            cli::note(format_args!("== {} FAILED: {e:#}", step.name));
        }
        rows.push((step, outcome, begin.elapsed()));
    }
    report(&rows)
}

fn report(rows: &[(&Step, Result<Outcome>, Duration)]) -> Result<()> {
    let mut table = cli::table();
    table.set_header(["step", "description", "outcome", "seconds"]);
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (step, outcome, time) in rows {
        let text = match outcome {
            Ok(skips) if skips.is_empty() => {
                passed += 1;
                "passed".to_owned()
            }
            Ok(skips) => {
                skipped += 1;
                summary(skips)
            }
            Err(e) => {
                failed += 1;
                format!("FAILED: {e:#}")
            }
        };
        table.add_row([
            step.name.to_owned(),
            step.about.to_owned(),
            text,
            format!("{:.0}", time.as_secs_f64()),
        ]);
    }
    cli::print(table)?;
    cli::print(format_args!("{passed} passed, {failed} failed, {skipped} skipped"))?;
    if failed > 0 {
        bail!("{failed} of {} steps failed", rows.len());
    }
    Ok(())
}

/// The number of skips, and a line for each reason.
fn summary(skips: &[Skip]) -> String {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Skip { what, reason } in skips {
        reasons.entry(reason).or_default().push(what);
    }
    let mut text = format!("SKIPPED ({})", skips.len());
    for (reason, what) in reasons {
        text += &match what[..] {
            [first, second, _, ..] => format!("\n{first}, {second} and {} more: {reason}", what.len() - 2),
            _ => format!("\n{}: {reason}", what.join(", ")),
        };
    }
    text
}

fn format() -> Result<Outcome> {
    crate::lint::format()?;
    Ok(Vec::new())
}

fn lint() -> Result<Outcome> {
    crate::lint::clippy()?;
    Ok(Vec::new())
}

fn circles() -> Result<Outcome> {
    crate::circles::run(&crate::circles::Args {})?;
    Ok(Vec::new())
}

fn deny() -> Result<Outcome> {
    crate::lint::deny()
}

/// The tests run with a `PATH` that contains the programs of the table only, so that a test that
/// starts another program fails on every machine. Compilers are not in the table, so tests are
/// built before, and documentation tests run with the usual `PATH`.
fn test() -> Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("skipped");
    std::fs::write(&log, "")?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = command("cargo");
        cargo
            .args(arguments)
            .args(["--workspace", "--all-features"])
            .env(SKIP_LOG, &log);
        cargo
    };
    // Starts: cargo-nextest
    must(&mut cargo(&["nextest", "run", "--no-run"]))?;
    let mut tests = cargo(&[
        "nextest",
        "run",
        "--no-fail-fast",
        "--status-level",
        "fail",
        "--final-status-level",
        "fail",
    ]);
    let tests = must(tests.env("PATH", closed_path(directory.path())?));
    // nextest does not run documentation tests.
    let docs = must(&mut cargo(&["test", "--doc", "--no-fail-fast"]));
    tests.and(docs)?;
    let skipped = std::fs::read_to_string(&log)?;
    let lines = skipped.lines().filter_map(|line| line.split_once(": "));
    let skips = lines.map(|(test, reason)| Skip {
        what: test.to_owned(),
        reason: reason.to_owned(),
    });
    Ok(skips.collect())
}

fn loom() -> Result<Outcome> {
    let mut cargo = command("cargo");
    cargo.args([
        "test",
        "--release",
        "--package",
        "ethdev-util",
        "--features",
        "channel",
        "--test",
        "loom",
    ]);
    must(
        cargo
            .env("RUSTFLAGS", "--cfg loom")
            .env("CARGO_TARGET_DIR", "target/loom"),
    )?;
    Ok(Vec::new())
}

fn docs() -> Result<Outcome> {
    let mut cargo = command("cargo");
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    must(cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Vec::new())
}

/// Checks the published crates with the tool chains of their `rust-version`.
fn msrv() -> Result<Outcome> {
    crate::lint::msrv()
}

fn targets() -> Result<Outcome> {
    crate::targets::run(&crate::targets::Args::default())
}

fn qemu() -> Result<Outcome> {
    for target in crate::qemu::targets() {
        if let Err(e) = ToolChain::find(target, Preference::Any) {
            return Ok(vec![Skip::new(target, format!("{e:#}"))]);
        }
    }
    crate::qemu::run(&crate::qemu::Args::default())
}

fn fuzz() -> Result<Outcome> {
    let obstacle = crate::fuzz::obstacle().map(str::to_owned);
    if let Some(obstacle) = obstacle.or_else(|| programs::missing(&["fuzz"])) {
        return Ok(vec![Skip::new("fuzz", obstacle)]);
    }
    crate::fuzz::run(&crate::fuzz::Args::smoke())?;
    Ok(Vec::new())
}

fn swap() -> Result<Outcome> {
    must(command("cargo").args(["run", "--release", "--bin", "swap"]))?;
    Ok(Vec::new())
}
