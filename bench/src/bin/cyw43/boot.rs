//! From no power to the network.

use super::drivers::{Subject, lab};
use super::{Figure, Goal, both};

struct Boot {
    transactions: f64,
    /// Without what is only looked at.
    done: f64,
    bytes: f64,
    millis: f64,
}

fn boot<S: Subject>() -> Boot {
    let lab = lab();
    S::run(&lab, true, async |_| {
        let bus = lab.chip.bus();
        Boot {
            transactions: bus.transactions as f64,
            done: (bus.transactions - bus.reads[0] - bus.reads[1]) as f64,
            bytes: bus.bytes as f64,
            millis: lab.clock.now().as_secs_f64() * 1000.0,
        }
    })
}

pub(crate) fn figures() -> Vec<Figure> {
    let (ours, theirs) = both!(boot);
    let name = "from no power to joined (WPA2, power save on; ours reads samples of the firmware back)";
    let figure = |unit, what: fn(&Boot) -> f64| Figure::beside(name, unit, what(&ours), what(&theirs), Goal::Less);
    // The other one polls without a pause while the firmware starts: how often depends on the host.
    let looks = "of that, without reads of registers and memory (polls, read-backs)";
    vec![
        figure("transactions", |boot| boot.transactions),
        Figure::beside(looks, "transactions", ours.done, theirs.done, Goal::Shown),
        figure("bytes", |boot| boot.bytes),
        figure("ms", |boot| boot.millis),
    ]
}
