//! The chip as a test uses it.

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

use ethdev_sim::{Clock, Port};

use crate::cell::{self, Enc28j60, Shared};
use crate::config::ChipConfig;
use crate::errata::Errata;
use crate::faults::{ChipFaults, MisoFault, TxOutcome};
use crate::pins::{CsPin, IntPin, ResetPin};
use crate::spi::{SimSpi, SimSpiBus};
use crate::stats::{BusCounters, ModelStats};
use crate::violations::{Violation, ViolationKind};

/// An ENC28J60 on its wire. Clones are handles on the same chip.
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
    ethdev_sim::model::methods!(ModelStats, Violation, ViolationKind);

    /// Creates a chip that was just powered on, attached to its wire.
    ///
    /// # Panics
    ///
    /// Where the wire is up at another speed than 10 Mbit/s.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        Self(cell::power_on(clock, port, config))
    }

    /// The SPI bus with chip select: embedded-hal's `SpiDevice`, blocking and async.
    #[must_use]
    pub fn spi_device(&self) -> SimSpi {
        SimSpi::new(&self.0)
    }

    /// The SPI bus without chip select, and the pin for that.
    #[must_use]
    pub fn spi_bus(&self) -> (SimSpiBus, CsPin) {
        (SimSpiBus::new(&self.0), CsPin::new(&self.0))
    }

    /// The INT pin: active low.
    #[must_use]
    pub fn int_pin(&self) -> IntPin {
        IntPin::new(&self.0)
    }

    /// Calls `handler` at each falling edge of the INT pin that the host notices; for instance to
    /// signal an interrupt. Replaces the previous handler.
    ///
    /// Like an interrupt handler, it is called in the middle of what moves the clock or the bus.
    /// It must not use the bus.
    pub fn on_int_falling(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// The RESET pin: active low.
    #[must_use]
    pub fn reset_pin(&self) -> ResetPin {
        ResetPin::new(&self.0)
    }

    /// Counters of the SPI bus.
    #[must_use]
    pub fn bus(&self) -> BusCounters {
        self.0.model().spi.counters
    }

    /// Reads a control register without the bus: `bank` 0 to 3, `address` 0x00 to 0x1F.
    #[must_use]
    pub fn peek(&self, bank: u8, address: u8) -> u8 {
        let chip = self.0.model();
        chip.model.value(usize::from(bank % 4), usize::from(address % 32))
    }

    /// Reads a PHY register without the MII, and without clearing latched bits.
    #[must_use]
    pub fn peek_phy(&self, address: u8) -> u16 {
        self.0.model().model.phy.get(address)
    }

    /// Reads the byte of buffer memory at this address, modulo 8 KiB.
    #[must_use]
    pub fn peek_ram(&self, address: u16) -> u8 {
        self.0.model().model.chip.ram.peek(address)
    }

    /// Time of the latest reset, by any cause.
    #[must_use]
    pub fn last_reset(&self) -> Duration {
        self.0.model().model.chip.reset_at
    }
}

/// Fault injection.
///
/// After a fault that hides the state of the chip from its host, violations are not reported until
/// the host resets the chip.
impl Enc28j60Chip {
    /// Replaces the random faults.
    pub fn set_faults(&self, faults: ChipFaults) {
        self.0.update(|chip| chip.model.chip.cx.config.faults = faults);
    }

    /// Replaces the errata.
    pub fn set_errata(&self, errata: Errata) {
        self.0.update(|chip| chip.model.chip.cx.config.errata = errata);
    }

    /// Sets what the host reads from now on. Anything but [`MisoFault::Connected`] is an absent
    /// chip: what the host writes does not reach it either.
    pub fn set_miso(&self, miso: MisoFault) {
        self.inject(|chip| chip.spi.miso = miso);
    }

    /// Sets the outcomes of the next transmissions in half duplex, in this order.
    pub fn set_tx_outcomes(&self, outcomes: impl IntoIterator<Item = TxOutcome>) {
        self.0
            .update(|chip| chip.model.chip.injected.tx_outcomes.extend(outcomes));
    }

    /// The supply fails for a moment: a power-on reset, with random bytes in the buffer memory.
    pub fn inject_brownout(&self) {
        self.inject(|chip| chip.model.power_on_reset());
    }

    /// The chip resets itself, as by its RESET pin.
    pub fn inject_reset(&self) {
        self.inject(|chip| chip.model.system_reset(false));
    }

    /// Sets what EPKTCNT reads from now on; `None` for the number of packets in the FIFO.
    pub fn freeze_packet_count(&self, count: Option<u8>) {
        self.inject(|chip| chip.model.chip.injected.packet_count = count);
    }

    /// Sets the byte count, FCS included, in the header of the next packet, whatever its length is.
    /// The pointer to the packet after it stays correct.
    pub fn override_rx_len(&self, len: u16) {
        self.inject(|chip| chip.model.chip.injected.rx_len = Some(len));
    }

    /// Fails the bus once, at the `n`-th byte from now, counted from 0.
    pub fn fail_bus_at(&self, n: u64) {
        self.0.update(|chip| chip.spi.fail_in = Some(n));
    }

    fn inject(&self, act: impl FnOnce(&mut Enc28j60)) {
        self.0.with(|chip| chip.inject(act));
    }
}

impl fmt::Debug for Enc28j60Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.model();
        let cx = &chip.model.chip.cx;
        f.debug_struct("Enc28j60Chip")
            .field("revision", &cx.config.revision)
            .field("bus", &chip.spi.counters)
            .field("stats", &cx.stats)
            .field("violations", &cx.violations.kept().len())
            .finish_non_exhaustive()
    }
}
