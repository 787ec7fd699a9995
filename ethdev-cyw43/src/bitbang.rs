//! gSPI by three pins, bit by bit: slow, for bring-up and for hosts without anything better.

use core::fmt;

use embedded_hal::digital::{self, Error as _, InputPin, OutputPin};

use crate::bus::{Gspi, Incoming, Outgoing};

/// A pin whose direction can be changed: DATA. embedded-hal has no such trait; hardware crates have such pins.
pub trait DataPin: InputPin + OutputPin {
    /// Drives the pin with what `set_high` and `set_low` say.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn drive(&mut self) -> Result<(), Self::Error>;

    /// Lets the pin go.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn let_go(&mut self) -> Result<(), Self::Error>;
}

/// Which pin failed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
            Self::ChipSelect(e) => write!(f, "chip select: {e}"),
            Self::Clock(e) => write!(f, "clock: {e}"),
            Self::Data(e) => write!(f, "DATA: {e}"),
        }
    }
}

impl core::error::Error for PinError {}

/// A gSPI bus of three pins. The chip has no slowest clock: a bit may take as long as it takes.
#[derive(Debug)]
pub struct BitBang<CS, CLK, DATA> {
    chip_select: CS,
    clock: CLK,
    data: DATA,
}

impl<CS: OutputPin, CLK: OutputPin, DATA: DataPin> BitBang<CS, CLK, DATA> {
    /// From chip select, clock and DATA. Brings them to rest: chip select high, clock low, DATA let go.
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
        bus.let_go()?;
        Ok(bus)
    }

    /// Gives the pins back.
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
        self.data.drive().map_err(|e| PinError::Data(e.kind()))
    }

    fn let_go(&mut self) -> Result<(), PinError> {
        self.data.let_go().map_err(|e| PinError::Data(e.kind()))
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
        let end = self.let_go().and_then(|()| self.select(false));
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

    fn write(&mut self, command: u32, data: &mut Outgoing<'_>) -> Result<u32, PinError> {
        self.transaction(command, |bus| {
            for word in data {
                bus.shift_out(word)?;
            }
            bus.let_go()?;
            bus.shift_in()
        })
    }

    fn read(&mut self, command: u32, data: &mut Incoming<'_>) -> Result<u32, PinError> {
        self.transaction(command, |bus| {
            bus.let_go()?;
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
            self.let_go()
        }
    }

    fn interrupt(&mut self) -> Result<Option<bool>, PinError> {
        self.data.is_high().map(Some).map_err(|e| PinError::Data(e.kind()))
    }
}
