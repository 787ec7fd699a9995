//! The chip by itself: the gaps between accesses that silicon wants, registers behind registers, bounded waits. It knows no frames.

use embedded_hal::delay::DelayNs;
use ethdev::MacAddress;

use super::error::{Error, Wait};
use super::regs::{self, Register};
use ethdev_phy::mmio::Registers;

/// A wait: how long at most, and how long between two looks, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Patience {
    budget_us: u32,
    step_us: u32,
}

/// Power-on, wake-up and soft reset. The data sheet names no bound; this is ten times what drivers in the field grant.
const RESET: Patience = Patience {
    budget_us: 100_000,
    step_us: 10,
};
/// Seven bytes from a serial EEPROM with a clock of 1 MHz at most (section 3.8) take 0.2 ms.
const EEPROM: Patience = Patience {
    budget_us: 100_000,
    step_us: 10,
};
/// The frame that is on its way takes 1.2 ms at 10 Mbit/s. In half duplex it may take longer to find the medium free.
const STOP: Patience = Patience {
    budget_us: 5_000,
    step_us: 10,
};
/// A MAC register takes some cycles of the MAC's clock, which is 2.5 MHz at the least.
const MAC_REGISTER: Patience = Patience {
    budget_us: 1_000,
    step_us: 1,
};
/// An MDIO frame takes 64 bits at 2.5 MHz: 26 microseconds.
const PHY_REGISTER: Patience = Patience {
    budget_us: 1_000,
    step_us: 5,
};

/// The gap after the use of a FIFO's port, before the FIFO's level is read (tables 6.1 and 6.2). [`Chip::settle`] makes it.
const FIFO_GAP: u8 = 3;

/// A LAN9118 behind its bus.
#[derive(Debug)]
pub(super) struct Chip<R, D> {
    registers: R,
    delay: D,
    /// How many dummy reads there were at least since the last write, or the last use of a FIFO's port.
    quiet: u8,
}

impl<R: Registers, D: DelayNs> Chip<R, D> {
    pub(super) const fn new(registers: R, delay: D) -> Self {
        Self {
            registers,
            delay,
            // Whoever used the chip before is long gone.
            quiet: u8::MAX,
        }
    }

    pub(super) fn release(self) -> (R, D) {
        (self.registers, self.delay)
    }

    /// Lets at least a microsecond pass, which is longer than any gap.
    pub(super) fn delay_us(&mut self, us: u32) {
        self.delay.delay_us(us);
        self.quiet = u8::MAX;
    }

    /// Reads a register, after as many dummy reads as the data sheet asks for (section 6.1: reads of `BYTE_TEST` pass the time).
    #[inline]
    pub(super) fn read(&mut self, register: Register) -> u32 {
        if self.quiet < register.gap {
            self.pass_gap(register.gap);
        }
        self.registers.read(register.offset)
    }

    #[cold]
    fn pass_gap(&mut self, gap: u8) {
        while self.quiet < gap {
            self.registers.read(regs::BYTE_TEST.offset);
            self.quiet += 1;
        }
    }

    /// Reads a port of a FIFO, which takes away what is read. [`settle`](Self::settle) comes after the last of it.
    #[inline]
    pub(super) fn port(&self, fifo: Register) -> u32 {
        self.registers.read(fifo.offset)
    }

    /// Writes to the port of a FIFO. [`settle`](Self::settle) comes after the last of it.
    #[inline]
    pub(super) fn port_write(&self, fifo: Register, value: u32) {
        self.registers.write(fifo.offset, value);
    }

    /// Passes the time until the levels of the FIFOs tell what the ports have just been used for: at once and in a row, so that nobody has to ask later.
    #[inline]
    pub(super) fn settle(&mut self) {
        self.registers.read(regs::BYTE_TEST.offset);
        self.registers.read(regs::BYTE_TEST.offset);
        self.registers.read(regs::BYTE_TEST.offset);
        self.quiet = FIFO_GAP;
    }

