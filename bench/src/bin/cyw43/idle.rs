//! The bus while nothing comes.

use core::time::Duration;

use ethdev::{Control, EthernetDevice};
use ethdev_bench::cyw43::{Host, PASSPHRASE, SSID};
use ethdev_cyw43::{Config, Cyw43, Network};

use super::drivers::{LONGEST, Subject, lab, listen};
use super::{Figure, Goal, both};

/// How long the bus is watched.
const WATCHED: Duration = Duration::from_secs(10);
/// Until nothing of the join is left.
const SETTLED: Duration = Duration::from_secs(1);
/// How often who polls does.
const INTERVAL: Duration = Duration::from_millis(1);

pub(crate) fn figures() -> Vec<Figure> {
    let (ours, theirs) = both!(waiting);
    let unit = "bytes/s";
    vec![
        Figure::beside(
            "idle bus, told by the interrupt",
            unit,
            ours,
            theirs,
            Goal::Exactly(0.0),
        ),
        Figure::alone(
            "idle bus, blocking, polls the line every 1 ms, looks after the chip's health as it comes",
            unit,
            polling(true),
            Goal::Shown,
        ),
        Figure::alone(
            "idle bus, blocking, cannot see the line, polls every 1 ms (cyw43: no choice)",
            unit,
            polling(false),
            Goal::Shown,
        ),
    ]
}

fn waiting<S: Subject>() -> f64 {
    let lab = lab();
    S::run(&lab, true, async |net| {
        listen(&lab, net, SETTLED).await;
        let before = lab.chip.bus();
        assert_eq!(listen(&lab, net, WATCHED).await, [0; 0]);
        (lab.chip.bus().bytes - before.bytes) as f64 / WATCHED.as_secs_f64()
    })
}

fn polling(sees_line: bool) -> f64 {
    let lab = lab();
    let mut memory = [0; 4096];
    let host = Host::new(lab.chip.word_bus(), sees_line);
    let (power, delay) = (lab.chip.power_pin(), lab.chip.delay());
    let mut nic =
        Cyw43::new(host, power, delay, lab.driver_images(), &mut memory, Config::new()).expect("enough memory");
    nic.start().expect("it starts");
    let network = Network::wpa2(SSID, PASSPHRASE).expect("a network");
    nic.join(&network).expect("it joins");
    let mut poll = |time| {
        let (before, end) = (lab.chip.bus(), lab.clock.now() + time);
        while lab.clock.now() < end {
            nic.service().expect("the bus does not fail");
            let frame = nic.recv_frame(&mut [0; LONGEST]).expect("the bus does not fail");
            assert_eq!(frame, None);
            lab.clock.advance(INTERVAL);
        }
        (lab.chip.bus().bytes - before.bytes) as f64 / time.as_secs_f64()
    };
    poll(SETTLED);
    poll(WATCHED)
}
