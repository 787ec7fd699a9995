//! `xtask` as it is called, with standard streams that fail.
#![cfg(target_os = "linux")]

use ethdev_cli::testing::assert_streams_may_fail;

#[test]
fn full_and_closed_streams_cause_no_panic() {
    for arguments in [
        &["--help"][..],
        &["test", "--list"],
        &["test", "--only", "nope"],
        &[],
        &["nope"],
    ] {
        assert_streams_may_fail(env!("CARGO_BIN_EXE_xtask"), arguments);
    }
}
