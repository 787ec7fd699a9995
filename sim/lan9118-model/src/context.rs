//! What the parts of the chip share.

use ethdev::Duplex;
use ethdev_sim::model::{self, ModelTypes};

use crate::config::ChipConfig;
use crate::stats::ModelStats;
use crate::violations::{Violation, ViolationKind};

/// Something that happens later.
#[derive(Debug)]
pub(crate) struct Timer {
    /// Resets before the timer was started: it has no effect after another one. `None`: it always
    /// has.
    pub(crate) generation: Option<u64>,
    pub(crate) event: Event,
}

/// What a timer does.
#[derive(Debug)]
pub(crate) enum Event {
    PowerOnEnd,
    SoftResetEnd,
    EepromEnd,
    WakeUpEnd,
    /// An access to a MAC register ends.
    CsrEnd {
        index: usize,
        read: bool,
    },
    MdioEnd(MdioFrame),
    /// The receiver stops.
    RxStop,
    /// Words of a frame come into the data FIFO, unless it was dumped since.
    RxData {
        dumps: u64,
        words: Vec<u32>,
    },
    /// A frame's status comes into the FIFO, unless that was dumped since.
    RxStatus {
        dumps: u64,
        status: u32,
    },
    RxDumpEnd,
    /// A frame is off the wire.
    TxEnd {
        number: u64,
    },
    TxDumpEnd,
    /// The time of a PAUSE frame is over.
    PauseOver,
}

/// An MDIO frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MdioFrame {
    pub(crate) phy: u8,
    pub(crate) register: u8,
    /// The value to be written; `None` for a read.
    pub(crate) write: Option<u16>,
}

/// What the chip does to its medium and its PHY.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A frame of the transmit FIFO.
    Transmit(Vec<u8>),
    /// A PAUSE frame of the MAC.
    Pause(Vec<u8>),
    BreakOff,
    MacMode(Duplex),
    Mdio(MdioFrame),
}

#[derive(Debug)]
pub(crate) struct Types;

impl ModelTypes for Types {
    type Config = ChipConfig;
    type Stats = ModelStats;
    type ViolationKind = ViolationKind;
    type Violation = Violation;
    type Timer = Timer;
    type Effect = Effect;
}

pub(crate) type Context = model::Context<Types>;
