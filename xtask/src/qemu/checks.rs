//! What was checked on which image, and how it ended.

use anyhow::{Result, ensure};
use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};

/// Of the table, where nothing tells.
const WIDTH: u16 = 180;

/// A table with a column for each image and a row for each check.
#[derive(Debug, Default)]
pub(super) struct Checks {
    heads: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    failed: usize,
}

impl Checks {
    /// From here on, it is about this image.
    pub(super) fn begin(&mut self, head: String) {
        self.heads.push(head);
    }

    /// What is only told.
    pub(super) fn tell(&mut self, name: &str, detail: String) {
        let column = self.heads.len();
        let row = match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, row)) => row,
            None => {
                self.rows.push((name.to_owned(), Vec::new()));
                // Just pushed.
                &mut self.rows.last_mut().expect("a row").1
            }
        };
        // Images without this check have an empty field.
        row.resize(column.saturating_sub(1), String::new());
        row.push(detail);
    }

    /// What was checked.
    pub(super) fn note(&mut self, name: &str, outcome: Result<String>) {
        let detail = match outcome {
            Ok(detail) => {
                eprintln!("{name}: passed: {detail}");
                detail
            }
            Err(e) => {
                self.failed += 1;
                eprintln!("{name}: FAILED: {e:#}");
                format!("FAILED: {e:#}")
            }
        };
        self.tell(name, detail);
    }

    /// Prints all of it, and fails where something has failed.
    pub(super) fn end(&self) -> Result<()> {
        let mut table = Table::new();
        table
            .load_preset(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header([String::new()].iter().chain(&self.heads));
        // Not on a terminal, there is no width to go by.
        if table.width().is_none() {
            table.set_width(WIDTH);
        }
        for (name, row) in &self.rows {
            table.add_row([name].into_iter().chain(row));
        }
        println!("{table}");
        ensure!(self.failed == 0, "{} checks failed", self.failed);
        Ok(())
    }
}
