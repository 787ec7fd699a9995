//! Network namespaces, the programs `ip` and `ping`, and a responder for ARP, ICMP echo and UDP
//! echo.

use std::io::Write as _;
use std::net::{Ipv4Addr, UdpSocket};
use std::pin::pin;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ethdev::{EthernetDevice, Interest, MacAddress, asynch};
use ethdev_linux::{InterfaceError, PacketSocket, Tap, TapConfig};
use ethdev_sim::report_skip;

/// The IP address that the responder replies to.
pub(crate) const DEVICE_IP: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 2);
const KERNEL_IP: &str = "10.99.0.1/24";
/// Limit of every wait: only a test that hangs reaches it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Runs a test in a network namespace of its own, or prints why it is skipped.
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
            return Err("no /dev/net/tun".to_owned());
        }
        // Starts: ip, ping
        let missing = |program: &&&str| Command::new(program).arg("-V").output().is_err();
        if let Some(program) = programs.iter().find(missing) {
            return Err(format!("{program} is not installed"));
        }
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET)
            .map_err(|e| format!("creating a network namespace requires root: {e}"))?;
        // Without IPv6 the kernel sends no frames on its own. The file does not exist in a kernel
        // without IPv6.
        let _ = std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        test();
        Ok(())
    });
    match runs.expect("thread not started").join() {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => report_skip(&name, &reason),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

pub(crate) fn ip(arguments: &str) -> String {
    let Output { status, stdout, stderr } = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .expect("ip (iproute2) cannot be run");
    assert!(status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("output of ip is not UTF-8")
}

/// Runs many commands in one process.
pub(crate) fn ip_batch(commands: &str) {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("ip (iproute2) cannot be run");
    let mut stdin = child.stdin.take().expect("stdin is not a pipe");
    stdin.write_all(commands.as_bytes()).expect("writing to ip failed");
    drop(stdin);
    assert!(child.wait().expect("ip was not started").success());
}

/// Reads a counter of the kernel's interface.
pub(crate) fn kernel_counter(interface: &str, direction: &str, counter: &str) -> u64 {
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
    digits.parse().expect("counter is not a number")
}

/// Opens `tap0` and brings it up, with the IP address 10.99.0.1 for the kernel.
pub(crate) fn tap0() -> Tap {
    let mut tap = Tap::with_config(TapConfig::new("tap0").with_up(true)).expect("tap0 was not created");
    ip(&format!("addr add {KERNEL_IP} dev tap0"));
    wait_for_link(&mut tap, true);
    tap
}

/// Adds the device to the kernel's neighbour table, so that the kernel sends datagrams without ARP.
pub(crate) fn add_neighbor(address: MacAddress) {
    ip(&format!("neigh add {DEVICE_IP} lladdr {address} dev tap0"));
}

/// Sends a UDP datagram from the kernel to the device.
pub(crate) fn send_datagram(payload: &[u8]) {
    let peer = UdpSocket::bind("10.99.0.1:0").expect("no socket");
    peer.send_to(payload, (DEVICE_IP, 7)).expect("not sent");
}

/// Runs `action` after 30 ms in another thread of the namespace.
pub(crate) fn after_delay(action: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(30));
        action();
    })
}

/// An interface that can be waited for.
pub(crate) trait Wait: EthernetDevice<Error = InterfaceError> {
    fn wait_for(&mut self, interest: Interest, timeout: Duration);
}

impl Wait for Tap {
    fn wait_for(&mut self, interest: Interest, timeout: Duration) {
        self.wait(interest, Some(timeout)).expect("the TAP failed");
    }
}

impl Wait for PacketSocket {
    fn wait_for(&mut self, interest: Interest, timeout: Duration) {
        self.wait(interest, Some(timeout)).expect("the packet socket failed");
    }
}

pub(crate) fn wait_for_link(device: &mut impl Wait, up: bool) {
    let begin = Instant::now();
    while device.link().is_up() != up {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for link up = {up}");
        device.wait_for(Interest::LINK, Duration::from_millis(100));
    }
}

