//! Test functions: programs with failing standard streams, and on a terminal. Linux only.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use nix::pty::{Winsize, openpty};

fn full() -> Stdio {
    let device = OpenOptions::new().write(true).open("/dev/full");
    device.expect("/dev/full not opened").into()
}

/// Returns the write end of a pipe without a reader.
fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().expect("no pipe");
    writer.into()
}

fn run(program: &str, arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    let child = command.spawn().expect("program not started");
    child.wait_with_output().expect("waiting for the program failed")
}

/// Runs `program`, which must exit and print something, with each of its streams full, closed, and
/// without a reader.
///
/// # Panics
///
/// The program panicked, or its exit status or message is wrong.
pub fn assert_streams_may_fail(program: &str, arguments: &[&str]) {
    let call = format!("{program} {}", arguments.join(" "));
    let expected = run(program, arguments, Stdio::piped(), Stdio::piped());
    let status = expected.status.code();
    let check = |case: &str, output: &Output| {
        assert_eq!(output.status.code(), status, "{call}, {case}: {}", text(&output.stderr));
    };
    assert!(
        matches!(status, Some(0..=2)),
        "{call}: {}: {}",
        expected.status,
        text(&expected.stderr)
    );

    let output = run(program, arguments, full(), Stdio::piped());
    if expected.stdout.is_empty() {
        check("stdout full", &output);
    } else {
        assert_eq!(output.status.code(), Some(1), "{call}, stdout full");
        let message = text(&output.stderr);
        assert!(
            message.contains("cannot write to standard output: "),
            "{call}: {message}"
        );
        assert!(!message.contains("panicked"), "{call}: {message}");
        let output = run(program, arguments, full(), full());
        assert_eq!(output.status.code(), Some(1), "{call}, both full");
    }
    let output = run(program, arguments, closed_pipe(), Stdio::piped());
    check("stdout without a reader", &output);
    assert!(
        !text(&output.stderr).contains("standard output"),
        "{call}: {}",
        text(&output.stderr)
    );

    for (case, stderr) in [("stderr full", full()), ("stderr without a reader", closed_pipe())] {
        let output = run(program, arguments, Stdio::piped(), stderr);
        check(case, &output);
        assert_eq!(output.stdout.is_empty(), expected.stdout.is_empty(), "{call}, {case}");
    }
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let script = format!("exec \"$@\" {closed}");
        let arguments = [&["-c", &script, "sh", program], arguments].concat();
        // Starts: sh, which starts the program under test
        check(closed, &run("sh", &arguments, Stdio::piped(), Stdio::piped()));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `command` on a terminal with `columns` columns, and returns its output.
///
/// # Panics
///
/// No terminal is available, or the program does not start or fails.
#[must_use]
pub fn on_terminal(command: &mut Command, columns: u16) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).expect("no terminal");
    let stream = |slave: &OwnedFd| slave.try_clone().expect("descriptor not duplicated");
    command
        .stdin(stream(&terminal.slave))
        .stdout(stream(&terminal.slave))
        .stderr(terminal.slave);
    let mut child = command.spawn().expect("program not started");
    // Reading ends when no process has the terminal open.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut written = Vec::new();
    // Fails with EIO at the end.
    let _ = File::from(terminal.master).read_to_end(&mut written);
    let status = child.wait().expect("waiting for the program failed");
    let written = text(&written);
    assert!(status.success(), "{status}: {written}");
    written
}
