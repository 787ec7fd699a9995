//! MDIO on two pins.

use core::fmt;
use core::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};

use super::{Mdio, PhyAddress, RegisterAddress};
use ethdev::{Error, ErrorKind};

/// The data pin of an MDIO bus, driven by host and PHY in turn. The bus needs a pull-up: without
/// it, an address without a PHY reads as arbitrary data.
pub trait DataPin {
    /// The error of the pin.
    type Error: fmt::Debug;

    /// Drives the line.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn drive(&mut self, high: bool) -> Result<(), Self::Error>;

    /// Stops driving the line, so that the PHY and the pull-up determine its level.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn release(&mut self) -> Result<(), Self::Error>;

    /// Returns the level of the line while it is released.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn is_high(&mut self) -> Result<bool, Self::Error>;
}

/// An open-drain pin: driving high releases the line. The pull-up must raise it within half a clock
/// period.
#[derive(Debug)]
pub struct OpenDrain<P>(pub P);

impl<P: InputPin + OutputPin> DataPin for OpenDrain<P> {
    type Error = P::Error;

    fn drive(&mut self, high: bool) -> Result<(), P::Error> {
        self.0.set_state(high.into())
    }

    fn release(&mut self) -> Result<(), P::Error> {
        self.0.set_high()
    }

    fn is_high(&mut self) -> Result<bool, P::Error> {
        self.0.is_high()
    }
}

/// The error of a bit-banged operation. `C` is the error of the clock pin, `D` that of the data
/// pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BitBangError<C, D> {
    /// The clock pin failed.
    Clock(C),
    /// The data pin failed.
    Data(D),
}

impl<C: fmt::Debug, D: fmt::Debug> Error for BitBangError<C, D> {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Bus
    }
}

impl<C: fmt::Debug, D: fmt::Debug> fmt::Display for BitBangError<C, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock(e) => write!(f, "MDC pin error: {e:?}"),
            Self::Data(e) => write!(f, "MDIO pin error: {e:?}"),
        }
    }
}

impl<C: fmt::Debug, D: fmt::Debug> core::error::Error for BitBangError<C, D> {}

/// An MDIO bus on two pins, for hosts without one in their MAC (IEEE 802.3 clause 22.2.4.5).
///
/// An operation is 64 clock periods: a preamble of 32 ones, start, operation code, addresses,
/// turnaround, data. It blocks for that time: 26 µs with an exact delay.
///
/// - Host and PHY change the line while the clock is low or just after its rising edge, and sample
///   it at the next rising edge. The PHY has 400 ns from one rising edge to the next and needs up
///   to 300 ns (clause 22.3.4).
/// - If no PHY drives the line low in the turnaround, the read returns `0xffff`.
/// - If a pin failed during an operation, the next one starts with 32 additional clock periods with
///   the line released, which complete the interrupted operation in the PHY. If that was a write,
///   the register may now contain ones.
///
/// ```
/// use embedded_hal::{delay::DelayNs, digital::{InputPin, OutputPin}};
/// use ethdev_phy::mdio::{BitBang, OpenDrain};
///
/// /// `data` is an open-drain pin with a pull-up of about 1.5 kΩ: that of a microcontroller is too weak for 2.5 MHz.
/// fn bus<C: OutputPin, P: InputPin + OutputPin, D: DelayNs>(clock: C, data: P, delay: D) -> BitBang<C, OpenDrain<P>, D> {
///     BitBang::new(clock, OpenDrain(data), delay)
/// }
/// ```
#[derive(Debug)]
pub struct BitBang<C, P, D> {
    clock: C,
    data: P,
    delay: D,
    half_period_ns: u32,
    /// The last operation was interrupted by an error.
    interrupted: bool,
}

/// Start and operation code.
const READ: u16 = 0b0110;
const WRITE: u16 = 0b0101;

type Outcome<T, C, P> = Result<T, BitBangError<<C as embedded_hal::digital::ErrorType>::Error, <P as DataPin>::Error>>;

impl<C: OutputPin, P: DataPin, D: DelayNs> BitBang<C, P, D> {
    /// Half a period of the fastest clock, 2.5 MHz (clause 22.2.2.11). It is the default.
    pub const MIN_HALF_PERIOD: Duration = Duration::from_nanos(200);

