//! What a frame costs on the bus, counted by the model of the chip.

mod support;

use std::time::Duration;

use enc28j60_model::{ChipConfig, Errata, Revision};
use ethdev::{EthernetDevice, Interest, asynch};
use ethdev_enc28j60::Config;
use ethdev_sim::block_on_until;
use support::{Lab, OWN, frame};

/// No erratum strikes at random: what is counted is the way without them.
fn lab(sck_hz: u32) -> Lab {
    Lab::new(
        ChipConfig::new(Revision::B7)
            .with_errata(Errata::none())
            .with_sck_hz(sck_hz),
    )
}

/// Transactions, and bytes beyond the frame, for each of `backlog` frames of `len` bytes that wait together. The steady state: the second round.
fn receiving(backlog: u32, len: usize) -> (f64, f64) {
    let lab = lab(20_000_000);
    let mut driver = lab.driver(Config::new(OWN));
    let mut buf = [0; 1514];
    let mut round = || {
        lab.arrive((0..backlog).map(|n| frame(n, len)));
        lab.cost(|| {
            for n in 0..backlog {
                let meta = driver.recv_frame(&mut buf).unwrap().expect("a frame waits");
                assert_eq!(buf[..meta.len], frame(n, len));
            }
        })
    };
    round();
    let (transactions, bytes) = round();
    lab.assert_well_used();
    let (backlog, len) = (f64::from(backlog), len as f64);
    (transactions as f64 / backlog, bytes as f64 / backlog - len)
}

#[test]
fn receiving_one_frame() {
    for len in [60, 64, 1514] {
        let (transactions, beyond) = receiving(1, len);
        println!("backlog 1, {len} bytes: {transactions} transactions, {beyond} bytes beyond the frame");
        assert!(
            transactions <= 7.0 && beyond <= 22.0,
            "{len} bytes: {transactions}, {beyond}"
        );
    }
}

#[test]
fn receiving_four_frames_that_wait() {
    for (len, most, most_beyond) in [
        (60, 3.25, 15.5),
        (64, 3.25, 15.5),
        (512, 3.5, 15.75),
        // Each but the first is given back at once, so that there is room for three of the longest at any time.
        (1000, 3.75, 16.25),
    ] {
        let (transactions, beyond) = receiving(4, len);
        println!("backlog 4, {len} bytes: {transactions} transactions, {beyond} bytes beyond the frame");
        assert!(
            transactions <= most && beyond <= most_beyond,
            "{len} bytes: {transactions}, {beyond}"
        );
    }
    // Of the longest, the chip holds three, and is given back the memory of each as soon as it was read.
    let (transactions, beyond) = receiving(3, 1514);
    println!("backlog 3, 1514 bytes: {transactions} transactions, {beyond} bytes beyond the frame");
    assert!(transactions <= 4.34 && beyond <= 17.4, "{transactions}, {beyond}");
}

#[test]
fn sending() {
    for len in [60, 64, 1514] {
        let lab = lab(20_000_000);
        let mut driver = lab.driver(Config::new(OWN));
        let mut costs = vec![];
        for n in 0..4 {
            costs.push(lab.cost(|| driver.send_frame(&frame(n, len)).unwrap()));
            lab.clock.advance(Duration::from_millis(2));
        }
        let (transactions, bytes) = costs[3];
        println!(
            "{len} bytes: {transactions} transactions, {} bytes beyond the frame",
            bytes as usize - len
        );
        assert!(
            transactions <= 9 && bytes as usize <= len + 19,
            "{len} bytes: {transactions}, {bytes}"
        );
        lab.assert_well_used();
    }
}

/// Both slots in use all the time: each call starts the frame before, and writes one while that is on the wire.
#[test]
fn sending_without_a_gap() {
    for len in [60, 64, 1514] {
        let lab = lab(20_000_000);
        let mut driver = lab.driver(Config::new(OWN));
        let mut costs = vec![];
        for n in 0..8 {
            costs.push(lab.cost(|| driver.send_frame(&frame(n, len)).unwrap()));
            lab.clock.advance(Duration::from_micros(if n == 0 { 20 } else { 1250 }));
        }
        let (transactions, bytes) = costs[7];
        println!(
            "{len} bytes, without a gap: {transactions} transactions, {} bytes beyond the frame",
            bytes as usize - len
        );
        assert!(
            transactions <= 10 && bytes as usize <= len + 19,
            "{len} bytes: {transactions}, {bytes}"
        );
        lab.assert_well_used();
    }
}

