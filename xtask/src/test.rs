//! Runs everything that can run here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::cross::{Preference, ToolChain};
use crate::programs::{self, closed_path, has, rustup};
use crate::tools::{command, output, run as must};
use ethdev_cli as cli;

/// Runs everything that can run here, and installs or names what is missing.
///
/// Without arguments all steps run, one after another. A table reports how each ended: SKIPPED, how many, and why, where a part of a step or all of it could not
/// run here.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run this step only; may be given several times.
    #[arg(long, value_name = "STEP", value_parser = names())]
    only: Vec<String>,
    /// List the steps and stop.
    #[arg(long)]
    list: bool,
}

/// The variable with the name of a file. Tests that cannot run append a line to it: `test: reason`.
const SKIP_LOG: &str = "ETHDEV_SKIP_LOG";

/// Something that could not run here.
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

/// What a step that did not fail left out.
type Outcome = Vec<Skip>;

/// One step: its name, what it does, how.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<Outcome>,
}

const STEPS: &[Step] = &[
    Step {
        name: "format",
        about: "rustfmt finds nothing to change",
        run: format,
    },
    Step {
        name: "lint",
        about: "clippy, all targets and features, no warnings",
        run: lint,
    },
    Step {
        name: "features",
        about: "ethdev-util compiles with every set of its features",
        run: features,
    },
    Step {
        name: "test",
        about: "unit, integration and documentation tests of the workspace",
        run: test,
    },
    Step {
        name: "loom",
        about: "IrqSignal and Rearm in every interleaving",
        run: loom,
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
        about: "the firmware answers on QEMU's boards, under each scheduler",
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

/// What is not in the root workspace, and what clippy looks at there. Programs for boards are checked where they are built, with their target.
const OTHER_WORKSPACES: [(&str, &[&str]); 5] = [
    ("bench/cyw43-images/Cargo.toml", &[]),
    ("bench/enc28j60-images/Cargo.toml", &[]),
    ("examples/firmware/Cargo.toml", &["--lib"]),
    ("examples/pico-w/Cargo.toml", &[]),
    // They need no nightly to be looked at.
    ("fuzz/Cargo.toml", &["--lib", "--bins"]),
];

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
        bail!("there is no step {unknown:?}: cargo xtask test --list names them");
    }
    let chosen = |step: &&Step| args.only.is_empty() || args.only.iter().any(|name| name == step.name);
    let steps: Vec<&Step> = STEPS.iter().filter(chosen).collect();
    // Without a nightly tool chain, the rest of what the fuzz step needs is of no use.
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
            // Tests that lack a program skip by themselves; the fuzz step names its tool chain first.
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
    table.set_header(["step", "what it shows", "outcome", "seconds"]);
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

/// How many were skipped, and a line for each reason.
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
    // Starts: cargo-fmt
    must(command("cargo").args(["fmt", "--all", "--check"]))?;
    for (manifest, _) in OTHER_WORKSPACES {
        must(command("cargo").args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(Vec::new())
}

fn lint() -> Result<Outcome> {
    // Starts: cargo-clippy
    must(command("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-D",
        "warnings",
    ]))?;
    for (manifest, what) in OTHER_WORKSPACES.iter().filter(|(_, what)| !what.is_empty()) {
        let mut cargo = command("cargo");
        cargo
            .args(["clippy", "--manifest-path", manifest])
            .args(*what)
            .args(["--", "-D", "warnings"]);
        must(cargo.env("CARGO_TARGET_DIR", "target/lint"))?;
    }
    Ok(Vec::new())
}

/// Features are additive: all 2^n sets of them, the empty one included.
fn features() -> Result<Outcome> {
    const FEATURES: [&str; 5] = ["critical-section", "pump", "defmt", "log", "embedded-hal-async"];
    for set in 0..1_usize << FEATURES.len() {
        let chosen: Vec<&str> = FEATURES
            .iter()
            .enumerate()
            .filter(|(i, _)| set >> i & 1 == 1)
            .map(|(_, name)| *name)
            .collect();
        let mut check = command("cargo");
        check.args([
            "check",
            "--quiet",
            "--package",
            "ethdev-util",
            "--features",
            &chosen.join(","),
        ]);
        must(
            check
                .env("RUSTFLAGS", "-D warnings")
                .env("CARGO_TARGET_DIR", "target/features"),
        )?;
    }
    Ok(Vec::new())
}

/// The tests run with a `PATH` that holds only the programs of the table, so that one that starts another fails on every machine. What compiles them is not in the
/// table: hence before, and for the documentation's apart.
fn test() -> Result<Outcome> {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("skipped");
    std::fs::write(&log, "")?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = command("cargo");
        cargo
            .args(["test", "--workspace", "--all-features", "--no-fail-fast"])
            .args(arguments)
            .env(SKIP_LOG, &log);
        cargo
    };
    must(&mut cargo(&["--no-run"]))?;
    let mut tests = cargo(&["--tests"]);
    let tests = must(tests.env("PATH", closed_path(directory.path())?));
    let docs = must(&mut cargo(&["--doc"]));
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
        "pump",
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

/// The published crates with the tool chains of their `rust-version`, fetched by rustup where it can.
fn msrv() -> Result<Outcome> {
    let metadata: serde_json::Value = serde_json::from_str(&output(command("cargo").args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?)?;
    let mut missing = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let (Some(name), Some(version)) = (package["name"].as_str(), package["rust_version"].as_str()) else {
            continue;
        };
        // `publish = false` is an empty list of registries.
        if package["publish"].as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let Some(toolchain) = toolchain(version)? else {
            missing.push(Skip::new(
                name,
                format!("rustup has no tool chain {version}; the lint step checks the standard library's side of it"),
            ));
            continue;
        };
        let mut cargo = command("rustup");
        cargo.args(["run", &toolchain, "cargo", "check", "--quiet", "--package", name]);
        must(cargo.env("CARGO_TARGET_DIR", "target/msrv"))?;
    }
    Ok(missing)
}

/// The name of an installed tool chain of this version. Fetching one is given up after some minutes.
fn toolchain(version: &str) -> Result<Option<String>> {
    if !has("rustup") {
        return Ok(None);
    }
    let installed = || -> Result<Option<String>> {
        let list = output(command("rustup").args(["toolchain", "list"]))?;
        let names = list.lines().filter_map(|line| line.split_whitespace().next());
        Ok(names
            .filter(|name| {
                name.strip_prefix(version)
                    .is_some_and(|rest| rest.starts_with(['.', '-']))
            })
            .map(str::to_owned)
            .next())
    };
    if let Some(name) = installed()? {
        return Ok(Some(name));
    }
    // Without a network there is none, and the step says so.
    let _ = rustup(&["toolchain", "install", version, "--profile", "minimal"]);
    installed()
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
