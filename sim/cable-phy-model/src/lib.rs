//! A PHY for a MAC that is on the bare wire.

#![forbid(unsafe_code)]

use core::time::Duration;

use ethdev::{Link, LinkMode};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent};

use ethdev_sim::Wire;

/// A link without a PHY: the wire itself is looked at, once in a millisecond. Nobody has to be on the MDIO bus.
#[derive(Debug)]
pub struct CablePhy {
    wire: Wire,
    mode: Option<LinkMode>,
    link: Link,
    due: Duration,
}

impl CablePhy {
    const INTERVAL: Duration = Duration::from_millis(1);

    /// Tells the MAC the mode of this wire.
    #[must_use]
    pub fn new(wire: &Wire) -> Self {
        Self {
            wire: wire.clone(),
            mode: None,
            link: Link::Down,
            due: Duration::ZERO,
        }
    }

    /// Tells the MAC this mode instead, whenever the wire is up.
    #[must_use]
    pub const fn with_mode(mut self, mode: LinkMode) -> Self {
        self.mode = Some(mode);
        self
    }
}

impl Phy for CablePhy {
    fn start<M: Mdio + ?Sized>(&mut self, _: &mut M, _: LinkModes, _: Duration) -> Result<(), PhyError<M::Error>> {
        Ok(())
    }

    fn poll<M: Mdio + ?Sized>(&mut self, _: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>> {
        self.due = now + Self::INTERVAL;
        let mode = self.wire.link().mode().map(|mode| self.mode.unwrap_or(mode));
        let link = mode.map_or(Link::Down, Link::Up);
        if core::mem::replace(&mut self.link, link) == link {
            return Ok(PhyEvent::None);
        }
        Ok(mode.map_or(PhyEvent::Down, PhyEvent::Up))
    }

    fn next_poll(&self, now: Duration) -> Duration {
        self.due.saturating_sub(now)
    }

    fn stop<M: Mdio + ?Sized>(&mut self, _: &mut M) -> Result<(), PhyError<M::Error>> {
        Ok(())
    }

    fn link(&self) -> Link {
        self.link
    }
}
