//! Forwarding: macros for wrappers, and the implementations for `&mut T`.
//!
//! Every method is forwarded, provided ones included, so that no override is lost behind a wrapper
//! or a reference.
//!
//! Each macro writes the items of one `impl` block. Its argument names the wrapper and the place of
//! the device in it; a list after it selects the methods, the other ones are implemented as usual:
//!
//! ```
//! use ethdev::{Control, ErrorType, EthernetDevice};
//!
//! /// Counts the calls of `service`.
//! struct Counting<D> {
//!     device: D,
//!     services: u32,
//! }
//!
//! impl<D: ErrorType> ErrorType for Counting<D> {
//!     type Error = D::Error;
//! }
//!
//! impl<D: EthernetDevice> EthernetDevice for Counting<D> {
//!     ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats,
//!         recv_frame, discard_frame, tx_ready, send_vectored, send_frame);
//!
//!     fn service(&mut self) -> Result<ethdev::Events, D::Error> {
//!         self.services = self.services.wrapping_add(1);
//!         self.device.service()
//!     }
//! }
//!
//! impl<D: Control> Control for Counting<D> {
//!     ethdev::forward_control!(|this| this.device);
//! }
//! # let _ = |mut d: Counting<&mut dyn EthernetDevice<Error = ethdev::ErrorKind>>| d.service();
//! ```

use crate::lending::LendingDevice;
use crate::{Control, EthernetDevice, PollReady, Rearm, asynch};

/// One forwarded method: by reference, by exclusive reference, async.
#[doc(hidden)]
#[macro_export]
macro_rules! __forward {
    (ref $t:ident, $p:expr, [$($trait:tt)+] $name:ident() -> $ok:ty) => {
        #[inline]
        fn $name(&self) -> $ok {
            let $t = self;
            $($trait)+::$name(&$p)
        }
    };
    (mut $t:ident, $p:expr, [$($trait:tt)+] $name:ident($($arg:ident: $type:ty)?) -> $ok:ty) => {
        #[inline]
        fn $name(&mut self $(, $arg: $type)?) -> ::core::result::Result<$ok, <Self as $crate::ErrorType>::Error> {
            let $t = self;
            $($trait)+::$name(&mut $p $(, $arg)?)
        }
    };
    (async $t:ident, $p:expr, [$($trait:tt)+] $name:ident($($arg:ident: $type:ty)?) -> $ok:ty) => {
        #[inline]
        async fn $name(&mut self $(, $arg: $type)?) -> ::core::result::Result<$ok, <Self as $crate::ErrorType>::Error> {
            let $t = self;
            $($trait)+::$name(&mut $p $(, $arg)?).await
        }
    };
}

/// Forwards the methods of [`EthernetDevice`](crate::EthernetDevice) to a device inside a wrapper:
/// see [the module](crate::forward).
#[macro_export]
macro_rules! forward_ethernet_device {
    (|$this:ident| $place:expr) => {
        $crate::forward_ethernet_device!(|$this| $place;
            mac_address, capabilities, tx_max_frame_len, link, stats, recv_frame, discard_frame,
            tx_ready, send_vectored, send_frame, service);
    };
    (|$this:ident| $place:expr; $($method:ident),+ $(,)?) => {
        $($crate::forward_ethernet_device!(@ $method, $this, $place);)+
    };
    (@ mac_address, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::EthernetDevice] mac_address() -> $crate::MacAddress); };
    (@ capabilities, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::EthernetDevice] capabilities() -> $crate::Capabilities); };
    (@ tx_max_frame_len, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::EthernetDevice] tx_max_frame_len() -> $crate::MaxFrameLen); };
    (@ link, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::EthernetDevice] link() -> $crate::Link); };
    (@ stats, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::EthernetDevice] stats() -> $crate::Stats); };
    (@ recv_frame, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] recv_frame(buf: &mut [u8]) -> ::core::option::Option<$crate::RxMeta>);
    };
    (@ discard_frame, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] discard_frame() -> bool);
    };
    (@ tx_ready, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] tx_ready() -> bool);
    };
    (@ send_vectored, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] send_vectored(parts: &[&[u8]]) -> ());
    };
    (@ send_frame, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] send_frame(frame: &[u8]) -> ());
    };
    (@ service, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::EthernetDevice] service() -> $crate::Events);
    };
}

