//! Async from blocking: for devices whose methods return at once.

use ethdev::asynch::EthernetDevice;
use ethdev::{
    Capabilities, ErrorType, EthernetDevice as BlockingDevice, Events, Interest, Link, MacAddress, RxMeta, Stats,
};

/// A way to sleep until it is worth looking at a device again.
#[allow(
    async_fn_in_trait,
    reason = "whether the futures are Send is the device's matter: see the module's documentation"
)]
pub trait Wake<D: BlockingDevice> {
    /// Called before every look at the device. What happens after this call must end the next [`wait`](Self::wait).
    ///
    /// # Errors
    ///
    /// The device failed.
    fn prepare(&mut self, device: &mut D) -> Result<(), D::Error>;

    /// Sleeps until something of `interest` may have happened since the last [`prepare`](Self::prepare). May return for no reason.
    ///
    /// # Errors
    ///
    /// The device failed.
    ///
    /// # Cancellation
    ///
    /// Must be safe.
    async fn wait(&mut self, device: &mut D, interest: Interest) -> Result<(), D::Error>;
}

/// The async form of a blocking device whose methods return at once. Nothing is awaited but `W`, and between two looks the device is not touched.
#[derive(Debug)]
pub struct BlockingAsync<D, W> {
    device: D,
    waiter: W,
    link_told: Link,
}

impl<D: BlockingDevice, W: Wake<D>> BlockingAsync<D, W> {
    /// `waiter` tells when to look.
    #[must_use]
    pub fn new(device: D, waiter: W) -> Self {
        let link_told = device.link();
        Self {
            device,
            waiter,
            link_told,
        }
    }

    /// The device, for what is specific to it.
    pub const fn inner_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back.
    pub fn into_inner(self) -> D {
        self.device
    }
}

impl<D: ErrorType, W> ErrorType for BlockingAsync<D, W> {
    type Error = D::Error;
}

impl<D: BlockingDevice, W: Wake<D>> EthernetDevice for BlockingAsync<D, W> {
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

    async fn recv_frame(&mut self, buf: &mut [u8]) -> Result<Option<RxMeta>, D::Error> {
        self.device.recv_frame(buf)
    }

    async fn discard_frame(&mut self) -> Result<bool, D::Error> {
        self.device.discard_frame()
    }

    async fn tx_ready(&mut self) -> Result<bool, D::Error> {
        self.device.tx_ready()
    }

    async fn send_vectored(&mut self, parts: &[&[u8]]) -> Result<(), D::Error> {
        self.device.send_vectored(parts)
    }

    async fn send_frame(&mut self, frame: &[u8]) -> Result<(), D::Error> {
        self.device.send_frame(frame)
    }

    async fn service(&mut self) -> Result<Events, D::Error> {
        self.device.service()
    }

    async fn ready(&mut self, interest: Interest) -> Result<Interest, D::Error> {
        loop {
            self.waiter.prepare(&mut self.device)?;
            let events = self.device.service()?;
            let link = self.device.link();
            let so = Interest {
                rx: events.rx_pending,
                tx: events.tx_ready,
                link: link != self.link_told,
            };
            let ready = so & interest;
            if ready.link {
                self.link_told = link;
            }
            if !ready.is_none() {
                return Ok(ready);
            }
            self.waiter.wait(&mut self.device, interest).await?;
        }
    }
}

impl<D: ethdev::Control, W> ethdev::Control for BlockingAsync<D, W> {
    ethdev::forward_control!(|this| &mut this.device, core::convert::identity);
}
