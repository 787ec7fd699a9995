//! The programs with failing standard streams.
#![cfg(target_os = "linux")]

use ethdev_cli::testing::assert_streams_may_fail;

#[test]
fn programs_streams_full_or_closed_no_panic() {
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
        (env!("CARGO_BIN_EXE_linux"), &[]),
        // An invalid interface name.
        (env!("CARGO_BIN_EXE_linux"), &["tap", "ethdev", "a/b", "1"]),
    ];
    for (program, arguments) in calls {
        assert_streams_may_fail(program, arguments);
    }
}
