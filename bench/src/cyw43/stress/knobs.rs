//! What goes wrong.

use core::fmt;
use core::time::Duration;

use cyw43439_model::{ApId, ChipFaults, DataLine, Fault, Spoil};

use super::super::Lab;

/// What belongs together: the families differ in how exactly frames can be accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// The network comes and goes, frames get lost in the air, the host is slow. Chip and bus are sound: the books have to be exact.
    Air,
    /// The firmware lies, in every header and in every answer, or holds back.
    Firmware,
    /// Bits flip, the bus fails, the status is none, the interrupt line is stuck.
    Bus,
    /// The supply fails, the firmware stops.
    Power,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Air, Self::Firmware, Self::Bus, Self::Power];

    /// Until the next fault: those that cost a join or a start want more traffic between them.
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
            Self::Air => "the air",
            Self::Firmware => "the firmware",
            Self::Bus => "the bus",
            Self::Power => "the supply",
        })
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each has its name in words")]
pub enum Knob {
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
    BrownOut,
    FirmwareHalted,
}

/// How a knob ends.
pub(super) type End = Box<dyn FnOnce(&Lab)>;

/// What the harness has to do so that a fault comes to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    /// A request.
    Request,
}

/// The knobs of item 18 of the list of what a model must have, and those of the air, with their families and names.
const KNOBS: &[(Knob, Family, &str)] = {
    use Family::{Air, Bus, Firmware, Power};
    &[
        (Knob::Deauthenticated, Air, "thrown out of the network"),
        (Knob::Disassociated, Air, "association ended by the access point"),
        (Knob::AccessPointGone, Air, "access point silent for up to 3 s"),
        (
            Knob::FramesLostInAir,
            Air,
            "a tenth of the frames lost in the air for up to 50 ms",
        ),
        (Knob::Roamed, Air, "roamed to another access point"),
        (Knob::LengthZero, Firmware, "length 0 announced"),
        (
            Knob::OtherLength,
            Firmware,
            "another length announced than the frame has",
        ),
        (Knob::BadComplement, Firmware, "complement of the length wrong"),
        (Knob::BadHeaderLength, Firmware, "length of the header impossible"),
        (Knob::OddHeaderLength, Firmware, "length of the header odd"),
        (Knob::DataOffset, Firmware, "data offset huge"),
        (Knob::Oversize, Firmware, "frame longer than 1514 bytes"),
        (Knob::OtherChannel, Firmware, "frame on another channel"),
        (Knob::BogusCredit, Firmware, "credit jumps"),
        (Knob::OtherSequence, Firmware, "sequence number jumps"),
        (Knob::Garbage, Firmware, "noise after the header"),
        (Knob::FrameTwice, Firmware, "frame comes twice"),
        (Knob::FrameLost, Firmware, "frame lost in the firmware"),
        (Knob::ReplyLength, Firmware, "answer claims another length"),
        (Knob::ReplyId, Firmware, "answer with another id"),
        (Knob::ReplyStatus, Firmware, "answer with an error, though carried out"),
        (Knob::ReplyLost, Firmware, "answer lost"),
        (Knob::ReplyTwice, Firmware, "answer comes twice"),
        (Knob::ReplyLate, Firmware, "answer up to 3 s late"),
        (Knob::RequestRefused, Firmware, "request refused"),
        (Knob::EventLength, Firmware, "event claims a huge length"),
        (Knob::StrayEvent, Firmware, "event that nobody asked for"),
        (Knob::EventFromAir, Firmware, "event on the data channel"),
        (Knob::JunkFrame, Firmware, "frame of noise"),
        (Knob::CreditUpdate, Firmware, "header without anything"),
        (Knob::CreditFrozen, Firmware, "no credit for up to 200 ms"),
        (Knob::FramesHeld, Firmware, "frames held back for up to 200 ms"),
        (Knob::FlowStopped, Firmware, "flow stopped for up to 200 ms"),
        (Knob::BitFlipped, Bus, "bit flipped in a read"),
        (Knob::StatusInvalid, Bus, "status 0xFFFFFFFF for up to 40 transactions"),
        (Knob::BusFails, Bus, "bus fails in a transaction"),
        (Knob::LineStuckHigh, Bus, "interrupt line high for up to 100 ms"),
        (Knob::LineStuckLow, Bus, "interrupt line low for up to 100 ms"),
        (Knob::EdgesLost, Bus, "edges of the interrupt lost for up to 100 ms"),
        (Knob::SpuriousInterrupt, Bus, "interrupt for nothing"),
        (Knob::DataStuck, Bus, "data line stuck for up to 500 ms"),
        (Knob::DataNoise, Bus, "noise instead of the chip for up to 500 ms"),
        (Knob::BrownOut, Power, "supply fails for a moment, at any instant"),
        (Knob::FirmwareHalted, Power, "firmware stops"),
    ]
};

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = KNOBS.iter().find(|(knob, ..)| knob == self);
        f.write_str(known.map_or("", |(_, _, name)| name))
    }
}

/// Up to so many milliseconds.
fn some_ms(random: &mut fastrand::Rng, ms: u64) -> Duration {
    Duration::from_micros(random.u64(1..=ms * 1000))
}

impl Knob {
    /// Those of a family.
    pub fn of(family: Family) -> impl Iterator<Item = Self> {
        KNOBS
            .iter()
            .filter(move |(_, of, _)| *of == family)
            .map(|(knob, ..)| *knob)
    }

