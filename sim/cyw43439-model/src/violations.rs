//! Misuse of the chip, as it is reported.

use core::fmt;
use core::time::Duration;

/// What a host must not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// Traffic on the bus while the chip has no power.
    BusWithoutPower,
    /// The data line was not low when `WL_REG_ON` rose: the chip would come up with SDIO instead of gSPI.
    StrapNotLow,
    /// `WL_REG_ON` was low for less than a millisecond.
    ShortPowerCycle,
    /// The clock of the bus is above 50 MHz.
    ClockTooFast,
    /// Chip select rose in the middle of a word, or before the words that the command asked for.
    CutOff,
    /// More or fewer words than the command asked for.
    WordCount,
    /// Another function than the bus registers, or another length than 4, in the mode of 16-bit words.
    WrongWordMode,
    /// The host drove the data line while the chip did, or nobody did while the host's bits were due.
    Contention,
    /// The bus was used in the middle of another transaction.
    BusReentered,
    /// A bus register that does not exist, or an access of more than 4 bytes to one.
    BadBusRegister,
    /// A write to a read-only register.
    ReadOnly,
    /// More than 64 bytes of the backplane at once.
    BackplaneTooLong,
    /// An access to the backplane that is not aligned to its size, or more than a register's at an address that is not a multiple of 4.
    BackplaneUnaligned,
    /// An access to the backplane across a 32 KiB window.
    WindowCrossed,
    /// An access to an address of the backplane where nothing is.
    BadBackplaneAddress,
    /// A read of the backplane while the padding of its reads is not what was programmed, or none was programmed.
    ResponseDelay,
    /// An access to the backplane without a clock for it (ALP or HT).
    NoClock,
    /// RAM was written while the SOCSRAM core was in reset, or the ARM core ran.
    RamNotReady,
    /// A core was controlled in an order that the wrapper does not allow.
    CoreSequence,
    /// The ARM core was started on images that are not what is expected, or without the footer.
    BadImage,
    /// The watermark is below 8 or no multiple of 4.
    BadWatermark,
    /// Frames were written or read before function 2 was ready.
    F2NotReady,
    /// A read of a frame while none is announced.
    NothingToRead,
    /// A read of another length than announced.
    WrongReadLength,
    /// A frame whose header does not hold: length, complement, header length.
    BadFrame,
    /// The sequence numbers of frames are not consecutive.
    BadSequence,
    /// A frame without credit for it.
    NoCredit,
    /// A frame of data while the firmware asked for none.
    FlowControlled,
    /// A frame of data without the two bytes of padding, or with a wrong second header.
    BadDataHeader,
    /// A channel that the firmware does not know.
    BadChannel,
    /// An ioctl whose header does not hold, or whose length differs from what came.
    BadIoctl,
    /// An ioctl while the reply to another is outstanding.
    IoctlOverlap,
    /// An ioctl with the id of the one before.
    IoctlIdRepeated,
    /// An ioctl or iovar that is unknown.
    UnknownIoctl,
    /// A value of an ioctl or iovar that the firmware refuses.
    BadValue,
    /// An ioctl in a state that the firmware does not allow: not up, not down, busy.
    BadState,
    /// The parts of the regulatory database came in a wrong order, or it is not what is expected.
    BadClm,
    /// A key was given before the radio was ready for it.
    KeyTooEarly,
    /// A frame longer or shorter than Ethernet allows.
    BadFrameLength,
}

/// One misuse of the chip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// When.
    pub at: Duration,
    /// What the host sent since it asserted chip select, command first, up to eight words in the order of the bus. Empty where no transaction is to blame.
    pub words: Vec<u32>,
    /// The transaction in words.
    pub decoded: String,
    /// What is wrong with it.
    pub kind: ViolationKind,
    /// The values in question.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} at {:?} by {} {:08x?}: {}",
            self.kind, self.at, self.decoded, self.words, self.detail
        )
    }
}
