//! Frames through the drivers: how fast, and at what cost on the bus.

use core::time::Duration;

use ethdev::Interest;
use ethdev::asynch::EthernetDevice as _;
use ethdev_bench::enc28j60::{CHIP, build, number};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{Enc28j60, Level};
use ethdev_sim::block_on;

use super::drivers::{Embassy, Japaric, Ours, Subject};
use super::{Figure, Goal, lab};

/// The longest frame, without FCS.
const LONGEST: usize = 1514;
/// Frames in a row.
const FRAMES: u64 = 1000;
/// Lengths of the frames that are counted on the bus, of which four fit the FIFO.
const COUNTED: [usize; 2] = [60, 1000];
/// How often: the FIFO's end is met many times.
const ROUNDS: u64 = 200;
/// What the wire carries at most in frames of that length, with preamble, FCS and gap: Mbit/s.
const WIRE: f64 = 10.0 * LONGEST as f64 / (LONGEST + 4 + 8 + 12) as f64;

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for mhz in [20, 10, 8] {
        let [ours, embassy, japaric] = [receive::<Ours>(mhz), receive::<Embassy>(mhz), receive::<Japaric>(mhz)];
        let goal = |limit| if mhz >= 10 { limit } else { Goal::Shown };
        let name = format!("RX goodput, {LONGEST}-byte frames back to back, SPI at {mhz} MHz");
        let limit = goal(Goal::AtLeast(floor(0.99 * WIRE)));
        list.push(Figure::new(name, "Mbit/s", ours.0, limit).beside(embassy.0, japaric.0));
        let name = format!("frames lost by overruns in that, of {FRAMES}");
        list.push(Figure::new(name, "frames", ours.1, goal(Goal::AtMost(0.0))).beside(embassy.1, japaric.1));
    }
    for mhz in [20, 10, 8] {
        let name = format!("TX goodput, {LONGEST}-byte frames, SPI at {mhz} MHz");
        let goal = if mhz == 20 {
            Goal::AtLeast(floor(0.98 * WIRE))
        } else {
            Goal::Shown
        };
        let peers = (transmit::<Embassy>(mhz), transmit::<Japaric>(mhz));
        list.push(Figure::new(name, "Mbit/s", transmit::<Ours>(mhz), goal).beside(peers.0, peers.1));
    }
    for (backlog, most) in [(4, 3.5), (1, 8.0)] {
        for len in COUNTED {
            list.extend(costs(backlog, most, len));
        }
    }
    let [ours, embassy, japaric] = [send_cost::<Ours>(), send_cost::<Embassy>(), send_cost::<Japaric>()];
    let name = "SPI bytes beyond the frame, TX, one at a time";
    list.push(Figure::new(name, "bytes", ours, Goal::AtMost(19.0)).beside(embassy, japaric));
    list
}

fn costs(backlog: u64, most: f64, len: usize) -> Vec<Figure> {
    let of = format!("{len}-byte frames, backlog of {backlog}");
    let mut list = Vec::new();
    for (looks_again, note) in [(false, ""), (true, ", a last look that finds nothing included")] {
        let ours = cost::<Ours>(backlog, len, looks_again);
        let embassy = cost::<Embassy>(backlog, len, looks_again);
        let japaric = cost::<Japaric>(backlog, len, looks_again);
        let name = format!("SPI transactions per received frame, {of}{note}");
        list.push(Figure::new(name, "transactions", ours.0, Goal::AtMost(most)).beside(embassy.0, japaric.0));
        let name = format!("SPI bytes beyond the frame, RX, {of}{note}");
        let limit = if backlog == 4 { Goal::AtMost(16.0) } else { Goal::Shown };
        list.push(Figure::new(name, "bytes", ours.1, limit).beside(embassy.1, japaric.1));
    }
    let awaited = cost_awaited(backlog, len);
    let note = "async: told by INT, all looks, and waiting for it again";
    let name = format!("SPI transactions per received frame, {of}, {note}");
    list.push(Figure::new(name, "transactions", awaited.0, Goal::Shown));
    let name = format!("SPI bytes beyond the frame, RX, {of}, {note}");
    list.push(Figure::new(name, "bytes", awaited.1, Goal::Shown));
    list
}

/// To two digits, as the table shows limits.
fn floor(value: f64) -> f64 {
    (value * 100.0).floor() / 100.0
}

