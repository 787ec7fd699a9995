//! The faults that are injected.

use core::fmt;
use core::time::Duration;

use cyw43439_model::{ApId, ChipFaults, Corruption, DataLine, Fault};

use super::super::Testbed;

/// Groups of faults. They differ in how exactly frames can be accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The network disappears, frames are lost in the air, the host is slow. Chip and bus are
    /// sound, so all counters must be exact.
    Air,
    /// The firmware sends wrong headers and responses, or none.
    Firmware,
    /// Bit errors, bus failures, invalid status words, a stuck interrupt line.
    Bus,
    /// Brownouts, and a halted firmware.
    Power,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Air, Self::Firmware, Self::Bus, Self::Power];

    /// The time until the next fault, longer where a fault costs a join or a boot.
    pub(super) fn pause(self, random: &mut fastrand::Rng) -> Duration {
        Duration::from_micros(match self {
            Self::Air => random.u64(50_000..300_000),
            Self::Power => random.u64(200_000..1_500_000),
            Self::Firmware | Self::Bus => random.u64(2_000..50_000),
        })
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Air => "air",
            Self::Firmware => "firmware",
            Self::Bus => "bus",
            Self::Power => "supply",
        })
    }
}

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "see Display")]
pub enum FaultKind {
    Deauthenticated,
    Disassociated,
    AccessPointGone,
    FramesLostInAir,
    Roamed,
    LengthZero,
    OtherLength,
    BadComplement,
    BadHeaderLength,
    OddHeaderLength,
    DataOffset,
    Oversize,
    OtherChannel,
    BogusCredit,
    OtherSequence,
    Garbage,
    FrameTwice,
    FrameLost,
    ReplyLength,
    ReplyId,
    ReplyStatus,
    ReplyLost,
    ReplyTwice,
    ReplyLate,
    RequestRefused,
    EventLength,
    StrayEvent,
    EventFromAir,
    JunkFrame,
    CreditUpdate,
    CreditFrozen,
    FramesHeld,
    FlowStopped,
    BitFlipped,
    StatusInvalid,
    BusFails,
    LineStuckHigh,
    LineStuckLow,
    EdgesLost,
    SpuriousInterrupt,
    DataStuck,
    DataNoise,
    Brownout,
    FirmwareHalted,
}

/// Ends a fault.
pub(super) type End = Box<dyn FnOnce(&Testbed)>;

/// What the harness must do for a fault to take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    None,
    /// A request to the firmware.
    Request,
}

/// All kinds of faults, with their families and names.
const FAULT_KINDS: &[(FaultKind, Family, &str)] = {
    use Family::{Air, Bus, Firmware, Power};
    &[
        (FaultKind::Deauthenticated, Air, "deauthenticated"),
        (FaultKind::Disassociated, Air, "disassociated"),
        (FaultKind::AccessPointGone, Air, "access point off for up to 3 s"),
        (
            FaultKind::FramesLostInAir,
            Air,
            "10 % of the frames lost in the air for up to 50 ms",
        ),
        (FaultKind::Roamed, Air, "roamed to another access point"),
        (FaultKind::LengthZero, Firmware, "frame length 0"),
        (
            FaultKind::OtherLength,
            Firmware,
            "wrong frame length in the status word",
        ),
        (FaultKind::BadComplement, Firmware, "wrong length complement"),
        (FaultKind::BadHeaderLength, Firmware, "invalid header length"),
        (FaultKind::OddHeaderLength, Firmware, "odd header length"),
        (FaultKind::DataOffset, Firmware, "data offset too large"),
        (FaultKind::Oversize, Firmware, "frame longer than 1514 bytes"),
        (FaultKind::OtherChannel, Firmware, "frame on another channel"),
        (FaultKind::BogusCredit, Firmware, "wrong credit"),
        (FaultKind::OtherSequence, Firmware, "wrong sequence number"),
        (FaultKind::Garbage, Firmware, "random bytes after the header"),
        (FaultKind::FrameTwice, Firmware, "frame duplicated"),
        (FaultKind::FrameLost, Firmware, "frame lost in the firmware"),
        (FaultKind::ReplyLength, Firmware, "wrong response length"),
        (FaultKind::ReplyId, Firmware, "wrong response id"),
        (
            FaultKind::ReplyStatus,
            Firmware,
            "error response to a request that was executed",
        ),
        (FaultKind::ReplyLost, Firmware, "response lost"),
        (FaultKind::ReplyTwice, Firmware, "response duplicated"),
        (FaultKind::ReplyLate, Firmware, "response up to 3 s late"),
        (FaultKind::RequestRefused, Firmware, "request rejected"),
        (FaultKind::EventLength, Firmware, "event length too large"),
        (FaultKind::StrayEvent, Firmware, "unsolicited event"),
        (FaultKind::EventFromAir, Firmware, "event on the data channel"),
        (FaultKind::JunkFrame, Firmware, "frame of random bytes"),
        (FaultKind::CreditUpdate, Firmware, "header without data"),
        (FaultKind::CreditFrozen, Firmware, "no credit for up to 200 ms"),
        (FaultKind::FramesHeld, Firmware, "frames held back for up to 200 ms"),
        (FaultKind::FlowStopped, Firmware, "flow stopped for up to 200 ms"),
        (FaultKind::BitFlipped, Bus, "bit error in a read"),
        (
            FaultKind::StatusInvalid,
            Bus,
            "status 0xFFFFFFFF for up to 40 transactions",
        ),
        (FaultKind::BusFails, Bus, "bus failure in a transaction"),
        (
            FaultKind::LineStuckHigh,
            Bus,
            "interrupt line stuck high for up to 100 ms",
        ),
        (
            FaultKind::LineStuckLow,
            Bus,
            "interrupt line stuck low for up to 100 ms",
        ),
        (FaultKind::EdgesLost, Bus, "interrupt edges lost for up to 100 ms"),
        (FaultKind::SpuriousInterrupt, Bus, "spurious interrupt"),
        (FaultKind::DataStuck, Bus, "data line stuck for up to 500 ms"),
        (FaultKind::DataNoise, Bus, "random data line for up to 500 ms"),
        (FaultKind::Brownout, Power, "brownout at any time"),
        (FaultKind::FirmwareHalted, Power, "firmware halted"),
    ]
};

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = FAULT_KINDS.iter().find(|(kind, ..)| kind == self);
        f.write_str(known.map_or("", |(_, _, name)| name))
    }
}

