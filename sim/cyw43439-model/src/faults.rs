//! What goes wrong.

use core::time::Duration;

use ethdev_sim::random::probability;

/// What the host reads from the chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataLine {
    /// What the chip says.
    #[default]
    Connected,
    /// Always this word. What the host says does not reach a chip either.
    Stuck(u32),
    /// Noise. What the host says reaches no chip.
    Random,
}

/// Random faults, each with a probability. The default: none.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ChipFaults {
    /// Per reading transaction: one bit is flipped.
    pub read_bit_error: f64,
    /// Per transaction: the status word, and all of a read of the status register, is 0xFFFFFFFF.
    pub invalid_status: f64,
    /// Per transaction: the host's bus reports an error.
    pub bus_failure: f64,
    /// Per rise of the interrupt line: the host does not notice it. The level is right.
    pub lost_edge: f64,
    /// Per frame for the host: one of the [`Spoil`]s, with even odds.
    pub spoiled_frame: f64,
    /// Per reply to an ioctl: it gets lost.
    pub lost_reply: f64,
    /// Per reply to an ioctl: it comes twice.
    pub duplicate_reply: f64,
    /// Per reply to an ioctl: it comes late, by up to three seconds.
    pub late_reply: f64,
    /// Per ioctl: it is refused with "no resource" (-22).
    pub refused_ioctl: f64,
    /// Per frame from the air: it gets lost there.
    pub air_loss: f64,
    /// Per frame into the air: it gets lost there, though the firmware confirms it.
    pub air_loss_tx: f64,
}

impl ChipFaults {
    /// None.
    pub const NONE: Self = Self {
        read_bit_error: 0.0,
        invalid_status: 0.0,
        bus_failure: 0.0,
        lost_edge: 0.0,
        spoiled_frame: 0.0,
        lost_reply: 0.0,
        duplicate_reply: 0.0,
        late_reply: 0.0,
        refused_ioctl: 0.0,
        air_loss: 0.0,
        air_loss_tx: 0.0,
    };

    /// The same with this probability of a flipped bit per read.
    ///
    /// # Panics
    ///
    /// Where the number is no probability; so for the others.
    #[must_use]
    pub fn with_read_bit_error(mut self, p: f64) -> Self {
        self.read_bit_error = probability(p);
        self
    }

    /// The same with this probability of an invalid status, per transaction.
    #[must_use]
    pub fn with_invalid_status(mut self, p: f64) -> Self {
        self.invalid_status = probability(p);
        self
    }

    /// The same with this probability of a failing bus, per transaction.
    #[must_use]
    pub fn with_bus_failure(mut self, p: f64) -> Self {
        self.bus_failure = probability(p);
        self
    }

    /// The same with this probability of an edge that the host misses.
    #[must_use]
    pub fn with_lost_edge(mut self, p: f64) -> Self {
        self.lost_edge = probability(p);
        self
    }

    /// The same with this probability of a spoiled frame.
    #[must_use]
    pub fn with_spoiled_frame(mut self, p: f64) -> Self {
        self.spoiled_frame = probability(p);
        self
    }

    /// The same with these probabilities of lost, doubled and late replies to ioctls.
    #[must_use]
    pub fn with_replies(mut self, lost: f64, duplicate: f64, late: f64) -> Self {
        self.lost_reply = probability(lost);
        self.duplicate_reply = probability(duplicate);
        self.late_reply = probability(late);
        self
    }

    /// The same with this probability of a refused ioctl.
    #[must_use]
    pub fn with_refused_ioctl(mut self, p: f64) -> Self {
        self.refused_ioctl = probability(p);
        self
    }

    /// The same with these probabilities of frames lost in the air: from there, and into it.
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

/// What is wrong with a frame that the firmware hands to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spoil {
    /// The bus announces a length of 0 once. The frame is intact and comes after that.
    LengthZero,
    /// The bus announces this many bytes more, or fewer, than the frame says, within what its field can hold.
    StatusLength(i16),
    /// The length in the header and its complement do not match.
    Complement,
    /// The header ends here.
    HeaderLength(u8),
    /// The header is one byte longer than it would be: its length is odd.
    OddHeaderLength,
    /// The data begin this many words after the second header. Spoils what is not a reply.
    DataOffset(u8),
    /// The frame is filled up to this many bytes, beyond what the host's buffers hold.
    Oversize(u16),
    /// The frame claims this channel, and its sequence of bytes is left as it was.
    Channel(u8),
    /// The header grants this credit.
    Credit(u8),
    /// The frame comes with this sequence number.
    Sequence(u8),
    /// The reply claims this many bytes. Spoils replies only, as the next two.
    ReplyLength(u32),
    /// The reply has another id.
    ReplyId(u16),
    /// The reply reports this error, though the ioctl was carried out.
    ReplyStatus(i32),
    /// The event claims this many bytes of data. Spoils events only.
    EventLength(u32),
    /// The frame's bytes after its header are noise.
    Garbage,
    /// The frame comes a second time.
    Duplicate,
    /// The frame never comes.
    Lost,
}

/// A fault that happens once, to the next thing that it fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A bit is flipped in the next transaction that reads: this one, counted from the first bit that the host reads, modulo their number.
    ReadBit(u32),
    /// The next transactions show a status of 0xFFFFFFFF.
    InvalidStatus(u32),
    /// The next frame of any channel is spoiled.
    Frame(Spoil),
    /// The next frame with data is spoiled.
    DataFrame(Spoil),
    /// The next event is spoiled.
    Event(Spoil),
    /// The next reply to an ioctl is spoiled.
    Reply(Spoil),
    /// The next reply to an ioctl comes this much later.
    LateReply(Duration),
    /// The next ioctl is refused with this status, and not carried out.
    RefuseIoctl(i32),
    /// An event comes that nobody asked for: this type, status and reason.
    StrayEvent {
        /// Type of the event.
        kind: u32,
        /// Its status.
        status: u32,
        /// Its reason.
        reason: u32,
    },
    /// A frame of data comes from the air that looks like this event of the chip's, over the data channel.
    EventFromAir {
        /// Type of the event.
        kind: u32,
        /// Its status.
        status: u32,
    },
    /// A frame of the length of 256 comes, with noise in it and no credit: as when the firmware runs out of buffers.
    JunkFrame,
    /// A header without anything after it comes, for its credit.
    CreditUpdate,
    /// The interrupt line rises for a moment, for nothing.
    SpuriousInterrupt,
}
