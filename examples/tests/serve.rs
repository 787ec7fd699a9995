//! The program `serve`, with the Linux kernel and its tools as link peer.
//!
//! Each test runs in a network namespace of its own, so that the host is not changed. This requires
//! root; without it each test prints SKIPPED and the reason.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::path::Path;
use std::process::{Command, Output};

/// Starts the program in the namespace, and brings the kernel's interface up with an IP address.
const START: &str = r#"
serve="$1"; dir="$2"; shift 2
"$serve" "$@" --tap t0 --ip 10.9.0.1/24 --mac 02:00:00:00:00:09 > "$dir/out" 2> "$dir/err" &
pid=$!
tries=0
until ip link show t0 > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then cat "$dir/err"; exit 3; fi
    sleep 0.1
done
ip addr add 10.9.0.2/24 dev t0
ip link set t0 up
"#;

/// Ends the program by the signal `$signal`. The output of the tools is followed by the output of
/// the program.
const END: &str = r#"
kill -$signal $pid
wait $pid
echo "status $?"
cat "$dir/out" "$dir/err"
"#;

/// As [`START`], on one end of a pair of virtual Ethernet interfaces. The kernel's end is in a
/// namespace of its own, as another machine.
const START_INTERFACE: &str = r#"
serve="$1"; dir="$2"; shift 2
ip link add near type veth peer name t0
"$serve" "$@" --interface near --ip 10.9.0.1/24 --mac 02:00:00:00:00:09 > "$dir/out" 2> "$dir/err" &
pid=$!
tries=0
until [ -s "$dir/out" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then cat "$dir/err"; exit 3; fi
    sleep 0.1
done
ip link set near up
unshare --net sleep 180 &
peer=$!
until [ "$(readlink /proc/$peer/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip link set t0 netns $peer
in_peer() { nsenter --net=/proc/$peer/ns/net "$@"; }
ip() { in_peer ip "$@"; }
ping() { in_peer ping "$@"; }
curl() { in_peer curl "$@"; }
ip addr add 10.9.0.2/24 dev t0
ip link set t0 up
"#;

/// Pings, fetches pages, and interrupts the link.
const TRAFFIC: &str = r#"
signal=INT
ping -n -c 3 -i 0.2 -W 10 10.9.0.1
ping -n -c 3 -i 0.2 -W 10 -s 1472 -M do 10.9.0.1
curl --silent --show-error --max-time 30 --head http://10.9.0.1/
curl --silent --show-error --max-time 30 http://10.9.0.1/
curl --silent --show-error --max-time 30 --output /dev/null --write-out 'code %{http_code}\n' http://10.9.0.1/nowhere
curl --silent --show-error --max-time 30 --output /dev/null --write-out 'code %{http_code}\n' --data x=y http://10.9.0.1/
# The last segments of the connection are in flight; the kernel receives them only while the link is up.
sleep 0.3
# Interrupt the link.
ip link set t0 down
ip link set t0 up
ping -n -c 3 -i 0.2 -W 10 10.9.0.1
"#;

/// Returns why the tests cannot run, if so.
fn skip_reason() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("no /dev/net/tun".to_owned());
    }
    for (tool, package) in [
        ("timeout", "coreutils"),
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
        ("curl", "curl"),
    ] {
        // Some of them have no --version.
        // Starts: timeout, ip, ping, curl
        if Command::new(tool).arg("-V").output().is_err() {
            return Some(format!("{tool} is not installed (apt-get install {package})"));
        }
    }
    // Starts: true
    match Command::new("unshare").args(["--net", "true"]).output() {
        Err(_) => Some("unshare is not installed (apt-get install util-linux)".to_owned()),
        Ok(output) if !output.status.success() => Some("creating a network namespace requires root".to_owned()),
        Ok(_) => None,
    }
}

/// Runs the program with `arguments`, and `script` beside it. Returns the output of both; `None` if
/// skipped.
fn run(arguments: &[&str], script: &str) -> Option<String> {
    run_from(START, arguments, script)
}

