//! What the parts of the chip share.

use ethdev::{Duplex, Speed};
use ethdev_sim::model::{self, ModelTypes};

use crate::config::ChipConfig;
use crate::stats::ModelStats;
use crate::violations::{Violation, ViolationKind};

/// A management frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MdioFrame {
    pub(crate) phy: u8,
    pub(crate) register: u8,
    /// The value to be written; `None` for a read.
    pub(crate) write: Option<u16>,
}

/// Something that happens later. `era`: unless the chip was reset or disabled since.
#[derive(Debug)]
pub(crate) enum Timer {
    /// The last bit of a frame is out.
    TxEnd { era: u64 },
    /// The time of a PAUSE frame is over.
    PauseOver { era: u64 },
    /// The last bit of a management frame is out.
    MdioEnd { number: u64, frame: MdioFrame },
}

/// What the chip does to its surroundings.
#[derive(Debug)]
pub(crate) enum Effect {
    Transmit { frame: Vec<u8>, collides: bool, era: u64 },
    BreakOff,
    MacMode(Speed, Duplex),
    Mdio { number: u64, frame: MdioFrame },
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