    #[inline]
    pub(super) fn write(&mut self, register: Register, value: u32) {
        self.quiet = 0;
        self.registers.write(register.offset, value);
    }

    /// Looks again and again, for a bounded time.
    fn wait(
        &mut self,
        wait: Wait,
        patience: Patience,
        mut done: impl FnMut(&mut Self) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut waited = 0;
        while !done(self)? {
            if waited >= patience.budget_us {
                return Err(Error::Timeout(wait));
            }
            self.delay_us(patience.step_us);
            waited += patience.step_us;
        }
        Ok(())
    }

    fn wait_for_bits(
        &mut self,
        wait: Wait,
        patience: Patience,
        register: Register,
        mask: u32,
        value: u32,
    ) -> Result<(), Error> {
        self.wait(wait, patience, |chip| Ok(chip.read(register) & mask == value))
    }

    pub(super) fn byte_test(&mut self) -> u32 {
        self.read(regs::BYTE_TEST)
    }

    /// Ends whatever power state the chip is in. The read that silicon wants after that, before it takes writes, is that of the caller (section 3.10.2).
    pub(super) fn wake(&mut self) -> Result<(), Error> {
        self.write(regs::BYTE_TEST, 0);
        self.ready()
    }

    /// Goes to state D2. Only [`wake`](Self::wake) is allowed then.
    pub(super) fn sleep(&mut self) {
        self.write(regs::PMT_CTRL, regs::pmt_ctrl::SLEEP_D2);
    }

    /// The same as [`wake`](Self::wake) for a chip that may be awake.
    pub(super) fn wake_if_asleep(&mut self) -> Result<(), Error> {
        // Not by dummy reads: a chip that is not ready takes none (section 3.10.2).
        self.delay_us(1);
        if self.read(regs::PMT_CTRL) & regs::pmt_ctrl::READY != 0 {
            return Ok(());
        }
        self.wake()
    }

    fn ready(&mut self) -> Result<(), Error> {
        use regs::pmt_ctrl::READY;

        // As above.
        self.delay_us(1);
        self.wait_for_bits(Wait::Ready, RESET, regs::PMT_CTRL, READY, READY)
    }

    /// Resets all but the PHY. Interrupts are masked, both directions are off.
    pub(super) fn reset(&mut self) -> Result<(), Error> {
        self.write(regs::HW_CFG, regs::hw_cfg::SOFT_RESET);
        self.wait_for_bits(Wait::SoftReset, RESET, regs::HW_CFG, regs::hw_cfg::SOFT_RESET, 0)?;
        self.ready()?;
        // Once after a reset, or writes do not work (section 3.10.2).
        self.byte_test();
        // The EEPROM is read anew, and would overwrite an address that is written meanwhile.
        self.wait_for_bits(Wait::Eeprom, EEPROM, regs::E2P_CMD, regs::e2p_cmd::BUSY, 0)
    }

    /// The address from the EEPROM, if there is one.
    pub(super) fn eeprom_address(&mut self) -> Result<Option<MacAddress>, Error> {
        if self.read(regs::E2P_CMD) & regs::e2p_cmd::ADDRESS_LOADED == 0 {
            return Ok(None);
        }
        let [a, b, c, d] = self.mac_read(regs::mac::ADDRL)?.to_le_bytes();
        let [e, f, ..] = self.mac_read(regs::mac::ADDRH)?.to_le_bytes();
        let address = MacAddress::new([a, b, c, d, e, f]);
        Ok(address.is_unicast().then_some(address))
    }

    pub(super) fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Error> {
        let [a, b, c, d, e, f] = address.octets();
        self.mac_write(regs::mac::ADDRL, u32::from_le_bytes([a, b, c, d]))?;
        self.mac_write(regs::mac::ADDRH, u32::from_le_bytes([e, f, 0, 0]))
    }

    pub(super) fn mac_read(&mut self, csr: u32) -> Result<u32, Error> {
        self.mac_command(regs::mac::CMD_READ | csr)?;
        Ok(self.read(regs::MAC_CSR_DATA))
    }

