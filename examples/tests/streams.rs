//! The programs with failing standard streams, and on terminals.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::process::Command;

use ethdev_cli::testing::{assert_streams_may_fail, on_terminal};

const SWAP: &str = env!("CARGO_BIN_EXE_swap");
const SERVE: &str = env!("CARGO_BIN_EXE_serve");

#[test]
fn full_and_closed_streams_do_not_panic() {
    let calls: [(&str, &[&str]); 9] = [
        (SWAP, &["--help"]),
        (SWAP, &["--list"]),
        (SWAP, &["--nic", "nope"]),
        (SWAP, &["--nic", "ring"]),
        (SWAP, &["--json", "--nic", "ring"]),
        (SWAP, &["--nic", "ring", "--pcap", "/dev/null/x"]),
        (SERVE, &["--help"]),
        (SERVE, &["--tap", "t", "--nic", "nope"]),
        (SERVE, &["--tap", "lo"]),
    ];
    for (program, arguments) in calls {
        assert_streams_may_fail(program, arguments);
    }
}

#[test]
fn escape_sequences_only_on_capable_terminals() {
    let swap = |term: &str, no_color: &str| {
        let mut command = Command::new(SWAP);
        command
            .args(["--nic", "ring"])
            .env("TERM", term)
            .env("NO_COLOR", no_color);
        on_terminal(&mut command, 80)
    };
    let styled = swap("xterm-256color", "");
    assert!(styled.contains("\x1b["), "{styled}");
    for (term, no_color) in [("dumb", ""), ("xterm-256color", "1")] {
        let plain = swap(term, no_color);
        assert!(plain.contains("ring") && !plain.contains('\x1b'), "{term}: {plain}");
    }
    for program in [SWAP, SERVE] {
        // Starts: the programs of this package
        let mut command = Command::new(program);
        let help = on_terminal(command.arg("--help").env("TERM", "xterm").env("NO_COLOR", "1"), 80);
        assert!(!help.contains('\x1b'), "{help}");
    }
}

#[test]
fn table_any_width_fits_terminal() {
    for columns in [80, 132] {
        let mut command = Command::new(SWAP);
        command
            .args(["--nic", "ring", "--nic", "ring-pull"])
            .env("TERM", "dumb");
        let table = on_terminal(&mut command, columns);
        let widest = table.lines().map(|line| line.trim_end().chars().count()).max();
        assert!(
            table.contains("ring-pull") && widest <= Some(usize::from(columns)),
            "{table}"
        );
    }
}
