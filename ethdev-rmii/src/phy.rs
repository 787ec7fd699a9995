//! The MDIO bus to the PHY, with the error of the MAC.

use core::marker::PhantomData;

use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};

use crate::error::Error;

#[derive(Debug)]
pub(crate) struct SoftMacMdio<'a, M, P> {
    mdio: &'a mut M,
    error: PhantomData<P>,
}

impl<'a, M, P> SoftMacMdio<'a, M, P> {
    pub(crate) const fn new(mdio: &'a mut M) -> Self {
        Self {
            mdio,
            error: PhantomData,
        }
    }
}

impl<M: Mdio<Error: 'static>, P: ethdev::Error + 'static> Mdio for SoftMacMdio<'_, M, P> {
    type Error = Error<P, M::Error>;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Self::Error> {
        self.mdio.read(phy, register).map_err(Error::Mdio)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Self::Error> {
        self.mdio.write(phy, register, value).map_err(Error::Mdio)
    }
}
