//! What was on the wire, by QEMU's own account.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;

const ARP: u16 = 0x0806;
const IPV4: u16 = 0x0800;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// Frames by kind.
#[derive(Debug, Default)]
struct Counts {
    frames: usize,
    arp: usize,
    tcp: usize,
    udp: usize,
    /// From the board, and shorter than a frame may be on Ethernet.
    runts: usize,
}

/// Checks the capture: frames of each kind, none of the board's too short.
pub(super) fn check(path: &Path, board: [u8; 6]) -> Result<String> {
    let mut capture = PcapReader::new(File::open(path)?).context("no capture")?;
    ensure!(
        capture.header().datalink == DataLink::ETHERNET,
        "not a capture of Ethernet"
    );
    let mut counts = Counts::default();
    while let Some(packet) = capture.next_packet() {
        counts.add(&packet?.data, board);
    }
    let text = format!(
        "{} frames: {} ARP, {} TCP, {} UDP",
        counts.frames, counts.arp, counts.tcp, counts.udp
    );
    if counts.arp == 0 || counts.tcp == 0 || counts.udp == 0 {
        bail!("{text}: a kind is missing");
    }
    ensure!(
        counts.runts == 0,
        "{} frames of the board are shorter than 60 bytes",
        counts.runts
    );
    Ok(text)
}

impl Counts {
    fn add(&mut self, frame: &[u8], board: [u8; 6]) {
        self.frames += 1;
        if frame.get(6..12) == Some(&board) && frame.len() < 60 {
            self.runts += 1;
        }
        let ethertype = frame.get(12..14).map_or(0, |t| u16::from_be_bytes([t[0], t[1]]));
        match (ethertype, frame.get(23)) {
            (ARP, _) => self.arp += 1,
            (IPV4, Some(&TCP)) => self.tcp += 1,
            (IPV4, Some(&UDP)) => self.udp += 1,
            _ => {}
        }
    }
}
