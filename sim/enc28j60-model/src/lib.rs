//! The Microchip ENC28J60: a 10BASE-T controller behind SPI, with all its errata.
//!
//! Sources: the data sheet DS39662E, the errata DS80349C, and what public drivers and their users found out.
//!
//! # Units and conventions
//!
//! Time is the clock's: each bit on SPI, each gap and delay, each bit on the wire. Frames on the wire carry their FCS. The wire has to run at 10 Mbit/s and is
//! full duplex; in half duplex, collisions are injected. A reading host sees the state of the chip at the end of each byte.
//!
//! A frame is taken from the buffer memory when its transmission begins, and put there when its last bit has come in.
//!
//! # Where the sources are silent
//!
//! MISO is 0 during opcodes and dummy bytes. The byte count of a transmit status vector includes the FCS. Broadcasts do not count as multicasts in status
//! vectors. After an overflow the receiver goes on when there is room. Registers of the MAC read 0, and keep what they have, while it is not ready.
//!
//! # Not modelled
//!
//! The built-in self-test (EBST registers), pause frames and jams sent by EFLOCON, LEDs, and CLKOUT: their registers keep what is written to them.

#![forbid(unsafe_code)]
#![allow(
    clippy::must_use_candidate,
    reason = "methods act through `&self` here, and the lint takes them for pure"
)]

mod config;
mod counters;
mod dma;
mod errata;
mod faults;
mod filter;
#[cfg(feature = "embedded-hal-02")]
mod hal02;
mod hardware;
mod instruction;
mod phy;
mod pins;
mod power;
mod ram;
mod registers;
mod rx;
mod spi;
mod tx;
mod violations;
mod writes;

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

pub use config::{ChipConfig, Revision};
pub use counters::{BusCounters, ModelStats};
pub use errata::{Errata, Probabilities};
pub use faults::{ChipFaults, MisoFault, TxFate};
pub use filter::hash_index;
#[cfg(feature = "embedded-hal-02")]
pub use hal02::Hal02;
pub use pins::{CsPin, IntPin, ResetPin};
pub use spi::{SimSpi, SimSpiBus, SpiFault};
pub use violations::{Violation, ViolationKind};

use ethdev_sim::{Clock, Port, SimDelay};
use hardware::Shared;

/// An ENC28J60 on its wire. Clones are the same chip.
///
/// ```
/// use enc28j60_model::{ChipConfig, Enc28j60Chip, Revision};
/// use ethdev_sim::{Clock, Wire, WireConfig};
/// use embedded_hal::spi::{Operation, SpiDevice};
///
/// let clock = Clock::new();
/// let (_wire, port, _peer) = Wire::new(&clock, WireConfig::default().with_speed(ethdev::Speed::MBPS_10));
/// let chip = Enc28j60Chip::new(&clock, port, ChipConfig::new(Revision::B7));
/// let mut spi = chip.spi_device();
/// // Bank 3 (BFS ECON1), then RCR EREVID.
/// spi.write(&[0x9f, 0x03]).unwrap();
/// let mut id = [0];
/// spi.transaction(&mut [Operation::Write(&[0x12]), Operation::Read(&mut id)]).unwrap();
/// assert_eq!(id, [0x06]);
/// assert_eq!(chip.violations(), []);
/// ```
#[derive(Clone)]
pub struct Enc28j60Chip(Rc<Shared>);

