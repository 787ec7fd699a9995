//! `ring ethdev|baseline rx|tx LENGTH FRAMES`: sends UDP frames of this length through smoltcp and
//! the simulated ring NIC.
//!
//! Frames pass the wire and the rings in batches of 16. The functions `host_turn_rx` and
//! `host_turn_tx` contain the work of the host without that of the simulated wire and chip, so that
//! a profiler measures both the whole program and the host.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use ethdev::MacAddress;
use ethdev_bench::{Baseline, FrameQueues, HOST, PEER, Stack};
use ethdev_cli as cli;
use ethdev_sim::{Clock, Peer, RingConfig, RingHandle, RingNic, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
use smoltcp::phy::Device;
use smoltcp::time::Instant;

/// Frames per batch.
const BATCH: usize = 16;
/// Length of the Ethernet, IPv4 and UDP headers.
const HEADERS: usize = 14 + 20 + 8;
/// The time of every poll: no timer of smoltcp expires.
const NOW: Instant = Instant::ZERO;

/// The simulator and the workload.
struct Testbed {
    clock: Clock,
    rings: RingHandle,
    peer: Peer,
    frames: usize,
    length: usize,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let [device, direction, length, frames] = words[..] else {
        return usage();
    };
    let (Ok(length), Ok(frames)) = (length.parse::<usize>(), frames.parse::<usize>()) else {
        return usage();
    };
    if !(60..=1514).contains(&length) || !frames.is_multiple_of(BATCH) {
        return usage();
    }
    let clock = Clock::new();
    // Rings of twice the batch: neither device meets a full ring.
    let config = RingConfig::new(MacAddress::new(HOST.mac.0)).with_slots(2 * BATCH, 2 * BATCH);
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let testbed = Testbed {
        clock,
        rings: nic.hardware(),
        peer,
        frames,
        length,
    };
    let mut reply = [0; 1514];
    match (device, direction) {
        ("ethdev", "rx") => testbed.receive(&mut SmoltcpDevice::lending(nic, &mut reply)),
        ("ethdev", "tx") => testbed.transmit(&mut SmoltcpDevice::lending(nic, &mut reply)),
        ("baseline", "rx") => testbed.receive(&mut Baseline(nic.hardware())),
        ("baseline", "tx") => testbed.transmit(&mut Baseline(nic.hardware())),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    cli::usage_error(format_args!(
        "usage: ring ethdev|baseline rx|tx LENGTH FRAMES (LENGTH 60 to 1514, FRAMES a multiple of {BATCH})"
    ))
}

impl Testbed {
    fn receive(&self, device: &mut impl Device) {
        let mut host = Stack::new(device, HOST);
        let frame = self.frame_for(&mut host, device);
        for _ in 0..self.frames / BATCH {
            for _ in 0..BATCH {
                self.peer.send(&frame);
            }
            while self.clock.step() {}
            assert_eq!(host_turn_rx(&mut host, device), BATCH, "frames lost");
        }
    }

    fn transmit(&self, device: &mut impl Device) {
        let mut host = Stack::new(device, HOST);
        self.frame_for(&mut host, device);
        let payload = vec![0x5a; self.length - HEADERS];
        for _ in 0..self.frames / BATCH {
            // The chip starts to send after the turn of the host.
            self.rings.stall_tx(true);
            host_turn_tx(&mut host, device, &payload);
            self.rings.stall_tx(false);
            let sent = self.sent_frames();
            assert_eq!(sent.len(), BATCH, "frames lost");
            assert!(sent.iter().all(|frame| frame.len() == self.length));
        }
    }

    /// Lets the host and its peer resolve their addresses. Returns a frame for the host.
    fn frame_for(&self, host: &mut Stack, device: &mut impl Device) -> Vec<u8> {
        let mut queues = FrameQueues::default();
        let mut peer = Stack::new(&mut queues, PEER);
        peer.queue(&vec![0x5a; self.length - HEADERS], HOST);
        for _ in 0..4 {
            peer.poll(NOW, &mut queues);
            if let Some(frame) = queues.tx.iter().find(|frame| frame.len() == self.length) {
                return frame.clone();
            }
            for frame in queues.tx.drain(..) {
                self.peer.send(&frame);
            }
            while self.clock.step() {}
            host.poll(NOW, device);
            queues.rx.extend(self.sent_frames());
        }
        panic!("address resolution failed");
    }

    /// Lets the chip send all queued frames and returns them.
    fn sent_frames(&self) -> Vec<Vec<u8>> {
        while self.clock.step() {}
        std::iter::from_fn(|| self.peer.recv()).collect()
    }
}

#[inline(never)]
fn host_turn_rx(host: &mut Stack, device: &mut impl Device) -> usize {
    host.poll(NOW, device);
    host.take_all()
}

#[inline(never)]
fn host_turn_tx(host: &mut Stack, device: &mut impl Device, payload: &[u8]) {
    for _ in 0..BATCH {
        host.queue(payload, PEER);
    }
    host.poll(NOW, device);
}
