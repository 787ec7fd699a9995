//! Interfaces of Linux: a TAP interface with the kernel as its link partner, and packet sockets on
//! pairs of virtual Ethernet interfaces.
//!
//! Each test runs in a thread with a network namespace of its own. The host is not changed, and the
//! kernel deletes the namespace when the thread ends. This requires root; without it each test
//! prints SKIPPED and the reason.
#![cfg(target_os = "linux")]

#[path = "linux/kernel_peer.rs"]
mod kernel_peer;
#[path = "linux/packet/mod.rs"]
mod packet;
#[path = "linux/tap/mod.rs"]
mod tap;
#[path = "linux/testbed.rs"]
mod testbed;
