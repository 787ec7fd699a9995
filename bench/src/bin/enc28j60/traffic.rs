//! Goodput of the drivers, and their SPI traffic per frame.

use core::time::Duration;

use ethdev::Interest;
use ethdev::asynch::EthernetDevice as _;
use ethdev_bench::enc28j60::{CHIP, build, number};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{Enc28j60, LevelIrq};
use ethdev_sim::block_on;

use super::drivers::{Dut, Embassy, Japaric, Ours};
use super::{Figure, Goal, testbed};

/// The longest frame, without FCS.
const MAX_LEN: usize = 1514;
/// Frames per measurement of goodput.
const FRAMES: u64 = 1000;
/// Lengths of the frames in measurements of SPI traffic. Four of them fit into the FIFO.
const COUNTED: [usize; 2] = [60, 1000];
/// Rounds per measurement of SPI traffic: enough to wrap the FIFO many times.
const ROUNDS: u64 = 200;
/// The maximum goodput of the wire with such frames, in Mbit/s: preamble, FCS and gap deducted.
const MAX_GOODPUT: f64 = 10.0 * MAX_LEN as f64 / (MAX_LEN + 4 + 8 + 12) as f64;

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for mhz in [20, 10, 8] {
        let [ours, embassy, japaric] = [receive::<Ours>(mhz), receive::<Embassy>(mhz), receive::<Japaric>(mhz)];
        let goal = |limit| if mhz >= 10 { limit } else { Goal::None };
        let name = format!("RX goodput, {MAX_LEN}-byte frames back to back, SPI at {mhz} MHz");
        let limit = goal(Goal::AtLeast(floor(0.99 * MAX_GOODPUT)));
        list.push(Figure::new(name, "Mbit/s", ours.0, limit).with_peers(embassy.0, japaric.0));
        let name = format!("frames lost by overruns meanwhile, of {FRAMES}");
        list.push(Figure::new(name, "frames", ours.1, goal(Goal::AtMost(0.0))).with_peers(embassy.1, japaric.1));
    }
    for mhz in [20, 10, 8] {
        let name = format!("TX goodput, {MAX_LEN}-byte frames, SPI at {mhz} MHz");
        let goal = if mhz == 20 {
            Goal::AtLeast(floor(0.98 * MAX_GOODPUT))
        } else {
            Goal::None
        };
        let peers = (transmit::<Embassy>(mhz), transmit::<Japaric>(mhz));
        list.push(Figure::new(name, "Mbit/s", transmit::<Ours>(mhz), goal).with_peers(peers.0, peers.1));
    }
    for (backlog, most) in [(4, 3.5), (1, 8.0)] {
        for len in COUNTED {
            list.extend(costs(backlog, most, len));
        }
    }
    let [ours, embassy, japaric] = [send_cost::<Ours>(), send_cost::<Embassy>(), send_cost::<Japaric>()];
    let name = "SPI bytes beyond the frame, TX, one at a time";
    list.push(Figure::new(name, "bytes", ours, Goal::AtMost(19.0)).with_peers(embassy, japaric));
    list
}

fn costs(backlog: u64, most: f64, len: usize) -> Vec<Figure> {
    let of = format!("{len}-byte frames, backlog of {backlog}");
    let mut list = Vec::new();
    for (empty_poll, note) in [(false, ""), (true, ", with a last poll that finds no frame")] {
        let ours = cost::<Ours>(backlog, len, empty_poll);
        let embassy = cost::<Embassy>(backlog, len, empty_poll);
        let japaric = cost::<Japaric>(backlog, len, empty_poll);
        let name = format!("SPI transactions per received frame, {of}{note}");
        list.push(Figure::new(name, "transactions", ours.0, Goal::AtMost(most)).with_peers(embassy.0, japaric.0));
        let name = format!("SPI bytes beyond the frame, RX, {of}{note}");
        let limit = if backlog == 4 { Goal::AtMost(16.0) } else { Goal::None };
        list.push(Figure::new(name, "bytes", ours.1, limit).with_peers(embassy.1, japaric.1));
    }
    let asynch = cost_async(backlog, len);
    let note = "async, all polls and the wait for INT included";
    let name = format!("SPI transactions per received frame, {of}, {note}");
    list.push(Figure::new(name, "transactions", asynch.0, Goal::None));
    let name = format!("SPI bytes beyond the frame, RX, {of}, {note}");
    list.push(Figure::new(name, "bytes", asynch.1, Goal::None));
    list
}

/// Rounds down to two decimals, as the table shows limits.
fn floor(value: f64) -> f64 {
    (value * 100.0).floor() / 100.0
}

