//! The SMSC (Microchip) LAN9118 and its relatives: a MAC with FIFOs of its own and a built-in PHY, behind a bus.
//!
//! Source: the data sheet of the LAN9118, revision 1.5, and those of its relatives for their identities and cycles.
//!
//! # Units and conventions
//!
//! Time is the clock's: each access takes a cycle of the bus, MAC registers and MDIO frames take theirs, and frames theirs on the medium. Frames on the medium
//! carry their FCS. The chip sits on a medium ([`MediaSide`]), by [`new`](Lan9118Chip::new) on its own PHY, which is a [`Lan8720Chip`] of the part
//! [`Lan911x`](lan8720_model::Part::Lan911x) at address 1 and sits on the wire.
//!
//! # Where the sources are silent
//!
//! How long resets, the EEPROM and MAC registers take is in [`ChipConfig`], guesses named as such. A received frame comes into the FIFO in two pieces and its
//! status after them, as the data sheet has it in words (section 3.13), at times that are a guess. A frame that does not fit is dropped as a whole.
//!
//! # Not modelled
//!
//! Offsets and alignment of received data, fast forward, the general-purpose timer and pins, EEPROM commands, wake-up frames, checksum offload, pad stripping,
//! back-pressure, the MAC's loopback, receiving everything: each is reported as [`ViolationKind::NotModelled`] when it is used.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod access;
mod config;
mod counters;
mod filter;
mod hardware;
mod mac;
mod power;
mod registers;
mod rx;
mod tx;
mod violations;

use core::fmt;
use std::rc::Rc;

pub use config::{ChipConfig, Part};
pub use counters::{BusCounters, ModelStats};
pub use filter::hash_index;
pub use tx::TxFate;
pub use violations::{Violation, ViolationKind};

use ethdev_sim::{Clock, MediaSide, Port, SimDelay};
use hardware::Shared;
use lan8720_model::{Lan8720Chip, Part as PhyPart, PhyConfig, PhyStraps};
use registers::int;

/// Whether the chip is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceState {
    /// It answers.
    #[default]
    Connected,
    /// Nobody drives the bus, which is pulled up.
    AllOnes,
    /// Nobody drives the bus, which is pulled down.
    AllZeros,
}

/// A LAN9118, or one of its relatives. Clones are the same chip.
///
/// ```
/// use lan9118_model::{ChipConfig, Lan9118Chip, Part};
/// use ethdev_sim::{Clock, Wire, WireConfig};
/// use std::time::Duration;
///
/// let clock = Clock::new();
/// let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default());
/// let chip = Lan9118Chip::new(&clock, port, ChipConfig::new(Part::Lan9118));
/// let bus = chip.bus();
/// while bus.read(0x84) & 1 == 0 { /* PMT_CTRL: not ready yet */ }
/// assert_eq!(bus.read(0x64), 0x8765_4321); // BYTE_TEST
/// assert_eq!(bus.read(0x50) >> 16, 0x0118); // ID_REV
/// assert!(clock.now() > Duration::from_millis(1));
/// assert_eq!(chip.violations(), []);
/// ```
#[derive(Clone)]
pub struct Lan9118Chip(Rc<Shared>);

