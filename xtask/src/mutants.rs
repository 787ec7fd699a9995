//! Measures the tests by mutation.

mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ethdev_cli as cli;
use serde::Deserialize;

use crate::programs::require;
use crate::tools::{command, output, root, run as run_command};
use report::{Equivalent, Report};

/// Measures the tests by mutation: changes the code in one place, runs the tests, and reports
/// whether they failed.
///
/// cargo-mutants (installed if it is missing) makes the mutants, in all features of the package: it
/// replaces function bodies, operators, match arms and struct fields, `const fn` included, but not
/// in `macro_rules`, `unsafe fn`, `Default` and functions called `new`.
///
///   unviable    does not compile
///   caught      a test fails
///   missed      all tests pass
///   timeout     the tests take five times as long as without the mutation, and at least a minute
///   equal       missed or timeout, and listed as equivalent (see below)
///   percent     caught, of caught, missed and timeout
///
/// A mutant is tested by the tests of its package, documentation tests included. If it is missed,
/// it is tested by the tests that the package names in its Cargo.toml:
///
///   [package.metadata.mutants]
///   also = [{ package = "ethdev-tests", test = "conformance", filter = "enc28j60" }]
///
/// The same table lists the equivalent mutants, which no test can catch. The report lists them
/// separately. An entry of a mutant that is caught or does not exist is an error:
///
///   equivalent = [{ mutant = "ethdev/src/a.rs: replace < with <= in f", reason = "..." }]
///
/// The names are those of the report without line and column. If several mutants have the same
/// name, the entry is for all of them.
///
/// Source tree and target directory are not changed: the mutants are built in target/mutants, which
/// is removed at the end. Do not change the sources meanwhile: they are copied for each package.
/// With a sample of 60, a small crate takes minutes, a driver half an hour.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Mutate this package; may be given several times. Without it: the libraries of the default
    /// members.
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
    /// Number of mutants per package that are chosen at random. Without it: all.
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Random seed of the sample. The same seed and source choose the same mutants.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// The time limit of the tests, in multiples of their time without a mutation.
const TIMEOUT_FACTOR: u32 = 5;
/// The shortest time limit, for times that vary on a busy machine.
const MIN_TIMEOUT: Duration = Duration::from_secs(60);

/// The directory of the builds, in the target directory.
const DIRECTORY: &str = "target/mutants";

pub(crate) fn run(args: &Args) -> Result<()> {
    require(&["mutants"])?;
    let packages = packages(&args.package)?;
    std::fs::create_dir_all(root().join("target"))?;
    let lock = File::create(root().join("target/mutants.lock"))?;
    lock.try_lock()
        .with_context(|| format!("another run uses {DIRECTORY}"))?;
    let directory = root().join(DIRECTORY);
    // A previous run may have been killed.
    remove(&directory)?;
    std::fs::create_dir_all(&directory)?;
    let (mut reports, mut failed) = (Vec::new(), 0);
    for package in &packages {
        match measure(args, package, &directory) {
            Ok(report) => reports.push(report),
            Err(e) => {
                failed += 1;
                cli::note(format_args!("{}: {e:#}", package.name));
            }
        }
    }
    remove(&directory)?;
    report::print(&reports, args.json)?;
    ensure!(
        failed == 0,
        "{failed} of {} packages could not be measured",
        packages.len()
    );
    let wrong: Vec<&str> = reports.iter().flat_map(Report::wrong_entries).collect();
    ensure!(
        wrong.is_empty(),
        "equivalent mutants that are caught or do not exist: {wrong:#?}"
    );
    Ok(())
}

fn measure(args: &Args, package: &Package, directory: &Path) -> Result<Report> {
    let all = list(&package.name)?;
    let chosen = sample(&all, args.sample, args.seed);
    cli::note(format_args!(
        "{}: {} of {} mutants",
        package.name,
        chosen.len(),
        all.len()
    ));
    let mut outcomes = test(&package.name, &chosen, None, directory)?;
    for also in &package.settings.also {
        let missed: Vec<_> = report::with(&outcomes, Outcome::MissedMutant).cloned().collect();
        outcomes.extend(test(&package.name, &missed, Some(also), directory)?);
    }
    Ok(Report::new(package, &all, outcomes))
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    Ok(())
}