/// Goodput in Mbit/s, and the number of frames lost by overruns.
fn receive<S: Dut>(mhz: u32) -> (f64, f64) {
    let testbed = testbed(mhz);
    let mut driver = S::start(&testbed);
    let began = testbed.clock.now();
    for n in 0..FRAMES {
        testbed.peer.send(&build(n, true, MAX_LEN));
    }
    let mut buf = [0; MAX_LEN];
    let (mut received, mut last) = (0, began);
    loop {
        while let Some(len) = driver.recv(&mut buf) {
            assert!(number(&buf[..len], true).is_some(), "{}: corrupt frame", S::NAME);
            received += 1;
            last = testbed.clock.now();
        }
        // The host sleeps until the next event.
        if !testbed.clock.step() {
            break;
        }
    }
    let bits = f64::from(received * 8 * MAX_LEN as u32);
    let stats = testbed.chip.stats();
    (
        bits / (last - began).as_secs_f64() / 1e6,
        (stats.overflowed + stats.packet_count_full) as f64,
    )
}

/// Goodput in Mbit/s.
fn transmit<S: Dut>(mhz: u32) -> f64 {
    let testbed = testbed(mhz);
    let mut driver = S::start(&testbed);
    for n in 0..FRAMES {
        while !driver.can_send() {}
        driver.send(&build(n, false, MAX_LEN));
    }
    // Frames in flight arrive.
    for _ in 0..10 {
        testbed.clock.advance(Duration::from_millis(1));
        driver.can_send();
    }
    let mut times = Vec::new();
    while let Some((at, frame)) = testbed.peer.recv_timed() {
        assert_eq!(number(&frame, false), Some(times.len() as u64), "{}", S::NAME);
        times.push(at);
    }
    assert_eq!(times.len() as u64, FRAMES, "{}", S::NAME);
    // From the end of the first frame to the end of the last.
    let took = times[times.len() - 1] - times[0];
    (FRAMES - 1) as f64 * 8.0 * MAX_LEN as f64 / took.as_secs_f64() / 1e6
}

/// SPI transactions per frame, and bytes beyond the frame, for a backlog of frames. `empty_poll`:
/// the host polls once more.
fn cost<S: Dut>(backlog: u64, len: usize, empty_poll: bool) -> (f64, f64) {
    let testbed = testbed(20);
    let mut driver = S::start(&testbed);
    let mut buf = [0; MAX_LEN];
    let mut before = testbed.chip.bus();
    // The first round is not measured: the driver does not know the pointers of the chip yet.
    for round in 0..=ROUNDS {
        if round == 1 {
            before = testbed.chip.bus();
        }
        for n in 0..backlog {
            testbed.peer.send(&build(round * backlog + n, true, len));
        }
        testbed.clock.advance(Duration::from_millis(10));
        for _ in 0..backlog {
            assert_eq!(driver.recv(&mut buf), Some(len), "{}", S::NAME);
        }
        if empty_poll {
            assert_eq!(driver.recv(&mut buf), None, "{}", S::NAME);
        }
    }
    let (after, frames) = (testbed.chip.bus(), (ROUNDS * backlog) as f64);
    let bytes = (after.bytes - before.bytes) as f64 / frames;
    (
        (after.transactions - before.transactions) as f64 / frames,
        bytes - len as f64,
    )
}

/// SPI transactions per frame, and bytes beyond the frame, of the async driver, with the wait for
/// INT.
fn cost_async(backlog: u64, len: usize) -> (f64, f64) {
    let testbed = testbed(20);
    let started = Enc28j60::new(
        testbed.chip.spi_device(),
        testbed.chip.delay(),
        LevelIrq(testbed.chip.int_pin()),
        Config::new(CHIP),
    );
    let mut nic = block_on(&testbed.clock, started)
        .expect("an event is scheduled")
        .expect("the driver starts");
    testbed.clock.advance(Duration::from_millis(50));
    let before = testbed.chip.bus();
    let mut buf = [0; MAX_LEN];
    for round in 0..ROUNDS {
        let (peer, delay) = (&testbed.peer, testbed.chip.delay());
        block_on(&testbed.clock, async {
            for n in 0..backlog {
                peer.send(&build(round * backlog + n, true, len));
            }
            nic.ready(Interest::RX).await.expect("the bus does not fail");
            delay.until(testbed.clock.now() + Duration::from_millis(10)).await;
            let mut received = 0;
            while nic.recv_frame(&mut buf).await.expect("the bus does not fail").is_some() {
                received += 1;
            }
            assert_eq!(received, backlog);
        })
        .expect("frames arrive");
    }
    let (after, frames) = (testbed.chip.bus(), (ROUNDS * backlog) as f64);
    let bytes = (after.bytes - before.bytes) as f64 / frames;
    (
        (after.transactions - before.transactions) as f64 / frames,
        bytes - len as f64,
    )
}

/// SPI bytes beyond the frame for each frame sent, with an idle transmitter.
fn send_cost<S: Dut>() -> f64 {
    let testbed = testbed(20);
    let mut driver = S::start(&testbed);
    let mut before = testbed.chip.bus();
    for n in 0..=ROUNDS {
        if n == 1 {
            before = testbed.chip.bus();
        }
        driver.send(&build(n, false, COUNTED[1]));
        testbed.clock.advance(Duration::from_millis(2));
    }
    assert_eq!(testbed.peer.pending() as u64, ROUNDS + 1, "{}", S::NAME);
    (testbed.chip.bus().bytes - before.bytes) as f64 / ROUNDS as f64 - COUNTED[1] as f64
}
