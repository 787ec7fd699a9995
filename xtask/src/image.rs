//! Images of the firmware workspace.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::cross::ToolChain;
use crate::tools::root;
use ethdev_cli as cli;

/// The workspace, by its manifest.
pub(crate) const MANIFEST: &str = "examples/firmware/Cargo.toml";

/// How to build a program of the firmware workspace, in its release profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build<'a> {
    /// The name of the program.
    pub(crate) program: &'a str,
    /// The flags of the compiler.
    pub(crate) rustflags: &'a str,
    /// The environment of the build.
    pub(crate) env: &'a [(&'a str, &'a str)],
    /// The name of the target directory, one for each set of flags, which avoids rebuilds.
    pub(crate) directory: &'a str,
}

impl Build<'_> {
    /// Builds the program. Returns the path of the image.
    pub(crate) fn run(&self, tools: &ToolChain) -> Result<PathBuf> {
        self.run_in(tools, MANIFEST)
    }

    /// Builds a program of another workspace.
    pub(crate) fn run_in(&self, tools: &ToolChain, manifest: &str) -> Result<PathBuf> {
        let mut cargo = tools.cargo("build");
        cargo
            .args(["--release", "--manifest-path", manifest, "--bin", self.program])
            .arg("--message-format=json-render-diagnostics")
            .arg("--target-dir")
            .arg(directory(self.directory))
            .env("RUSTFLAGS", self.rustflags)
            .envs(self.env.iter().copied())
            .stderr(Stdio::inherit());
        cli::note(format_args!(
            "+ cargo build {} for {} {}",
            self.program,
            tools.target(),
            self.rustflags
        ));
        let out = cargo.output().context("cannot start cargo")?;
        if !out.status.success() {
            bail!("{} was not built", self.program);
        }
        String::from_utf8_lossy(&out.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .find_map(|message| {
                let matches = message["target"]["name"] == self.program;
                message["executable"].as_str().filter(|_| matches).map(PathBuf::from)
            })
            .with_context(|| format!("no path of {} in the output of cargo", self.program))
    }

    /// The directory of the other output of the compiler.
    pub(crate) fn deps_dir(&self, tools: &ToolChain) -> PathBuf {
        directory(self.directory).join(tools.target()).join("release/deps")
    }
}

/// A target directory beside that of the workspace.
pub(crate) fn directory(name: &str) -> PathBuf {
    let base = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    base.join(name)
}
