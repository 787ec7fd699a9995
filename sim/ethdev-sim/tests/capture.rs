//! Captures are what other people's tools take for captures.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ethdev::Speed;
use ethdev_sim::{Capture, Clock, Peer, Side, Wire, WireConfig, WireFaults, fcs};
use pcap_file::pcapng::{Block, PcapNgReader};

/// An evening on two wires: when the last bit of each frame passed, and how long it was with its
/// FCS.
fn record(path: &Path) -> Vec<(Duration, usize)> {
    let clock = Clock::new();
    let capture = Capture::to_file(path).unwrap();
    let (fast, a, b) = Wire::new(
        &clock,
        WireConfig::default()
            .with_name("fast")
            .with_latency(Duration::from_micros(3)),
    );
    let (slow, c, d) = Wire::new(
        &clock,
        WireConfig::default()
            .with_name("slow")
            .with_speed(Speed::MBPS_10)
            .with_seed(4),
    );
    fast.capture(&capture);
    slow.capture(&capture);
    let [a, b, c, _d] = [a, b, c, d].map(Peer::new);

    // More than an hour, so that both seconds and nanoseconds are checked.
    clock.advance(Duration::new(3661, 123_456_789));
    let mut sent = vec![
        (a.send(&frame(100)), 104),
        (b.send(&frame(10)), 64),
        (a.send_raw(&[0xee; 70]), 70),
    ];
    slow.set_faults_from(Side::A, WireFaults::NONE.with_loss(1.0));
    sent.push((c.send(&frame(1514)), 1518));
    clock.advance(Duration::from_secs(1));
    slow.set_faults_from(Side::A, WireFaults::NONE.with_corruption(1.0).with_duplication(1.0));
    sent.push((c.send(&frame(200)), 204));
    clock.advance(Duration::from_secs(1));
    a.send_raw(&fcs::append(&frame(60)));
    fast.set_link(false);
    sent.push((clock.now() + Duration::from_nanos(72 * 80), 64));
    while clock.step() {}
    capture.flush().unwrap();
    sent.sort();
    sent
}

fn frame(len: usize) -> Vec<u8> {
    let mut frame = vec![0; len];
    frame[..6].fill(0xff);
    frame
}

/// What a tool says, or `None` (and a word about it) where it is not installed.
fn run(tool: &str, args: &[&str], file: &Path) -> Option<String> {
    let output = match Command::new(tool).args(args).arg(file).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let test = std::thread::current().name().unwrap_or("capture").to_owned();
            ethdev_sim::report_skip(&test, &format!("{tool} is not installed"));
            return None;
        }
        Err(error) => panic!("{tool}: {error}"),
    };
    assert!(
        output.status.success(),
        "{tool}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tshark_capture_times_lengths_comments_match() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evening.pcapng");
    let sent = record(&path);
    let fields = [
        "frame.time_epoch",
        "frame.len",
        "frame.interface_name",
        "frame.packet_flags_direction",
        "eth.fcs.status",
        "frame.comment",
    ];
    let mut args = vec!["-n", "-o", "eth.check_fcs:TRUE", "-T", "fields", "-E", "separator=;"];
    for field in &fields {
        args.extend(["-e", field]);
    }
    args.push("-r");
    let Some(out) = run("tshark", &args, &path) else { return };
    let seen: Vec<Vec<&str>> = out.lines().map(|line| line.split(';').collect()).collect();

    let times_and_lengths: Vec<(String, String)> = seen.iter().map(|f| (f[0].to_owned(), f[1].to_owned())).collect();
    let expected: Vec<(String, String)> = sent
        .iter()
        .map(|(at, len)| (format!("{}.{:09}", at.as_secs(), at.subsec_nanos()), len.to_string()))
        .collect();
    assert_eq!(times_and_lengths, expected);

    let rest: Vec<String> = seen.iter().map(|f| f[2..].join(";")).collect();
    // Direction: 1 inbound, 2 outbound. FCS: 1 good, 0 bad.
    let expected = [
        "fast;0x00000001;1;",
        "fast;0x00000002;1;",
        "fast;0x00000002;0;",
        "slow;0x00000002;1;lost on the wire",
        "slow;0x00000002;1;duplicated on the wire; corrupted on the wire",
        "fast;0x00000002;1;cut off: the link went down",
    ];
    assert_eq!(rest, expected);
}

#[test]
fn capinfos_capture_frame_count_matches() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evening.pcapng");
    let sent = record(&path);
    let Some(out) = run(
        "capinfos",
        &["-T", "-r", "-m", "-M", "-c", "-S", "-a", "-e", "-t"],
        &path,
    ) else {
        return;
    };
    let fields: Vec<&str> = out.trim().split(',').collect();
    let seconds = |at: Duration| format!("{}.{:09}", at.as_secs(), at.subsec_nanos());
    let (first, last) = (sent[0].0, sent[sent.len() - 1].0);
    assert!(fields[1].contains("pcapng"), "{out}");
    assert!(fields.contains(&sent.len().to_string().as_str()), "{out}");
    assert!(fields.contains(&seconds(first).as_str()), "{out}");
    assert!(fields.contains(&seconds(last).as_str()), "{out}");
}

#[test]
fn capture_same_run_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| {
        let path = dir.path().join(name);
        record(&path);
        std::fs::read(path).unwrap()
    });
    assert_eq!(one, other);
    assert!(one.len() > 2000);
}

#[test]
fn capture_any_run_has_every_frame() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("evening.pcapng");
    let sent = record(&path);
    let mut reader = PcapNgReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap() {
            packets.push((packet.timestamp, packet.data.len()));
        }
    }
    assert_eq!(packets, sent);
}

/// A writer that fails after N bytes, like a full disk.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn capture_full_disk_reported_by_flush() {
    assert!(Capture::new(Full(4)).is_err());
    let clock = Clock::new();
    let (wire, a, b) = Wire::new(&clock, WireConfig::default());
    let (a, b) = (Peer::new(a), Peer::new(b));
    let capture = Capture::new(Full(300)).unwrap();
    wire.capture(&capture);
    for _ in 0..10 {
        a.send(&frame(60));
    }
    while clock.step() {}
    assert_eq!(b.pending(), 10);
    assert_eq!(capture.flush().unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert!(capture.flush().is_err(), "nor is it forgotten");
}
