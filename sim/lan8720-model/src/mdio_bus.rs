//! An MDIO bus in whole frames, as a MAC with an MDIO block drives it.

use core::fmt;
use core::time::Duration;
use std::rc::Rc;

use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};

use crate::faults::MdioFault;
use crate::model::Cell;

/// MDC periods of one frame: preamble, and 32 bits.
const FRAME_BITS: u64 = 64;

/// An MDIO bus with PHYs on it: [`ethdev_phy::mdio::Mdio`] in simulated time. An access takes 64
/// periods of MDC.
///
/// Addresses without a PHY read `0xffff`. Clones are the same bus.
#[derive(Clone)]
pub struct SimMdio {
    mdc_hz: u32,
    /// At least one.
    phys: Vec<Rc<Cell>>,
}

impl fmt::Debug for SimMdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimMdio")
            .field("mdc_hz", &self.mdc_hz)
            .field("phys", &self.phys.len())
            .finish_non_exhaustive()
    }
}

impl SimMdio {
    pub(crate) fn new(phy: &Rc<Cell>) -> Self {
        Self {
            mdc_hz: phy.model().phy.context.config.mdc_hz,
            phys: vec![phy.clone()],
        }
    }

    pub(crate) fn push(&mut self, phy: &Rc<Cell>) {
        self.phys.push(phy.clone());
    }

    /// The time of one access.
    #[must_use]
    pub fn access_time(&self) -> Duration {
        Duration::from_nanos((FRAME_BITS * 1_000_000_000).div_ceil(u64::from(self.mdc_hz)))
    }

    /// One frame passes, with the faults of the first PHY.
    fn frame(&self) -> Result<(), MdioFault> {
        for phy in &self.phys {
            phy.access.call(());
        }
        let Some(first) = self.phys.first() else {
            return Ok(());
        };
        let start = first.with(|model| model.start_access(self.mdc_hz));
        if start.hung {
            let timeout = first.model().phy.context.config.times.mdio_timeout;
            first.clock().advance(timeout);
            return Err(MdioFault::Timeout);
        }
        first.clock().advance(self.access_time());
        if start.fails { Err(MdioFault::Injected) } else { Ok(()) }
    }
}

impl Mdio for SimMdio {
    type Error = MdioFault;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, MdioFault> {
        self.frame()?;
        // The line is open drain: a zero of any PHY wins.
        Ok(self.phys.iter().fold(0xffff, |line, cell| {
            let answer = cell.with(|model| model.mdio_read(phy.get(), register.get()));
            line & answer.unwrap_or(0xffff)
        }))
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), MdioFault> {
        self.frame()?;
        for cell in &self.phys {
            cell.with(|model| model.mdio_write(phy.get(), register.get(), value));
        }
        Ok(())
    }
}
