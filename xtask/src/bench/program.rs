//! The programs that are measured.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tools;

/// The paths of the programs.
pub(super) struct Programs {
    /// UDP on the simulated ring NIC.
    pub(super) ring: PathBuf,
    /// UDP echo over a TAP interface or a packet socket.
    pub(super) linux: PathBuf,
    /// Frames through the adapters for embassy-net, on the simulated ring NIC.
    pub(super) adapters: PathBuf,
}

/// Builds the programs in the release profile.
pub(super) fn build() -> Result<Programs> {
    let mut cargo = tools::command("cargo");
    cargo.args(["build", "--release", "--package", "ethdev-bench", "--bins"]);
    let messages = tools::output(cargo.arg("--message-format=json-render-diagnostics"))?;
    let built: Vec<Value> = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let find = |name: &str| {
        built
            .iter()
            .find(|message| message["target"]["name"] == name && message["executable"].is_string())
            .and_then(|message| message["executable"].as_str())
            .map(PathBuf::from)
            .with_context(|| format!("no path of {name} in the output of cargo"))
    };
    Ok(Programs {
        ring: find("ring")?,
        linux: find("linux")?,
        adapters: find("adapters")?,
    })
}
