//! Runs the firmware in QEMU as its peer, and prints the checks.

mod account;
mod capture;
mod checks;
mod client;
mod frames;
mod link;
mod machine;
mod programs;
mod wire;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cross::{Preference, ToolChain};
use crate::figures;
use crate::image::{self, Build};
use crate::size::elf::Image;
use crate::test::Skip;
use crate::tools::run as must;
use account::account;
use checks::Checks;
use client::{Page, Ports};
use ethdev_cli as cli;
use machine::Qemu;
use programs::{BOARDS, Board, PROGRAMS, Program};
use wire::Wire;

/// Runs the firmware in QEMU as its peer, and prints the checks.
///
/// Two boards (a Cortex-M3 with a LAN9118, a Cortex-A7 with an ENET), with five schedulers on the
/// first. Each image is tested through the user network of QEMU, which needs no privileges, and
/// then frame by frame. Prints the output of the boards, and a table with a column for each image
/// and a row for each check.
///
/// With `--figures`, counts instructions per frame instead, of programs that are optimised for
/// speed: the clock of QEMU then counts instructions (`-icount`).
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run these images only; may be given several times.
    #[arg(long, value_name = "IMAGE", value_parser = PROGRAMS.each_ref().map(|program| program.name))]
    only: Vec<String>,
    /// Count instructions per frame, compared with a minimal `phy::Device` for the same MAC.
    #[arg(long, conflicts_with = "only")]
    figures: bool,
    /// Print JSON instead of a table.
    #[arg(long, requires = "figures")]
    json: bool,
    /// The tool chain to use.
    #[arg(long, value_enum, default_value = "any")]
    with: Preference,
    /// Keep the captures of the network in this directory.
    #[arg(long, value_name = "DIRECTORY")]
    pcap: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            figures: false,
            json: false,
            with: Preference::Any,
            pcap: None,
        }
    }
}

/// The default address of the first NIC in QEMU.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
/// Limit of the time until the board prints a line.
const TIMEOUT: Duration = Duration::from_secs(10);
const ECHO_BYTES: usize = 1 << 20;
const FLOOD: usize = 2000;
const NOISE: usize = 2000;
const SEED: u64 = 2;
/// The server of the client that reports samples: it returns them.
const SAMPLE_SERVER: &str = "tcp:10.0.2.100:9000-cmd:cat";
/// The time without traffic in the idle check.
const IDLE: Duration = Duration::from_secs(1);
/// Beginnings of error lines of the firmware.
const ERROR_LINES: [&str; 3] = ["failed", "panicked", "NIC:"];
/// Attempts to start QEMU: another process may use a port that was free before.
const STARTS: usize = 3;

/// The targets of the boards.
pub(crate) fn targets() -> impl Iterator<Item = &'static str> {
    BOARDS.iter().map(|board| board.target)
}

pub(crate) fn run(args: &Args) -> Result<Vec<Skip>> {
    crate::programs::require(&["qemu"])?;
    if args.figures {
        let mut list = Vec::new();
        for board in BOARDS {
            let tools = ToolChain::find(board.target, args.with)?;
            list.extend(frames::figures(board, &tools)?);
        }
        figures::print(&list, args.json)?;
        return Ok(Vec::new());
    }
    let mut skipped = Vec::new();
    for board in BOARDS {
        skipped.extend(lint(board, &ToolChain::find(board.target, args.with)?)?);
    }
    let mut checks = Checks::default();
    for program in PROGRAMS
        .iter()
        .filter(|program| args.only.is_empty() || args.only.iter().any(|name| name == program.name))
    {
        let tools = ToolChain::find(program.board.target, args.with)?;
        let kernel = build(program.name, &tools, &[], "firmware")?;
        check(program, &kernel, args.pcap.as_deref(), &mut checks)?;
    }
    checks.end()?;
    Ok(skipped)
}

fn build(program: &str, tools: &ToolChain, env: &[(&str, &str)], directory: &str) -> Result<PathBuf> {
    let build = Build {
        program,
        rustflags: "-D warnings",
        env,
        directory,
    };
    build.run(tools)
}

