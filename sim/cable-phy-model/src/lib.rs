#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

use core::time::Duration;

use ethdev::{Link, LinkMode};
use ethdev_phy::mdio::Mdio;
use ethdev_phy::phy::{LinkModes, Phy, PhyError, PhyEvent};

use ethdev_sim::Wire;

/// A PHY without registers: polls the link of the wire every millisecond and does not access MDIO.
#[derive(Debug)]
pub struct CablePhy {
    wire: Wire,
    mode: Option<LinkMode>,
    link: Link,
    due: Duration,
}

impl CablePhy {
    const POLL_INTERVAL: Duration = Duration::from_millis(1);

    /// Creates a PHY that reports the link of `wire`.
    #[must_use]
    pub fn new(wire: &Wire) -> Self {
        Self {
            wire: wire.clone(),
            mode: None,
            link: Link::Down,
            due: Duration::ZERO,
        }
    }

    /// Sets the mode that is reported while the link is up, instead of that of the wire.
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
        self.due = now + Self::POLL_INTERVAL;
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