    pub(super) fn mac_write(&mut self, csr: u32, value: u32) -> Result<(), Error> {
        self.mac_ready()?;
        self.write(regs::MAC_CSR_DATA, value);
        self.mac_command(csr)
    }

    fn mac_ready(&mut self) -> Result<(), Error> {
        self.wait_for_bits(
            Wait::MacRegister,
            MAC_REGISTER,
            regs::MAC_CSR_CMD,
            regs::mac::CMD_BUSY,
            0,
        )
    }

    fn mac_command(&mut self, command: u32) -> Result<(), Error> {
        self.mac_ready()?;
        self.write(regs::MAC_CSR_CMD, regs::mac::CMD_BUSY | command);
        self.mac_ready()
    }

    /// One MDIO frame; before it, whatever frame an earlier call did not see the end of.
    fn mdio(&mut self, phy: u8, register: u8, bits: u32) -> Result<(), Error> {
        let command = regs::mii_acc::address(phy, register) | bits | regs::mii_acc::BUSY;
        self.mac_write(regs::mac::MII_ACC, command)?;
        self.mdio_ready()
    }

    fn mdio_ready(&mut self) -> Result<(), Error> {
        self.wait(Wait::PhyRegister, PHY_REGISTER, |chip| {
            Ok(chip.mac_read(regs::mac::MII_ACC)? & regs::mii_acc::BUSY == 0)
        })
    }

    pub(super) fn phy_read(&mut self, phy: u8, register: u8) -> Result<u16, Error> {
        self.mdio_ready()?;
        self.mdio(phy, register, 0)?;
        Ok(self.mac_read(regs::mac::MII_DATA)? as u16)
    }

    pub(super) fn phy_write(&mut self, phy: u8, register: u8, value: u16) -> Result<(), Error> {
        self.mdio_ready()?;
        self.mac_write(regs::mac::MII_DATA, u32::from(value))?;
        self.mdio(phy, register, regs::mii_acc::WRITE)
    }

    /// Waits until the receiver, whose enable bit has just been cleared, has stopped.
    pub(super) fn wait_for_receiver(&mut self) -> Result<(), Error> {
        use regs::int::RX_STOPPED;

        self.wait_for_bits(Wait::StopReceiver, STOP, regs::INT_STS, RX_STOPPED, RX_STOPPED)
    }

    /// Empties the receive FIFOs of a receiver that has stopped.
    pub(super) fn empty_receiver(&mut self) -> Result<(), Error> {
        use regs::rx_cfg::DUMP;

        self.write(regs::RX_CFG, DUMP);
        self.wait_for_bits(Wait::EmptyReceiver, RESET, regs::RX_CFG, DUMP, 0)?;
        // Whatever they were read beyond is forgotten.
        self.write(regs::INT_STS, regs::int::RX_ERROR);
        Ok(())
    }

    /// Stops the transmitter after the frame that is on its way (section 3.12.8).
    pub(super) fn stop_transmitter(&mut self) -> Result<(), Error> {
        use regs::int::TX_STOPPED;

        self.write(regs::INT_STS, TX_STOPPED);
        self.write(regs::TX_CFG, regs::tx_cfg::ON | regs::tx_cfg::STOP);
        self.wait_for_bits(Wait::StopTransmitter, STOP, regs::INT_STS, TX_STOPPED, TX_STOPPED)
    }

    /// Empties the transmit FIFOs of a transmitter that has stopped.
    pub(super) fn empty_transmitter(&mut self) -> Result<(), Error> {
        use regs::tx_cfg::{DUMP_DATA, DUMP_STATUS};

        self.write(regs::TX_CFG, DUMP_DATA | DUMP_STATUS);
        self.wait_for_bits(Wait::EmptyTransmitter, RESET, regs::TX_CFG, DUMP_DATA | DUMP_STATUS, 0)
    }
}
