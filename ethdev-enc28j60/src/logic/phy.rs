//! The PHY behind the MII registers, and the link that it reports.

use super::{Bus, bisync};
use ethdev::{Link, LinkMode, Speed};

use super::chip::{Chip, Result};
use crate::error::{Error, WaitFor};
use crate::regs::{self, Phy, phy};

/// How long the MII takes for one access (section 3.3: 10.24 µs), rounded up.
const MII_US: u32 = 11;
/// How often the busy bit is looked at, [`MII_US`] apart.
const MII_LOOKS: usize = 8;

#[bisync]
impl<B: Bus> Chip<B> {
    async fn mii_idle(&mut self) -> Result<(), B> {
        for _ in 0..MII_LOOKS {
            self.spi.wait_us(MII_US).await;
            if self.spi.read_mac(regs::MISTAT).await? & regs::mii::BUSY == 0 {
                return Ok(());
            }
        }
        Err(Error::Timeout(WaitFor::Mii))
    }

    pub(crate) async fn read_phy(&mut self, reg: Phy) -> Result<u16, B> {
        self.spi.write_mac(regs::MIREGADR, reg.0).await?;
        self.spi.write_mac(regs::MICMD, regs::mii::MIIRD).await?;
        let idle = self.mii_idle().await;
        self.spi.write_mac(regs::MICMD, 0).await?;
        idle?;
        let low = self.spi.read_mac(regs::MIRDL).await?;
        let high = self.spi.read_mac(regs::MIRDH).await?;
        Ok(u16::from_le_bytes([low, high]))
    }

    pub(crate) async fn write_phy(&mut self, reg: Phy, value: u16) -> Result<(), B> {
        let [low, high] = value.to_le_bytes();
        self.spi.write_mac(regs::MIREGADR, reg.0).await?;
        self.spi.write_mac(regs::MIWRL, low).await?;
        // This one starts the access.
        self.spi.write_mac(regs::MIWRH, high).await?;
        self.mii_idle().await
    }

    /// All of the PHY's registers that matter. Bits that are not named are written 0 (section
    /// 3.3.2).
    pub(crate) async fn set_up_phy(&mut self) -> Result<(), B> {
        for (reg, constant) in [(regs::PHID1, phy::ID1), (regs::PHID2, phy::ID2)] {
            let found = self.read_phy(reg).await?;
            if found != constant {
                return Err(Error::RegisterMismatch {
                    register: (4, reg.0),
                    expected: constant,
                    found,
                });
            }
        }
        let (phcon1, phcon2) = crate::errata::duplex_of_phy(self.settings.is_full_duplex());
        self.write_phy(regs::PHLCON, self.settings.leds.phlcon()).await?;
        // A wrong one of these shows late: as own frames that come back, as collisions in full
        // duplex, as a link that never changes.
        for (reg, value, named) in [
            (regs::PHCON1, phcon1, phy::PHCON1_NAMED),
            (regs::PHCON2, phcon2, phy::PHCON2_NAMED),
            (
                regs::PHIE,
                phy::PHIE_PLNKIE | phy::PHIE_PGEIE,
                phy::PHIE_PLNKIE | phy::PHIE_PGEIE,
            ),
        ] {
            self.write_phy(reg, value).await?;
            let found = self.read_phy(reg).await?;
            if found & named != value {
                return Err(Error::RegisterMismatch {
                    register: (4, reg.0),
                    expected: value,
                    found,
                });
            }
        }
        Ok(())
    }

    /// Takes note of the link, and of having done so: the flag in EIR goes when PHIR is read
    /// (section 12.1.5).
    pub(crate) async fn look_at_link(&mut self) -> Result<bool, B> {
        // PHIR first: what changes after it sets the flag again.
        self.link_in_doubt = true;
        self.read_phy(regs::PHIR).await?;
        let up = self.read_phy(regs::PHSTAT2).await? & phy::PHSTAT2_LSTAT != 0;
        self.link_in_doubt = false;
        self.set_link(up).await
    }

    /// The link as it was last seen.
    pub(crate) const fn link(&self) -> Link {
        if self.link_up {
            Link::Up(LinkMode::new(Speed::MBPS_10, self.settings.duplex))
        } else {
            Link::Down
        }
    }
}
