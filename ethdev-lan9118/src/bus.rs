//! Access to the chip's registers: gaps between accesses, bounded waits, and the registers of the
//! MAC behind two others.

use embedded_hal::delay::DelayNs;
use ethdev_phy::mmio::Registers;

use crate::error::{Error, Fault, WaitFor};
use crate::regs::{self, Register};

/// Limits of a wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Timeout in microseconds.
    timeout_us: u32,
    /// Poll interval in microseconds.
    interval_us: u32,
}

impl Limit {
    pub(crate) const fn new(timeout_us: u32, interval_us: u32) -> Self {
        Self {
            timeout_us,
            interval_us,
        }
    }
}

/// Power-on, wake-up and soft reset, and emptying a FIFO. The data sheet gives no bound; this is
/// ten times what drivers of other systems allow.
pub(crate) const RESET: Limit = Limit::new(100_000, 10);
/// The frame in transfer takes up to 1.2 ms at 10 Mbit/s. In half duplex it may wait longer for the
/// medium.
pub(crate) const STOP: Limit = Limit::new(5_000, 10);
/// A MAC register takes some cycles of the MAC's clock, which is at least 2.5 MHz.
const MAC_REGISTER: Limit = Limit::new(1_000, 1);

/// The registers of the chip, and a delay.
#[derive(Debug)]
pub(crate) struct Bus<BUS, D> {
    registers: BUS,
    delay: D,
    /// Minimum number of dummy reads since the last write or the last use of a FIFO port.
    quiet: u8,
}

impl<BUS: Registers, D: DelayNs> Bus<BUS, D> {
    pub(crate) const fn new(registers: BUS, delay: D) -> Self {
        Self {
            registers,
            delay,
            // Earlier accesses by other software are long past.
            quiet: u8::MAX,
        }
    }

    pub(crate) fn release(self) -> (BUS, D) {
        (self.registers, self.delay)
    }

    /// Waits at least a microsecond, which is longer than any gap.
    pub(crate) fn delay_us(&mut self, us: u32) {
        self.delay.delay_us(us);
        self.quiet = u8::MAX;
    }

    /// Reads a register, after the number of dummy reads that the data sheet requires (section 6.1:
    /// reads of `BYTE_TEST`).
    #[inline]
    pub(crate) fn read(&mut self, register: Register) -> u32 {
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

    #[inline]
    pub(crate) fn write(&mut self, register: Register, value: u32) {
        self.quiet = 0;
        self.registers.write(register.offset, value);
    }

    /// Reads a FIFO port, which removes the word. [`settle`](Self::settle) or
    /// [`defer_gap`](Self::defer_gap) must follow the last access to ports.
    #[inline]
    pub(crate) fn read_port(&self, fifo: Register) -> u32 {
        self.registers.read(fifo.offset)
    }

    /// Writes to a FIFO port. [`settle`](Self::settle) or [`defer_gap`](Self::defer_gap) must
    /// follow the last access to ports.
    #[inline]
    pub(crate) fn write_port(&self, fifo: Register, value: u32) {
        self.registers.write(fifo.offset, value);
    }

    /// Passes the gap of three reads after the use of a FIFO port, before the level of the FIFO is
    /// read (tables 6.1 and 6.2).
    #[inline]
    pub(crate) fn settle(&mut self) {
        self.registers.read(regs::BYTE_TEST.offset);
        self.registers.read(regs::BYTE_TEST.offset);
        self.registers.read(regs::BYTE_TEST.offset);
        self.quiet = 3;
    }

    /// Leaves the gap after the use of a transmit FIFO port to the next read of a register that
    /// needs it.
    #[inline]
    pub(crate) const fn defer_gap(&mut self) {
        self.quiet = 0;
    }

    /// Polls until `done` returns true or the timeout has passed.
    pub(crate) fn wait(
        &mut self,
        wait: WaitFor,
        limit: Limit,
        mut done: impl FnMut(&mut Self) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut waited = 0;
        while !done(self)? {
            if waited >= limit.timeout_us {
                return Err(Error::Timeout(wait));
            }
            self.delay_us(limit.interval_us);
            waited += limit.interval_us;
        }
        Ok(())
    }

    /// Waits until the bits in `mask` of a register are `value`.
    pub(crate) fn wait_for_bits(
        &mut self,
        wait: WaitFor,
        limit: Limit,
        register: Register,
        mask: u32,
        value: u32,
    ) -> Result<(), Error> {
        self.wait(wait, limit, |bus| Ok(bus.read(register) & mask == value))
    }

    pub(crate) fn mac_read(&mut self, csr: u32) -> Result<u32, Error> {
        self.mac_command(regs::mac::CMD_READ | csr)?;
        Ok(self.read(regs::MAC_CSR_DATA))
    }

    pub(crate) fn mac_write(&mut self, csr: u32, value: u32) -> Result<(), Error> {
        self.mac_ready()?;
        self.write(regs::MAC_CSR_DATA, value);
        self.mac_command(csr)
    }

    /// Writes a MAC register and compares the bits in `mask` with what was written: a bus that is
    /// not driven accepts every write.
    pub(crate) fn mac_write_verified(&mut self, csr: u32, value: u32, mask: u32) -> Result<(), Error> {
        self.mac_write(csr, value)?;
        let found = self.mac_read(csr)?;
        if (found ^ value) & mask == 0 {
            Ok(())
        } else {
            let csr = csr as u8;
            Err(Error::Fault(Fault::RegisterMismatch { csr, found }))
        }
    }

    fn mac_ready(&mut self) -> Result<(), Error> {
        self.wait_for_bits(
            WaitFor::MacRegister,
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
}
