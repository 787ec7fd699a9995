//! Static checks: formatting, clippy, dependencies, features, spelling.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::programs::{has, require, rustup};
use crate::test::{Outcome, Skip};
use crate::tools::{command, output, run as must};

/// Checks formatting and clippy.
///
/// With --all also the slower checks: every set of features of every published crate, spelling, and
/// a dry run of publishing. Installs missing tools.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the slower checks too.
    #[arg(long)]
    all: bool,
}

/// Other workspaces, and what clippy checks there. Programs for boards are checked when they are
/// built, with their target.
const OTHER_WORKSPACES: [(&str, &[&str]); 6] = [
    ("bench/cyw43-images/Cargo.toml", &[]),
    ("bench/enc28j60-images/Cargo.toml", &[]),
    ("examples/c-library/Cargo.toml", &[]),
    ("examples/firmware/Cargo.toml", &["--lib"]),
    ("examples/pico-w/Cargo.toml", &[]),
    // Does not require nightly.
    ("fuzz/Cargo.toml", &["--lib", "--bins"]),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    format()?;
    clippy()?;
    if !args.all {
        return Ok(());
    }
    require(&["lint-all", "deny"])?;
    // Skips are reported immediately.
    deny()?;
    msrv()?;
    // Features are additive: every set of them compiles, the empty one included.
    // Starts: cargo-hack
    must(
        command("cargo")
            .args(["hack", "check", "--workspace", "--ignore-private", "--feature-powerset"])
            .args(["--no-dev-deps", "--depth", "3"])
            .env("RUSTFLAGS", "-D warnings")
            .env("CARGO_TARGET_DIR", "target/features"),
    )?;
    // Starts: typos
    must(&mut command("typos"))?;
    must(command("cargo").args(["publish", "--workspace", "--dry-run", "--allow-dirty"]))
}

pub(crate) fn format() -> Result<()> {
    // Starts: cargo-fmt
    must(command("cargo").args(["fmt", "--all", "--check"]))?;
    for (manifest, _) in OTHER_WORKSPACES {
        must(command("cargo").args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(())
}

pub(crate) fn clippy() -> Result<()> {
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
    Ok(())
}

/// Checks licences, bans and sources of all dependencies, and advisories if the database can be
/// fetched.
pub(crate) fn deny() -> Result<Outcome> {
    // Starts: cargo-deny
    must(command("cargo").args(["deny", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"]))?;
    if let Err(e) = must(command("cargo").args(["deny", "fetch", "db"])) {
        return Ok(vec![Skip::new(
            "advisories",
            format!("the database cannot be fetched: {e:#}"),
        )]);
    }
    must(command("cargo").args(["deny", "check", "--hide-inclusion-graph", "advisories"]))?;
    Ok(Vec::new())
}

/// Checks the published crates with the tool chains of their `rust-version`, installed by rustup if
/// possible.
pub(crate) fn msrv() -> Result<Outcome> {
    let metadata: serde_json::Value = serde_json::from_str(&output(command("cargo").args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // `publish = false` is an empty list of registries.
    let published = packages.filter(|package| !package["publish"].as_array().is_some_and(Vec::is_empty));
    let versions: BTreeSet<(&str, &str)> = published
        .filter_map(|package| Some((package["rust_version"].as_str()?, package["name"].as_str()?)))
        .collect();
    let mut skips = Vec::new();
    for (version, name) in versions {
        let Some(toolchain) = toolchain(version)? else {
            let reason = format!("rustup has no tool chain {version}; clippy checks the use of the standard library");
            skips.push(Skip::new(name, reason));
            continue;
        };
        let mut cargo = command("rustup");
        cargo.args(["run", &toolchain, "cargo", "check", "--quiet", "--package", name]);
        must(cargo.env("CARGO_TARGET_DIR", "target/msrv"))?;
    }
    Ok(skips)
}

/// Returns the name of an installed tool chain of this version.
fn toolchain(version: &str) -> Result<Option<String>> {
    if !has("rustup") {
        return Ok(None);
    }
    let installed = || -> Result<Option<String>> {
        let list = output(command("rustup").args(["toolchain", "list"]))?;
        let names = list.lines().filter_map(|line| line.split_whitespace().next());
        let matches = |name: &&str| {
            name.strip_prefix(version)
                .is_some_and(|rest| rest.starts_with(['.', '-']))
        };
        Ok(names.filter(matches).map(str::to_owned).next())
    };
    if let Some(name) = installed()? {
        return Ok(Some(name));
    }
    // Without a network this fails, and the step reports the missing tool chain.
    let _ = rustup(&["toolchain", "install", version, "--profile", "minimal"]);
    installed()
}