/// A random time up to this number of milliseconds.
fn up_to_ms(random: &mut fastrand::Rng, ms: u64) -> Duration {
    Duration::from_micros(random.u64(1..=ms * 1000))
}

impl FaultKind {
    /// The faults of a family.
    pub fn of(family: Family) -> impl Iterator<Item = Self> {
        FAULT_KINDS
            .iter()
            .filter(move |(_, of, _)| *of == family)
            .map(|(kind, ..)| *kind)
    }

    /// The fault of the model for a wrong frame, response or event.
    fn model_fault(self, random: &mut fastrand::Rng) -> Option<Fault> {
        let lengths = [0, 1, 11, 13, 100, 255];
        Some(match self {
            Self::LengthZero => Fault::Frame(Corruption::LengthZero),
            Self::OtherLength => Fault::Frame(Corruption::StatusLength(random.i16(-300..300))),
            Self::BadComplement => Fault::Frame(Corruption::Complement),
            Self::BadHeaderLength => Fault::Frame(Corruption::HeaderLength(lengths[random.usize(..lengths.len())])),
            Self::OddHeaderLength => Fault::Frame(Corruption::OddHeaderLength),
            Self::DataOffset => Fault::DataFrame(Corruption::DataOffset(random.u8(2..))),
            Self::Oversize => Fault::Frame(Corruption::Oversize(random.u16(1515..2048))),
            Self::OtherChannel => Fault::Frame(Corruption::Channel(random.u8(..16))),
            Self::BogusCredit => Fault::Frame(Corruption::Credit(random.u8(..))),
            Self::OtherSequence => Fault::Frame(Corruption::Sequence(random.u8(..))),
            Self::Garbage => Fault::Frame(Corruption::Garbage),
            Self::FrameTwice => Fault::DataFrame(Corruption::Duplicate),
            Self::FrameLost => Fault::DataFrame(Corruption::Lost),
            Self::ReplyLength => Fault::Reply(Corruption::ReplyLength(
                [0, 3, 200, 70_000, u32::MAX][random.usize(..5)],
            )),
            Self::ReplyId => Fault::Reply(Corruption::ReplyId(random.u16(..))),
            Self::ReplyStatus => Fault::Reply(Corruption::ReplyStatus(-1)),
            Self::ReplyLost => Fault::Reply(Corruption::Lost),
            Self::ReplyTwice => Fault::Reply(Corruption::Duplicate),
            Self::ReplyLate => Fault::LateReply(up_to_ms(random, 3000)),
            Self::RequestRefused => Fault::RefuseIoctl(-22),
            Self::EventLength => Fault::Event(Corruption::EventLength([49, 1000, u32::MAX][random.usize(..3)])),
            Self::StrayEvent => stray_event(random),
            Self::EventFromAir => Fault::EventFromAir {
                kind: [5, 6, 12, 16][random.usize(..4)],
                status: 0,
            },
            Self::JunkFrame => Fault::JunkFrame,
            Self::CreditUpdate => Fault::CreditUpdate,
            Self::BitFlipped => Fault::ReadBit(random.u32(..)),
            Self::StatusInvalid => Fault::InvalidStatus(random.u32(1..=40)),
            Self::SpuriousInterrupt => Fault::SpuriousInterrupt,
            _ => return None,
        })
    }

