//! Runs everything that can run here.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::tools::{command, has, is_root, output, run as must};
use ethdev_cli as cli;

/// Runs everything that can run here, and installs or names what is missing.
///
/// Without arguments all steps run, one after another, and a table tells how each ended. A step that cannot run here says SKIPPED and why.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run this step only; may be given several times.
    #[arg(long, value_name = "STEP", value_parser = names())]
    only: Vec<String>,
    /// List the steps and stop.
    #[arg(long)]
    list: bool,
}

/// How a step ended, where it did not fail.
enum Outcome {
    Passed,
    Skipped(String),
}

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
    let mut rows = Vec::new();
    for step in STEPS
        .iter()
        .filter(|step| args.only.is_empty() || args.only.iter().any(|name| name == step.name))
    {
        cli::note(format_args!("\n== {}: {}", step.name, step.about));
        let begin = Instant::now();
        let outcome = (step.run)();
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
            Ok(Outcome::Passed) => {
                passed += 1;
                "passed".to_owned()
            }
            Ok(Outcome::Skipped(why)) => {
                skipped += 1;
                format!("SKIPPED: {why}")
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

fn format() -> Result<Outcome> {
    must(command("cargo").args(["fmt", "--all", "--check"]))?;
    for (manifest, _) in OTHER_WORKSPACES {
        must(command("cargo").args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(Outcome::Passed)
}

fn lint() -> Result<Outcome> {
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
    Ok(Outcome::Passed)
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
    Ok(Outcome::Passed)
}

fn test() -> Result<Outcome> {
    must(command("cargo").args(["test", "--workspace", "--all-features", "--no-fail-fast"]))?;
    Ok(Outcome::Passed)
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
    Ok(Outcome::Passed)
}

fn docs() -> Result<Outcome> {
    let mut cargo = command("cargo");
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    must(cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::Passed)
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
            missing.push(format!("{name} ({version})"));
            continue;
        };
        let mut cargo = command("rustup");
        cargo.args(["run", &toolchain, "cargo", "check", "--quiet", "--package", name]);
        must(cargo.env("CARGO_TARGET_DIR", "target/msrv"))?;
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed);
    }
    Ok(Outcome::Skipped(format!(
        "rustup has no tool chain for {}; the lint step checks the standard library's side of it",
        missing.join(", ")
    )))
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
    let mut rustup = command("timeout");
    rustup.args(["300", "rustup", "toolchain", "install", version, "--profile", "minimal"]);
    // Without a network there is none, and the step says so.
    let _ = must(rustup.env("RUSTUP_MAX_RETRIES", "1"));
    installed()
}

fn targets() -> Result<Outcome> {
    crate::targets::run(&crate::targets::Args::default())?;
    Ok(Outcome::Passed)
}

fn qemu() -> Result<Outcome> {
    let obtainable = has("apt-get") && is_root();
    if !(has("qemu-system-arm") || obtainable) {
        return Ok(Outcome::Skipped(
            "qemu-system-arm is missing, and only root can install it".to_owned(),
        ));
    }
    crate::qemu::run(&crate::qemu::Args::default())?;
    Ok(Outcome::Passed)
}

fn fuzz() -> Result<Outcome> {
    if let Some(obstacle) = crate::fuzz::obstacle() {
        return Ok(Outcome::Skipped(obstacle.to_owned()));
    }
    crate::fuzz::run(&crate::fuzz::Args::smoke())?;
    Ok(Outcome::Passed)
}

fn swap() -> Result<Outcome> {
    must(command("cargo").args(["run", "--release", "--bin", "swap"]))?;
    Ok(Outcome::Passed)
}
