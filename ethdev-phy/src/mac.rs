//! MACs: the part of an Ethernet port that sends and receives frames, without the PHY.

use crate::mdio::Mdio;
use crate::phy::LinkModes;
use ethdev::{Control, EthernetDevice, Link};

/// A MAC: an [`EthernetDevice`] whose link state is set by its user, because the PHY detects the
/// link.
///
/// A MAC is a device like any other: the conformance suite and the stack adapters run on it, and it
/// lends its memory if it implements [`LendingDevice`](ethdev::LendingDevice). A fixed link without
/// a PHY, to a switch chip for example, takes one call of [`set_link`](Self::set_link). With a PHY,
/// [`EthernetPort`](crate::EthernetPort) makes a complete device of both.
///
/// A MAC with DMA descriptor rings implements `LendingDevice` on its buffers. A MAC with FIFOs
/// implements the pull API only; `ethdev_util::Buffered` makes it lend.
///
/// # Contract
///
/// In addition to the contracts of [`EthernetDevice`], [`Control`] and, if implemented,
/// [`LendingDevice`](ethdev::LendingDevice) and [`Rearm`](ethdev::Rearm):
///
/// - The link of a new MAC is down. [`link`](EthernetDevice::link) returns what `set_link` was
///   called with last, or `Down` while the MAC is stopped or asleep.
/// - Only [`mdio`](Self::mdio) accesses the MDIO bus. `service` does not.
/// - `recover` resets the MAC, not the PHY, and keeps the link.
/// - A change by `set_link` is a link change for [`PollReady`](ethdev::PollReady), if implemented.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a MAC",
    note = "a port consists of a MAC (`EthernetDevice + Control + Mac`) and a PHY (`phy::Phy`); a device with a PHY inside needs no port"
)]
pub trait Mac: EthernetDevice + Control {
    /// Returns the link modes that the MAC supports. The PHY advertises them. Contains PAUSE only
    /// if the MAC obeys it.
    fn modes(&self) -> LinkModes;

    /// Returns the MDIO bus to the PHY. Every wait on it is bounded.
    fn mdio(&mut self) -> impl Mdio<Error = Self::Error>;

    /// Sets the link state.
    ///
    /// `Link::Up` sets speed, duplex and PAUSE before the next frame is sent. `Link::Down` drops
    /// queued frames, counted in [`tx_reset`](ethdev::Stats::tx_reset). A change is counted in
    /// [`link_changes`](ethdev::Stats::link_changes); the same state again has no effect.
    ///
    /// # Errors
    ///
    /// The MAC failed. Its link is then down.
    fn set_link(&mut self, link: Link) -> Result<(), Self::Error>;

    /// Returns whether the interrupt line of the PHY is active; `None` if that line is not
    /// connected to the MAC, and the PHY must be polled.
    ///
    /// If it returns `Some`, the MAC's [`Rearm`](ethdev::Rearm) covers
    /// [`Interest::link`](ethdev::Interest::link).
    ///
    /// # Errors
    ///
    /// The MAC failed.
    fn phy_interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(None)
    }
}
