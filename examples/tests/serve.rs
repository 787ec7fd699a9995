//! The program `serve`, with the Linux kernel and its own tools as the peer.
//!
//! Each test has a network namespace of its own: nothing of the host is touched. That takes root; where it cannot be had, each test says SKIPPED and why.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::path::Path;
use std::process::{Command, Output};

/// What happens in the namespace: the program starts, with a link and an address at the kernel's end.
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

/// Ends the program with the signal in `$signal`. The standard output is what the tools say, then what the program says.
const END: &str = r#"
kill -$signal $pid
wait $pid
echo "status $?"
cat "$dir/out" "$dir/err"
"#;

/// Pings, fetches, and takes the link away.
const TRAFFIC: &str = r#"
signal=INT
ping -n -c 3 -i 0.2 -W 10 10.9.0.1
ping -n -c 3 -i 0.2 -W 10 -s 1472 -M do 10.9.0.1
curl --silent --show-error --max-time 30 --head http://10.9.0.1/
curl --silent --show-error --max-time 30 http://10.9.0.1/
curl --silent --show-error --max-time 30 --output /dev/null --write-out 'code %{http_code}\n' http://10.9.0.1/nowhere
curl --silent --show-error --max-time 30 --output /dev/null --write-out 'code %{http_code}\n' --data x=y http://10.9.0.1/
# What ends the last connection is on its way for a while, and the kernel takes it only as long as there is a link.
sleep 0.3
# The link goes away and comes back.
ip link set t0 down
ip link set t0 up
ping -n -c 3 -i 0.2 -W 10 10.9.0.1
"#;

/// Why it cannot run here, if so.
fn obstacle() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".to_owned());
    }
    for (tool, package) in [
        ("timeout", "coreutils"),
        ("ip", "iproute2"),
        ("ping", "iputils-ping"),
        ("curl", "curl"),
    ] {
        // Not every one of them has --version.
        // Starts: timeout, ip, ping, curl
        if Command::new(tool).arg("-V").output().is_err() {
            return Some(format!("{tool} is not installed (apt-get install {package})"));
        }
    }
    // Starts: true
    match Command::new("unshare").args(["--net", "true"]).output() {
        Err(_) => Some("unshare is not installed (apt-get install util-linux)".to_owned()),
        Ok(output) if !output.status.success() => Some("a network namespace takes root".to_owned()),
        Ok(_) => None,
    }
}

/// What the tools and the program said, called with `arguments` and treated as in `script`; `None` where it cannot run here.
fn run(arguments: &[&str], script: &str) -> Option<String> {
    run_from(START, arguments, script)
}

