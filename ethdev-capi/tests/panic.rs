//! A device that panics ends the process: the panic does not unwind into C.
#![cfg(all(unix, not(miri)))]

mod support;

use core::ptr::null_mut;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use support::export_polled;
use support::stub::Stub;

/// Set in the process that panics.
const CHILD: &str = "ETHDEV_CAPI_PANIC";
const SIGABRT: i32 = 6;

#[test]
fn device_that_panics_aborts_the_process() {
    if std::env::var_os(CHILD).is_some() {
        let stub = Stub::new();
        stub.state().in_service = Some(Box::new(|| panic!("the device panics")));
        let handle = export_polled(stub);
        let _ = std::panic::catch_unwind(|| handle.service(null_mut()));
        // Not reached: the parent expects that nothing follows.
        std::process::exit(0);
    }
    // Starts: this test
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["device_that_panics_aborts_the_process", "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&child.stderr);
    assert_eq!(child.status.signal(), Some(SIGABRT), "{stderr}");
    assert!(stderr.contains("the device panics"), "{stderr}");
    assert!(stderr.contains("cannot unwind"), "{stderr}");
}
