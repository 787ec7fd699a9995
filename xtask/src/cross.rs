//! Tool chains for bare-metal targets: from rustup if it has the target, otherwise from Debian.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::programs::{self, has};
use crate::tools::{command, output};

/// The source of the compiler and `core`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Preference {
    /// rustup if it has the target, otherwise Debian.
    Any,
    /// rustup only.
    Rustup,
    /// The Debian package rustc-web only.
    Debian,
}

/// The compiler of Debian. The sources of `core` and a linker for Arm and RISC-V are installed with
/// it.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
/// The Rust version that the firmware requires, for the runtime of the Cortex-A. smoltcp 0.14
/// requires 1.91.
const MIN_MINOR: u32 = 93;

/// A tool chain that can build for one target.
#[derive(Debug, Clone)]
pub(crate) struct ToolChain {
    target: String,
    debian: bool,
    version: String,
}

impl ToolChain {
    /// Finds the tool chain for `target`. Installs it if it is missing and this user may.
    pub(crate) fn find(target: &str, preference: Preference) -> Result<Self> {
        let rustup = || rustup(target).context("rustup");
        let debian = || debian(target).context("Debian");
        match preference {
            Preference::Rustup => rustup(),
            Preference::Debian => debian(),
            Preference::Any => rustup().or_else(|no_rustup| debian().map_err(|e| e.context(format!("{no_rustup:#}")))),
        }
    }

    /// Source and version.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", if self.debian { "Debian" } else { "rustup" }, self.version)
    }

    /// The target.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Returns why clippy cannot run with it, if so.
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
            // `core` is built from source, which requires an unstable flag.
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
            bail!("its packages have no rustc 1.{MIN_MINOR} with sources and linker");
        }
    }
    Ok(ToolChain {
        target: target.to_owned(),
        debian: true,
        version: version(DEBIAN_RUSTC)?,
    })
}

/// Whether the compiler is new enough, and the sources of `core` are installed.
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
    minor.is_some_and(|minor: u32| minor >= MIN_MINOR) && sources && has("ld.lld")
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
