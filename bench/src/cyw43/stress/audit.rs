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

impl RunStats {
    /// The tolerance between the counters of the driver and those of the model: one frame for each
    /// fault that affects frames.
    fn slack(&self, family: Family) -> i64 {
        let faults = match family {
            Family::Air => 0,
            _ => self.faults() + self.cycles + 1,
        };
        faults as i64
    }

    pub(super) fn audit(&mut self, family: Family) {
        let (driver, model) = (self.driver, self.model);
        let slack = self.slack(family);
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
        // The fault that has not been recovered from at the end may have made a copy too.
        let injected = self.fault_count(FaultKind::FrameTwice) + self.fault_count(FaultKind::EventFromAir) + 1;
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
        check(
            self.rx_corrupt as i64 <= slack,
            "corrupt frames delivered",
            format!("{}, {slack} faults", self.rx_corrupt),
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
        check(
            (-slack..=max_unaccounted).contains(&unaccounted),
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
