//! The NXP (Freescale) ENET: the Fast Ethernet MAC of i.MX 6 and i.MX RT, with its uDMA and buffer descriptors.
//!
//! Sources: the chapters on the ENET in the reference manuals of i.MX 6UL and i.MX RT1060, the older ones on the FEC where they say more (`ColdFire` MCF5282,
//! MPC5566), the errata ERR006358 and the one of RCR\[PADEN\].
//!
//! # Units and conventions
//!
//! Time is the clock's: each bit on MDIO and on the medium, and the reset; accesses of the host and of the uDMA take none. The MAC sits on a
//! [`MediaSide`]: the end of a wire, or the RMII of a PHY. Its memory is a [`BusMemory`].
//!
//! # Where the sources are silent
//!
//! A frame is read from memory when its transmission begins, and its descriptors are closed when its last bit is out. The uDMA looks at the next descriptor as
//! soon as it has closed one, and clears RDAR where that is not empty. A frame that the FIFO has no room for is cut off, if there is room for 60 bytes of it,
//! and closed with the mark of an overrun; `IEEE_R_MACERR` counts it, and each one that leaves no trace at all. Runts never come to a descriptor. Frames that
//! the filter refuses are not in the statistics.
//!
//! # Not modelled
//!
//! Enhanced descriptors with their checksums and time stamps, PAUSE frames of its own, VLAN, magic packets, loopback, MII at 10 Mbit/s (its speed is that of the
//! PHY's clocks), interrupt coalescing. Their registers keep what is written to them.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod bus;
mod config;
mod hardware;
mod map;
mod rx;
mod tx;
mod violations;

use core::fmt;
use std::rc::Rc;

pub use bus::BusMemory;
pub use config::ChipConfig;
pub use rx::hash_index;
pub use tx::TxFate;
pub use violations::{Violation, ViolationKind};

use ethdev_sim::{Clock, MediaSide, SimDelay};
use hardware::Shared;
use lan8720_model::Lan8720Chip;

/// What became of every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModelStats {
    /// Frames that came in while the MAC was enabled, runts included.
    pub rx_frames: u64,
    /// Frames that came in while it was not.
    pub rx_unheard: u64,
    /// Of those: shorter than 64 bytes.
    pub rx_runts: u64,
    /// PAUSE frames.
    pub rx_pauses: u64,
    /// Refused by the filter.
    pub rx_filtered: u64,
    /// No room in the FIFO for all of it.
    pub rx_overruns: u64,
    /// Their last descriptor was closed, good ones and bad ones.
    pub rx_closed: u64,
    /// Whole frames lost in the FIFO when the MAC was disabled.
    pub rx_fifo_lost: u64,
    /// Frames whose last bit is out.
    pub tx_frames: u64,
    /// Frames given up after collisions.
    pub tx_given_up: u64,
}

/// An ENET on its medium and its bus. Clones are the same chip.
///
/// ```
/// use nxp_enet_model::{BusMemory, ChipConfig, EnetChip};
/// use ethdev_sim::{Clock, Wire, WireConfig};
///
/// /// A bus without memory.
/// struct Nothing;
/// impl BusMemory for Nothing {
///     fn read(&self, _: u32, _: &mut [u8]) -> bool {
///         false
///     }
///     fn write(&self, _: u32, _: &[u8]) -> bool {
///         false
///     }
/// }
///
/// let (_wire, port, _peer) = Wire::new(&Clock::new(), WireConfig::default());
/// let chip = EnetChip::new(port, Nothing, ChipConfig::default());
/// assert_eq!(chip.read(0x24), 0xf000_0000); // ECR
/// // Enabled with rings at address 0, on an empty bus: EBERR, and disabled.
/// for (register, value) in [(0x84, 0x05ee_0104), (0x188, 1536), (0x1b0, 1536), (0x24, 0x102), (0x10, 1 << 24)] {
///     chip.write(register, value);
/// }
/// assert_eq!((chip.read(0x04), chip.read(0x24)), (1 << 22, 0xf000_0100));
/// assert_eq!(chip.violations(), []);
/// ```
#[derive(Clone)]
pub struct EnetChip(Rc<Shared>);

impl EnetChip {
    /// A MAC that was just powered on.
    #[must_use]
    pub fn new(media: impl MediaSide + 'static, memory: impl BusMemory + 'static, config: ChipConfig) -> Self {
        Self(Shared::new(Box::new(media), Box::new(memory), config))
    }