/// The same with another start.
fn run_from(start: &str, arguments: &[&str], script: &str) -> Option<String> {
    if let Some(why) = obstacle() {
        ethdev_sim::report_skip(&format!("serve {}", arguments.join(" ")), &why);
        return None;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let script = [start, script, END].concat();
    // Starts: unshare, and sh, which starts cat, curl, ip, ping, sleep
    let Output { status, stdout, stderr } = Command::new("timeout")
        .args(["--kill-after=5", "180", "unshare", "--net", "sh", "-c", &script, "sh"])
        .arg(env!("CARGO_BIN_EXE_serve"))
        .arg(dir.path())
        .args(arguments)
        .output()
        .expect("timeout was there a moment ago");
    let said = String::from_utf8_lossy(&stdout).into_owned();
    assert!(
        status.success(),
        "{status}\n{said}\n{}",
        String::from_utf8_lossy(&stderr)
    );
    println!("{said}");
    Some(said)
}

fn is_served(said: &str) {
    assert_eq!(said.matches("3 packets transmitted, 3 received").count(), 3, "{said}");
    assert!(
        said.contains("HTTP/1.1 200 OK") && said.contains("<!doctype html>"),
        "{said}"
    );
    assert!(said.contains("t0 is 02:00:00:00:00:09"), "{said}");
    assert!(said.contains("code 404\ncode 405\n"), "{said}");
    assert_eq!(counter(said, "http_answered"), Some(4), "{said}");
    assert!(said.contains("status 0\n"), "{said}");
}

/// The value of this line of the statistics.
fn counter(said: &str, name: &str) -> Option<u64> {
    said.lines()
        .filter_map(|line| line.trim_start().strip_prefix(name))
        .find_map(|value| value.trim().parse().ok())
}

#[test]
fn the_kernel_pings_and_fetches_from_the_interface() {
    if let Some(said) = run(&["--nic", "tap"], TRAFFIC) {
        is_served(&said);
        assert_eq!(counter(&said, "spi_bytes"), None);
    }
}

#[test]
fn the_kernel_pings_and_fetches_through_a_modelled_chip() {
    if let Some(said) = run(&["--nic", "enc28j60"], TRAFFIC) {
        is_served(&said);
        // Nine pings of 1514 and 98 bytes and two pages, each frame once over SPI.
        let frames = counter(&said, "rx_bytes").zip(counter(&said, "tx_bytes"));
        let (received, sent) = frames.expect("both");
        assert!(counter(&said, "spi_bytes") > Some(received + sent), "{said}");
        assert!(received > 3 * 1514 && sent > 3 * 1514, "{said}");
        assert!(counter(&said, "link_changes") >= Some(1), "{said}");
        assert_eq!(counter(&said, "chip_misuse"), None, "{said}");
        assert_eq!(counter(&said, "kernel_refused"), None, "{said}");
        assert_eq!(counter(&said, "faults"), None, "{said}");
    }
}

#[test]
fn the_kernel_pings_and_fetches_over_the_air() {
    if let Some(said) = run(&["--nic", "cyw43"], TRAFFIC) {
        is_served(&said);
        let frames = counter(&said, "rx_bytes").zip(counter(&said, "tx_bytes"));
        let (received, sent) = frames.expect("both");
        assert!(counter(&said, "gspi_bytes") > Some(received + sent), "{said}");
        assert_eq!(counter(&said, "chip_misuse"), None, "{said}");
        assert_eq!(counter(&said, "kernel_refused"), None, "{said}");
        assert_eq!(counter(&said, "faults"), None, "{said}");
    }
}

#[test]
fn sighup_and_sigterm_end_with_statistics() {
    for signal in ["HUP", "TERM"] {
        if let Some(said) = run(&[], &format!("signal={signal}\nping -n -c 1 -W 10 10.9.0.1\n")) {
            assert!(said.contains("status 0\n") && said.contains("served for"), "{said}");
            assert!(counter(&said, "rx_frames") > Some(0), "{said}");
        }
    }
}

#[test]
fn sighup_ignored_at_the_start_stays_ignored() {
    // nohup(1) and the shell start it like this.
    let ignoring = START.replace("\"$serve\" \"$@\"", "trap '' HUP; \"$serve\" \"$@\"");
    assert_ne!(ignoring, START);
    if let Some(said) = run_from(
        &ignoring,
        &[],
        "kill -HUP $pid\nsleep 0.5\nping -n -c 1 -W 10 10.9.0.1\nsignal=INT\n",
    ) {
        assert!(said.contains("1 received") && said.contains("status 0\n"), "{said}");
    }
}

#[test]
fn failing_streams_do_not_end_it() {
    let files = "> \"$dir/out\" 2> \"$dir/err\"";
    let no_reader = "mkfifo \"$dir/pipe\"; head -n 1 < \"$dir/pipe\" > /dev/null &\n";
    for (before, streams) in [("", "> \"$dir/out\" 2> /dev/full"), (no_reader, "> \"$dir/pipe\" 2>&1")] {
        let before = format!("{before}touch \"$dir/out\" \"$dir/err\"\n\"$serve\"");
        let start = START.replace("\"$serve\"", &before).replace(files, streams);
        assert!(start.contains("touch") && start.contains(streams));
        // Each change of the link is a message.
        let script = "ping -n -c 1 -W 10 10.9.0.1\nip link set t0 down\nsleep 0.3\nip link set t0 up\n\
                      ping -n -c 1 -W 10 10.9.0.1\nsignal=INT\n";
        if let Some(said) = run_from(&start, &[], script) {
            assert_eq!(said.matches("1 received").count(), 2, "{said}");
            assert!(said.contains("status 0\n"), "{said}");
        }
    }
}

#[test]
fn full_standard_output_is_an_error() {
    let start = "\"$1\" --tap t0 > /dev/full 2> \"$2/err\"; echo \"status $?\"; cat \"$2/err\"; exit 0\n";
    if let Some(said) = run_from(start, &[], "") {
        assert!(said.starts_with("status 1\n"), "{said}");
        assert!(said.contains("cannot write to standard output"), "{said}");
    }
}

#[test]
fn deleted_interface_is_reported_in_words() {
    let script = "ip link delete t0\nsignal=0\nsleep 1\n";
    if let Some(said) = run(&[], script) {
        assert!(said.contains("status 1\n"), "{said}");
        assert!(said.contains("serve: t0 was deleted"), "{said}");
        assert!(said.contains("served for") && !said.contains("source"), "{said}");
    }
}

#[test]
fn injected_faults_are_recovered_from() {
    for nic in ["enc28j60", "cyw43"] {
        let script = "ping -n -c 60 -i 0.1 -W 2 10.9.0.1 > /dev/null\nsleep 1\ntries=0\n\
                      until ping -n -c 1 -W 1 10.9.0.1; do tries=$((tries + 1)); if [ $tries -gt 20 ]; then break; fi; done\nsignal=INT\n";
        if let Some(said) = run(&["--nic", nic, "--inject-faults", "1"], script) {
            assert!(
                said.contains("1 received") && said.contains("status 0\n"),
                "{nic}: {said}"
            );
            assert!(counter(&said, "faults_injected") >= Some(4), "{nic}: {said}");
            assert!(counter(&said, "recoveries") >= Some(1), "{nic}: {said}");
        }
    }
}

/// Asks for 200 pages, 64 at a time, on a connection each. What became of each is one line.
const PARALLEL: &str = r#"
signal=INT
curl --silent --parallel --parallel-immediate --parallel-max 64 --max-time 30 --header 'Connection: close' \
    --output /dev/null --write-out 'code %{http_code}\n' 'http://10.9.0.1/?[1-200]'
"#;

#[test]
fn parallel_requests_are_all_answered() {
    for nic in ["tap", "enc28j60"] {
        if let Some(said) = run(&["--nic", nic], PARALLEL) {
            assert_eq!(said.matches("code 200\n").count(), 200, "{nic}: {said}");
            assert_eq!(counter(&said, "http_answered"), Some(200), "{nic}: {said}");
        }
    }
}
