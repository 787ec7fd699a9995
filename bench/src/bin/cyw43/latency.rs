//! The time from the last bit of a frame at the access point until the caller has received it.

use core::time::Duration;

use ethdev_bench::enc28j60::{build, number};

use super::drivers::{Dut, MAX_LEN, recv_all, testbed};
use super::{Figure, Goal, both};

/// Frames per measurement, each at another phase of the beacon.
const FRAMES: u64 = 50;
/// The time until the chip sleeps again.
const SLEEP_TIME: Duration = Duration::from_millis(3000);
/// The increment of the phase.
const PHASE_STEP: Duration = Duration::from_micros(7_300);

struct Latency {
    mean: f64,
    max: f64,
}

fn latency<S: Dut>(len: usize, saves_power: bool) -> Latency {
    let testbed = testbed();
    S::run(&testbed, saves_power, async |net| {
        let mut all = Vec::new();
        let mut buf = [0; MAX_LEN];
        for n in 0..FRAMES {
            recv_all(&testbed, net, SLEEP_TIME + PHASE_STEP * n as u32).await;
            let sent = testbed.peer.send(&build(n, true, len));
            let len = net.recv(&mut buf).await;
            assert_eq!(number(&buf[..len], true), Some(n));
            all.push((testbed.clock.now() - sent).as_secs_f64() * 1e6);
        }
        Latency {
            mean: all.iter().sum::<f64>() / all.len() as f64,
            max: all.iter().copied().fold(0.0, f64::max),
        }
    })
}

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for (len, saves_power) in [(60, false), (MAX_LEN, false), (60, true), (MAX_LEN, true)] {
        let (ours, theirs) = both!(latency, len, saves_power);
        let mode = if saves_power {
            "balanced power save (waits for a beacon)"
        } else {
            "no power save"
        };
        let name = format!("latency of a received frame, {len} bytes, {mode}");
        list.push(Figure::with_peer(
            format!("{name}: mean"),
            "us",
            ours.mean,
            theirs.mean,
            Goal::NotMore,
        ));
        list.push(Figure::with_peer(
            format!("{name}: max"),
            "us",
            ours.max,
            theirs.max,
            Goal::NotMore,
        ));
    }
    list
}
