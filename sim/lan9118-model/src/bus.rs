//! The host's bus to a chip.

use core::fmt;
use std::rc::Rc;

use crate::access;
use crate::model::Cell;

/// The host's bus to a chip: 32 bits wide. Clones are the same bus.
#[derive(Clone)]
pub struct SimBus(Rc<Cell>);

impl SimBus {
    pub(crate) fn new(cell: &Rc<Cell>) -> Self {
        Self(cell.clone())
    }

    /// Reads the register at this offset in bytes. Takes a cycle.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        self.0.access.call(());
        let began = self.0.clock().now();
        self.pass_cycle();
        let phy = self.0.phy_interrupt();
        self.0.with(|chip| access::read(chip, offset, began, phy))
    }

    /// Writes the register at this offset in bytes. Takes a cycle.
    pub fn write(&self, offset: usize, value: u32) {
        self.0.access.call(());
        self.pass_cycle();
        self.0.with(|chip| access::write(chip, offset, value));
    }

    fn pass_cycle(&self) {
        let cycle = self.0.model().cycle();
        self.0.clock().advance(cycle);
    }
}

impl fmt::Debug for SimBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimBus").finish_non_exhaustive()
    }
}
