//! Builds the firmware and runs it in QEMU, with curl as its client.

mod capture;
mod client;
mod qemu;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};

use crate::cross::{Preference, ToolChain};
use crate::image::{self, Build};
use crate::tools::{command, need, run as must};
use client::{Page, Ports};
use qemu::Qemu;
use wire::Wire;

/// Builds the firmware and runs it in QEMU, with curl as its client.
///
/// The board's network is QEMU's own: it needs no privileges, and the board only answers. All it says is shown, and a table of what was checked.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which tool chain to use.
    #[arg(long, value_enum, default_value = "any")]
    with: Preference,
    /// Keep QEMU's capture of the wire here.
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            with: Preference::Any,
            pcap: None,
        }
    }
}

/// The address that QEMU gives its first NIC.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
/// How long the board may take to say something.
const PATIENCE: Duration = Duration::from_secs(10);
const ECHO_BYTES: usize = 1 << 20;
const FLOOD: usize = 2000;
const NOISE: usize = 2000;
const SEED: u64 = 2;
/// What the firmware says when something went wrong.
const COMPLAINTS: [&str; 3] = ["failed", "panicked", "NIC:"];
/// The board gives an account at most twice a second, and only after traffic.
const ACCOUNT_TRIES: usize = 20;
/// Somebody else may take a port between our look and QEMU's.
const STARTS: usize = 3;

pub(crate) fn run(args: &Args) -> Result<()> {
    need("qemu-system-arm", "qemu-system-arm")?;
    need("curl", "curl")?;
    let tools = ToolChain::find(image::TARGET, args.with)?;
    lint(&tools)?;
    test_driver()?;
    let build = Build {
        program: "serve",
        rustflags: "-D warnings",
        env: &[],
        directory: "firmware",
    };
    let kernel = build.run(&tools)?;
    let dir = tempfile::tempdir()?;
    let pcap = match &args.pcap {
        Some(file) => std::path::absolute(file)?,
        None => dir.path().join("wire.pcap"),
    };
    let mut checks = Checks::default();
    let (board, ports) = start(&kernel, &pcap, dir.path())?;
    let result = talk(board, ports, &mut checks);
    if result.is_ok() {
        checks.note("capture", capture::check(&pcap, MAC));
    }
    let result = result.and_then(|()| abuse(&kernel, dir.path(), &mut checks));
    println!("{}", checks.table);
    result?;
    ensure!(checks.failed == 0, "{} checks failed", checks.failed);
    Ok(())
}

/// The driver's tests need no board.
fn test_driver() -> Result<()> {
    let mut cargo = command("cargo");
    cargo.args(["test", "--quiet", "--lib", "--manifest-path", image::MANIFEST]);
    cargo.arg("--target-dir").arg(image::directory("firmware"));
    must(&mut cargo)
}

/// Clippy on the programs, as they are built for the board. Debian's tool chain has none.
fn lint(tools: &ToolChain) -> Result<()> {
    if tools.is_debian() {
        eprintln!("clippy on the firmware: SKIPPED: {} has none", tools.name());
        return Ok(());
    }
    let mut cargo = tools.cargo("clippy");
    cargo.args(["--quiet", "--release", "--bins", "--manifest-path", image::MANIFEST]);
    cargo.arg("--target-dir").arg(image::directory("firmware"));
    must(cargo.args(["--", "-D", "warnings"]))
}

#[derive(Debug)]
struct Checks {
    table: Table,
    failed: usize,
}

impl Default for Checks {
    fn default() -> Self {
        let mut table = Table::new();
        table
            .load_preset(UTF8_FULL_CONDENSED)
            .set_header(["check", "outcome", "detail"]);
        Self { table, failed: 0 }
    }
}

impl Checks {
    fn note(&mut self, name: &str, outcome: Result<String>) {
        let (outcome, detail) = match outcome {
            Ok(detail) => ("passed", detail),
            Err(e) => {
                self.failed += 1;
                ("FAILED", format!("{e:#}"))
            }
        };
        eprintln!("{name}: {outcome}: {detail}");
        self.table.add_row([name, outcome, &detail]);
    }
}

fn start(kernel: &Path, pcap: &Path, dir: &Path) -> Result<(Qemu, Ports)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let ports = Ports::free()?;
        let network = [
            "-nic".to_owned(),
            format!(
                "user,model=lan9118,id=n0,hostfwd=tcp:127.0.0.1:{}-:80,hostfwd=tcp:127.0.0.1:{}-:7,hostfwd=udp:127.0.0.1:{}-:7",
                ports.http, ports.tcp_echo, ports.udp_echo
            ),
            "-object".to_owned(),
            format!("filter-dump,id=d0,netdev=n0,file={}", pcap.display()),
        ];
        let mut board = Qemu::start(kernel, &network, dir)?;
        match board.wait_for(0, "link up", PATIENCE) {
            Ok(_) => return Ok((board, ports)),
            Err(e) if tries == STARTS => return Err(e).context("the board does not start"),
            Err(e) => eprintln!("{e:#}; once more"),
        }
    }
}

fn talk(mut board: Qemu, ports: Ports, checks: &mut Checks) -> Result<()> {
    let starts: Vec<String> = board.said();
    checks.note("start", Ok(starts.join(", ")));
    checks.note("page", page(ports));
    checks.note("TCP echo", client::tcp_echo(ports.tcp_echo, ECHO_BYTES, SEED));
    checks.note("TCP echo, one byte", client::tcp_echo(ports.tcp_echo, 1, SEED));
    let lengths: Vec<usize> = (1..=16).chain((64..=1472).step_by(64)).chain([1472]).collect();
    checks.note("UDP echo", client::udp_echo(ports.udp_echo, &lengths, SEED));
    checks.note("flood", flood(ports));
    checks.note("link down and up", link(&mut board, ports));
    checks.note("interrupts", interrupts(&mut board, ports));
    end(board, checks)
}

