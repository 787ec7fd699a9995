//! Programs in C on `ethdev.h`, called from Rust: `c/poll.c` polls the device, `c/interrupt_node.c`
//! sleeps until an interrupt.
#![deny(unsafe_code)]

mod sys;

pub use sys::{InterruptNode, NodeReport, poll};
