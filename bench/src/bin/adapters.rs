//! Host programs of `cargo xtask bench adapters`.
//!
//! - `adapters out ethdev|baseline|lending LENGTH FRAMES`: replies to frames of this length on the
//!   simulated ring NIC through the tokens of embassy-net's driver trait, or the zero-copy API of
//!   the NIC.
//! - `adapters in ethdev|pull|tokens LENGTH FRAMES`: copies frames out of and into the memory of the
//!   NIC, through the pull API of a driver for embassy-net as a device, the pull API of the NIC
//!   itself, and the tokens of the driver.
//! - `adapters goodput`: prints the rows of the testbed for each stack on the memory NIC and the
//!   ENC28J60, and for embassy-net on the published driver of the ENC28J60.
//!
//! Frames pass the wire and the rings in batches of 16. The functions `host_turn_*` contain the
//! work of the host without that of the simulated wire and chip.

#![deny(clippy::print_stdout, clippy::print_stderr)]

use core::hint::black_box;
use core::task::{Context, Waker};
use core::time::Duration;
use std::process::ExitCode;
use std::rc::Rc;

use embassy_net_driver::{Driver, RxToken, TxToken};
use enc28j60_model::{Enc28j60Chip, ResetPin};
use ethdev::{EthernetDevice, LendingDevice, MacAddress, RxHalf, Speed, Stats, TxHalf};
use ethdev_bench::EmbassyBaseline;
use ethdev_bench::enc28j60::config_for_all;
use ethdev_cli as cli;
use ethdev_embassy::{EmbassyDevice, State};
use ethdev_examples::testbed::{self, NICS, Nic, Row, Settings, Stack};
use ethdev_sim::{Clock, Peer, RingConfig, RingHandle, RingNic, WireConfig, embassy_time};
use ethdev_util::{IrqDevice, IrqSignal};

