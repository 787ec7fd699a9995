//! A small host in C on the real lwIP, for tests on the host: replies to pings, echoes UDP and TCP
//! on port 7, and serves a page about its device on port 80. It is the application of
//! `ethdev_examples::apps::Node` on another stack.
//!
//! The device below it passes the C API of `ethdev-capi` and the shim in `ethdev-capi/lwip`. lwIP
//! is compiled from the C sources of the crate `lwip`, with the options of `c/lwipopts.h`.
#![deny(unsafe_code)]

mod sys;

pub use sys::{Config, Error, LwipNode, Memory, ShimStats};
