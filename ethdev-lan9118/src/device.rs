//! The traits of `ethdev` and `ethdev-phy`.

use embedded_hal::delay::DelayNs;
use ethdev::{
    Capabilities, Control, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Link, MacAddress, MaxFrameLen,
    RxFilter, RxMeta, Stats,
};
use ethdev_phy::Mac;
use ethdev_phy::mdio::{Mdio, PhyAddress, RegisterAddress};
use ethdev_phy::mmio::Registers;
use ethdev_phy::phy::LinkModes;

use crate::error::Error;
use crate::lifecycle::Lan9118;
use crate::regs;

impl<BUS, D> ErrorType for Lan9118<BUS, D> {
    type Error = Error;
}

impl<BUS: Registers, D: DelayNs> EthernetDevice for Lan9118<BUS, D> {
    #[inline]
    fn mac_address(&self) -> MacAddress {
        self.address
    }

    #[inline]
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    #[inline]
    fn tx_max_frame_len(&self) -> MaxFrameLen {
        self.capabilities.tx_max_frame_len
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
        self.is_tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), Error> {
        self.send(parts)
    }

    /// Cheaper than `send_vectored`, which iterates over parts.
    #[inline]
    fn send_frame(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.send_whole(frame)
    }

    /// Checks the chip for faults, completes sent frames, and reads the overrun counter.
    fn service(&mut self) -> Result<Events, Error> {
        self.poll_chip()
    }
}

impl<BUS: Registers, D: DelayNs> Control for Lan9118<BUS, D> {
    /// In a fault it resets the chip, as `recover` does.
    fn start(&mut self) -> Result<(), Error> {
        self.start_frames()
    }

    /// In a fault it resets the chip, as `recover` does.
    fn stop(&mut self) -> Result<(), Error> {
        self.stop_frames()
    }

    /// Pending frames stay pending. The register is read back. If that fails, and in a fault, the
    /// address is stored for `recover`.
    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Error> {
        if !address.is_unicast() {
            return Err(ErrorKind::InvalidInput.into());
        }
        self.set_address(address)
    }

    /// Pending frames stay pending. The registers are read back. If that fails, and in a fault, the
    /// filter is stored for `recover`.
    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, Error> {
        self.set_filter(filter)
    }

    /// Resets the chip, but not its PHY.
    fn recover(&mut self) -> Result<(), Error> {
        self.recover_chip()
    }

    /// Enters power state D2. The chip is woken for the time of an access to its PHY. It does not
    /// wake the host. In a fault it resets the chip before, as `recover` does.
    fn sleep(&mut self) -> Result<(), Error> {
        self.go_to_sleep()
    }

    fn wake(&mut self) -> Result<(), Error> {
        self.wake_up()
    }
}

impl<BUS: Registers, D: DelayNs> Mac for Lan9118<BUS, D> {
    fn modes(&self) -> LinkModes {
        LinkModes::ALL_MODES
            .union(LinkModes::PAUSE)
            .union(LinkModes::PAUSE_ASYMMETRIC)
    }

    fn mdio(&mut self) -> impl Mdio<Error = Error> {
        Lan9118Mdio(self)
    }

    fn set_link(&mut self, link: Link) -> Result<(), Error> {
        self.change_link(link)
    }

    fn phy_interrupt(&mut self) -> Result<Option<bool>, Error> {
        if self.is_asleep() {
            return Ok(Some(false));
        }
        Ok(Some(self.bus.read(regs::INT_STS) & regs::int::PHY != 0))
    }
}

/// The MDIO bus of the chip. The built-in PHY has address 1.
struct Lan9118Mdio<'a, BUS, D>(&'a mut Lan9118<BUS, D>);

impl<BUS: Registers, D: DelayNs> Mdio for Lan9118Mdio<'_, BUS, D> {
    type Error = Error;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Error> {
        self.0
            .with_awake(|device| device.bus.phy_read(phy.get(), register.get()))
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Error> {
        self.0
            .with_awake(|device| device.bus.phy_write(phy.get(), register.get(), value))
    }
}