    /// Creates a bus on these pins.
    pub const fn new(clock: C, data: P, delay: D) -> Self {
        Self {
            clock,
            data,
            delay,
            half_period_ns: Self::MIN_HALF_PERIOD.subsec_nanos(),
            interrupted: false,
        }
    }

    /// Sets half the clock period, for a weak pull-up or a long line. Values below
    /// [`MIN_HALF_PERIOD`](Self::MIN_HALF_PERIOD) are raised to it, values above 1 ms lowered
    /// to that.
    #[must_use]
    pub const fn with_half_period(mut self, half_period: Duration) -> Self {
        const MAX_NS: u32 = 1_000_000;
        let ns = half_period.subsec_nanos();
        self.half_period_ns = if half_period.as_secs() > 0 || ns > MAX_NS {
            MAX_NS
        } else if ns < Self::MIN_HALF_PERIOD.subsec_nanos() {
            Self::MIN_HALF_PERIOD.subsec_nanos()
        } else {
            ns
        };
        self
    }

    /// Releases the pins and the delay.
    pub fn release(self) -> (C, P, D) {
        (self.clock, self.data, self.delay)
    }

    /// Drives the clock low, after which the line may change.
    fn low(&mut self) -> Outcome<(), C, P> {
        self.clock.set_low().map_err(BitBangError::Clock)
    }

    /// Drives the clock high for half a period. The line is stable.
    fn high(&mut self) -> Outcome<(), C, P> {
        self.clock.set_high().map_err(BitBangError::Clock)?;
        self.delay.delay_ns(self.half_period_ns);
        Ok(())
    }

    fn send(&mut self, bits: u16, count: u8) -> Outcome<(), C, P> {
        for bit in (0..count).rev() {
            self.low()?;
            self.data.drive((bits >> bit) & 1 != 0).map_err(BitBangError::Data)?;
            self.delay.delay_ns(self.half_period_ns);
            self.high()?;
        }
        Ok(())
    }

    /// Reads the bit that the PHY drives since the last rising edge.
    fn receive(&mut self) -> Outcome<bool, C, P> {
        self.low()?;
        self.delay.delay_ns(self.half_period_ns);
        let bit = self.data.is_high().map_err(BitBangError::Data)?;
        self.high()?;
        Ok(bit)
    }

    fn begin(&mut self, operation: u16, phy: PhyAddress, register: RegisterAddress) -> Outcome<(), C, P> {
        if core::mem::replace(&mut self.interrupted, true) {
            self.low()?;
            self.data.release().map_err(BitBangError::Data)?;
            for _ in 0..32 {
                self.receive()?;
            }
        }
        self.send(u16::MAX, 16)?;
        self.send(u16::MAX, 16)?;
        self.send(operation, 4)?;
        self.send(u16::from(phy.get()), 5)?;
        self.send(u16::from(register.get()), 5)
    }

    /// Leaves the bus idle: clock low, data released.
    fn end(&mut self) -> Outcome<(), C, P> {
        self.low()?;
        self.data.release().map_err(BitBangError::Data)?;
        self.interrupted = false;
        Ok(())
    }

    fn read_frame(&mut self, phy: PhyAddress, register: RegisterAddress) -> Outcome<u16, C, P> {
        self.begin(READ, phy, register)?;
        self.low()?;
        self.data.release().map_err(BitBangError::Data)?;
        self.delay.delay_ns(self.half_period_ns);
        self.high()?;
        let absent = self.receive()?;
        let mut value = 0;
        for _ in 0..16 {
            value = (value << 1) | u16::from(self.receive()?);
        }
        self.end()?;
        Ok(if absent { u16::MAX } else { value })
    }

    fn write_frame(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Outcome<(), C, P> {
        self.begin(WRITE, phy, register)?;
        self.send(0b10, 2)?;
        self.send(value, 16)?;
        self.end()
    }
}

impl<C: OutputPin, P: DataPin, D: DelayNs> Mdio for BitBang<C, P, D> {
    type Error = BitBangError<C::Error, P::Error>;

    fn read(&mut self, phy: PhyAddress, register: RegisterAddress) -> Result<u16, Self::Error> {
        self.read_frame(phy, register)
    }

    fn write(&mut self, phy: PhyAddress, register: RegisterAddress, value: u16) -> Result<(), Self::Error> {
        self.write_frame(phy, register, value)
    }
}
