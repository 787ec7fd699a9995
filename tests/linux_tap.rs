//! A TAP interface with the Linux kernel as its peer.
//!
//! Each test makes a network namespace of its own, in a thread of its own: nothing of the host is touched, and the kernel clears everything away when the
//! thread ends. That takes root; where it cannot be had, each test says SKIPPED and why.
#![cfg(target_os = "linux")]

#[path = "linux_tap/conformance.rs"]
mod conformance;
#[path = "linux_tap/frames.rs"]
mod frames;
#[path = "linux_tap/life.rs"]
mod life;
#[path = "linux_tap/opening.rs"]
mod opening;
#[path = "linux_tap/rig.rs"]
mod rig;
#[path = "linux_tap/waiting.rs"]
mod waiting;
