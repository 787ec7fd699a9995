//! What can go wrong with the chip.

use core::fmt;

use ethdev::ErrorKind;
use ethdev::phy::PhyError;

/// Why a call of the driver failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// What answers is no LAN9118, or the bus has another width or byte order: what was read where `0x87654321` belongs.
    WrongChip(u32),
    /// The chip did not finish in time.
    Timeout(Step),
    /// The PHY does not answer, or did not finish its reset.
    Phy(PhyError<Timeout>),
    /// The chip lost track of its FIFOs: its interrupt status. Only a recovery helps.
    Fault(u32),
    /// The call cannot be served now, or not with these arguments.
    Refused(ErrorKind),
}

/// What was being waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The chip to be ready after power-on.
    PowerOn,
    /// The end of the soft reset.
    SoftReset,
    /// The receiver to stop.
    StopReceiver,
    /// The receive FIFOs to be emptied.
    EmptyReceiver,
    /// Access to a register of the MAC.
    MacRegister,
    /// Access to a register of the PHY.
    PhyRegister,
}

/// A register access that did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(pub Step);

impl ethdev::Error for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongChip(_) => ErrorKind::NotPresent,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::Phy(e) => e.kind(),
            Self::Fault(_) => ErrorKind::Fault,
            Self::Refused(kind) => *kind,
        }
    }
}

impl ethdev::Error for Timeout {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Timeout
    }
}

impl From<Timeout> for Error {
    fn from(Timeout(step): Timeout) -> Self {
        Self::Timeout(step)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongChip(found) => write!(f, "no LAN9118 here: byte test reads {found:#010x}"),
            Self::Timeout(step) => fmt::Display::fmt(&Timeout(*step), f),
            Self::Phy(e) => fmt::Display::fmt(e, f),
            Self::Fault(status) => write!(f, "FIFOs out of step, interrupt status {status:#010x}"),
            Self::Refused(kind) => fmt::Display::fmt(kind, f),
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Step::PowerOn => "chip not ready after power-on",
            Step::SoftReset => "soft reset did not end",
            Step::StopReceiver => "receiver did not stop",
            Step::EmptyReceiver => "receive FIFOs were not emptied",
            Step::MacRegister => "MAC register stayed busy",
            Step::PhyRegister => "PHY register stayed busy",
        })
    }
}

impl core::error::Error for Error {}
impl core::error::Error for Timeout {}
