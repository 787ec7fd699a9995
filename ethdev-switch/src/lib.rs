#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

mod fabric;
mod filter;
mod port;
mod port_state;
mod queue;
mod runner;
mod switch;
mod table;

pub use port::Port;
pub use runner::Runner;
pub use switch::Switch;
pub use table::TableEntry;