/// Frames per batch.
const BATCH: usize = 16;
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

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
    if words == ["goodput"] {
        return goodput();
    }
    let [direction, device, length, frames] = words[..] else {
        return usage();
    };
    let (Ok(length), Ok(frames)) = (length.parse::<usize>(), frames.parse::<usize>()) else {
        return usage();
    };
    if !(60..=1514).contains(&length) || !frames.is_multiple_of(BATCH) {
        return usage();
    }
    let clock = Clock::new();
    let irq = Rc::new(IrqSignal::new());
    // Rings of twice the batch: no device meets a full ring.
    let config = RingConfig::new(MacAddress::new(MAC))
        .with_slots(2 * BATCH, 2 * BATCH)
        .with_irq_signal(irq.clone());
    let (_wire, nic, peer) = RingNic::with_peer(&clock, WireConfig::default(), config);
    let rings = nic.hardware();
    let baseline = EmbassyBaseline::new(rings.clone(), MAC, &irq);
    let testbed = Testbed {
        clock,
        rings,
        peer,
        frames,
        length,
    };
    let mut buf = [0; 1514];
    match (direction, device) {
        ("out", "baseline") => testbed.run(baseline, host_turn_out),
        ("out", "ethdev") => match State::new(IrqDevice::new(nic, &irq), &mut buf) {
            Ok(mut state) => testbed.run(state.split().0, host_turn_out),
            Err(e) => return cli::failure(format_args!("the device has no driver: {}", cli::Causes(&e))),
        },
        ("out", "lending") => testbed.run(nic, host_turn_out_lending),
        ("in", "ethdev") => match EmbassyDevice::queued(baseline, &mut buf) {
            Ok(device) => testbed.run(device, host_turn_in),
            Err(e) => return cli::failure(format_args!("the driver is not a device: {}", cli::Causes(&e))),
        },
        ("in", "pull") => testbed.run(nic, host_turn_in),
        ("in", "tokens") => testbed.run(baseline, host_turn_in_tokens),
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

/// The drivers of the ENC28J60 on the same chip: that of ethdev, and the published one.
const ENC28J60: [Nic; 2] = [
    Nic::new(
        "ethdev-enc28j60",
        Speed::MBPS_10,
        "pull",
        "ethdev's driver",
        |slot, harness| testbed::enc28j60_with(config_for_all(SPI_MHZ), slot, harness),
    ),
    Nic::new(
        "embassy-net-enc28j60",
        Speed::MBPS_10,
        "driver",
        "published",
        |slot, harness| {
            let chip = Enc28j60Chip::new(&slot.clock, slot.port, config_for_all(SPI_MHZ));
            embassy_time::set_clock(&slot.clock);
            let driver =
                embassy_net_enc28j60::Enc28j60::new(chip.spi_device(), None::<ResetPin>, slot.mac_address.octets());
            slot.clock.advance(LINK_TIME);
            harness.measure_driver(driver, || {
                let (chip, mut stats) = (chip.stats(), Stats::ZERO);
                stats.rx_frames = chip.received as u32;
                stats.rx_overrun = (chip.overflowed + chip.packet_count_full) as u32;
                stats.tx_frames = chip.transmitted as u32;
                stats
            })
        },
    ),
];

const SPI_MHZ: u32 = 20;
/// The time until the link is up.
const LINK_TIME: Duration = Duration::from_millis(50);

fn goodput() -> ExitCode {
    let ours = NICS.iter().filter(|nic| ["ring", "enc28j60"].contains(&nic.name));
    let runs = ours
        .flat_map(|nic| Stack::ALL.iter().map(move |&stack| (nic, stack)))
        .chain(ENC28J60.iter().map(|nic| (nic, Stack::Embassy)));
    let rows: Result<Vec<Row>, _> = runs
        .map(|(nic, stack)| testbed::run(nic, stack, &Settings::default(), &mut |_| ()))
        .collect();
    let printed = rows
        .map_err(|e| cli::failure(format_args!("no rows: {}", cli::Causes(&e))))
        .and_then(|rows| serde_json::to_string_pretty(&rows).map_err(|e| cli::failure(format_args!("no JSON: {e}"))));
    match printed {
        Ok(json) => cli::finish(cli::print(json)),
        Err(status) => status,
    }
}

fn usage() -> ExitCode {
    cli::usage_error(format_args!(
        "usage: adapters goodput, or adapters out ethdev|baseline|lending LENGTH FRAMES, or adapters in ethdev|pull|tokens LENGTH FRAMES (LENGTH 60 to \
         1514, FRAMES a multiple of {BATCH})"
    ))
}

impl Testbed {
    fn run<D>(&self, mut device: D, turn: impl Fn(&mut D) -> usize) {
        turn(&mut device);
        let frame = [&MAC[..], &[2, 0, 0, 0, 0, 2], &vec![0x5a; self.length - 12]].concat();
        for _ in 0..self.frames / BATCH {
            for _ in 0..BATCH {
                self.peer.send(&frame);
            }
            while self.clock.step() {}
            // The chip starts to send after the turn of the host.
            self.rings.stall_tx(true);
            assert_eq!(turn(&mut device), BATCH, "frames lost");
            self.rings.stall_tx(false);
            while self.clock.step() {}
            let replies = std::iter::from_fn(|| self.peer.recv());
            assert_eq!(replies.filter(|reply| reply.len() == self.length).count(), BATCH);
        }
    }
}

/// A turn of embassy-net's runner, without the stack.
#[inline(never)]
fn host_turn_out(driver: &mut impl Driver) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut frames = 0;
    while let Some((rx, tx)) = driver.receive(&mut cx) {
        rx.consume(|received| {
            let received = black_box(received);
            tx.consume(received.len(), |reply| {
                black_box(reply);
            });
        });
        frames += 1;
    }
    black_box(driver.link_state(&mut cx));
    frames
}

/// The same by the halves of the device.
#[inline(never)]
fn host_turn_out_lending(device: &mut impl LendingDevice) -> usize {
    let mut frames = 0;
    let (mut rx, mut tx) = device.split();
    while let Some(received) = rx.peek().expect("the device works") {
        let len = black_box(received).len();
        let reply = tx.reserve(len).expect("the device works");
        black_box(reply);
        tx.commit(len).expect("the ring is not full");
        rx.release().expect("the device works");
        frames += 1;
    }
    drop((rx, tx));
    device.service().expect("the device works");
    frames
}

#[inline(never)]
fn host_turn_in(device: &mut impl EthernetDevice) -> usize {
    let mut buf = [0; 1514];
    let mut frames = 0;
    device.service().expect("the device works");
    while let Some(meta) = device.recv_frame(&mut buf).expect("the device works") {
        device.send_frame(&buf[..meta.len]).expect("the ring is not full");
        frames += 1;
    }
    frames
}

#[inline(never)]
fn host_turn_in_tokens(driver: &mut impl Driver) -> usize {
    let mut cx = Context::from_waker(Waker::noop());
    let mut buf = [0; 1514];
    let mut frames = 0;
    while let Some(len) = driver.receive(&mut cx).map(|(rx, _)| {
        rx.consume(|received| {
            buf[..received.len()].copy_from_slice(received);
            received.len()
        })
    }) {
        let tx = driver.transmit(&mut cx).expect("the ring is not full");
        tx.consume(len, |frame| frame.copy_from_slice(&buf[..len]));
        frames += 1;
    }
    black_box(driver.link_state(&mut cx));
    frames
}
