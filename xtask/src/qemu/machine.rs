//! A QEMU that does not outlive us.

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

/// How long QEMU may take to quit before it is killed.
const QUIT_TIME: Duration = Duration::from_secs(5);
/// How long the monitor may take to be there, and to answer.
const MONITOR: Duration = Duration::from_secs(10);

/// A running board.
#[derive(Debug)]
pub(super) struct Qemu {
    child: Child,
    monitor: PathBuf,
    lines: Arc<Lines>,
    board: String,
}

/// What the board and QEMU have said.
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
                // A full NIC makes QEMU say so for every frame.
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
    /// Starts `kernel` on a board. `arguments` describe its network and what else is special; `dir` takes the monitor's socket.
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

    /// How many lines have been said so far.
    pub(super) fn mark(&self) -> usize {
        self.lines.said.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// All that was said.
    pub(super) fn said(&self) -> Vec<String> {
        self.lines.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for a line after `mark` that begins with `start`.
    pub(super) fn wait_for(&mut self, mark: usize, start: &str, timeout: Duration) -> Result<String> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("QEMU ended ({status}) before it said {start:?}");
            }
            let said = self.lines.said.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = said.iter().skip(mark).find(|line| line.starts_with(start)) {
                return Ok(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("the board did not say {start:?} in {} s", timeout.as_secs());
            }
            // Woken at least this often, to see QEMU end.
            let _ = self.lines.news.wait_timeout(said, left.min(Duration::from_millis(200)));
        }
    }

    /// Plugs the cable of the network `n0` in, or pulls it out.
    pub(super) fn set_link(&self, up: bool) -> Result<()> {
        self.tell(&json!({"execute": "set_link", "arguments": {"name": "n0", "up": up}}))
    }

    /// Gives QEMU's monitor a command, by its machine protocol: one JSON object a line.
    fn tell(&self, command: &Value) -> Result<()> {
        let deadline = Instant::now() + MONITOR;
        let mut monitor = loop {
            match UnixStream::connect(&self.monitor) {
                Ok(stream) => break stream,
                Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(20)),
                Err(e) => return Err(e).context("no monitor"),
            }
        };
        monitor.set_read_timeout(Some(MONITOR))?;
        let mut answers = BufReader::new(monitor.try_clone()?).lines();
        // It begins with a greeting, and takes no other command before this one.
        for command in [&json!({"execute": "qmp_capabilities"}), command] {
            // In one piece: it acts, and may be gone, before it sees the end of the line.
            monitor.write_all(format!("{command}\n").as_bytes())?;
            answer(&mut answers).with_context(|| format!("{} does not take {command}", self.board))?;
        }
        Ok(())
    }

    /// Ends it, captures complete. An error when it did not end by itself, or not well.
    pub(super) fn quit(mut self) -> Result<Vec<String>> {
        // It may be gone before its answer has come.
        let told = self.tell(&json!({"execute": "quit"}));
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
        told?;
        bail!("QEMU did not quit and was killed");
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that is killed when we die, however that happens, where the system has the means for that.
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

/// The answer to a command. The greeting and reports of events are passed over.
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
    bail!("it has hung up")
}
