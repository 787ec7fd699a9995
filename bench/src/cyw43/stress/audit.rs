//! What has to be true at the end of a run.

use core::time::Duration;

use super::books::Books;
use super::knobs::{Family, Knob};

/// Receiving and sending wait for nothing: 64 long frames at most.
const LONGEST_DATA: Duration = Duration::from_millis(100);
/// A request or two, each of which may be waited for twice: for the answer to an earlier one, and for its own.
const LONGEST_SERVICE: Duration = Duration::from_secs(5);
/// A dozen requests, and the time that an attempt may take.
const LONGEST_JOIN: Duration = Duration::from_secs(20);
/// A boot: power, images, thirty requests.
const LONGEST_CONTROL: Duration = Duration::from_secs(10);

impl Knob {
    /// How soon traffic has to flow again after its end.
    pub(super) const fn patience(self) -> Duration {
        match self {
            // An answer is waited for, for a second, and so is the next one; two in vain are a firmware that stopped.
            Self::ReplyLength
            | Self::ReplyId
            | Self::ReplyStatus
            | Self::ReplyLost
            | Self::ReplyTwice
            | Self::ReplyLate
            | Self::RequestRefused => Duration::from_secs(5),
            // The network is joined anew; the chip is started and the network joined.
            Self::Deauthenticated
            | Self::Disassociated
            | Self::AccessPointGone
            | Self::StatusInvalid
            | Self::DataStuck
            | Self::DataNoise
            | Self::BrownOut
            | Self::FirmwareHalted => Duration::from_secs(1),
            // A radio that sleeps hears of its frames with the next beacon, every 102.4 ms.
            _ => Duration::from_millis(250),
        }
    }
}

impl Books {
    /// How many frames the driver may count otherwise than the model does: one for each fault that touches a frame.
    fn slack(&self, family: Family) -> i64 {
        let faults = match family {
            Family::Air => 0,
            _ => self.faults() + self.power_cycles + 1,
        };
        faults as i64
    }

    pub(super) fn audit(&mut self, family: Family) {
        let (stats, truth) = (self.stats, self.truth);
        let slack = self.slack(family);
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: &str, figures: String| {
            if !holds {
                wrong.push(format!("{what}: {figures}"));
            }
        };
        // Time.
        let longest = self.longest;
        check(
            longest.data <= LONGEST_DATA,
            "receiving or sending hung",
            format!("{:?}", longest.data),
        );
        check(
            longest.service <= LONGEST_SERVICE,
            "service hung",
            format!("{:?}", longest.service),
        );
        check(
            longest.join <= LONGEST_JOIN,
            "a join hung",
            format!("{:?}", longest.join),
        );
        check(
            longest.control <= LONGEST_CONTROL,
            "a start hung",
            format!("{:?}", longest.control),
        );
        // The model.
        check(truth.balanced(), "the model's books", format!("{truth:?}"));
        check(
            (truth.waiting(), truth.tx_waiting()) == (0, 0),
            "frames that are still in the chip",
            format!("{} and {}", truth.waiting(), truth.tx_waiting()),
        );
        // Frames from the air.
        let copies = truth.arrived as i64 - self.rx_sent as i64;
        // One may be under way that the traffic has not got over yet.
        let made = self.times(Knob::FrameTwice) + self.times(Knob::EventFromAir) + 1;
        check(
            (0..=made as i64).contains(&copies),
            "frames that never came to the access point, or too often",
            copies.to_string(),
        );
        check(
            self.rx_twice as i64 <= copies,
            "delivered twice",
            format!("{}, {copies} copies were made by the firmware", self.rx_twice),
        );
        check(
            self.rx_altered as i64 <= slack,
            "delivered altered, or no frame",
            format!("{} with {slack} faults", self.rx_altered),
        );
        check(
            u64::from(stats.rx_frames) == self.rx_delivered + self.rx_twice + self.rx_altered,
            "rx_frames is not what was delivered",
            format!("{} and {}", stats.rx_frames, self.rx_delivered),
        );
        let unaccounted = self.rx_unaccounted();
        // Where neither firmware nor bus lies, none: what a chip that just died showed may be counted, though it was no frame.
        let most = match family {
            Family::Air | Family::Power => 0,
            Family::Firmware | Family::Bus => slack,
        };
        check(
            (-slack..=most).contains(&unaccounted),
            "frames read from the chip and not accounted for",
            format!("{unaccounted} with {slack} faults"),
        );
        // Frames to the air.
        check(
            u64::from(stats.tx_frames) + u64::from(stats.tx_lost()) == self.tx_taken,
            "frames taken and not accounted for",
            format!("{} taken, {stats:?}", self.tx_taken),
        );
        check(self.tx_twice == 0, "sent twice", self.tx_twice.to_string());
        check(self.tx_altered == 0, "sent altered", self.tx_altered.to_string());
        check(
            self.tx_unexpected <= self.tx_doubtful,
            "sent, though it was said that they were not taken",
            format!("{} of {}", self.tx_unexpected, self.tx_doubtful),
        );
        check(
            self.tx_arrived == truth.transmitted,
            "frames that the wire lost",
            format!("{} sent, {} arrived", truth.transmitted, self.tx_arrived),
        );
        let missing = self.tx_taken as i64 - truth.tx_accepted as i64;
        let doubtful = self.tx_doubtful as i64;
        // Only a bus that fails can swallow what the driver believes to have sent.
        let most = if family == Family::Bus { slack } else { 0 };
        check(
            (-doubtful..=most).contains(&missing),
            "frames that the driver sent and the chip did not get",
            format!("{missing}, {doubtful} doubtful, {slack} faults"),
        );
        self.violations.extend(wrong);
    }
}
