//! A PHY as the model of a MAC sees it.

use crate::MediaSide;

/// A model of a PHY: its MII and its MDIO, for models of MACs that do not care which PHY it is.
pub trait PhyModel {
    /// The MAC's side of the MII.
    fn media(&self) -> Box<dyn MediaSide>;

    /// Ends an MDIO read frame that started 64 bits ago. Returns the value on the bus, `0xffff`
    /// where no PHY answers at `address` (0 to 31); `None` where the frame never completes.
    ///
    /// The MAC's MDIO block keeps the time.
    fn mdio_read(&self, address: u8, register: u8) -> Option<u16>;

    /// Ends an MDIO write frame. Returns `false` where it never completes.
    fn mdio_write(&self, address: u8, register: u8, value: u16) -> bool;
}
