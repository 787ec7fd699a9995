//! What the workspace's programs have in common at a terminal: arguments, messages, exit statuses, tables.
//!
//! | condition | result |
//! |---|---|
//! | standard output cannot be written (`> /dev/full`) | one line on standard error, exit status 1 |
//! | the reader of standard output is gone (`\| head -1`) | the rest of the output is dropped; the exit status is that of the work |
//! | standard error cannot be written | ignored |
//! | a descriptor is closed at the start (`>&-`) | std opens `/dev/null` in its place |
//! | `NO_COLOR`, `TERM=dumb`, or not a terminal | no escape sequences, no progress bar |
//!
//! `println!` and `eprintln!` panic where their stream fails: the programs use [`print()`] and [`note`] instead, and deny the others by clippy's `print_stdout` and
//! `print_stderr`.
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

/// Exit status of a program that was called in a wrong way.
pub const MISUSE: u8 = 2;

/// Parses the arguments, or returns the exit status once help or a message was printed.
///
/// # Errors
///
/// The program must not run: help or the version was asked for, or the arguments are wrong.
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
            return ExitCode::from(MISUSE);
        }
        // The message proper: what comes before the first empty line.
        let message: Vec<_> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        misuse(format_args!(
            "{} (see --help)",
            message.join(" ").trim_start_matches("error: ")
        ))
    })
}

/// Prints in one line what was wrong with the call.
#[must_use]
pub fn misuse(message: impl fmt::Display) -> ExitCode {
    complain(message);
    ExitCode::from(MISUSE)
}

/// Prints in one line what went wrong.
#[must_use]
pub fn failure(message: impl fmt::Display) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}

/// The exit status of a program that is done; an error is printed with its causes.
#[must_use]
pub fn finish(result: Result<(), impl Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => failure(Causes(&e)),
    }
}

fn complain(message: impl fmt::Display) {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&name).file_name().unwrap_or_default();
    note(format_args!("{}: {message}", name.to_string_lossy()));
}

/// Displays an error with its causes, outermost first: `cannot write: disk full`.
///
/// Errors disagree about whether their own text contains the cause. A cause that the text so far ends with is not repeated.
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
    fn causes_are_listed_once() {
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
