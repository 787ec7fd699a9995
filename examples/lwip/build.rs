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
    let mut stack_files = vec![lwip.join("netif/ethernet.c")];
    for folder in LWIP_FOLDERS {
        stack_files.extend(c_files(&lwip.join(folder)));
    }
    build.clone().files(&stack_files).warnings(false).compile("lwip");
    build.include(header).include(&shim);
    build.warnings(true).extra_warnings(true).warnings_into_errors(true);
    build
        .clone()
        .files(c_files(&here.join("c")))
        .files(c_files(&shim))
        .compile("lwip_node");
    for missing in ["LWIP_IPV4", "LWIP_IPV6"] {
        let mut shim_alone = build.clone();
        shim_alone.define(missing, "0").files(c_files(&shim));
        shim_alone
            .cargo_metadata(false)
            .compile(&format!("shim_without_{missing}"));
    }
    // Compiled, but not linked: it has a `main`.
    let mut readme = build.clone();
    readme
        .file("tests/readme.c")
        .cargo_metadata(false)
        .compile("lwip_readme");
    println!("cargo::rerun-if-changed=tests");
    // One buffer for a frame, and chains of small ones with padding in front.
    build_shim_test("DIRECT", &[], &build, &shim, &stack_files);
    let small = ["-DPBUF_POOL_BUFSIZE=256", "-DPBUF_POOL_SIZE=128", "-DETH_PAD_SIZE=2"];
    build_shim_test("CHAINED", &small, &build, &shim, &stack_files);
}

/// Builds the program of `tests/shim.rs`, with sanitizers. The variable `SHIM_TEST_<name>` is its
/// path, or empty if the compiler has no sanitizers.
fn build_shim_test(name: &str, options: &[&str], build: &cc::Build, shim: &Path, stack_files: &[PathBuf]) {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    let program = out.join(format!("shim_test_{name}"));
    let compile = |files: &[PathBuf], output: &Path| {
        let mut command = build.get_compiler().to_command();
        command.args(["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        command.args(options).args(files).arg("-o").arg(output);
        command.status().is_ok_and(|status| status.success())
    };
    let probe = out.join("probe.c");
    std::fs::write(&probe, "int main(void) { return 0; }\n").expect("OUT_DIR is writable");
    if !compile(&[probe], &out.join("probe")) {
        println!("cargo::rustc-env=SHIM_TEST_{name}=");
        return;
    }
    let files = [vec!["tests/shim.c".into()], c_files(shim), stack_files.to_vec()].concat();
    assert!(compile(&files, &program), "the test of the shim does not compile");
    println!("cargo::rustc-env=SHIM_TEST_{name}={}", program.display());
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
