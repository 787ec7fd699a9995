//! The callback + poll API of lending devices.

use ethdev::{
    CallbackDevice, Capabilities, Control, ErrorType, EthernetDevice, FrameHandler, LendingDevice, Link, MacAddress,
    Polled, Rearm, RxHalf, Stats, Transmit, TxHalf,
};

use crate::reports::Reports;

/// Gives the callback + poll API to any lending device, without a copy. Put
/// [`Buffered`](crate::Buffered) in front of any other device; the only copy is then the one over
/// the bus.
///
/// ```
/// use ethdev::{CallbackDevice, EthernetDevice, RxFrame, Transmit};
/// use ethdev_util::{Buffered, Callback};
///
/// # fn f<D: EthernetDevice>(driver: D) -> Result<(), Box<dyn std::error::Error>> where D::Error: 'static {
/// let mut seen = 0;
/// let mut handler = |frame: RxFrame<'_>, tx: &mut dyn Transmit<Error = D::Error>| {
///     seen += 1;
///     tx.send_frame(&frame).ok(); // replies from inside the callback
/// };
/// let (mut rx, mut tx) = ([0; 1514], [0; 1514]);
/// let mut device = Callback::new(Buffered::new(driver, &mut rx, &mut tx));
/// device.set_handler(&mut handler);
/// let polled = device.poll(16)?;
/// if !polled.more { /* drained: re-arm the interrupt, then sleep */ }
/// # Ok(()) }
/// ```
pub struct Callback<'h, D: EthernetDevice, H: ?Sized = dyn FrameHandler<<D as ErrorType>::Error> + 'h> {
    device: D,
    handler: Option<&'h mut H>,
    /// What polls that failed found.
    reports: Reports,
}

impl<'h, D: EthernetDevice> Callback<'h, D> {
    /// Wraps a lending device, with handlers behind `dyn FrameHandler`.
    #[must_use]
    pub const fn new(device: D) -> Self {
        Self::with_handler_type(device)
    }
}

impl<D: EthernetDevice, H: ?Sized> Callback<'_, D, H> {
    /// Wraps a lending device, with handlers of type `H`.
    #[must_use]
    pub const fn with_handler_type(device: D) -> Self {
        Self {
            device,
            handler: None,
            reports: Reports::new(None),
        }
    }

    /// Returns the address of the device.
    pub fn mac_address(&self) -> MacAddress {
        self.device.mac_address()
    }

    /// Returns what the device can do.
    pub fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    /// Returns the cached link state.
    pub fn link(&self) -> Link {
        self.device.link()
    }

    /// Returns the counters.
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

    /// Returns the device; the handler is released.
    pub fn into_inner(self) -> D {
        self.device
    }
}

/// Sends for a handler.
struct HandlerTx<T> {
    tx: T,
    mac_address: MacAddress,
}

impl<T: TxHalf> Transmit for HandlerTx<T> {
    type Error = T::Error;

    fn mac_address(&self) -> MacAddress {
        self.mac_address
    }

    fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), T::Error> {
        self.tx.send_vectored(parts)
    }
}

impl<D: EthernetDevice, H: ?Sized> ErrorType for Callback<'_, D, H> {
    type Error = D::Error;
}

impl<'h, D: LendingDevice, H: FrameHandler<D::Error> + ?Sized + 'h> CallbackDevice<'h, H> for Callback<'h, D, H> {
    fn set_handler(&mut self, handler: &'h mut H) -> Option<&'h mut H> {
        self.handler.replace(handler)
    }

    fn clear_handler(&mut self) -> Option<&'h mut H> {
        self.handler.take()
    }

    fn poll(&mut self, budget: usize) -> Result<Polled, D::Error> {
        self.reports.add(self.device.service()?);
        let (frames, more) = self.deliver(budget)?;
        Ok(Polled::new(frames, more, self.reports.take(self.device.link())))
    }
}

impl<D: LendingDevice, H: FrameHandler<D::Error> + ?Sized> Callback<'_, D, H> {
    /// Returns the number of frames that the handler got, and whether more are pending.
    fn deliver(&mut self, budget: usize) -> Result<(usize, bool), D::Error> {
        let mac_address = self.device.mac_address();
        let (mut rx, tx) = self.device.split();
        let mut tx = HandlerTx { tx, mac_address };
        let mut frames = 0;
        if let Some(handler) = &mut self.handler {
            while frames < budget {
                let Some(frame) = rx.peek()? else { break };
                handler.on_frame(frame, &mut tx);
                rx.release()?;
                frames += 1;
            }
        }
        Ok((frames, rx.pending()?))
    }
}

impl<D: EthernetDevice + Control, H: ?Sized> Control for Callback<'_, D, H> {
    ethdev::forward_control!(|this| this.device);
}

impl<D: EthernetDevice + Rearm, H: ?Sized> Rearm for Callback<'_, D, H> {
    ethdev::forward_rearm!(|this| this.device);
}

impl<D: EthernetDevice + core::fmt::Debug, H: ?Sized> core::fmt::Debug for Callback<'_, D, H> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Callback")
            .field("device", &self.device)
            .field("handler", &self.handler.is_some())
            .finish()
    }
}
