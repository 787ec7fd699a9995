//! Compares instructions, frames and system calls with hand-written peers, and prints a table.

mod enc28j60;

use anyhow::{Result, bail};

use crate::figures;

/// Compares instructions, frames and system calls with hand-written peers, and prints a table.
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
    Enc28j60,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(Chip::Enc28j60) = args.chip {
        return figures::print(&enc28j60::figures()?, args.json);
    }
    bail!("not written yet")
}
