//! Compiles the programs in C.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-changed=../../ethdev-capi/include");
    let mut build = cc::Build::new();
    build
        .std("c99")
        .include("../../ethdev-capi/include")
        .flag_if_supported("-pedantic");
    build.warnings(true).extra_warnings(true).warnings_into_errors(true);
    build.clone().file("c/interrupt_node.c").compile("interrupt_node");
    // A program of its own: its `main` gets another name.
    build.file("c/poll.c").define("main", "poll_main").compile("poll");
}
