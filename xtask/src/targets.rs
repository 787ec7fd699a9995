//! Builds the `no_std` crates for the bare-metal targets.

use std::process::Command;

use anyhow::{Result, bail};

use crate::cross::{Preference, ToolChain};
use crate::image::directory;
use crate::test::Skip;
use crate::tools::run as must;
use ethdev_cli as cli;

/// Builds the `no_std` crates for the bare-metal targets.
///
/// Builds each crate with no feature, with each, and with all of them, and then the programs of
/// other workspaces, with clippy. Prints a table of crates and tool chains.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The tool chain to use.
    #[arg(long, value_enum, default_value = "any")]
    with: Preference,
}

impl Default for Args {
    fn default() -> Self {
        Self { with: Preference::Any }
    }
}

const TARGETS: [(&str, &str); 3] = [
    ("thumbv6m-none-eabi", "Cortex-M0: no compare-and-swap"),
    ("thumbv7m-none-eabi", "Cortex-M3"),
    ("riscv32imc-unknown-none-elf", "RISC-V without atomics"),
];

/// Each `no_std` crate and the sets of features it is built with.
const CRATES: [(&str, &[&str]); 14] = [
    ("ethdev", &["", "defmt"]),
    (
        "ethdev-util",
        &[
            "",
            "critical-section",
            "channel",
            "defmt",
            "log",
            "embedded-hal-async",
            "critical-section,embedded-hal-async",
            "channel,defmt,log,embedded-hal-async",
        ],
    ),
    ("ethdev-phy", &["", "defmt"]),
    // smoltcp requires an IP version and a kind of socket.
    (
        "ethdev-smoltcp",
        &[
            "proto-ipv4,socket-tcp",
            "proto-ipv4,socket-tcp,defmt",
            "proto-ipv4,socket-tcp,log",
            "proto-ipv4,proto-ipv6,socket-tcp,defmt,log",
        ],
    ),
    ("ethdev-capi", &[""]),
    ("ethdev-embassy", &["", "defmt"]),
    ("ethdev-switch", &[""]),
    (
        "ethdev-enc28j60",
        &["", "defmt", "log", "enc28j60-crate", "defmt,log,enc28j60-crate"],
    ),
    ("ethdev-cyw43", &["", "defmt", "log", "defmt,log"]),
    ("ethdev-lan8720", &["", "defmt", "log", "defmt,log"]),
    ("ethdev-enet", &["", "defmt"]),
    ("ethdev-lan9118", &["", "defmt", "log", "defmt,log"]),
    ("ethdev-rmii", &["", "defmt", "log", "defmt,log"]),
    ("ethdev-examples", &[""]),
];

/// Workspaces of programs for one target. The programs of the firmware are built for QEMU.
const PROGRAMS: [(&str, &str); 4] = [
    ("bench/cyw43-images", "thumbv6m-none-eabi"),
    ("bench/enc28j60-images", "thumbv7m-none-eabi"),
    ("examples/c-library", "thumbv7m-none-eabi"),
    // Built with stubs: the images of the chip are not in the repository.
    ("examples/pico-w", "thumbv6m-none-eabi"),
];

pub(crate) fn run(args: &Args) -> Result<Vec<Skip>> {
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    let mut heads = vec!["crate".to_owned(), "features".to_owned()];
    let mut columns = Vec::new();
    for (target, about) in TARGETS {
        match ToolChain::find(target, args.with) {
            Ok(tools) => {
                heads.push(format!("{target}\n{about}\n{}", tools.name()));
                columns.push(build_all(target, &tools, &mut failed));
            }
            Err(e) => {
                skipped.push(Skip::new(target, format!("{e:#}")));
                heads.push(format!("{target}\n{about}\nSKIPPED"));
                columns.push(sets().map(|_| "SKIPPED".to_owned()).collect());
            }
        }
    }
    let mut table = cli::table();
    table.set_header(heads);
    for (i, (name, features)) in sets().enumerate() {
        let features = if features.is_empty() { "none" } else { features };
        let results = columns.iter().map(|column: &Vec<String>| column[i].clone());
        table.add_row([name.to_owned(), features.to_owned()].into_iter().chain(results));
    }
    cli::print(table)?;
    for (workspace, target) in PROGRAMS {
        match programs(workspace, target, args.with) {
            Ok(skip) => skipped.extend(skip),
            Err(e) => {
                cli::note(format_args!("{e:#}"));
                failed.push(format!("{workspace} for {target}"));
            }
        }
    }
    if !failed.is_empty() {
        bail!("not built: {}", failed.join("; "));
    }
    Ok(skipped)
}

/// Builds the programs of a workspace, and runs clippy on them.
fn programs(workspace: &str, target: &str, preference: Preference) -> Result<Option<Skip>> {
    let tools = match ToolChain::find(target, preference) {
        Ok(tools) => tools,
        Err(e) => return Ok(Some(Skip::new(workspace, format!("{e:#}")))),
    };
    let cargo = |subcommand| {
        let mut cargo = tools.cargo(subcommand);
        cargo
            .args(["--quiet", "--release", "--manifest-path"])
            .arg(format!("{workspace}/Cargo.toml"))
            .arg("--target-dir")
            .arg(directory("programs"))
            .env_remove("CYW43_IMAGES")
            .env("RUSTFLAGS", "-D warnings");
        cargo
    };
    must(&mut cargo("build"))?;
    if let Some(obstacle) = tools.clippy_obstacle() {
        return Ok(Some(Skip::new(format!("clippy on {workspace}"), obstacle)));
    }
    // Starts: cargo-clippy
    must(&mut cargo("clippy"))?;
    Ok(None)
}

fn sets() -> impl Iterator<Item = (&'static str, &'static str)> {
    CRATES
        .iter()
        .flat_map(|(name, sets)| sets.iter().map(move |set| (*name, *set)))
}

fn build_all(target: &str, tools: &ToolChain, failed: &mut Vec<String>) -> Vec<String> {
    sets()
        .map(|(name, features)| match must(&mut build(tools, name, features)) {
            Ok(()) => "built".to_owned(),
            Err(e) => {
                failed.push(format!("{name} [{features}] for {target}"));
                cli::note(format_args!("{e:#}"));
                "FAILED".to_owned()
            }
        })
        .collect()
}

fn build(tools: &ToolChain, package: &str, features: &str) -> Command {
    let mut cargo = tools.cargo("build");
    cargo.args(["--quiet", "--lib", "--package", package, "--no-default-features"]);
    if !features.is_empty() {
        cargo.args(["--features", features]);
    }
    // A directory of its own avoids rebuilds with another tool chain or other flags.
    if std::env::var_os("CARGO_TARGET_DIR").is_none() {
        cargo.args(["--target-dir", "target/bare"]);
    }
    cargo.env("RUSTFLAGS", "-D warnings");
    cargo
}