/// Forwards the methods of [`Control`](crate::Control) to a device inside a wrapper: see
/// [the module](crate::forward).
#[macro_export]
macro_rules! forward_control {
    (|$this:ident| $place:expr) => {
        $crate::forward_control!(|$this| $place;
            start, stop, set_mac_address, set_rx_filter, recover, sleep, wake);
    };
    (|$this:ident| $place:expr; $($method:ident),+ $(,)?) => {
        $($crate::forward_control!(@ $method, $this, $place);)+
    };
    (@ start, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Control] start() -> ()); };
    (@ stop, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Control] stop() -> ()); };
    (@ set_mac_address, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::Control] set_mac_address(address: $crate::MacAddress) -> ());
    };
    (@ set_rx_filter, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::Control] set_rx_filter(filter: $crate::RxFilter<'_>) -> $crate::FilterOutcome);
    };
    (@ recover, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Control] recover() -> ()); };
    (@ sleep, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Control] sleep() -> ()); };
    (@ wake, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Control] wake() -> ()); };
}

/// Forwards the methods of [`Rearm`](crate::Rearm) to a device inside a wrapper: see
/// [the module](crate::forward).
#[macro_export]
macro_rules! forward_rearm {
    (|$this:ident| $place:expr) => {
        $crate::forward_rearm!(|$this| $place;
            disarm, rearm);
    };
    (|$this:ident| $place:expr; $($method:ident),+ $(,)?) => {
        $($crate::forward_rearm!(@ $method, $this, $place);)+
    };
    (@ disarm, $t:ident, $p:expr) => { $crate::__forward!(mut $t, $p, [$crate::Rearm] disarm() -> ()); };
    (@ rearm, $t:ident, $p:expr) => {
        $crate::__forward!(mut $t, $p, [$crate::Rearm] rearm(interest: $crate::Interest) -> $crate::RearmOutcome);
    };
}

/// Forwards the method of [`PollReady`](crate::PollReady) to a device inside a wrapper: see [the
/// module](crate::forward).
#[macro_export]
macro_rules! forward_poll_ready {
    (|$this:ident| $place:expr) => {
        #[inline]
        fn poll_ready(
            &mut self,
            interest: $crate::Interest,
            cx: &mut ::core::task::Context<'_>,
        ) -> ::core::task::Poll<::core::result::Result<$crate::Interest, <Self as $crate::ErrorType>::Error>> {
            let $this = self;
            $crate::PollReady::poll_ready(&mut $place, interest, cx)
        }
    };
}

/// Forwards the items of [`LendingDevice`](crate::LendingDevice) to a device of type `$device`
/// inside a wrapper: `forward_lending_device!(|this| this.device, D)`. See [the
/// module](crate::forward).
#[macro_export]
macro_rules! forward_lending_device {
    (|$this:ident| $place:expr, $device:ty) => {
        type Rx<'a>
            = <$device as $crate::LendingDevice>::Rx<'a>
        where
            Self: 'a;
        type Tx<'a>
            = <$device as $crate::LendingDevice>::Tx<'a>
        where
            Self: 'a;

        #[inline]
        fn split(&mut self) -> (Self::Rx<'_>, Self::Tx<'_>) {
            let $this = self;
            $crate::LendingDevice::split(&mut $place)
        }
    };
}

