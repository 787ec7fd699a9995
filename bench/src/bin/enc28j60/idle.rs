//! SPI traffic without received frames.

use core::time::Duration;

use ethdev::Interest;
use ethdev::asynch::EthernetDevice as _;
use ethdev_bench::enc28j60::{CHIP, Testbed};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{Enc28j60, Interrupt, LevelIrq, Polled};
use ethdev_sim::{block_on, block_on_until};

use super::drivers::{Dut, Embassy, Japaric};
use super::{Figure, Goal, testbed};

/// The duration of the measurement.
const DURATION: Duration = Duration::from_secs(1);
/// The poll interval.
const INTERVAL: Duration = Duration::from_millis(1);

pub(crate) fn figures() -> Vec<Figure> {
    let with_irq = testbed(20);
    let ours = waiting(&with_irq, LevelIrq(with_irq.chip.int_pin()));
    let line = Figure::new("SPI while idle, with INT", "bytes/s", ours, Goal::AtMost(0.0));
    let polled = testbed(20);
    let ours = waiting(&polled, Polled);
    let name = "SPI while idle, without INT, polled every 1 ms (embassy: always)";
    let poll = Figure::new(name, "bytes/s", ours, Goal::None);
    let embassy = embassy();
    vec![
        line.with_peers(embassy, japaric_with_irq()),
        poll.with_peers(embassy, japaric_polling()),
    ]
}

/// ethdev's async driver, waiting for a frame that does not arrive.
fn waiting(testbed: &Testbed, interrupt: impl Interrupt) -> f64 {
    let started = Enc28j60::new(
        testbed.chip.spi_device(),
        testbed.chip.delay(),
        interrupt,
        Config::new(CHIP),
    );
    let mut nic = block_on(&testbed.clock, started)
        .expect("an event is scheduled")
        .expect("the driver starts");
    // Waits until the link is up.
    let ready = nic.ready(Interest::LINK);
    block_on(&testbed.clock, ready)
        .expect("the link comes up")
        .expect("the bus does not fail");
    let chip = testbed.chip.clone();
    let settled = testbed.clock.now() + Duration::from_millis(10);
    let (sender, receiver) = std::sync::mpsc::channel();
    testbed.clock.schedule_at(settled, move || {
        let _ = sender.send(chip.bus());
    });
    let end = settled + DURATION;
    let waited = block_on_until(&testbed.clock, end, nic.ready(Interest::RX));
    assert!(waited.is_err(), "no frame");
    testbed.clock.advance_to(end);
    let before = receiver.recv().expect("the measurement began");
    (testbed.chip.bus().bytes - before.bytes) as f64 / DURATION.as_secs_f64()
}

fn bytes_per_second(testbed: &Testbed, mut turn: impl FnMut()) -> f64 {
    let (before, end) = (testbed.chip.bus(), testbed.clock.now() + DURATION);
    while testbed.clock.now() < end {
        turn();
    }
    (testbed.chip.bus().bytes - before.bytes) as f64 / DURATION.as_secs_f64()
}

/// embassy-net polls the link and a frame in each turn, and the driver requests the next turn at
/// once.
fn embassy() -> f64 {
    let testbed = testbed(20);
    let mut driver = Embassy::start(&testbed);
    let mut buf = [0; 1514];
    bytes_per_second(&testbed, || {
        driver.0.is_link_up();
        driver.recv(&mut buf);
    })
}

/// The host polls the INT pin.
fn japaric_with_irq() -> f64 {
    let testbed = testbed(20);
    let mut driver = Japaric::start(&testbed);
    bytes_per_second(&testbed, || {
        assert!(!driver.0.interrupt_pending());
        testbed.clock.advance(Duration::from_micros(10));
    })
}

fn japaric_polling() -> f64 {
    let testbed = testbed(20);
    let mut driver = Japaric::start(&testbed);
    let mut buf = [0; 1514];
    bytes_per_second(&testbed, || {
        driver.recv(&mut buf);
        testbed.clock.advance(INTERVAL);
    })
}
