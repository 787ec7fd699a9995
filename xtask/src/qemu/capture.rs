//! Checks of the network capture of QEMU.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use etherparse::{Ipv4Slice, NetSlice, SlicedPacket, TransportSlice};
use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;

/// Frames by kind.
#[derive(Debug, Default)]
struct Counts {
    frames: usize,
    arp: usize,
    tcp: usize,
    udp: usize,
    /// Frames of the board.
    ours: usize,
}

/// Checks the capture: frames of each kind, and those of the board complete, of valid length (at
/// least `shortest`), with correct checksums.
pub(super) fn check(path: &Path, board: [u8; 6], shortest: usize) -> Result<String> {
    let mut capture = PcapReader::new(File::open(path)?).context("invalid capture")?;
    ensure!(
        capture.header().datalink == DataLink::ETHERNET,
        "not an Ethernet capture"
    );
    let mut counts = Counts::default();
    while let Some(packet) = capture.next_packet() {
        let frame = packet?.data;
        counts.frames += 1;
        if frame.get(6..12) == Some(&board) {
            let number = counts.frames;
            let taken = counts.take(&frame, shortest);
            taken.with_context(|| format!("frame {number} of the capture"))?;
        }
    }
    let text = format!(
        "{} frames; {} from the board, all well-formed: {} ARP, {} TCP, {} UDP",
        counts.frames, counts.ours, counts.arp, counts.tcp, counts.udp
    );
    if counts.arp == 0 || counts.tcp == 0 || counts.udp == 0 {
        bail!("{text}: a kind of frame is missing");
    }
    Ok(text)
}

impl Counts {
    /// Checks a frame of the board.
    fn take(&mut self, frame: &[u8], shortest: usize) -> Result<()> {
        self.ours += 1;
        ensure!((shortest..=1514).contains(&frame.len()), "{} bytes", frame.len());
        let packet = SlicedPacket::from_ethernet(frame)?;
        match (&packet.net, &packet.transport) {
            (Some(NetSlice::Arp(_)), None) => self.arp += 1,
            (Some(NetSlice::Ipv4(ip)), Some(transport)) => self.take_ipv4(ip, transport)?,
            _ => bail!("neither ARP nor IPv4: {packet:?}"),
        }
        Ok(())
    }

    fn take_ipv4(&mut self, ip: &Ipv4Slice<'_>, transport: &TransportSlice<'_>) -> Result<()> {
        let header = ip.header().to_header();
        let (from, to) = (header.source, header.destination);
        ensure!(
            header.header_checksum == header.calc_header_checksum(),
            "IPv4 header checksum"
        );
        let (found, expected) = match transport {
            TransportSlice::Tcp(tcp) => {
                self.tcp += 1;
                (tcp.checksum(), tcp.calc_checksum_ipv4(from, to)?)
            }
            TransportSlice::Udp(udp) => {
                self.udp += 1;
                let right = udp.to_header().calc_checksum_ipv4_raw(from, to, udp.payload())?;
                (udp.checksum(), right)
            }
            TransportSlice::Icmpv4(icmp) => {
                let right = icmp.icmp_type().calc_checksum(icmp.payload());
                (icmp.checksum(), right)
            }
            other => bail!("unexpected protocol: {other:?}"),
        };
        ensure!(found == expected, "checksum {found:#06x}, expected {expected:#06x}");
        Ok(())
    }
}
