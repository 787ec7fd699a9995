//! What the parts of the PHY share.

use core::time::Duration;

use ethdev::LinkMode;
use ethdev_sim::model::{self, ModelTypes};

use crate::config::PhyConfig;
use crate::partner::Agreement;
use crate::stats::ModelStats;
use crate::violations::{Violation, ViolationKind};

/// A step on the way to a link.
#[derive(Debug)]
pub(crate) enum LinkStep {
    /// The break is over.
    Listen,
    /// The partner's base page came.
    PageReceived(u16),
    /// The link comes up.
    Up(Agreement),
    /// The search starts again.
    Restart,
    /// Two modes at once were detected.
    ParallelFault,
    /// The signal is lost for so long that the link goes down, unless the signal changed since.
    SignalLost { signals: u64 },
}

/// Something that happens later, unless `generation` is past by then.
#[derive(Debug)]
pub(crate) enum Timer {
    Link {
        generation: u64,
        step: LinkStep,
    },
    Energy {
        generation: u64,
        present: bool,
    },
    SoftResetEnd {
        generation: u64,
    },
    /// A frame returns to the MAC.
    LoopBack(Vec<u8>),
}

/// What the PHY does to the wire and to the MAC.
#[derive(Debug)]
pub(crate) enum Effect {
    Mode(Option<LinkMode>),
    HalfDuplex {
        here: bool,
        there: bool,
    },
    /// A frame to the MAC.
    Deliver(Vec<u8>),
    /// A frame back to the wire.
    SendBack(Vec<u8>),
    FalseCarrier(Duration),
}

#[derive(Debug)]
pub(crate) struct Types;

impl ModelTypes for Types {
    type Config = PhyConfig;
    type Stats = ModelStats;
    type ViolationKind = ViolationKind;
    type Violation = Violation;
    type Timer = Timer;
    type Effect = Effect;
}

pub(crate) type Context = model::Context<Types>;
