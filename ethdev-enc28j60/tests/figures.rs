//! Bus transactions and bytes per frame, counted by the model of the chip.

mod support;

use std::time::Duration;

use enc28j60_model::{ChipConfig, Errata, Revision};
use ethdev::{EthernetDevice, Interest, asynch};
use ethdev_enc28j60::Config;
use ethdev_sim::block_on_until;
use support::{OWN, Testbed, frame};

/// A chip without errata, whose random faults would change the counts.
fn testbed(sck_hz: u32) -> Testbed {
    Testbed::new(
        ChipConfig::new(Revision::B7)
            .with_errata(Errata::none())
            .with_sck_hz(sck_hz),
    )
}

/// Transactions, and bytes beyond the frame, for each of `backlog` frames of `len` bytes that wait
/// together. The steady state: the second round.
fn receiving(backlog: u32, len: usize) -> (f64, f64) {
    let testbed = testbed(20_000_000);
    let mut driver = testbed.driver(Config::new(OWN));
    let mut buf = [0; 1514];
    let mut round = || {
        testbed.arrive((0..backlog).map(|n| frame(n, len)));
        testbed.cost(|| {
            for n in 0..backlog {
                let meta = driver.recv_frame(&mut buf).unwrap().expect("a frame waits");
                assert_eq!(buf[..meta.len], frame(n, len));
            }
        })
    };
    round();
    let (transactions, bytes) = round();
    testbed.assert_no_violations();
    let (backlog, len) = (f64::from(backlog), len as f64);
    (transactions as f64 / backlog, bytes as f64 / backlog - len)
}

/// A row of the table in the README, with these figures.
#[track_caller]
fn assert_in_readme(row: &str) {
    let readme = include_str!("../README.md");
    assert!(readme.lines().any(|line| line == row), "the README does not say: {row}");
}

#[test]
fn recv_frame_one_pending_cost() {
    for len in [60, 64, 1514] {
        let (transactions, beyond) = receiving(1, len);
        println!("backlog 1, {len} bytes: {transactions} transactions, {beyond} bytes beyond the frame");
        assert!(
            transactions <= 7.0 && beyond <= 22.0,
            "{len} bytes: {transactions}, {beyond}"
        );
        if len == 60 {
            assert_in_readme(&format!(
                "| receive, one pending frame of 60 bytes | {transactions} transactions, {beyond} bytes of overhead |"
            ));
        }
    }
}

#[test]
fn recv_frame_four_pending_cost() {
    for (len, most, most_beyond) in [
        (60, 3.25, 15.5),
        (64, 3.25, 15.5),
        (512, 3.5, 15.75),
        // Each but the first is freed immediately, to keep capacity for three of the longest at any
        // time.
        (1000, 3.75, 16.25),
    ] {
        let (transactions, beyond) = receiving(4, len);
        println!("backlog 4, {len} bytes: {transactions} transactions, {beyond} bytes beyond the frame");
        assert!(
            transactions <= most && beyond <= most_beyond,
            "{len} bytes: {transactions}, {beyond}"
        );
        if len == 60 || len == 1000 {
            assert_in_readme(&format!(
                "| receive, four pending frames of {len} bytes | {transactions} transactions, {beyond} bytes of overhead for each |"
            ));
        }
    }
    // The chip holds three of the longest; the memory of each is freed as soon as it was read.
    let (transactions, beyond) = receiving(3, 1514);
    println!("backlog 3, 1514 bytes: {transactions} transactions, {beyond} bytes beyond the frame");
    assert!(transactions <= 4.34 && beyond <= 17.4, "{transactions}, {beyond}");
}

