//! Writing to standard output and standard error.

use core::error::Error;
use core::fmt;
use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Standard output cannot be written.
#[derive(Debug)]
pub struct OutputError(io::Error);

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot write to standard output")
    }
}

impl Error for OutputError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Prints `text` and a line break to standard output.
///
/// If the stream has no reader, the text is dropped.
///
/// # Errors
///
/// The stream cannot be written for another reason.
pub fn print(text: impl fmt::Display) -> Result<(), OutputError> {
    line_to(&mut io::stdout().lock(), text)
}

fn line_to(out: &mut impl Write, text: impl fmt::Display) -> Result<(), OutputError> {
    let line = format!("{text}\n");
    match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(OutputError(e)),
        _ => Ok(()),
    }
}

/// Prints `text` and a line break to standard error. Failures are ignored.
pub fn note(text: impl fmt::Display) {
    // One write, so that lines of several threads do not mix.
    let line = format!("{text}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Returns whether escape sequences may be written to `stream`: it is a terminal, `TERM` is not
/// `dumb`, and `NO_COLOR` is unset or empty (<https://no-color.org>).
pub fn is_styled(stream: &impl IsTerminal) -> bool {
    let variable = |name| std::env::var_os(name);
    stream.is_terminal() && escapes_allowed(variable("TERM").as_deref(), variable("NO_COLOR").as_deref())
}

fn escapes_allowed(term: Option<&OsStr>, no_color: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term != "dumb") && no_color.is_none_or(OsStr::is_empty)
}

/// Creates a progress bar of `length` steps on standard error. It is hidden if that is not
/// [styled](is_styled).
///
/// `template` is in the syntax of indicatif.
#[must_use]
pub fn progress(length: u64, template: &str) -> ProgressBar {
    let target = if is_styled(&io::stderr()) {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A writer that fails with this error.
    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn print_full_device_fails_closed_pipe_succeeds() {
        assert!(line_to(&mut Failing(io::ErrorKind::BrokenPipe), "text").is_ok());
        let full = line_to(&mut Failing(io::ErrorKind::StorageFull), "text").unwrap_err();
        assert_eq!(
            crate::Causes(&full).to_string(),
            format!("cannot write to standard output: {}", io::ErrorKind::StorageFull)
        );
        let mut out = Vec::new();
        line_to(&mut out, "text").unwrap();
        assert_eq!(out, b"text\n");
    }

    #[test]
    fn escapes_allowed_requires_terminal_without_no_color() {
        let xterm = Some(OsStr::new("xterm"));
        for (term, no_color, expected) in [
            (xterm, None, true),
            (xterm, Some(""), true),
            (xterm, Some("1"), false),
            (Some(OsStr::new("dumb")), None, false),
            (None, None, false),
        ] {
            assert_eq!(
                escapes_allowed(term, no_color.map(OsStr::new)),
                expected,
                "{term:?} {no_color:?}"
            );
        }
    }

    #[test]
    fn progress_without_terminal_hidden() {
        // The test harness may run on a terminal.
        if !io::stderr().is_terminal() {
            assert!(progress(1, "{bar}").is_hidden());
        }
    }
}
