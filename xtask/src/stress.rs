//! Many frames through a driver on a model of its chip, while everything goes wrong that may.

use anyhow::Result;

use crate::tools;

/// Sends many frames through a driver on a model of its chip, while everything goes wrong that may, and holds what arrives against the chip's own books.
///
/// Time is virtual: a million frames take seconds. The same seed makes the same run.
///
/// A violation is: a panic, a call that takes longer than 100 ms, traffic that does not flow again within 100 ms after a fault, a frame delivered damaged, a
/// frame delivered or sent twice, a frame in no counter, a reset that counts no frame as lost, a frame that the driver counts as sent and that did not arrive, or
/// the other way round. What is let pass is shown in the table all the same: a frame that met a link flap or a reset on its way, of which nobody knows how far it
/// was; frames that an injected brown-out or reset wiped from the chip, of which the driver counts one at least; a frame that was being read when one struck and
/// that is delivered damaged, at most as many as there were brown-outs and resets.
///
/// The CYW43439 goes through 1,000 power cycles and 1,000 joins besides, nearly all of which meet a failure. There a violation is: a panic; a call that takes
/// longer than 100 ms (sending, receiving), 5 s (service), 20 s (join) or 10 s (start, recover); traffic that does not flow again in time after a fault (250 ms; 1 s
/// where the network is joined or the chip started anew; 5 s where an answer of the firmware is lost); a start after which no frames cross within 3 s; a join that
/// ends otherwise than its failure says, where that is certain, or a sound one that fails; a frame delivered twice that the firmware did not copy, or sent twice, or
/// sent altered, or sent though the driver said that it did not take it; a frame that the host read from the chip and that is neither delivered nor in a counter; a
/// frame taken by the driver that never came to the chip; a misuse of the chip. What is let pass is shown in the table all the same: frames lost in the air, and in
/// the chip (its queue for the host, and what it held when it died or lost its network: it tells nobody, and confirms nothing that it sends); where firmware or bus
/// lie, one frame for each lie that is delivered altered (the bus has no checksum), or counted where none was, or not counted; on a bus that fails, one frame for
/// each failure that is believed sent; requests that overlap with an answer later than two seconds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Whose driver.
    chip: Chip,
    /// How many frames in all, over all revisions of the chip.
    #[arg(long, default_value_t = 1_000_000)]
    frames: u64,
    /// Of everything random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Chip {
    Cyw43,
    Enc28j60,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let program = match args.chip {
        Chip::Cyw43 => "stress_cyw43",
        Chip::Enc28j60 => "stress_enc28j60",
    };
    let mut cargo = tools::command("cargo");
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "ethdev-bench",
        "--bin",
        program,
        "--",
    ]);
    cargo.args(["--frames", &args.frames.to_string(), "--seed", &args.seed.to_string()]);
    tools::run(&mut cargo)
}
