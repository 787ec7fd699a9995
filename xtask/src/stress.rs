//! Stress tests of the bus drivers on the models of their chips.

use anyhow::Result;

use crate::tools;

/// Sends frames through a driver on the model of its chip, injects faults, and compares the
/// counters.
///
/// Time is virtual: a million frames take seconds. The same seed reproduces a run.
///
/// Every scenario reports violations, and the command fails if there are any.
///
/// ENC28J60: a panic; a call longer than 100 ms; no traffic within 100 ms after a fault; a corrupt
/// or duplicate frame; a frame in no counter; a reset that counts no frame as lost; a frame counted
/// as sent that did not arrive, or counted as lost that arrived. Reported in the table, but
/// allowed: the last two if the link was down or the chip was reset meanwhile; frames lost from the
/// chip by an injected brownout or reset, of which the driver counts at least one; one corrupt
/// frame per brownout or reset, if it was being read at that time.
///
/// ENC28J60, management calls: `Ok` from `start`, `stop`, `sleep`, `wake`, `recover`, the address
/// or the filter while the chip has something else, with a bus that fails at any byte, futures that
/// are dropped and a chip that resets itself inside the call; a call that fails without a fault; a
/// device that one `recover` does not bring back; frames that pass or miss the filter then; without
/// resets, a frame that the chip stored in no counter.
///
/// CYW43439, with 1,000 power cycles, 1,000 joins and management calls in addition: a panic; a call
/// longer than 100 ms (send, receive), 5 s (service), 20 s (join) or 10 s (start, recover); no
/// traffic in time after a fault (250 ms; 1 s with a join or restart; 5 s with a lost response); no
/// frames within 3 s after a start; a join with another result than its fault has, where that is
/// certain, or a failed join without a fault; a frame delivered twice that the firmware did not
/// duplicate; a frame sent twice, sent corrupt, or sent although an error was returned; a frame
/// read from the chip in no counter; an accepted frame that the chip did not receive; a protocol
/// violation; a management call that succeeded without its whole effect, also when it is repeated
/// after a bus failure or after its future was dropped; a `recover` on a working bus that fails, or
/// after which frames do not flow; no frame delivered for longer than the longest fault and the
/// recovery from it. Reported in the table, but allowed: frames lost in the air; frames lost in the
/// chip, which confirms no frame (queue overflow, reset, link loss); for each fault that touches a
/// frame one frame that is corrupt (the bus has no checksum) or counted wrongly; for each bus
/// failure one frame that is counted as sent; requests that overlap with a response later than 2 s.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chip.
    chip: Chip,
    /// Total number of frames, over all revisions of the chip.
    #[arg(long, default_value_t = 1_000_000)]
    frames: u64,
    /// Total number of management calls, over all revisions of the chip.
    #[arg(long, default_value_t = 100_000)]
    operations: u64,
    /// Random seed.
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
    cargo.args(["--operations", &args.operations.to_string()]);
    tools::run(&mut cargo)
}
