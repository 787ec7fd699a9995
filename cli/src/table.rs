//! Tables that fit the terminal.

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

/// Columns of a terminal whose width is unknown.
const COLUMNS: u16 = 80;
/// Cells are not wrapped for a terminal narrower than this.
const MIN_COLUMNS: u16 = 60;

/// A table for standard output, as wide as the terminal at most; cells wrap where they are longer. 80 columns where the width is unknown.
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
