//! The external programs that tests, examples, benchmarks and xtask start, with their sources and
//! users.

#[cfg(test)]
mod scan;

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::tools::{command, output, run};
use Source::{Component, Crate, Debian, Rust};
use ethdev_cli as cli;

/// The source of a program.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Debian packages, separated by spaces.
    Debian(&'static str),
    /// A rustup component. The program is a subcommand of cargo.
    Component(&'static str),
    /// crates.io.
    Crate(&'static str),
    /// The tool chain of xtask.
    Rust,
}

/// The name or path of a program, its source, and its users: steps of `cargo xtask test`, or other
/// names that are passed to [`require`].
type Program = (&'static str, Source, &'static [&'static str]);

/// All programs. A test compares this table with the programs that the sources start.
const PROGRAMS: &[Program] = &[
    ("/usr/bin/rustc", Debian("rustc-web rust-web-src"), &["debian-rust"]),
    // Started only if it is installed.
    ("apt-get", Debian("apt"), &[]),
    // Started by `cc`.
    ("as", Debian("binutils"), &["test"]),
    // Of iproute2, like `ip`.
    ("bridge", Debian("iproute2"), &["test"]),
    ("c++", Debian("g++"), &["fuzz"]),
    ("capinfos", Debian("wireshark-common"), &["test"]),
    ("cargo", Rust, &[]),
    ("cargo-clippy", Component("clippy"), &["lint"]),
    ("cargo-deny", Crate("cargo-deny"), &["deny"]),
    ("cargo-fmt", Component("rustfmt"), &["format"]),
    ("cargo-fuzz", Crate("cargo-fuzz"), &["fuzz"]),
    ("cargo-hack", Crate("cargo-hack"), &["lint-all"]),
    ("cargo-mutants", Crate("cargo-mutants"), &["mutants"]),
    // A component of the nightly tool chain. Started only if it is installed.
    ("cargo-miri", Rust, &[]),
    ("cargo-nextest", Crate("cargo-nextest"), &["test"]),
    ("cat", Debian("coreutils"), &["test"]),
    // Also for C++.
    ("cc", Debian("g++"), &["test"]),
    ("curl", Debian("curl"), &["test", "qemu"]),
    ("head", Debian("coreutils"), &["test"]),
    ("id", Debian("coreutils"), &[]),
    ("ip", Debian("iproute2"), &["test", "bench-linux"]),
    // Started by `cc`.
    ("ld", Debian("binutils"), &["test"]),
    ("ld.lld", Debian("lld"), &["debian-rust"]),
    ("mkfifo", Debian("coreutils"), &["test"]),
    ("mknod", Debian("coreutils"), &["test"]),
    ("mount", Debian("mount"), &["test"]),
    ("nsenter", Debian("util-linux"), &["test"]),
    ("ping", Debian("iputils-ping"), &["test"]),
    ("qemu-system-arm", Debian("qemu-system-arm"), &["qemu"]),
    ("readlink", Debian("coreutils"), &["test"]),
    ("rustc", Rust, &[]),
    ("rustup", Rust, &[]),
    ("setpriv", Debian("util-linux"), &["test"]),
    ("sh", Debian("dash"), &["test"]),
    ("sleep", Debian("coreutils"), &["test"]),
    ("strace", Debian("strace"), &["bench-linux"]),
    ("tc", Debian("iproute2"), &["test"]),
    ("timeout", Debian("coreutils"), &["test", "msrv"]),
    ("true", Debian("coreutils"), &["test"]),
    ("tshark", Debian("tshark"), &["test"]),
    ("touch", Debian("coreutils"), &["test"]),
    ("typos", Crate("typos-cli"), &["lint-all"]),
    ("unshare", Debian("util-linux"), &["test"]),
    ("valgrind", Debian("valgrind"), &["bench"]),
];

/// Finds a program by its name or path.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}

/// Whether a program is installed.
pub(crate) fn has(program: &str) -> bool {
    find(program).is_some()
}

/// Whether this process has root privileges.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// The missing programs of `users`.
fn lacking(users: &[&str]) -> Vec<&'static Program> {
    let is_lacking = |&&(name, source, needed_by): &&Program| {
        needed_by.iter().any(|user| users.contains(user))
            && match source {
                // rustup has a proxy for each component, installed or not.
                Component(_) => !works(name),
                Debian(_) | Crate(_) | Rust => !has(name),
            }
    };
    PROGRAMS.iter().filter(is_lacking).collect()
}

/// Whether cargo has this subcommand.
pub(crate) fn works(subcommand: &str) -> bool {
    let mut cargo = command("cargo");
    cargo.args([subcommand.trim_start_matches("cargo-"), "--version"]);
    cargo.stdout(Stdio::null()).stderr(Stdio::null());
    cargo.status().is_ok_and(|status| status.success())
}

/// Installs the programs of `users` if this process may. Fails with a line that names missing
/// programs, and how to install them.
pub(crate) fn require(users: &[&str]) -> Result<()> {
    let lacking = lacking(users);
    // Errors are reported below as missing programs.
    let apt = apt(&packages(lacking.iter().copied()));
    let others = lacking.iter().map(|(_, source, _)| match source {
        Component(name) if has("rustup") => rustup(&["component", "add", name]),
        Crate(name) => run(command("cargo").args(["install", "--quiet", "--locked", name])),
        Component(_) | Debian(_) | Rust => Ok(()),
    });
    for e in std::iter::once(apt).chain(others).filter_map(Result::err) {
        cli::note(format_args!("{e:#}"));
    }
    missing(users).map_or(Ok(()), |missing| bail!("{missing}"))
}

/// A line that names the missing programs of `users`, and how to install them.
pub(crate) fn missing(users: &[&str]) -> Option<String> {
    let lacking = lacking(users);
    let packages = packages(lacking.iter().copied());
    let apt = (!packages.is_empty()).then(|| format!("apt-get install {} (as root)", join(packages, " ")));
    let others = lacking.iter().filter_map(|(_, source, _)| match source {
        Component(name) => Some(format!("rustup component add {name}")),
        Crate(name) => Some(format!("cargo install --locked {name}")),
        Debian(_) | Rust => None,
    });
    let names = join(lacking.iter().map(|(name, ..)| *name), ", ");
    let how = join(apt.into_iter().chain(others), "; ");
    (!lacking.is_empty()).then(|| format!("missing: {names}; to install: {how}"))
}

/// Installs all Debian packages of `user`, also if programs of the same names are installed.
pub(crate) fn install(user: &str) -> Result<()> {
    let packages = packages(PROGRAMS.iter().filter(|(_, _, needed_by)| needed_by.contains(&user)));
    if !has("apt-get") || !is_root() {
        bail!(
            "missing packages; to install: apt-get install {} (as root)",
            join(packages, " ")
        );
    }
    apt(&packages)
}

/// The Debian packages of these programs.
fn packages(programs: impl Iterator<Item = &'static Program>) -> BTreeSet<&'static str> {
    let debian = programs.filter_map(|(_, source, _)| match source {
        Debian(packages) => Some(packages.split(' ')),
        Component(_) | Crate(_) | Rust => None,
    });
    debian.flatten().collect()
}

fn join<S: Borrow<str>>(parts: impl IntoIterator<Item = S>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<S>>().join(separator)
}

/// Installs Debian packages if apt is available and this process may use it.
fn apt(packages: &BTreeSet<&str>) -> Result<()> {
    if packages.is_empty() || !has("apt-get") || !is_root() {
        return Ok(());
    }
    // Old package lists name old versions. If the update fails, they may still work.
    if let Err(e) = run(command("apt-get").args(["update", "-qq"]).stdout(Stdio::null())) {
        cli::note(format_args!("{e:#}"));
    }
    let mut apt = command("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages);
    run(apt.stdout(Stdio::null()))
}

/// Runs rustup with a timeout, because it downloads.
pub(crate) fn rustup(arguments: &[&str]) -> Result<()> {
    // Starts: rustup
    let mut rustup = command("timeout");
    rustup.args(["300", "rustup"]).args(arguments);
    run(rustup.env("RUSTUP_MAX_RETRIES", "1"))
}

/// Fills `directory` with links to the installed programs of the table, and returns it as a `PATH`,
/// in which no other program is found.
pub(crate) fn closed_path(directory: &Path) -> Result<OsString> {
    for (name, ..) in PROGRAMS {
        if let Some(file) = find(name).filter(|_| !name.starts_with('/')) {
            std::os::unix::fs::symlink(std::path::absolute(file)?, directory.join(name))?;
        }
    }
    Ok(directory.as_os_str().to_owned())
}
