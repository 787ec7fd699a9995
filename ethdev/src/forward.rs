//! Forwarding: `&mut T` is whatever `T` is, and layers pass on what they do not change.
//!
//! Every method is forwarded, provided ones too, so that no override is lost behind a reference.

use crate::lending::LendingDevice;
use crate::{Capabilities, Control, EthernetDevice, Events, Link, MacAddress, Rearm, RxMeta, Stats};

/// Items of an `impl Control` that pass calls on: `control!(|this| &mut this.device, wrap)` for all of them, or the names of those wanted after it. `wrap`
/// turns the device's error into the layer's.
#[macro_export]
macro_rules! forward_control {
    (|$this:ident| $place:expr, $wrap:expr) => {
        $crate::forward_control!(
            |$this| $place, $wrap, start, stop, set_mac_address, set_rx_filter, recover, sleep, wake
        );
    };
    (|$this:ident| $place:expr, $wrap:expr, $($method:ident),+) => {
        $($crate::forward_control!(@ $method, $this, $place, $wrap);)+
    };
    (@ set_mac_address, $this:ident, $place:expr, $wrap:expr) => {
        fn set_mac_address(
            &mut self,
            address: $crate::MacAddress,
        ) -> Result<(), $crate::ControlError<Self::Error>> {
            let $this = self;
            $crate::Control::set_mac_address($place, address).map_err(|e| e.map($wrap))
        }
    };
    (@ set_rx_filter, $this:ident, $place:expr, $wrap:expr) => {
        fn set_rx_filter(
            &mut self,
            filter: $crate::RxFilter<'_>,
        ) -> Result<$crate::FilterOutcome, $crate::ControlError<Self::Error>> {
            let $this = self;
            $crate::Control::set_rx_filter($place, filter).map_err(|e| e.map($wrap))
        }
    };
    (@ $method:ident, $this:ident, $place:expr, $wrap:expr) => {
        fn $method(&mut self) -> Result<(), $crate::ControlError<Self::Error>> {
            let $this = self;
            $crate::Control::$method($place).map_err(|e| e.map($wrap))
        }
    };
}

/// The items of an `impl Rearm` that passes all calls on: `rearm!(|this| &mut this.device)`.
#[macro_export]
macro_rules! forward_rearm {
    (|$this:ident| $place:expr) => {
        fn disarm(&mut self) -> Result<(), Self::Error> {
            let $this = self;
            $crate::Rearm::disarm($place)
        }

        fn rearm(&mut self, interest: $crate::Interest) -> Result<$crate::RearmOutcome, Self::Error> {
            let $this = self;
            $crate::Rearm::rearm($place, interest)
        }
    };
}

impl<T: EthernetDevice + ?Sized> EthernetDevice for &mut T {
    fn mac_address(&self) -> MacAddress {
        (**self).mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn link(&self) -> Link {
        (**self).link()
    }

    fn stats(&self) -> Stats {
        (**self).stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, T::Error> {
        (**self).recv_frame(buf)
    }

    fn discard_frame(&mut self) -> Result<bool, T::Error> {
        (**self).discard_frame()
    }

    fn tx_ready(&mut self) -> Result<bool, T::Error> {
        (**self).tx_ready()
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), T::Error> {
        (**self).send_vectored(parts)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), T::Error> {
        (**self).send_frame(frame)
    }

    fn service(&mut self) -> Result<Events, T::Error> {
        (**self).service()
    }
}

impl<T: LendingDevice + ?Sized> LendingDevice for &mut T {
    type Rx<'a>
        = T::Rx<'a>
    where
        Self: 'a;
    type Tx<'a>
        = T::Tx<'a>
    where
        Self: 'a;

    fn split(&mut self) -> (T::Rx<'_>, T::Tx<'_>) {
        (**self).split()
    }
}

impl<T: Control + ?Sized> Control for &mut T {
    crate::forward_control!(|this| &mut **this, core::convert::identity);
}

impl<T: Rearm + ?Sized> Rearm for &mut T {
    crate::forward_rearm!(|this| &mut **this);
}
