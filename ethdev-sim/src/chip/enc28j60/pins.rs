//! The pins beside the SPI bus.

use core::convert::Infallible;
use core::fmt;
use std::rc::Rc;

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

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
    /// The INT pin, as an input of the host: active low, a function of the chip's state.
    ///
    /// # Cancellation
    ///
    /// Its futures may be dropped at any time. Each edge future sees the edges since it was first polled.
    IntPin
}

pin! {
    /// The RESET pin, as an output of the host: active low. Pulses under 400 ns are filtered out by the chip.
    ResetPin
}

pin! {
    /// Chip select, as an output of the host: active low.
    ///
    /// Its edges take their time on the clock: [`cs_gap`](super::ChipConfig::cs_gap), [`overhead`](super::ChipConfig::overhead) and
    /// [`cs_setup`](super::ChipConfig::cs_setup) around the falling one, [`cs_hold`](super::ChipConfig::cs_hold) before the rising one.
    CsPin
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

impl OutputPin for ResetPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.with(|chip| chip.drive_reset(true));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.with(|chip| chip.drive_reset(false));
        Ok(())
    }
}

impl OutputPin for CsPin {
    fn set_low(&mut self) -> Result<(), Infallible> {
        Self::drive(&self.0, true);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        Self::drive(&self.0, false);
        Ok(())
    }
}
