//! A driver compared with others on the model of its chip.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::figures::Figure;
use crate::tools;

/// Builds and runs the benchmark program `chip`, and adds the `sizes` on the target to its figures.
pub(super) fn figures(chip: &str, sizes: impl FnOnce() -> Result<Vec<Figure>>) -> Result<Vec<Figure>> {
    let mut cargo = tools::command("cargo");
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "ethdev-bench",
        "--bin",
        chip,
    ]);
    let printed = tools::output(&mut cargo)?;
    let mut list: Vec<Figure> = serde_json::from_str(&printed).context("the program printed no valid list")?;
    list.extend(or_skipped(sizes()));
    Ok(list)
}

/// The sizes on the target; one row with the reason if they could not be measured.
pub(super) fn or_skipped(sizes: Result<Vec<Figure>>) -> Vec<Figure> {
    sizes.unwrap_or_else(|e| {
        vec![Figure {
            figure: "flash and RAM on the target".to_owned(),
            unit: "bytes".to_owned(),
            ours: f64::NAN,
            peers: BTreeMap::new(),
            goal: format!("SKIPPED: {e:#}"),
            ok: None,
        }]
    })
}
