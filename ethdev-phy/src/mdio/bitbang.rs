//! MDIO by two pins.

use core::fmt;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};

use super::{Mdio, PhyAddress, RegisterAddress};
use ethdev::{Error, ErrorKind};

/// The data pin of an MDIO bus, which both ends drive in turns. The bus needs a pull-up: without one, an absent PHY is not told from one that answers.
pub trait DataPin {
    /// What can go wrong with the pin.
    type Error: fmt::Debug;

    /// Drives the line.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn drive(&mut self, high: bool) -> Result<(), Self::Error>;

    /// Leaves the line to the PHY and the pull-up.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn release(&mut self) -> Result<(), Self::Error>;

    /// The level of the line, while it is released.
    ///
    /// # Errors
    ///
    /// The pin failed.
    fn is_high(&mut self) -> Result<bool, Self::Error>;
}

/// An open-drain pin: high is released. Whatever the host drives high is left to the pull-up, which has to get the line up within half a clock.
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

/// Why a bit-banged operation failed. `C` is the clock pin's error, `D` the data pin's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
            Self::Clock(e) => write!(f, "MDC pin failed: {e:?}"),
            Self::Data(e) => write!(f, "MDIO pin failed: {e:?}"),
        }
    }
}

impl<C: fmt::Debug, D: fmt::Debug> core::error::Error for BitBangError<C, D> {}

/// An MDIO bus on two pins, for hosts without one in their MAC (IEEE 802.3 clause 22.2.4.5).
///
/// An operation is 64 clocks: a preamble of 32 ones, start, operation, addresses, turnaround, data. It blocks for that long, 26 µs with a delay that is exact.
///
/// - Both ends change the line while the clock is low or just after it rose, and read it at the next rise. The PHY has 400 ns from one rise to the next, and
///   needs up to 300 ns (clause 22.3.4).
/// - Where no PHY pulls the line low in the turnaround, all sixteen bits read as ones: `0xffff`.
/// - After a pin failed in the middle of an operation, the next one begins with 32 clocks more, the line released: a PHY takes them for the rest of the torn
///   operation. Where that was a write, the register may now hold ones.
///
/// ```
/// use embedded_hal::{delay::DelayNs, digital::{InputPin, OutputPin}};
/// use ethdev_phy::mdio::{BitBang, OpenDrain};
///
/// /// `data` is an open-drain pin with a pull-up of 1.5 kΩ or so: the one inside a microcontroller is too weak for 2.5 MHz.
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
    /// An operation ended in its middle.
    broken: bool,
}

/// Start and operation code, before the two addresses.
const READ: u16 = 0b0110;
const WRITE: u16 = 0b0101;

type Outcome<T, C, P> = Result<T, BitBangError<<C as embedded_hal::digital::ErrorType>::Error, <P as DataPin>::Error>>;

impl<C: OutputPin, P: DataPin, D: DelayNs> BitBang<C, P, D> {
    /// Half a clock at 2.5 MHz, the most that clause 22.2.2.11 allows, in nanoseconds.
    pub const HALF_PERIOD_NS: u32 = 200;

    /// A bus on these pins.
    pub const fn new(clock: C, data: P, delay: D) -> Self {
        Self {
            clock,
            data,
            delay,
            half_period_ns: Self::HALF_PERIOD_NS,
            broken: false,
        }
    }

    /// The same with a slower clock, for a weak pull-up or a long line. Less than [`HALF_PERIOD_NS`](Self::HALF_PERIOD_NS) counts as that.
    #[must_use]
    pub const fn with_half_period_ns(mut self, ns: u32) -> Self {
        self.half_period_ns = if ns < Self::HALF_PERIOD_NS {
            Self::HALF_PERIOD_NS
        } else {
            ns
        };
        self
    }

    /// Gives the pins and the delay back.
    pub fn release(self) -> (C, P, D) {
        (self.clock, self.data, self.delay)
    }

    /// The clock goes low; the line may change.
    fn low(&mut self) -> Outcome<(), C, P> {
        self.clock.set_low().map_err(BitBangError::Clock)
    }

    /// The line has settled; the clock goes high.
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

    /// Reads what the PHY has driven since the last rise.
    fn receive(&mut self) -> Outcome<bool, C, P> {
        self.low()?;
        self.delay.delay_ns(self.half_period_ns);
        let bit = self.data.is_high().map_err(BitBangError::Data)?;
        self.high()?;
        Ok(bit)
    }

    fn begin(&mut self, operation: u16, phy: PhyAddress, register: RegisterAddress) -> Outcome<(), C, P> {
        if core::mem::replace(&mut self.broken, true) {
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

    /// The line is idle: clock low, data released.
    fn end(&mut self) -> Outcome<(), C, P> {
        self.low()?;
        self.data.release().map_err(BitBangError::Data)?;
        self.broken = false;
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