    /// A spoiled frame or reply or event, where it is one.
    fn fault(self, random: &mut fastrand::Rng) -> Option<Fault> {
        let lengths = [0, 1, 11, 13, 100, 255];
        Some(match self {
            Self::LengthZero => Fault::Frame(Spoil::LengthZero),
            Self::OtherLength => Fault::Frame(Spoil::StatusLength(random.i16(-300..300))),
            Self::BadComplement => Fault::Frame(Spoil::Complement),
            Self::BadHeaderLength => Fault::Frame(Spoil::HeaderLength(lengths[random.usize(..lengths.len())])),
            Self::OddHeaderLength => Fault::Frame(Spoil::OddHeaderLength),
            Self::DataOffset => Fault::DataFrame(Spoil::DataOffset(random.u8(2..))),
            Self::Oversize => Fault::Frame(Spoil::Oversize(random.u16(1515..2048))),
            Self::OtherChannel => Fault::Frame(Spoil::Channel(random.u8(..16))),
            Self::BogusCredit => Fault::Frame(Spoil::Credit(random.u8(..))),
            Self::OtherSequence => Fault::Frame(Spoil::Sequence(random.u8(..))),
            Self::Garbage => Fault::Frame(Spoil::Garbage),
            Self::FrameTwice => Fault::DataFrame(Spoil::Duplicate),
            Self::FrameLost => Fault::DataFrame(Spoil::Lost),
            Self::ReplyLength => Fault::Reply(Spoil::ReplyLength([0, 3, 200, 70_000, u32::MAX][random.usize(..5)])),
            Self::ReplyId => Fault::Reply(Spoil::ReplyId(random.u16(..))),
            Self::ReplyStatus => Fault::Reply(Spoil::ReplyStatus(-1)),
            Self::ReplyLost => Fault::Reply(Spoil::Lost),
            Self::ReplyTwice => Fault::Reply(Spoil::Duplicate),
            Self::ReplyLate => Fault::LateReply(some_ms(random, 3000)),
            Self::RequestRefused => Fault::RefuseIoctl(-22),
            Self::EventLength => Fault::Event(Spoil::EventLength([49, 1000, u32::MAX][random.usize(..3)])),
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

    /// Lets it happen now. How long it lasts, and how it ends, where it does not pass by itself.
    pub(super) fn turn(self, lab: &Lab, aps: &[ApId], random: &mut fastrand::Rng) -> (Wants, Option<(Duration, End)>) {
        let chip = &lab.chip;
        if let Some(fault) = self.fault(random) {
            chip.inject(fault);
            if self == Self::EventLength {
                chip.inject(stray_event(random));
            }
            let wants = match fault {
                Fault::Reply(_) | Fault::LateReply(_) | Fault::RefuseIoctl(_) => Wants::Request,
                _ => Wants::Nothing,
            };
            return (wants, None);
        }
        let mut lasts = |ms, end: End| Some((some_ms(random, ms), end));
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
                    Box::new(move |lab| aps.iter().for_each(|ap| lab.chip.restore_ap(*ap))),
                )
            }
            Self::FramesLostInAir => {
                chip.set_faults(ChipFaults::NONE.with_air_loss(0.1, 0.1));
                lasts(50, Box::new(|lab| lab.chip.set_faults(ChipFaults::NONE)))
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
                lasts(200, Box::new(|lab| lab.chip.freeze_credit(false)))
            }
            Self::FramesHeld => {
                chip.hold_frames(true);
                lasts(200, Box::new(|lab| lab.chip.hold_frames(false)))
            }
            Self::FlowStopped => {
                chip.set_flow_control(0xff);
                lasts(200, Box::new(|lab| lab.chip.set_flow_control(0)))
            }
            Self::BusFails => {
                chip.fail_bus_at(random.u64(..8));
                None
            }
            Self::LineStuckHigh | Self::LineStuckLow => {
                chip.stick_irq(Some(self == Self::LineStuckHigh));
                lasts(100, Box::new(|lab| lab.chip.stick_irq(None)))
            }
            Self::EdgesLost => {
                chip.set_faults(ChipFaults::NONE.with_lost_edge(0.5));
                lasts(100, Box::new(|lab| lab.chip.set_faults(ChipFaults::NONE)))
            }
            Self::DataStuck | Self::DataNoise => {
                let line = match self {
                    Self::DataNoise => DataLine::Random,
                    _ => DataLine::Stuck([0, u32::MAX, 0x5a5a_5a5a][random.usize(..3)]),
                };
                chip.set_data_line(line);
                let mut lasts = |ms, end: End| Some((some_ms(random, ms), end));
                lasts(500, Box::new(|lab| lab.chip.set_data_line(DataLine::Connected)))
            }
            Self::BrownOut => {
                // In the middle of a transaction as well.
                let chip = chip.clone();
                let at = Duration::from_nanos(random.u64(..2_000_000));
                lab.clock.schedule_in(at, move || chip.inject_brownout());
                None
            }
            Self::FirmwareHalted => {
                chip.halt_firmware();
                None
            }
            _ => None,
        };
        (Wants::Nothing, end)
    }
}

/// An event that means nothing to a station at rest: a failed transmission, a beacon, quiet, a scan's end.
fn stray_event(random: &mut fastrand::Rng) -> Fault {
    Fault::StrayEvent {
        kind: [15, 17, 20, 49, 50, 80, 159][random.usize(..7)],
        status: random.u32(..16),
        reason: random.u32(..16),
    }
}
