//! PHYs with clause 22 registers.
//!
//! A PHY driver does not own the bus and never waits: the bus and the time are arguments.
//! [`GenericPhy`] drives any PHY that conforms to the standard. A driver for a specific PHY
//! implements [`PhyOps`] and gets the rest from [`Clause22`].

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

/// The result of [`Phy::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum PhyEvent {
    /// Nothing changed.
    None,
    /// The link came up in this mode, or changed to it.
    Up(LinkMode),
    /// The link went down.
    Down,
}

/// A PHY on an [`Mdio`] bus, as a state machine that is polled.
///
/// # Contract
///
/// - No method waits: the next [`poll`](Self::poll) continues what takes time. `now` is the time
///   since any fixed moment and never goes backwards.
/// - A `poll` that is not [due](Self::next_poll) does not access the bus: it may be called at any
///   rate.
/// - A loss of the link between two polls is reported even if the link is up again: `Down`, then
///   `Up` from the next poll.
/// - [`link`](Self::link) is always the present state; the events of `poll` report its changes one
///   by one. A failure that takes the link down is an error from the call that met it, and
///   [`Down`](PhyEvent::Down) from the next `poll`.
/// - Failures other than those of the bus are reported once. Conditions that can end (a PHY that
///   does not respond, no common mode) are polled and need no new [`start`](Self::start).
///
/// ```
/// use core::time::Duration;
/// use ethdev::Link;
/// use ethdev_phy::{mdio::Mdio, phy::{Phy, PhyError, PhyEvent}};
///
/// /// What a MAC without `EthernetPort` does with its PHY.
/// fn service<P: Phy, M: Mdio>(phy: &mut P, mdio: &mut M, link: &mut Link, now: Duration) -> Result<(), PhyError<M::Error>> {
///     match phy.poll(mdio, now)? {
///         PhyEvent::Up(mode) => *link = Link::Up(mode), // and set speed and duplex of the MAC
///         PhyEvent::Down => *link = Link::Down,
///         _ => {}
///     }
///     Ok(())
/// }
/// ```
///
/// # For stack authors
///
/// A stack does not use this trait: it reads [`link`](ethdev::EthernetDevice::link).
///
/// # For driver authors
///
/// Most PHYs need no implementation of this trait: see [`PhyOps`]. An implementation takes the mode
/// from a status register of the PHY if that is reliable, otherwise from [`LinkModes::resolve`],
/// and reads the latched link bit twice.
pub trait Phy {
    /// Starts, or restarts: identifies and resets the PHY and advertises `advertise`, the modes
    /// that the MAC supports.
    ///
    /// # Errors
    ///
    /// - `Mdio`, `NotResponding`, `UnknownId`: later polls try again.
    /// - `NoCommonMode`: `advertise` contains no mode, or not the forced one. The PHY stays
    ///   stopped.
    fn start<M: Mdio + ?Sized>(
        &mut self,
        mdio: &mut M,
        advertise: LinkModes,
        now: Duration,
    ) -> Result<(), PhyError<M::Error>>;

    /// Continues a reset or a configuration that is in progress, and reads the link state.
    ///
    /// # Errors
    ///
    /// - `Mdio`: the bus failed. The link state stays as it was; it goes down if the bus fails
    ///   several times in a row.
    /// - `NotResponding`, `UnknownId`, `ResetTimeout`, `NoCommonMode`: the link is down.
    fn poll<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<PhyEvent, PhyError<M::Error>>;

    /// Returns the time from `now` until the next [`poll`](Self::poll) is due; [`Duration::MAX`] if
    /// only an interrupt makes it due.
    fn next_poll(&self, now: Duration) -> Duration;

    /// Handles the interrupt of the PHY: reads its cause, which releases the line, and makes the
    /// next [`poll`](Self::poll) due now.
    ///
    /// Has no other effect if the interrupt came from another source. The default does nothing, for
    /// PHYs without a line.
    ///
    /// # Errors
    ///
    /// The bus failed. The next poll is due all the same.
    fn on_interrupt<M: Mdio + ?Sized>(&mut self, mdio: &mut M, now: Duration) -> Result<(), PhyError<M::Error>> {
        let _ = (mdio, now);
        Ok(())
    }

    /// Powers the PHY down until the next [`start`](Self::start). The link goes down. Waits for the
    /// end of a reset that has begun.
    ///
    /// # Errors
    ///
    /// `Mdio`, `NotResponding`, `ResetTimeout`: the PHY may still be powered. It is not polled any more all the
    /// same.
    fn stop<M: Mdio + ?Sized>(&mut self, mdio: &mut M) -> Result<(), PhyError<M::Error>>;

    /// Returns the link state as of the last `poll`. Cached.
    fn link(&self) -> Link;
}
