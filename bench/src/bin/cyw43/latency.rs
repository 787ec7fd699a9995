//! From the last bit of a frame behind the access point until the caller has it.

use core::time::Duration;

use ethdev_bench::enc28j60::{build, number};

use super::drivers::{LONGEST, Subject, lab, listen};
use super::{Figure, Goal, both};

/// Frames, each at another phase of the beacons.
const FRAMES: u64 = 50;
/// The chip sleeps again, where it may.
const ASLEEP: Duration = Duration::from_millis(3000);
/// How the phase moves.
const STEP: Duration = Duration::from_micros(7_300);

struct Latency {
    mean: f64,
    worst: f64,
}

fn latency<S: Subject>(len: usize, saves_power: bool) -> Latency {
    let lab = lab();
    S::run(&lab, saves_power, async |net| {
        let mut all = Vec::new();
        let mut buf = [0; LONGEST];
        for n in 0..FRAMES {
            listen(&lab, net, ASLEEP + STEP * n as u32).await;
            let sent = lab.station.send(&build(n, true, len));
            let len = net.recv(&mut buf).await;
            assert_eq!(number(&buf[..len], true), Some(n));
            all.push((lab.clock.now() - sent).as_secs_f64() * 1e6);
        }
        Latency {
            mean: all.iter().sum::<f64>() / all.len() as f64,
            worst: all.iter().copied().fold(0.0, f64::max),
        }
    })
}

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for (len, saves_power) in [(60, false), (LONGEST, false), (60, true), (LONGEST, true)] {
        let (ours, theirs) = both!(latency, len, saves_power);
        let mode = if saves_power {
            "balanced power save (waits for a beacon)"
        } else {
            "no power save"
        };
        let name = format!("frame on air to the caller, {len} bytes, {mode}");
        list.push(Figure::beside(
            format!("{name}: mean"),
            "us",
            ours.mean,
            theirs.mean,
            Goal::NotMore,
        ));
        list.push(Figure::beside(
            format!("{name}: worst"),
            "us",
            ours.worst,
            theirs.worst,
            Goal::NotMore,
        ));
    }
    list
}