/// Once more, on a cable that we hold the other end of: frames that no network would let through.
fn abuse(kernel: &Path, dir: &Path, checks: &mut Checks) -> Result<()> {
    let (mut wire, arguments) = Wire::new(MAC)?;
    let mut board = Qemu::start(kernel, &arguments, dir)?;
    board.wait_for(0, "link up", PATIENCE)?;
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
    end(board, checks)
}

/// Each is one frame that the driver drops, and counts.
fn giants(board: &mut Qemu, wire: &mut Wire) -> Result<String> {
    let before = account(board, || wire.ping(56))?.value("rx_lost")?;
    let giants = wire.giants()?;
    let lost = account(board, || wire.ping(56))?.value("rx_lost")? - before;
    ensure!(lost == giants as u64, "{giants} giants, {lost} frames counted as lost");
    Ok(format!(
        "{giants} of 1515 to 2043 bytes, {lost} counted, a ping after each"
    ))
}

fn end(board: Qemu, checks: &mut Checks) -> Result<()> {
    let said = board.quit()?;
    let complaints: Vec<&String> = said
        .iter()
        .filter(|line| COMPLAINTS.iter().any(|start| line.starts_with(start)))
        .collect();
    let calm = match complaints.first() {
        None => Ok(format!("{} lines, no complaint; QEMU has quit", said.len())),
        Some(first) => Err(anyhow::anyhow!("{} complaints, the first: {first}", complaints.len())),
    };
    checks.note("end", calm);
    Ok(())
}

/// What the page says is so, and its counters count.
fn page(ports: Ports) -> Result<String> {
    let first = Page::fetch(ports.http)?;
    let address = MAC.map(|octet| format!("{octet:02x}")).join(":");
    ensure!(
        first.text("Address")? == address,
        "the page's address is {}",
        first.text("Address")?
    );
    let link = first.text("Link")?;
    ensure!(link == "up 100 Mbit/s full duplex", "the page's link is {link}");
    let uptime = first.text("Uptime")?;
    let second = Page::fetch(ports.http)?;
    let (before, after) = (first.number("rx_frames")?, second.number("rx_frames")?);
    // At least request, acknowledgement and the end of the connection.
    ensure!(after >= before + 3, "{before} received frames, then {after}");
    for lost in ["rx_overrun", "rx_bad_fcs", "rx_bad_length", "tx_aborted", "faults"] {
        ensure!(second.number(lost)? == 0, "{lost} is {}", second.number(lost)?);
    }
    Ok(format!(
        "link {link}, uptime {uptime}, {before} then {after} frames received"
    ))
}

/// More than it can echo: what is too much is dropped, and nothing else happens.
fn flood(ports: Ports) -> Result<String> {
    let before = Page::fetch(ports.http)?.number("rx_frames")?;
    let _flooding = client::flood(ports.udp_echo, FLOOD)?;
    let taken = Page::fetch(ports.http)?.number("rx_frames")?.wrapping_sub(before);
    client::udp_echo(ports.udp_echo, &[100], SEED)?;
    Ok(format!(
        "of {FLOOD} datagrams at once, {taken} reached the driver; page and echo work"
    ))
}

/// The firmware learns of the link by the PHY's interrupt.
fn link(board: &mut Qemu, ports: Ports) -> Result<String> {
    let changes = Page::fetch(ports.http)?.number("link_changes")?;
    let mark = board.mark();
    board.tell("set_link n0 off")?;
    board.wait_for(mark, "link down", PATIENCE)?;
    let mark = board.mark();
    board.tell("set_link n0 on")?;
    let up = board.wait_for(mark, "link up", PATIENCE)?;
    let after = Page::fetch(ports.http)?.number("link_changes")?;
    ensure!(after == changes + 2, "{changes} link changes, then {after}");
    Ok(format!("link down, then {up}, and the page again"))
}

/// Interrupts wake it, and between them it sleeps.
fn interrupts(board: &mut Qemu, ports: Ports) -> Result<String> {
    let account = account(board, || Page::fetch(ports.http).map(drop))?;
    let (interrupts, sleeps) = (account.value("interrupts")?, account.value("sleeps")?);
    ensure!(interrupts > 0 && sleeps > 0, "it polls: {account:?}");
    ensure!(account.value("errors")? == 0, "the NIC failed: {account:?}");
    let (asleep, time) = (account.value("asleep_ms")?, account.value("t_ms")?);
    Ok(format!(
        "{interrupts} interrupts, {sleeps} sleeps, asleep for {asleep} of {time} ms, {} frames received, {} sent",
        account.value("rx")?,
        account.value("tx")?
    ))
}

/// The firmware's own account of how it spent its time: a line of `name=value`.
#[derive(Debug)]
struct Account(String);

impl Account {
    fn value(&self, name: &str) -> Result<u64> {
        self.0
            .split_whitespace()
            .find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
            .with_context(|| format!("no {name} in {:?}", self.0))
    }
}

/// A new account. It comes with traffic, at most twice a second.
fn account(board: &mut Qemu, mut traffic: impl FnMut() -> Result<()>) -> Result<Account> {
    let mark = board.mark();
    for _ in 0..ACCOUNT_TRIES {
        traffic()?;
        if let Ok(line) = board.wait_for(mark, "t_ms=", Duration::from_millis(300)) {
            return Ok(Account(line));
        }
    }
    bail!("the board gives no account of itself")
}
