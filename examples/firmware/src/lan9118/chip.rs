//! The chip by itself: registers behind registers, FIFOs, bounded waits. It keeps no state.

use ethdev::MacAddress;
use ethdev::mdio::{Mdio, PhyAddress, RegisterAddress};

use super::error::{Step, Timeout};
use super::regs::{self, Register};

/// The bus to the chip: 32-bit reads and writes that reach it in program order.
pub trait Registers {
    /// Reads a register. Of a FIFO, this takes what is read away.
    fn read(&mut self, register: Register) -> u32;
    /// Writes a register.
    fn write(&mut self, register: Register, value: u32);
}

/// Time for the chip to be ready after power-on, and for its soft reset. The data sheet names no bound; 100 ms is ten times what drivers in the field grant.
const RESET_US: u32 = 100_000;
/// The receiver stops after the frame that is on its way: 1.2 ms at 10 Mbit/s.
const STOP_US: u32 = 5_000;
/// A MAC register takes some cycles of the MAC's clock.
const MAC_REGISTER_US: u32 = 1_000;
/// An MDIO frame takes 64 bits at 2.5 MHz at most: 26 microseconds.
const PHY_REGISTER_US: u32 = 1_000;
/// The chip's own counter times the waits. A chip that is dead does not count either, so the number of looks is bounded too; at the fastest bus cycle
/// the chip can do (45 ns) that many looks take as long as the longest wait.
const MAX_LOOKS: u32 = 2_200_000;

/// A LAN9118 behind its bus.
#[derive(Debug)]
pub(super) struct Chip<R>(R);

impl<R: Registers> Chip<R> {
    pub(super) const fn new(registers: R) -> Self {
        Self(registers)
    }

    pub(super) fn into_inner(self) -> R {
        self.0
    }

    pub(super) fn read(&mut self, register: Register) -> u32 {
        self.0.read(register)
    }

    pub(super) fn write(&mut self, register: Register, value: u32) {
        self.0.write(register, value);
    }

    /// Waits at most `us` microseconds.
    fn wait(&mut self, step: Step, us: u32, mut done: impl FnMut(&mut R) -> bool) -> Result<(), Timeout> {
        let began = self.read(regs::FREE_RUN);
        for _ in 0..MAX_LOOKS {
            let late = self.read(regs::FREE_RUN).wrapping_sub(began) > us.saturating_mul(regs::TICKS_PER_US);
            if done(&mut self.0) {
                return Ok(());
            }
            if late {
                break;
            }
        }
        Err(Timeout(step))
    }

    /// What the byte test register reads. On silicon this read also ends the time after reset in which writes are ignored.
    pub(super) fn byte_test(&mut self) -> u32 {
        self.read(regs::BYTE_TEST)
    }

    /// Resets all but the PHY and sets what never changes. Interrupts are masked, both directions are off.
    pub(super) fn reset(&mut self) -> Result<(), Timeout> {
        self.wait(Step::PowerOn, RESET_US, |r| {
            r.read(regs::PMT_CTRL) & regs::pmt_ctrl::READY != 0
        })?;
        self.write(regs::HW_CFG, regs::hw_cfg::SOFT_RESET);
        self.wait(Step::SoftReset, RESET_US, |r| {
            r.read(regs::HW_CFG) & regs::hw_cfg::SOFT_RESET == 0
        })?;
        self.byte_test();
        self.write(regs::HW_CFG, regs::hw_cfg::STORE_AND_FORWARD | regs::hw_cfg::TX_FIFO_5K);
        self.write(regs::AFC_CFG, regs::AFC_THRESHOLDS);
        self.write(regs::INT_EN, 0);
        self.write(
            regs::IRQ_CFG,
            regs::irq_cfg::ENABLE | regs::irq_cfg::ACTIVE_HIGH | regs::irq_cfg::PUSH_PULL,
        );
        self.write(regs::INT_STS, u32::MAX);
        // Frames begin at the first byte of a word.
        self.write(regs::RX_CFG, 0);
        Ok(())
    }

    pub(super) fn mac_read(&mut self, csr: u32) -> Result<u32, Timeout> {
        self.mac_command(regs::mac::CMD_READ | csr)?;
        Ok(self.read(regs::MAC_CSR_DATA))
    }

    pub(super) fn mac_write(&mut self, csr: u32, value: u32) -> Result<(), Timeout> {
        self.write(regs::MAC_CSR_DATA, value);
        self.mac_command(csr)
    }

    fn mac_command(&mut self, command: u32) -> Result<(), Timeout> {
        self.write(regs::MAC_CSR_CMD, regs::mac::CMD_BUSY | command);
        self.wait(Step::MacRegister, MAC_REGISTER_US, |r| {
            r.read(regs::MAC_CSR_CMD) & regs::mac::CMD_BUSY == 0
        })
    }

