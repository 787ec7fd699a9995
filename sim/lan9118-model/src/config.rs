//! Configuration of a chip.

use core::time::Duration;

use crate::violations::ViolationKind;

/// A chip of the family.
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
    /// All parts.
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

    /// The identifier in the upper half of `ID_REV`.
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

    /// Shortest cycle of its bus.
    #[must_use]
    pub const fn cycle(self) -> Duration {
        Duration::from_nanos(if self.is_slow() { 165 } else { 45 })
    }

    pub(crate) const fn is_slow(self) -> bool {
        matches!(
            self,
            Self::Lan9115 | Self::Lan9116 | Self::Lan9210 | Self::Lan9215 | Self::Lan9216 | Self::Lan9220
        )
    }
}

/// Configuration of a chip. Times without a source are marked as estimates.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChipConfig {
    /// The part.
    pub part: Part,
    /// The MAC address in its EEPROM; `None`: there is no EEPROM, or an empty one.
    pub eeprom: Option<[u8; 6]>,
    /// Time of one access. [`Part::cycle`] by default.
    pub cycle: Duration,
    /// Time from power-on until the chip is ready. 1 ms by default, an estimate.
    pub power_on: Duration,
    /// Time of a soft reset. 20 µs by default, an estimate.
    pub soft_reset: Duration,
    /// Time of a wake-up. 200 µs by default, an estimate.
    pub wake_up: Duration,
    /// Time to read the EEPROM after power-on and soft reset. 150 µs by default, an estimate.
    pub eeprom_time: Duration,
    /// Time of an access to a MAC register. 400 ns by default, an estimate.
    pub mac_register: Duration,
    /// A received frame comes into the FIFO in two pieces, and its status after them, each this
    /// time after the one before. 700 ns by default, an estimate. At zero the frame is in the
    /// FIFO at once.
    pub staging: Duration,
    /// Whether the interrupt of a FIFO level is raised again after it was cleared while the level
    /// is still exceeded. The data sheet does not say; in QEMU's model it is not, which is the
    /// default.
    pub persistent_levels: bool,
    /// Kinds of protocol violations that are not reported.
    pub allowed_violations: Vec<ViolationKind>,
}

impl ChipConfig {
    /// Creates the configuration of this part, with an address in its EEPROM and the shortest cycle
    /// of its bus.
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
            persistent_levels: false,
            allowed_violations: Vec::new(),
        }
    }

    /// Sets the address in its EEPROM; `None`: without an EEPROM.
    #[must_use]
    pub const fn with_eeprom(mut self, address: Option<[u8; 6]>) -> Self {
        self.eeprom = address;
        self
    }

    /// Sets the time of one access.
    #[must_use]
    pub const fn with_cycle(mut self, cycle: Duration) -> Self {
        self.cycle = cycle;
        self
    }

    /// Sets the time between the pieces of a frame that comes into the FIFO.
    #[must_use]
    pub const fn with_staging(mut self, staging: Duration) -> Self {
        self.staging = staging;
        self
    }

    /// Sets that the interrupt of a FIFO level is raised again while the level is exceeded.
    #[must_use]
    pub const fn with_persistent_levels(mut self) -> Self {
        self.persistent_levels = true;
        self
    }

    /// Sets a kind of protocol violation that is not reported. May be repeated.
    #[must_use]
    pub fn with_allowed_violation(mut self, kind: ViolationKind) -> Self {
        self.allowed_violations.push(kind);
        self
    }
}

/// Whether the chip answers on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceState {
    /// It answers.
    #[default]
    Connected,
    /// The bus is not driven, and pulled up: every read gives ones.
    AllOnes,
    /// The bus is not driven, and pulled down: every read gives zeros.
    AllZeros,
}
