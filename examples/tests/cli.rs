//! The command lines of the programs.
#![cfg(feature = "std")]

use std::process::{Command, Output};

const SWAP: &str = env!("CARGO_BIN_EXE_swap");
const SERVE: &str = env!("CARGO_BIN_EXE_serve");

fn call(program: &str, arguments: &[&str]) -> Output {
    // Starts: a program of this workspace
    Command::new(program)
        .args(arguments)
        .output()
        .expect("program not started")
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("output is not UTF-8")
}

#[test]
fn usage_error_prints_one_line_and_exits_with_2() {
    let cases: &[(&str, &[&str], &str)] = &[
        (SWAP, &["--nic", "nope"], "nope"),
        (SWAP, &["--nic"], "--nic"),
        (SWAP, &["--stack", "nope"], "nope"),
        (SWAP, &["--list", "--stack", "smoltcp"], "--stack"),
        (SWAP, &["--seed", "x"], "--seed"),
        (SWAP, &["--seed", "-1"], "-1"),
        (SWAP, &["--list", "--json"], "--json"),
        (SWAP, &["--bogus"], "--bogus"),
        (SWAP, &["extra"], "extra"),
        (SERVE, &[], "--tap"),
        (SERVE, &["--tap", ""], "--tap"),
        (SERVE, &["--tap", "t", "--nic", "nope"], "nope"),
        (SERVE, &["--tap", "a/b", "--nic", "enc28j60"], "a/b"),
        (SERVE, &["--tap", "averyveryverylongname"], "15"),
        (SERVE, &["--tap", "a/b"], "a/b"),
        (SERVE, &["--tap", "t", "--ip", "192.168.69.1"], "192.168.69.1/24"),
        (SERVE, &["--tap", "t", "--mac", "02:00"], "02:00"),
        (SERVE, &["--tap", "t", "--gateway", "x"], "--gateway"),
        (SERVE, &["--tap", "t", "--inject-faults", "1"], "--nic cyw43"),
        (
            SERVE,
            &[
                "--tap",
                "t",
                "--nic",
                "cyw43",
                "--inject-faults",
                "18446744073709551615",
            ],
            "'18446744073709551615' for '--inject-faults <SECONDS>': expected a whole number of seconds from 1 to 3600",
        ),
    ];
    for (program, arguments, mentioned) in cases {
        let output = call(program, arguments);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert_eq!(message.lines().count(), 1, "{arguments:?}: {message}");
        assert!(message.contains(mentioned), "{arguments:?}: {message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_contains_examples() {
    for (program, parts) in [
        (SWAP, ["--pcap", "tshark -r", "Columns:"]),
        (SERVE, ["ip tuntap add", "curl http://", "--ip"]),
    ] {
        let output = call(program, &["--help"]);
        assert!(output.status.success());
        for part in parts {
            assert!(text(&output.stdout).contains(part), "{part}");
        }
    }
}

#[test]
fn list_prints_every_nic() {
    let output = call(SWAP, &["--list"]);
    let names: Vec<_> = text(&output.stdout)
        .lines()
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    let expected: Vec<_> = ethdev_examples::testbed::NICS.iter().map(|nic| nic.name).collect();
    assert_eq!(names, expected);
}

#[test]
fn nic_option_selects_rows_of_table_and_json() {
    let table = call(SWAP, &["--nic", "ring"]);
    assert!(table.status.success(), "{}", text(&table.stderr));
    assert!(text(&table.stdout).contains("\nring "));
    assert!(!text(&table.stdout).contains("ring-10"));
    // Neither colours nor a progress bar without a terminal.
    assert!(!text(&table.stdout).contains('\x1b') && table.stderr.is_empty());

    let json = call(SWAP, &["--json", "--nic", "ring", "--nic", "ring-pull"]);
    let rows: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    let rows = rows.as_array().expect("a list");
    let names: Vec<_> = rows.iter().map(|row| row["nic"].as_str()).collect();
    assert_eq!(names, [Some("ring"), Some("ring-pull")]);
    for row in rows {
        assert!(row["failure"].is_null() && row["goodput_mbps"].is_f64(), "{row}");
        assert_eq!(row["echo_sha256"].as_str().map(str::len), Some(64));
    }
}

#[test]
fn stack_option_selects_rows() {
    let output = call(
        SWAP,
        &["--json", "--nic", "ring", "--stack", "embassy", "--stack", "smoltcp"],
    );
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let stacks: Vec<_> = rows
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| &row["stack"])
        .collect();
    assert_eq!(stacks, ["smoltcp", "embassy"]);
    // smoltcp unless another stack is selected.
    let output = call(SWAP, &["--json", "--nic", "ring"]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(rows[0]["stack"], "smoltcp");
    assert!(rows[1].is_null(), "{rows}");
}

#[test]
fn table_fits_80_columns() {
    let table = call(SWAP, &["--nic", "ring-channel", "--nic", "enc28j60"]);
    for line in text(&table.stdout).lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn pcap_capture_is_read_by_tshark() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("new").join("dir");
    let output = call(
        SWAP,
        &["--nic", "ring", "--pcap", path.to_str().expect("output is not UTF-8")],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let file = path.join("ring.pcapng");
    assert!(file.is_file());
    let Ok(capinfos) = Command::new("capinfos").args(["-Tmc"]).arg(&file).output() else {
        ethdev_sim::report_skip("pcap_capture_is_read_by_tshark", "capinfos is not installed");
        return;
    };
    let packets = text(&capinfos.stdout)
        .lines()
        .last()
        .and_then(|line| line.split(',').next_back()?.parse::<u32>().ok());
    // 1 MiB takes 719 full segments in each direction.
    assert!(packets > Some(2 * 719), "{}", text(&capinfos.stdout));
    let tshark = Command::new("tshark")
        .args(["-Y", "http.response.code == 200", "-r"])
        .arg(&file)
        .output();
    let tshark = tshark.expect("tshark is installed with capinfos");
    assert_eq!(text(&tshark.stdout).lines().count(), 2, "{}", text(&tshark.stdout));
}

#[test]
fn pcap_unwritable_directory_is_reported() {
    let output = call(SWAP, &["--nic", "ring", "--pcap", "/dev/null/x"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/dev/null/x"), "{}", text(&output.stderr));
}

#[test]
fn serve_tap_open_fails_reports_error() {
    // The loopback interface is not a TAP, for any user.
    for nic in ["tap", "enc28j60"] {
        let output = call(SERVE, &["--tap", "lo", "--nic", nic]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
}