/// Clippy on the programs of a board, as they are built for it.
fn lint(board: &Board, tools: &ToolChain) -> Result<Option<Skip>> {
    if let Some(obstacle) = tools.clippy_obstacle() {
        let what = format!("clippy on the firmware for {}", board.target);
        return Ok(Some(Skip::new(what, obstacle)));
    }
    let mut cargo = tools.cargo("clippy");
    cargo.args(["--quiet", "--release", "--manifest-path", image::MANIFEST]);
    let programs = PROGRAMS.iter().filter(|program| program.board.target == board.target);
    for name in programs.map(|program| program.name).chain(board.frames) {
        cargo.args(["--bin", name]);
    }
    cargo.arg("--target-dir").arg(image::directory("firmware"));
    // Starts: cargo-clippy
    must(cargo.args(["--", "-D", "warnings"]))?;
    Ok(None)
}

/// All checks of one image, on two networks.
fn check(program: &Program, kernel: &Path, pcap: Option<&Path>, checks: &mut Checks) -> Result<()> {
    let board = program.board;
    cli::note(format_args!("\n== {} on {}", program.name, board.machine));
    let began = Instant::now();
    let dir = tempfile::tempdir()?;
    let directory = match pcap {
        Some(kept) => std::path::absolute(kept)?,
        None => dir.path().to_owned(),
    };
    std::fs::create_dir_all(&directory)?;
    let pcap = directory.join(format!("{}.pcap", program.name));

    checks.begin(format!("{}\n{}\n{}", board.machine, board.about, program.scheduler));
    checks.value("image", program.name.to_owned());
    let Image { flash, ram, .. } = Image::read(kernel)?;
    checks.value("flash, bytes", flash.to_string());
    checks.value("RAM, bytes", ram.to_string());
    let (mut running, ports) = start(board, kernel, &pcap, dir.path())?;
    checks.note("MDIO", running.wait_for(0, board.phy, TIMEOUT));
    if program.reports_samples {
        let acknowledged = (0..3).try_for_each(|n| {
            let line = format!("client: sample {n} acknowledged");
            running.wait_for(0, &line, TIMEOUT).map(drop)
        });
        checks.note(
            "samples",
            acknowledged.map(|()| "3 acknowledged by the server".to_owned()),
        );
    }
    talk(running, ports, checks)?;
    checks.note("capture", capture::check(&pcap, MAC, board.shortest));
    abuse(board, kernel, dir.path(), checks)?;
    checks.value("seconds", began.elapsed().as_secs().to_string());
    Ok(())
}

fn start(board: &Board, kernel: &Path, pcap: &Path, dir: &Path) -> Result<(Qemu, Ports)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let ports = Ports::free()?;
        let network = [
            "-nic".to_owned(),
            format!(
                "user,model={},id=n0,guestfwd={SAMPLE_SERVER},hostfwd=tcp:127.0.0.1:{}-:80,hostfwd=tcp:127.0.0.1:{}-:7,hostfwd=udp:127.0.0.1:{}-:7",
                board.model, ports.http, ports.tcp_echo, ports.udp_echo
            ),
            "-object".to_owned(),
            format!("filter-dump,id=d0,netdev=n0,file={}", pcap.display()),
        ];
        let mut running = Qemu::start(board, kernel, &network, dir)?;
        match running.wait_for(0, "link up", TIMEOUT) {
            Ok(_) => return Ok((running, ports)),
            Err(e) if tries == STARTS => return Err(e).context("board did not start"),
            Err(e) => cli::note(format_args!("{e:#}; retrying")),
        }
    }
}

fn talk(mut board: Qemu, ports: Ports, checks: &mut Checks) -> Result<()> {
    checks.note("page", page(ports));
    checks.note("TCP echo", client::tcp_echo(ports.tcp_echo, ECHO_BYTES, SEED));
    checks.note("TCP echo, one byte", client::tcp_echo(ports.tcp_echo, 1, SEED));
    let lengths: Vec<usize> = (1..=16).chain((64..=1472).step_by(64)).chain([1472]).collect();
    checks.note("UDP echo", client::udp_echo(ports.udp_echo, &lengths, SEED));
    checks.note("flood", flood(ports));
    checks.note("link loss, idle", link::idle(&mut board, ports));
    checks.note("link loss during TCP echo", link::busy(&mut board, ports));
    interrupts(&mut board, ports, checks);
    end("end", board, checks)
}