impl Lan9118Chip {
    /// A chip at power-on with its own PHY on the near end of the cable. The PHY decides the mode of the wire, which is down until it has negotiated.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        let straps = PhyStraps::default().with_address(1);
        let phy = PhyConfig::new(PhyPart::Lan911x).with_straps(straps);
        Self::with_phy(Lan8720Chip::new(clock, port, phy), config)
    }

    /// The same with a PHY that was made by the caller.
    #[must_use]
    pub fn with_phy(phy: Lan8720Chip, config: ChipConfig) -> Self {
        let media = Box::new(phy.rmii());
        Self(Shared::new(&phy.clock(), media, Some(phy), config))
    }

    /// A chip at power-on on a bare medium, with nobody on its MDIO bus.
    #[must_use]
    pub fn on_media(media: impl MediaSide + 'static, config: ChipConfig) -> Self {
        Self(Shared::new(&media.clock(), Box::new(media), None, config))
    }

    /// The host's bus.
    #[must_use]
    pub fn bus(&self) -> SimBus {
        SimBus(self.0.clone())
    }

    /// Its PHY, if it has one.
    #[must_use]
    pub fn phy(&self) -> Option<&Lan8720Chip> {
        self.0.phy.as_ref()
    }

    /// Whether the interrupt pin is active, whatever its polarity.
    #[must_use]
    pub fn irq_is_active(&self) -> bool {
        self.0.line.is_active()
    }

    /// Calls `handler` at each edge of the interrupt pin that makes it active; for instance to ring a interrupt signal. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or the bus: like an interrupt handler. It must not use the bus.
    pub fn on_irq(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// Calls `handler` before each access of the host. Takes the place of the one before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Delays on the chip's clock.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        SimDelay::new(&self.0.clock)
    }

    /// The chip's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// The traffic on the bus so far.
    #[must_use]
    pub fn bus_counters(&self) -> BusCounters {
        self.0.core.borrow().bus
    }

    /// What became of every frame so far.
    #[must_use]
    pub fn stats(&self) -> ModelStats {
        self.0.core.borrow().stats
    }

    /// The misuse so far, in order, up to a thousand.
    ///
    /// What a host does after a fault that was injected and before the next reset of the chip is not held against it.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.0.core.borrow().violations.clone()
    }

    /// As [`violations`](Self::violations), and forgets them.
    pub fn take_violations(&self) -> Vec<Violation> {
        core::mem::take(&mut self.0.core.borrow_mut().violations)
    }

    /// Reports this kind of misuse no longer.
    pub fn allow(&self, kind: ViolationKind) {
        self.0.core.borrow_mut().config.allowed.push(kind);
    }

    /// Holds the transmitter back, or lets it go.
    pub fn stall_tx(&self, stalled: bool) {
        self.0.with(|chip| {
            chip.tx.stalled = stalled;
            chip.transmit();
        });
    }

    /// Gives up the next frames that are to be sent, for these reasons, in this order.
    pub fn next_transmissions(&self, fates: impl IntoIterator<Item = TxFate>) {
        self.0.core.borrow_mut().tx.fates.extend(fates);
    }

    /// Whether the chip is there, from now on.
    pub fn set_presence(&self, presence: DeviceState) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.presence = presence;
        });
    }

    /// The next received frame's status tells this length, without FCS, whatever is true.
    pub fn override_rx_len(&self, len: usize) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.rx.forged = Some(len);
        });
    }

    /// The next received frame's status has these bits as well.
    pub fn forge_rx_status(&self, bits: u32) {
        self.0.core.borrow_mut().rx.bits = bits;
    }

    /// The oldest word in the receive data FIFO is lost: data and statuses are out of step.
    pub fn lose_rx_word(&self) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.rx.lose_word();
        });
    }

    /// The oldest status in the receive FIFO is lost.
    pub fn lose_rx_status(&self) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.rx.lose_status();
        });
    }

    /// A status of a frame that was never sent appears.
    pub fn inject_spurious_tx_status(&self, status: u32) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.tx.statuses.push_back(status);
        });
    }

    /// The transmitter has an error, the receive FIFO tells nonsense, and neither direction works until the next reset.
    pub fn break_down(&self) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.rx.broken = true;
            chip.raise(int::TXE);
        });
    }

    /// Access to MAC registers never ends, or does again: until the next reset.
    pub fn stick_mac_registers(&self, stuck: bool) {
        self.0.with(|chip| {
            chip.tainted = true;
            chip.mac.stuck = stuck;
            chip.mac.busy &= stuck;
        });
    }
}

impl fmt::Debug for Lan9118Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.core.borrow();
        f.debug_struct("Lan9118Chip")
            .field("part", &chip.config.part)
            .field("bus", &chip.bus)
            .field("stats", &chip.stats)
            .field("violations", &chip.violations.len())
            .finish_non_exhaustive()
    }
}

/// The host's bus to a chip: 32 bits wide. Clones are the same bus.
#[derive(Clone)]
pub struct SimBus(Rc<Shared>);

impl SimBus {
    /// Reads what is at this offset in bytes. Takes a cycle.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    /// Writes what is at this offset in bytes. Takes a cycle.
    pub fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }
}

impl fmt::Debug for SimBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimBus").finish_non_exhaustive()
    }
}
