//! The handle on a chip.

use core::fmt;
use std::rc::Rc;

use ethdev_sim::{Clock, MediaSide, Port, model};
use lan8720_model::{Lan8720Chip, Part as PhyPart, PhyConfig, PhyStraps};

use crate::bus::SimBus;
use crate::config::{ChipConfig, DeviceState};
use crate::model::{Cell, Model};
use crate::registers::int;
use crate::stats::{BusCounters, ModelStats};
use crate::tx::TxOutcome;
use crate::violations::{Violation, ViolationKind};

/// MDIO address of the internal PHY.
const PHY_ADDRESS: u8 = 1;

/// A LAN9118, or a relative. Clones are the same chip.
#[derive(Clone)]
pub struct Lan9118Chip(Rc<Cell>);

impl Lan9118Chip {
    /// Creates a chip at power-on with its internal PHY on the near end of the cable. The PHY sets
    /// the mode of the wire, which is down until it has negotiated.
    #[must_use]
    pub fn new(clock: &Clock, port: Port, config: ChipConfig) -> Self {
        let straps = PhyStraps::default().with_address(PHY_ADDRESS);
        let phy = PhyConfig::new(PhyPart::Lan911x).with_straps(straps);
        Self::with_phy(Lan8720Chip::new(clock, port, phy), config)
    }

    /// Creates a chip at power-on with this PHY.
    #[must_use]
    pub fn with_phy(phy: Lan8720Chip, config: ChipConfig) -> Self {
        let media = Box::new(phy.rmii());
        Self(Model::attach(&phy.clock(), media, Some(phy), config))
    }

    /// Creates a chip at power-on on a bare medium, without a PHY on its MDIO bus.
    #[must_use]
    pub fn on_media(media: impl MediaSide + 'static, config: ChipConfig) -> Self {
        Self(Model::attach(&media.clock(), Box::new(media), None, config))
    }

    /// The host's bus.
    #[must_use]
    pub fn bus(&self) -> SimBus {
        SimBus::new(&self.0)
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

    /// Sets a handler that is called at each edge of the interrupt pin to its active level.
    /// Replaces the handler before.
    ///
    /// It is called like an interrupt handler, within the call that moved the clock or used the
    /// bus. It must not use the bus.
    pub fn on_irq(&self, handler: impl Fn() + 'static) {
        self.0.line.on_active(Rc::new(handler));
    }

    /// Sets a handler that is called before each access of the host. Replaces the handler before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// The traffic on the bus so far.
    #[must_use]
    pub fn bus_counters(&self) -> BusCounters {
        self.0.model().system.bus
    }

    /// Stalls the transmitter, or lets it continue: while stalled it starts no frame.
    pub fn stall_tx(&self, stalled: bool) {
        self.0.with(|chip| chip.stall_tx(stalled));
    }

    /// Drops the next frames to be sent, for these reasons, in this order, after those set before.
    pub fn set_tx_outcomes(&self, outcomes: impl IntoIterator<Item = TxOutcome>) {
        self.0.update(|chip| chip.tx.queue_outcomes(outcomes));
    }

    /// Sets whether the chip answers on the bus. Violations are not reported until the next reset;
    /// so for the methods below.
    pub fn set_device_state(&self, state: DeviceState) {
        self.0.with(|chip| chip.inject(|chip| chip.state = state));
    }

    /// Overrides the length in the next received frame's status, without FCS.
    pub fn override_rx_len(&self, len: usize) {
        self.0.with(|chip| chip.inject(|chip| chip.rx.override_len(len)));
    }

    /// Sets these bits in the next received frame's status. Violations are still reported.
    pub fn set_rx_status_bits(&self, bits: u32) {
        self.0.update(|chip| chip.rx.set_extra_bits(bits));
    }

    /// Drops the oldest word in the receive data FIFO: data and statuses are out of step.
    pub fn drop_rx_word(&self) {
        self.0.with(|chip| chip.inject(|chip| chip.rx.drop_word()));
    }

    /// Drops the oldest status in the receive FIFO.
    pub fn drop_rx_status(&self) {
        self.0.with(|chip| chip.inject(|chip| chip.rx.drop_status()));
    }

    /// Injects the status of a frame that was never sent.
    pub fn inject_spurious_tx_status(&self, status: u32) {
        self.0.with(|chip| chip.inject(|chip| chip.tx.push_status(status)));
    }

    /// Injects a failure: the transmitter reports an error, the receive FIFO an impossible level,
    /// and neither direction works until the next reset.
    pub fn inject_failure(&self) {
        self.0.with(|chip| {
            chip.inject(|chip| {
                chip.system.failed = true;
                chip.system.raise(int::TXE);
            });
        });
    }

    /// Makes accesses to MAC registers hang, or end again; a reset ends that too.
    pub fn hang_mac_registers(&self, hang: bool) {
        self.0.with(|chip| chip.inject(|chip| chip.mac.hang(hang)));
    }

    model::methods!(ModelStats, Violation, ViolationKind);
}

impl fmt::Debug for Lan9118Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.model();
        f.debug_struct("Lan9118Chip")
            .field("part", &chip.context.config.part)
            .field("bus", &chip.system.bus)
            .field("stats", &chip.context.stats)
            .field("violations", &chip.context.violations.kept().len())
            .finish_non_exhaustive()
    }
}
