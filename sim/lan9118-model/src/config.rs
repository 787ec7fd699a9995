//! How a chip is to be.

use core::time::Duration;

use super::ViolationKind;

/// Which chip of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names of the chips")]
pub enum Part {
    Lan9115,
    Lan9116,
    Lan9117,
    Lan9118,
    Lan9210,
    Lan9211,
    Lan9215,
    Lan9216,
    Lan9217,
    Lan9218,
    Lan9220,
    Lan9221,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Lan9115,
        Self::Lan9116,
        Self::Lan9117,
        Self::Lan9118,
        Self::Lan9210,
        Self::Lan9211,
        Self::Lan9215,
        Self::Lan9216,
        Self::Lan9217,
        Self::Lan9218,
        Self::Lan9220,
        Self::Lan9221,
    ];

    /// The upper half of `ID_REV`.
    #[must_use]
    pub const fn id(self) -> u16 {
        match self {
            Self::Lan9115 => 0x0115,
            Self::Lan9116 => 0x0116,
            Self::Lan9117 => 0x0117,
            Self::Lan9118 => 0x0118,
            Self::Lan9210 => 0x9210,
            Self::Lan9211 => 0x9211,
            Self::Lan9215 => 0x115a,
            Self::Lan9216 => 0x116a,
            Self::Lan9217 => 0x117a,
            Self::Lan9218 => 0x118a,
            Self::Lan9220 => 0x9220,
            Self::Lan9221 => 0x9221,
        }
    }

    /// The shortest cycle of its bus.
    #[must_use]
    pub const fn cycle(self) -> Duration {
        Duration::from_nanos(if self.is_slow() { 165 } else { 45 })
    }

    pub(super) const fn is_slow(self) -> bool {
        matches!(
            self,
            Self::Lan9115 | Self::Lan9116 | Self::Lan9210 | Self::Lan9215 | Self::Lan9216 | Self::Lan9220
        )
    }
}

/// How a chip is to be. Start from [`new`](Self::new).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// Which one.
    pub part: Part,
    /// The address in its EEPROM; `None`: there is no EEPROM, or an empty one.
    pub eeprom: Option<[u8; 6]>,
    /// How long one access takes.
    pub cycle: Duration,
    /// How long from power-on until it is ready.
    pub power_on: Duration,
    /// How long a soft reset takes.
    pub soft_reset: Duration,
    /// How long a wake-up takes.
    pub wake_up: Duration,
    /// How long the EEPROM takes to be read after power-on and soft reset.
    pub eeprom_time: Duration,
    /// How long a MAC register takes.
    pub mac_register: Duration,
    /// A received frame comes into the FIFO in two pieces, and its status after them, each so much later than the one before. At zero it is there at once.
    pub staging: Duration,
    /// Whether an interrupt of a FIFO level that was cleared comes again while the level is still exceeded. The data sheet does not say; QEMU's model has
    /// edges.
    pub levels_persist: bool,
    pub(super) allowed: Vec<ViolationKind>,
}

impl ChipConfig {
    /// This part, with an address in its EEPROM, as fast as its bus allows, with levels that are edges.
    #[must_use]
    pub const fn new(part: Part) -> Self {
        Self {
            part,
            eeprom: Some([0x02, 0, 0, 0x91, 0x18, 0x01]),
            cycle: part.cycle(),
            power_on: Duration::from_millis(1),
            soft_reset: Duration::from_micros(20),
            wake_up: Duration::from_micros(200),
            eeprom_time: Duration::from_micros(150),
            mac_register: Duration::from_nanos(400),
            staging: Duration::from_nanos(700),
            levels_persist: false,
            allowed: Vec::new(),
        }
    }

    /// The same with this address in its EEPROM, or without an EEPROM.
    #[must_use]
    pub const fn with_eeprom(mut self, address: Option<[u8; 6]>) -> Self {
        self.eeprom = address;
        self
    }

    /// The same with a slower bus.
    #[must_use]
    pub const fn with_cycle(mut self, cycle: Duration) -> Self {
        self.cycle = cycle;
        self
    }

    /// The same with frames that take this long into the FIFO.
    #[must_use]
    pub const fn with_staging(mut self, staging: Duration) -> Self {
        self.staging = staging;
        self
    }

    /// The same with interrupts of levels that come again.
    #[must_use]
    pub const fn with_levels_that_persist(mut self) -> Self {
        self.levels_persist = true;
        self
    }

    /// The same, not reporting this kind of misuse.
    #[must_use]
    pub fn allowing(mut self, kind: ViolationKind) -> Self {
        self.allowed.push(kind);
        self
    }
}
