//! Protocol violations by the host.

use core::fmt;
use core::time::Duration;

/// A rule of the bus or of the firmware interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// A transaction while the chip has no power.
    BusWithoutPower,
    /// The data line was not low when `WL_REG_ON` rose: the chip would come up with SDIO instead of
    /// gSPI.
    StrapNotLow,
    /// `WL_REG_ON` was low for less than a millisecond.
    ShortPowerCycle,
    /// The clock of the bus is above 50 MHz.
    ClockTooFast,
    /// Chip select rose in the middle of a word, or before the words that the command asked for.
    CutOff,
    /// More or fewer words than the command asked for.
    WordCount,
    /// Another function than the bus registers, or another length than 4, in the mode of 16-bit
    /// words.
    WrongWordMode,
    /// Host and chip drove the data line at once, or neither did while the host's bits were due.
    Contention,
    /// The bus was used in the middle of another transaction.
    BusReentered,
    /// A bus register that does not exist, or an access of more than 4 bytes to one.
    BadBusRegister,
    /// A write to a read-only register.
    ReadOnly,
    /// More than 64 bytes of the backplane at once.
    BackplaneTooLong,
    /// An access to the backplane that is not aligned to its size, or one of more than a register
    /// at an address that is not a multiple of 4.
    BackplaneUnaligned,
    /// An access to the backplane across a 32 KiB window.
    WindowCrossed,
    /// An access to an unused address of the backplane.
    BadBackplaneAddress,
    /// A read of the backplane without response delay.
    ResponseDelay,
    /// An access to the backplane without a clock for it (ALP or HT).
    NoClock,
    /// RAM was written while the SOCSRAM core was in reset, or the ARM core ran.
    RamNotReady,
    /// A core was controlled in an order that the wrapper does not allow.
    CoreSequence,
    /// The ARM core was started with unexpected images, or without the footer.
    BadImage,
    /// The watermark is below 8 or no multiple of 4.
    BadWatermark,
    /// Frames were written or read before function 2 was ready.
    F2NotReady,
    /// A read of a frame while none is announced.
    NothingToRead,
    /// A read of another length than announced.
    WrongReadLength,
    /// A frame with an invalid header: length, complement, header length.
    BadFrame,
    /// The sequence numbers of frames are not consecutive.
    BadSequence,
    /// A frame without credit for it.
    NoCredit,
    /// A data frame during flow control that the host has read.
    FlowControlled,
    /// A data frame without the two bytes of padding, or with a wrong second header.
    BadDataHeader,
    /// An unknown channel.
    BadChannel,
    /// An ioctl with an invalid header or length.
    BadIoctl,
    /// An ioctl while the reply to another is outstanding.
    IoctlOverlap,
    /// An ioctl with the id of the one before.
    IoctlIdRepeated,
    /// An unknown ioctl or iovar.
    UnknownIoctl,
    /// A value of an ioctl or iovar that the firmware rejects.
    BadValue,
    /// An ioctl in a state that the firmware does not allow: not up, not down, busy.
    BadState,
    /// The parts of the regulatory database were out of order, or it is not the expected one.
    BadClm,
    /// A key was set before the radio was ready for it.
    KeyTooEarly,
    /// A frame longer than 1514 bytes or shorter than an Ethernet header.
    BadFrameLength,
}

/// A protocol violation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Simulated time of the violation.
    pub at: Duration,
    /// The first eight words that the host sent since chip select fell, as they are on the bus.
    /// Empty outside transactions.
    pub words: Vec<u32>,
    /// The transaction, decoded.
    pub decoded: String,
    /// The rule that was violated.
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
