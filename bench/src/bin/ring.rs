//! `ring ours|by-hand rx|tx LENGTH FRAMES`: so many UDP frames of that length through smoltcp, over the memory NIC.
//!
//! They go over the wire, and through the chip's rings, sixteen at a time. What the host does happens inside `host_turn_rx` and `host_turn_tx`, and nothing of
//! what wire and chip do: both can be counted, the whole and the host alone.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use ethdev::MacAddress;
use ethdev_bench::{ByHand, HOST, PEER, Queues, Stack};
use ethdev_cli as cli;
use ethdev_sim::{Clock, Peer, RingConfig, RingHandle, RingNic, WireConfig};
use ethdev_smoltcp::SmoltcpDevice;
use smoltcp::phy::Device;
use smoltcp::time::Instant;

/// Frames that lie in a ring at once.
const BATCH: usize = 16;
/// Bytes before the payload: Ethernet, IPv4, UDP.
const HEADERS: usize = 14 + 20 + 8;
/// Nothing here takes time: no timer of smoltcp's runs out.
const NOW: Instant = Instant::ZERO;

/// Everything but the host.
struct Lab {
    clock: Clock,
    rings: RingHandle,
    station: Peer,
    frames: usize,
    length: usize,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let [which, direction, length, frames] = words[..] else {
        return usage();
    };
    let (Ok(length), Ok(frames)) = (length.parse::<usize>(), frames.parse::<usize>()) else {
        return usage();
    };
    if !(60..=1514).contains(&length) || !frames.is_multiple_of(BATCH) {
        return usage();
    }
    let clock = Clock::new();
    // Twice the room that a batch takes: neither device ever meets a full ring.
    let config = RingConfig::new(MacAddress::new(HOST.mac.0)).with_slots(2 * BATCH, 2 * BATCH);
    let (_wire, nic, station) = RingNic::with_station(&clock, WireConfig::default(), config);
    let lab = Lab {
        clock,
        rings: nic.hardware(),
        station,
        frames,
        length,
    };
    let mut spare = [0; 1514];
    match (which, direction) {
        ("ours", "rx") => lab.receive(&mut SmoltcpDevice::new(nic, &mut spare)),
        ("ours", "tx") => lab.transmit(&mut SmoltcpDevice::new(nic, &mut spare)),
        ("by-hand", "rx") => lab.receive(&mut ByHand(nic.hardware())),
        ("by-hand", "tx") => lab.transmit(&mut ByHand(nic.hardware())),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    cli::misuse(format_args!(
        "usage: ring ours|by-hand rx|tx LENGTH FRAMES (LENGTH 60 to 1514, FRAMES a multiple of {BATCH})"
    ))
}

impl Lab {
    fn receive(&self, device: &mut impl Device) {
        let mut host = Stack::new(device, HOST);
        let frame = self.frame_for(&mut host, device);
        for _ in 0..self.frames / BATCH {
            for _ in 0..BATCH {
                self.station.send(&frame);
            }
            while self.clock.step() {}
            assert_eq!(host_turn_rx(&mut host, device), BATCH, "a frame was lost");
        }
    }

    fn transmit(&self, device: &mut impl Device) {
        let mut host = Stack::new(device, HOST);
        self.frame_for(&mut host, device);
        let payload = vec![0x5a; self.length - HEADERS];
        for _ in 0..self.frames / BATCH {
            // The chip begins to send only when the host has had its turn.
            self.rings.stall_tx(true);
            host_turn_tx(&mut host, device, &payload);
            self.rings.stall_tx(false);
            let sent = self.at_the_other_end();
            assert_eq!(sent.len(), BATCH, "a frame was lost");
            assert!(sent.iter().all(|frame| frame.len() == self.length));
        }
    }

    /// Makes the host and the station at the other end known to each other; a frame for the host.
    fn frame_for(&self, host: &mut Stack, device: &mut impl Device) -> Vec<u8> {
        let mut queues = Queues::default();
        let mut peer = Stack::new(&mut queues, PEER);
        peer.queue(&vec![0x5a; self.length - HEADERS], HOST);
        for _ in 0..4 {
            peer.poll(NOW, &mut queues);
            if let Some(frame) = queues.tx.iter().find(|frame| frame.len() == self.length) {
                return frame.clone();
            }
            for frame in queues.tx.drain(..) {
                self.station.send(&frame);
            }
            while self.clock.step() {}
            host.poll(NOW, device);
            queues.rx.extend(self.at_the_other_end());
        }
        panic!("the stations do not find each other");
    }

    /// Lets the chip send all it has.
    fn at_the_other_end(&self) -> Vec<Vec<u8>> {
        while self.clock.step() {}
        std::iter::from_fn(|| self.station.recv()).collect()
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
