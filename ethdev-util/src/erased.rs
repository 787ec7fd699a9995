//! The NIC picked at run time: one error type for all devices.

use ethdev::{
    Capabilities, Control, ControlError, Error, ErrorKind, ErrorType, EthernetDevice, Events, FilterOutcome, Interest,
    Link, MacAddress, Rearm, RearmOutcome, RxFilter, RxMeta, Stats,
};

/// A device whose errors are [`ErrorKind`]s, so that devices of different types fit one `&mut dyn EthernetDevice<Error = ErrorKind>`.
///
/// The error itself is kept: [`take_error`](Self::take_error).
///
/// ```
/// use ethdev_util::{Erased, ErasedDevice};
/// use ethdev::{ErrorKind, EthernetDevice};
///
/// # fn f(spi_nic: impl EthernetDevice + ethdev::Control, wifi: impl EthernetDevice + ethdev::Control, cable_plugged: bool) -> Result<(), ErrorKind> {
/// let (mut spi_nic, mut wifi) = (Erased::new(spi_nic), Erased::new(wifi));
/// let nic: &mut dyn ErasedDevice = if cable_plugged { &mut spi_nic } else { &mut wifi };
/// nic.service()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Erased<D: EthernetDevice> {
    device: D,
    last_error: Option<D::Error>,
}

/// All that can be asked of a device whose type is not known: pull and management.
///
/// Implemented for everything that is both; never by hand.
pub trait ErasedDevice: EthernetDevice<Error = ErrorKind> + Control<Error = ErrorKind> {}

impl<T: EthernetDevice<Error = ErrorKind> + Control<Error = ErrorKind> + ?Sized> ErasedDevice for T {}

impl<D: EthernetDevice> Erased<D> {
    /// Wraps `device`.
    #[must_use]
    pub const fn new(device: D) -> Self {
        Self {
            device,
            last_error: None,
        }
    }

    /// The last error, with its cause; taken out.
    pub const fn take_error(&mut self) -> Option<D::Error> {
        self.last_error.take()
    }

    /// The device, for what is specific to it.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back.
    pub fn into_inner(self) -> D {
        self.device
    }

    fn keep<T>(&mut self, result: Result<T, D::Error>) -> Result<T, ErrorKind> {
        result.map_err(|e| {
            let kind = e.kind();
            // Waiting for room is no failure: it must not push out the cause of one.
            if !kind.is_busy() {
                self.last_error = Some(e);
            }
            kind
        })
    }
}

impl<D: EthernetDevice> ErrorType for Erased<D> {
    type Error = ErrorKind;
}

impl<D: EthernetDevice> EthernetDevice for Erased<D> {
    fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn link(&self) -> Link {
        self.device.link()
    }

    fn stats(&self) -> Stats {
        self.device.stats()
    }

    fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, ErrorKind> {
        let result = self.device.recv_frame(buf);
        self.keep(result)
    }

    fn discard_frame(&mut self) -> Result<bool, ErrorKind> {
        let result = self.device.discard_frame();
        self.keep(result)
    }

    fn tx_ready(&mut self) -> Result<bool, ErrorKind> {
        let result = self.device.tx_ready();
        self.keep(result)
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        let result = self.device.send_vectored(parts);
        self.keep(result)
    }

    fn send_frame(&mut self, frame: &[u8]) -> Result<(), ErrorKind> {
        let result = self.device.send_frame(frame);
        self.keep(result)
    }

    fn service(&mut self) -> Result<Events, ErrorKind> {
        let result = self.device.service();
        self.keep(result)
    }
}

impl<D: EthernetDevice + Control> Erased<D> {
    fn keep_control<T>(&mut self, result: Result<T, ControlError<D::Error>>) -> Result<T, ControlError<ErrorKind>> {
        result.map_err(|e| {
            e.map(|e| {
                let kind = e.kind();
                self.last_error = Some(e);
                kind
            })
        })
    }
}

impl<D: EthernetDevice + Control> Control for Erased<D> {
    fn start(&mut self) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.start();
        self.keep_control(result)
    }

    fn stop(&mut self) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.stop();
        self.keep_control(result)
    }

    fn set_mac_address(&mut self, address: MacAddress) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.set_mac_address(address);
        self.keep_control(result)
    }

    fn set_rx_filter(&mut self, filter: RxFilter<'_>) -> Result<FilterOutcome, ControlError<ErrorKind>> {
        let result = self.device.set_rx_filter(filter);
        self.keep_control(result)
    }

    fn recover(&mut self) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.recover();
        self.keep_control(result)
    }

    fn sleep(&mut self) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.sleep();
        self.keep_control(result)
    }

    fn wake(&mut self) -> Result<(), ControlError<ErrorKind>> {
        let result = self.device.wake();
        self.keep_control(result)
    }
}

impl<D: EthernetDevice + Rearm> Rearm for Erased<D> {
    fn disarm(&mut self) -> Result<(), ErrorKind> {
        let result = self.device.disarm();
        self.keep(result)
    }

    fn rearm(&mut self, interest: Interest) -> Result<RearmOutcome, ErrorKind> {
        let result = self.device.rearm(interest);
        self.keep(result)
    }
}
