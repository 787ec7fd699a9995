//! Bit-banged gSPI on three pins: slow, for bring-up and for hosts without other hardware.

use core::fmt;

use embedded_hal::digital::{self, Error as _, InputPin, OutputPin};

use crate::bus::{Gspi, RxWords, TxWords};

/// A bidirectional pin: DATA. embedded-hal has no such trait; HALs have such pins.
pub trait DataPin: InputPin + OutputPin {
    /// Makes the pin an output, with the level of the last `set_high` or `set_low`.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn set_as_output(&mut self) -> Result<(), Self::Error>;

    /// Makes the pin an input (high impedance).
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn set_as_input(&mut self) -> Result<(), Self::Error>;
}

/// A pin failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PinError {
    /// Chip select.
    ChipSelect(digital::ErrorKind),
    /// The clock.
    Clock(digital::ErrorKind),
    /// DATA.
    Data(digital::ErrorKind),
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChipSelect(e) => write!(f, "chip select pin error: {e}"),
            Self::Clock(e) => write!(f, "clock pin error: {e}"),
            Self::Data(e) => write!(f, "DATA pin error: {e}"),
        }
    }
}

impl core::error::Error for PinError {}

/// A gSPI bus on three pins. The chip has no minimum clock frequency.
#[derive(Debug)]
pub struct BitBang<CS, CLK, DATA> {
    chip_select: CS,
    clock: CLK,
    data: DATA,
}

impl<CS: OutputPin, CLK: OutputPin, DATA: DataPin> BitBang<CS, CLK, DATA> {
    /// Creates a bus from chip select, clock and DATA, and sets them idle: chip select high, clock
    /// low, DATA an input.
    ///
    /// # Errors
    ///
    /// A pin failed.
    pub fn new(chip_select: CS, clock: CLK, data: DATA) -> Result<Self, PinError> {
        let mut bus = Self {
            chip_select,
            clock,
            data,
        };
        bus.select(false)?;
        bus.clock(false)?;
        bus.set_as_input()?;
        Ok(bus)
    }

    /// Returns the pins.
    pub fn release(self) -> (CS, CLK, DATA) {
        (self.chip_select, self.clock, self.data)
    }

    fn select(&mut self, selected: bool) -> Result<(), PinError> {
        let result = if selected {
            self.chip_select.set_low()
        } else {
            self.chip_select.set_high()
        };
        result.map_err(|e| PinError::ChipSelect(e.kind()))
    }

    fn clock(&mut self, high: bool) -> Result<(), PinError> {
        self.clock.set_state(high.into()).map_err(|e| PinError::Clock(e.kind()))
    }

    fn put(&mut self, high: bool) -> Result<(), PinError> {
        self.data.set_state(high.into()).map_err(|e| PinError::Data(e.kind()))
    }

    fn drive(&mut self) -> Result<(), PinError> {
        self.data.set_as_output().map_err(|e| PinError::Data(e.kind()))
    }

    fn set_as_input(&mut self) -> Result<(), PinError> {
        self.data.set_as_input().map_err(|e| PinError::Data(e.kind()))
    }

    /// The chip samples on the rising edge.
    fn shift_out(&mut self, word: u32) -> Result<(), PinError> {
        for bit in (0..32).rev() {
            self.put(word >> bit & 1 != 0)?;
            self.clock(true)?;
            self.clock(false)?;
        }
        Ok(())
    }

    /// The first bit is there when the line is let go; each falling edge brings the next.
    fn shift_in(&mut self) -> Result<u32, PinError> {
        let mut word = 0;
        for _ in 0..32 {
            let high = self.data.is_high().map_err(|e| PinError::Data(e.kind()))?;
            word = word << 1 | u32::from(high);
            self.clock(true)?;
            self.clock(false)?;
        }
        Ok(word)
    }

    /// Whatever happens between, chip select rises and DATA is let go.
    fn transaction(
        &mut self,
        command: u32,
        data: impl FnOnce(&mut Self) -> Result<u32, PinError>,
    ) -> Result<u32, PinError> {
        let result = self.start(command).and_then(|()| data(self));
        let end = self.set_as_input().and_then(|()| self.select(false));
        let status = result?;
        end.map(|()| status)
    }

    fn start(&mut self, command: u32) -> Result<(), PinError> {
        self.drive()?;
        self.select(true)?;
        self.shift_out(command)
    }
}

impl<CS: OutputPin, CLK: OutputPin, DATA: DataPin> Gspi for BitBang<CS, CLK, DATA> {
    type Error = PinError;

    fn write(&mut self, command: u32, data: &mut TxWords<'_>) -> Result<u32, PinError> {
        self.transaction(command, |bus| {
            for word in data {
                bus.shift_out(word)?;
            }
            bus.set_as_input()?;
            bus.shift_in()
        })
    }

    fn read(&mut self, command: u32, data: &mut RxWords<'_>) -> Result<u32, PinError> {
        self.transaction(command, |bus| {
            bus.set_as_input()?;
            while data.words_left() > 0 {
                data.push(bus.shift_in()?);
            }
            bus.shift_in()
        })
    }

    fn set_strap(&mut self, low: bool) -> Result<(), PinError> {
        self.select(false)?;
        if low {
            self.put(false)?;
            self.drive()
        } else {
            self.set_as_input()
        }
    }

    fn interrupt(&mut self) -> Result<Option<bool>, PinError> {
        self.data.is_high().map(Some).map_err(|e| PinError::Data(e.kind()))
    }
}