    /// Injects the fault. Returns what triggers it and, for a fault that lasts, its duration and
    /// end.
    pub(super) fn inject(
        self,
        testbed: &Testbed,
        aps: &[ApId],
        random: &mut fastrand::Rng,
    ) -> (Trigger, Option<(Duration, End)>) {
        let chip = &testbed.chip;
        if let Some(fault) = self.model_fault(random) {
            chip.inject(fault);
            if self == Self::EventLength {
                chip.inject(stray_event(random));
            }
            let trigger = match fault {
                Fault::Reply(_) | Fault::LateReply(_) | Fault::RefuseIoctl(_) => Trigger::Request,
                _ => Trigger::None,
            };
            return (trigger, None);
        }
        let mut lasts = |ms, end: End| Some((up_to_ms(random, ms), end));
        let end = match self {
            Self::Deauthenticated => {
                chip.deauthenticate(7);
                None
            }
            Self::Disassociated => {
                chip.disassociate(8);
                None
            }
            Self::AccessPointGone => {
                let aps = aps.to_vec();
                for ap in &aps {
                    chip.remove_ap(*ap);
                }
                lasts(
                    3000,
                    Box::new(move |testbed| aps.iter().for_each(|ap| testbed.chip.restore_ap(*ap))),
                )
            }
            Self::FramesLostInAir => {
                chip.set_faults(ChipFaults::NONE.with_air_loss(0.1, 0.1));
                lasts(50, Box::new(|testbed| testbed.chip.set_faults(ChipFaults::NONE)))
            }
            Self::Roamed => {
                let now = chip.association().map(|association| association.ap);
                if let Some(other) = aps.iter().find(|ap| Some(**ap) != now) {
                    chip.roam_to(*other);
                }
                None
            }
            Self::CreditFrozen => {
                chip.freeze_credit(true);
                lasts(200, Box::new(|testbed| testbed.chip.freeze_credit(false)))
            }
            Self::FramesHeld => {
                chip.hold_frames(true);
                lasts(200, Box::new(|testbed| testbed.chip.hold_frames(false)))
            }
            Self::FlowStopped => {
                chip.set_flow_control(0xff);
                lasts(200, Box::new(|testbed| testbed.chip.set_flow_control(0)))
            }
            Self::BusFails => {
                chip.fail_bus_at(random.u64(..8));
                None
            }
            Self::LineStuckHigh | Self::LineStuckLow => {
                chip.force_irq(Some(self == Self::LineStuckHigh));
                lasts(100, Box::new(|testbed| testbed.chip.force_irq(None)))
            }
            Self::EdgesLost => {
                chip.set_faults(ChipFaults::NONE.with_lost_edge(0.5));
                lasts(100, Box::new(|testbed| testbed.chip.set_faults(ChipFaults::NONE)))
            }
            Self::DataStuck | Self::DataNoise => {
                let line = match self {
                    Self::DataNoise => DataLine::Random,
                    _ => DataLine::Stuck([0, u32::MAX, 0x5a5a_5a5a][random.usize(..3)]),
                };
                chip.set_data_line(line);
                let mut lasts = |ms, end: End| Some((up_to_ms(random, ms), end));
                lasts(500, Box::new(|testbed| testbed.chip.set_data_line(DataLine::Connected)))
            }
            Self::Brownout => {
                // Also in the middle of a transaction.
                let chip = chip.clone();
                let at = Duration::from_nanos(random.u64(..2_000_000));
                testbed.clock.schedule_in(at, move || chip.inject_brownout());
                None
            }
            Self::FirmwareHalted => {
                chip.halt_firmware();
                None
            }
            _ => None,
        };
        (Trigger::None, end)
    }
}

/// An event that an idle station ignores: failed transmission, beacon, quiet, end of a scan.
fn stray_event(random: &mut fastrand::Rng) -> Fault {
    Fault::StrayEvent {
        kind: [15, 17, 20, 49, 50, 80, 159][random.usize(..7)],
        status: random.u32(..16),
        reason: random.u32(..16),
    }
}
