//! Detection of the chip, reset, power states, and the address in the EEPROM.

use embedded_hal::delay::DelayNs;
use ethdev::MacAddress;
use ethdev_phy::mmio::Registers;

use crate::bus::{Bus, Limit, RESET};
use crate::error::{Error, WaitFor};
use crate::regs;
use crate::variant::Model;

/// Seven bytes from a serial EEPROM with a clock of at most 1 MHz (section 3.8) take 0.2 ms.
const EEPROM: Limit = Limit::new(100_000, 10);

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    /// Wakes the chip and returns which one of the family it is, and its revision.
    pub(crate) fn identify(&mut self) -> Result<(Model, u16), Error> {
        let ready = self.wake_if_asleep();
        let found = self.byte_test();
        match found {
            regs::BYTE_ORDER => ready?,
            // Bytes or half-words in another order.
            0x2143_6587 | 0x4321_8765 | 0x6587_2143 => return Err(Error::ByteOrder { found }),
            _ => return Err(Error::NoChip { found }),
        }
        let id_rev = self.read(regs::ID_REV);
        let (id, revision) = ((id_rev >> 16) as u16, id_rev as u16);
        let model = Model::from_id(id).ok_or(Error::WrongChip { id, revision })?;
        Ok((model, revision))
    }

    pub(crate) fn byte_test(&mut self) -> u32 {
        self.read(regs::BYTE_TEST)
    }

    /// Ends any power state. The caller must read a register before the first write (section
    /// 3.10.2).
    pub(crate) fn wake(&mut self) -> Result<(), Error> {
        self.write(regs::BYTE_TEST, 0);
        self.wait_ready()
    }

    /// Enters power state D2, in which only [`wake`](Self::wake) is allowed.
    pub(crate) fn sleep(&mut self) {
        self.write(regs::PMT_CTRL, regs::pmt_ctrl::SLEEP_D2);
    }

    fn wake_if_asleep(&mut self) -> Result<(), Error> {
        // Not by dummy reads: a chip that is not ready accepts none (section 3.10.2).
        self.delay_us(1);
        if self.read(regs::PMT_CTRL) & regs::pmt_ctrl::READY != 0 {
            return Ok(());
        }
        self.wake()
    }

    fn wait_ready(&mut self) -> Result<(), Error> {
        use regs::pmt_ctrl::READY;

        // As in `wake_if_asleep`.
        self.delay_us(1);
        self.wait_for_bits(WaitFor::Ready, RESET, regs::PMT_CTRL, READY, READY)
    }

    /// Resets all but the PHY. Afterwards interrupts are masked, and receiver and transmitter are
    /// off.
    pub(crate) fn reset(&mut self) -> Result<(), Error> {
        self.write(regs::HW_CFG, regs::hw_cfg::SOFT_RESET);
        self.wait_for_bits(WaitFor::SoftReset, RESET, regs::HW_CFG, regs::hw_cfg::SOFT_RESET, 0)?;
        self.wait_ready()?;
        // Required once after a reset, before the first write (section 3.10.2).
        self.byte_test();
        // The chip loads the EEPROM again, and would overwrite an address that is written meanwhile.
        self.wait_for_bits(WaitFor::Eeprom, EEPROM, regs::E2P_CMD, regs::e2p_cmd::BUSY, 0)
    }

    /// Returns the address that the chip loaded from the EEPROM, if there is one.
    pub(crate) fn eeprom_address(&mut self) -> Result<Option<MacAddress>, Error> {
        if self.read(regs::E2P_CMD) & regs::e2p_cmd::ADDRESS_LOADED == 0 {
            return Ok(None);
        }
        let [a, b, c, d] = self.mac_read(regs::mac::ADDRL)?.to_le_bytes();
        let [e, f, ..] = self.mac_read(regs::mac::ADDRH)?.to_le_bytes();
        let address = MacAddress::new([a, b, c, d, e, f]);
        Ok(address.is_unicast().then_some(address))
    }

    pub(crate) fn write_mac_address(&mut self, address: MacAddress) -> Result<(), Error> {
        let [a, b, c, d, e, f] = address.octets();
        self.mac_write_verified(regs::mac::ADDRL, u32::from_le_bytes([a, b, c, d]), u32::MAX)?;
        self.mac_write_verified(regs::mac::ADDRH, u32::from_le_bytes([e, f, 0, 0]), 0xffff)
    }
}
