//! Workarounds for errata that access the bus. Numbers as in [`crate::errata`].

use super::chip::{Chip, Result};
use super::{Bus, bisync};
use crate::error::{Error, WaitFor};
use crate::regs::{self, econ1, econ2, eir, estat};

/// How long CLKRDY takes after sleep: 7500 clocks of 25 MHz (section 2.2).
const OSCILLATOR_US: u32 = 300;
/// Erratum 2: how long MAC and PHY are not there after a system reset.
const RESET_US: u32 = 1000;
/// How often CLKRDY is polled after a reset, [`CLOCK_LOOK_US`] apart.
const CLOCK_LOOKS: usize = 10;
const CLOCK_LOOK_US: u32 = 100;
/// How often a reset is tried before the chip counts as not ready.
const RESETS: usize = 3;
/// How long the RESET pin is low: 400 ns at least (table 16-3).
const RESET_PIN_US: u32 = 2;

#[bisync]
impl<B: Bus> Chip<B> {
    /// Resets the chip from whatever state it is in.
    ///
    /// Erratum 19: a system reset is ignored by a chip that sleeps, so that it is woken first.
    /// Erratum 2: CLKRDY stays set while MAC and PHY are not there, so that time decides; the
    /// bit only tells that a chip is there at all. That it was reset is read from ECON1, in which
    /// bank 3 is selected before.
    pub(crate) async fn reset(&mut self) -> Result<(), B> {
        let (mut seen, mut econ1) = (0, 0);
        for _ in 0..RESETS {
            self.spi.forget_bank();
            self.spi.set(regs::ECON1, econ1::BSEL).await?;
            if self.spi.bus.reset_pin(true).map_err(Error::ResetPin)? {
                self.spi.wait_us(RESET_PIN_US).await;
                self.spi.bus.reset_pin(false).map_err(Error::ResetPin)?;
                self.spi.wait_us(OSCILLATOR_US).await;
            } else {
                self.spi.clear(regs::ECON2, econ2::PWRSV).await?;
                self.spi.wait_us(OSCILLATOR_US).await;
                self.spi.system_reset().await?;
            }
            self.spi.wait_us(RESET_US).await;
            self.spi.bank_was_reset();
            for _ in 0..CLOCK_LOOKS {
                seen = self.spi.look(regs::ESTAT).await?;
                if seen & (estat::CLKRDY | estat::ZERO) == estat::CLKRDY {
                    econ1 = self.spi.look(regs::ECON1).await?;
                    if econ1 == 0 {
                        return Ok(());
                    }
                    break;
                }
                self.spi.wait_us(CLOCK_LOOK_US).await;
            }
        }
        match seen {
            0x00 | 0xff => Err(Error::NotResponding { read: seen }),
            _ if econ1 != 0 => Err(Error::RegisterMismatch {
                register: (0, regs::ECON1.0),
                expected: 0,
                found: econ1.into(),
            }),
            _ => Err(Error::Timeout(WaitFor::ClkRdy)),
        }
    }

    /// Erratum 6: EIR.PKTIF may be wrong, EPKTCNT is right.
    pub(crate) async fn packets_waiting(&mut self) -> Result<u8, B> {
        self.spi.read(regs::EPKTCNT).await
    }

    /// Erratum 12: after a transmission that was aborted the transmitter may be stuck until it is
    /// reset; the end of that reset may set TXERIF.
    pub(crate) async fn reset_transmitter(&mut self) -> Result<(), B> {
        self.spi.clear(regs::ECON1, econ1::TXRTS).await?;
        self.spi.set(regs::ECON1, econ1::TXRST).await?;
        self.spi.clear(regs::ECON1, econ1::TXRST).await?;
        self.spi.clear(regs::EIR, eir::TXIF | eir::TXERIF).await?;
        // Sticky until cleared.
        self.spi.clear(regs::ESTAT, estat::TXABRT | estat::LATECOL).await
    }
}
