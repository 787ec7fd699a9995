//! The hardware reset.

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;

/// How long nRST is held low. The data sheet asks for 100 µs (section 3.8.5.1); there are chips that need more.
pub const RESET_LOW: Duration = Duration::from_millis(2);
/// How long the PHY is left alone afterwards.
pub const AFTER_RESET: Duration = Duration::from_millis(25);

/// Resets the PHY by its nRST pin, and waits until it can be spoken to.
///
/// - The supplies must have been up for 25 ms (data sheet, section 3.8.5.1), and a reset after power-up is required.
/// - **`REF_CLK` must run already**, where the MAC or the host makes it: a PHY without a clock ends no reset and answers no MDIO.
/// - The straps are latched again, from pins that are the MAC's inputs: nothing may drive or pull them (RXD0, RXD1, `CRS_DV`, RXER).
///
/// ```
/// # use embedded_hal::{delay::DelayNs, digital::OutputPin};
/// # fn example<P: OutputPin>(mut nrst: P, mut delay: impl DelayNs) -> Result<(), P::Error> {
/// // first the clock, then:
/// ethdev_lan8720::hardware_reset(&mut nrst, &mut delay)?;
/// // and now a `Lan8720Phy`
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The pin failed.
pub fn hardware_reset<P: OutputPin + ?Sized, D: DelayNs + ?Sized>(pin: &mut P, delay: &mut D) -> Result<(), P::Error> {
    pin.set_low()?;
    delay.delay_us(RESET_LOW.as_micros() as u32);
    pin.set_high()?;
    delay.delay_us(AFTER_RESET.as_micros() as u32);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, string::String};

    use super::*;

    /// A pin and a delay that write down what is done with them.
    #[derive(Clone, Default)]
    struct Notes(Rc<RefCell<String>>);

    impl embedded_hal::digital::ErrorType for Notes {
        type Error = core::convert::Infallible;
    }

    impl OutputPin for Notes {
        fn set_low(&mut self) -> Result<(), Self::Error> {
            self.0.borrow_mut().push_str("low ");
            Ok(())
        }
        fn set_high(&mut self) -> Result<(), Self::Error> {
            self.0.borrow_mut().push_str("high ");
            Ok(())
        }
    }

    impl DelayNs for Notes {
        fn delay_ns(&mut self, ns: u32) {
            self.0.borrow_mut().push_str(&std::format!("{}us ", ns / 1000));
        }
    }

    #[test]
    fn low_long_enough_and_left_alone_afterwards() {
        let notes = Notes::default();
        hardware_reset(&mut notes.clone(), &mut notes.clone()).unwrap();
        assert_eq!(*notes.0.borrow(), "low 2000us high 25000us ");
    }
}
