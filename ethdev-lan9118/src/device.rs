//! The driver as an ethdev device and as a MAC.

use embedded_hal::delay::DelayNs;
use ethdev::{
    Capabilities, Control, ControlError, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, Link, MacAddress,
    Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::phy::LinkModes;

use super::driver::Lan9118;
use super::error::Error;
use super::regs;
use ethdev_phy::Mac;
use ethdev_phy::mmio::Registers;

impl<R, D> ErrorType for Lan9118<R, D> {
    type Error = Error;
}

impl<R: Registers, D: DelayNs> EthernetDevice for Lan9118<R, D> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.address
    }

    #[inline]
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn link(&self) -> Link {
        self.link_state()
    }

    fn stats(&self) -> Stats {
        self.stats
    }

    #[inline]
    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, Error> {
        Ok(self.receive(buf)?.map(RxMeta::new))
    }

    fn discard_frame(&mut self) -> Result<bool, Error> {
        self.discard()
    }

    #[inline]
    fn tx_ready(&mut self) -> Result<bool, Error> {
        Ok(self.room()?.is_some())
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.send(parts)
    }

    /// Cheaper than `send_vectored`, which looks for the parts first.
    #[inline]
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.send_whole(frame)
    }

    fn service(&mut self) -> Result<Events, Error> {
        self.look_after()
    }
}

impl<R: Registers, D: DelayNs> Control for Lan9118<R, D> {
    fn start(&mut self) -> Result<(), ControlError<Error>> {
        self.start_frames().map_err(ControlError::Device)
    }

    fn stop(&mut self) -> Result<(), ControlError<Error>> {
        self.stop_frames().map_err(ControlError::Device)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<Error>> {
        if !address.is_unicast() {
            return Err(ControlError::InvalidInput);
        }
        self.set_address(address).map_err(ControlError::Device)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<Error>> {
        self.set_filter(filter).map_err(ControlError::Device)
    }

    fn recover(&mut self) -> Result<(), ControlError<Error>> {
        self.restart().map_err(ControlError::Device)
    }

    /// State D2 of the chip, out of which whatever needs its registers wakes it for a moment. The chip does not wake the host.
    fn sleep(&mut self) -> Result<(), ControlError<Error>> {
        self.go_to_sleep().map_err(ControlError::Device)
    }

    fn wake(&mut self) -> Result<(), ControlError<Error>> {
        self.wake_up().map_err(ControlError::Device)
    }
}

impl<R: Registers, D: DelayNs> Rearm for Lan9118<R, D> {
    fn disarm(&mut self) -> Result<(), Error> {
        if self.is_asleep() {
            self.armed = 0;
        } else {
            self.mask(0);
        }
        Ok(())
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, Error> {
        use regs::int::{PHY, RX_ERROR, RX_STATUS_LEVEL, TX_ERROR, TX_STATUS_LEVEL};

        self.fault()?;
        if self.is_asleep() {
            return Ok(RearmOutcome::Armed);
        }
        let mut sources = RX_ERROR | TX_ERROR;
        for (wanted, source) in [
            (interest.rx, RX_STATUS_LEVEL),
            (interest.tx, TX_STATUS_LEVEL),
            (interest.link, PHY),
        ] {
            if wanted {
                sources |= source;
            }
        }
        // Forget what the two levels had latched; errors stay for `service`.
        self.chip.write(regs::INT_STS, RX_STATUS_LEVEL | TX_STATUS_LEVEL);
        self.mask(sources);
        // The look comes last: what arrives before it is seen, what arrives after it raises the line.
        let levels = RX_STATUS_LEVEL | TX_STATUS_LEVEL;
        let pending = self.chip.read(regs::INT_STS) & sources & !levels != 0
            || (interest.link && self.link_untold())
            || (interest.rx && self.next_len()?.is_some())
            || (interest.tx && self.room()?.is_some());
        Ok(if pending {
            RearmOutcome::WorkPending
        } else {
            RearmOutcome::Armed
        })
    }
}

impl<R: Registers, D: DelayNs> Mac for Lan9118<R, D> {
    fn modes(&self) -> LinkModes {
        LinkModes::ALL_MODES
            .union(LinkModes::PAUSE)
            .union(LinkModes::PAUSE_ASYMMETRIC)
    }

    fn mdio(&mut self) -> impl Mdio<Error = Error> {
        Bus(self)
    }

    fn set_link(&mut self, link: Link) -> Result<(), Error> {
        self.tell_link(link)
    }

    fn phy_interrupt(&mut self) -> Result<Option<bool>, Error> {
        if self.is_asleep() {
            return Ok(Some(false));
        }
        Ok(Some(self.chip.read(regs::INT_STS) & regs::int::PHY != 0))
    }
}

/// The chip's MDIO bus. Its own PHY is at address 1. A chip that sleeps wakes for the time of an access.
struct Bus<'a, R, D>(&'a mut Lan9118<R, D>);

impl<R: Registers, D: DelayNs> Mdio for Bus<'_, R, D> {
    type Error = Error;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error> {
        self.0.awake(|device| device.chip.phy_read(phy.get(), register.get()))
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error> {
        self.0
            .awake(|device| device.chip.phy_write(phy.get(), register.get(), value))
    }
}