/// Forwards the methods of [`asynch::EthernetDevice`](crate::asynch::EthernetDevice) to a device
/// inside a wrapper: see [the module](crate::forward).
#[macro_export]
macro_rules! forward_async_ethernet_device {
    (|$this:ident| $place:expr) => {
        $crate::forward_async_ethernet_device!(|$this| $place;
            mac_address, capabilities, link, stats, recv_frame, discard_frame, tx_ready,
            send_vectored, send_frame, service, ready, recv, send);
    };
    (|$this:ident| $place:expr; $($method:ident),+ $(,)?) => {
        $($crate::forward_async_ethernet_device!(@ $method, $this, $place);)+
    };
    (@ mac_address, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::asynch::EthernetDevice] mac_address() -> $crate::MacAddress); };
    (@ capabilities, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::asynch::EthernetDevice] capabilities() -> $crate::Capabilities); };
    (@ link, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::asynch::EthernetDevice] link() -> $crate::Link); };
    (@ stats, $t:ident, $p:expr) => { $crate::__forward!(ref $t, $p, [$crate::asynch::EthernetDevice] stats() -> $crate::Stats); };
    (@ recv_frame, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] recv_frame(buf: &mut [u8]) -> ::core::option::Option<$crate::RxMeta>);
    };
    (@ discard_frame, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] discard_frame() -> bool);
    };
    (@ tx_ready, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] tx_ready() -> bool);
    };
    (@ send_vectored, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] send_vectored(parts: &[&[u8]]) -> ());
    };
    (@ send_frame, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] send_frame(frame: &[u8]) -> ());
    };
    (@ service, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] service() -> $crate::Events);
    };
    (@ ready, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] ready(interest: $crate::Interest) -> $crate::Interest);
    };
    (@ recv, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] recv(buf: &mut [u8]) -> $crate::RxMeta);
    };
    (@ send, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::EthernetDevice] send(frame: &[u8]) -> ());
    };
}

/// Forwards the methods of [`asynch::Control`](crate::asynch::Control) to a device inside a
/// wrapper: see [the module](crate::forward).
#[macro_export]
macro_rules! forward_async_control {
    (|$this:ident| $place:expr) => {
        $crate::forward_async_control!(|$this| $place;
            start, stop, set_mac_address, set_rx_filter, recover, sleep, wake);
    };
    (|$this:ident| $place:expr; $($method:ident),+ $(,)?) => {
        $($crate::forward_async_control!(@ $method, $this, $place);)+
    };
    (@ start, $t:ident, $p:expr) => { $crate::__forward!(async $t, $p, [$crate::asynch::Control] start() -> ()); };
    (@ stop, $t:ident, $p:expr) => { $crate::__forward!(async $t, $p, [$crate::asynch::Control] stop() -> ()); };
    (@ set_mac_address, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::Control] set_mac_address(address: $crate::MacAddress) -> ());
    };
    (@ set_rx_filter, $t:ident, $p:expr) => {
        $crate::__forward!(async $t, $p, [$crate::asynch::Control] set_rx_filter(filter: $crate::RxFilter<'_>) -> $crate::FilterOutcome);
    };
    (@ recover, $t:ident, $p:expr) => { $crate::__forward!(async $t, $p, [$crate::asynch::Control] recover() -> ()); };
    (@ sleep, $t:ident, $p:expr) => { $crate::__forward!(async $t, $p, [$crate::asynch::Control] sleep() -> ()); };
    (@ wake, $t:ident, $p:expr) => { $crate::__forward!(async $t, $p, [$crate::asynch::Control] wake() -> ()); };
}

impl<T: EthernetDevice + ?Sized> EthernetDevice for &mut T {
    forward_ethernet_device!(|this| **this);
}

impl<T: LendingDevice + ?Sized> LendingDevice for &mut T {
    forward_lending_device!(|this| **this, T);
}

impl<T: Control + ?Sized> Control for &mut T {
    forward_control!(|this| **this);
}

impl<T: Rearm + ?Sized> Rearm for &mut T {
    forward_rearm!(|this| **this);
}

impl<T: PollReady + ?Sized> PollReady for &mut T {
    forward_poll_ready!(|this| **this);
}

impl<T: asynch::EthernetDevice + ?Sized> asynch::EthernetDevice for &mut T {
    forward_async_ethernet_device!(|this| **this);
}

impl<T: asynch::Control + ?Sized> asynch::Control for &mut T {
    forward_async_control!(|this| **this);
}
