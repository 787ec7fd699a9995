//! The programs as they are called, with standard streams that fail.
#![cfg(target_os = "linux")]

use ethdev_cli::testing::assert_streams_may_fail;

#[test]
fn full_and_closed_streams_cause_no_panic() {
    let calls: [(&str, &[&str]); 8] = [
        (env!("CARGO_BIN_EXE_stress_enc28j60"), &["--help"]),
        (env!("CARGO_BIN_EXE_stress_enc28j60"), &["--frames", "0"]),
        (env!("CARGO_BIN_EXE_stress_enc28j60"), &["--frames", "64"]),
        (env!("CARGO_BIN_EXE_stress_cyw43"), &["--help"]),
        (
            env!("CARGO_BIN_EXE_stress_cyw43"),
            &["--frames", "18446744073709551615"],
        ),
        (env!("CARGO_BIN_EXE_ring"), &[]),
        (env!("CARGO_BIN_EXE_tap"), &[]),
        // No name of an interface.
        (env!("CARGO_BIN_EXE_tap"), &["ours", "a/b", "1"]),
    ];
    for (program, arguments) in calls {
        assert_streams_may_fail(program, arguments);
    }
}
