//! A QEMU process, which ends with xtask.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ethdev_cli as cli;
use serde_json::{Value, json};

use super::programs::Board;
use crate::programs::has;

/// Limit of the time until QEMU quits; then it is killed.
const QUIT_TIME: Duration = Duration::from_secs(5);
/// Limit of the time until the monitor is available, and until it responds.
const MONITOR: Duration = Duration::from_secs(10);

/// A running board.
#[derive(Debug)]
pub(super) struct Qemu {
    child: Child,
    monitor: PathBuf,
    lines: Arc<Lines>,
    board: String,
}

/// The output of the board and of QEMU.
#[derive(Debug, Default)]
struct Lines {
    said: Mutex<Vec<String>>,
    news: Condvar,
}

impl Lines {
    fn gather(self: &Arc<Self>, from: impl Read + Send + 'static, board: &str) {
        let (lines, board) = (Arc::clone(self), board.to_owned());
        thread::spawn(move || {
            let mut last = String::new();
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                // QEMU prints a line for every frame that the NIC drops.
                if line != last {
                    cli::note(format_args!("  {board} | {line}"));
                    last.clone_from(&line);
                }
                lines.said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                lines.news.notify_all();
            }
        });
    }
}

impl Qemu {
    /// Starts `kernel` on a board. `arguments` contain the network; the socket of the monitor is in
    /// `dir`.
    pub(super) fn start(board: &Board, kernel: &Path, arguments: &[String], dir: &Path) -> Result<Self> {
        let monitor = dir.join("monitor");
        let mut command = lifeline("qemu-system-arm");
        command
            .args(["-M", board.machine, "-display", "none", "-serial", "none"])
            .args([
                "-monitor",
                "none",
                "-semihosting-config",
                "enable=on,target=native",
                "-qmp",
            ])
            .arg(format!("unix:{},server=on,wait=off", monitor.display()))
            .args(arguments)
            .arg("-kernel")
            .arg(kernel);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start qemu-system-arm")?;
        let lines = Arc::new(Lines::default());
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            lines.gather(out, board.machine);
            lines.gather(err, board.machine);
        }
        Ok(Self {
            child,
            monitor,
            lines,
            board: board.machine.to_owned(),
        })
    }

    /// The number of lines so far.
    pub(super) fn mark(&self) -> usize {
        self.lines.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All lines.
    pub(super) fn said(&self) -> Vec<String> {
        self.lines.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line after `mark` that begins with `start`.
    pub(super) fn wait_for(&mut self, mark: usize, start: &str, timeout: Duration) -> Result<String> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("QEMU ended ({status}) before the line {start:?}");
            }
            let said = self.lines.said.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = said.iter().skip(mark).find(|line| line.starts_with(start)) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("timed out waiting for the line {start:?} ({} s)", timeout.as_secs());
            }
            // The interval of the check that QEMU runs.
            let _ = self.lines.news.wait_timeout(said, left.min(Duration::from_millis(200)));
        }
    }

    /// Sets the link of the network `n0`.
    pub(super) fn set_link(&self, up: bool) -> Result<()> {
        self.tell(&json!({"execute": "set_link", "arguments": {"name": "n0", "up": up}}))
    }

    /// Executes a command of the QEMU machine protocol: one JSON object per line.
    fn tell(&self, command: &Value) -> Result<()> {
        let deadline = Instant::now() + MONITOR;
        let mut monitor = loop {
            match UnixStream::connect(&self.monitor) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Err(e) => return Err(e).context("monitor not available"),
            }
        };
        monitor.set_read_timeout(Some(MONITOR))?;
        let mut responses = BufReader::new(monitor.try_clone()?).lines();
        // The monitor sends a greeting, and requires this command first.
        for command in [&json!({"execute": "qmp_capabilities"}), command] {
            // In one write: QEMU may execute the command and quit before it reads the end of the line.
            monitor.write_all(format!("{command}\n").as_bytes())?;
            answer(&mut responses).with_context(|| format!("{}: command {command} failed", self.board))?;
        }
        Ok(())
    }

    /// Quits QEMU, which completes the captures. Fails if it does not quit by itself, or with an
    /// error.
    pub(super) fn quit(mut self) -> Result<Vec<String>> {
        // QEMU may quit before it responds.
        let response = self.tell(&json!({"execute": "quit"}));
        let deadline = Instant::now() + QUIT_TIME;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!("QEMU ended with {status}");
                }
                return Ok(self.said());
            }
            thread::sleep(Duration::from_millis(20));
        }
        response?;
        bail!("QEMU did not quit and was killed");
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // Both fail if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that is killed when xtask ends, if the system supports that.
fn lifeline(program: &str) -> Command {
    if has("setpriv") {
        // Starts: qemu-system-arm
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]);
        command
    } else {
        Command::new(program)
    }
}

/// Reads the response to a command. Skips the greeting and events.
fn answer(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Result<()> {
    for line in lines {
        let line: Value = serde_json::from_str(&line?)?;
        if let Some(error) = line.get("error") {
            bail!("{error}");
        }
        if line.get("return").is_some() {
            return Ok(());
        }
    }
    bail!("monitor closed the connection")
}
