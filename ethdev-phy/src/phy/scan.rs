//! Scanning an MDIO bus.

use core::ops::Range;

use super::{PhyId, reg};
use crate::mdio::{Mdio, PhyAddress};

/// Reads the identifier at every address, in order, and returns the PHYs that respond. Writes
/// nothing.
///
/// If no address responds, the usual cause is a PHY without a clock or one that is held in reset.
/// Some MACs have an internal PHY that responds at every address.
///
/// ```
/// use ethdev_phy::phy::scan;
/// # use ethdev::ErrorKind;
/// # use ethdev_phy::{mdio::{Mdio, PhyAddress, RegisterAddress}, phy::reg};
/// # struct Bus;
/// # impl Mdio for Bus {
/// #     type Error = ErrorKind;
/// #     fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, ErrorKind> {
/// #         Ok(match (phy.get(), register) { (1, reg::PHYID1) => 7, (1, reg::PHYID2) => 0xc0f1, _ => 0xffff })
/// #     }
/// #     fn write(&mut self, _: PhyAddress, _: RegisterAddress, _: u16) -> Result<(), ErrorKind> { Ok(()) }
/// # }
/// # let mut mdio = Bus;
/// let mut found = 0;
/// for phy in scan(&mut mdio) {
///     let (address, id) = phy?;
///     println!("{:#010x} at {address}", id.raw());
///     found += 1;
/// }
/// # assert_eq!(found, 1);
/// # Ok::<(), ErrorKind>(())
/// ```
pub fn scan<M: Mdio + ?Sized>(mdio: &mut M) -> Scan<'_, M> {
    Scan { mdio, remaining: 0..32 }
}

/// Iterator over the PHYs on a bus. Created by [`scan`].
#[derive(Debug)]
pub struct Scan<'a, M: ?Sized> {
    mdio: &'a mut M,
    remaining: Range<u8>,
}

impl<M: Mdio + ?Sized> Scan<'_, M> {
    fn read_id(&mut self, address: PhyAddress) -> Result<Option<PhyId>, M::Error> {
        let id1 = self.mdio.read(address, reg::PHYID1)?;
        let id2 = self.mdio.read(address, reg::PHYID2)?;
        Ok(PhyId::from_registers(id1, id2))
    }
}

impl<M: Mdio + ?Sized> Iterator for Scan<'_, M> {
    type Item = Result<(PhyAddress, PhyId), M::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let address = PhyAddress::new(self.remaining.next()?)?;
            if let Some(found) = self.read_id(address).transpose() {
                return Some(found.map(|id| (address, id)));
            }
        }
    }
}
