//! Hardware reset.

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;

/// Time that nRST is held low. The data sheet requires 100 µs (section 3.8.5.1); some chips need
/// more.
pub const RESET_PULSE: Duration = Duration::from_millis(2);
/// Time after nRST until the PHY is accessed.
pub const RESET_DELAY: Duration = Duration::from_millis(25);

/// Resets the PHY by its nRST pin and waits until it responds on MDIO: 27 ms.
///
/// - The supplies must have been stable for 25 ms (data sheet, section 3.8.5.1). A reset after
///   power-up is required.
/// - **`REF_CLK` must be running**, if the MAC or the host generates it: without a clock, the PHY
///   does not end its reset and does not respond on MDIO.
/// - The straps are latched again, from pins that are inputs of the MAC (RXD0, RXD1, `CRS_DV`,
///   RXER): the host must neither drive nor pull them.
///
/// ```
/// # use embedded_hal::{delay::DelayNs, digital::OutputPin};
/// # fn example<RST: OutputPin>(mut nrst: RST, mut delay: impl DelayNs) -> Result<(), RST::Error> {
/// // REF_CLK is running
/// ethdev_lan8720::hardware_reset(&mut nrst, &mut delay)?;
/// // create a `Lan8720Phy`
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The pin failed.
pub fn hardware_reset<RST: OutputPin + ?Sized, D: DelayNs + ?Sized>(
    pin: &mut RST,
    delay: &mut D,
) -> Result<(), RST::Error> {
    pin.set_low()?;
    delay.delay_us(RESET_PULSE.as_micros() as u32);
    pin.set_high()?;
    delay.delay_us(RESET_DELAY.as_micros() as u32);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc, string::String};

    use super::*;

    /// A pin and a delay that record the calls.
    #[derive(Clone, Default)]
    struct Recorder(Rc<RefCell<String>>);

    impl embedded_hal::digital::ErrorType for Recorder {
        type Error = core::convert::Infallible;
    }

    impl OutputPin for Recorder {
        fn set_low(&mut self) -> Result<(), Self::Error> {
            self.0.borrow_mut().push_str("low ");
            Ok(())
        }
        fn set_high(&mut self) -> Result<(), Self::Error> {
            self.0.borrow_mut().push_str("high ");
            Ok(())
        }
    }

    impl DelayNs for Recorder {
        fn delay_ns(&mut self, ns: u32) {
            self.0.borrow_mut().push_str(&std::format!("{}us ", ns / 1000));
        }
    }

    #[test]
    fn hardware_reset_pulse_and_delay() {
        let recorder = Recorder::default();
        hardware_reset(&mut recorder.clone(), &mut recorder.clone()).unwrap();
        assert_eq!(*recorder.0.borrow(), "low 2000us high 25000us ");
    }
}
