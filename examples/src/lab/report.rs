//! What was measured, as a table for people and as values for programs.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Color, Table, TableComponent};
use serde::Serialize;

use super::nics::Nic;

/// What came of one NIC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub nic: &'static str,
    /// What the application used it through.
    pub surface: &'static str,
    /// What was measured, as far as it came.
    #[serde(flatten)]
    pub figures: Figures,
    /// Why it did not come further; `None` where all is well.
    pub failure: Option<String>,
}

/// What was measured. `None`: it did not come to that, or there is no such thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// The link as the device tells it.
    pub link: Option<String>,
    /// Round trip of a ping with 56 bytes of data, in simulated microseconds: mean of ten.
    pub ping_us: Option<f64>,
    /// SHA-256 of what the TCP echo returned: that of what was sent.
    pub echo_sha256: Option<String>,
    /// Echoed payload (in one direction; the other carries the same at the same time) by simulated time, in Mbit/s.
    pub goodput_mbps: Option<f64>,
    /// Bytes on the bus per frame, both ways.
    pub bus_bytes_per_frame: Option<f64>,
    /// How often a frame was copied at the device's surface.
    pub copies_per_frame: Option<f64>,
    /// Length of the page.
    pub page_bytes: Option<usize>,
    /// Frames lost because nobody fetched the ones before them.
    pub overruns: u32,
    /// Frames lost for any reason, both ways, between the wire and the stack.
    pub lost: u32,
    /// Simulated microseconds that it all took.
    pub simulated_us: f64,
}

impl Row {
    pub(super) fn new(nic: &Nic) -> Self {
        Self {
            nic: nic.name,
            surface: nic.surface,
            figures: Figures::default(),
            failure: None,
        }
    }

    /// Whether all is well.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// The table, with colours where the terminal takes them.
#[must_use]
pub fn table(rows: &[Row]) -> Table {
    let mut table = ethdev_cli::table();
    table.load_preset(NOTHING).set_header([
        "NIC",
        "surface",
        "link",
        "ping\nµs",
        "TCP\necho",
        "goodput\nMbit/s",
        "bus B\n/frame",
        "copies\n/frame",
        "page",
        "over-\nruns",
        "lost",
    ]);
    for row in rows {
        let figures = &row.figures;
        let echo = figures.echo_sha256.as_ref().map(|_| "same".to_owned());
        let page = figures.page_bytes.map(|_| "good".to_owned());
        let cells = [
            Cell::new(row.nic),
            Cell::new(row.surface),
            Cell::new(figures.link.as_deref().map_or_else(|| "–".to_owned(), short)),
            number(figures.ping_us, 1),
            verdict(echo, row),
            number(figures.goodput_mbps, 1),
            number(figures.bus_bytes_per_frame, 0),
            number(figures.copies_per_frame, 2),
            verdict(page, row),
            Cell::new(figures.overruns).set_alignment(CellAlignment::Right),
            Cell::new(figures.lost).set_alignment(CellAlignment::Right),
        ];
        table.add_row(cells);
    }
    table.set_style(TableComponent::HeaderLines, '─');
    // Without vertical lines, and with one space between columns, it fits 80.
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    table
}

/// A link's description without what goes without saying.
fn short(link: &str) -> String {
    link.trim_start_matches("up ")
        .replace("Mbit/s ", "")
        .replace(" duplex", "")
}

fn number(value: Option<f64>, decimals: usize) -> Cell {
    let text = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"));
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// What was found good; or what was not, or not reached.
fn verdict(good: Option<String>, row: &Row) -> Cell {
    let (text, shade) = match good {
        Some(text) => (text, Color::Green),
        None if row.passed() => ("–".to_owned(), Color::Reset),
        None => ("FAILED".to_owned(), Color::Red),
    };
    Cell::new(text).fg(shade)
}