/// As [`run`], with another start script.
fn run_from(start: &str, arguments: &[&str], script: &str) -> Option<String> {
    if let Some(reason) = skip_reason() {
        ethdev_sim::report_skip(&format!("serve {}", arguments.join(" ")), &reason);
        return None;
    }
    let dir = tempfile::tempdir().expect("no temporary directory");
    let script = [start, script, END].concat();
    // Starts: unshare, and sh, which starts cat, curl, head, ip, mkfifo, nsenter, ping, readlink
    // Starts: sleep, touch
    let Output { status, stdout, stderr } = Command::new("timeout")
        .args(["--kill-after=5", "180", "unshare", "--net", "sh", "-c", &script, "sh"])
        .arg(env!("CARGO_BIN_EXE_serve"))
        .arg(dir.path())
        .args(arguments)
        .output()
        .expect("timeout not started");
    let output = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{status}\n{output}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    println!("{output}");
    Some(output)
}

fn assert_served(output: &str) {
    assert_eq!(
        output.matches("3 packets transmitted, 3 received").count(),
        3,
        "{output}"
    );
    assert!(
        output.contains("HTTP/1.1 200 OK") && output.contains("<!doctype html>"),
        "{output}"
    );
    assert!(output.contains("t0 is 02:00:00:00:00:09"), "{output}");
    assert!(output.contains("code 404\ncode 405\n"), "{output}");
    assert_eq!(counter(output, "http_answered"), Some(4), "{output}");
    assert!(output.contains("status 0\n"), "{output}");
}

/// Returns the value of a line of the statistics.
fn counter(output: &str, name: &str) -> Option<u64> {
    output
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix(name))
        .find_map(|value| value.trim().parse().ok())
}

#[test]
fn serve_tap_answers_ping_and_http() {
    if let Some(output) = run(&["--nic", "tap"], TRAFFIC) {
        assert_served(&output);
        assert_eq!(counter(&output, "spi_bytes"), None);
    }
}

#[test]
fn serve_enc28j60_answers_ping_and_http() {
    if let Some(output) = run(&["--nic", "enc28j60"], TRAFFIC) {
        assert_served(&output);
        // Nine pings of 1514 and 98 bytes and two pages; each frame crosses SPI once.
        let frames = counter(&output, "rx_bytes").zip(counter(&output, "tx_bytes"));
        let (received, sent) = frames.expect("counters missing");
        assert!(counter(&output, "spi_bytes") > Some(received + sent), "{output}");
        assert!(received > 3 * 1514 && sent > 3 * 1514, "{output}");
        assert!(counter(&output, "link_changes") >= Some(1), "{output}");
        assert_eq!(counter(&output, "protocol_violations"), None, "{output}");
        assert_eq!(counter(&output, "kernel_dropped"), None, "{output}");
        assert_eq!(counter(&output, "faults"), None, "{output}");
    }
}

#[test]
fn serve_cyw43_answers_ping_and_http() {
    if let Some(output) = run(&["--nic", "cyw43"], TRAFFIC) {
        assert_served(&output);
        let frames = counter(&output, "rx_bytes").zip(counter(&output, "tx_bytes"));
        let (received, sent) = frames.expect("counters missing");
        assert!(counter(&output, "gspi_bytes") > Some(received + sent), "{output}");
        assert_eq!(counter(&output, "protocol_violations"), None, "{output}");
        assert_eq!(counter(&output, "kernel_dropped"), None, "{output}");
        assert_eq!(counter(&output, "faults"), None, "{output}");
    }
}

#[test]
fn serve_interface_answers_ping_and_http() {
    let script = TRAFFIC.to_owned() + "kill $peer\n";
    if let Some(output) = run_from(START_INTERFACE, &[], &script) {
        assert_served(&output.replace("near is 02", "t0 is 02"));
        assert!(counter(&output, "link_changes") >= Some(3), "{output}");
        for lost in ["rx_bad_length", "rx_overrun", "faults"] {
            assert_eq!(counter(&output, lost), None, "{output}");
        }
    }
}

#[test]
fn serve_interface_missing_is_reported() {
    let start = "\"$1\" --interface near9; echo \"status $?\"; exit 0\n";
    if let Some(output) = run_from(&start.replace("near9;", "near9 2>&1;"), &[], "") {
        assert_eq!(output, "serve: no interface near9\nstatus 1\n");
    }
}

#[test]
fn sighup_and_sigterm_print_statistics() {
    for signal in ["HUP", "TERM"] {
        if let Some(output) = run(&[], &format!("signal={signal}\nping -n -c 1 -W 10 10.9.0.1\n")) {
            assert!(
                output.contains("status 0\n") && output.contains("served for"),
                "{output}"
            );
            assert!(counter(&output, "rx_frames") > Some(0), "{output}");
        }
    }
}