    /// A MAC on this PHY: its RMII and its MDIO bus.
    #[must_use]
    pub fn with_phy(phy: &Lan8720Chip, memory: impl BusMemory + 'static, config: ChipConfig) -> Self {
        let chip = Self::new(phy.rmii(), memory, config);
        let phy = phy.clone();
        chip.on_mdio(move |address, register, write| match write {
            Some(value) => phy.mdio_write(address, register, value).then_some(value),
            None => phy.mdio_read(address, register),
        });
        chip
    }

    /// Calls `bus` at the end of each management frame, with the addresses of PHY and register, and what is written to it. It returns what is read; `None`: the
    /// frame never ends. Without anybody there everything reads `0xffff`.
    pub fn on_mdio(&self, bus: impl Fn(u8, u8, Option<u16>) -> Option<u16> + 'static) {
        self.0
            .mdio
            .replace(Some(Box::new(move |frame| bus(frame.phy, frame.register, frame.write))));
    }

    /// The host reads a register, at this offset in bytes.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        self.0.read(offset)
    }

    /// The host writes a register, at this offset in bytes.
    pub fn write(&self, offset: usize, value: u32) {
        self.0.write(offset, value);
    }

    /// Calls `handler` at each rising edge of the interrupt line; for instance to ring a doorbell. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or accessed the chip.
    pub fn on_interrupt(&self, mut handler: impl FnMut() + 'static) {
        self.0.interrupt.set(Box::new(move |()| handler()));
    }

    /// Calls `handler` before each access of the host to a register. Takes the place of the one before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Delays on the chip's clock.
    #[must_use]
    pub fn delay(&self) -> SimDelay {
        self.0.delay()
    }

    /// The chip's clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// What became of every frame so far.
    #[must_use]
    pub fn stats(&self) -> ModelStats {
        self.0.core.borrow().stats
    }

    /// The misuse so far, in order, up to a thousand.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.0.core.borrow().violations.clone()
    }

    /// As [`violations`](Self::violations), and forgets them.
    pub fn take_violations(&self) -> Vec<Violation> {
        core::mem::take(&mut self.0.core.borrow_mut().violations)
    }

    /// A frame arrives now, without FCS given: as if it had come in good order.
    pub fn inject_rx(&self, frame: &[u8]) {
        let on_wire = ethdev_sim::fcs::pad_and_append(frame);
        self.0.with(|chip| chip.receive(&on_wire));
    }

    /// Whether the transmitter stands still: frames stay in their descriptors.
    pub fn stall_tx(&self, stalled: bool) {
        self.0.with(|chip| chip.stall_tx(stalled));
    }

    /// Decides what becomes of the next transmissions, in this order.
    pub fn next_transmissions(&self, fates: impl IntoIterator<Item = TxFate>) {
        self.0.core.borrow_mut().fates.extend(fates);
    }

    /// Forgets what was [decided](Self::next_transmissions) and has not come to pass.
    pub fn forget_transmissions(&self) {
        self.0.core.borrow_mut().fates.clear();
    }

    /// The next descriptor of a whole frame is closed with this length, whatever is true.
    pub fn override_rx_len(&self, len: u16) {
        self.0.core.borrow_mut().forged_len = Some(len);
    }

    /// The next so many writes to TDAR are lost (ERR006358).
    pub fn drop_doorbell_writes(&self, count: u32) {
        self.0.core.borrow_mut().doorbells_to_lose = count;
    }

    /// The uDMA meets a bus error: EBERR, and the MAC halts.
    pub fn bus_error(&self) {
        self.0.with(hardware::Model::bus_error);
    }

    /// The supply fails for a moment: a power-on reset.
    pub fn inject_brownout(&self) {
        self.0.with(hardware::Model::power_on);
    }

    /// Whether resets go on for ever: the module has lost its clock.
    pub fn hang_reset(&self, hang: bool) {
        self.0.core.borrow_mut().reset_hangs = hang;
    }
}

impl fmt::Debug for EnetChip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.core.borrow();
        f.debug_struct("EnetChip")
            .field("stats", &chip.stats)
            .field("violations", &chip.violations.len())
            .finish_non_exhaustive()
    }
}
