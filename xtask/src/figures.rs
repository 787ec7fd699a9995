//! Measured figures, printed as a table or as JSON.

use std::collections::BTreeMap;

use anyhow::Result;
use comfy_table::Table;
use ethdev_cli as cli;
use serde::{Deserialize, Serialize};

/// One measured figure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) figure: String,
    /// The unit.
    pub(crate) unit: String,
    /// The value of ethdev.
    pub(crate) ours: f64,
    /// The values of others, by name.
    pub(crate) peers: BTreeMap<String, f64>,
    /// The requirement in words; empty if there is none.
    pub(crate) goal: String,
    /// Whether the requirement is met; `None` if there is none.
    pub(crate) ok: Option<bool>,
}

/// Prints the figures as a table, or as JSON.
pub(crate) fn print(figures: &[Figure], json: bool) -> Result<()> {
    if json {
        cli::print(format_args!("{}", serde_json::to_string_pretty(figures)?))?;
        return Ok(());
    }
    cli::print(table(figures))?;
    Ok(())
}

fn table(figures: &[Figure]) -> Table {
    let mut table = cli::table();
    table.set_header(["figure", "unit", "ethdev", "others", "goal", "reached"]);
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
    table
}

fn number(value: f64) -> String {
    if value.is_nan() {
        // Not measured.
        String::from("-")
    } else if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_long_figures_fits_the_terminal() {
        let figure = Figure {
            figure: "frames of 1514 bytes received, host and model together, with interrupts".to_owned(),
            unit: "instructions per frame, without those of the kernel".to_owned(),
            ours: 123_456.789,
            peers: BTreeMap::from([
                ("embassy-net-enc28j60 as published".to_owned(), 123_456.789),
                ("enc28j60 as published".to_owned(), 0.5),
            ]),
            goal: "SKIPPED: cannot start valgrind: No such file or directory (os error 2)".to_owned(),
            ok: Some(false),
        };
        let width = cli::table().width().map(usize::from).expect("a width");
        let table = table(&[figure]).to_string();
        assert!(table.lines().all(|line| line.chars().count() <= width), "{table}");
        // Numbers are not wrapped.
        for piece in ["123456.789", "0.500", "NO"] {
            assert!(table.contains(piece), "{piece}: {table}");
        }
    }
}
