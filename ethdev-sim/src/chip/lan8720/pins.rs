//! The pins of the PHY, as a host's GPIO pins that are wired to them.

use core::convert::Infallible;
use core::fmt;
use std::rc::Rc;

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

use super::bits::Drive;
use super::hardware::Shared;
use crate::chip::int_line::Until;

macro_rules! pin {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(Rc<Shared>);

        impl $name {
            pub(super) fn new(shared: &Rc<Shared>) -> Self {
                Self(shared.clone())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl ErrorType for $name {
            type Error = Infallible;
        }
    };
}

pin! {
    /// nINT, as an input of the host: active low, pulled up. High for ever where the pin is REFCLKO.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first polled.
    IntPin
}

pin! {
    /// nRST, as an output of the host: active low, pulled up. The straps are latched when it rises.
    ResetPin
}

pin! {
    /// MDC, as an output of the host. The PHY takes MDIO at its rising edges.
    MdcPin
}

/// MDIO, as a pin of the host: an open-drain one with a pull-up, or one that pushes and pulls and has a direction.
///
/// As an open-drain pin, high is released. A pin with a direction starts as an input, and drives what was set last while it is an output.
pub struct MdioPin {
    shared: Rc<Shared>,
    open_drain: bool,
    output: bool,
    high: bool,
}

impl fmt::Debug for MdioPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MdioPin")
            .field("open_drain", &self.open_drain)
            .field("output", &self.output)
            .field("high", &self.high)
            .finish_non_exhaustive()
    }
}

impl MdioPin {
    pub(super) fn new(shared: &Rc<Shared>, open_drain: bool) -> Self {
        Self {
            shared: shared.clone(),
            open_drain,
            output: open_drain,
            high: true,
        }
    }

    /// Makes it an input, which drives nothing.
    pub fn set_as_input(&mut self) {
        self.output = false;
        self.apply();
    }

    /// Makes it an output.
    pub fn set_as_output(&mut self) {
        self.output = true;
        self.apply();
    }

    fn apply(&self) {
        let drive = match (self.output, self.high, self.open_drain) {
            (false, ..) | (true, true, true) => Drive::Released,
            (true, true, false) => Drive::High,
            (true, false, _) => Drive::Low,
        };
        pass_time(&self.shared);
        self.shared.with(|phy| phy.drive_mdio(drive));
    }

    fn set(&mut self, high: bool) {
        self.high = high;
        self.apply();
    }

    fn level(&self) -> bool {
        pass_time(&self.shared);
        self.shared.core.borrow().mdio_level()
    }
}

/// What an access to a pin takes.
fn pass_time(shared: &Shared) {
    let time = shared.core.borrow().config.times.pin;
    if !time.is_zero() {
        shared.clock.advance(time);
    }
}

impl ErrorType for MdioPin {
    type Error = Infallible;
}

impl InputPin for MdioPin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.level())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.level())
    }
}

impl OutputPin for MdioPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true);
        Ok(())
    }
}

impl MdcPin {
    fn set(&self, high: bool) {
        pass_time(&self.0);
        self.0.with(|phy| phy.drive_mdc(high));
    }
}

impl OutputPin for MdcPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true);
        Ok(())
    }
}

impl OutputPin for ResetPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.with(|phy| phy.drive_reset(true));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.with(|phy| phy.drive_reset(false));
        Ok(())
    }
}

impl InputPin for IntPin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.line.is_low())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.line.is_low())
    }
}

impl embedded_hal_async::digital::Wait for IntPin {
    async fn wait_for_high(&mut self) -> Result<(), Infallible> {
        self.0.line.wait(Until::High).await;
        Ok(())
    }

    async fn wait_for_low(&mut self) -> Result<(), Infallible> {
        self.0.line.wait(Until::Low).await;
        Ok(())
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Infallible> {
        self.0.line.wait(Until::Rising).await;
        Ok(())
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Infallible> {
        self.0.line.wait(Until::Falling).await;
        Ok(())
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Infallible> {
        self.0.line.wait(Until::AnyEdge).await;
        Ok(())
    }
}
