//! Frame accounting: every frame that was offered is delivered, or counted under one reason.

use std::collections::VecDeque;

use ethdev::{Counted, Coverage, LossReason, Stats};

use super::outcome::{CheckResult, ensure};
use super::requirement;

/// The reasons for which received frames are lost, other than that the caller dropped them.
const RX_REASONS: [LossReason; 6] = [
    LossReason::RxOverrun,
    LossReason::RxBadFcs,
    LossReason::RxBadLength,
    LossReason::RxError,
    LossReason::RxFiltered,
    LossReason::RxReset,
];
const TX_REASONS: [LossReason; 2] = [LossReason::TxAborted, LossReason::TxReset];

/// A frame that was neither delivered nor discarded by the caller.
#[derive(Debug)]
struct LostFrame {
    /// Length in bytes, as passed by the sender.
    len: u32,
    /// The reasons under which it may be counted: those that the check provoked.
    reasons: Vec<LossReason>,
    /// Whether the device may have sent it while the cable was unplugged.
    into_lost_link: bool,
}

/// The frames of one direction: offered by the sender, delivered to the receiver.
#[derive(Debug, Default)]
pub(super) struct FrameAccount {
    pub(super) expected: VecDeque<Vec<u8>>,
    /// Frames put on the medium, or accepted by the device.
    pub(super) offered: u32,
    /// Frames delivered.
    pub(super) delivered: u32,
    /// Bytes of the delivered frames, as passed by the sender.
    pub(super) bytes: u32,
    /// Frames that the caller discarded.
    pub(super) discarded: u32,
    /// The last delivered frame.
    pub(super) last: Vec<u8>,
    /// Whether frames may be missing. Those that are must be counted.
    pub(super) gaps: bool,
    /// The reasons for which the check provoked losses.
    pub(super) provoked: Vec<LossReason>,
    /// Whether frames may be sent while the cable is unplugged.
    pub(super) into_lost_link: bool,
    lost: Vec<LostFrame>,
}

impl FrameAccount {
    /// Notes that a frame of `len` bytes was lost for one of the provoked reasons.
    pub(super) fn lose(&mut self, len: usize) {
        let reasons = self.provoked.clone();
        self.lose_for(len, reasons);
    }

    /// Notes that a frame of `len` bytes was lost for one of these reasons.
    pub(super) fn lose_for(&mut self, len: usize, reasons: Vec<LossReason>) {
        self.lost.push(LostFrame {
            len: len as u32,
            reasons,
            into_lost_link: self.into_lost_link,
        });
    }

    /// Notes that the frames which are still expected are lost.
    pub(super) fn lose_expected(&mut self) {
        while let Some(frame) = self.expected.pop_front() {
            self.lose(frame.len());
        }
    }

    /// Compares the counters of received frames with the delivered frames.
    pub(super) fn check_rx(&mut self, stats: &Stats, coverage: Coverage) -> CheckResult {
        self.lose_expected();
        let (delivered, bytes, discarded) = (self.delivered, self.bytes, self.discarded);
        ensure!(
            stats.rx_frames == delivered && stats.rx_bytes == bytes,
            requirement::DEVICE_9,
            "expected rx_frames = {delivered} and rx_bytes = {bytes} as delivered, found {} and {}",
            stats.rx_frames,
            stats.rx_bytes
        );
        ensure!(
            stats.rx_discarded == discarded,
            requirement::DEVICE_9,
            "expected rx_discarded = {discarded} as the caller discarded, found {}",
            stats.rx_discarded
        );
        let counted = stats.rx_lost().wrapping_sub(stats.rx_discarded);
        let lost = self.lost.len() as u32;
        let uncounted = self.excused(stats, coverage).count() as u32;
        ensure!(
            counted <= lost && counted + uncounted >= lost,
            requirement::DEVICE_9,
            "{} frames sent to the device, {delivered} delivered: expected {lost} counted as lost, found {counted} ({})",
            self.offered,
            reasons(stats, "rx_")
        );
        self.check_reasons(stats, coverage, &RX_REASONS)
    }

