//! Frames through the drivers, and what they cost on the bus.

use core::time::Duration;

use cyw43439_model::ChipConfig;
use ethdev_bench::cyw43::Lab;
use ethdev_bench::enc28j60::build;

use super::drivers::{LONGEST, Net, Subject, lab, lab_with, listen};
use super::{Figure, Goal, both};

/// Lengths of frames.
const LENGTHS: [usize; 2] = [60, LONGEST];
/// Frames in a row.
const BURSTS: [u64; 2] = [1, 3];
/// How many frames the firmware takes before it has to give credit again. Real ones give some 20. Ours keeps one credit for requests, which shows where there are
/// few.
const WINDOWS: [u8; 2] = [20, 10];
/// How often: credits come back now and then only.
const ROUNDS: u64 = 100;
/// Until all that was sent has arrived, and every driver sleeps again.
const SETTLED: Duration = Duration::from_millis(20);

/// For each frame.
struct Cost {
    transactions: f64,
    bytes: f64,
    /// The bytes of its own transaction alone.
    own_bytes: f64,
}

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for len in LENGTHS {
        for burst in BURSTS {
            let (ours, theirs) = both!(received, len, burst);
            let of = format!("received, {len} bytes, {}", in_a_row(burst));
            list.extend(beside(&of, &ours, &theirs));
        }
    }
    for len in LENGTHS {
        for burst in BURSTS {
            let in_a_row = in_a_row(burst);
            for window in WINDOWS {
                let (ours, theirs) = both!(sent, len, burst, window);
                let of = format!(
                    "sent, {len} bytes, {in_a_row}, with the credits that come back from a window of {window} (ours keeps one)"
                );
                list.extend(beside(&of, &ours, &theirs));
                if window == WINDOWS[0] {
                    // Command, header, padding, frame, status.
                    let floor = 8 + (18 + len).next_multiple_of(4);
                    let name = format!("the frame's own transaction, sent, {len} bytes, {in_a_row}");
                    let goal = Goal::Exactly(floor as f64);
                    list.push(Figure::beside(name, "bytes", ours.own_bytes, theirs.own_bytes, goal));
                }
            }
        }
    }
    list
}

fn in_a_row(burst: u64) -> String {
    match burst {
        1 => "one at a time".to_owned(),
        more => format!("{more} in a row"),
    }
}

fn beside(of: &str, ours: &Cost, theirs: &Cost) -> [Figure; 2] {
    let figure = |unit, what: fn(&Cost) -> f64| {
        let name = format!("{unit} per frame {of}");
        Figure::beside(name, unit, what(ours), what(theirs), Goal::NotMore)
    };
    [
        figure("transactions", |cost| cost.transactions),
        figure("bytes", |cost| cost.bytes),
    ]
}

/// Runs the same round again and again, and counts what is on the bus.
async fn count(lab: &Lab, net: &mut Net<'_, '_>, burst: u64, round: impl AsyncFn(&mut Net<'_, '_>, u64)) -> Cost {
    // What the join left behind.
    listen(lab, net, Duration::from_secs(1)).await;
    let before = lab.chip.bus();
    for n in 0..ROUNDS {
        round(net, n * burst).await;
    }
    let after = lab.chip.bus();
    let frames = (ROUNDS * burst) as f64;
    Cost {
        transactions: (after.transactions - before.transactions) as f64 / frames,
        bytes: (after.bytes - before.bytes) as f64 / frames,
        own_bytes: (after.write_bytes[2] - before.write_bytes[2]) as f64 / frames,
    }
}

fn received<S: Subject>(len: usize, burst: u64) -> Cost {
    let lab = lab();
    S::run(&lab, false, async |net| {
        count(&lab, net, burst, async |net, first| {
            // All of them are there before the driver is told of the first.
            lab.chip.stick_irq((burst > 1).then_some(false));
            let numbers: Vec<u64> = (first..first + burst).collect();
            for &number in &numbers {
                lab.station.send(&build(number, true, len));
            }
            let mut came = listen(&lab, net, SETTLED).await;
            lab.chip.stick_irq(None);
            came.extend(listen(&lab, net, SETTLED).await);
            assert_eq!(came, numbers, "{}", S::NAME);
        })
        .await
    })
}

fn sent<S: Subject>(len: usize, burst: u64, window: u8) -> Cost {
    let lab = lab_with(ChipConfig::default().with_credit_window(window));
    S::run(&lab, false, async |net| {
        count(&lab, net, burst, async |net, first| {
            for number in first..first + burst {
                net.send(&build(number, false, len)).await;
            }
            listen(&lab, net, SETTLED).await;
            let came: Vec<_> = core::iter::from_fn(|| lab.station.recv()).collect();
            let expected: Vec<_> = (first..first + burst).map(|n| build(n, false, len)).collect();
            assert_eq!(came, expected, "{}", S::NAME);
        })
        .await
    })
}
