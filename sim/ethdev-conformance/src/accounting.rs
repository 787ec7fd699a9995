//! Frame accounting: every frame that was offered is delivered, or counted under one reason.

use std::collections::VecDeque;

use ethdev::{Counted, Coverage, LossReason, Stats};

use super::outcome::{CheckResult, ensure};
use super::requirement;

/// The frames of one direction: offered by the sender, delivered to the receiver.
#[derive(Debug, Default)]
pub(super) struct FrameAccount {
    pub(super) expected: VecDeque<Vec<u8>>,
    /// Frames put on the medium, or accepted by the device.
    pub(super) offered: u32,
    /// Frames delivered.
    pub(super) delivered: u32,
    pub(super) bytes: u32,
    /// The last delivered frame.
    pub(super) last: Vec<u8>,
    /// Whether frames may be missing. Those that are must be counted.
    pub(super) gaps: bool,
    /// The reasons for which the check provoked losses.
    pub(super) provoked: Vec<LossReason>,
}

impl FrameAccount {
    /// Compares the counters of sent frames with the frames that the peer received.
    pub(super) fn check_tx(&self, stats: &Stats, coverage: Coverage) -> CheckResult {
        let (offered, delivered) = (self.offered, self.delivered);
        let inexact = self.inexact(stats, coverage);
        // A device that is not informed of the outcome of an accepted frame counts it as sent.
        ensure!(
            stats.tx_frames == delivered || (inexact && stats.tx_frames > delivered),
            requirement::DEVICE_9,
            "expected tx_frames = {delivered} as the peer received, found {}",
            stats.tx_frames
        );
        let counted = stats.tx_frames + stats.tx_lost();
        ensure!(
            counted == offered || (inexact && counted < offered),
            requirement::DEVICE_9,
            "{offered} frames accepted, {delivered} received by the peer: expected the others counted as lost, found {}",
            stats.tx_lost()
        );
        ensure!(
            delivered != offered || stats.tx_bytes == self.bytes,
            requirement::DEVICE_9,
            "tx_bytes is {}, expected {} (without padding and FCS)",
            stats.tx_bytes,
            self.bytes
        );
        Ok(())
    }

    /// Whether frames may be missing: lost for a reason that the check provoked and that the device
    /// declares as not exactly reported. A reason that is counted at least once must have been
    /// counted.
    fn inexact(&self, stats: &Stats, coverage: Coverage) -> bool {
        self.provoked.iter().any(|&reason| match coverage.of(reason) {
            Counted::Exactly => false,
            Counted::AtLeastOne => counter(stats, reason) > 0,
            Counted::NotReported => true,
        })
    }

    /// Compares the counters of received frames with the delivered frames.
    pub(super) fn check_rx(&self, stats: &Stats, coverage: Coverage) -> CheckResult {
        let (offered, delivered, bytes) = (self.offered, self.delivered, self.bytes);
        ensure!(
            stats.rx_frames == delivered && stats.rx_bytes == bytes,
            requirement::DEVICE_9,
            "expected rx_frames = {delivered} and rx_bytes = {bytes} as delivered, found {} and {}",
            stats.rx_frames,
            stats.rx_bytes
        );
        let counted = delivered + stats.rx_lost();
        ensure!(
            counted == offered || (counted < offered && self.inexact(stats, coverage)),
            requirement::DEVICE_9,
            "{offered} frames sent to the device, {delivered} delivered: expected the others counted as lost, found {} ({})",
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

fn counter(stats: &Stats, reason: LossReason) -> u32 {
    match reason {
        LossReason::RxOverrun => stats.rx_overrun,
        LossReason::RxBadFcs => stats.rx_bad_fcs,
        LossReason::RxBadLength => stats.rx_bad_length,
        LossReason::RxError => stats.rx_error,
        LossReason::RxFiltered => stats.rx_filtered,
        LossReason::RxReset => stats.rx_reset,
        LossReason::TxAborted => stats.tx_aborted,
        LossReason::TxReset => stats.tx_reset,
        _ => 0,
    }
}
