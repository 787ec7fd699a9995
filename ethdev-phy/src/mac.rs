//! MACs: the half of an Ethernet port that matches frames, beside the PHY, which matches the cable.

use crate::mdio::Mdio;
use crate::phy::LinkModes;
use ethdev::{Control, EthernetDevice, Link};

/// A MAC: a device that is told its link instead of seeing it.
///
/// Frames, counters, address, filter, start and stop are those of every [`EthernetDevice`], so a MAC is one, and everything that runs on a device runs on it:
/// the conformance suite, the stack adapters, and (where it is a [`LendingDevice`](ethdev::LendingDevice)) lending in place. A link without a PHY, to a switch
/// chip for instance, needs no more than one call of [`set_link`](Self::set_link). With a PHY, `EthernetPort` makes a whole port of the two.
///
/// A DMA ring implements `LendingDevice` on its descriptors' buffers; a FIFO implements the pull surface alone and lends by
/// [`Buffered`](ethdev_util::Buffered) in front of it; a one-shot receiver lends the buffer that was filled last.
///
/// # Contract
///
/// Besides those of [`EthernetDevice`], [`Control`] and, where they are implemented, [`LendingDevice`](ethdev::LendingDevice) and [`Rearm`](ethdev::Rearm):
///
/// - A MAC starts with its link down, stopped or not, and [`link`](EthernetDevice::link) tells what `set_link` said last, or `Down` while it is stopped.
/// - `service` does not touch the MDIO bus, nor does anything else but [`mdio`](Self::mdio): PHY and MAC are looked after each in its own time.
/// - `recover` resets the MAC, not the PHY. Address, filter, link and whether it is started survive.
pub trait Mac: EthernetDevice + Control {
    /// The link modes that it can do: what the PHY advertises. PAUSE only where it is honoured.
    fn modes(&self) -> LinkModes;

    /// Its bus to the PHY. Every wait on it is bounded.
    fn mdio(&mut self) -> impl Mdio<Error = Self::Error>;

    /// Tells the link: speed, duplex and PAUSE are set before the next frame goes out. `Link::Down` drops what waits to be sent, counted in
    /// [`tx_reset`](ethdev::Stats::tx_reset). A change is counted in [`link_changes`](ethdev::Stats::link_changes); telling the same again does nothing.
    ///
    /// # Errors
    ///
    /// The MAC failed. Its link is then down.
    fn set_link(&mut self, link: Link) -> Result<(), Self::Error>;

    /// Whether the PHY's interrupt line is active, where that line ends in the MAC; `None` where it does not, and the PHY has to be looked at from time
    /// to time. With `Some`, the MAC's [`Rearm`](ethdev::Rearm) covers [`Interest::link`](ethdev::Interest::link).
    ///
    /// # Errors
    ///
    /// The MAC failed.
    fn phy_interrupt(&mut self) -> Result<Option<bool>, Self::Error> {
        Ok(None)
    }
}
