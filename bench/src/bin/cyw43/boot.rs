//! From power-up to the network.

use super::drivers::{Dut, testbed};
use super::{Figure, Goal, both};

struct Boot {
    transactions: f64,
    /// Without reads of registers and memory.
    writes: f64,
    bytes: f64,
    millis: f64,
}

fn boot<S: Dut>() -> Boot {
    let testbed = testbed();
    S::run(&testbed, true, async |_| {
        let bus = testbed.chip.bus();
        Boot {
            transactions: bus.transactions as f64,
            writes: (bus.transactions - bus.reads[0] - bus.reads[1]) as f64,
            bytes: bus.bytes as f64,
            millis: testbed.clock.now().as_secs_f64() * 1000.0,
        }
    })
}

pub(crate) fn figures() -> Vec<Figure> {
    let (ours, theirs) = both!(boot);
    let name = "power-up to joined (WPA2, power save; ethdev verifies samples of the firmware)";
    let figure = |unit, what: fn(&Boot) -> f64| Figure::with_peer(name, unit, what(&ours), what(&theirs), Goal::Less);
    // The other driver polls without delay while the firmware starts: the number depends on the
    // host.
    let writes = "power-up to joined, without reads of registers and memory";
    vec![
        figure("transactions", |boot| boot.transactions),
        Figure::with_peer(writes, "transactions", ours.writes, theirs.writes, Goal::None),
        figure("bytes", |boot| boot.bytes),
        figure("ms", |boot| boot.millis),
    ]
}
