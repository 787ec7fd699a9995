//! Faults.

use core::time::Duration;

use ethdev_sim::random::probability;

/// The state of the data line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataLine {
    /// The output of the chip.
    #[default]
    Connected,
    /// Always this word. Writes do not reach the chip either.
    Stuck(u32),
    /// Random words. Writes do not reach the chip either.
    Random,
}

/// Probabilities of random faults. Default: none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChipFaults {
    /// Per reading transaction: one bit flips.
    pub read_bit_error: f64,
    /// Per transaction: the status word, and all of a read of the status register, is 0xFFFFFFFF.
    pub invalid_status: f64,
    /// Per transaction: the host's bus controller reports an error.
    pub bus_failure: f64,
    /// Per rise of the interrupt line: the host does not notice it. The level is right.
    pub lost_edge: f64,
    /// Per frame for the host: one of the kinds of [`Corruption`], with equal probabilities.
    pub corrupted_frame: f64,
    /// Per reply to an ioctl: it is lost.
    pub lost_reply: f64,
    /// Per reply to an ioctl: it is sent twice.
    pub duplicate_reply: f64,
    /// Per reply to an ioctl: it is late by up to three seconds.
    pub late_reply: f64,
    /// Per ioctl: it fails with "no resource" (-22).
    pub refused_ioctl: f64,
    /// Per frame from the air: it is lost.
    pub air_loss: f64,
    /// Per frame into the air: it is lost, though the firmware confirms it.
    pub air_loss_tx: f64,
}

impl ChipFaults {
    /// No faults.
    pub const NONE: Self = Self {
        read_bit_error: 0.0,
        invalid_status: 0.0,
        bus_failure: 0.0,
        lost_edge: 0.0,
        corrupted_frame: 0.0,
        lost_reply: 0.0,
        duplicate_reply: 0.0,
        late_reply: 0.0,
        refused_ioctl: 0.0,
        air_loss: 0.0,
        air_loss_tx: 0.0,
    };

    /// Sets the probability of a bit error, per read.
    ///
    /// # Panics
    ///
    /// Where `p` is not between 0 and 1. The same holds for the other methods.
    #[must_use]
    pub fn with_read_bit_error(mut self, p: f64) -> Self {
        self.read_bit_error = probability(p);
        self
    }

    /// Sets the probability of an invalid status, per transaction.
    #[must_use]
    pub fn with_invalid_status(mut self, p: f64) -> Self {
        self.invalid_status = probability(p);
        self
    }

    /// Sets the probability of a bus error, per transaction.
    #[must_use]
    pub fn with_bus_failure(mut self, p: f64) -> Self {
        self.bus_failure = probability(p);
        self
    }

    /// Sets the probability that the host misses a rising edge of the interrupt line.
    #[must_use]
    pub fn with_lost_edge(mut self, p: f64) -> Self {
        self.lost_edge = probability(p);
        self
    }

    /// Sets the probability of a corrupted frame.
    #[must_use]
    pub fn with_corrupted_frame(mut self, p: f64) -> Self {
        self.corrupted_frame = probability(p);
        self
    }

    /// Sets the probabilities of lost, duplicate and late replies to ioctls.
    #[must_use]
    pub fn with_replies(mut self, lost: f64, duplicate: f64, late: f64) -> Self {
        self.lost_reply = probability(lost);
        self.duplicate_reply = probability(duplicate);
        self.late_reply = probability(late);
        self
    }

    /// Sets the probability of a failing ioctl.
    #[must_use]
    pub fn with_refused_ioctl(mut self, p: f64) -> Self {
        self.refused_ioctl = probability(p);
        self
    }

    /// Sets the probabilities of frames lost in the air: for the host, and from the host.
    #[must_use]
    pub fn with_air_loss(mut self, rx: f64, tx: f64) -> Self {
        self.air_loss = probability(rx);
        self.air_loss_tx = probability(tx);
        self
    }
}

impl Default for ChipFaults {
    fn default() -> Self {
        Self::NONE
    }
}

/// How a frame for the host is corrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Corruption {
    /// The bus announces a length of 0 once, then the intact frame.
    LengthZero,
    /// The bus announces this many bytes more, or fewer, than the frame has, within the range of
    /// its field.
    StatusLength(i16),
    /// The length in the header and its complement do not match.
    Complement,
    /// The header length.
    HeaderLength(u8),
    /// The header is one byte longer: its length is odd.
    OddHeaderLength,
    /// The data offset of the second header, in words. Affects events and data.
    DataOffset(u8),
    /// The frame is padded to this many bytes, more than a host's buffers hold.
    Oversize(u16),
    /// The channel; the bytes of the frame stay.
    Channel(u8),
    /// The credit in the header.
    Credit(u8),
    /// The sequence number.
    Sequence(u8),
    /// The length in the ioctl header. Affects replies only, as the next two.
    ReplyLength(u32),
    /// The id in the ioctl header.
    ReplyId(u16),
    /// The status in the ioctl header, though the ioctl was executed.
    ReplyStatus(i32),
    /// The length in the event. Affects events only.
    EventLength(u32),
    /// The bytes after the header are random.
    Garbage,
    /// The frame is sent twice.
    Duplicate,
    /// The frame is lost.
    Lost,
}

/// A fault that occurs once, at the next opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This bit flips in the next read transaction, counted from the first bit that the host reads,
    /// modulo their number.
    ReadBit(u32),
    /// This many transactions return a status of 0xFFFFFFFF.
    InvalidStatus(u32),
    /// The next frame of any channel is corrupted.
    Frame(Corruption),
    /// The next data frame is corrupted.
    DataFrame(Corruption),
    /// The next event is corrupted.
    Event(Corruption),
    /// The next reply to an ioctl is corrupted.
    Reply(Corruption),
    /// The next reply to an ioctl is late by this time.
    LateReply(Duration),
    /// The next ioctl fails with this status and is not executed.
    RefuseIoctl(i32),
    /// An unsolicited event of this type, status and reason.
    StrayEvent {
        /// Type of the event.
        kind: u32,
        /// Its status.
        status: u32,
        /// Its reason.
        reason: u32,
    },
    /// A data frame from the air that imitates this event of the firmware.
    EventFromAir {
        /// Type of the event.
        kind: u32,
        /// Its status.
        status: u32,
    },
    /// A frame of 256 random bytes without credit, as when the firmware runs out of buffers.
    JunkFrame,
    /// A header without contents, which carries credit.
    CreditUpdate,
    /// The interrupt line rises for 10 µs without a cause.
    SpuriousInterrupt,
}
