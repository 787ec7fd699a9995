//! Devices whose type is chosen at run time: one error type for all.

use ethdev::{
    Control, Error, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest, MacAddress, Rearm,
    RearmOutcome, RxFilter, RxMeta,
};

/// A device whose error is [`ErrorKind`], so that devices of different types are one `&mut dyn
/// ErasedDevice`.
///
/// The cause of the last error other than `Busy` is kept: [`take_error`](Self::take_error).
///
/// ```
/// use ethdev::{Control, ErrorKind, EthernetDevice};
/// use ethdev_util::{Erased, ErasedDevice};
///
/// # fn f(spi_nic: impl EthernetDevice + Control, wifi: impl EthernetDevice + Control, cable_plugged: bool) -> Result<(), ErrorKind> {
/// let (mut spi_nic, mut wifi) = (Erased::new(spi_nic), Erased::new(wifi));
/// let nic: &mut dyn ErasedDevice = if cable_plugged { &mut spi_nic } else { &mut wifi };
/// nic.service()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Erased<D: ErrorType> {
    device: D,
    last_error: Option<D::Error>,
}

/// A device whose type is not known: the pull and the management API.
///
/// Implemented for every type that has both, with [`ErrorKind`] as its error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a device whose error is `ErrorKind`",
    note = "wrap it: `ethdev_util::Erased::new(device)`"
)]
pub trait ErasedDevice: EthernetDevice<Error = ErrorKind> + Control<Error = ErrorKind> {}

impl<T: EthernetDevice<Error = ErrorKind> + Control<Error = ErrorKind> + ?Sized> ErasedDevice for T {}

/// An [`ErasedDevice`] with an interrupt that can be masked: for hosts that choose the device at
/// run time and sleep.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a device with an interrupt whose error is `ErrorKind`",
    note = "wrap a device that implements `Rearm`: `ethdev_util::Erased::new(device)`"
)]
pub trait ErasedIrqDevice: ErasedDevice + Rearm<Error = ErrorKind> {}

impl<T: ErasedDevice + Rearm<Error = ErrorKind> + ?Sized> ErasedIrqDevice for T {}

impl<D: ErrorType> Erased<D> {
    /// Wraps `device`.
    #[must_use]
    pub const fn new(device: D) -> Self {
        Self {
            device,
            last_error: None,
        }
    }

    /// Takes the last error, with its cause.
    pub const fn take_error(&mut self) -> Option<D::Error> {
        self.last_error.take()
    }

    /// Returns the device, for its specific functions.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Returns the device.
    pub fn into_inner(self) -> D {
        self.device
    }

    fn erase<T>(&mut self, result: Result<T, D::Error>) -> Result<T, ErrorKind> {
        result.map_err(|e| {
            let kind = e.kind();
            // `Busy` must not displace the cause of a failure.
            if kind != ErrorKind::Busy {
                self.last_error = Some(e);
            }
            kind
        })
    }
}

/// Methods of the device whose errors are erased.
macro_rules! erase {
    ($(fn $name:ident(&mut self $(, $arg:ident: $type:ty)?) -> $ok:ty;)+) => {
        $(fn $name(&mut self $(, $arg: $type)?) -> Result<$ok, ErrorKind> {
            let result = self.device.$name($($arg)?);
            self.erase(result)
        })+
    };
}

impl<D: ErrorType> ErrorType for Erased<D> {
    type Error = ErrorKind;
}

impl<D: EthernetDevice> EthernetDevice for Erased<D> {
    ethdev::forward_ethernet_device!(|this| this.device; mac_address, capabilities, tx_max_frame_len, link, stats);

    erase! {
        fn recv_frame(&mut self, buf: &mut [u8]) -> Option<RxMeta>;
        fn discard_frame(&mut self) -> bool;
        fn tx_ready(&mut self) -> bool;
        fn send_vectored(&mut self, parts: &[&[u8]]) -> ();
        fn send_frame(&mut self, frame: &[u8]) -> ();
        fn service(&mut self) -> Events;
    }
}

impl<D: Control> Control for Erased<D> {
    erase! {
        fn start(&mut self) -> ();
        fn stop(&mut self) -> ();
        fn set_mac_address(&mut self, address: MacAddress) -> ();
        fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> FilterOutcome;
        fn recover(&mut self) -> ();
        fn sleep(&mut self) -> ();
        fn wake(&mut self) -> ();
    }
}

impl<D: Rearm> Rearm for Erased<D> {
    erase! {
        fn disarm(&mut self) -> ();
        fn rearm(&mut self, interest: Interest) -> RearmOutcome;
    }
}
