//! What all models' pins are alike in: handles on a chip, with the traits of a host's GPIO pins.
//!
//! Each macro is for one direction: a model has only to say what setting a pin does, or what level it shows.

/// A handle on the chip, which can be cloned.
macro_rules! pin {
    ($(#[$doc:meta])* $name:ident($shared:ty)) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(::std::rc::Rc<$shared>);

        impl $name {
            pub(super) fn new(shared: &::std::rc::Rc<$shared>) -> Self {
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
macro_rules! output {
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
macro_rules! input {
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
macro_rules! wait {
    ($name:ident) => {
        impl ::embedded_hal_async::digital::Wait for $name {
            async fn wait_for_high(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::chip::int_line::Until::High).await;
                Ok(())
            }

            async fn wait_for_low(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::chip::int_line::Until::Low).await;
                Ok(())
            }

            async fn wait_for_rising_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::chip::int_line::Until::Rising).await;
                Ok(())
            }

            async fn wait_for_falling_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::chip::int_line::Until::Falling).await;
                Ok(())
            }

            async fn wait_for_any_edge(&mut self) -> Result<(), Self::Error> {
                self.0.line.wait($crate::chip::int_line::Until::AnyEdge).await;
                Ok(())
            }
        }
    };
}

pub(in crate::chip) use {input, output, pin, wait};