/// Sends for a second of simulated time. Goodput in Mbit/s.
fn tx_goodput(sck_hz: u32) -> f64 {
    let lab = lab(sck_hz);
    let mut driver = lab.driver(Config::new(OWN));
    let data = frame(1, 1514);
    let start = lab.clock.now();
    while lab.clock.now() < start + Duration::from_secs(1) {
        if let Err(e) = driver.send_frame(&data) {
            assert!(ethdev::Error::kind(&e).is_busy(), "{e}");
        }
    }
    lab.assert_well_used();
    let frames = std::iter::from_fn(|| lab.peer.recv()).count();
    frames as f64 * 1514.0 * 8.0 / 1e6
}

/// The peer sends for a second of simulated time, without a pause. Goodput in Mbit/s, and frames overrun.
fn rx_goodput(sck_hz: u32) -> (f64, u64) {
    let lab = lab(sck_hz);
    let mut driver = lab.driver(Config::new(OWN));
    let (mut buf, mut frames, mut number) = ([0; 1514], 0_u32, 0);
    let start = lab.clock.now();
    while lab.clock.now() < start + Duration::from_secs(1) {
        // The wire is never idle: there is always the next frame on it.
        while lab.peer.idle_at() < lab.clock.now() + Duration::from_millis(2) {
            lab.peer.send(&frame(number, 1514));
            number += 1;
        }
        if let Some(meta) = driver.recv_frame(&mut buf).unwrap() {
            assert_eq!(buf[..meta.len], frame(frames, 1514), "in order, none missing");
            frames += 1;
        }
    }
    lab.assert_well_used();
    (f64::from(frames) * 1514.0 * 8.0 / 1e6, lab.chip.stats().overflowed)
}

#[test]
fn two_slots_fill_the_wire() {
    // 812.7 frames of 1514 bytes a second are what 10 Mbit/s carry: 9.84 Mbit/s.
    for (sck, least) in [(20_000_000, 0.98 * 9.84), (10_000_000, 0.95 * 9.84)] {
        let goodput = tx_goodput(sck);
        println!("sending at {sck} Hz: {goodput:.2} Mbit/s");
        assert!(goodput >= least, "{sck} Hz: {goodput}");
    }
}

#[test]
fn the_wire_is_received_whole() {
    for sck in [20_000_000, 12_500_000] {
        let (goodput, overflowed) = rx_goodput(sck);
        println!("receiving at {sck} Hz: {goodput:.2} Mbit/s, {overflowed} overrun");
        assert!(
            goodput >= 0.99 * 9.84 && overflowed == 0,
            "{sck} Hz: {goodput}, {overflowed}"
        );
    }
    let (goodput, overflowed) = rx_goodput(10_000_000);
    println!("receiving at 10000000 Hz: {goodput:.2} Mbit/s, {overflowed} overrun");
}

#[test]
fn waiting_for_the_int_line_costs_nothing() {
    use asynch::EthernetDevice;
    let lab = lab(20_000_000);
    let mut driver = lab.by_level(Config::new(OWN));
    // What is left of coming up.
    let settled = lab.clock.now() + Duration::from_secs(1);
    assert!(block_on_until(&lab.clock, settled, driver.ready(Interest::RX)).is_err());
    let (transactions, bytes) = lab.cost(|| {
        let later = lab.clock.now() + Duration::from_secs(60);
        let mut tick = 0;
        // Something else happens on the clock meanwhile.
        while tick < 60 {
            tick += 1;
            lab.clock.schedule_in(Duration::from_secs(tick), || {});
        }
        let mut ready = std::pin::pin!(driver.ready(Interest::RX));
        // The look before falling asleep.
        let asleep = lab.clock.now() + Duration::from_millis(1);
        assert!(block_on_until(&lab.clock, asleep, ready.as_mut()).is_err());
        let idle = lab.cost(|| assert!(block_on_until(&lab.clock, later, ready.as_mut()).is_err()));
        println!("asleep for a minute: {idle:?}");
        // `block_on_until` polls once when it begins; nothing is sent by that.
        assert_eq!(idle, (0, 0));
    });
    assert!(transactions < 10 && bytes < 24, "one look: {transactions}, {bytes}");
    lab.assert_well_used();
}

#[test]
fn memory() {
    let host = size_of::<enc28j60_model::SimSpi>() + size_of::<ethdev_sim::SimDelay>();
    let driver = size_of::<support::Driver>() - host;
    // All but two of the contract's: the chip drops what its filter refuses, and what has a wrong FCS, without a trace.
    let counters = size_of::<ethdev::Stats>() - 2 * size_of::<u32>();
    println!("driver: {driver} bytes, of which counters {counters}");
    // 68 on a 32-bit target; here the length is a multiple of 8.
    assert!(driver - counters <= 72, "{driver}");
}
