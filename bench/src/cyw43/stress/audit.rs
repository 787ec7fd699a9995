//! The requirements at the end of a run.

use core::time::Duration;

use super::faults::{Family, FaultKind};
use super::stats::RunStats;

/// Limit of receive and send calls, which move at most 64 long frames and send no request.
const MAX_DATA: Duration = Duration::from_millis(100);
/// Limit of `service`: two requests, each of which waits for a late response and for its own.
const MAX_SERVICE: Duration = Duration::from_secs(5);
/// Limit of a join: a dozen requests and the join timeout.
const MAX_JOIN: Duration = Duration::from_secs(20);
/// Noise is a frame with an invalid header to the driver, which counts it as lost, and reports a
/// fault of the protocol after so many in a row.
const MAX_NOISE: u64 = 8;
/// Limit of a boot: power-up, images, thirty requests.
const MAX_CONTROL: Duration = Duration::from_secs(10);

impl FaultKind {
    /// The time after its end within which frames must flow again.
    pub(super) const fn recovery_limit(self) -> Duration {
        match self {
            // Two requests time out after 1 s each before the firmware counts as halted.
            Self::ReplyLength
            | Self::ReplyId
            | Self::ReplyStatus
            | Self::ReplyLost
            | Self::ReplyTwice
            | Self::ReplyLate
            | Self::RequestRefused => Duration::from_secs(5),
            // The driver rejoins, or restarts the chip and joins.
            Self::Deauthenticated
            | Self::Disassociated
            | Self::AccessPointGone
            | Self::StatusInvalid
            | Self::DataStuck
            | Self::DataNoise
            | Self::Brownout
            | Self::FirmwareHalted => Duration::from_secs(1),
            // In power-save mode frames wait for the next beacon, every 102.4 ms.
            _ => Duration::from_millis(250),
        }
    }
}

impl FaultKind {
    /// Whether it may alter a frame, or make the driver count one that the chip did not send, or
    /// not count one that it sent.
    const fn touches_frame(self) -> bool {
        matches!(
            self,
            Self::LengthZero
                | Self::OtherLength
                | Self::BadComplement
                | Self::BadHeaderLength
                | Self::OddHeaderLength
                | Self::DataOffset
                | Self::Oversize
                | Self::OtherChannel
                | Self::OtherSequence
                | Self::Garbage
                | Self::EventFromAir
                | Self::JunkFrame
                | Self::BitFlipped
                | Self::StatusInvalid
                | Self::DataStuck
                | Self::DataNoise
                | Self::Brownout
        )
    }

    /// Whether the driver may deliver something that was no frame of the peer's, where the model
    /// does not count it as corrupted: an event on the data channel, or words that the bus altered.
    const fn delivers_other(self) -> bool {
        matches!(
            self,
            Self::EventFromAir
                | Self::OtherChannel
                | Self::BitFlipped
                | Self::StatusInvalid
                | Self::DataStuck
                | Self::DataNoise
                | Self::Brownout
        )
    }
}

impl Family {
    /// Limit of the time without a delivery while frames are sent: the longest fault, and the time
    /// after it.
    const fn silence_limit(self) -> Duration {
        match self {
            Self::Air => Duration::from_millis(4_000),
            Self::Firmware => Duration::from_millis(5_000),
            Self::Bus => Duration::from_millis(1_500),
            Self::Power => Duration::from_millis(1_000),
        }
    }
}

impl RunStats {
    /// The number of faults of some kinds, with the one that has not been recovered from at the
    /// end.
    fn faults_that(&self, may: fn(FaultKind) -> bool) -> u64 {
        let recovered = self.recoveries.iter().filter(|(kind, _)| may(**kind));
        let pending = u64::from(self.pending_fault.is_some_and(may));
        recovered.map(|(_, times)| times.count).sum::<u64>() + pending
    }

