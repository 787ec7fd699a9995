//! Runs the same application on every NIC, each on a simulated wire, under one stack or several.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use ethdev_cli as cli;
use ethdev_examples::testbed::{self, NICS, Nic, Row, Settings, Stack};

/// Runs the same application on every NIC, each on a simulated wire with an independent smoltcp
/// peer at the other end.
///
/// The application replies to pings, echoes TCP and serves a page; it is generic over the NIC. The
/// peer pings it, sends 1 MiB through the echo service and compares hashes, and fetches the page.
/// All times are simulated: wires and buses take time, software does not. The same seed gives the
/// same table on every machine.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Cli {
    /// Run only this NIC; may be repeated
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(NICS.iter().map(|nic| nic.name)), hide_possible_values = true)]
    nic: Vec<String>,
    /// Run this stack; may be repeated
    #[arg(long, value_name = "NAME", value_enum, default_value = "smoltcp")]
    stack: Vec<Stack>,
    /// List the NICs and exit
    #[arg(long, conflicts_with_all = ["nic", "stack", "json", "pcap", "seed"])]
    list: bool,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Capture each wire to DIR/NIC.pcapng, with simulated times; DIR is created
    #[arg(long, value_name = "DIR")]
    pcap: Option<PathBuf>,
    /// Seed of random values: payload, sequence numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

const EXAMPLES: &str = "\
Examples:
  swap                                  all NICs, one table
  swap --nic ring --nic ring-pull       zero-copy and pull API compared
  swap --nic enc28j60 --stack smoltcp --stack lwip
                                        two stacks on one NIC
  swap --json | jq '.[].goodput_mbps'   JSON output
  swap --pcap out && tshark -r out/ring.pcapng

Columns:
  stack            the network stack that the application uses
  API              API of the device that the adapter of the stack uses; see --list
  link             speed in Mbit/s and duplex
  ping             round-trip time with 56 bytes of data, mean of ten
  echo, page       whether 1 MiB was returned with the same SHA-256, and the page was fetched
                   over HTTP twice, the first request in two segments, and is correct
  TCP              goodput of the echo, one direction; the other carries the same at the same
                   time
  bus bytes        on the bus between host and chip, per frame; – without a bus
  copies           of a frame at the API of the device, as counted; 0 for zero-copy
  overruns, lost   as counted by the device; the frame accounting is checked

Exit status: 0 success, 1 a NIC failed, 2 usage error";

fn main() -> ExitCode {
    let cli = match cli::parse::<Cli>() {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    if cli.list {
        return cli::finish(cli::print(list()));
    }
    let chosen: Vec<&Nic> = NICS
        .iter()
        .filter(|nic| cli.nic.is_empty() || cli.nic.iter().any(|name| name == nic.name))
        .collect();
    let settings = Settings {
        seed: cli.seed,
        pcap: cli.pcap,
    };
    let stacks: Vec<Stack> = Stack::ALL
        .iter()
        .copied()
        .filter(|stack| cli.stack.contains(stack))
        .collect();
    let rows = match run(&chosen, &stacks, &settings) {
        Ok(rows) => rows,
        Err(e) => {
            let dir = settings.pcap.unwrap_or_default();
            return cli::failure(format_args!(
                "cannot write captures to {}: {}",
                dir.display(),
                cli::Causes(&e)
            ));
        }
    };
    let text = if cli.json {
        match serde_json::to_string_pretty(&rows) {
            Ok(json) => json,
            Err(e) => return cli::failure(format_args!("cannot write JSON: {}", cli::Causes(&e))),
        }
    } else {
        testbed::table(&rows).to_string()
    };
    let printed = cli::finish(cli::print(text));
    for row in &rows {
        if let Some(failure) = &row.failure {
            cli::note(format_args!("{} on {}: {failure}", row.stack, row.nic));
        }
    }
    if rows.iter().all(Row::passed) {
        printed
    } else {
        ExitCode::FAILURE
    }
}

/// Runs the NICs in sequence, each under every stack, with a progress bar on a terminal.
fn run(nics: &[&Nic], stacks: &[Stack], settings: &Settings) -> std::io::Result<Vec<Row>> {
    // In thousandths of a row.
    let len = (nics.len() * stacks.len()) as u64 * 1000;
    let bar = cli::progress(len, "{msg:>20} [{bar:40}] {percent:>3} %");
    let rows = nics
        .iter()
        .flat_map(|nic| stacks.iter().map(move |&stack| (nic, stack)))
        .zip(0_u64..)
        .map(|((nic, stack), done)| {
            bar.set_message(format!("{} {stack}", nic.name));
            testbed::run(nic, stack, settings, &mut |part| {
                bar.set_position(done * 1000 + (part * 1000.0) as u64);
            })
        })
        .collect();
    bar.finish_and_clear();
    rows
}

fn list() -> String {
    let width = NICS.iter().map(|nic| nic.name.len()).max().unwrap_or(0);
    let lines: Vec<_> = NICS
        .iter()
        .map(|nic| format!("{:width$}  {}", nic.name, nic.about))
        .collect();
    lines.join("\n")
}
