//! Compares instructions, frames and system calls with baselines, and prints a table.

mod adapters;
mod callgrind;
mod client;
mod linux;
mod modelled;
mod program;

use anyhow::Result;
use ethdev_cli as cli;
use indicatif::ProgressBar;

use crate::cross::Preference;
use crate::{figures, size};

/// Compares instructions, frames and system calls with baselines, and prints a table.
///
/// Instructions are counted by callgrind, for the same UDP workload on the simulated ring NIC,
/// through the smoltcp adapter and through a minimal `phy::Device` on the same rings: of the host
/// alone, and with the simulated wire and chip. The baseline has no checks for faults, link state
/// and pending replies, no counters, and no receive budget. The TAP device and the packet
/// socket are compared with those of smoltcp, which needs root.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measure the adapters for stacks, or compare the driver of this chip with others on the model
    /// of the chip, instead.
    subject: Option<Subject>,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Subject {
    Adapters,
    Cyw43,
    Enc28j60,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.subject {
        Some(Subject::Adapters) => return figures::print(&adapters::figures(&program::build()?)?, args.json),
        Some(Subject::Cyw43) => return figures::print(&modelled::figures("cyw43", size::cyw43::figures)?, args.json),
        Some(Subject::Enc28j60) => {
            let sizes = || Ok(size::enc28j60::figures(Preference::Any)?.0);
            return figures::print(&modelled::figures("enc28j60", sizes)?, args.json);
        }
        None => {}
    }
    let programs = program::build()?;
    let progress = cli::progress(callgrind::RUNS + linux::RUNS, "{wide_bar} {pos}/{len} {msg}");
    let mut list = callgrind::figures(&programs, &progress)?;
    list.extend(linux::figures(&programs, &progress)?);
    progress.finish_and_clear();
    figures::print(&list, args.json)
}

/// Shows the present step.
fn step(progress: &ProgressBar, what: impl Into<String>) {
    progress.set_message(what.into());
    progress.tick();
}
