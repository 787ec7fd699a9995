//! Tools from outside: found, installed from Debian's packages where that is possible, or named.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use ethdev_cli as cli;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// A command that runs in the root of the workspace.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs a command, shown first, and fails where it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    cli::note(format_args!("+ {}", show(command)));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", show(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", show(command));
    }
    Ok(())
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", show(command)))?;
    if !out.status.success() {
        bail!("{} failed: {}", show(command), out.status);
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

fn show(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// Whether a program is on the path.
pub(crate) fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// Makes sure that `program` is there: installs Debian's `package` where this user may, and otherwise tells what to do.
pub(crate) fn need(program: &str, package: &str) -> Result<()> {
    if has(program) {
        return Ok(());
    }
    install(package)?;
    if !has(program) {
        bail!("{program} is missing even after installing {package}: install it by hand and run this again");
    }
    Ok(())
}

/// Installs a Debian package.
pub(crate) fn install(package: &str) -> Result<()> {
    if !has("apt-get") || !is_root() {
        bail!("the package {package} is needed: install it (as root: apt-get install {package}) and run this again");
    }
    let update = || run(command("apt-get").args(["update", "-qq"]).stdout(Stdio::null()));
    let get = || {
        let mut apt = command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive")
            .args(["install", "-y", "-qq", "--no-install-recommends", package]);
        run(apt.stdout(Stdio::null()))
    };
    // A fresh machine has no package lists; one that has them need not fetch them again.
    if get().is_err() {
        update()?;
        get()?;
    }
    Ok(())
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