/// Tests the image on a wire that is connected to xtask, with frames that no network passes.
fn abuse(board: &Board, kernel: &Path, dir: &Path, checks: &mut Checks) -> Result<()> {
    let (mut wire, arguments) = Wire::new(board, MAC, board.shortest)?;
    let mut board = Qemu::start(board, kernel, &arguments, dir)?;
    board.wait_for(0, "link up", TIMEOUT)?;
    checks.note("ARP", wire.arp());
    let sizes = [0, 1, 17, 18, 19, 56, 1471, 1472];
    let pinged = sizes.iter().try_for_each(|&len| wire.ping(len));
    checks.note(
        "ping",
        pinged.map(|()| format!("{} lengths, 0 to 1472 bytes", sizes.len())),
    );
    checks.note("runts", wire.runts());
    checks.note("giants", giants(&mut board, &mut wire));
    checks.note("noise", wire.garbage(NOISE, SEED));
    end("end, wire", board, checks)
}

/// Sends frames that are too long, which the driver drops and counts.
fn giants(board: &mut Qemu, wire: &mut Wire) -> Result<String> {
    let before = account(board, || wire.ping(56))?.value("rx_dropped")?;
    let giants = wire.giants()?;
    let lost = account(board, || wire.ping(56))?.value("rx_dropped")? - before;
    ensure!(lost == giants as u64, "{giants} giants, {lost} frames counted as lost");
    Ok(format!("{giants} of 1515 to 2043 bytes, {lost} counted"))
}

fn end(name: &str, board: Qemu, checks: &mut Checks) -> Result<()> {
    let said = board.quit()?;
    let errors: Vec<&String> = said
        .iter()
        .filter(|line| ERROR_LINES.iter().any(|start| line.starts_with(start)))
        .collect();
    let calm = match errors.first() {
        None => Ok(format!("{} lines, no errors", said.len())),
        Some(first) => Err(anyhow::anyhow!("{} error lines, the first: {first}", errors.len())),
    };
    checks.note(name, calm);
    Ok(())
}

/// Checks the contents of the page, and that its counters increase.
fn page(ports: Ports) -> Result<String> {
    let first = Page::fetch(ports.http)?;
    let address = MAC.map(|octet| format!("{octet:02x}")).join(":");
    ensure!(
        first.text("Address")? == address,
        "address on the page is {}",
        first.text("Address")?
    );
    let link = first.text("Link")?;
    ensure!(link == "up 100 Mbit/s full duplex", "link on the page is {link}");
    let second = Page::fetch(ports.http)?;
    let (before, after) = (first.number("rx_frames")?, second.number("rx_frames")?);
    // At least request, acknowledgement and close of the connection.
    ensure!(after >= before + 3, "{before} received frames, then {after}");
    for lost in ["rx_overrun", "rx_bad_fcs", "rx_bad_length", "tx_aborted", "faults"] {
        ensure!(second.number(lost)? == 0, "{lost} is {}", second.number(lost)?);
    }
    Ok(format!("{before}, then {after} frames received"))
}

/// Sends more datagrams than the board can echo. It drops some, and continues.
fn flood(ports: Ports) -> Result<String> {
    let before = Page::fetch(ports.http)?.number("rx_frames")?;
    let _flooding = client::flood(ports.udp_echo, FLOOD)?;
    let taken = Page::fetch(ports.http)?.number("rx_frames")?.wrapping_sub(before);
    client::udp_echo(ports.udp_echo, &[100], SEED)?;
    Ok(format!("of {FLOOD} datagrams at once, {taken} reached the driver"))
}

/// Checks that the board sleeps for most of a second without traffic, and that interrupts wake it.
fn interrupts(board: &mut Qemu, ports: Ports, checks: &mut Checks) {
    let mut page = || Page::fetch(ports.http).map(drop);
    let outcome = account(board, &mut page).and_then(|before| {
        thread::sleep(IDLE);
        let after = account(board, &mut page)?;
        let (interrupts, sleeps) = (after.value("interrupts")?, after.value("sleeps")?);
        ensure!(interrupts > 0, "no interrupts of the NIC: {after:?}");
        ensure!(after.value("errors")? == 0, "errors of the NIC: {after:?}");
        let time = after.value("t_ms")? - before.value("t_ms")?;
        let asleep = after.value("asleep_ms")? - before.value("asleep_ms")?;
        ensure!(asleep > time / 2, "asleep for {asleep} of {time} ms only while idle");
        let frames = (after.value("rx")?, after.value("tx")?);
        Ok([
            format!("{interrupts} for {} frames received, {} sent", frames.0, frames.1),
            format!("idle: {asleep} of {time} ms; {sleeps} sleeps in all"),
        ])
    });
    match outcome {
        Ok([interrupts, asleep]) => {
            checks.note("interrupts", Ok(interrupts));
            checks.note("asleep in wfi", Ok(asleep));
        }
        Err(e) => checks.note("interrupts", Err(e)),
    }
}
