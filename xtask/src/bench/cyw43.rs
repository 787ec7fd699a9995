//! The CYW43439's driver beside the crate `cyw43`, on the model of its chip.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::figures::Figure;
use crate::{size, tools};

/// A figure as the program prints it.
#[derive(Deserialize)]
struct Measured {
    figure: String,
    unit: String,
    ours: f64,
    peers: BTreeMap<String, f64>,
    goal: String,
    ok: Option<bool>,
}

/// Builds the program, runs it, and reads what it prints.
pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut cargo = tools::command("cargo");
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "ethdev-bench",
        "--bin",
        "cyw43",
    ]);
    let printed = tools::output(&mut cargo)?;
    let measured: Vec<Measured> = serde_json::from_str(&printed).context("the program printed no list")?;
    let figures = measured.into_iter().map(|measured| Figure {
        figure: measured.figure,
        unit: measured.unit,
        ours: measured.ours,
        peers: measured.peers,
        goal: measured.goal,
        ok: measured.ok,
    });
    let mut list: Vec<Figure> = figures.collect();
    // Sizes are the target's.
    match size::cyw43::figures() {
        Ok(sizes) => list.extend(sizes),
        Err(e) => list.push(Figure {
            figure: "flash and RAM on thumbv6m".to_owned(),
            unit: "bytes".to_owned(),
            ours: f64::NAN,
            peers: BTreeMap::new(),
            goal: format!("SKIPPED: {e:#}"),
            ok: None,
        }),
    }
    Ok(list)
}
