//! What the programs have in common on the command line.

use std::process::ExitCode;

use clap::Parser;

/// Exit status of a program that was called in a wrong way.
pub const MISUSE: u8 = 2;

/// The arguments; or what to exit with, once help was shown, or one line said what is wrong.
///
/// # Errors
///
/// Nothing is to be run.
pub fn parse<C: Parser>() -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| {
        if !error.use_stderr() {
            // Help or version. Nobody is there to be told that it cannot be printed.
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        // The message proper: what comes before the first empty line.
        let text = error.to_string();
        let message: Vec<_> = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty())
            .collect();
        misuse(&format!(
            "{} (see --help)",
            message.join(" ").trim_start_matches("error: ")
        ))
    })
}

/// Says in one line what was wrong with the call.
#[must_use]
pub fn misuse(message: &str) -> ExitCode {
    complain(message);
    ExitCode::from(MISUSE)
}

/// Says in one line what went wrong.
#[must_use]
pub fn failure(message: &str) -> ExitCode {
    complain(message);
    ExitCode::FAILURE
}

fn complain(message: &str) {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&name)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    eprintln!("{name}: {message}");
}
