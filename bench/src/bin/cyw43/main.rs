//! `cyw43`: compares ethdev's CYW43439 driver with the published crate `cyw43` on the model of the
//! chip, in the same workload; prints a list in JSON.
//!
//! Both drivers are async, and both wait for the interrupt on the data line. The host takes 1 µs
//! for each transaction beside its bits, and no other time. A figure includes all transactions from
//! one wait of the driver to the next.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod boot;
mod drivers;
mod idle;
mod latency;
mod traffic;

use std::collections::BTreeMap;
use std::process::ExitCode;

use ethdev_cli as cli;
use serde::Serialize;

use drivers::{Crate, Dut};

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
    /// At most the value of the other driver.
    NotMore,
    /// Less than the value of the other driver.
    Less,
    /// This value.
    Exactly(f64),
    /// No requirement.
    None,
}

impl Figure {
    fn alone(figure: impl Into<String>, unit: &'static str, ours: f64, goal: Goal) -> Self {
        let (goal, ok) = match goal {
            Goal::Exactly(wanted) => (format!("{wanted}"), Some(ours == wanted)),
            Goal::NotMore | Goal::Less | Goal::None => (String::new(), None),
        };
        Self {
            figure: figure.into(),
            unit,
            ours,
            peers: BTreeMap::new(),
            goal,
            ok,
        }
    }

    fn with_peer(name: impl Into<String>, unit: &'static str, ours: f64, theirs: f64, goal: Goal) -> Self {
        let mut figure = Self::alone(name, unit, ours, goal);
        figure.peers.insert(Crate::NAME, theirs);
        match goal {
            Goal::NotMore => (figure.goal, figure.ok) = ("not more".into(), Some(ours <= theirs)),
            Goal::Less => (figure.goal, figure.ok) = ("less".into(), Some(ours < theirs)),
            Goal::Exactly(_) | Goal::None => {}
        }
        figure
    }
}

/// Measures both drivers.
macro_rules! both {
    ($measure:ident $(, $argument:expr)*) => {
        (
            $measure::<crate::drivers::Ours>($($argument),*),
            $measure::<crate::drivers::Crate>($($argument),*),
        )
    };
}
use both;

fn main() -> ExitCode {
    let mut list = boot::figures();
    list.extend(traffic::figures());
    list.extend(idle::figures());
    list.extend(latency::figures());
    match serde_json::to_string_pretty(&list) {
        Ok(json) => cli::finish(cli::print(json)),
        Err(e) => cli::failure(cli::Causes(&e)),
    }
}