struct Package {
    name: String,
    settings: Settings,
}

/// The table `package.metadata.mutants`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    also: Vec<Also>,
    equivalent: Vec<Equivalent>,
}

/// Tests of another package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    package: String,
    /// The test target.
    test: String,
    /// A part of the names of the tests; empty for all.
    #[serde(default)]
    filter: String,
}

impl Also {
    /// Runs the tests without a mutation. Returns their time.
    fn pass(&self, directory: &Path) -> Result<Duration> {
        let tests = |last: &str| {
            let mut cargo = command("cargo");
            cargo.args(["test", "--quiet", "--package", &self.package, "--all-features"]);
            cargo.args(["--test", &self.test, last]);
            build_in(&mut cargo, directory);
            cargo
        };
        // An empty filter is part of every name.
        run_command(tests("--no-run").stdout(std::io::stderr()))?;
        let begin = Instant::now();
        run_command(tests(&self.filter).stdout(std::io::stderr()))?;
        Ok(begin.elapsed())
    }
}

/// Makes cargo build in a subdirectory of `directory`, without debug information.
fn build_in(cargo: &mut Command, directory: &Path) {
    cargo
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
}

/// The packages with these names, or the libraries of the default members.
fn packages(names: &[String]) -> Result<Vec<Package>> {
    let arguments = ["metadata", "--no-deps", "--format-version", "1"];
    let metadata: serde_json::Value = serde_json::from_str(&output(command("cargo").args(arguments))?)?;
    let default: BTreeSet<&str> = strings(&metadata["workspace_default_members"]).collect();
    let mut chosen = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let is_chosen = if names.is_empty() {
            // `publish` is null unless it is restricted.
            package["publish"].is_null() && package["id"].as_str().is_some_and(|id| default.contains(id))
        } else {
            names.iter().any(|chosen| chosen == name)
        };
        if is_chosen {
            let settings: Option<Settings> = serde_json::from_value(package["metadata"]["mutants"].clone())
                .with_context(|| format!("package.metadata.mutants of {name}"))?;
            chosen.push(Package {
                name: name.to_owned(),
                settings: settings.unwrap_or_default(),
            });
        }
    }
    if let Some(unknown) = names.iter().find(|&name| chosen.iter().all(|p| p.name != *name)) {
        bail!("no package {unknown:?} in the workspace");
    }
    Ok(chosen)
}

fn strings(list: &serde_json::Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(|item| item.as_str())
}

/// The names of all mutants of a package, in the order of the source.
fn list(package: &str) -> Result<Vec<String>> {
    // Starts: cargo-mutants
    let mut cargo = command("cargo");
    cargo.args(["mutants", "--list", "--json", "--package", package]);
    let mutants: Vec<Mutant> = serde_json::from_str(&output(&mut cargo)?)?;
    Ok(mutants.into_iter().map(|mutant| mutant.name).collect())
}

/// Chooses `count` of the names, in their order.
fn sample(names: &[String], count: Option<usize>, seed: u64) -> Vec<String> {
    let Some(count) = count else {
        return names.to_vec();
    };
    let mut chosen = fastrand::Rng::with_seed(seed).choose_multiple(0..names.len(), count);
    chosen.sort_unstable();
    chosen.into_iter().map(|index| names[index].clone()).collect()
}

