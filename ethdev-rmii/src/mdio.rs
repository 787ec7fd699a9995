//! The bus to the PHY, with the MAC's error.

use core::marker::PhantomData;

use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};

use super::Error;

#[derive(Debug)]
pub(super) struct SoftMacMdio<'a, M, P> {
    pub(super) mdio: &'a mut M,
    pub(super) error: PhantomData<P>,
}

impl<M: Mdio, P: ethdev::Error> Mdio for SoftMacMdio<'_, M, P> {
    type Error = Error<P, M::Error>;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Self::Error> {
        self.mdio.read(phy, register).map_err(Error::Mdio)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Self::Error> {
        self.mdio.write(phy, register, value).map_err(Error::Mdio)
    }
}
