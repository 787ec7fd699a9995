//! A TAP interface with the Linux kernel as its link partner.
//!
//! Each test runs in a thread with a network namespace of its own. The host is not changed, and the
//! kernel deletes the namespace when the thread ends. This requires root; without it each test
//! prints SKIPPED and the reason.
#![cfg(target_os = "linux")]

#[path = "linux_tap/conformance.rs"]
mod conformance;
#[path = "linux_tap/frames.rs"]
mod frames;
#[path = "linux_tap/lifecycle.rs"]
mod lifecycle;
#[path = "linux_tap/open.rs"]
mod open;
#[path = "linux_tap/poll_ready.rs"]
mod poll_ready;
#[path = "linux_tap/readme.rs"]
mod readme;
#[path = "linux_tap/testbed.rs"]
mod testbed;
#[path = "linux_tap/wait.rs"]
mod wait;