/// The sum of 16-bit words in one's complement arithmetic (RFC 1071).
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Returns the reply of 10.99.0.2 to an ARP request, an ICMP echo request or a UDP datagram
/// (echoed).
pub(crate) fn reply_to(frame: &[u8], own: MacAddress) -> Option<Vec<u8>> {
    let mut out = frame.to_vec();
    out[0..6].copy_from_slice(&frame[6..12]);
    out[6..12].copy_from_slice(&own.octets());
    match frame[12..14] {
        [0x08, 0x06] if frame.get(20..22)? == [0, 1] && frame.get(38..42)? == DEVICE_IP.octets() => {
            out.truncate(42);
            out[21] = 2;
            out[22..28].copy_from_slice(&own.octets());
            out[28..32].copy_from_slice(&DEVICE_IP.octets());
            out[32..42].copy_from_slice(&frame[22..32]);
            Some(out)
        }
        [0x08, 0x00] if frame.get(30..34)? == DEVICE_IP.octets() && frame[14] == 0x45 => {
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
                // Swapping words does not change the checksum.
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

/// Replies through the pull API until `child` exits.
pub(crate) fn reply_until_exit(device: &mut impl Wait, child: &mut Child) {
    reply_while(device, || child.try_wait().expect("child was not started").is_none());
}

/// Replies through the pull API while `condition` holds.
pub(crate) fn reply_while(device: &mut impl Wait, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    let mut buf = [0; 1518];
    while condition() {
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for the peer");
        while let Some(meta) = device.recv_frame(&mut buf).expect("the interface failed") {
            if let Some(out) = reply_to(&buf[..meta.len], device.mac_address()) {
                device.send_frame(&out).expect("the interface failed");
            }
        }
        device.wait_for(Interest::RX, Duration::from_millis(10));
    }
}

/// Starts `ping`, which exits after the number of replies given by `-c`, or after `TIMEOUT`.
pub(crate) fn ping(arguments: &str) -> Child {
    Command::new("ping")
        .args(["-n", "-w", &TIMEOUT.as_secs().to_string()])
        .args(arguments.split_whitespace())
        .arg(DEVICE_IP.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ping cannot be run")
}

pub(crate) fn assert_ping_succeeded(ping: Child) {
    let output = ping.wait_with_output().expect("ping was not started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for fault in ["wrong data", "BAD CHECKSUM", "DUP", "DIFFERENT ADDRESS", "truncated"] {
        assert!(!text.contains(fault), "{text}");
    }
}

/// Starts a thread in the same namespace that sends `count` datagrams to 10.99.0.2, and checks the
/// echo of each before it sends the next.
pub(crate) fn udp_peer(count: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let socket = UdpSocket::bind("10.99.0.1:0").expect("no socket");
        socket.set_read_timeout(Some(TIMEOUT)).expect("timeout not set");
        socket.connect((DEVICE_IP, 7)).expect("not connected");
        for i in 0..count {
            let sent: Vec<u8> = (0..i * 97 % 1473).map(|at| (at * 31 + i) as u8).collect();
            socket.send(&sent).expect("not sent");
            let mut buf = [0; 1500];
            let len = socket.recv(&mut buf).expect("no echo received");
            assert!(buf[..len] == sent[..], "the echo of datagram {i} differs");
        }
    })
}

/// Connects two devices by a bridge of the kernel: each receives what the other sends.
pub(crate) fn bridged(a: TapConfig, b: TapConfig) -> (Tap, Tap) {
    ip("link add br0 type bridge mcast_snooping 0");
    ip("link set br0 up");
    let open = |config: TapConfig| {
        let mut tap = Tap::with_config(config.with_up(true)).expect("TAP not opened");
        ip(&format!("link set {} master br0", tap.name()));
        wait_for_link(&mut tap, true);
        tap
    };
    (open(a), open(b))
}

pub(crate) fn expect_frame(device: &mut impl Wait, buf: &mut [u8]) -> usize {
    let begin = Instant::now();
    loop {
        if let Some(meta) = device.recv_frame(buf).expect("the interface failed") {
            return meta.len;
        }
        assert!(begin.elapsed() < TIMEOUT, "timed out waiting for a frame");
        device.wait_for(Interest::RX, Duration::from_millis(100));
    }
}

/// Builds a frame of `len` pseudo-random bytes with the experimental `EtherType` 88b5 (IEEE 802).
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

/// A minimal executor that parks the thread.
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

/// Replies as 10.99.0.2 until `count` UDP datagrams are echoed, on any executor.
pub(crate) async fn echo<D: asynch::EthernetDevice>(device: &mut D, count: usize) -> Result<(), D::Error> {
    let mut buf = [0; 1518];
    let mut echoed = 0;
    while echoed < count {
        let meta = device.recv(&mut buf).await?;
        if let Some(out) = reply_to(&buf[..meta.len], device.mac_address()) {
            device.send(&out).await?;
            echoed += usize::from(out[12..14] == [8, 0] && out[23] == 17);
        }
    }
    Ok(())
}
