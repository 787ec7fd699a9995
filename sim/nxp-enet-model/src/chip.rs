//! The handle on a chip.

use core::fmt;
use std::rc::Rc;

use ethdev_sim::model::PhyModel;
use ethdev_sim::{MediaSide, fcs, model};

use crate::bus::BusMemory;
use crate::config::ChipConfig;
use crate::model::{Cell, Model};
use crate::stats::ModelStats;
use crate::tx::TxOutcome;
use crate::violations::{Violation, ViolationKind};

/// An ENET on its medium and its bus. Clones are the same chip.
#[derive(Clone)]
pub struct EnetChip(Rc<Cell>);

impl EnetChip {
    /// Creates a MAC at power-on, without anything on its MDIO bus.
    #[must_use]
    pub fn new(media: impl MediaSide + 'static, memory: impl BusMemory + 'static, config: ChipConfig) -> Self {
        Self(Model::attach(Box::new(media), Box::new(memory), config))
    }

    /// Creates a MAC at power-on on the RMII and the MDIO of this PHY.
    #[must_use]
    pub fn with_phy(
        phy: &(impl PhyModel + Clone + 'static),
        memory: impl BusMemory + 'static,
        config: ChipConfig,
    ) -> Self {
        let chip = Self(Model::attach(phy.media(), Box::new(memory), config));
        let phy = phy.clone();
        chip.on_mdio(move |address, register, write| match write {
            Some(value) => phy.mdio_write(address, register, value).then_some(value),
            None => phy.mdio_read(address, register),
        });
        chip
    }

    /// Sets the MDIO bus: `bus` is called at the end of each management frame with the address of
    /// the PHY, that of the register, and the value to be written. It returns the value read;
    /// `None`: the frame never ends. Replaces the bus before; without a bus every register
    /// reads `0xffff`.
    pub fn on_mdio(&self, bus: impl Fn(u8, u8, Option<u16>) -> Option<u16> + 'static) {
        self.0
            .mdio
            .replace(Some(Box::new(move |frame| bus(frame.phy, frame.register, frame.write))));
    }

    /// Reads a register as the host does, at this offset in bytes.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        self.0.access.call(());
        self.0.with(|chip| chip.read(offset))
    }

    /// Writes a register as the host does, at this offset in bytes.
    pub fn write(&self, offset: usize, value: u32) {
        self.0.access.call(());
        self.0.with(|chip| chip.write(offset, value));
    }

    /// Sets a handler that is called at each rising edge of the interrupt line. Replaces the
    /// handler before.
    ///
    /// It is called like an interrupt handler, within the call that moved the clock or accessed the
    /// chip.
    pub fn on_interrupt(&self, mut handler: impl FnMut() + 'static) {
        self.0.interrupt.set(Box::new(move |()| handler()));
    }

    /// Sets a handler that is called before each access of the host to a register. Replaces the
    /// handler before.
    pub fn on_access(&self, mut handler: impl FnMut() + 'static) {
        self.0.access.set(Box::new(move |()| handler()));
    }

    /// Lets a frame arrive now, without the medium. `frame` is without FCS; the model pads it and
    /// appends one.
    pub fn inject_rx(&self, frame: &[u8]) {
        let on_wire = fcs::pad_and_append(frame);
        self.0.with(|chip| chip.receive(&on_wire));
    }

    /// Stalls the transmitter, or lets it continue: while stalled it starts no frame.
    pub fn stall_tx(&self, stalled: bool) {
        self.0.with(|chip| chip.stall_tx(stalled));
    }

    /// Sets the outcomes of the next transmissions, in this order, after those set before.
    pub fn set_tx_outcomes(&self, outcomes: impl IntoIterator<Item = TxOutcome>) {
        self.0.update(|chip| chip.tx.queue_outcomes(outcomes));
    }

    /// Clears the outcomes that are still to come.
    pub fn clear_tx_outcomes(&self) {
        self.0.update(|chip| chip.tx.clear_outcomes());
    }

    /// Overrides the length in the last descriptor of the next received frame.
    pub fn override_rx_len(&self, len: u16) {
        self.0.update(|chip| chip.rx.override_len(len));
    }

    /// Drops the next `count` writes to TDAR (ERR006358).
    pub fn drop_doorbell_writes(&self, count: u32) {
        self.0.update(|chip| chip.tx.lose_doorbells(count));
    }

    /// Injects a bus error of the uDMA: EBERR, and the MAC halts.
    pub fn inject_bus_error(&self) {
        self.0.with(Model::bus_error);
    }

    /// Injects a brown-out: a power-on reset.
    pub fn inject_brownout(&self) {
        self.0.with(Model::power_on);
    }

    /// Makes resets hang or end: a module without its clock never leaves the reset.
    pub fn hang_reset(&self, hang: bool) {
        self.0.update(|chip| chip.reset_hangs = hang);
    }

    model::methods!(ModelStats, Violation, ViolationKind);
}

impl fmt::Debug for EnetChip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chip = self.0.model();
        f.debug_struct("EnetChip")
            .field("stats", &chip.context.stats)
            .field("violations", &chip.context.violations.kept().len())
            .finish_non_exhaustive()
    }
}
