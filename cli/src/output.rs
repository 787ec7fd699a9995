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
/// Where the reader is gone, the text is dropped.
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

/// Prints `text` and a line break to standard error. Failures are ignored: there is nowhere to report them.
pub fn note(text: impl fmt::Display) {
    // In one piece, so that lines of several threads do not mix.
    let line = format!("{text}\n");
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Whether `stream` takes escape sequences: it is a terminal, `TERM` is not `dumb`, and `NO_COLOR` is unset or empty (<https://no-color.org>).
pub fn is_styled(stream: &impl IsTerminal) -> bool {
    let variable = |name| std::env::var_os(name);
    stream.is_terminal() && takes_escapes(variable("TERM").as_deref(), variable("NO_COLOR").as_deref())
}

fn takes_escapes(term: Option<&OsStr>, no_color: Option<&OsStr>) -> bool {
    term.is_some_and(|term| term != "dumb") && no_color.is_none_or(OsStr::is_empty)
}

/// A progress bar of `length` steps on standard error; hidden where that is not [styled](is_styled).
///
/// `template` is in indicatif's syntax.
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

    /// Fails with this error.
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
    fn print_reports_a_full_device_and_not_a_closed_pipe() {
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
    fn escapes_need_a_capable_terminal_and_no_wish_against() {
        let xterm = Some(OsStr::new("xterm"));
        for (term, no_color, expected) in [
            (xterm, None, true),
            (xterm, Some(""), true),
            (xterm, Some("1"), false),
            (Some(OsStr::new("dumb")), None, false),
            (None, None, false),
        ] {
            assert_eq!(
                takes_escapes(term, no_color.map(OsStr::new)),
                expected,
                "{term:?} {no_color:?}"
            );
        }
    }

    #[test]
    fn progress_without_a_terminal_is_hidden() {
        // The test harness may have one.
        if !io::stderr().is_terminal() {
            assert!(progress(1, "{bar}").is_hidden());
        }
    }
}