    /// Compares the counters of sent frames with the frames that the peer received.
    pub(super) fn check_tx(&mut self, stats: &Stats, coverage: Coverage) -> CheckResult {
        self.lose_expected();
        let (offered, delivered) = (self.offered, self.delivered);
        // A device that is not informed of the outcome of an accepted frame counts it as sent.
        let uncounted = self.excused(stats, coverage).count();
        let is_unknown = |frame: &&LostFrame| frame.into_lost_link || frame.is_excused(stats, coverage);
        let mut unknown: Vec<u32> = self.lost.iter().filter(is_unknown).map(|frame| frame.len).collect();
        let falsely_sent = stats.tx_frames.wrapping_sub(delivered);
        ensure!(
            falsely_sent as usize <= unknown.len(),
            requirement::DEVICE_9,
            "expected tx_frames = {delivered} as the peer received, found {}",
            stats.tx_frames
        );
        let counted = stats.tx_frames + stats.tx_lost();
        ensure!(
            counted <= offered && counted as usize + uncounted >= offered as usize,
            requirement::DEVICE_9,
            "{offered} frames accepted, {delivered} received by the peer: expected {} counted as lost, found {} ({})",
            self.lost.len(),
            stats.tx_lost(),
            reasons(stats, "tx_")
        );
        // Which of the lost frames are counted as sent is unknown.
        unknown.sort_unstable();
        let falsely_sent = falsely_sent as usize;
        let least = self.bytes.wrapping_add(unknown[..falsely_sent].iter().sum());
        let most = self
            .bytes
            .wrapping_add(unknown[unknown.len() - falsely_sent..].iter().sum());
        ensure!(
            (least..=most).contains(&stats.tx_bytes),
            requirement::DEVICE_9,
            "expected tx_bytes = {least}{} (without padding and FCS), found {}",
            if least == most {
                String::new()
            } else {
                format!(" to {most}")
            },
            stats.tx_bytes
        );
        self.check_reasons(stats, coverage, &TX_REASONS)
    }

    /// Each counter is between the number of frames that only this reason explains and the number
    /// of frames that it may explain.
    fn check_reasons(&self, stats: &Stats, coverage: Coverage, all: &[LossReason]) -> CheckResult {
        for &reason in all {
            let counted = counter(stats, reason);
            let most = self.lost.iter().filter(|frame| frame.reasons.contains(&reason)).count();
            ensure!(
                counted as usize <= most,
                requirement::DEVICE_9,
                "{reason:?}: expected at most {most} frames counted, for the others there was no such reason; found {counted}"
            );
            let only = |frame: &&LostFrame| frame.reasons == [reason] && !frame.into_lost_link;
            let least = self.lost.iter().filter(only).count();
            ensure!(
                counted as usize >= least || coverage.of(reason) != Counted::Exactly,
                requirement::DEVICE_9,
                "{reason:?}: expected {least} frames counted, found {counted}"
            );
        }
        Ok(())
    }

    /// The frames that may be missing in the counters.
    fn excused(&self, stats: &Stats, coverage: Coverage) -> impl Iterator<Item = &LostFrame> {
        self.lost.iter().filter(move |frame| frame.is_excused(stats, coverage))
    }
}

impl LostFrame {
    /// Whether it may be missing in the counters: lost for a reason that the check provoked and that
    /// the device declares as not exactly reported. A reason that is counted at least once must have
    /// been counted.
    fn is_excused(&self, stats: &Stats, coverage: Coverage) -> bool {
        self.reasons.iter().any(|&reason| match coverage.of(reason) {
            Counted::Exactly => false,
            Counted::AtLeastOne => counter(stats, reason) > 0,
            Counted::NotReported => true,
        })
    }
}

/// The counters of lost frames of one direction that are not 0.
fn reasons(stats: &Stats, direction: &str) -> String {
    stats
        .iter()
        .filter(|(name, n)| name.starts_with(direction) && !name.ends_with("_bytes") && *n != 0)
        .map(|(name, n)| format!("{name} {n}"))
        .collect::<Vec<_>>()
        .join(", ")
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
