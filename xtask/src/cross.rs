//! Tool chains for bare-metal targets: rustup's where it has the target, Debian's otherwise.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::programs::{self, has};
use crate::tools::{command, output};

/// Where to take compiler and `core` from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Preference {
    /// rustup where it has the target, Debian otherwise.
    Any,
    /// rustup only.
    Rustup,
    /// Debian's rustc-web only.
    Debian,
}

/// Debian's compiler. The sources of `core` and a linker for ARM and RISC-V are installed with it.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// The firmware wants this version of Rust, for what starts a Cortex-A; smoltcp 0.14 would do with 1.91.
const LEAST_MINOR: u32 = 93;

/// A tool chain that can build for one target.
#[derive(Debug, Clone)]
pub(crate) struct ToolChain {
    target: String,
    debian: bool,
    version: String,
}

impl ToolChain {
    /// The tool chain for `target`, installed where it is missing and this user may.
    pub(crate) fn find(target: &str, preference: Preference) -> Result<Self> {
        let rustup = || rustup(target).context("rustup");
        let debian = || debian(target).context("Debian");
        match preference {
            Preference::Rustup => rustup(),
            Preference::Debian => debian(),
            Preference::Any => rustup().or_else(|no_rustup| debian().map_err(|e| e.context(format!("{no_rustup:#}")))),
        }
    }

    /// What it is, for a table.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", if self.debian { "Debian" } else { "rustup" }, self.version)
    }

    /// What it compiles for.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Why clippy cannot run with it, if so.
    pub(crate) fn clippy_obstacle(&self) -> Option<String> {
        if self.debian {
            Some(format!("{} has no clippy", self.name()))
        } else {
            (!programs::works("cargo-clippy")).then(|| "clippy is not installed".to_owned())
        }
    }

    /// A cargo command for the target.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut cargo = command("cargo");
        cargo.args([subcommand, "--target", &self.target]);
        if self.debian {
            let linker = format!("CARGO_TARGET_{}_LINKER", self.target.to_uppercase().replace('-', "_"));
            // Its core has to be built: that needs a flag that is unstable, and works.
            cargo
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1")
                // Starts: ld.lld
                .env(linker, "ld.lld")
                .arg("-Zbuild-std=core");
        }
        cargo
    }
}

fn rustup(target: &str) -> Result<ToolChain> {
    if !has("rustup") {
        bail!("not installed");
    }
    let installed = output(command("rustup").args(["target", "list", "--installed"]))?;
    if !installed.lines().any(|line| line.trim() == target) {
        programs::rustup(&["target", "add", target])?;
    }
    Ok(ToolChain {
        target: target.to_owned(),
        debian: false,
        version: version("rustc")?,
    })
}

fn debian(target: &str) -> Result<ToolChain> {
    if !debian_is_complete() {
        programs::install("debian-rust")?;
        if !debian_is_complete() {
            bail!("its packages have no rustc 1.{LEAST_MINOR} with sources and linker");
        }
    }
    Ok(ToolChain {
        target: target.to_owned(),
        debian: true,
        version: version(DEBIAN_RUSTC)?,
    })
}

/// The compiler is new enough, and the sources of `core` are where it looks for them.
fn debian_is_complete() -> bool {
    let Ok(version) = version(DEBIAN_RUSTC) else {
        return false;
    };
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    let sources = output(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"])).is_ok_and(|sysroot| {
        Path::new(sysroot.trim())
            .join("lib/rustlib/src/rust/library/core")
            .is_dir()
    });
    minor.is_some_and(|minor: u32| minor >= LEAST_MINOR) && sources && has("ld.lld")
}

/// The second word of `rustc 1.95.0 (...)`.
fn version(rustc: &str) -> Result<String> {
    let line = output(command(rustc).arg("--version"))?;
    Ok(line
        .split_whitespace()
        .nth(1)
        .unwrap_or("of unknown version")
        .to_owned())
}
