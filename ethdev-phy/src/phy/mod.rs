//! PHYs with clause-22 registers: what every driver of one has in common.
//!
//! A PHY driver does not own the bus and never sleeps: the bus and the time are arguments. [`GenericPhy`] drives any PHY that keeps to the standard;
//! a driver of a particular one says what is particular ([`PhyOps`]) and has the rest from [`Clause22`].

mod clause22;
mod error;
mod id;
mod link_modes;
mod ops;
mod regs;
mod scan;

use core::time::Duration;

pub use clause22::{Clause22, GenericPhy, PhyState};
pub use error::PhyError;
pub use id::PhyId;
pub use link_modes::LinkModes;
pub use ops::{NoQuirks, PhyOps, PhyRegisters};
pub use regs::{aner, bmcr, bmsr, reg};
pub use scan::{Scan, scan};

use crate::mdio::Mdio;
use ethdev::{Link, LinkMode};

/// What a [`Phy::poll`] noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PhyEvent {
    /// Nothing changed.
    None,
    /// The link came up in this mode, or changed its mode.
    Up(LinkMode),
    /// The link went down.
    Down,
}

/// A PHY behind an [`Mdio`] bus, as a state machine that is polled.
///
/// # Contract
///
/// - No method waits: what takes time is continued by the next [`poll`](Self::poll). `now` is any clock that only goes forward, from any epoch.
/// - A `poll` that is not [due](Self::next_poll) does not touch the bus: it may be called as often as one likes.
/// - A loss of the link between two polls is reported even if the link is up again: `Down`, and `Up` from the poll after it.
/// - [`link`](Self::link) is the whole truth at any time; the events of `poll` tell its changes, one by one. A failure that costs the link is an error from
///   the call that met it, and [`Down`](PhyEvent::Down) from the next `poll`.
/// - Failures other than the bus' are told once. What can pass (an absent PHY, a partner without a common mode) is tried again and needs no new
///   [`start`](Self::start).
///
/// ```
/// use core::time::Duration;
/// use ethdev::Link;
/// use ethdev_phy::{mdio::Mdio, phy::{Phy, PhyError, PhyEvent}};
///
/// /// What a MAC's `service` does with its PHY. The bus is a part of the MAC; that is why it is passed in.
/// fn service<P: Phy, M: Mdio>(phy: &mut P, mdio: &mut M, link: &mut Link, now: Duration) -> Result<(), PhyError<M::Error>> {
///     match phy.poll(mdio, now)? {
///         PhyEvent::None => {}
///         PhyEvent::Up(mode) => *link = Link::Up(mode), // and set the MAC's speed and duplex
///         PhyEvent::Down => *link = Link::Down,
///     }
///     Ok(())
/// }
/// ```
///
/// # For stack authors
///
/// A stack never sees it: [`link`](ethdev::EthernetDevice::link) is what comes of it.
///
/// # For driver authors
///
/// Most PHYs need no implementation of their own: see [`PhyOps`]. Where one does: resolve the mode by the PHY's own status where it has one that can be
/// believed, and by [`LinkModes::resolve`] where not. Read the latching link bit twice.
pub trait Phy {
    /// Begins anew: identifies the PHY, resets it, and advertises `advertise`, which is what the MAC can do.
    ///
    /// # Errors
    ///
    /// The bus failed, or nobody this driver matches answers: later polls try again. `NoCommonMode` where `advertise` has no mode, or not the one that the PHY
    /// is to be forced to: that stays so.
    fn start<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>>;

    /// Goes on with what was begun, and looks at the link.
    ///
    /// # Errors
    ///
    /// - `Mdio`: the bus failed. The link stays as it was last seen; it goes down where the bus fails several times in a row.
    /// - `NotResponding`, `UnknownId`, `ResetTimeout`, `NoCommonMode`: the link is down.
    fn poll<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>>;

    /// How long from `now` until the next [`poll`](Self::poll) is due; [`Duration::MAX`] where only an interrupt makes it so.
    fn next_poll(&self, now: Duration) -> Duration;

    /// Takes note of the PHY's interrupt: reads its cause, which releases the line, and makes the next [`poll`](Self::poll) due now.
    ///
    /// Harmless when the interrupt was not this PHY's. A PHY without a line has nothing to do here.
    ///
    /// # Errors
    ///
    /// The bus failed. The next poll is due all the same.
    fn on_interrupt<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        let _ = (mdio, now);
        Ok(())
    }

    /// Powers the PHY down, until the next [`start`](Self::start). The link goes down.
    ///
    /// # Errors
    ///
    /// The bus failed: the PHY may still be powered. It is not looked at any more all the same.
    fn stop<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<(), PhyError<M::Error>>;

    /// The link as last seen. Cached.
    fn link(&self) -> Link;
}