    pub(super) fn mac_address(&mut self) -> Result<MacAddress, Timeout> {
        let [a, b, c, d] = self.mac_read(regs::mac::ADDRL)?.to_le_bytes();
        let [e, f, ..] = self.mac_read(regs::mac::ADDRH)?.to_le_bytes();
        Ok(MacAddress::new([a, b, c, d, e, f]))
    }

    pub(super) fn set_mac_address(&mut self, address: MacAddress) -> Result<(), Timeout> {
        let [a, b, c, d, e, f] = address.octets();
        self.mac_write(regs::mac::ADDRL, u32::from_le_bytes([a, b, c, d]))?;
        self.mac_write(regs::mac::ADDRH, u32::from_le_bytes([e, f, 0, 0]))
    }

    /// One MDIO frame. The MAC's registers for it are polled by time too: each look costs a MAC access.
    fn mii(&mut self, phy: PhyAddress, register: RegisterAddress, bits: u32) -> Result<(), Timeout> {
        let address = (u32::from(phy.get()) << 11) | (u32::from(register.get()) << 6);
        self.mac_write(regs::mac::MII_ACC, address | bits | regs::mii_acc::BUSY)?;
        let began = self.read(regs::FREE_RUN);
        // Each look is a whole MAC access of several bus cycles, so far fewer are enough.
        for _ in 0..PHY_REGISTER_US * 10 {
            let late =
                self.read(regs::FREE_RUN).wrapping_sub(began) > PHY_REGISTER_US.saturating_mul(regs::TICKS_PER_US);
            if self.mac_read(regs::mac::MII_ACC)? & regs::mii_acc::BUSY == 0 {
                return Ok(());
            }
            if late {
                break;
            }
        }
        Err(Timeout(Step::PhyRegister))
    }

    /// How many frames wait, and how many bytes of data: all of them, in whole words, with FCS.
    pub(super) fn rx_fifo(&mut self) -> (u8, usize) {
        let info = self.read(regs::RX_FIFO_INF);
        ((info >> 16) as u8, (info & 0xffff) as usize)
    }

    /// Waits for the receiver to stop after it was told to, then empties its FIFOs. Returns how many frames were in them.
    pub(super) fn empty_receiver(&mut self) -> Result<u8, Timeout> {
        use regs::int::RX_STOPPED;

        self.wait(Step::StopReceiver, STOP_US, |r| r.read(regs::INT_STS) & RX_STOPPED != 0)?;
        let (waiting, _) = self.rx_fifo();
        self.write(regs::RX_CFG, regs::rx_cfg::DUMP);
        self.wait(Step::EmptyReceiver, RESET_US, |r| {
            r.read(regs::RX_CFG) & regs::rx_cfg::DUMP == 0
        })?;
        self.write(regs::INT_STS, RX_STOPPED | regs::int::RX_ERROR);
        Ok(waiting)
    }

    /// Takes a frame of `len` bytes and the words up to `total` (with FCS) out of the data FIFO; what `buf` has no room for is thrown away.
    pub(super) fn read_data(&mut self, buf: &mut [u8], total: usize) {
        let mut chunks = buf.chunks_mut(4);
        for _ in 0..total.div_ceil(4) {
            let word = self.read(regs::RX_DATA).to_le_bytes();
            if let Some(chunk) = chunks.next() {
                for (to, from) in chunk.iter_mut().zip(word) {
                    *to = from;
                }
            }
        }
    }

    /// Bytes of room in the transmit data FIFO, and how many transmit statuses wait.
    pub(super) fn tx_fifo(&mut self) -> (usize, u8) {
        let info = self.read(regs::TX_FIFO_INF);
        ((info & 0xffff) as usize, (info >> 16) as u8)
    }

    /// Writes one frame, padded with zeros to `padded` bytes. `tag` comes back in its status.
    pub(super) fn write_frame(&mut self, parts: &[&[u8]], padded: u16, tag: u16) {
        self.write(regs::TX_DATA, regs::tx_command::a(padded));
        self.write(regs::TX_DATA, regs::tx_command::b(tag, padded));
        let mut bytes = parts.iter().flat_map(|part| part.iter().copied());
        for _ in 0..padded.div_ceil(4) {
            let mut word = [0; 4];
            for to in &mut word {
                *to = bytes.next().unwrap_or(0);
            }
            self.write(regs::TX_DATA, u32::from_le_bytes(word));
        }
    }
}

impl<R: Registers> Mdio for Chip<R> {
    type Error = Timeout;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Timeout> {
        self.mii(phy, register, 0)?;
        Ok(self.mac_read(regs::mac::MII_DATA)? as u16)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Timeout> {
        self.mac_write(regs::mac::MII_DATA, u32::from(value))?;
        self.mii(phy, register, regs::mii_acc::WRITE)
    }
}
