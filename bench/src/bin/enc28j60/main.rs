//! `enc28j60`: compares ethdev's ENC28J60 driver with two published drivers on the model of the
//! chip, in the same workload; prints a list in JSON.
//!
//! Errata 6, 13 and 16 are off for all drivers, because the others hang or lose frames with them.
//! The host takes no time, and raises chip select 250 ns after the last bit, because the others do
//! not wait the 210 ns that MAC registers need.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod drivers;
mod idle;
mod traffic;

use std::collections::BTreeMap;
use std::process::ExitCode;

use ethdev_bench::enc28j60::{Testbed, config_for_all};
use ethdev_cli as cli;
use serde::Serialize;

use drivers::{Dut, Embassy, Japaric};

/// One row of the table of `cargo xtask bench`.
#[derive(Debug, Serialize)]
struct Figure {
    figure: String,
    unit: &'static str,
    ours: f64,
    peers: BTreeMap<&'static str, f64>,
    goal: String,
    ok: Option<bool>,
}

/// The requirement on ethdev's value.
#[derive(Debug, Clone, Copy)]
enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// No requirement.
    None,
}

impl Figure {
    fn new(figure: impl Into<String>, unit: &'static str, ours: f64, goal: Goal) -> Self {
        let (text, ok) = match goal {
            Goal::AtLeast(limit) => (format!(">= {limit}"), Some(ours >= limit)),
            Goal::AtMost(limit) => (format!("<= {limit}"), Some(ours <= limit)),
            Goal::None => (String::new(), None),
        };
        Self {
            figure: figure.into(),
            unit,
            ours,
            peers: BTreeMap::new(),
            goal: text,
            ok,
        }
    }

    fn with_peers(mut self, embassy: f64, japaric: f64) -> Self {
        self.peers.insert(Embassy::NAME, embassy);
        self.peers.insert(Japaric::NAME, japaric);
        self
    }
}

/// Creates a testbed with a chip on which all drivers work.
fn testbed(mhz: u32) -> Testbed {
    let testbed = Testbed::new(config_for_all(mhz));
    drivers::set_clock(&testbed.clock);
    testbed
}

fn main() -> ExitCode {
    let mut list = traffic::figures();
    list.extend(idle::figures());
    match serde_json::to_string_pretty(&list) {
        Ok(json) => cli::finish(cli::print(json)),
        Err(e) => cli::failure(cli::Causes(&e)),
    }
}
