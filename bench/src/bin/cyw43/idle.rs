//! Bus traffic without received frames.

use core::time::Duration;

use ethdev::{Control, EthernetDevice};
use ethdev_bench::cyw43::{ModelBus, PASSPHRASE, SSID};
use ethdev_cyw43::{Config, Cyw43, Network};

use super::drivers::{Dut, MAX_LEN, recv_all, testbed};
use super::{Figure, Goal, both};

/// The duration of the measurement.
const DURATION: Duration = Duration::from_secs(10);
/// The time until the join is complete.
const SETTLED: Duration = Duration::from_secs(1);
/// The poll interval.
const INTERVAL: Duration = Duration::from_millis(1);

pub(crate) fn figures() -> Vec<Figure> {
    let (ours, theirs) = both!(waiting);
    let unit = "bytes/s";
    vec![
        Figure::with_peer(
            "idle bus, waits for the interrupt",
            unit,
            ours,
            theirs,
            Goal::Exactly(0.0),
        ),
        Figure::alone(
            "idle bus, blocking, polls the interrupt line every 1 ms, default watchdog",
            unit,
            polling(true),
            Goal::None,
        ),
        Figure::alone(
            "idle bus, blocking, without the interrupt line, polls every 1 ms (cyw43: not available)",
            unit,
            polling(false),
            Goal::None,
        ),
    ]
}

fn waiting<S: Dut>() -> f64 {
    let testbed = testbed();
    S::run(&testbed, true, async |net| {
        recv_all(&testbed, net, SETTLED).await;
        let before = testbed.chip.bus();
        assert_eq!(recv_all(&testbed, net, DURATION).await, [0; 0]);
        (testbed.chip.bus().bytes - before.bytes) as f64 / DURATION.as_secs_f64()
    })
}

fn polling(has_irq_line: bool) -> f64 {
    let testbed = testbed();
    let mut rx_queue = [0; 4096];
    let bus = ModelBus::new(testbed.chip.word_bus(), has_irq_line);
    let (power, delay) = (testbed.chip.power_pin(), testbed.chip.delay());
    let mut nic = Cyw43::new(bus, power, delay, testbed.driver_images(), &mut rx_queue, Config::new())
        .expect("the receive queue is long enough");
    nic.start().expect("the driver starts");
    let network = Network::wpa2(SSID, PASSPHRASE).expect("a valid network");
    nic.join(&network).expect("the driver joins");
    let mut poll = |time| {
        let (before, end) = (testbed.chip.bus(), testbed.clock.now() + time);
        while testbed.clock.now() < end {
            nic.service().expect("the bus does not fail");
            let frame = nic.recv_frame(&mut [0; MAX_LEN]).expect("the bus does not fail");
            assert_eq!(frame, None);
            testbed.clock.advance(INTERVAL);
        }
        (testbed.chip.bus().bytes - before.bytes) as f64 / time.as_secs_f64()
    };
    poll(SETTLED);
    poll(DURATION)
}
