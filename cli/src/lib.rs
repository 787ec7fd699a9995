//! Common functions of the workspace's programs: arguments, messages, exit statuses, tables.
//!
//! | condition | result |
//! |---|---|
//! | standard output cannot be written (`> /dev/full`) | one line on standard error, exit status 1 |
//! | standard output has no reader (`\| head -1`) | the output is dropped; the exit status does not change |
//! | standard error cannot be written | ignored |
//! | a standard stream is closed at the start (`>&-`) | std opens `/dev/null` in its place |
//! | `NO_COLOR`, `TERM=dumb`, or not a terminal | no escape sequences, no progress bar |
//!
//! `println!` and `eprintln!` panic if the stream fails. The programs use [`print()`] and [`note`]
//! instead, and deny the macros by clippy's `print_stdout` and `print_stderr`.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod output;
mod table;
#[cfg(feature = "testing")]
pub mod testing;

use core::error::Error;
use core::fmt;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

pub use output::{OutputError, is_styled, note, print, progress};
pub use table::table;

/// Exit status after a usage error.
pub const USAGE_ERROR: u8 = 2;

/// Parses the arguments. If help or a message was printed instead, returns the exit status.
///
/// # Errors
///
/// The program must exit: help or the version was requested, or the arguments are invalid.
pub fn parse<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        if !error.use_stderr() {
            let text = error.render();
            return finish(if is_styled(&std::io::stdout()) {
                print(text.ansi())
            } else {
                print(text)
            });
        }
        let text = error.to_string();
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            note(text.trim_end());
            return ExitCode::from(USAGE_ERROR);
        }
        // The message ends at the first empty line; usage hints follow.
        let message: Vec<_> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        usage_error(format_args!(
            "{} (see --help)",
            message.join(" ").trim_start_matches("error: ")
        ))
    })
}

/// Prints a usage error in one line.
#[must_use]
pub fn usage_error(message: impl fmt::Display) -> ExitCode {
    print_error(message);
    ExitCode::from(USAGE_ERROR)
}

/// Prints an error in one line.
#[must_use]
pub fn failure(message: impl fmt::Display) -> ExitCode {
    print_error(message);
    ExitCode::FAILURE
}

/// Returns the exit status for `result`. Prints an error with its causes.
#[must_use]
pub fn finish(result: Result<(), impl Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failure(Causes(&e)),
    }
}

fn print_error(message: impl fmt::Display) {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&name).file_name().unwrap_or_default();
    note(format_args!("{}: {message}", name.to_string_lossy()));
}

/// Displays an error with its causes, outermost first: `cannot write: disk full`.
///
/// The text of some errors contains the cause. A cause at the end of the preceding text is not
/// repeated.
#[derive(Debug, Clone, Copy)]
pub struct Causes<'a>(pub &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        f.write_str(&text)?;
        let mut error = self.0;
        while let Some(cause) = error.source() {
            let next = cause.to_string();
            if !text.ends_with(&next) {
                write!(f, ": {next}")?;
            }
            (error, text) = (cause, next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|layer| layer as _)
        }
    }

    #[test]
    fn causes_display_lists_each_once() {
        let bus = || Some(Box::new(Layer("bus fault", None)));
        let cases = [
            (Layer("bus fault", None), "bus fault"),
            (Layer("cannot start", bus()), "cannot start: bus fault"),
            (Layer("cannot start: bus fault", bus()), "cannot start: bus fault"),
            (
                Layer("device failed", Some(Box::new(Layer("cannot start", bus())))),
                "device failed: cannot start: bus fault",
            ),
            (
                Layer("device failed: bus fault", Some(Box::new(Layer("bus fault", bus())))),
                "device failed: bus fault",
            ),
        ];
        for (error, expected) in cases {
            assert_eq!(Causes(&error).to_string(), expected);
        }
    }
}
