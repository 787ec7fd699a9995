//! Frame accounting: every frame is delivered, sent, pending, or counted.

use super::*;
use ethdev::Control;

in_both_modes! {
    accounting_random_calls_counts_every_frame,
}

/// Numerical Recipes' linear congruential generator: the high bits are random enough for a choice
/// of calls.
struct Rng(u32);

impl Rng {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % limit
    }
}

fn accounting_random_calls_counts_every_frame<M: Mode<MockDevice>>(mut adapter: Dut<'_, M>) {
    let mut rng = Rng(0x5EED);
    let (mut arrived, mut read, mut read_bytes, mut written) = (0, 0, 0, 0);
    for step in 0..20_000 {
        match rng.below(12) {
            0..=2 => {
                let len = rng.below(200) as usize;
                adapter.inner_mut().rx.push_back(frame(1, len));
                arrived += 1;
            }
            3 | 4 => {
                if let Some(frame) = answer(&mut adapter, 7, 42) {
                    read += u32::from(!frame.is_empty());
                    read_bytes += frame.len() as u32;
                    written += 1;
                }
            }
            5 => drop(adapter.receive(NOW)),
            6 | 7 => written += usize::from(send(&mut adapter, 8, 60)),
            8 => adapter.inner_mut().tx_free = rng.below(3) as usize,
            9 => adapter.inner_mut().faults.false_ready = rng.below(2) == 0,
            10 => {
                adapter.inner_mut().cable = if rng.below(3) == 0 { Link::Down } else { Link::UP };
                adapter.service().unwrap();
            }
            _ => {
                let done = match rng.below(4) {
                    0 => adapter.stop(),
                    1 => adapter.sleep(),
                    _ => adapter.start(),
                };
                done.unwrap();
            }
        }
        let stats = adapter.stats();
        assert_eq!((stats.rx_frames, stats.rx_bytes), (read, read_bytes), "step {step}");
        let pending = adapter.inner().rx.len() + usize::from(adapter.mode.holds_frame());
        let accounted = stats.rx_frames + stats.rx_discarded + stats.rx_reset;
        assert_eq!(accounted as usize + pending, arrived, "step {step}");
        let drops = adapter.drops();
        assert_eq!(drops.rx_too_short, stats.rx_discarded, "step {step}");
        let accounted = adapter.inner().tx.len() + usize::from(adapter.has_pending_reply());
        assert_eq!(accounted + drops.tx_lost() as usize, written, "step {step}");
    }
    // Each counter was used.
    let drops = adapter.drops();
    assert!(drops.iter().all(|(name, n)| n > 0 || name == "tx_refused"), "{drops:?}");
    assert!(adapter.stats().rx_reset > 0 && read > 0);
}
