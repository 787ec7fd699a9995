//! The common code of the pins of all models: handles on a chip that implement the traits of GPIO
//! pins.
//!
//! Each macro is for one direction: a model only defines the effect of setting a pin, or the level
//! of the pin.

/// A handle on the chip, which can be cloned.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_pin {
    ($(#[$doc:meta])* $name:ident($shared:ty)) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(::std::rc::Rc<$shared>);

        impl $name {
            pub(crate) fn new(shared: &::std::rc::Rc<$shared>) -> Self {
                Self(shared.clone())
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        impl ::embedded_hal::digital::ErrorType for $name {
            type Error = ::core::convert::Infallible;
        }
    };
}

/// An output of the host, by the pin's `set`.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_output {
    ($name:ident) => {
        impl ::embedded_hal::digital::OutputPin for $name {
            fn set_low(&mut self) -> Result<(), Self::Error> {
                self.set(false);
                Ok(())
            }

            fn set_high(&mut self) -> Result<(), Self::Error> {
                self.set(true);
                Ok(())
            }
        }
    };
}

/// An input of the host, by the pin's `level`.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_input {
    ($name:ident) => {
        impl ::embedded_hal::digital::InputPin for $name {
            fn is_high(&mut self) -> Result<bool, Self::Error> {
                Ok(self.level())
            }

            fn is_low(&mut self) -> Result<bool, Self::Error> {
                Ok(!self.level())
            }
        }
    };
}

/// An input that can be waited for, by the chip's interrupt line.
#[doc(hidden)]
#[macro_export]
macro_rules! __model_wait {
    ($name:ident) => {
        impl ::embedded_hal_async::digital::Wait for $name {
            async fn wait_for_high(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::model::Until::High).await;
                Ok(())
            }

            async fn wait_for_low(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::model::Until::Low).await;
                Ok(())
            }

            async fn wait_for_rising_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::model::Until::Rising).await;
                Ok(())
            }

            async fn wait_for_falling_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::model::Until::Falling).await;
                Ok(())
            }

            async fn wait_for_any_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::model::Until::AnyEdge).await;
                Ok(())
            }
        }
    };
}

pub use crate::{__model_input as input, __model_output as output, __model_pin as pin, __model_wait as wait};
