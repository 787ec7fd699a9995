//! Tables that fit the terminal.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

/// Width if that of the terminal is unknown.
const COLUMNS: u16 = 80;
/// Minimum width of a table.
const MIN_COLUMNS: u16 = 60;

/// Creates a table for standard output. Cells wrap to the width of the terminal; 80 columns if that
/// is unknown.
#[must_use]
pub fn table() -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let width = table.width().filter(|&columns| columns > 0).unwrap_or(COLUMNS);
    table.set_width(width.max(MIN_COLUMNS));
    if !crate::is_styled(&std::io::stdout()) {
        table.force_no_tty();
    }
    table
}
