//! What the parts of the port share.

use core::time::Duration;

use ethdev::Link;
use ethdev_sim::model::{self, ModelTypes};

use crate::config::RmiiPortConfig;
use crate::stats::ModelStats;
use crate::violations::{Violation, ViolationKind};

/// A byte at 100 Mbit/s.
pub(crate) const BYTE_TIME: Duration = Duration::from_nanos(80);
/// Shortest Ethernet frame in bytes, with FCS.
pub(crate) const MIN_LEN_WITH_FCS: usize = 64;

/// Something that happens later, unless `generation` is past by then.
#[derive(Debug)]
pub(crate) enum Timer {
    RxEnd { generation: u64 },
    TxEnd { generation: u64 },
}

/// What the port does to the medium.
#[derive(Debug)]
pub(crate) enum Effect {
    BreakOff,
    Transmit(Vec<u8>),
}

/// The medium when a transmission is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MediaState {
    pub(crate) link: Link,
    pub(crate) is_clocked: bool,
}

#[derive(Debug)]
pub(crate) struct Types;

impl ModelTypes for Types {
    type Config = RmiiPortConfig;
    type Stats = ModelStats;
    type ViolationKind = ViolationKind;
    type Violation = Violation;
    type Timer = Timer;
    type Effect = Effect;
}

pub(crate) type Context = model::Context<Types>;