#[test]
fn sighup_ignored_at_start_stays_ignored() {
    // As nohup(1) starts it.
    let ignoring = START.replace("\"$serve\" \"$@\"", "trap '' HUP; \"$serve\" \"$@\"");
    assert_ne!(ignoring, START);
    if let Some(output) = run_from(
        &ignoring,
        &[],
        "kill -HUP $pid\nsleep 0.5\nping -n -c 1 -W 10 10.9.0.1\nsignal=INT\n",
    ) {
        assert!(
            output.contains("1 received") && output.contains("status 0\n"),
            "{output}"
        );
    }
}

#[test]
fn failing_streams_do_not_end_serve() {
    let files = "> \"$dir/out\" 2> \"$dir/err\"";
    let no_reader = "mkfifo \"$dir/pipe\"; head -n 1 < \"$dir/pipe\" > /dev/null &\n";
    for (before, streams) in [("", "> \"$dir/out\" 2> /dev/full"), (no_reader, "> \"$dir/pipe\" 2>&1")] {
        let before = format!("{before}touch \"$dir/out\" \"$dir/err\"\n\"$serve\"");
        let start = START.replace("\"$serve\"", &before).replace(files, streams);
        assert!(start.contains("touch") && start.contains(streams));
        // Each change of the link prints a message.
        let script = "ping -n -c 1 -W 10 10.9.0.1\nip link set t0 down\nsleep 0.3\nip link set t0 up\n\
                      ping -n -c 1 -W 10 10.9.0.1\nsignal=INT\n";
        if let Some(output) = run_from(&start, &[], script) {
            assert_eq!(output.matches("1 received").count(), 2, "{output}");
            assert!(output.contains("status 0\n"), "{output}");
        }
    }
}

#[test]
fn serve_full_standard_output_fails() {
    let start = "\"$1\" --tap t0 > /dev/full 2> \"$2/err\"; echo \"status $?\"; cat \"$2/err\"; exit 0\n";
    if let Some(output) = run_from(start, &[], "") {
        assert!(output.starts_with("status 1\n"), "{output}");
        assert!(output.contains("cannot write to standard output"), "{output}");
    }
}

#[test]
fn deleted_interface_is_reported() {
    let script = "ip link delete t0\nsignal=0\nsleep 1\n";
    if let Some(output) = run(&[], script) {
        assert!(output.contains("status 1\n"), "{output}");
        assert!(output.contains("serve: t0 was deleted"), "{output}");
        assert!(output.contains("served for") && !output.contains("source"), "{output}");
    }
}

#[test]
fn injected_faults_are_recovered_from() {
    for nic in ["enc28j60", "cyw43"] {
        let script = "ping -n -c 60 -i 0.1 -W 2 10.9.0.1 > /dev/null\nsleep 1\ntries=0\n\
                      until ping -n -c 1 -W 1 10.9.0.1; do tries=$((tries + 1)); if [ $tries -gt 20 ]; then break; fi; done\nsignal=INT\n";
        if let Some(output) = run(&["--nic", nic, "--inject-faults", "1"], script) {
            assert!(
                output.contains("1 received") && output.contains("status 0\n"),
                "{nic}: {output}"
            );
            assert!(counter(&output, "faults_injected") >= Some(4), "{nic}: {output}");
            assert!(counter(&output, "recoveries") >= Some(1), "{nic}: {output}");
        }
    }
}

/// Fetches 200 pages on separate connections, 64 at a time. Prints one line for each.
const PARALLEL: &str = r#"
signal=INT
curl --silent --parallel --parallel-immediate --parallel-max 64 --max-time 30 --header 'Connection: close' \
    --output /dev/null --write-out 'code %{http_code}\n' 'http://10.9.0.1/?[1-200]'
"#;

#[test]
fn parallel_requests_are_all_answered() {
    for nic in ["tap", "enc28j60"] {
        if let Some(output) = run(&["--nic", nic], PARALLEL) {
            assert_eq!(output.matches("code 200\n").count(), 200, "{nic}: {output}");
            assert_eq!(counter(&output, "http_answered"), Some(200), "{nic}: {output}");
        }
    }
}
