//! `cyw43`: ethdev's driver of the CYW43439 and the crate `cyw43` as published, each on the model of the chip in the same workload; prints a list in JSON.
//!
//! Both are async, both wait for the interrupt on the data line, and both run alone: a host that takes 1 µs for each transaction beside its bits, and no time of
//! its own for anything else. What a figure counts goes from one sleep of the driver to the next, all its looks included.

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

use drivers::{Crate, Subject};

/// One line of the table, as `cargo xtask bench` reads it.
#[derive(Debug, Serialize)]
struct Figure {
    figure: String,
    unit: &'static str,
    ours: f64,
    peers: BTreeMap<&'static str, f64>,
    goal: String,
    ok: Option<bool>,
}

/// What ours is to reach.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// No more than the other.
    NotMore,
    /// Less than the other.
    Less,
    /// Exactly this.
    Exactly(f64),
    /// Nothing: it is only shown.
    Shown,
}

impl Figure {
    fn alone(figure: impl Into<String>, unit: &'static str, ours: f64, goal: Goal) -> Self {
        let (goal, ok) = match goal {
            Goal::Exactly(wanted) => (format!("{wanted}"), Some(ours == wanted)),
            Goal::NotMore | Goal::Less | Goal::Shown => (String::new(), None),
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

    fn beside(figure: impl Into<String>, unit: &'static str, ours: f64, theirs: f64, goal: Goal) -> Self {
        let mut shown = Self::alone(figure, unit, ours, goal);
        shown.peers.insert(Crate::NAME, theirs);
        match goal {
            Goal::NotMore => (shown.goal, shown.ok) = ("not more".into(), Some(ours <= theirs)),
            Goal::Less => (shown.goal, shown.ok) = ("less".into(), Some(ours < theirs)),
            Goal::Exactly(_) | Goal::Shown => {}
        }
        shown
    }
}

/// Measures the same of both.
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
