//! Images of the firmware workspace.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cross::ToolChain;
use crate::tools::root;

/// What the firmware runs on.
pub(crate) const TARGET: &str = "thumbv7m-none-eabi";

const MANIFEST: &str = "examples/firmware/Cargo.toml";

/// Builds one program of the firmware workspace in its release profile and tells where it is. `rustflags` are passed to every crate.
pub(crate) fn build(tools: &ToolChain, program: &str, rustflags: &str, target_dir: &str) -> Result<PathBuf> {
    let mut cargo = tools.cargo("build");
    cargo
        .args(["--release", "--manifest-path", MANIFEST, "--bin", program])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target_dir_of(target_dir))
        .env("RUSTFLAGS", rustflags)
        .stderr(Stdio::inherit());
    eprintln!("+ cargo build {program} for {TARGET} {rustflags}");
    let out = cargo.output().context("cannot start cargo")?;
    if !out.status.success() {
        bail!("{program} does not build");
    }
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| {
            let ours = message["target"]["name"] == program;
            message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
        })
        .with_context(|| format!("cargo does not say where {program} is"))
}

/// A directory of its own for each set of flags, beside the workspace's own, so that neither makes the other be built anew.
fn target_dir_of(name: &str) -> PathBuf {
    let base = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    base.join(name)
}
