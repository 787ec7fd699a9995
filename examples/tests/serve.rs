//! `serve` with the Linux kernel as its peer, in a network namespace of its own.
#![cfg(all(feature = "std", target_os = "linux"))]

use std::path::Path;
use std::process::{Command, Stdio};

const SCRIPT: &str = r#"
ip tuntap add dev tap0 mode tap
ip addr add 192.168.69.100/24 dev tap0
ip link set tap0 up
"$SERVE" --tap tap0 > "$OUT" 2>&1 &
for attempt in 1 2 3 4 5 6 7 8 9 10; do ping -c 1 -W 1 192.168.69.1 > /dev/null && break; done
ping -c 3 -i 0.2 -W 2 192.168.69.1 > "$DIR/ping" && echo "ping answered"
curl -sS --max-time 10 -w 'code %{http_code}\n' http://192.168.69.1/ http://192.168.69.1/nowhere
curl -sS --max-time 10 -X POST -d x=y -o /dev/null -w 'code %{http_code}\n' http://192.168.69.1/
kill -INT $!
wait $!
echo "exit status $?"
"#;

/// What keeps this test from running here.
fn obstacle() -> Option<String> {
    if !Path::new("/dev/net/tun").exists() {
        return Some("there is no /dev/net/tun".into());
    }
    for (tool, argument) in [("ip", "-V"), ("ping", "-V"), ("curl", "--version")] {
        let found = Command::new(tool)
            .arg(argument)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if found.is_err() {
            return Some(format!("{tool} is not installed"));
        }
    }
    let namespace = Command::new("unshare")
        .args(["--net", "true"])
        .stderr(Stdio::null())
        .status();
    (!namespace.is_ok_and(|status| status.success())).then(|| "a network namespace takes root".into())
}

#[test]
fn the_kernel_pings_it_and_curl_fetches_the_page() {
    if let Some(obstacle) = obstacle() {
        println!("SKIPPED: {obstacle}");
        return;
    }
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("serve");
    let output = Command::new("unshare")
        .args(["--net", "sh", "-c", SCRIPT])
        .env("SERVE", env!("CARGO_BIN_EXE_serve"))
        .env("DIR", dir.path())
        .env("OUT", &out)
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stdout);
    let served = std::fs::read_to_string(&out).unwrap_or_default();
    let all = format!(
        "{said}\n--- serve:\n{served}\n--- errors:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("ping answered"), "{all}");
    assert!(
        said.contains("<title>tap0</title>") && said.contains("<th>Link</th><td>up</td>"),
        "{all}"
    );
    let codes: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("code ")).collect();
    assert_eq!(codes, ["200", "404", "405"], "{all}");
    assert!(said.contains("exit status 0"), "{all}");
    // The statistics that Ctrl-C asked for.
    let counted = |name: &str| {
        let line = served.lines().find(|line| line.trim_start().starts_with(name))?;
        line.split_whitespace().last()?.parse::<u32>().ok()
    };
    assert_eq!(counted("http_answered"), Some(3), "{all}");
    // ARP and at least four pings, and the connections.
    assert!(
        counted("rx_frames") > Some(10) && counted("tx_frames") > Some(10),
        "{all}"
    );
}
