//! Compares instructions, frames and system calls with hand-written peers, and prints a table.

mod callgrind;
mod client;
mod program;
mod tap;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::figures;

/// Compares instructions, frames and system calls with hand-written peers, and prints a table.
///
/// Instructions are callgrind's, of the same UDP workload on the memory NIC through the smoltcp adapter and through a device written by hand on the same
/// rings: of the whole, wire and chip included, and of what runs on the host alone. There, the thirty or so that a frame costs more are what the one by
/// hand leaves out: whether the chip has failed, the link is down or an answer waits, the books, the bound on a flood. TAP is compared with smoltcp's own,
/// which needs root.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print a list for programs instead of a table.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let programs = program::build()?;
    let progress = ProgressBar::new(callgrind::RUNS + tap::RUNS);
    progress.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")?);
    let mut list = callgrind::figures(&programs, &progress)?;
    list.extend(tap::figures(&programs, &progress)?);
    progress.finish_and_clear();
    figures::print(&list, args.json)
}

/// The step that is under way.
fn step(progress: &ProgressBar, what: impl Into<String>) {
    progress.set_message(what.into());
    progress.tick();
}