impl Enc28j60Chip {
    /// A chip that was just powered on, attached to its wire.
    ///
    /// # Panics
    ///
    /// Where the wire is up at another speed than 10 Mbit/s.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        Self(Shared::new(clock, port, config))
    }

    /// The chip's SPI as a host's SPI driver offers it: embedded-hal's `SpiDevice`, blocking and async.
    #[must_use]
    pub fn spi_device(&self) -> SimSpi {
        SimSpi::new(&self.0)
    }

    /// The chip's SPI without chip select, and the pin for that.
    #[must_use]
    pub fn spi_bus(&self) -> (SimSpiBus, CsPin) {
        (SimSpiBus::new(&self.0), CsPin::new(&self.0))
    }

    /// The INT pin: active low.
    #[must_use]
    pub fn int_pin(&self) -> IntPin {
        IntPin::new(&self.0)
    }

    /// Calls `handler` at each falling edge of the INT pin that the host notices; for instance to ring a interrupt signal. Takes the place of the one before.
    ///
    /// It is called with nothing borrowed, in the middle of whatever moved the clock or the bus: like an interrupt handler. It must not use the bus.
    pub fn on_int_falling(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// The RESET pin: active low.
    #[must_use]
    pub fn reset_pin(&self) -> ResetPin {
        ResetPin::new(&self.0)
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
    pub fn bus(&self) -> BusCounters {
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

    /// Other random faults from now on.
    pub fn set_faults(&self, faults: ChipFaults) {
        self.0.core.borrow_mut().config.faults = faults;
    }

    /// Other errata from now on.
    pub fn set_errata(&self, errata: Errata) {
        self.0.core.borrow_mut().config.errata = errata;
    }

    /// What the host reads from now on. Anything but [`MisoFault::Connected`] is an absent chip: what it is told does not arrive.
    pub fn set_miso(&self, miso: MisoFault) {
        self.0.with(|chip| {
            chip.taint();
            chip.miso = miso;
        });
    }

    /// Decides what becomes of the next transmissions in half duplex, in this order.
    pub fn next_transmissions(&self, fates: impl IntoIterator<Item = TxFate>) {
        self.0.core.borrow_mut().fates.extend(fates);
    }

    /// The supply fails for a moment: a power-on reset, with random bytes in the buffer memory.
    pub fn inject_brownout(&self) {
        self.0.with(|chip| {
            chip.taint();
            chip.power_on_reset();
        });
    }

    /// The chip resets itself, as by its RESET pin.
    pub fn spontaneous_reset(&self) {
        self.0.with(|chip| {
            chip.taint();
            chip.system_reset();
        });
    }

    /// What EPKTCNT reads from now on, whatever is true; `None` for the stats.
    pub fn freeze_packet_count(&self, count: Option<u8>) {
        self.0.with(|chip| {
            chip.taint();
            chip.stuck_packet_count = count;
        });
    }

    /// Puts this byte count, which includes the FCS, into the header of the next packet, whatever its length is. Where the packet after it begins stays true.
    pub fn forge_next_count(&self, count: u16) {
        self.0.with(|chip| {
            chip.taint();
            chip.forged_count = Some(count);
        });
    }

    /// Fails the bus once, at the `n`-th byte from now, counted from 0.
    pub fn fail_bus_at(&self, n: u64) {
        self.0.core.borrow_mut().fail_in = Some(n);
    }

    /// Looks at a control register without a bus: `bank` 0 to 3, `address` 0x00 to 0x1F.
    #[must_use]
    pub fn peek(&self, bank: u8, address: u8) -> u8 {
        self.0.core.borrow().peek(bank, address)
    }

    /// Looks at a PHY register without a bus, and without what a read clears.
    #[must_use]
    pub fn peek_phy(&self, address: u8) -> u16 {
        self.0.core.borrow().peek_phy(address)
    }

    /// The byte of buffer memory at this address, modulo 8 KiB.
    #[must_use]
    pub fn peek_ram(&self, address: u16) -> u8 {
        self.0.core.borrow().ram.peek(address)
    }

    /// When the chip was reset last, by whatever.
    #[must_use]
    pub fn last_reset(&self) -> Duration {
        self.0.core.borrow().reset_at
    }
}

impl fmt::Debug for Enc28j60Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.core.borrow();
        f.debug_struct("Enc28j60Chip")
            .field("revision", &chip.config.revision)
            .field("bus", &chip.bus)
            .field("stats", &chip.stats)
            .field("violations", &chip.violations.len())
            .finish_non_exhaustive()
    }
}
