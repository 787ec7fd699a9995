//! The tests of the shim in C, on a device in memory, with the address and undefined behaviour
//! sanitizers: see `shim.c`.

use std::process::Command;

use ethdev_sim::report_skip;

fn run(program: &str, name: &str) {
    if program.is_empty() {
        report_skip(name, "the C compiler has no sanitizers");
        return;
    }
    let output = Command::new(program).output().expect("the test was built");
    assert!(
        output.status.success(),
        "{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.stdout, b"all passed\n");
}

#[test]
fn shim_one_buffer_per_frame_passes() {
    run(env!("SHIM_TEST_DIRECT"), "shim_one_buffer_per_frame_passes");
}

#[test]
fn shim_chains_of_buffers_pass() {
    run(env!("SHIM_TEST_CHAINED"), "shim_chains_of_buffers_pass");
}

#[test]
fn readme_program_is_the_compiled_one() {
    let readme = include_str!("../../../ethdev-capi/lwip/README.md");
    assert!(readme.contains(include_str!("readme.c")), "it differs from readme.c");
}