#[test]
fn send_frame_cost() {
    for len in [60, 64, 1514] {
        let testbed = testbed(20_000_000);
        let mut driver = testbed.driver(Config::new(OWN));
        let mut costs = vec![];
        for n in 0..4 {
            costs.push(testbed.cost(|| driver.send_frame(&frame(n, len)).unwrap()));
            testbed.clock.advance(Duration::from_millis(2));
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
        let overhead = bytes as usize - len;
        assert_in_readme(&format!(
            "| send, one frame at a time | {transactions} transactions, {overhead} bytes of overhead |"
        ));
        testbed.assert_no_violations();
    }
}

/// Both slots in use all the time: each call starts the frame before, and writes one while that is
/// on the wire.
#[test]
fn send_frame_back_to_back_cost() {
    for len in [60, 64, 1514] {
        let testbed = testbed(20_000_000);
        let mut driver = testbed.driver(Config::new(OWN));
        let mut costs = vec![];
        for n in 0..8 {
            costs.push(testbed.cost(|| driver.send_frame(&frame(n, len)).unwrap()));
            testbed
                .clock
                .advance(Duration::from_micros(if n == 0 { 20 } else { 1250 }));
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
        let overhead = bytes as usize - len;
        assert_in_readme(&format!(
            "| send, back to back | {transactions} transactions, {overhead} bytes of overhead |"
        ));
        testbed.assert_no_violations();
    }
}

/// Sends for a second of simulated time. Goodput in Mbit/s.
fn tx_goodput(sck_hz: u32) -> f64 {
    let testbed = testbed(sck_hz);
    let mut driver = testbed.driver(Config::new(OWN));
    let data = frame(1, 1514);
    let start = testbed.clock.now();
    while testbed.clock.now() < start + Duration::from_secs(1) {
        if let Err(e) = driver.send_frame(&data) {
            assert!(ethdev::Error::kind(&e) == ethdev::ErrorKind::Busy, "{e}");
        }
    }
    testbed.assert_no_violations();
    let frames = std::iter::from_fn(|| testbed.peer.recv()).count();
    frames as f64 * 1514.0 * 8.0 / 1e6
}

/// The peer sends for a second of simulated time, without a pause. Goodput in Mbit/s, and frames
/// overrun.
fn rx_goodput(sck_hz: u32) -> (f64, u64) {
    let testbed = testbed(sck_hz);
    let mut driver = testbed.driver(Config::new(OWN));
    let (mut buf, mut frames, mut number) = ([0; 1514], 0_u32, 0);
    let start = testbed.clock.now();
    while testbed.clock.now() < start + Duration::from_secs(1) {
        // The wire is never idle: there is always the next frame on it.
        while testbed.peer.idle_at() < testbed.clock.now() + Duration::from_millis(2) {
            testbed.peer.send(&frame(number, 1514));
            number += 1;
        }
        if let Some(meta) = driver.recv_frame(&mut buf).unwrap() {
            assert_eq!(buf[..meta.len], frame(frames, 1514), "in order, none missing");
            frames += 1;
        }
    }
    testbed.assert_no_violations();
    (f64::from(frames) * 1514.0 * 8.0 / 1e6, testbed.chip.stats().overflowed)
}

#[test]
fn send_frame_two_slots_saturates_wire() {
    // 812.7 frames of 1514 bytes a second are what 10 Mbit/s carry: 9.84 Mbit/s.
    let [fast, slow] = [20_000_000, 10_000_000].map(tx_goodput);
    assert!(fast >= 0.98 * 9.84 && slow >= 0.98 * 9.84, "{fast} and {slow}");
    assert_in_readme(&format!(
        "| send, frames of 1514 bytes | {fast:.2} Mbit/s at 20 MHz SPI, {slow:.2} at 10 MHz |"
    ));
}

#[test]
fn recv_frame_full_rate_without_overrun() {
    let rates = [20_000_000, 12_500_000, 10_000_000].map(|sck| {
        let (goodput, overflowed) = rx_goodput(sck);
        assert!(
            goodput >= 0.99 * 9.84 && overflowed == 0,
            "{sck} Hz: {goodput}, {overflowed}"
        );
        goodput
    });
    assert_in_readme(&format!(
        "| receive, frames of 1514 bytes (wire: 9.84 Mbit/s) | {:.2} Mbit/s at 20 MHz SPI, {:.2} at 10 MHz, no overrun |",
        rates[0], rates[2]
    ));
}

#[test]
fn ready_int_line_idle_has_no_traffic() {
    use asynch::EthernetDevice;
    let testbed = testbed(20_000_000);
    let mut driver = testbed.by_level(Config::new(OWN));
    // Remaining events of the start.
    let settled = testbed.clock.now() + Duration::from_secs(1);
    assert!(block_on_until(&testbed.clock, settled, driver.ready(Interest::RX)).is_err());
    let (transactions, bytes) = testbed.cost(|| {
        let later = testbed.clock.now() + Duration::from_secs(60);
        let mut tick = 0;
        // Other events on the clock meanwhile.
        while tick < 60 {
            tick += 1;
            testbed.clock.schedule_in(Duration::from_secs(tick), || {});
        }
        let mut ready = std::pin::pin!(driver.ready(Interest::RX));
        // The check before going to sleep.
        let asleep = testbed.clock.now() + Duration::from_millis(1);
        assert!(block_on_until(&testbed.clock, asleep, ready.as_mut()).is_err());
        let idle = testbed.cost(|| assert!(block_on_until(&testbed.clock, later, ready.as_mut()).is_err()));
        println!("asleep for a minute: {idle:?}");
        // `block_on_until` polls once when it begins; nothing is sent by that.
        assert_eq!(idle, (0, 0));
    });
    assert!(transactions < 10 && bytes < 24, "one check: {transactions}, {bytes}");
    testbed.assert_no_violations();
}

#[test]
fn driver_size_is_bounded() {
    let host = size_of::<enc28j60_model::SimSpi>() + size_of::<ethdev_sim::SimDelay>();
    let driver = size_of::<support::Driver>() - host;
    // Without `rx_filtered` and `rx_bad_fcs`, which the chip does not report.
    let counters = size_of::<ethdev::Stats>() - 2 * size_of::<u32>();
    println!("driver: {driver} bytes, of which counters {counters}");
    // 72 on a 32-bit target too.
    assert!(driver - counters <= 72, "{driver}");
}
