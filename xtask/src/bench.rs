//! Compares instructions, frames and system calls with hand-written peers, and prints a table.

mod callgrind;
mod client;
mod modelled;
mod program;
mod tap;

use anyhow::Result;
use ethdev_cli as cli;
use indicatif::ProgressBar;

use crate::cross::Preference;
use crate::{figures, size};

/// Compares instructions, frames and system calls with hand-written peers, and prints a table.
///
/// Instructions are callgrind's, of the same UDP workload on the memory NIC through the smoltcp adapter and through a device written by hand on the same
/// rings: of what runs on the host alone, and of the whole, wire and chip included. The thirty or so that a frame costs more are what the one by hand leaves
/// out: whether the chip has failed, the link is down or an answer waits, the books, the bound on a flood. TAP is compared with smoltcp's own,
/// which needs root.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Compare this chip's driver with others', on the model of the chip, instead of all that.
    chip: Option<Chip>,
    /// Print a list for programs instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Chip {
    Cyw43,
    Enc28j60,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match args.chip {
        Some(Chip::Cyw43) => return figures::print(&modelled::figures("cyw43", size::cyw43::figures)?, args.json),
        Some(Chip::Enc28j60) => {
            let sizes = || Ok(size::enc28j60::figures(Preference::Any)?.0);
            return figures::print(&modelled::figures("enc28j60", sizes)?, args.json);
        }
        None => {}
    }
    let programs = program::build()?;
    let progress = cli::progress(callgrind::RUNS + tap::RUNS, "{wide_bar} {pos}/{len} {msg}");
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
