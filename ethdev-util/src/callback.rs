//! The callback surface of lending devices.

use ethdev::{
    CallbackDevice, Capabilities, Control, Error, ErrorKind, ErrorType, EthernetDevice, FrameHandler, LendingDevice,
    Link, MacAddress, Polled, Rearm, RxHalf, Stats, Transmit, TxHalf,
};

/// The callback surface of any lending device: without a copy. Any other device lends through [`Buffered`](crate::Buffered), with the one copy over the
/// bus.
///
/// ```
/// use ethdev_util::{Buffered, Callback};
/// use ethdev::{CallbackDevice, EthernetDevice, RxFrame, Transmit};
///
/// # fn f<D: EthernetDevice>(driver: D) -> Result<(), Box<dyn std::error::Error>> where D::Error: 'static {
/// let mut seen = 0;
/// let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit| {
///     seen += 1;
///     tx.send_frame(&frame).ok(); // answers from inside the callback
/// };
/// let mut device = Callback::new(Buffered::<D, 1514>::new(driver));
/// device.set_handler(&mut handler);
/// let polled = device.poll(16)?;
/// if !polled.more { /* drained: re-arm the interrupt, then sleep */ }
/// # Ok(()) }
/// ```
pub struct Callback<'h, D: EthernetDevice, H: FrameHandler + ?Sized = dyn FrameHandler + 'h> {
    device: D,
    handler: Option<&'h mut H>,
    tx_error: Option<D::Error>,
}

impl<'h, D: EthernetDevice> Callback<'h, D> {
    /// Wraps a lending device, with handlers behind `dyn FrameHandler`.
    #[must_use]
    pub const fn new(device: D) -> Self {
        Self::with_handler_type(device)
    }
}

impl<'h, D: EthernetDevice, H: FrameHandler + ?Sized> Callback<'h, D, H> {
    /// Wraps a lending device, with handlers of type `H`.
    #[must_use]
    pub const fn with_handler_type(device: D) -> Self {
        Self {
            device,
            handler: None,
            tx_error: None,
        }
    }

    /// The device's address.
    pub fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    /// What the device can do.
    pub fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    /// The link as last seen.
    pub fn link(&self) -> Link {
        self.device.link()
    }

    /// What became of every frame.
    pub fn stats(&self) -> Stats {
        self.device.stats()
    }

    /// Sends one frame from outside the handler.
    ///
    /// # Errors
    ///
    /// As [`EthernetDevice::send_vectored`].
    pub fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), D::Error> {
        self.device.send_vectored(parts)
    }

    /// The last error of a send from inside the handler, with its cause; taken out.
    pub const fn take_tx_error(&mut self) -> Option<D::Error> {
        self.tx_error.take()
    }

    /// Gives the device back; the handler is let go.
    pub fn into_inner(self) -> D {
        self.device
    }
}

/// What a handler sends through.
struct Answer<'a, T: TxHalf> {
    tx: T,
    mac_address: MacAddress,
    error: &'a mut Option<T::Error>,
}

impl<T: TxHalf> Transmit for Answer<'_, T> {
    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), ErrorKind> {
        match self.tx.send_vectored(parts) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ErrorKind::Busy),
            Err(e) => {
                let kind = e.kind();
                *self.error = Some(e);
                Err(kind)
            }
        }
    }
}

impl<D: EthernetDevice, H: FrameHandler + ?Sized> ErrorType for Callback<'_, D, H> {
    type Error = D::Error;
}

impl<'h, D: LendingDevice, H: FrameHandler + ?Sized + 'h> CallbackDevice<'h, H> for Callback<'h, D, H> {
    fn set_handler(&mut self, handler: &'h mut H) -> Option<&'h mut H> {
        self.handler.replace(handler)
    }

    fn clear_handler(&mut self) -> Option<&'h mut H> {
        self.handler.take()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, D::Error> {
        let events = self.device.service()?;
        let mac_address = self.device.mac_address();
        let (mut rx, tx) = self.device.split();
        let mut answer = Answer {
            tx,
            mac_address,
            error: &mut self.tx_error,
        };
        let mut frames = 0;
        if let Some(handler) = &mut self.handler {
            while frames < budget {
                let Some(frame) = rx.peek()? else { break };
                handler.on_frame(frame, &mut answer);
                rx.release()?;
                frames += 1;
            }
        }
        let more = rx.peek()?.is_some();
        Ok(Polled::new(frames, more, events))
    }
}

impl<D: EthernetDevice + Control, H: FrameHandler + ?Sized> Control for Callback<'_, D, H> {
    ethdev::forward_control!(|this| &mut this.device, core::convert::identity);
}

impl<D: EthernetDevice + Rearm, H: FrameHandler + ?Sized> Rearm for Callback<'_, D, H> {
    ethdev::forward_rearm!(|this| &mut this.device);
}

impl<D: EthernetDevice + core::fmt::Debug, H: FrameHandler + ?Sized> core::fmt::Debug for Callback<'_, D, H> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Callback")
            .field("device", &self.device)
            .field("handler", &self.handler.is_some())
            .field("tx_error", &self.tx_error)
            .finish()
    }
}
