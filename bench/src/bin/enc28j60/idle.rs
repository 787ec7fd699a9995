//! The bus while nothing comes.

use core::time::Duration;

use ethdev::Interest;
use ethdev::asynch::EthernetDevice as _;
use ethdev_bench::enc28j60::{CHIP, Lab};
use ethdev_enc28j60::Config;
use ethdev_enc28j60::asynch::{Enc28j60, Interrupt, Level, Polled};
use ethdev_sim::{block_on, block_on_until};

use super::drivers::{Embassy, Japaric, Subject};
use super::{Figure, Goal, lab};

/// How long the bus is watched.
const WATCHED: Duration = Duration::from_secs(1);
/// How often who polls does.
const INTERVAL: Duration = Duration::from_millis(1);

pub(crate) fn figures() -> Vec<Figure> {
    let told = lab(20);
    let ours = waiting(&told, Level(told.chip.int_pin()));
    let line = Figure::new("SPI while idle, with an INT line", "bytes/s", ours, Goal::AtMost(0.0));
    let polled = lab(20);
    let ours = waiting(&polled, Polled);
    let name = "SPI while idle, without INT, polls every 1 ms (embassy: no choice)";
    let poll = Figure::new(name, "bytes/s", ours, Goal::Shown);
    let embassy = embassy();
    vec![
        line.beside(embassy, japaric_told()),
        poll.beside(embassy, japaric_polling()),
    ]
}

/// Ours, waiting for a frame that does not come.
fn waiting(lab: &Lab, interrupt: impl Interrupt) -> f64 {
    let started = Enc28j60::new(lab.chip.spi_device(), lab.chip.delay(), interrupt, Config::new(CHIP));
    let mut nic = block_on(&lab.clock, started)
        .expect("something is scheduled")
        .expect("it starts");
    // The link comes, and is noted.
    let ready = nic.ready(Interest::LINK);
    block_on(&lab.clock, ready)
        .expect("the link comes")
        .expect("the bus does not fail");
    let chip = lab.chip.clone();
    let settled = lab.clock.now() + Duration::from_millis(10);
    let (tell, told) = std::sync::mpsc::channel();
    lab.clock.schedule_at(settled, move || {
        let _ = tell.send(chip.bus());
    });
    let end = settled + WATCHED;
    let waited = block_on_until(&lab.clock, end, nic.ready(Interest::RX));
    assert!(waited.is_err(), "nothing came");
    lab.clock.advance_to(end);
    let before = told.recv().expect("the clock went by");
    (lab.chip.bus().bytes - before.bytes) as f64 / WATCHED.as_secs_f64()
}

fn watched(lab: &Lab, mut turn: impl FnMut()) -> f64 {
    let (before, end) = (lab.chip.bus(), lab.clock.now() + WATCHED);
    while lab.clock.now() < end {
        turn();
    }
    (lab.chip.bus().bytes - before.bytes) as f64 / WATCHED.as_secs_f64()
}

/// embassy-net asks for the link and for a frame at each turn, and the driver asks for the next turn at once.
fn embassy() -> f64 {
    let lab = lab(20);
    let mut driver = Embassy::start(&lab);
    let mut buf = [0; 1514];
    watched(&lab, || {
        driver.0.is_link_up();
        driver.recv(&mut buf);
    })
}

/// The INT pin is looked at.
fn japaric_told() -> f64 {
    let lab = lab(20);
    let mut driver = Japaric::start(&lab);
    watched(&lab, || {
        assert!(!driver.0.interrupt_pending());
        lab.clock.advance(Duration::from_micros(10));
    })
}

fn japaric_polling() -> f64 {
    let lab = lab(20);
    let mut driver = Japaric::start(&lab);
    let mut buf = [0; 1514];
    watched(&lab, || {
        driver.recv(&mut buf);
        lab.clock.advance(INTERVAL);
    })
}