    pub(super) fn audit(&mut self, family: Family) {
        let (driver, model) = (self.driver, self.model);
        // The tolerance between the counters of the driver and those of the model: one frame for
        // each fault that touches a frame.
        let slack = (self.faults_that(FaultKind::touches_frame) + self.other_faults) as i64;
        let mut violations = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                violations.push(format!("{what}: {figures}"));
            }
        };
        // Durations.
        let max = self.max_durations;
        check(
            max.data <= MAX_DATA,
            "receive or send call too long",
            format!("{:?}", max.data),
        );
        check(
            max.service <= MAX_SERVICE,
            "service call too long",
            format!("{:?}", max.service),
        );
        check(max.join <= MAX_JOIN, "join too long", format!("{:?}", max.join));
        check(
            max.control <= MAX_CONTROL,
            "start or recover too long",
            format!("{:?}", max.control),
        );
        // The model.
        check(
            model.balanced(),
            "counters of the model do not balance",
            format!("{model:?}"),
        );
        check(
            (model.waiting(), model.tx_waiting()) == (0, 0),
            "frames left in the chip",
            format!("{} received, {} to send", model.waiting(), model.tx_waiting()),
        );
        // Receive.
        let copies = model.arrived as i64 - self.rx_sent as i64;
        let copies_frame = |kind| matches!(kind, FaultKind::FrameTwice | FaultKind::EventFromAir);
        let injected = self.faults_that(copies_frame);
        check(
            (0..=injected as i64).contains(&copies),
            "frames at the access point minus frames sent",
            format!("{copies}, {injected} copies at most"),
        );
        check(
            self.rx_duplicates as i64 <= copies,
            "frames delivered twice",
            format!("{}, {copies} copies made by the firmware", self.rx_duplicates),
        );
        let altered = model.delivered_corrupted + self.faults_that(FaultKind::delivers_other) + self.other_faults;
        check(
            self.rx_corrupt <= altered,
            "corrupt frames delivered",
            format!("{}, {altered} altered", self.rx_corrupt),
        );
        let limit = family.silence_limit();
        check(
            self.max_silence <= limit,
            "no frame delivered for too long",
            format!("{:?}, limit {limit:?}", self.max_silence),
        );
        check(
            u64::from(driver.rx_frames) == self.rx_delivered + self.rx_duplicates + self.rx_corrupt,
            "rx_frames differs from the number of deliveries",
            format!("{}, {} delivered once", driver.rx_frames, self.rx_delivered),
        );
        let unaccounted = self.rx_unaccounted();
        // Without faults in firmware or bus, no frame may go uncounted. A chip that resets may
        // announce something that the driver counts although it was no frame.
        let max_unaccounted = match family {
            Family::Air | Family::Power => 0,
            Family::Firmware | Family::Bus => slack,
        };
        let noise = self.faults_that(|kind| kind == FaultKind::DataNoise);
        let max_invented = slack + (noise * (MAX_NOISE - 1)) as i64;
        check(
            (-max_invented..=max_unaccounted).contains(&unaccounted),
            "received frames not accounted for",
            format!("{unaccounted}, {slack} faults"),
        );
        // Transmit.
        check(
            u64::from(driver.tx_frames) + u64::from(driver.tx_lost()) == self.tx_accepted,
            "accepted frames not accounted for",
            format!("{} accepted, {driver:?}", self.tx_accepted),
        );
        check(
            self.tx_duplicates == 0,
            "frames sent twice",
            self.tx_duplicates.to_string(),
        );
        check(self.tx_corrupt == 0, "corrupt frames sent", self.tx_corrupt.to_string());
        check(
            self.tx_unexpected <= self.tx_unknown,
            "frames sent although an error was returned",
            format!("{} of {}", self.tx_unexpected, self.tx_unknown),
        );
        check(
            self.tx_arrived == model.transmitted,
            "frames lost by the wire",
            format!("{} sent, {} arrived", model.transmitted, self.tx_arrived),
        );
        let missing = self.tx_accepted as i64 - model.tx_accepted as i64;
        let unknown = self.tx_unknown as i64;
        // Only a bus fault loses frames that the driver counts as sent.
        let max_missing = if family == Family::Bus { slack } else { 0 };
        check(
            (-unknown..=max_missing).contains(&missing),
            "frames sent by the driver and not received by the chip",
            format!("{missing}, {unknown} unknown, {slack} faults"),
        );
        self.violations.extend(violations);
    }
}
