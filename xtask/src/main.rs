//! The commands of the project. `cargo xtask --help` lists them.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod circles;
mod cross;
mod figures;
mod fuzz;
mod image;
mod lint;
mod miri;
mod mutants;
mod programs;
mod qemu;
mod size;
mod stress;
mod targets;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ethdev_cli as cli;

/// The commands of the project, which CI runs too.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Args),
    Lint(lint::Args),
    Circles(circles::Args),
    Bench(bench::Args),
    Size(size::Args),
    Stress(stress::Args),
    Qemu(qemu::Args),
    Fuzz(fuzz::Args),
    Mutants(mutants::Args),
    Targets(targets::Args),
}

fn main() -> ExitCode {
    let cli = match cli::parse::<Cli>() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let result = match cli.command {
        Command::Test(args) => test::run(&args),
        Command::Lint(args) => lint::run(&args),
        Command::Circles(args) => circles::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Size(args) => size::run(&args),
        Command::Stress(args) => stress::run(&args),
        Command::Qemu(args) => qemu::run(&args).map(drop),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::Targets(args) => targets::run(&args).map(drop),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => cli::failure(cli::Causes(e.as_ref())),
    }
}