/// Runs the tests of a package, or these of another one, on mutants.
fn test(package: &str, mutants: &[String], also: Option<&Also>, directory: &Path) -> Result<BTreeMap<String, Outcome>> {
    if mutants.is_empty() {
        return Ok(BTreeMap::new());
    }
    // Starts: cargo-mutants
    let mut cargo = command("cargo");
    // Copies of the source are made in the directory for temporary files.
    cargo.env("TMPDIR", directory);
    build_in(&mut cargo, directory);
    cargo.args(["mutants", "--package", package, "--all-features", "--jobs", "1"]);
    cargo.args(["--colors", "never", "--output"]).arg(directory);
    let minimum = MIN_TIMEOUT.as_secs().to_string();
    match also {
        Some(also) => {
            // cargo-mutants tests the mutated package only before it begins.
            let time = also.pass(directory)?;
            let timeout = (time * TIMEOUT_FACTOR).max(MIN_TIMEOUT).as_secs().to_string();
            cargo.args(["--baseline", "skip", "--timeout", &timeout]);
            cargo.args(["--test-package", &also.package]);
            cargo.arg(format!("--cargo-arg=--test={}", also.test));
            if !also.filter.is_empty() {
                cargo.arg(format!("--cargo-test-arg={}", also.filter));
            }
        }
        None => {
            cargo.args(["--timeout-multiplier", &TIMEOUT_FACTOR.to_string()]);
            cargo.args(["--minimum-test-timeout", &minimum]);
        }
    }
    for mutant in mutants {
        cargo.arg(format!("--re=^{}$", escape(mutant)));
    }
    // Its messages, on standard output, are progress here.
    let status = cargo
        .stdout(std::io::stderr())
        .status()
        .context("cannot start cargo-mutants")?;
    let out = directory.join("mutants.out");
    match status.code() {
        // All caught, some missed, some timed out.
        Some(0 | 2 | 3) => {}
        Some(4) => {
            let log = std::fs::read_to_string(out.join("log/baseline.log")).unwrap_or_default();
            bail!("the tests of {package} fail without a mutation:\n{log}");
        }
        _ => bail!("cargo-mutants failed: {status}"),
    }
    let results: Results = serde_json::from_str(&std::fs::read_to_string(out.join("outcomes.json"))?)?;
    let outcomes = results.outcomes.into_iter().filter_map(|result| match result.scenario {
        Scenario::Baseline => None,
        // cargo-mutants 27 does not apply `--re` to mutants of struct fields.
        Scenario::Mutant(mutant) => mutants.contains(&mutant.name).then_some((mutant.name, result.summary)),
    });
    let outcomes: BTreeMap<_, _> = outcomes.collect();
    ensure!(
        mutants.iter().all(|mutant| outcomes.contains_key(mutant)),
        "cargo-mutants tested {} of {} mutants",
        outcomes.len(),
        mutants.len()
    );
    Ok(outcomes)
}

/// A regular expression that matches `text`.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// `outcomes.json` of cargo-mutants.
#[derive(Debug, Deserialize)]
struct Results {
    outcomes: Vec<ScenarioResult>,
}

#[derive(Debug, Deserialize)]
struct ScenarioResult {
    scenario: Scenario,
    summary: Outcome,
}

#[derive(Debug, Deserialize)]
enum Scenario {
    Baseline,
    Mutant(Mutant),
}

#[derive(Debug, Deserialize)]
struct Mutant {
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Outcome {
    Success,
    CaughtMutant,
    MissedMutant,
    Unviable,
    Failure,
    Timeout,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_same_seed_chooses_same_mutants() {
        let names: Vec<String> = (0..100).map(|n| format!("mutant {n:02}")).collect();
        let chosen = sample(&names, Some(10), 7);
        assert_eq!(chosen.len(), 10);
        assert!(chosen.is_sorted());
        assert_eq!(chosen, sample(&names, Some(10), 7));
        assert_ne!(chosen, sample(&names, Some(10), 8));
        assert_eq!(sample(&names, Some(1000), 7), names);
        assert_eq!(sample(&names, None, 7), names);
    }

    #[test]
    fn escape_operators_matches_literally() {
        assert_eq!(
            escape("a/b.rs:1:2: replace + with - in <impl T for &U>::f -> Option<[u8; 2]>"),
            r"a/b\.rs:1:2: replace \+ with \- in <impl T for \&U>::f \-> Option<\[u8; 2\]>"
        );
    }

    #[test]
    fn packages_unknown_name_fails() {
        let chosen = packages(&["ethdev".to_owned()]).expect("a package of the workspace");
        assert_eq!(chosen[0].name, "ethdev");
        let error = packages(&["ethdev".to_owned(), "nope".to_owned()]).err();
        assert_eq!(
            error.expect("an error").to_string(),
            "no package \"nope\" in the workspace"
        );
    }

    #[test]
    fn packages_without_names_are_libraries() {
        let chosen = packages(&[]).expect("the default members");
        let names: Vec<&str> = chosen.iter().map(|package| &*package.name).collect();
        assert!(
            names.contains(&"ethdev") && names.contains(&"ethdev-smoltcp"),
            "{names:?}"
        );
        assert!(
            !names.contains(&"ethdev-examples") && !names.contains(&"xtask"),
            "{names:?}"
        );
    }
}
