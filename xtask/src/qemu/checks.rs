//! The results of the checks.

use anyhow::{Result, ensure};
use ethdev_cli as cli;

/// A table with a column for each image and a row for each check.
#[derive(Debug, Default)]
pub(super) struct Checks {
    heads: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
    failed: usize,
}

impl Checks {
    /// Begins the column of an image.
    pub(super) fn begin(&mut self, head: String) {
        self.heads.push(head);
    }

    /// Adds a value.
    pub(super) fn value(&mut self, name: &str, detail: String) {
        let column = self.heads.len();
        let row = match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, row)) => row,
            None => {
                self.rows.push((name.to_owned(), Vec::new()));
                // The row was just added.
                &mut self.rows.last_mut().expect("a row").1
            }
        };
        // Images without this check have an empty field.
        row.resize(column.saturating_sub(1), String::new());
        row.push(detail);
    }

    /// Adds the result of a check.
    pub(super) fn note(&mut self, name: &str, outcome: Result<String>) {
        let detail = match outcome {
            Ok(detail) => {
                cli::note(format_args!("{name}: passed: {detail}"));
                detail
            }
            Err(e) => {
                self.failed += 1;
                cli::note(format_args!("{name}: FAILED: {e:#}"));
                format!("FAILED: {e:#}")
            }
        };
        self.value(name, detail);
    }

    /// Prints the table. Fails if a check failed.
    pub(super) fn end(&self) -> Result<()> {
        let mut table = cli::table();
        table.set_header([String::new()].iter().chain(&self.heads));
        for (name, row) in &self.rows {
            table.add_row([name].into_iter().chain(row));
        }
        cli::print(table)?;
        ensure!(self.failed == 0, "{} checks failed", self.failed);
        Ok(())
    }
}
