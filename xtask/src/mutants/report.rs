//! The report of the outcomes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use ethdev_cli as cli;
use serde::{Deserialize, Serialize};

use super::{Outcome, Package};

/// A mutant that no test can catch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equivalent {
    /// Its name without line and column.
    mutant: String,
    /// Why it behaves like the original.
    reason: String,
}

/// The outcomes of a package.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    package: String,
    /// The number of mutants of the package.
    mutants: usize,
    /// The number of those that were tested.
    tested: usize,
    unviable: usize,
    /// The tested mutants that compile, without equivalent ones.
    viable: usize,
    caught: usize,
    missed: Vec<String>,
    timeout: Vec<String>,
    /// The tested mutants that are equivalent.
    equivalent: Vec<Equivalent>,
    /// Of the viable mutants, those that were caught.
    percent: f64,
    /// Entries of equivalent mutants that were caught or do not exist.
    wrong: Vec<String>,
}

impl Report {
    /// A report of `outcomes`, by name, of some of `mutants`.
    pub(super) fn new(package: &Package, mutants: &[String], outcomes: BTreeMap<String, Outcome>) -> Self {
        let known = &package.settings.equivalent;
        let entry = |name: &str| known.iter().find(|entry| entry.mutant == without_position(name));
        let list = |outcome| with(&outcomes, outcome).filter(|name| entry(name).is_none());
        let caught = with(&outcomes, Outcome::CaughtMutant).count();
        let missed: Vec<_> = list(Outcome::MissedMutant).cloned().collect();
        let timeout: Vec<_> = list(Outcome::Timeout).cloned().collect();
        let survivors = || with(&outcomes, Outcome::MissedMutant).chain(with(&outcomes, Outcome::Timeout));
        let viable = caught + missed.len() + timeout.len();
        let existing: BTreeSet<_> = mutants.iter().map(|name| without_position(name)).collect();
        let harmful: BTreeSet<_> = with(&outcomes, Outcome::CaughtMutant)
            .map(|name| without_position(name))
            .collect();
        let lives: BTreeSet<_> = survivors().map(|name| without_position(name)).collect();
        let is_wrong = |entry: &&Equivalent| {
            !existing.contains(&entry.mutant) || (harmful.contains(&entry.mutant) && !lives.contains(&entry.mutant))
        };
        Self {
            package: package.name.clone(),
            mutants: mutants.len(),
            tested: outcomes.len(),
            unviable: with(&outcomes, Outcome::Unviable).count(),
            viable,
            caught,
            percent: 100.0 * caught as f64 / viable.max(1) as f64,
            missed,
            timeout,
            equivalent: survivors().filter_map(|name| entry(name)).cloned().collect(),
            wrong: known
                .iter()
                .filter(is_wrong)
                .map(|entry| entry.mutant.clone())
                .collect(),
        }
    }

    pub(super) fn wrong_entries(&self) -> impl Iterator<Item = &str> {
        self.wrong.iter().map(String::as_str)
    }
}

/// The names with this outcome.
pub(super) fn with(outcomes: &BTreeMap<String, Outcome>, outcome: Outcome) -> impl Iterator<Item = &String> {
    outcomes
        .iter()
        .filter(move |(_, of)| **of == outcome)
        .map(|(name, _)| name)
}

/// `a/b.rs:1:2: replace ...` without `:1:2`.
fn without_position(name: &str) -> String {
    match name.split_once(": ") {
        Some((place, what)) => format!("{}: {what}", place.split(':').next().unwrap_or_default()),
        None => name.to_owned(),
    }
}

pub(super) fn print(reports: &[Report], json: bool) -> Result<()> {
    if json {
        cli::print(serde_json::to_string_pretty(reports)?)?;
        return Ok(());
    }
    let mut table = cli::table();
    table.set_header([
        "package", "tested", "unviable", "viable", "caught", "missed", "timeout", "equal", "percent",
    ]);
    for report in reports {
        table.add_row([
            report.package.clone(),
            format!("{}/{}", report.tested, report.mutants),
            report.unviable.to_string(),
            report.viable.to_string(),
            report.caught.to_string(),
            report.missed.len().to_string(),
            report.timeout.len().to_string(),
            report.equivalent.len().to_string(),
            format!("{:.1}", report.percent),
        ]);
    }
    // Nine columns fit into 80 characters without padding.
    for column in table.column_iter_mut() {
        column.set_padding((0, 0));
    }
    cli::print(table)?;
    for report in reports {
        for (what, names) in [("missed", &report.missed), ("timeout", &report.timeout)] {
            for name in names {
                cli::print(format_args!("{what}: {name}"))?;
            }
        }
        for Equivalent { mutant, reason } in &report.equivalent {
            cli::print(format_args!("equivalent: {mutant}: {reason}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn entry(mutant: &str) -> Equivalent {
        Equivalent {
            mutant: mutant.to_owned(),
            reason: "no observable effect".to_owned(),
        }
    }

    #[test]
    fn report_equivalent_mutant_is_listed_apart() {
        let package = Package {
            name: "p".to_owned(),
            settings: Settings {
                also: Vec::new(),
                equivalent: [
                    "a.rs: replace same in f",
                    "a.rs: replace caught in f",
                    "a.rs: replace gone in f",
                ]
                .map(entry)
                .into(),
            },
        };
        let outcomes = [
            ("a.rs:1:2: replace same in f", Outcome::MissedMutant),
            ("a.rs:2:2: replace caught in f", Outcome::CaughtMutant),
            ("a.rs:3:2: replace a: b with c in f", Outcome::CaughtMutant),
            ("a.rs:4:2: replace survivor in f", Outcome::MissedMutant),
            ("a.rs:5:2: replace endless in f", Outcome::Timeout),
            ("a.rs:6:2: replace type in f", Outcome::Unviable),
        ];
        let outcomes: BTreeMap<_, _> = outcomes.map(|(name, outcome)| (name.to_owned(), outcome)).into();
        let mut mutants: Vec<String> = outcomes.keys().cloned().collect();
        mutants.push("a.rs:7:2: replace untested in f".to_owned());
        let report = Report::new(&package, &mutants, outcomes);
        assert_eq!((report.mutants, report.tested, report.unviable), (7, 6, 1));
        assert_eq!((report.viable, report.caught, report.percent), (4, 2, 50.0));
        assert_eq!(report.missed, ["a.rs:4:2: replace survivor in f"]);
        assert_eq!(report.timeout, ["a.rs:5:2: replace endless in f"]);
        assert_eq!(report.equivalent.len(), 1);
        assert_eq!(
            report.wrong_entries().collect::<Vec<_>>(),
            ["a.rs: replace caught in f", "a.rs: replace gone in f"]
        );
    }

    #[test]
    fn without_position_keeps_the_rest() {
        assert_eq!(
            without_position("a/b.rs:10:2: replace x: y with z in f"),
            "a/b.rs: replace x: y with z in f"
        );
    }
}
