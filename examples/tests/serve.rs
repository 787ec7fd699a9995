//! The program `serve`, with the Linux kernel and its own tools as the peer.
//!
//! Each test has a network namespace of its own: nothing of the host is touched. That takes root; where it cannot be had, each test says SKIPPED and why.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::path::Path;
use std::process::{Command, Output};

/// What happens in the namespace. Its standard output is what the tools say, then what the program says.
const SCRIPT: &str = r#"
serve="$1"; nic="$2"; dir="$3"
"$serve" --nic "$nic" --tap t0 --ip 10.9.0.1/24 --mac 02:00:00:00:00:09 > "$dir/out" 2> "$dir/err" &
pid=$!
tries=0
until ip link show t0 > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 200 ]; then cat "$dir/err"; exit 3; fi
    sleep 0.1
done
ip addr add 10.9.0.2/24 dev t0
ip link set t0 up
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
kill -INT $pid
wait $pid
echo "status $?"
cat "$dir/out" "$dir/err"
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

/// What the tools and the program said; `None` where it cannot run here.
fn run(nic: &str) -> Option<String> {
    if let Some(why) = obstacle() {
        ethdev_sim::report_skip(&format!("serve --nic {nic}"), &why);
        return None;
    }
    let dir = tempfile::tempdir().expect("a directory");
    // Starts: unshare, and sh, which starts cat, curl, ip, ping, sleep
    let Output { status, stdout, stderr } = Command::new("timeout")
        .args(["--kill-after=5", "180", "unshare", "--net", "sh", "-c", SCRIPT, "sh"])
        .args([env!("CARGO_BIN_EXE_serve"), nic])
        .arg(dir.path())
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
    if let Some(said) = run("tap") {
        is_served(&said);
        assert_eq!(counter(&said, "spi_bytes"), None);
    }
}

#[test]
fn the_kernel_pings_and_fetches_through_a_modelled_chip() {
    if let Some(said) = run("enc28j60") {
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
    if let Some(said) = run("cyw43") {
        is_served(&said);
        let frames = counter(&said, "rx_bytes").zip(counter(&said, "tx_bytes"));
        let (received, sent) = frames.expect("both");
        assert!(counter(&said, "gspi_bytes") > Some(received + sent), "{said}");
        assert_eq!(counter(&said, "chip_misuse"), None, "{said}");
        assert_eq!(counter(&said, "kernel_refused"), None, "{said}");
        assert_eq!(counter(&said, "faults"), None, "{said}");
    }
}
