//! The measured figures, as a table and as JSON values.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, Table, TableComponent};
use serde::Serialize;

use super::stack::Stack;

/// The result of one NIC under one stack.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Name of the NIC.
    pub nic: &'static str,
    /// The stack.
    pub stack: Stack,
    /// API that the application used.
    pub api: &'static str,
    /// The measured figures, up to a failure.
    #[serde(flatten)]
    pub figures: Figures,
    /// The reason of a failure; `None` if there was none.
    pub failure: Option<String>,
}

/// The measured figures. `None`: not measured because of a failure, or not applicable.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// The link as the device reports it.
    pub link: Option<String>,
    /// Mean round-trip time of ten pings with 56 bytes of data, in simulated microseconds.
    pub ping_us: Option<f64>,
    /// SHA-256 of the data that the TCP echo returned; equal to that of the sent data.
    pub echo_sha256: Option<String>,
    /// Echoed payload by simulated time, in Mbit/s. One direction; the other carries the same at
    /// the same time.
    pub goodput_mbps: Option<f64>,
    /// Bytes on the bus per frame, both directions.
    pub bus_bytes_per_frame: Option<f64>,
    /// Copies per frame at the API of the device and in the adapter of the stack.
    pub copies_per_frame: Option<f64>,
    /// Length of the web page in bytes.
    pub page_bytes: Option<usize>,
    /// Frames lost because the receive queue was full.
    pub overruns: u32,
    /// Frames lost between the wire and the stack for any reason, both directions.
    pub lost: u32,
    /// Total simulated time in microseconds.
    pub simulated_us: f64,
}

impl Row {
    pub(super) fn new(nic: &'static str, stack: Stack, api: &'static str) -> Self {
        Self {
            nic,
            stack,
            api,
            figures: Figures::default(),
            failure: None,
        }
    }

    /// Returns whether every check passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// Formats the table, with colours if the terminal supports them.
#[must_use]
pub fn table(rows: &[Row]) -> Table {
    let mut table = ethdev_cli::table();
    table.load_preset(NOTHING).set_header([
        "NIC",
        "stack",
        "API",
        "link",
        "ping\nµs",
        "echo,\npage",
        "TCP\nMbit/s",
        "bus B\n/frame",
        "copies\n/frame",
        "over\nruns",
        "lost",
    ]);
    for row in rows {
        let figures = &row.figures;
        let cells = [
            Cell::new(row.nic),
            Cell::new(row.stack),
            Cell::new(row.api),
            Cell::new(figures.link.as_deref().map_or_else(|| "–".to_owned(), short)),
            number(figures.ping_us, 1),
            outcome(row),
            number(figures.goodput_mbps, 1),
            number(figures.bus_bytes_per_frame, 0),
            number(figures.copies_per_frame, 2),
            Cell::new(figures.overruns).set_alignment(CellAlignment::Right),
            Cell::new(figures.lost).set_alignment(CellAlignment::Right),
        ];
        table.add_row(cells);
    }
    table.set_style(TableComponent::HeaderLines, '─');
    // Without vertical lines, and with one space between columns, the table fits 80 columns.
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    if let Some(last) = table.column_iter_mut().last() {
        last.set_padding((0, 0));
    }
    table
}

/// Shortens the description of a link.
fn short(link: &str) -> String {
    link.trim_start_matches("up ")
        .replace("Mbit/s ", "")
        .replace(" duplex", "")
}

fn number(value: Option<f64>, decimals: usize) -> Cell {
    let text = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"));
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// Formats the outcome of the checks.
fn outcome(row: &Row) -> Cell {
    if row.passed() {
        Cell::new("good").fg(Color::Green)
    } else {
        Cell::new("FAIL").fg(Color::Red)
    }
}
