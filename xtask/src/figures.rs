//! Figures that a benchmark command shows: a table for people, a list for programs.

use std::collections::BTreeMap;

use anyhow::Result;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::{Deserialize, Serialize};

/// One measured figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) figure: String,
    /// In what unit.
    pub(crate) unit: String,
    /// Ours.
    pub(crate) ours: f64,
    /// Others', by name.
    pub(crate) peers: BTreeMap<String, f64>,
    /// What ours is to reach, in words; empty where the figure is only shown.
    pub(crate) goal: String,
    /// Whether it does; `None` where there is no goal.
    pub(crate) ok: Option<bool>,
}

/// Prints the figures as a table, or as JSON.
pub(crate) fn print(figures: &[Figure], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
        return Ok(());
    }
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_header(["figure", "unit", "ours", "others", "goal", "reached"]);
    for figure in figures {
        let peers: Vec<String> = figure
            .peers
            .iter()
            .map(|(name, value)| format!("{name}: {}", number(*value)))
            .collect();
        let ok = match figure.ok {
            None => "",
            Some(true) => "yes",
            Some(false) => "NO",
        };
        table.add_row([
            &figure.figure,
            &figure.unit,
            &number(figure.ours),
            &peers.join("\n"),
            &figure.goal,
            ok,
        ]);
    }
    println!("{table}");
    Ok(())
}

fn number(value: f64) -> String {
    if value.is_nan() {
        // What could not be measured here.
        String::from("-")
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
