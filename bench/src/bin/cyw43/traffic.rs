//! Bus traffic per frame.

use core::time::Duration;

use cyw43439_model::ChipConfig;
use ethdev_bench::cyw43::Testbed;
use ethdev_bench::enc28j60::build;

use super::drivers::{Dut, MAX_LEN, Net, recv_all, testbed, testbed_with};
use super::{Figure, Goal, both};

/// Frame lengths.
const LENGTHS: [usize; 2] = [60, MAX_LEN];
/// Frames per burst.
const BURSTS: [u64; 2] = [1, 3];
/// Credit windows: the frames that the firmware accepts before it grants more credit, about 20 on
/// real firmware. ethdev reserves one credit for requests, which matters in small windows.
const WINDOWS: [u8; 2] = [20, 10];
/// Rounds per measurement: enough to average the rare credit updates.
const ROUNDS: u64 = 100;
/// The time until all frames have arrived and the driver waits again.
const SETTLED: Duration = Duration::from_millis(20);

/// Bus traffic per frame.
struct Cost {
    transactions: f64,
    bytes: f64,
    /// The bytes of the transaction with the frame.
    own_bytes: f64,
}

pub(crate) fn figures() -> Vec<Figure> {
    let mut list = Vec::new();
    for len in LENGTHS {
        for burst in BURSTS {
            let (ours, theirs) = both!(received, len, burst);
            let of = format!("received, {len} bytes, {}", in_a_row(burst));
            list.extend(with_peer(&of, &ours, &theirs));
        }
    }
    for len in LENGTHS {
        for burst in BURSTS {
            let in_a_row = in_a_row(burst);
            for window in WINDOWS {
                let (ours, theirs) = both!(sent, len, burst, window);
                let of = format!("sent, {len} bytes, {in_a_row}, credit window {window} (ethdev reserves one)");
                list.extend(with_peer(&of, &ours, &theirs));
                if window == WINDOWS[0] {
                    // Command, header, padding, frame, status.
                    let floor = 8 + (18 + len).next_multiple_of(4);
                    let name = format!("the frame's own transaction, sent, {len} bytes, {in_a_row}");
                    let goal = Goal::Exactly(floor as f64);
                    list.push(Figure::with_peer(name, "bytes", ours.own_bytes, theirs.own_bytes, goal));
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

fn with_peer(of: &str, ours: &Cost, theirs: &Cost) -> [Figure; 2] {
    let figure = |unit, what: fn(&Cost) -> f64| {
        let name = format!("{unit} per frame {of}");
        Figure::with_peer(name, unit, what(ours), what(theirs), Goal::NotMore)
    };
    [
        figure("transactions", |cost| cost.transactions),
        figure("bytes", |cost| cost.bytes),
    ]
}

/// Counts the bus traffic of repeated rounds.
async fn count(
    testbed: &Testbed,
    net: &mut Net<'_, '_>,
    burst: u64,
    round: impl AsyncFn(&mut Net<'_, '_>, u64),
) -> Cost {
    // Frames of the join.
    recv_all(testbed, net, Duration::from_secs(1)).await;
    let before = testbed.chip.bus();
    for n in 0..ROUNDS {
        round(net, n * burst).await;
    }
    let after = testbed.chip.bus();
    let frames = (ROUNDS * burst) as f64;
    Cost {
        transactions: (after.transactions - before.transactions) as f64 / frames,
        bytes: (after.bytes - before.bytes) as f64 / frames,
        own_bytes: (after.write_bytes[2] - before.write_bytes[2]) as f64 / frames,
    }
}

fn received<S: Dut>(len: usize, burst: u64) -> Cost {
    let testbed = testbed();
    S::run(&testbed, false, async |net| {
        count(&testbed, net, burst, async |net, first| {
            // The interrupt is held back until all frames have arrived.
            testbed.chip.force_irq((burst > 1).then_some(false));
            let numbers: Vec<u64> = (first..first + burst).collect();
            for &number in &numbers {
                testbed.peer.send(&build(number, true, len));
            }
            let mut received = recv_all(&testbed, net, SETTLED).await;
            testbed.chip.force_irq(None);
            received.extend(recv_all(&testbed, net, SETTLED).await);
            assert_eq!(received, numbers, "{}", S::NAME);
        })
        .await
    })
}

fn sent<S: Dut>(len: usize, burst: u64, window: u8) -> Cost {
    let testbed = testbed_with(ChipConfig::default().with_credit_window(window));
    S::run(&testbed, false, async |net| {
        count(&testbed, net, burst, async |net, first| {
            for number in first..first + burst {
                net.send(&build(number, false, len)).await;
            }
            recv_all(&testbed, net, SETTLED).await;
            let received: Vec<_> = core::iter::from_fn(|| testbed.peer.recv()).collect();
            let expected: Vec<_> = (first..first + burst).map(|n| build(n, false, len)).collect();
            assert_eq!(received, expected, "{}", S::NAME);
        })
        .await
    })
}
