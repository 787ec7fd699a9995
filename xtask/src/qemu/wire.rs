//! A wire to the board, frame by frame, also with malformed frames.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use etherparse::{
    ArpHardwareId, ArpOperation, ArpPacket, EtherType, Icmpv4Type, NetSlice, PacketBuilder, SlicedPacket,
    TransportSlice,
};

use super::programs::Board;

const OUR_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 2];
const OUR_IP: [u8; 4] = [10, 0, 2, 2];
const BOARD_IP: [u8; 4] = [10, 0, 2, 15];
const BROADCAST: [u8; 6] = [0xff; 6];
/// The discard service (RFC 863).
const DISCARD: u16 = 9;
const TIMEOUT: Duration = Duration::from_secs(2);
/// Attempts per request, because the FIFO of the board may be full.
const TRIES: usize = 5;
/// Malformed frames between two requests, fewer than fill the FIFO of the board.
const BATCH: usize = 4;

/// A wire whose frames are UDP datagrams to and from QEMU.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UdpSocket,
    board: [u8; 6],
    shortest: usize,
    sequence: u16,
}

impl Wire {
    /// Creates a wire, and the arguments of QEMU for its end.
    ///
    /// A frame of the board with less than `shortest` bytes is an error.
    pub(super) fn new(machine: &Board, board: [u8; 6], shortest: usize) -> Result<(Self, Vec<String>)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let theirs = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let ours = socket.local_addr()?.port();
        socket.connect((Ipv4Addr::LOCALHOST, theirs))?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let netdev = format!(
            "dgram,id=n0,local.type=inet,local.host=127.0.0.1,local.port={theirs},\
             remote.type=inet,remote.host=127.0.0.1,remote.port={ours}"
        );
        let nic = format!("nic,model={},netdev=n0", machine.model);
        let arguments = ["-netdev", &netdev, "-net", &nic];
        let wire = Self {
            socket,
            board,
            shortest,
            sequence: 0,
        };
        Ok((wire, arguments.map(str::to_owned).to_vec()))
    }

    fn send(&self, frame: &[u8]) -> Result<()> {
        self.socket.send(frame)?;
        Ok(())
    }

    /// Sends `request` until a frame is received for which `is_reply` is true.
    fn ask(&self, request: &[u8], what: &str, mut is_reply: impl FnMut(&SlicedPacket<'_>) -> bool) -> Result<()> {
        let mut buf = [0; 4096];
        for _ in 0..TRIES {
            self.send(request)?;
            loop {
                match self.socket.recv(&mut buf) {
                    Ok(len) => {
                        ensure!(
                            (self.shortest..=1514).contains(&len),
                            "the board sent a frame of {len} bytes"
                        );
                        // Other frames are ignored.
                        if SlicedPacket::from_ethernet(&buf[..len]).is_ok_and(|packet| is_reply(&packet)) {
                            return Ok(());
                        }
                    }
                    Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                    Err(e) => return Err(e.into()),
                }
            }
        }
        bail!("no reply to {what}")
    }

    /// Requests the address of the board.
    pub(super) fn arp(&self) -> Result<String> {
        let request = ArpPacket::new(
            ArpHardwareId::ETHERNET,
            EtherType::IPV4,
            ArpOperation::REQUEST,
            &OUR_MAC,
            &OUR_IP,
            &[0; 6],
            &BOARD_IP,
        )?;
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(OUR_MAC, BROADCAST)
            .arp(request)
            .write(&mut frame)?;
        let mut found = Vec::new();
        self.ask(&frame, "an ARP request", |packet| match &packet.net {
            Some(NetSlice::Arp(arp)) if arp.operation() == ArpOperation::REPLY => {
                found = arp.sender_hw_addr().to_vec();
                arp.sender_protocol_addr() == BOARD_IP
            }
            _ => false,
        })?;
        ensure!(found == self.board, "10.0.2.15 is at {found:02x?}");
        Ok("10.0.2.15 is at the address of the board".to_owned())
    }

    /// Pings the board with a payload of this length, and checks the reply.
    pub(super) fn ping(&mut self, len: usize) -> Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let mut frame = Vec::new();
        PacketBuilder::ethernet2(OUR_MAC, self.board)
            .ipv4(OUR_IP, BOARD_IP, 64)
            .icmpv4_echo_request(0x9118, self.sequence)
            .write(&mut frame, &payload)?;
        let sequence = self.sequence;
        self.ask(&frame, &format!("a ping of {len} bytes"), |packet| {
            let Some(TransportSlice::Icmpv4(icmp)) = &packet.transport else {
                return false;
            };
            let echo = match icmp.icmp_type() {
                Icmpv4Type::EchoReply(echo) => echo,
                _ => return false,
            };
            echo.seq == sequence && icmp.payload() == payload
        })
    }

    /// Sends a UDP datagram to the discard service, in a frame of `len` bytes.
    pub(super) fn datagram(&self, len: usize) -> Result<()> {
        let builder = PacketBuilder::ethernet2(OUR_MAC, self.board)
            .ipv4(OUR_IP, BOARD_IP, 64)
            .udp(DISCARD, DISCARD);
        let payload = vec![0x5a; len.saturating_sub(builder.size(0))];
        let mut frame = Vec::new();
        builder.write(&mut frame, &payload)?;
        self.send(&frame)
    }

    /// The number of received frames with `len` bytes.
    pub(super) fn count_received(&self, len: usize) -> Result<usize> {
        let (mut count, mut buf) = (0, [0; 4096]);
        self.socket.set_nonblocking(true)?;
        loop {
            match self.socket.recv(&mut buf) {
                Ok(found) => count += usize::from(found == len),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e.into()),
            }
        }
        self.socket.set_nonblocking(false)?;
        Ok(count)
    }

    /// Sends frames of every length below the minimum of Ethernet.
    pub(super) fn runts(&mut self) -> Result<String> {
        // QEMU treats an empty datagram as the end of the connection.
        for len in 1..60 {
            let mut frame = vec![0; len];
            self.address(&mut frame);
            self.send(&frame)?;
            self.ping(len)?;
        }
        Ok("1 to 59 bytes, a ping after each".to_owned())
    }

    /// Sends frames that are too long. Returns their number.
    pub(super) fn giants(&mut self) -> Result<usize> {
        let lengths = [1515, 1516, 1518, 1519, 1600, 2000, 2043];
        for len in lengths {
            let mut frame = vec![0x55; len];
            self.address(&mut frame);
            self.send(&frame)?;
            self.ping(56)?;
        }
        Ok(lengths.len())
    }

    /// Sends random bytes after valid headers.
    pub(super) fn garbage(&mut self, count: usize, seed: u64) -> Result<String> {
        let mut random = fastrand::Rng::with_seed(seed);
        for sent in 1..=count {
            let mut frame = vec![0; random.usize(14..1515)];
            random.fill(&mut frame);
            self.address(&mut frame);
            let known = [[0x08, 0x00], [0x08, 0x06], [0x86, 0xdd]];
            let ethertype = known
                .get(random.usize(..4))
                .copied()
                .unwrap_or_else(|| random.u16(..).to_be_bytes());
            frame[12..14].copy_from_slice(&ethertype);
            // Half of the packets have a header of IPv4 without options, with ICMP, TCP or UDP.
            if random.bool() && frame.len() > 34 {
                frame[14] = 0x45;
                frame[23] = [1, 6, 17][random.usize(..3)];
                frame[30..34].copy_from_slice(&BOARD_IP);
            }
            self.send(&frame)?;
            if sent % BATCH == 0 {
                self.ping(56)
                    .with_context(|| format!("after {sent} frames (seed {seed})"))?;
            }
        }
        Ok(format!("{count} frames, {} pings between them", count / BATCH))
    }

    /// The Ethernet header of a frame to the board, as far as the frame goes.
    fn address(&self, frame: &mut [u8]) {
        for (to, from) in frame
            .iter_mut()
            .zip(self.board.into_iter().chain(OUR_MAC).chain([0x88, 0xb5]))
        {
            *to = from;
        }
    }
}