/// Goodput in Mbit/s, and how many frames did not fit the FIFO.
fn receive<S: Subject>(mhz: u32) -> (f64, f64) {
    let lab = lab(mhz);
    let mut driver = S::start(&lab);
    let began = lab.clock.now();
    for n in 0..FRAMES {
        lab.station.send(&build(n, true, LONGEST));
    }
    let mut buf = [0; LONGEST];
    let (mut received, mut last) = (0, began);
    loop {
        while let Some(len) = driver.recv(&mut buf) {
            assert!(number(&buf[..len], true).is_some(), "{}: a damaged frame", S::NAME);
            received += 1;
            last = lab.clock.now();
        }
        // The host sleeps until something happens.
        if !lab.clock.step() {
            break;
        }
    }
    let bits = f64::from(received * 8 * LONGEST as u32);
    let truth = lab.chip.stats();
    (
        bits / (last - began).as_secs_f64() / 1e6,
        (truth.overflowed + truth.packet_count_full) as f64,
    )
}

/// Goodput in Mbit/s.
fn transmit<S: Subject>(mhz: u32) -> f64 {
    let lab = lab(mhz);
    let mut driver = S::start(&lab);
    for n in 0..FRAMES {
        while !driver.can_send() {}
        driver.send(&build(n, false, LONGEST));
    }
    // What is on its way arrives.
    for _ in 0..10 {
        lab.clock.advance(Duration::from_millis(1));
        driver.can_send();
    }
    let mut times = Vec::new();
    while let Some((at, frame)) = lab.station.recv_timed() {
        assert_eq!(number(&frame, false), Some(times.len() as u64), "{}", S::NAME);
        times.push(at);
    }
    assert_eq!(times.len() as u64, FRAMES, "{}", S::NAME);
    // From the end of the first to the end of the last.
    let took = times[times.len() - 1] - times[0];
    (FRAMES - 1) as f64 * 8.0 * LONGEST as f64 / took.as_secs_f64() / 1e6
}

/// Transactions, and bytes beyond the frame, for each frame of a backlog; and where the host looks once more, and finds nothing.
fn cost<S: Subject>(backlog: u64, len: usize, looks_again: bool) -> (f64, f64) {
    let lab = lab(20);
    let mut driver = S::start(&lab);
    let mut buf = [0; LONGEST];
    let mut before = lab.chip.bus();
    // The first round does not count: the driver does not know the chip's pointers yet.
    for round in 0..=ROUNDS {
        if round == 1 {
            before = lab.chip.bus();
        }
        for n in 0..backlog {
            lab.station.send(&build(round * backlog + n, true, len));
        }
        lab.clock.advance(Duration::from_millis(10));
        for _ in 0..backlog {
            assert_eq!(driver.recv(&mut buf), Some(len), "{}", S::NAME);
        }
        if looks_again {
            assert_eq!(driver.recv(&mut buf), None, "{}", S::NAME);
        }
    }
    let (after, frames) = (lab.chip.bus(), (ROUNDS * backlog) as f64);
    let bytes = (after.bytes - before.bytes) as f64 / frames;
    (
        (after.transactions - before.transactions) as f64 / frames,
        bytes - len as f64,
    )
}

/// The same of the async driver, with all that waiting for the INT line costs.
fn cost_awaited(backlog: u64, len: usize) -> (f64, f64) {
    let lab = lab(20);
    let started = Enc28j60::new(
        lab.chip.spi_device(),
        lab.chip.delay(),
        Level(lab.chip.int_pin()),
        Config::new(CHIP),
    );
    let mut nic = block_on(&lab.clock, started)
        .expect("something is scheduled")
        .expect("it starts");
    lab.clock.advance(Duration::from_millis(50));
    let before = lab.chip.bus();
    let mut buf = [0; LONGEST];
    for round in 0..ROUNDS {
        let (station, rest) = (&lab.station, lab.chip.delay());
        block_on(&lab.clock, async {
            for n in 0..backlog {
                station.send(&build(round * backlog + n, true, len));
            }
            nic.ready(Interest::RX).await.expect("the bus does not fail");
            rest.until(lab.clock.now() + Duration::from_millis(10)).await;
            let mut received = 0;
            while nic.recv_frame(&mut buf).await.expect("the bus does not fail").is_some() {
                received += 1;
            }
            assert_eq!(received, backlog);
        })
        .expect("frames come");
    }
    let (after, frames) = (lab.chip.bus(), (ROUNDS * backlog) as f64);
    let bytes = (after.bytes - before.bytes) as f64 / frames;
    (
        (after.transactions - before.transactions) as f64 / frames,
        bytes - len as f64,
    )
}

/// Bytes beyond the frame for each frame sent, with the transmitter idle before each.
fn send_cost<S: Subject>() -> f64 {
    let lab = lab(20);
    let mut driver = S::start(&lab);
    let mut before = lab.chip.bus();
    for n in 0..=ROUNDS {
        if n == 1 {
            before = lab.chip.bus();
        }
        driver.send(&build(n, false, COUNTED[1]));
        lab.clock.advance(Duration::from_millis(2));
    }
    assert_eq!(lab.station.pending() as u64, ROUNDS + 1, "{}", S::NAME);
    (lab.chip.bus().bytes - before.bytes) as f64 / ROUNDS as f64 - COUNTED[1] as f64
}
