//! Compiles lwIP, the shim and the application.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folders of lwIP's core, whose files are compiled all.
const LWIP_FOLDERS: [&str; 3] = ["core", "core/ipv4", "core/ipv6"];

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let lwip = lwip_sources(&here);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=c");
    let capi = here.join("../../ethdev-capi");
    let (header, shim) = (capi.join("include"), capi.join("lwip"));
    for folder in [&header, &shim] {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let mut build = cc::Build::new();
    build.std("c99").include("c").include(lwip.join("include"));
    let mut stack = build.clone();
    for folder in LWIP_FOLDERS {
        stack.files(c_files(&lwip.join(folder)));
    }
    stack.file(lwip.join("netif/ethernet.c")).warnings(false);
    stack.compile("lwip");
    build.include(header).include(&shim);
    build.files(c_files(&here.join("c"))).files(c_files(&shim));
    build.warnings(true).extra_warnings(true).warnings_into_errors(true);
    build.compile("lwip_node");
}

/// Returns the folder of lwIP's sources. Only the metadata names the folder of another package.
fn lwip_sources(here: &Path) -> PathBuf {
    // Starts: cargo
    let output = Command::new(env::var_os("CARGO").expect("set by cargo"))
        .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
        .arg(here.join("Cargo.toml"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo cannot be started");
    assert!(output.status.success(), "cargo metadata: {}", output.status);
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is not JSON");
    let packages = metadata["packages"].as_array().expect("no packages in the metadata");
    let manifest = packages
        .iter()
        .find(|package| package["name"] == "lwip")
        .and_then(|package| package["manifest_path"].as_str())
        .expect("lwip is not in the metadata");
    Path::new(manifest).with_file_name("src")
}

fn c_files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder
        .read_dir()
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files
}
