//! Runs tests in Miri.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::programs::{has, rustup};
use crate::test::{Outcome, Skip};
use crate::tools::{command, run as must};

/// The tests that reach unsafe code: memory-mapped registers, memory that is shared with a DMA
/// engine, an executor whose tasks are statics, and devices for C. The other unsafe blocks access
/// hardware, in programs for boards, or make the system calls of packet sockets, in `ethdev-linux`.
const TESTS: [&[&str]; 4] = [
    &["--package", "ethdev-capi", "--test", "bad_input", "--test", "threads"],
    &["--package", "ethdev-phy", "--lib", "mmio::"],
    &["--package", "ethdev-enet", "--test", "driver"],
    &[
        "--package",
        "ethdev-examples",
        "--no-default-features",
        "--lib",
        "sys_executor::",
    ],
];

/// Tests leak the memory of their rings, which is `'static`. Property tests read the working
/// directory.
const FLAGS: &str = "-Zmiri-ignore-leaks -Zmiri-disable-isolation";

/// Cases of each property without a number of its own.
const CASES: &str = "4";

/// Runs the tests, if there is a nightly tool chain with Miri, installed by rustup if possible.
pub(crate) fn run() -> Result<Outcome> {
    if let Some(obstacle) = crate::fuzz::obstacle() {
        return Ok(vec![Skip::new("miri", obstacle)]);
    }
    if !is_installed() {
        // Without a network this fails, and the step reports the missing component.
        let _ = rustup(&["component", "add", "--toolchain", "nightly", "miri", "rust-src"]);
    }
    if !is_installed() {
        let reason = "no Miri: rustup component add --toolchain nightly miri rust-src";
        return Ok(vec![Skip::new("miri", reason)]);
    }
    for arguments in TESTS {
        let mut miri = miri();
        miri.arg("test").args(arguments).env("MIRIFLAGS", FLAGS);
        must(miri.env("PROPTEST_CASES", CASES).env("CARGO_TARGET_DIR", "target/miri"))?;
    }
    Ok(Vec::new())
}

fn is_installed() -> bool {
    let mut miri = miri();
    miri.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    has("cargo-miri") && miri.status().is_ok_and(|status| status.success())
}

fn miri() -> Command {
    // Starts: cargo-miri
    let mut cargo = command("cargo");
    cargo.args(["+nightly", "miri"]);
    cargo
}
