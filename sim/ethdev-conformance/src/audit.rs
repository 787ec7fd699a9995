//! Closing the books: every frame that came or was accepted was delivered or counted.

use ethdev::Stats;

use super::bench::{Bench, Book, Verdict, ensure};
use super::fixture::Loss;
use super::line;

impl Bench<'_> {
    /// Closes the books: everything crosses that still can, and what did not is counted.
    pub(super) fn audit(&mut self) -> Verdict {
        self.peer_receives_all()?;
        while self.receive_if_any()? {}
        if !self.dev.features().cached {
            return Ok(());
        }
        let stats = self.stats();
        self.audit_rx(&stats)?;
        let (entered, left) = (self.tx.entered, self.tx.left);
        ensure!(
            stats.tx_frames == left,
            line::DEVICE_9,
            "tx_frames is {} where the peer received {left}",
            stats.tx_frames
        );
        ensure!(
            stats.tx_frames + stats.tx_lost() == entered,
            line::DEVICE_9,
            "{entered} frames were accepted, {left} went out, {} are counted as lost",
            stats.tx_lost()
        );
        ensure!(
            left != entered || stats.tx_bytes == self.tx.bytes,
            line::DEVICE_9,
            "tx_bytes is {} for {} bytes sent (padding and FCS do not count)",
            stats.tx_bytes,
            self.tx.bytes
        );
        Ok(())
    }

    fn audit_rx(&self, stats: &Stats) -> Verdict {
        let Book {
            entered, left, bytes, ..
        } = self.rx;
        ensure!(
            stats.rx_frames == left && stats.rx_bytes == bytes,
            line::DEVICE_9,
            "{left} frames with {bytes} bytes were delivered, the counters say {} and {}",
            stats.rx_frames,
            stats.rx_bytes
        );
        let (counted, unreported) = (left + stats.rx_lost(), self.far().unreported());
        let exact = self.caps.rx_overrun_exact && unreported.is_empty();
        let overrun_told = stats.rx_overrun > 0 || unreported.contains(&Loss::Overrun);
        ensure!(
            counted == entered || (!exact && counted < entered && (!unreported.is_empty() || overrun_told)),
            line::DEVICE_9,
            "{entered} frames came to the device: {left} delivered, {} counted as lost ({})",
            stats.rx_lost(),
            stats
                .iter()
                .filter(|(name, n)| name.starts_with("rx_") && *name != "rx_bytes" && *n != 0)
                .map(|(name, n)| format!("{name} {n}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        Ok(())
    }
}
