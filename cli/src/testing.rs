//! How a program behaves whose standard streams fail, and on a terminal. Linux only.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use nix::pty::{Winsize, openpty};

fn full() -> Stdio {
    let device = OpenOptions::new().write(true).open("/dev/full");
    device.expect("Linux has /dev/full").into()
}

/// The writing end of a pipe that has no reader.
fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().expect("a pipe");
    writer.into()
}

fn run(program: &str, arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    let child = command.spawn().expect("the program starts");
    child.wait_with_output().expect("the program ends")
}

/// Calls `program`, which must end by itself and print something, with each of its streams full, closed, and without a reader.
///
/// # Panics
///
/// The program panicked, or ended with another exit status or another message than it should.
pub fn assert_streams_may_fail(program: &str, arguments: &[&str]) {
    let call = format!("{program} {}", arguments.join(" "));
    let sound = run(program, arguments, Stdio::piped(), Stdio::piped());
    let status = sound.status.code();
    let is_sound = |case: &str, output: &Output| {
        assert_eq!(output.status.code(), status, "{call}, {case}: {}", text(&output.stderr));
    };
    assert!(
        matches!(status, Some(0..=2)),
        "{call}: {}: {}",
        sound.status,
        text(&sound.stderr)
    );

    let output = run(program, arguments, full(), Stdio::piped());
    if sound.stdout.is_empty() {
        is_sound("stdout full", &output);
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
    is_sound("stdout without a reader", &output);
    assert!(
        !text(&output.stderr).contains("standard output"),
        "{call}: {}",
        text(&output.stderr)
    );

    for (case, stderr) in [("stderr full", full()), ("stderr without a reader", closed_pipe())] {
        let output = run(program, arguments, Stdio::piped(), stderr);
        is_sound(case, &output);
        assert_eq!(output.stdout.is_empty(), sound.stdout.is_empty(), "{call}, {case}");
    }
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let script = format!("exec \"$@\" {closed}");
        let arguments = [&["-c", &script, "sh", program], arguments].concat();
        // Starts: sh, which starts the program under test
        is_sound(closed, &run("sh", &arguments, Stdio::piped(), Stdio::piped()));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `command` on a terminal of this many columns, and returns all that it wrote there.
///
/// # Panics
///
/// There is no terminal to be had, or the program does not start or succeed.
#[must_use]
pub fn on_terminal(command: &mut Command, columns: u16) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).expect("a terminal");
    let stream = |slave: &OwnedFd| slave.try_clone().expect("a descriptor");
    command
        .stdin(stream(&terminal.slave))
        .stdout(stream(&terminal.slave))
        .stderr(terminal.slave);
    let mut child = command.spawn().expect("the program starts");
    // Reading ends when nobody has the terminal open.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut written = Vec::new();
    // EIO instead of an end.
    let _ = File::from(terminal.master).read_to_end(&mut written);
    let status = child.wait().expect("the program ends");
    let written = text(&written);
    assert!(status.success(), "{status}: {written}");
    written
}
