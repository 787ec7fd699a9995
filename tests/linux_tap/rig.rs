//! What the tests stand on: namespaces, the `ip` and `ping` programs, a few answers by hand.

use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::pin::pin;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ethdev::{EthernetDevice, Interest, MacAddress, asynch};
use ethdev_linux::{Tap, TapConfig};
use ethdev_sim::report_skip;

/// The address that our end answers to.
pub(crate) const OURS: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);
const KERNELS: &str = "10.99.0.1/24";
/// Only what hangs takes this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a test in a network namespace of its own, or says why not.
pub(crate) fn in_namespace(test: fn()) {
    in_namespace_with(&["ip"], test);
}

/// Runs a test that calls [`ping`].
pub(crate) fn in_namespace_with_ping(test: fn()) {
    in_namespace_with(&["ip", "ping"], test);
}

fn in_namespace_with(programs: &'static [&'static str], test: fn()) {
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    let thread = std::thread::Builder::new().name(name.clone());
    let runs = thread.spawn(move || {
        if !std::path::Path::new("/dev/net/tun").exists() {
            return Err("there is no /dev/net/tun".to_owned());
        }
        // Starts: ip, ping
        let missing = |program: &&&str| Command::new(program).arg("-V").output().is_err();
        if let Some(program) = programs.iter().find(missing) {
            return Err(format!("{program} is not installed"));
        }
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .map_err(|e| format!("a network namespace takes root: {e}"))?;
        // A kernel that has no IPv6 says nothing by itself.
        let _ = std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        test();
        Ok(())
    });
    match runs.expect("no thread").join() {
        Ok(Ok(())) => {}
        Ok(Err(why)) => report_skip(&name, &why),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Past the test harness, which shows nothing of what passes.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("no stderr");
}

pub(crate) fn ip(arguments: &str) -> String {
    let Output { status, stdout, stderr } = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .expect("ip (iproute2) cannot be run");
    assert!(status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("ip writes text")
}

/// Many commands in one process.
pub(crate) fn ip_batch(commands: &str) {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("ip (iproute2) cannot be run");
    let mut stdin = child.stdin.take().expect("no pipe");
    stdin.write_all(commands.as_bytes()).expect("ip does not listen");
    drop(stdin);
    assert!(child.wait().expect("no ip").success());
}

/// One of the counters that the kernel keeps about its end.
pub(crate) fn kernels_counter(interface: &str, direction: &str, counter: &str) -> u64 {
    let text = ip(&format!("-s -s -j link show dev {interface}"));
    let statistics = text
        .split(&format!("\"{direction}\":{{"))
        .nth(1)
        .expect("no such direction");
    let value = statistics
        .split(&format!("\"{counter}\":"))
        .nth(1)
        .expect("no such counter");
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("no number")
}

/// `tap0`, up, with the kernel at 10.99.0.1.
pub(crate) fn tap0() -> Tap {
    let mut tap = Tap::with_config(TapConfig::new("tap0").with_up(true)).expect("tap0 cannot be made");
    ip(&format!("addr add {KERNELS} dev tap0"));
    wait_for_link(&mut tap, true);
    tap
}

pub(crate) fn wait_for_link(tap: &mut Tap, up: bool) {
    let begin = Instant::now();
    while tap.link().is_up() != up {
        assert!(begin.elapsed() < PATIENCE, "the link is not as it should be");
        tap.wait(Interest::LINK, Some(Duration::from_millis(100)))
            .expect("tap0 failed");
    }
}

/// The sum of 16-bit words in one's complement arithmetic (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// What 10.99.0.2 answers to a frame: ARP requests, ICMP echo requests, UDP datagrams (echoed).
pub(crate) fn answer(frame: &[u8], own: MacAddress) -> Option<Vec<u8>> {
    let mut out = frame.to_vec();
    out[0..6].copy_from_slice(&frame[6..12]);
    out[6..12].copy_from_slice(&own.octets());
    match frame[12..14] {
        [0x08, 0x06] if frame.get(20..22)? == [0, 1] && frame.get(38..42)? == OURS.octets() => {
            out.truncate(42);
            out[21] = 2;
            out[22..28].copy_from_slice(&own.octets());
            out[28..32].copy_from_slice(&OURS.octets());
            out[32..42].copy_from_slice(&frame[22..32]);
            Some(out)
        }
        [0x08, 0x00] if frame.get(30..34)? == OURS.octets() && frame[14] == 0x45 => {
            out[26..30].copy_from_slice(&frame[30..34]);
            out[30..34].copy_from_slice(&frame[26..30]);
            match (frame[23], *frame.get(34)?) {
                (1, 8) => {
                    out[34] = 0;
                    let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
                    out[36..38].fill(0);
                    let sum = checksum(out.get(34..end)?);
                    out[36..38].copy_from_slice(&sum.to_be_bytes());
                }
                // Swapped words leave the checksum as it is.
                (17, _) => {
                    out[34..36].copy_from_slice(&frame[36..38]);
                    out[36..38].copy_from_slice(&frame[34..36]);
                }
                _ => return None,
            }
            Some(out)
        }
        _ => None,
    }
}

/// Answers on the pull surface until `child` ends.
pub(crate) fn serve(tap: &mut Tap, child: &mut Child) {
    let begin = Instant::now();
    let mut buf = [0; 1518];
    while child.try_wait().expect("no child").is_none() {
        assert!(begin.elapsed() < PATIENCE, "the child does not end");
        while let Some(meta) = tap.recv_frame(&mut buf).expect("tap0 failed") {
            if let Some(out) = answer(&buf[..meta.len], tap.mac_address()) {
                tap.send_frame(&out).expect("tap0 failed");
            }
        }
        tap.wait(Interest::RX, Some(Duration::from_millis(10)))
            .expect("tap0 failed");
    }
}

/// Goes on until as many requests are answered as `-c` says, or for `PATIENCE`.
pub(crate) fn ping(arguments: &str) -> Child {
    Command::new("ping")
        .args(["-n", "-w", &PATIENCE.as_secs().to_string()])
        .args(arguments.split_whitespace())
        .arg(OURS.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ping cannot be run")
}

pub(crate) fn assert_answered(ping: Child) {
    let output = ping.wait_with_output().expect("no ping");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for complaint in ["wrong data", "BAD CHECKSUM", "DUP", "DIFFERENT ADDRESS", "truncated"] {
        assert!(!text.contains(complaint), "{text}");
    }
}

/// In a thread of the same namespace: `count` datagrams to 10.99.0.2, each echoed before the next.
pub(crate) fn udp_peer(count: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let socket = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("no timeout");
        socket.connect((OURS, 7)).expect("no route");
        for i in 0..count {
            let sent: Vec<u8> = (0..i * 97 % 1473).map(|at| (at * 31 + i) as u8).collect();
            socket.send(&sent).expect("not sent");
            let mut buf = [0; 1500];
            let len = socket.recv(&mut buf).expect("no echo");
            assert!(buf[..len] == sent[..], "datagram {i} came back changed");
        }
    })
}

/// Two devices on one bridge of the kernel's: what one sends, the other receives.
pub(crate) fn bridged(a: TapConfig, b: TapConfig) -> (Tap, Tap) {
    ip("link add br0 type bridge mcast_snooping 0");
    ip("link set br0 up");
    let open = |config: TapConfig| {
        let mut tap = Tap::with_config(config.with_up(true)).expect("no TAP");
        ip(&format!("link set {} master br0", tap.name()));
        wait_for_link(&mut tap, true);
        tap
    };
    (open(a), open(b))
}

pub(crate) fn expect_frame(tap: &mut Tap, buf: &mut [u8]) -> usize {
    let begin = Instant::now();
    loop {
        if let Some(meta) = tap.recv_frame(buf).expect("the TAP failed") {
            return meta.len;
        }
        assert!(begin.elapsed() < PATIENCE, "no frame");
        tap.wait(Interest::RX, Some(Duration::from_millis(100)))
            .expect("the TAP failed");
    }
}

/// A frame of `len` bytes with an `EtherType` for experiments (IEEE 802, 88b5).
pub(crate) fn frame(to: MacAddress, from: MacAddress, len: usize, mut seed: u64) -> Vec<u8> {
    let mut frame = [&to.octets()[..], &from.octets(), &[0x88, 0xb5]].concat();
    frame.resize_with(len, || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    });
    frame
}

/// 30 lines of executor, unrelated to any other.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

/// Answers as 10.99.0.2 until `count` UDP datagrams are echoed. Knows no executor.
pub(crate) async fn echo<D: asynch::EthernetDevice>(device: &mut D, count: usize) -> Result<(), D::Error> {
    let mut buf = [0; 1518];
    let mut echoed = 0;
    while echoed < count {
        let meta = device.recv(&mut buf).await?;
        if let Some(out) = answer(&buf[..meta.len], device.mac_address()) {
            device.send(&out).await?;
            echoed += usize::from(out[12..14] == [8, 0] && out[23] == 17);
        }
    }
    Ok(())
}
